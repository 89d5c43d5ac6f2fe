"""Writing into an index, against the very same rows through the bare driver: ready-made rows, and from records.

What counts as a row: the final rows of all tables, with the full-text documents. The floor writes each of them
once, in the same order and in as many transactions; `Ingest` also has to find out which they are, asks what is
known already, and rewrites its counts of words and its repositories' rows on the way, which is not counted.
"""

import gc
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks import histories
from benchmarks.measure import Result, at_least, in_turns, information, median, ratio, wall
from benchmarks.workspace import ENGINES, Workspace
from hubindex.index.database.engine import open_engine
from hubindex.index.database.engine import transaction as open_transaction
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import upgrade
from hubindex.index.database.schema import metadata, postgresql_only
from hubindex.index.words import Document
from hubindex.index.writing.ingest import Ingest

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]

_FLOORS = {"sqlite": ("sqlite3 executemany", 0.8), "postgresql": ("COPY", 0.7)}
_DOCUMENT = ("rank", "name", "description", "flags")
_OF_A_REPOSITORY = ("tag", "digest", "digest_prefix", "sweep")
_ORDER = {
    "repository": "1",
    "tag": "repository_id, tag_id",
    "digest": "1, 2",
    "digest_prefix": "repository_id, digest_id, index_id",
    "sweep": "1, 2",
    "word": "1",
}


def run(workspace: Workspace) -> Iterator[Result]:
    """Repositories with their tags, from records, into an empty index."""
    crawled = list(next(histories.parts(workspace.size(4_000, 40))))
    gc.collect()
    gc.freeze()  # records that a crawl would not have all at once
    for engine in ENGINES:
        template = workspace.empty(engine, "template")
        upgrade(template)
        first = workspace.copy(template, engine, "writing")
        ingest = Ingest(first)
        count = histories.write(ingest, crawled)
        ingest.close()
        transactions = _transactions(crawled, _final_rows(first), count, engine)
        own, layer, floor = in_turns(
            workspace.size(5, 1),
            lambda: _ingest(workspace.copy(template, engine, "writing"), crawled),  # noqa: B023
            lambda: _layer(workspace.copy(template, engine, "writing"), transactions),  # noqa: B023
            lambda: _floor(workspace.copy(template, engine, "writing"), transactions),  # noqa: B023
        )
        rows = _count(transactions)
        bare = f"{rows / median(floor):,.0f} rows/s; {rows:,} rows in {count:,} transactions"
        name, reach = _FLOORS[engine]
        yield at_least(
            f"writing the rows of repositories and tags, {engine}, against {name}",
            1 / ratio(layer, floor),
            reach,
            f"{rows / median(layer):,.0f} against {bare}",
        )
        yield information(
            f"the same from records, deciding what is new, {engine}",
            1 / ratio(own, floor),
            f"{rows / median(own):,.0f} against {bare}",
        )
    gc.unfreeze()


def _ingest(location: Location, crawled: list[histories.Part]) -> float:
    ingest = Ingest(location)

    def work() -> None:
        histories.write(ingest, crawled)
        ingest.close()

    return wall(work)


def _layer(location: Location, transactions: list[Rows]) -> float:
    engine = open_engine(location)
    tables = metadata.tables | postgresql_only.tables

    def work() -> None:
        for rows_of in transactions:
            with open_transaction(engine, location.label) as transaction:
                for table, rows in rows_of.items():
                    if table == "repository_search" and location.dialect == "sqlite":
                        transaction.run("add_document", *(dict(zip(_DOCUMENT, row, strict=True)) for row in rows))
                    else:
                        transaction.insert(tables[table], rows)
        engine.dispose()

    return wall(work)


def _floor(location: Location, transactions: list[Rows]) -> float:
    engine = open_engine(location)  # for the same pragmas
    borrowed = engine.raw_connection()
    connection: Any = borrowed.driver_connection
    write = _executemany if location.dialect == "sqlite" else _copy

    def work() -> None:
        for transaction in transactions:
            connection.execute("BEGIN")
            for table, rows in transaction.items():
                write(connection, table, rows)
            connection.execute("COMMIT")
        borrowed.close()

    seconds = wall(work)
    engine.dispose()
    return seconds


def _executemany(connection: Any, table: str, rows: list[Row]) -> None:
    columns = "(rowid, name, description, flags)" if table == "repository_search" else ""
    places = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {table} {columns} VALUES ({places})", rows)


def _copy(connection: Any, table: str, rows: list[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _transactions(crawled: Iterable[histories.Part], final: Rows, count: int, engine: str) -> list[Rows]:
    """The final rows in the order in which a crawl brings them, grouped by table in `count` transactions."""
    ordered = list(_in_order(crawled, final, engine))
    size = -(-len(ordered) // count)
    transactions = []
    for start in range(0, len(ordered), size):
        several = ordered[start : start + size]
        transaction: Rows = {}
        for table, row in several:
            transaction.setdefault(table, []).append(row)
        for rows in transaction.values():
            rows.sort()
        transactions.append(transaction)
    return transactions


def _count(transactions: list[Rows]) -> int:
    return sum(len(rows) for transaction in transactions for rows in transaction.values())


def _in_order(crawled: Iterable[histories.Part], final: Rows, engine: str) -> Iterator[tuple[str, Row]]:
    repositories = {row[2]: row for row in final["repository"]}
    of_repository: dict[tuple[str, int], list[Row]] = {}
    for table in _OF_A_REPOSITORY:
        for row in final[table]:
            of_repository.setdefault((table, row[0]), []).append(row)
    documents = {row[0]: row for row in final["repository_search"]}
    words = {row[0]: row for row in final["word"]}
    for part in crawled:
        rows = [repositories[record.name] for record in part.repositories]
        yield from (("repository", row) for row in rows)
        own = [_document(row) for row in rows]
        if engine == "sqlite":
            yield from (("repository_search", _fts5_row(document)) for document in own)
        else:
            yield from (("repository_search", documents[row[0]]) for row in rows)
        fresh = {word for document in own for word in document.words()} & words.keys()
        yield from (("word", words.pop(word)) for word in sorted(fresh))
        for row in rows:
            for table in _OF_A_REPOSITORY:
                yield from ((table, own_row) for own_row in of_repository.get((table, row[0]), ()))
    yield from (("word", row) for row in words.values())


def _document(row: Row) -> Document:
    return Document(
        row[0], row[2], row[3],
        star_count=row[4], pull_count=row[5], is_official=bool(row[6]), is_automated=bool(row[7]),
    )  # fmt: skip


def _fts5_row(document: Document) -> Row:
    return (
        document.rank, " ".join(document.name), " ".join(document.description), " ".join(document.flags),
    )  # fmt: skip


def _final_rows(location: Location) -> Rows:
    """All rows of the tables that grow; the full-text documents of SQLite cannot be read back."""
    if location.dialect == "sqlite":
        connection: Any = sqlite3.connect(location.target)
    else:
        import psycopg

        connection = psycopg.connect(location.target)
    rows = {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
        for table, order in _ORDER.items()
    }
    rows["repository_search"] = []
    if location.dialect == "postgresql":
        statement = "SELECT repository_id, rank, CAST(words AS text) FROM repository_search"
        rows["repository_search"] = connection.execute(statement).fetchall()
    connection.close()
    return rows
