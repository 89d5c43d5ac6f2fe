"""How many bytes a tag takes on disk, with all that is known of it, and how evenly tags would fill a cluster."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from benchmarks import histories
from benchmarks.measure import Result, at_most, information
from benchmarks.workspace import Workspace, checkpoint
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest

_TABLES = ("tag", "span", "digest", "digest_prefix", "sweep", "platform", "media_type")
_NOT_OURS = "repository%", "word%", "search_%", "sqlite_%", "alembic_%", "registry%"
_CRAWLS = 3
_SHARDS = 32  # what a Citus cluster is set to at first; each has an equal part of the 32-bit hashes
_TAGS_BY_SHARD = f"""
    SELECT (CAST(hashint4(repository_id) AS bigint) + 2147483648) / (4294967296 / {_SHARDS}), count(*) AS tags
    FROM tag GROUP BY 1
"""
_COUNTS = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in ("tag", "span", "digest"))


def run(workspace: Workspace) -> Iterator[Result]:
    """Three crawls of some thousands of repositories, a third of the tags moving before each of the last two."""
    repositories = workspace.size(5_000, 60)
    location = _crawled(workspace, "sqlite", repositories)
    checkpoint(location)
    connection = sqlite3.connect(location.target)
    tags, size, numbers = _sqlite_size(connection)
    yield at_most("bytes a tag, SQLite", size / tags, 330, f"{numbers}; as the crawls left the file", " bytes")
    connection.execute("VACUUM")
    tags, size, numbers = _sqlite_size(connection)
    connection.close()
    yield information("bytes a tag, SQLite after VACUUM", size / tags, numbers, " bytes")
    location = _crawled(workspace, "postgresql", repositories)
    tags, size, numbers = _postgresql_size(location)
    yield information("bytes a tag, PostgreSQL", size / tags, numbers, " bytes")
    fullest, numbers = _fullest_shard(location)
    yield information(f"tags in the fullest of {_SHARDS} shards against their mean", fullest, numbers)


def _crawled(workspace: Workspace, engine: str, repositories: int) -> Location:
    location = workspace.empty(engine, "size")
    ingest = Ingest(location)
    for crawl in histories.parts(repositories, _CRAWLS):
        histories.write(ingest, crawl)
    ingest.close()
    return location


def _sqlite_size(connection: sqlite3.Connection) -> tuple[int, int, str]:
    """Tags, the bytes of the file that are not other tables' (free pages are counted), and the counts in words."""
    whole = connection.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()[0]
    try:
        others = " OR ".join(f"name LIKE '{pattern}'" for pattern in _NOT_OURS)
        size = whole - connection.execute(f"SELECT sum(pgsize) FROM dbstat WHERE {others}").fetchone()[0]
        what = "MB"
    except sqlite3.OperationalError:  # a SQLite without dbstat
        size, what = whole, "MB with repositories and search"
    tags, counts = _counts(connection.execute(_COUNTS).fetchone())
    return tags, size, f"{counts}, {size / 1e6:.1f} {what}"


def _postgresql_size(location: Location) -> tuple[int, int, str]:
    import psycopg

    sizes = " + ".join(f"pg_total_relation_size('{table}')" for table in _TABLES)
    with psycopg.connect(location.target) as connection:
        row = connection.execute(f"SELECT {sizes}".encode()).fetchone()
        counted = connection.execute(_COUNTS.encode()).fetchone()
    assert row is not None
    assert counted is not None
    tags, counts = _counts(counted)
    return tags, int(row[0]), f"{counts}, {row[0] / 1e6:.1f} MB"


def _fullest_shard(location: Location) -> tuple[float, str]:
    """How unevenly a cluster would be filled: tags of the shard with most, against the mean of all."""
    import psycopg

    with psycopg.connect(location.target) as connection:
        statement = f"SELECT max(tags), sum(tags) FROM ({_TAGS_BY_SHARD}) AS shards"
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return float(row[0] * _SHARDS / row[1]), f"{row[0]:,} of {row[1]:,} tags"


def _counts(row: tuple[Any, ...]) -> tuple[int, str]:
    tags, spans, digests = row
    return tags, f"{tags:,} tags, {1 + spans / tags:.2f} spans and {digests / tags:.2f} digests each"
