-- What ingest asks before it writes.

-- name: repositories_named
SELECT repository_id, name, description, star_count, pull_count, is_official, is_automated,
       updated_at, registered_at, seen_at, missing_at, gone_at, kinds
FROM repository
WHERE registry_id = (SELECT registry_id FROM registry WHERE host = :registry) AND name = ANY(:names)

-- name: registry_id
SELECT registry_id FROM registry WHERE host = :host

-- name: add_registry
INSERT INTO registry (registry_id, host) SELECT max(registry_id) + 1, :host FROM registry

-- name: lock_repository
SELECT last_tag_id, last_digest_id, swept_at, partial_at, partial_since, updated_at, missing_at, gone_at, walked_at,
       walk_problem, kinds
FROM repository WHERE repository_id = :repository_id FOR UPDATE

-- name: tags_named
SELECT t.name, t.tag_id, t.digest_id, t.pushed_at, t.first_seen_at, t.last_seen_at, t.gone_at, t.closed_spans,
       t.seen_at, d.digest, d.images, d.kind
FROM tag t
LEFT JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
WHERE t.repository_id = :repository_id AND t.name = ANY(:names)

-- name: tag_counts
-- How many tags there are, and how many a sweep ended that was not over at a moment.
SELECT count(*) FILTER (WHERE gone_at IS NULL), count(*) FILTER (WHERE gone_at > :at)
FROM tag WHERE repository_id = :repository_id

-- name: open_tag_count
SELECT count(*) FROM tag WHERE repository_id = :repository_id AND gone_at IS NULL

-- name: open_tags
SELECT t.name, t.tag_id, t.digest_id, t.pushed_at, t.first_seen_at, t.last_seen_at, t.gone_at, t.closed_spans,
       t.seen_at, d.digest, NULL, d.kind
FROM tag t
LEFT JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
WHERE t.repository_id = :repository_id AND t.gone_at IS NULL

-- name: tag_names
SELECT name FROM tag WHERE repository_id = :repository_id AND gone_at IS NULL ORDER BY name LIMIT :most

-- name: tag_names_with
SELECT t.name FROM tag t
JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
WHERE t.repository_id = :repository_id AND d.digest = :digest AND t.gone_at IS NULL
ORDER BY t.name LIMIT :most

-- name: closed_pushes
SELECT t.name, s.pushed_at, d.digest, s.last_seen_at
FROM tag t
JOIN span s ON s.repository_id = t.repository_id AND s.tag_id = t.tag_id
JOIN digest d ON d.repository_id = s.repository_id AND d.digest_id = s.digest_id
WHERE t.repository_id = :repository_id AND t.name = ANY(:names) AND s.pushed_at IS NOT NULL

-- name: newest_tags
SELECT name, pushed_at FROM tag
WHERE repository_id = :repository_id AND gone_at IS NULL AND pushed_at > :pushed_at

-- name: keep_sights
-- Of tags that a walk confirmed and the next one does not: they were pushed after `since`, until `until`.
UPDATE tag SET seen_at = :at
WHERE repository_id = :repository_id AND gone_at IS NULL AND last_seen_at IS NULL
      AND pushed_at > :since AND pushed_at <= :until AND first_seen_at < :at AND (seen_at IS NULL OR seen_at < :at)

-- name: see_tags
-- Tags that a walk looked at, and that it confirms neither by their push time nor as a sweep.
UPDATE tag SET seen_at = :at
WHERE repository_id = :repository_id AND gone_at IS NULL AND last_seen_at IS NULL
      AND pushed_at <= :until AND first_seen_at < :at AND (seen_at IS NULL OR seen_at < :at) AND name = ANY(:names)

-- name: stale_report
-- A report of an older answer that was stored before, after the open span was first seen.
SELECT number FROM span
WHERE repository_id = :repository_id AND tag_id = :tag_id AND digest_id = :digest_id AND pushed_at = :pushed_at
      AND first_seen_at > :after AND last_seen_at < :at
ORDER BY number LIMIT 1

-- name: extend_report
UPDATE span SET last_seen_at = :at
WHERE repository_id = :repository_id AND tag_id = :tag_id AND number = :number

