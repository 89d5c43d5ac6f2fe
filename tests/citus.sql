-- A stand-in for the Citus extension on one PostgreSQL: its catalogs and functions as its documentation describes
-- them, and what they refuse. No row moves: a distributed table stays one table.

SET allow_system_table_mods = on;
SET search_path = pg_catalog; -- where Citus has them too
CREATE SCHEMA citus;

CREATE TABLE pg_catalog.pg_dist_node (nodeid int, groupid int, nodename text, nodeport int, noderole text);
CREATE TABLE pg_catalog.pg_dist_partition (
    logicalrelid regclass NOT NULL, partmethod "char" NOT NULL, partkey text, colocationid int NOT NULL
);
CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass NOT NULL, shardid bigint NOT NULL);
CREATE TABLE pg_catalog.pg_dist_placement (shardid bigint NOT NULL, groupid int NOT NULL);
CREATE TABLE citus.truncated (name text NOT NULL);
CREATE SEQUENCE citus.group_id;
CREATE SEQUENCE citus.shard_id START 102008;

INSERT INTO pg_dist_node VALUES
    (1, 0, 'coordinator', 5432, 'primary'), (2, 1, 'worker-1', 5432, 'primary'), (3, 2, 'worker-2', 5432, 'primary'),
    (4, 2, 'standby-2', 5432, 'secondary');

CREATE FUNCTION pg_catalog.column_to_column_name(name regclass, key text) RETURNS text STRICT LANGUAGE sql RETURN key;

CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    beside regclass;
    key smallint := (SELECT attnum FROM pg_attribute WHERE attrelid = table_name AND attname = distribution_column);
    colocation int;
    shard bigint;
BEGIN
    IF pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = table_name)) <> session_user THEN
        RAISE 'must be owner of table %', table_name USING ERRCODE = 'insufficient_privilege';
    ELSIF EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = table_name) THEN
        RAISE 'table "%" is already distributed', table_name USING ERRCODE = 'invalid_table_definition';
    ELSIF key IS NULL THEN
        RAISE 'column "%" of relation "%" does not exist', distribution_column, table_name;
    ELSIF EXISTS (
        SELECT FROM pg_index WHERE indrelid = table_name AND indisunique AND NOT key = ANY (CAST(indkey AS smallint[]))
    ) THEN
        RAISE 'cannot create constraint on "%"', table_name USING DETAIL =
            'Distributed relations cannot have UNIQUE, EXCLUDE, or PRIMARY KEY constraints that do not include the '
            'partition column (with an equality operator if EXCLUDE).';
    ELSIF colocate_with NOT IN ('default', 'none') AND shard_count IS NOT NULL THEN
        RAISE 'Cannot use colocate_with with a table and shard_count at the same time';
    END IF;
    IF colocate_with IN ('default', 'none') THEN
        colocation := nextval('citus.group_id');
        FOR number IN 1..coalesce(shard_count, 32) LOOP
            shard := nextval('citus.shard_id');
            INSERT INTO pg_dist_shard VALUES (table_name, shard);
            INSERT INTO pg_dist_placement VALUES (shard, 1 + number % 2);
        END LOOP;
    ELSE
        beside := CAST(colocate_with AS regclass);
        colocation := (SELECT p.colocationid FROM pg_dist_partition p WHERE p.logicalrelid = beside);
        IF colocation IS NULL THEN
            RAISE 'relation % is not distributed', colocate_with;
        END IF;
        WITH placed AS (
            SELECT nextval('citus.shard_id') AS shardid, p.groupid
            FROM pg_dist_shard s JOIN pg_dist_placement p ON p.shardid = s.shardid WHERE s.logicalrelid = beside
        ), made AS (INSERT INTO pg_dist_shard SELECT table_name, placed.shardid FROM placed)
        INSERT INTO pg_dist_placement SELECT placed.shardid, placed.groupid FROM placed;
    END IF;
    INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column, colocation);
END $$;

CREATE FUNCTION pg_catalog.truncate_local_data_after_distributing_table(table_name regclass) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = table_name) THEN
        RAISE 'supplied parameter is not a distributed relation';
    END IF;
    INSERT INTO citus.truncated VALUES (CAST(table_name AS text));
END $$;

GRANT SELECT ON pg_dist_node, pg_dist_partition, pg_dist_shard, pg_dist_placement TO public;

INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (99999, 'citus', 10, CAST('citus' AS regnamespace), false, 'a stand-in');
