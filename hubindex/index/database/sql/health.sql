-- What must not be: each statement counts rows that contradict others.

-- name: tags_without_repository
-- Not by NOT EXISTS: Citus refuses a condition that leads from a distributed table to one of the coordinator.
SELECT (SELECT count(*) FROM tag) - (
    SELECT count(*) FROM tag t JOIN repository r ON r.repository_id = t.repository_id
)

-- name: tags_without_digest
SELECT count(*) FROM tag t
WHERE t.digest_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM digest d WHERE d.repository_id = t.repository_id AND d.digest_id = t.digest_id
)

-- name: spans_without_digest
SELECT count(*) FROM span s
WHERE s.digest_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM digest d WHERE d.repository_id = s.repository_id AND d.digest_id = s.digest_id
)

-- name: spans_that_end_before_they_begin
SELECT count(*) FROM span WHERE last_seen_at < first_seen_at

-- name: tags_with_a_wrong_number_of_closed_spans
-- Joined and not counted for each tag: Citus refuses an aggregate that belongs to a row of another table.
SELECT count(*) FROM tag t
LEFT JOIN (
    SELECT repository_id, tag_id, count(*) AS spans FROM span GROUP BY repository_id, tag_id
) AS s ON s.repository_id = t.repository_id AND s.tag_id = t.tag_id
WHERE t.closed_spans <> coalesce(s.spans, 0)

-- name: spans_without_tag
SELECT abs((SELECT count(*) FROM span) - (SELECT coalesce(sum(closed_spans), 0) FROM tag))

-- name: tags_numbered_beyond_their_repository
SELECT count(*) FROM tag t JOIN repository r ON r.repository_id = t.repository_id WHERE t.tag_id > r.last_tag_id

-- name: digests_numbered_beyond_their_repository
SELECT count(*) FROM digest d JOIN repository r ON r.repository_id = d.repository_id
WHERE d.digest_id > r.last_digest_id

-- name: digests_that_cannot_be_looked_up
SELECT (SELECT count(*) FROM digest) - (
    SELECT count(*) FROM (SELECT DISTINCT repository_id, digest_id FROM digest_prefix) AS found
)

-- name: tags_that_their_digest_does_not_name
-- Digests with more names than their row has room for are looked at one by one.
SELECT count(*) FROM tag t JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
WHERE (d.tags IS NULL OR replace(' ' || d.tags || ' ', ' ' || t.name || ' ', '') = ' ' || d.tags || ' ')
      AND NOT EXISTS (
          SELECT 1 FROM digest_tags x WHERE x.repository_id = d.repository_id AND x.digest_id = d.digest_id
      )

-- name: tags_that_began_without_a_change
SELECT count(*) FROM tag t
WHERE t.gone_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM change c WHERE c.period = t.first_seen_at / :period AND c.repository_id = t.repository_id
)

-- name: hits_without_repository
SELECT count(*) FROM search_hit h
WHERE NOT EXISTS (SELECT 1 FROM repository r WHERE r.repository_id = h.repository_id)
