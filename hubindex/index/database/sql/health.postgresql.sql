-- name: repositories_out_of_search
SELECT abs((SELECT count(*) FROM repository WHERE gone_at IS NULL) - (SELECT count(*) FROM repository_search))
