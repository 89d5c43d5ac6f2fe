-- name: damaged_pages
SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'

-- name: repositories_out_of_search
SELECT abs((SELECT count(*) FROM repository WHERE gone_at IS NULL) - (
    SELECT count(*) FROM repository_search WHERE repository_search MATCH 'flags : "all"'
))
