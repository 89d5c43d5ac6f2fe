"""Reading an index without SQLAlchemy: a DB-API connection and the named statements of `sql/`."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from hubindex.errors import NewerIndex, StorageError, WrongUsage
from hubindex.index.database import sql
from hubindex.index.database.location import Location
from hubindex.index.database.revisions import HEAD, REVISIONS

Row = tuple[Any, ...]

FILL = "fill it with 'hubindex crawl TERM' or 'hubindex crawl --repo NAME'"
EMPTY = f"the index is empty: {FILL}"


if TYPE_CHECKING:
    import psycopg

    class _Cursor(Protocol):
        def fetchall(self) -> list[Row]: ...

    class _Connection(Protocol):
        def execute(self, statement: Any, parameters: Any = ..., /) -> _Cursor: ...

        def close(self) -> None: ...


class Reader:
    """One read-only connection. Every answer comes from one statement, or from one `snapshot`."""

    def __init__(self, location: Location, connection: "_Connection") -> None:
        self.dialect = location.dialect
        self._label = location.label
        self._connection = connection
        self._families: dict[str, dict[str, str]] = {}
        self._snapshots = 0

    def query(self, family: str, name: str, /, **parameters: object) -> list[Row]:
        """The rows of a named statement; `parameters` are its `:names`. Raises `StorageError`."""
        statements = self._families.get(family)
        if statements is None:
            statements = self._families[family] = sql.load(family, self.dialect)
        try:
            return self._connection.execute(statements[name], sql.bind(parameters, self.dialect)).fetchall()
        except Exception:
            with storage_errors(self._label):
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All queries inside see the index as of one moment, whatever a crawl writes meanwhile.

        A snapshot inside of another one is of the same moment.
        """
        if self._snapshots == 0:
            self._execute("BEGIN")
        self._snapshots += 1
        try:
            yield
        finally:
            self._snapshots -= 1
            if self._snapshots == 0:
                self._execute("ROLLBACK")

    def _execute(self, statement: str) -> None:
        with storage_errors(self._label):
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def find_revision(location: Location) -> str | None:
    """The schema revision of an index, None where there is none. Raises `NewerIndex`, `StorageError`."""
    if not location.exists:
        return None
    connection = connect(location)
    try:
        return revision_of(connection, location)
    finally:
        connection.close()


def check_revision(revision: str | None, label: str) -> None:
    """Raise `NewerIndex` if `revision` is none that this program knows."""
    if revision is not None and revision not in REVISIONS:
        raise NewerIndex(
            f"{label}: the index was written by a newer hubindex (schema {revision[:40]}, this one knows {HEAD}): "
            "upgrade hubindex, or choose another index with --db"
        )


@contextmanager
def storage_errors(label: str) -> Iterator[None]:
    """Turn a driver's exceptions into one-line `StorageError`s that carry no connection secrets.

    `label` names the index in them: that of its `Location`.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"the index cannot be read or written: {error}: {label}") from error
    except Exception as error:
        # psycopg and SQLAlchemy are not imported for SQLite's sake: known by their module.
        if type(error).__module__.partition(".")[0] not in {"psycopg", "psycopg_pool", "sqlalchemy"}:
            raise
        cause = getattr(error, "orig", None) or error
        raise StorageError(f"the index cannot be read or written: {_first_line(cause)}: {label}") from error


def revision_of(connection: "_Connection", location: Location) -> str | None:
    """The schema revision of the index, or None where there is no schema."""
    with storage_errors(location.label):
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        except Exception as error:
            if not _is_missing_table(error):
                raise
            rows = []
        if not rows and location.dialect == "sqlite":
            refuse_foreign_file(
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchall(), location.label
            )
    revision: str | None = next((number for (number,) in rows), None)
    check_revision(revision, location.label)
    return revision


def refuse_foreign_file(table_count: Sequence[Row], label: str) -> None:
    """Raise `StorageError` for a SQLite file that has tables, but none that say it is an index."""
    ((tables,),) = table_count
    if tables:
        raise StorageError(f"{label}: this SQLite file is no index of hubindex: choose another file with --db")


def _is_missing_table(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return "no such table" in str(error)
    return getattr(error, "sqlstate", None) == "42P01"


def connect(location: Location) -> "_Connection":
    """A read-only connection. Raises `StorageError`, `WrongUsage`."""
    with storage_errors(location.label):
        if location.dialect == "sqlite":
            return connect_sqlite(location.target)
        return _connect_postgresql(location)


def require_file(path: str) -> None:
    """Raise `StorageError` if there is something at a path that SQLite could wait for, or read without end."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # there is nothing, or SQLite will say what is wrong
    if stat.S_ISREG(mode):
        return
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "named pipe"), (stat.S_ISSOCK, "socket"))
    what = next((name for is_kind, name in kinds if is_kind(mode)), "device")
    raise StorageError(f"{path} is a {what}: --db wants a file")


def connect_sqlite(path: str) -> "_Connection":
    """A read-only connection to a SQLite file. Raises `StorageError`."""
    require_file(path)
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None, timeout=30)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.DatabaseError as error:
        # A WAL file on read-only media has nowhere to put its shared memory; nothing can change it either.
        connection.close()
        if not isinstance(error, sqlite3.OperationalError) or os.access(os.path.dirname(path), os.W_OK):
            raise
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None)
    connection.execute("PRAGMA cache_size=-64000")
    connection.execute("PRAGMA mmap_size=268435456")
    return connection


def connect_postgresql(location: Location) -> "psycopg.Connection":
    """A connection to PostgreSQL, by a URL as libpq reads it. Raises `WrongUsage`, `StorageError`.

    What libpq says of a malformed URL may repeat the password, so it is not told.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise StorageError(POSTGRES_MISSING) from error
    try:
        parts = conninfo_to_dict(location.target)
    except (psycopg.ProgrammingError, UnicodeError):
        raise WrongUsage(_NO_URL) from None
    if "@" in str(parts.get("host", ""))[1:] or not re.fullmatch(r"[\d,]*", str(parts.get("port", ""))):
        raise WrongUsage(_NO_URL)  # the rest of a password with @ or / in it
    with storage_errors(location.label):
        # Prepared, the sixth search in a row would get a plan that ignores its words: ten times slower.
        return psycopg.connect(location.target, connect_timeout=10, prepare_threshold=None)


POSTGRES_MISSING = "PostgreSQL needs the driver: pip install 'hubindex[postgres]'"
_NO_URL = (
    "--db: not a PostgreSQL URL: postgresql://user:password@host:port/database, "
    "with %40, %2F and %3A for @, / and : in the password"
)


def _connect_postgresql(location: Location) -> "_Connection":
    connection = connect_postgresql(location)
    connection.autocommit = True
    connection.execute("SET default_transaction_read_only = on")
    connection.execute("SET default_transaction_isolation = 'repeatable read'")
    return cast("_Connection", connection)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
