-- name: lock_documents
SELECT 1

-- name: new_repository_ids
WITH RECURSIVE ids(id, remaining) AS (
    SELECT coalesce(max(repository_id), 0) + 1, :count FROM repository
    UNION ALL
    SELECT id + 1, remaining - 1 FROM ids WHERE remaining > 1
)
SELECT id FROM ids

-- name: add_document
INSERT INTO repository_search (rowid, name, description, flags) VALUES (:rank, :name, :description, :flags)

-- name: drop_document
INSERT INTO repository_search (repository_search, rowid, name, description, flags)
VALUES ('delete', :rank, :name, :description, :flags)

-- name: put_word
INSERT INTO word (word, repositories, frequency) VALUES (:word, :repositories, :frequency)
ON CONFLICT (word) DO UPDATE SET repositories = excluded.repositories, frequency = excluded.frequency

-- name: add_change
INSERT INTO change (period, repository_id) VALUES (:period, :repository_id)
ON CONFLICT (period, repository_id) DO NOTHING

-- name: search_pieces
SELECT count(DISTINCT segid) FROM repository_search_idx

-- name: join_search_pieces
INSERT INTO repository_search (repository_search) VALUES ('optimize')
