-- What others say that tags were.

-- name: of_tag
SELECT p.digest, p.seen_from, p.seen_until, p.is_by, p.platform, w.name, p.source, p.tag
FROM report p JOIN witness w ON w.witness_id = p.witness_id
WHERE p.repository_id = :repository_id AND p.tag = :tag

-- name: of_repository
SELECT p.digest, p.seen_from, p.seen_until, p.is_by, p.platform, w.name, p.source, p.tag
FROM report p JOIN witness w ON w.witness_id = p.witness_id
WHERE p.repository_id = :repository_id
ORDER BY p.tag

-- name: digest_ids
SELECT DISTINCT d.digest, d.digest_id
FROM digest_prefix p
JOIN digest d ON d.repository_id = p.repository_id AND d.digest_id = p.digest_id
WHERE p.prefix = ANY(:prefixes) AND p.repository_id = :repository_id

-- name: is_reported
SELECT 1 FROM report WHERE prefix = :prefix LIMIT 1

-- name: with_prefix
-- The tags that somebody has reported to have a digest of this beginning.
SELECT g.host, r.name, p.tag, p.digest, p.platform, p.is_by, w.name, min(p.seen_from), min(p.source)
FROM report p
JOIN witness w ON w.witness_id = p.witness_id
JOIN repository r ON r.repository_id = p.repository_id
JOIN registry g ON g.registry_id = r.registry_id
WHERE p.prefix = :prefix
GROUP BY g.host, r.name, p.tag, p.digest, p.platform, p.is_by, w.name
ORDER BY min(p.seen_from), w.name, r.name, p.tag

-- name: witnesses
SELECT w.name, count(*), count(DISTINCT CAST(p.repository_id AS text) || ':' || p.tag),
       min(p.seen_from), max(p.seen_until)
FROM witness w JOIN report p ON p.witness_id = w.witness_id
GROUP BY w.name ORDER BY w.name
