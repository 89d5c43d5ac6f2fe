-- name: matches
-- The rowid of the full-text table is the rank: walking it in its natural order is walking the answer.
SELECT s.rowid, r.repository_id, r.registry_id, r.name, r.description,
       r.star_count, r.is_official, r.is_automated, r.pull_count, r.updated_at, r.kinds
FROM repository_search s
JOIN repository r ON r.repository_id = s.rowid & 4294967295
WHERE s.repository_search MATCH :match AND s.rowid > :after AND s.rowid < :bound
ORDER BY s.rowid
LIMIT :limit

-- name: greatest_frequency
SELECT frequency FROM word INDEXED BY word_by_frequency ORDER BY frequency DESC LIMIT 1

-- name: completions
SELECT word, repositories FROM word INDEXED BY word_by_frequency
WHERE frequency = :frequency AND word > :word AND word < :last
ORDER BY word
LIMIT :limit
