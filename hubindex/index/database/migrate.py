"""The schema of an index: created on first use, migrated by Alembic, checked against what the program expects.

On a Citus cluster its tables are distributed here, and so are those that a migration adds.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine

from hubindex.errors import StorageError, WrongUsage
from hubindex.index.database.distribution import (
    Distribution,
    distribute_new_tables,
    distribute_tables,
    remove_local_copies,
    require_citus,
)
from hubindex.index.database.engine import open_engine
from hubindex.index.database.location import Location
from hubindex.index.database.reader import check_revision, storage_errors
from hubindex.index.database.revisions import HEAD
from hubindex.index.database.schema import metadata, postgresql_only

# One number for all: whoever migrates or creates repositories on PostgreSQL holds this advisory lock.
_MIGRATION_LOCK = 0x6875_6269


def upgrade(location: Location) -> str | None:
    """Bring the schema to this program's revision; returns the revision that was found, None for none.

    Two processes may do it at once: one waits for the other. New tables of an index that is distributed over a
    Citus cluster are distributed too, in a transaction of their own. Raises `NewerIndex`, `StorageError`.
    """
    engine = open_engine(location)
    try:
        with storage_errors(location.label), _locked(engine) as connection:
            before = MigrationContext.configure(connection).get_current_revision()
            check_revision(before, location.label)
            if before != HEAD:
                config = Config()
                config.set_main_option("script_location", _folder())
                config.attributes["connection"] = connection
                command.upgrade(config, HEAD)
        if before not in {None, HEAD} and location.dialect == "postgresql":
            with storage_errors(location.label), _locked(engine) as connection:
                added = distribute_new_tables(connection, location.label)
            if added:
                with storage_errors(location.label), _locked(engine) as connection:
                    remove_local_copies(connection, location.label)
        return before
    finally:
        engine.dispose()


def distribute(location: Location, shards: int | None = None) -> tuple[Distribution, list[str]]:
    """Distribute an index over the nodes of a Citus cluster, making or migrating it first.

    Returns how it is distributed, and which tables were not before: run again, it changes nothing. `shards` is the
    number of shards, None for what the server is set to. Raises `WrongUsage` for a SQLite index, `StorageError`.
    """
    if location.dialect != "postgresql":
        raise WrongUsage(
            f"{location.label}: a SQLite index cannot be distributed: that takes PostgreSQL with Citus"
        )
    engine = open_engine(location)
    try:
        with storage_errors(location.label), engine.connect() as connection:
            require_citus(connection, location.label)
        upgrade(location)
        with storage_errors(location.label), _locked(engine) as connection:
            result = distribute_tables(connection, location.label, shards)
        with storage_errors(location.label), _locked(engine) as connection:
            remove_local_copies(connection, location.label)
        return result
    finally:
        engine.dispose()


def differences(connection: Connection) -> list[str]:
    """How the tables differ from what the program expects, a line each; empty if they do not."""
    expected = [metadata, postgresql_only] if connection.dialect.name == "postgresql" else [metadata]
    options = {"include_object": _is_ours} if connection.dialect.name == "sqlite" else {}
    context = MigrationContext.configure(connection, opts=options)
    return [str(difference) for difference in compare_metadata(context, expected)]  # type: ignore[arg-type]


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    """The full-text table of SQLite is virtual, and keeps tables of its own: Alembic knows neither."""
    return not (kind == "table" and (name or "").startswith("repository_search"))


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration runs beside; SQLite's BEGIN IMMEDIATE is such a lock already."""
    with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        yield connection


def _folder() -> str:
    """`migrations/` beside the package in a checkout, inside it in an installed wheel."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    for folder in (os.path.join(package, "migrations"), os.path.join(os.path.dirname(package), "migrations")):
        if os.path.isdir(os.path.join(folder, "versions")):
            return folder
    raise StorageError("this installation of hubindex lacks its migrations: install it again")
