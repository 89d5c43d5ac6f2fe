"""A crawl of tag pages that have not changed asks for one of them, and must not write a tag or a history row."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator

from benchmarks import fast_hub
from benchmarks.corpus import DAY
from benchmarks.crawling import crawl
from benchmarks.frontiers import crawl_due, fill
from benchmarks.histories import PAGE
from benchmarks.measure import Result, at_most, information
from benchmarks.workspace import ENGINES, Workspace
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import upgrade

_TABLES = ("tag", "span", "digest", "digest_prefix")


def run(workspace: Workspace) -> Iterator[Result]:
    """Triggers count every row that is added, changed or removed; the first crawl shows that they do."""
    repositories, pages = workspace.size(20, 2), workspace.size(5, 1)
    for engine in ENGINES:
        location = workspace.empty(engine, "unchanged")
        upgrade(location)
        _watch(location)
        with fast_hub.serving(pages, repositories, repositories) as url:
            _, tags = asyncio.run(crawl(location, url, repositories))
            first = _written(location)
            asyncio.run(crawl(location, url, repositories))
        again = _written(location) - first
        if first["tag"] < tags:
            raise RuntimeError(f"{first['tag']} tag rows were counted for {tags} new tags")
        yield at_most(
            f"rows written in {', '.join(_TABLES)} by an unchanged crawl, {engine}",
            again.total(),
            0,
            f"{again.total():,} of {tags:,} tags; {first.total():,} in the first crawl",
            " rows",
        )
    for pages in (1, workspace.size(50, 3)):
        yield from _requests(workspace, pages)


def _requests(workspace: Workspace, pages: int) -> Iterator[Result]:
    """What it takes to look again at a repository a week after the first visit, and after four weeks."""
    location = workspace.empty("sqlite", "unchanged")
    fill(location, 1)
    with fast_hub.serving(pages, 1, 1) as url:
        visits = [asyncio.run(crawl_due(location, url, later=later)) for later in (0, 7 * DAY, 29 * DAY)]
    first, week, month = (visit.requests for visit in visits)
    if [visit.repositories for visit in visits] != [1, 1, 1] or first != pages:
        raise RuntimeError(f"one repository of {pages} pages, visited three times: {visits}")
    what = f"requests for an unchanged repository of {pages * PAGE:,} tags"
    yield at_most(f"{what}, a week later", week, 1, f"{first} for the first visit", "")
    yield information(f"{what}, after four weeks: to the end", month, f"{first} for the first visit", "")


def _watch(location: Location) -> None:
    if location.dialect == "sqlite":
        connection = sqlite3.connect(location.target)
        connection.execute("CREATE TABLE written (name TEXT)")
        for table in _TABLES:
            for event in ("INSERT", "UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} "
                    f"BEGIN INSERT INTO written VALUES ('{table}'); END"
                )
        connection.commit()
        connection.close()
        return
    import psycopg

    with psycopg.connect(location.target) as connected:
        connected.execute("CREATE TABLE written (name TEXT)")
        connected.execute(
            "CREATE FUNCTION count_row() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO written VALUES (TG_TABLE_NAME); RETURN NULL; END'"
        )
        for table in _TABLES:
            connected.execute(
                f"CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION count_row()".encode()
            )


def _written(location: Location) -> Counter[str]:
    statement = "SELECT name, count(*) FROM written GROUP BY name"
    if location.dialect == "sqlite":
        connection = sqlite3.connect(location.target)
        rows = connection.execute(statement).fetchall()
        connection.close()
    else:
        import psycopg

        with psycopg.connect(location.target) as connected:
            rows = connected.execute(statement.encode()).fetchall()
    return Counter(dict(rows))
