-- The frontier: what is to be fetched, when, and who is at it.

-- name: add_seed
INSERT INTO seed (kind, name, wanted, with_tags) VALUES (:kind, :name, :wanted, :with_tags)
ON CONFLICT (kind, name) DO UPDATE SET wanted = excluded.wanted, with_tags = excluded.with_tags

-- name: seed
-- A seed, and which crawl asked for it last.
SELECT s.seed_id, coalesce(j.asked_by, j.done_for)
FROM seed s
LEFT JOIN job j ON j.seed_id = s.seed_id AND j.repository_id = 0
WHERE s.kind = :kind AND s.name = :name

-- name: seeds_of_crawl
-- All that a crawl asked for, done or not.
SELECT s.kind, s.name, s.wanted, s.with_tags
FROM job j JOIN seed s ON s.seed_id = j.seed_id
WHERE j.repository_id = 0 AND coalesce(j.asked_by, j.done_for) = :crawl

-- name: ask_seed
INSERT INTO job (repository_id, seed_id, due_at, asked_by, tries) VALUES (0, :seed_id, :due_at, :asked_by, 0)
ON CONFLICT (repository_id, seed_id) DO UPDATE SET due_at = excluded.due_at, asked_by = excluded.asked_by

-- name: ask_visit
-- Not again for the same crawl, and not if it was done lately enough.
INSERT INTO job (repository_id, seed_id, due_at, asked_by, tries) VALUES (:repository_id, 0, :due_at, :asked_by, 0)
ON CONFLICT (repository_id, seed_id) DO UPDATE SET due_at = excluded.due_at, asked_by = excluded.asked_by
WHERE (job.done_for IS NULL OR job.done_for <> excluded.asked_by) AND (job.done_at IS NULL OR job.done_at < :fresh_since)

-- name: add_visit
-- Due by itself: one that is known keeps its time.
INSERT INTO job (repository_id, seed_id, due_at, tries) VALUES (:repository_id, 0, :due_at, 0)
ON CONFLICT (repository_id, seed_id) DO NOTHING

-- name: pull_forward
-- What was done too long ago is due.
UPDATE job SET due_at = :now WHERE done_at < :fresh_since AND due_at > :now

-- name: retry
UPDATE job SET due_at = :now WHERE asked_by IS NOT NULL AND due_at > :now

-- name: finish_job
UPDATE job
SET due_at = :due_at, done_at = :done_at, done_for = coalesce(asked_by, done_for), asked_by = NULL,
    leased_by = NULL, leased_until = NULL, tries = 0, failure = NULL, error = NULL
WHERE repository_id = :repository_id AND seed_id = :seed_id AND coalesce(asked_by, 0) = :asked_by

-- name: release_asked_again
-- Somebody asked for it anew while it was done: it is to be done again.
UPDATE job SET leased_by = NULL, leased_until = NULL
WHERE repository_id = :repository_id AND seed_id = :seed_id AND asked_by IS NOT NULL AND asked_by <> :asked_by

-- name: fail_job
UPDATE job
SET due_at = :due_at, tries = :tries, failure = :failure, error = :error, leased_by = NULL, leased_until = NULL
WHERE repository_id = :repository_id AND seed_id = :seed_id

-- name: forget_job
DELETE FROM job WHERE repository_id = :repository_id AND seed_id = :seed_id

-- name: forget_seed
DELETE FROM seed WHERE seed_id = :seed_id

-- name: release_job
UPDATE job SET leased_by = NULL, leased_until = NULL
WHERE repository_id = :repository_id AND seed_id = :seed_id AND leased_by = :leased_by

-- name: renew_job
UPDATE job SET leased_until = :leased_until
WHERE repository_id = :repository_id AND seed_id = :seed_id AND leased_by = :leased_by

-- name: owners
-- Whatever is leased is due.
SELECT DISTINCT leased_by FROM job WHERE due_at <= :now AND leased_by IS NOT NULL

-- name: release_owner
UPDATE job SET leased_by = NULL, leased_until = NULL WHERE due_at <= :now AND leased_by = :leased_by

