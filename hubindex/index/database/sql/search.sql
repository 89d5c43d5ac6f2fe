-- name: hits
-- What the Hub returned for exactly this term, in the order of the answer.
SELECT r.repository_id, r.registry_id, r.name, r.description,
       r.star_count, r.is_official, r.is_automated, r.pull_count, r.updated_at, r.kinds, h.position
FROM search_term t
JOIN search_hit h ON h.term_id = t.term_id
JOIN repository r ON r.repository_id = h.repository_id
WHERE t.term = :term AND r.gone_at IS NULL
  AND r.star_count >= :stars
  AND (:official = -1 OR CAST(r.is_official AS int) = :official)
  AND (:automated = -1 OR CAST(r.is_automated AS int) = :automated)
  AND (:namespace = '' OR (r.name >= :namespace || '/' AND r.name < :namespace || '0'))
ORDER BY r.star_count DESC, h.position, r.pull_count DESC,
         CASE WHEN substr(r.name, 1, 8) = 'library/' THEN substr(r.name, 9) ELSE r.name END
LIMIT :limit

-- name: registries
SELECT registry_id, host FROM registry

-- name: is_filled
SELECT 1 FROM repository LIMIT 1

-- name: exact_word
SELECT repositories FROM word WHERE word = :word AND repositories > 0

-- name: known_words
SELECT word, repositories FROM word WHERE word = ANY(:words) AND repositories > 0

-- name: frequent_words
-- Those of most repositories; flags and classes of popularity, which begin with `#`, are no words.
SELECT word, repositories FROM word WHERE repositories > 0 AND word >= '0'
ORDER BY frequency DESC, word LIMIT :limit
