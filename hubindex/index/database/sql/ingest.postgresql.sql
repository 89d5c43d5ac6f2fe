-- name: lock_documents
-- One process at a time makes repositories and counts words; 1752523369 is the lock of migrations too.
SELECT pg_advisory_xact_lock(1752523369)

-- name: new_repository_ids
SELECT nextval(pg_get_serial_sequence('repository', 'repository_id')) FROM generate_series(1, :count)

-- name: drop_document
DELETE FROM repository_search WHERE repository_id = :repository_id

-- name: put_words
INSERT INTO word (word, repositories, frequency)
SELECT * FROM unnest(CAST(:words AS text[]), CAST(:counts AS int[]), CAST(:frequencies AS smallint[]))
ON CONFLICT (word) DO UPDATE SET repositories = excluded.repositories, frequency = excluded.frequency

-- name: add_changes
INSERT INTO change (period, repository_id)
SELECT * FROM unnest(CAST(:periods AS int[]), CAST(:repository_ids AS int[]))
ON CONFLICT (period, repository_id) DO NOTHING
