"""An index on a Citus cluster: what is distributed, that its statements and keys allow it, and that it is told."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import UniqueConstraint

from hubindex.errors import StorageError, WrongUsage
from hubindex.index.database import sql
from hubindex.index.database.distribution import Distribution, Node, distribution
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import distribute, upgrade
from hubindex.index.database.opening import open_reader
from hubindex.index.database.schema import coordinator_tables, distributed_tables
from hubindex.index.writing.ingest import Ingest
from tests.citus import install_stand_in
from tests.index.building import add, contents, crawl, go_back, problems, rows, tag

TABLES = {table.name for table in distributed_tables()}

EVERY_SHARD = {
    "ingest.add_report": "its row brings its repository with it",
    "ingest.forget_reports": "all that a witness said, anywhere",
    "reports.is_reported": "who has reported a digest, anywhere",
    "reports.with_prefix": "who has reported a digest, anywhere",
    "reports.witnesses": "how much everybody has said",
    "health": "a check counts whole tables",
    "repositories.counts": "the status counts whole tables",
    "history.tag": "it finds the repository by its name, in the same statement",
    "repositories.complete_tags": "it finds the repository by its name, in the same statement",
    "history.repositories_changed": "a difference of the whole index knows no repository",
    "history.shared_digests": "a check counts whole tables",
    "history.has_digest": "who asks for a digest knows no repository",
    "ingest.add_changes": "its rows bring their repositories with them",
    "ingest.add_sweep": "its row brings its repository with it",
    "ingest.add_digest_tags": "its row brings its repository with it",
}
"""Statements that name distributed tables without a condition on one repository, and why."""


@pytest.fixture
def cluster(postgresql_url: str) -> Location:
    """A place for an index in a database that has a stand-in for Citus."""
    install_stand_in(postgresql_url)
    return Location.parse(postgresql_url)


def found(location: Location) -> Distribution | None:
    """How the index is distributed."""
    reader = open_reader(location)
    try:
        return distribution(reader)
    finally:
        reader.close()


# Keys and statements.


def test_what_is_keyed_by_repository_is_distributed() -> None:
    """All tables of tags and history are; what is found without knowing a repository is not."""
    assert {"tag", "span", "digest", "digest_prefix", "sweep", "change"} <= TABLES
    whole = {table.name for table in coordinator_tables()}
    assert {"repository", "repository_search", "search_hit", "job", "seed", "word", "registry"} <= whole
    assert not TABLES & whole


def test_every_key_of_a_distributed_table_contains_the_repository() -> None:
    """As Citus demands, because a shard can promise nothing about others; and by one type, for co-location."""
    for table in distributed_tables():
        unique = [
            constraint.columns for constraint in table.constraints if isinstance(constraint, UniqueConstraint)
        ]
        unique += [index.columns for index in table.indexes if index.unique]
        for columns in (table.primary_key.columns, *unique):
            assert "repository_id" in columns, table.name
    assert len({str(table.c.repository_id.type) for table in distributed_tables()}) == 1


def statements() -> Iterator[tuple[str, str]]:
    """All statements for PostgreSQL that name a distributed table, by `family.name`, without their comments."""
    folder = Path(sql.__file__).parent
    for family in sorted({path.name.partition(".")[0] for path in folder.glob("*.sql")}):
        for name, text in sql.load(family, "postgresql").items():
            bare = re.sub(r"--.*", "", text)
            if tables_of(bare):
                yield f"{family}.{name}", bare


def tables_of(statement: str) -> dict[str, str]:
    """The distributed tables of a statement, by the name they have in it."""
    named = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?([a-z]\w*))?", statement)
    return {alias or table: table for table, alias in named if table in TABLES}


def is_for_one_repository(statement: str) -> bool:
    """Whether every distributed table in it is tied to the repository of a parameter, or to one that is."""
    aliases = set(tables_of(statement))
    tied = set(re.findall(r"\b(?:(\w+)\.)?repository_id = %\(", statement))
    if tied == {""} and len(aliases) == 1:
        return True
    pairs = re.findall(r"\b(\w+)\.repository_id = (\w+)\.repository_id", statement)
    for _ in pairs:
        tied |= {one for pair in pairs if tied & {*pair} for one in pair}
    return aliases <= tied


def test_a_statement_is_for_one_repository_or_known_not_to_be() -> None:
    """So that a visit stays in one shard, and nobody lets each of its questions go to all nodes unawares."""
    wide = {name for name, statement in statements() if not is_for_one_repository(statement)}
    assert {name for name in wide if not name.startswith("health.")} == EVERY_SHARD.keys() - {"health"}


@pytest.mark.parametrize("name", [name for name, _ in statements()])
def test_no_condition_leads_from_a_distributed_table_to_another(name: str) -> None:
    """Citus refuses EXISTS on a table of the coordinator, an aggregate for each row, and locks in many shards."""
    statement = dict(statements())[name]
    inner = re.findall(r"(?:EXISTS|IN)\s*\(\s*SELECT\s[^()]*?\bFROM\s+(\w+)", statement)
    assert set(inner) <= TABLES
    assert not set(re.findall(r"[=<>]\s*\(\s*SELECT\s[^;]*?\bFROM\s+(\w+)", statement)) & TABLES
    assert "FOR UPDATE" not in statement


@pytest.mark.parametrize(
    ("statement", "is_tied"),
    [
        ("SELECT name FROM tag WHERE repository_id = %(repository_id)s", True),
        ("SELECT name FROM tag", False),
        (
            "SELECT t.name FROM tag t JOIN digest d ON d.digest_id = t.digest_id WHERE t.repository_id = %(id)s",
            False,
        ),
        (
            "SELECT 1 FROM repository r JOIN tag t ON t.repository_id = r.repository_id WHERE r.name = %(name)s",
            False,
        ),
        ("SELECT 1 FROM span s JOIN tag t ON t.repository_id = s.repository_id", False),
        (
            "SELECT 1 FROM span s JOIN tag t ON t.repository_id = s.repository_id WHERE t.repository_id = %(id)s",
            True,
        ),
        ("UPDATE digest SET size = %(size)s WHERE digest_id = %(digest_id)s", False),
    ],
)
def test_the_rule_for_statements_can_fail(statement: str, is_tied: bool) -> None:
    """It knows a statement for one repository from one for all."""
    assert is_for_one_repository(statement) is is_tied


# Distributing.


def test_an_index_is_distributed_with_its_rows(cluster: Location) -> None:
    """Every table that should be, co-located, in as many shards as the server is set to; twice changes nothing."""
    ingest = Ingest(cluster)
    crawl(ingest, add(ingest, "a/b")[0], 10, tag("a", 1, 5))
    ingest.close()
    assert found(cluster) is None
    spread, added = distribute(cluster)
    assert set(added) == set(spread.tables) == TABLES
    assert spread.nodes == (Node("worker-1:5432", 16), Node("worker-2:5432", 16))
    assert (spread.shards, spread.problems) == (32, [])
    assert len(rows(cluster, "SELECT DISTINCT colocationid FROM pg_dist_partition")) == 1
    assert {("tag",), ("digest",)} <= set(rows(cluster, "SELECT name FROM citus.truncated"))
    before = contents(cluster)
    assert distribute(cluster) == (spread, [])
    assert contents(cluster) == before
    assert problems(cluster) == []


def test_an_index_is_made_where_there_is_none(cluster: Location) -> None:
    """With as many shards as are asked for, which are not changed later."""
    spread, _ = distribute(cluster, 8)
    assert (spread.shards, found(cluster)) == (8, spread)
    assert distribute(cluster, 8) == (spread, [])
    with pytest.raises(StorageError, match="distributed in 8 shards already, not 16"):
        distribute(cluster, 16)


def test_a_new_table_of_a_migration_is_distributed(cluster: Location) -> None:
    """Beside the others; new columns and tables of the coordinator need nothing."""
    ingest = Ingest(cluster)
    crawl(ingest, add(ingest, "a/b")[0], 10, tag("a", 1, 5))
    ingest.close()
    distribute(cluster, 8)
    rows(cluster, "DELETE FROM pg_dist_partition WHERE logicalrelid = CAST('change' AS regclass)", change=True)
    go_back(cluster, "0001")
    upgrade(cluster)
    spread = found(cluster)
    assert spread is not None
    assert (set(spread.tables), spread.missing, spread.misplaced) == (TABLES, (), ())
    assert problems(cluster) == []


def test_a_table_that_is_not_distributed_is_told_and_mended(cluster: Location) -> None:
    """If a migration could not do it."""
    distribute(cluster)
    rows(
        cluster,
        "DELETE FROM pg_dist_partition WHERE logicalrelid = CAST('sweep' AS regclass)",
        change=True,
    )
    assert problems(cluster) == ["table sweep is not distributed, as others are"]
    assert distribute(cluster)[1] == ["sweep"]
    assert problems(cluster) == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE pg_dist_partition SET partkey = 'tag_id' WHERE logicalrelid = CAST('span' AS regclass)",
            "table span is distributed by tag_id and not by repository_id",
        ),
        (
            "UPDATE pg_dist_partition SET colocationid = 99 WHERE logicalrelid = CAST('span' AS regclass)",
            "table span is not co-located with",
        ),
        (
            "INSERT INTO pg_dist_partition VALUES ('job', 'h', 'repository_id', 1)",
            "table job is distributed, but belongs on the coordinator",
        ),
    ],
)
def test_a_table_in_the_wrong_place_is_told(cluster: Location, statement: str, problem: str) -> None:
    """Somebody distributed it by hand in another way: nothing is changed on top of that."""
    distribute(cluster)
    rows(cluster, statement, change=True)
    assert len(problems(cluster)) == 1
    assert problem in problems(cluster)[0]
    with pytest.raises(StorageError, match=problem):
        distribute(cluster)


# What is refused.


def test_a_server_without_citus(location: Location) -> None:
    """A SQLite file is wrong usage; a PostgreSQL is told what it lacks."""
    with pytest.raises(WrongUsage if location.dialect == "sqlite" else StorageError, match="Citus") as error:
        distribute(location)
    assert "\n" not in str(error.value)
    assert found(location) is None


def test_without_citus_nothing_is_made(postgresql_url: str) -> None:
    """Not even the index."""
    with pytest.raises(StorageError, match="CREATE EXTENSION citus"):
        distribute(Location.parse(postgresql_url))
    location = Location.parse(postgresql_url)
    assert rows(location, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_whoever_does_not_own_the_tables_is_refused(cluster: Location, postgresql_server: str) -> None:
    """In one line that says whose right it is; then nothing is distributed."""
    upgrade(cluster)
    role = "hubindex_stranger"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
    rows(cluster, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", change=True)
    stranger = Location.parse(cluster.target.replace("postgres:@", f"{role}:@", 1))
    with pytest.raises(StorageError, match=r"must be owner of table \w+: connect as the owner") as error:
        distribute(stranger)
    assert "\n" not in str(error.value)
    assert found(cluster) is None
