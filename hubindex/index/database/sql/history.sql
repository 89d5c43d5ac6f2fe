-- Evidence about tags: the open span of each, and the closed ones.

-- name: tag
-- A row for each closed span of one tag, or a single one without; what is open stands in each.
SELECT t.digest_id, t.pushed_at, t.first_seen_at, t.last_seen_at, t.gone_at, t.seen_at,
       coalesce(s.digest_id, 0), s.pushed_at, s.first_seen_at, s.last_seen_at, s.gone_at,
       d.digest, e.digest, r.repository_id, r.missing_at, r.swept_at, r.partial_at, r.partial_since,
       EXISTS (SELECT 1 FROM report p WHERE p.repository_id = t.repository_id AND p.tag = t.name)
FROM repository r
JOIN tag t ON t.repository_id = r.repository_id
LEFT JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
LEFT JOIN span s ON t.closed_spans > 0 AND s.repository_id = t.repository_id AND s.tag_id = t.tag_id
LEFT JOIN digest e ON e.repository_id = s.repository_id AND e.digest_id = s.digest_id
WHERE r.registry_id = (SELECT registry_id FROM registry WHERE host = :registry)
      AND r.name = :repository AND t.name = :tag
ORDER BY s.number

-- name: tags
SELECT name, tag_id, digest_id, pushed_at, first_seen_at, last_seen_at, gone_at, seen_at
FROM tag WHERE repository_id = :repository_id

-- name: tags_named
-- As `tag`, of some tags of a repository.
SELECT t.digest_id, t.pushed_at, t.first_seen_at, t.last_seen_at, t.gone_at, t.seen_at,
       coalesce(s.digest_id, 0), s.pushed_at, s.first_seen_at, s.last_seen_at, s.gone_at, t.name
FROM tag t
LEFT JOIN span s ON t.closed_spans > 0 AND s.repository_id = t.repository_id AND s.tag_id = t.tag_id
WHERE t.repository_id = :repository_id AND t.name = ANY(:names)
ORDER BY t.name, s.number

-- name: tags_changed
-- The tags whose state may differ between two moments: something began or ended, or contradicts itself, in between.
SELECT t.name, t.tag_id, t.digest_id, t.pushed_at, t.first_seen_at, t.last_seen_at, t.gone_at, t.seen_at
FROM tag t
WHERE t.repository_id = :repository_id AND (
    (t.pushed_at > :after AND t.pushed_at <= :until)
    OR (t.first_seen_at > :after AND t.first_seen_at <= :until)
    OR (t.gone_at > :after AND t.gone_at <= :until)
    OR (t.closed_spans > 0 AND EXISTS (
        SELECT 1 FROM span s
        WHERE s.repository_id = t.repository_id AND s.tag_id = t.tag_id AND (
            (s.pushed_at > :after AND s.pushed_at <= :until)
            OR (s.first_seen_at > :after AND s.first_seen_at <= :until)
            OR (s.gone_at > :after AND s.gone_at <= :until)
            OR s.first_seen_at > t.first_seen_at
            OR EXISTS (
                SELECT 1 FROM span o
                WHERE o.repository_id = s.repository_id AND o.tag_id = s.tag_id
                      AND o.first_seen_at < s.first_seen_at AND s.first_seen_at < o.last_seen_at
            )
        )
    ))
)

-- name: spans
SELECT tag_id, digest_id, pushed_at, first_seen_at, last_seen_at, gone_at
FROM span WHERE repository_id = :repository_id ORDER BY tag_id, number

-- name: spans_of
SELECT tag_id, digest_id, pushed_at, first_seen_at, last_seen_at, gone_at
FROM span WHERE repository_id = :repository_id AND tag_id = ANY(:tag_ids) ORDER BY tag_id, number

-- name: digests
SELECT d.digest_id, d.digest, d.size, d.images, m.name, d.tags, d.kind
FROM digest d
LEFT JOIN media_type m ON m.media_type_id = d.media_type_id
WHERE d.repository_id = :repository_id AND d.digest_id = ANY(:digest_ids)

-- name: digest_tags
-- More names of tags that have or had some digests.
SELECT digest_id, names FROM digest_tags WHERE repository_id = :repository_id AND digest_id = ANY(:digest_ids)

-- name: shared_digests
-- Digests with more names of tags than their row has room for.
SELECT DISTINCT repository_id, digest_id FROM digest_tags

-- name: tags_with_digest
SELECT name FROM tag WHERE repository_id = :repository_id AND digest_id = :digest_id

-- name: platforms
SELECT platform_id, name FROM platform WHERE platform_id = ANY(:platform_ids)

-- name: platform
SELECT name FROM platform WHERE platform_id = :platform_id

-- name: sweeps
SELECT started_at, finished_at FROM sweep WHERE repository_id = :repository_id ORDER BY started_at

-- name: repositories_changed
-- Who had a change in one of some periods, and how far each is known.
SELECT r.repository_id, g.host, r.name, r.swept_at, r.partial_at, r.partial_since
FROM (SELECT DISTINCT repository_id FROM change WHERE period >= :first AND period <= :last) AS c
JOIN repository r ON r.repository_id = c.repository_id
JOIN registry g ON g.registry_id = r.registry_id
ORDER BY g.registry_id, r.name

-- name: has_digest
-- Who has a digest that begins with 32 bits: its own number, and that of an index around it or 0; then its own digest
-- and tags, and the digest, images and tags of that index.
SELECT r.repository_id, g.host, r.name, r.swept_at, r.partial_at, r.partial_since, p.digest_id, p.index_id,
       d.digest, d.tags, i.digest, i.images, i.tags
FROM digest_prefix p
JOIN digest d ON d.repository_id = p.repository_id AND d.digest_id = p.digest_id
LEFT JOIN digest i ON p.index_id > 0 AND i.repository_id = p.repository_id AND i.digest_id = p.index_id
JOIN repository r ON r.repository_id = p.repository_id
JOIN registry g ON g.registry_id = r.registry_id
WHERE p.prefix = :prefix
