"""Writing through SQLAlchemy: engines, transactions, and rows in bulk.

Statements are compiled once by SQLAlchemy Core and sent as tuples; on PostgreSQL new rows go in by COPY.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Engine, Table, create_engine, event, insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from hubindex.errors import StorageError
from hubindex.index.database import sql
from hubindex.index.database.location import Location
from hubindex.index.database.reader import (
    POSTGRES_MISSING,
    Row,
    connect_postgresql,
    connect_sqlite,
    refuse_foreign_file,
    require_file,
    storage_errors,
)

_PATIENCE = 60  # seconds to wait for another writer

_SERVER_AWAY = {"57P01", "57P02", "57P03"}  # admin_shutdown, crash_shutdown, cannot_connect_now

_STARTING = ("starting up", "shutting down", "in recovery mode", "not yet accepting connections")

_SQLITE_PRAGMAS = (
    "PRAGMA synchronous=NORMAL",
    "PRAGMA cache_size=-64000",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA secure_delete=OFF",
)


def open_engine(location: Location) -> Engine:
    """An engine for writing; a SQLite file and its folder are created. Raises `StorageError`, `WrongUsage`."""
    if location.dialect == "sqlite":
        return _sqlite_engine(location.target)
    try:
        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect_postgresql(location),
            pool_size=1,
            max_overflow=0,
            paramstyle="format",
        )
    except ModuleNotFoundError as error:
        raise StorageError(POSTGRES_MISSING) from error


def _sqlite_engine(path: str) -> Engine:
    require_file(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise StorageError(f"the folder of the index cannot be made: {error.strerror}: {path}") from error
    engine = create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0, connect_args={"timeout": _PATIENCE})

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        cast("Any", connection).isolation_level = None  # transactions begin where we say so
        cursor: Any = connection.cursor()
        # Before anything is changed in a file of another program.
        if not cursor.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchall():
            refuse_foreign_file(cursor.execute("SELECT count(*) FROM sqlite_schema").fetchall(), path)
        _use_wal(cursor)
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.connection.info["file"] != _identity(path):  # SQLite would go on writing into nowhere
            raise StorageError(f"{path}: the index was removed or replaced while it was in use")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # one writer at a time, from its first read on

    return engine


def open_looking_engine(location: Location) -> Engine:
    """An engine for looking at an existing index with SQLAlchemy's eyes; it cannot write into a SQLite file."""
    if location.dialect == "sqlite":
        return create_engine("sqlite://", creator=lambda: connect_sqlite(location.target))
    return open_engine(location)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _use_wal(cursor: Any) -> None:
    """Switch a new file to WAL. If another process does so at this moment, SQLite fails at once: ask again."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


class Transaction:
    """An open transaction: bulk inserts and updates, and the named statements of `sql/`."""

    def __init__(self, connection: Connection, statements: dict[str, str]) -> None:
        self.dialect = connection.dialect.name
        self._sql_dialect = connection.dialect
        self._driver = cast("Any", connection.connection.driver_connection)
        self._statements = statements
        self._is_interrupted = False

    def interrupt(self) -> None:
        """From another thread: end the statement that runs, and refuse those to come. The transaction is lost."""
        self._is_interrupted = True
        if self.dialect == "sqlite":
            self._driver.interrupt()
        else:
            with suppress(Exception):  # a server that is away runs nothing
                self._driver.cancel()

    def _require_time(self) -> None:
        if self._is_interrupted:
            raise StorageError("interrupted: what was not committed is left for the next crawl")

    def query(self, name: str, /, **parameters: object) -> Sequence[Row]:
        """The rows of a named statement of the families `ingest` and `frontier`."""
        self._require_time()
        bound = sql.bind(parameters, self.dialect)
        return cast("Sequence[Row]", self._driver.execute(self._statements[name], bound).fetchall())

    def value(self, name: str, /, **parameters: object) -> Any:
        """The one value that a named statement answers with."""
        ((value,),) = self.query(name, **parameters)
        return value

    def run(self, name: str, /, *rows: sql.Parameters) -> int:
        """Run a named statement that writes, once for each of `rows`; returns how many rows of a table it met."""
        self._require_time()
        if not rows:
            return 0
        cursor = self._driver.cursor()
        if len(rows) == 1:
            cursor.execute(self._statements[name], sql.bind(rows[0], self.dialect))
        else:
            cursor.executemany(self._statements[name], [sql.bind(row, self.dialect) for row in rows])
        return int(cursor.rowcount)

    def insert(self, table: Table, rows: list[Row]) -> None:
        """Add new rows; each has all columns of `table` in their order."""
        self._require_time()
        if not rows:
            return
        if self.dialect == "sqlite":
            self._insert_many(table, sorted(rows))  # neighbours in the table go in together
        else:
            self._copy(table, rows)

    def update(self, table: Table, columns: tuple[str, ...], rows: list[Row]) -> None:
        """Change `columns` of existing rows; each row has the new values, then the primary key."""
        self._require_time()
        if not rows:
            return
        statement = _update_sql(table, columns, self._sql_dialect)
        if self.dialect == "sqlite":
            self._driver.executemany(statement, rows)
        else:
            self._driver.execute(statement, [list(values) for values in zip(*rows, strict=True)])

    def _insert_many(self, table: Table, rows: list[Row]) -> None:
        """Many rows in one statement cost a third less than one by one."""
        one, many, size = _insert_sql(table, self._sql_dialect)
        whole = len(rows) - len(rows) % size
        for start in range(0, whole, size):
            self._driver.execute(many, list(chain.from_iterable(rows[start : start + size])))
        self._driver.executemany(one, rows[whole:])

    def _copy(self, table: Table, rows: list[Row]) -> None:
        columns = ", ".join(table.columns.keys())  # a migrated table has them in another order
        with self._driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            write = copy.write_row
            for row in rows:
                write(row)


@contextmanager
def transaction(engine: Engine, label: str) -> Iterator[Transaction]:
    """One transaction: committed at the end, rolled back on any exception.

    Raises `StorageError`, which names the index by its `label`.
    """
    with storage_errors(label), engine.connect() as connection, connection.begin():
        yield Transaction(connection, _statements(engine.dialect.name))


def is_connection_lost(error: StorageError) -> bool:
    """Whether a PostgreSQL server went away, or is only starting: it may be back in a moment."""
    cause = error.__cause__
    driver = getattr(cause, "orig", None) or cause
    if type(driver).__module__.partition(".")[0] != "psycopg":
        return False
    state = getattr(driver, "sqlstate", None)
    # Without a state it is no connection at all, or one that broke off; or the server says that it is closed.
    if state is None:
        is_refused = any(word in str(driver) for word in ("FATAL", "not known", "not exist"))
        is_starting = any(word in str(driver) for word in _STARTING)
        is_operational = any(kind.__name__ == "OperationalError" for kind in type(driver).__mro__)
        return is_operational and (is_starting or not is_refused)
    return state[:2] == "08" or state in _SERVER_AWAY


@lru_cache
def _statements(dialect: str) -> dict[str, str]:
    return {**sql.load("ingest", dialect), **sql.load("frontier", dialect)}


@lru_cache
def _insert_sql(table: Table, dialect: Dialect) -> tuple[str, str, int]:
    """The statement for one row, the one for many, and for how many; SQLite before 3.32 takes 999 parameters."""
    one = str(insert(table).compile(dialect=dialect))
    head, values, places = one.partition("VALUES ")
    size = 999 // len(table.columns)
    return one, head + values + ", ".join([places] * size), size


@lru_cache
def _update_sql(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    """On PostgreSQL the values of each column come as one array."""
    keys = [column.name for column in table.primary_key]
    if dialect.name == "sqlite":
        changes = ", ".join(f"{name} = ?" for name in columns)
        return f"UPDATE {table.name} SET {changes} WHERE " + " AND ".join(f"{name} = ?" for name in keys)
    types = (table.c[name].type.compile(dialect).partition(" COLLATE")[0] for name in (*columns, *keys))
    arrays = ", ".join(f"CAST(%s AS {type_}[])" for type_ in types)
    changes = ", ".join(f"{name} = new.{name}" for name in columns)
    same = " AND ".join(f"{table.name}.{name} = new.{name}" for name in keys)
    names = ", ".join((*columns, *keys))
    return f"UPDATE {table.name} SET {changes} FROM unnest({arrays}) AS new ({names}) WHERE {same}"