-- name: digests_by_prefix
SELECT DISTINCT d.digest, d.digest_id, d.images, d.kind
FROM digest_prefix p
JOIN digest d ON d.repository_id = p.repository_id AND d.digest_id = p.digest_id
WHERE p.prefix = ANY(:prefixes) AND p.repository_id = :repository_id

-- name: describe_digest
UPDATE digest
SET media_type_id = coalesce(:media_type_id, media_type_id), size = coalesce(:size, size), images = :images,
    kind = coalesce(:kind, kind)
WHERE repository_id = :repository_id AND digest_id = :digest_id

-- name: name_digest_kind
UPDATE digest SET kind = :kind WHERE repository_id = :repository_id AND digest_id = :digest_id

-- name: digest_names
SELECT digest_id, tags FROM digest WHERE repository_id = :repository_id AND digest_id = ANY(:digest_ids)

-- name: name_digest
UPDATE digest SET tags = :names WHERE repository_id = :repository_id AND digest_id = :digest_id

-- name: add_digest_tags
INSERT INTO digest_tags (repository_id, digest_id, name, names) VALUES (:repository_id, :digest_id, :name, :names)
ON CONFLICT (repository_id, digest_id, name) DO UPDATE SET names = digest_tags.names || ' ' || excluded.names
WHERE digest_tags.names <> excluded.names

-- name: contents_by_prefix
SELECT digest, document FROM content WHERE prefix = ANY(:prefixes)

-- name: kept_contents
SELECT digest FROM content WHERE prefix = ANY(:prefixes)

-- name: add_content
INSERT INTO content (prefix, digest, chain, document) VALUES (:prefix, :digest, :chain, :document)
ON CONFLICT (prefix, digest) DO NOTHING

-- name: add_content_part
INSERT INTO content_part (prefix, digest) VALUES (:prefix, :digest) ON CONFLICT (prefix, digest) DO NOTHING

-- name: add_witness
INSERT INTO witness (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: witness_id
SELECT witness_id FROM witness WHERE name = :name

-- name: add_report
INSERT INTO report (
    repository_id, tag, witness_id, seen_from, seen_until, digest, platform, is_by, prefix, source
) VALUES (
    :repository_id, :tag, :witness_id, :seen_from, :seen_until, :digest, :platform, :is_by, :prefix, :source
)
ON CONFLICT (repository_id, tag, witness_id, seen_from, seen_until, digest, platform) DO NOTHING

-- name: import_mark
SELECT mark FROM import_mark WHERE witness = :witness AND subject = :subject

-- name: put_import_mark
INSERT INTO import_mark (witness, subject, mark) VALUES (:witness, :subject, :mark)
ON CONFLICT (witness, subject) DO UPDATE SET mark = excluded.mark

-- name: forget_import_marks
DELETE FROM import_mark WHERE witness = :witness

-- name: forget_reports
DELETE FROM report WHERE witness_id = :witness_id

-- name: forget_witness
DELETE FROM witness WHERE witness_id = :witness_id

-- name: words_known
SELECT word, repositories FROM word WHERE word = ANY(:words)

-- name: platform_id
SELECT platform_id FROM platform WHERE name = :name

-- name: add_platform
INSERT INTO platform (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: media_type_id
SELECT media_type_id FROM media_type WHERE name = :name

-- name: add_media_type
INSERT INTO media_type (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: add_sweep
INSERT INTO sweep (repository_id, started_at, finished_at, tag_count)
VALUES (:repository_id, :started_at, :finished_at, :tag_count)
ON CONFLICT (repository_id, started_at) DO NOTHING

-- name: term
SELECT term_id, crawled_at FROM search_term WHERE term = :term

-- name: touch_term
INSERT INTO search_term (term, crawled_at) VALUES (:term, :crawled_at)
ON CONFLICT (term) DO UPDATE SET crawled_at = excluded.crawled_at

-- name: hits_of_term
SELECT repository_id, position FROM search_hit WHERE term_id = :term_id

-- name: put_hit
INSERT INTO search_hit (term_id, repository_id, position) VALUES (:term_id, :repository_id, :position)
ON CONFLICT (term_id, repository_id) DO UPDATE SET position = excluded.position

-- name: drop_hit
DELETE FROM search_hit WHERE term_id = :term_id AND repository_id = :repository_id
