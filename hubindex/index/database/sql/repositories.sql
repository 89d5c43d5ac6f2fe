-- name: repository
SELECT r.repository_id, r.description, r.star_count, r.pull_count, r.is_official, r.is_automated,
       r.updated_at, r.registered_at, r.first_seen_at, r.seen_at, r.missing_at, r.gone_at,
       r.walked_at, r.walk_problem, r.swept_at, r.partial_at, r.partial_since, r.kinds
FROM repository r
JOIN registry g ON g.registry_id = r.registry_id
WHERE g.host = :registry AND r.name = :name

-- name: is_filled
SELECT 1 FROM repository LIMIT 1

-- name: tags
-- The tags that a repository has, with what the open span of each is known to hold.
SELECT t.name, t.digest_id, t.pushed_at, t.first_seen_at, t.last_seen_at, t.seen_at, t.tag_id, t.closed_spans,
       d.digest, d.size, d.images, m.name, d.kind
FROM tag t
LEFT JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
LEFT JOIN media_type m ON m.media_type_id = d.media_type_id
WHERE t.repository_id = :repository_id AND t.gone_at IS NULL

-- name: platforms
SELECT platform_id, name FROM platform WHERE platform_id = ANY(:platform_ids)

-- name: counts
SELECT (SELECT count(*) FROM repository WHERE gone_at IS NULL),
       (SELECT count(*) FROM repository WHERE gone_at IS NULL AND walked_at IS NULL),
       (SELECT count(*) FROM repository WHERE gone_at IS NULL AND walk_problem IS NOT NULL),
       (SELECT count(*) FROM repository WHERE gone_at IS NULL AND missing_at IS NOT NULL),
       (SELECT count(*) FROM repository WHERE gone_at IS NOT NULL),
       (SELECT count(*) FROM tag WHERE gone_at IS NULL),
       (SELECT count(*) FROM tag WHERE gone_at IS NOT NULL),
       (SELECT count(*) FROM span),
       (SELECT count(*) FROM digest),
       (SELECT count(*) FROM sweep),
       (SELECT count(*) FROM search_term),
       (SELECT min(seen_at) FROM repository WHERE gone_at IS NULL),
       (SELECT max(seen_at) FROM repository)

-- name: registries
SELECT host FROM registry ORDER BY registry_id

-- name: complete_repositories
SELECT name FROM repository
WHERE registry_id = (SELECT registry_id FROM registry WHERE host = :registry)
      AND name >= :begun AND name < :last AND gone_at IS NULL
ORDER BY name LIMIT :limit

-- name: complete_tags
SELECT t.name FROM repository r
JOIN tag t ON t.repository_id = r.repository_id
WHERE r.registry_id = (SELECT registry_id FROM registry WHERE host = :registry) AND r.name = :repository
      AND t.name >= :begun AND t.name < :last AND t.gone_at IS NULL
ORDER BY t.name LIMIT :limit
