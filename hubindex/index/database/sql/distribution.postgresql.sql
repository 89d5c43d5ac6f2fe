-- Where the tables of an index stand in a Citus cluster, from Citus's own catalogs (its views also measure sizes).

-- name: citus
SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus'),
       EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'citus')

-- name: placed
-- The tables that Citus knows: 'h' is divided by the hash of a column. Equal last numbers: co-located.
SELECT CAST(c.relname AS text), CAST(p.partmethod AS text), column_to_column_name(p.logicalrelid, p.partkey),
       p.colocationid
FROM pg_dist_partition p
JOIN pg_class c ON c.oid = p.logicalrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema()

-- name: shards
SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = CAST(:table AS regclass)

-- name: nodes
SELECT n.nodename || ':' || n.nodeport, count(*)
FROM pg_dist_shard s
JOIN pg_dist_placement p ON p.shardid = s.shardid
JOIN pg_dist_node n ON n.groupid = p.groupid
WHERE s.logicalrelid = CAST(:table AS regclass) AND n.noderole = 'primary'
GROUP BY n.nodename, n.nodeport
ORDER BY n.nodename, n.nodeport

-- name: distribute_first
SELECT create_distributed_table(
    CAST(:table AS regclass), 'repository_id', colocate_with => 'none', shard_count => CAST(:shards AS int)
)

-- name: distribute_beside
SELECT create_distributed_table(CAST(:table AS regclass), 'repository_id', colocate_with => :beside)

-- name: remove_local_copy
-- The rows that were copied into shards still take disk space on the coordinator, where nobody sees them.
SELECT truncate_local_data_after_distributing_table(CAST(:table AS regclass))
WHERE pg_relation_size(CAST(:table AS regclass)) > 0
