-- name: matches
-- `rank + 0` keeps the planner on the inverted index: walking by rank is slow for two words that rarely meet.
SELECT s.rank, r.repository_id, r.registry_id, r.name, r.description,
       r.star_count, r.is_official, r.is_automated, r.pull_count, r.updated_at, r.kinds
FROM (
    SELECT repository_id, rank FROM repository_search
    WHERE words @@ CAST(:match AS tsquery) AND words @@ CAST(:second_match AS tsquery)
      AND words @@ CAST(:third_match AS tsquery) AND words @@ CAST(:last_match AS tsquery)
      AND rank > :after AND rank < :bound
    ORDER BY rank + 0
    LIMIT :limit
) s
JOIN repository r ON r.repository_id = s.repository_id
ORDER BY s.rank

-- name: everything
SELECT s.rank, r.repository_id, r.registry_id, r.name, r.description,
       r.star_count, r.is_official, r.is_automated, r.pull_count, r.updated_at, r.kinds
FROM repository_search s
JOIN repository r ON r.repository_id = s.repository_id
WHERE s.rank > :after AND s.rank < :bound
ORDER BY s.rank
LIMIT :limit

-- name: tiers
-- How many repositories there are of each class of popularity.
SELECT CAST(substr(word, 2) AS int), repositories FROM word
WHERE word >= '#0' AND word < '#:' AND repositories > 0
ORDER BY 1 DESC

-- name: completions
SELECT found.word, found.repositories
FROM generate_series((SELECT max(frequency) FROM word), 1, -1) AS frequencies (frequency)
CROSS JOIN LATERAL (
    SELECT word, repositories FROM word
    WHERE word.frequency = frequencies.frequency AND word > :word AND word < :last
    ORDER BY word
    LIMIT :limit
) found
ORDER BY frequencies.frequency DESC, found.word
LIMIT :limit