-- part: visits_and_seeds
count(*) FILTER (WHERE repository_id <> 0), count(*) FILTER (WHERE seed_id <> 0)

-- name: pending
-- What a crawl asked for and is not done.
-- When it was asked for tell those that never failed.
SELECT {visits_and_seeds},
       min(due_at) FILTER (WHERE tries = 0)
FROM job WHERE asked_by = :asked_by AND due_at <= :now

-- name: failed_for
SELECT count(*) FROM job WHERE asked_by = :asked_by AND tries > 0

-- name: unfinished
-- What crawls asked for of which nobody is at anything.
SELECT {visits_and_seeds}
FROM job
WHERE asked_by IS NOT NULL AND due_at <= :now
      AND asked_by NOT IN (SELECT j.asked_by FROM job j WHERE j.asked_by IS NOT NULL AND j.leased_until > :wall)

-- name: being_listed
-- Seeds that somebody is listing: that will bring more to do.
SELECT count(*) FROM job WHERE repository_id = 0 AND due_at <= :now AND leased_until > :wall

-- name: due
SELECT {visits_and_seeds} FROM job WHERE due_at <= :now

-- name: next_due
SELECT min(due_at) FROM job WHERE due_at > :now

-- part: claimable
SELECT j.repository_id, j.seed_id, coalesce(r.name, s.name),
       (SELECT g.host FROM registry g WHERE g.registry_id = r.registry_id),
       s.kind, s.wanted, s.with_tags, j.asked_by, j.tries,
       coalesce(r.swept_at > :sweep_since AND (r.walk_problem IS NULL OR r.swept_at = r.walked_at), false),
       r.walk_problem IS NULL
FROM job j
LEFT JOIN repository r ON r.repository_id = j.repository_id
LEFT JOIN seed s ON s.seed_id = j.seed_id
WHERE j.due_at <= :now AND (j.leased_until IS NULL OR j.leased_until <= :wall)

-- part: first_due
ORDER BY j.due_at LIMIT :count
FOR UPDATE OF j SKIP LOCKED

-- name: claim_due
{claimable} AND (j.done_at IS NULL OR j.done_at < :fresh_since)
{first_due}

-- name: claim_asked
{claimable} AND j.asked_by = :asked_by
{first_due}

-- name: work
SELECT count(*) FILTER (WHERE repository_id <> 0 AND due_at <= :now),
       count(*) FILTER (WHERE seed_id <> 0 AND due_at <= :now),
       count(*) FILTER (WHERE asked_by IS NOT NULL),
       count(*) FILTER (WHERE leased_until > :wall),
       min(due_at)
FROM job

-- name: failures
SELECT failure, count(*) FROM job WHERE tries > 0 GROUP BY failure ORDER BY count(*) DESC, failure

-- part: if_crawled_now
WHERE (j.due_at <= :now AND (j.done_at IS NULL OR j.done_at < :fresh)) OR j.done_at < :stale
      OR (j.asked_by IS NOT NULL AND j.tries > 0)

-- part: counts
count(*), count(*) FILTER (WHERE r.swept_at IS NOT NULL AND r.walk_problem IS NULL)

-- name: due_visits
-- Those that are due: how many there are, and of how many the whole list of tags is known.
SELECT {counts}
FROM job j JOIN repository r ON r.repository_id = j.repository_id
{if_crawled_now}

-- name: due_seeds
SELECT s.kind, s.name, s.wanted
FROM job j JOIN seed s ON s.seed_id = j.seed_id
{if_crawled_now}

-- name: known_hits
-- What a term found last time: as in due_visits.
SELECT {counts}
FROM search_term t
JOIN search_hit h ON h.term_id = t.term_id
JOIN repository r ON r.repository_id = h.repository_id
WHERE t.term = :term AND h.position <= :wanted

-- name: known_names
-- Repositories of a namespace: as in due_visits.
SELECT {counts}
FROM repository r
WHERE r.registry_id = (SELECT registry_id FROM registry WHERE host = :registry)
      AND r.gone_at IS NULL AND r.name >= :first AND r.name < :beyond
