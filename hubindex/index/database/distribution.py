"""An index on a Citus cluster: which tables are distributed over its nodes, and how they come to be.

Citus is an extension of PostgreSQL. It divides a distributed table into *shards* by the hash of a column and puts
these on the nodes of a cluster; tables that are *co-located* have the shards of equal hashes on the same node. All
other tables stay on the *coordinator*, the node that everybody connects to. Facts about Citus: its documentation,
"Citus Utility Functions" and "Citus Tables and Views".
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from hubindex.errors import StorageError
from hubindex.index.database import sql
from hubindex.index.database.reader import Reader, Row

if TYPE_CHECKING:
    from sqlalchemy import Connection

_Ask = Callable[..., Sequence[Row]]
"""Runs a named statement of the family `distribution` with its parameters."""

_COLUMN = "repository_id"
_NO_RIGHT = "42501"  # insufficient_privilege


class Node(NamedTuple):
    """A node of a cluster, `host:port`, and how many shards of each distributed table it holds."""

    name: str
    shards: int


class Distribution(NamedTuple):
    """How an index is distributed.

    `shards` is the number for each table. `missing` are tables that should be distributed and stand on the
    coordinator; `misplaced` says, a line each, what stands where it must not.
    """

    shards: int
    nodes: tuple[Node, ...]
    tables: tuple[str, ...]
    missing: tuple[str, ...]
    misplaced: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, a line each."""
        return [f"table {name} is not distributed, as others are" for name in self.missing] + [*self.misplaced]


def distribution(reader: Reader) -> Distribution | None:
    """How an index is distributed; None if none of its tables is. Raises `StorageError`."""
    if reader.dialect != "postgresql":
        return None
    return _find(lambda name, **parameters: reader.query("distribution", name, **parameters))


def require_citus(connection: "Connection", label: str) -> None:
    """Raise `StorageError` where the database lacks the extension."""
    is_made, is_installed = _asking(connection)("citus")[0]
    if is_made:
        return
    if is_installed:
        raise StorageError(
            f"{label}: the database lacks the extension: run CREATE EXTENSION citus in it, on each node"
        )
    raise StorageError(
        f"{label}: this server has no Citus: install it on each node, then run CREATE EXTENSION citus"
    )


def distribute_tables(connection: "Connection", label: str, shards: int | None) -> tuple[Distribution, list[str]]:
    """Distribute all tables that should be and are not; returns how the index is distributed, and which were new.

    Rows move with their tables. `shards` is the number of shards for the first table, None for what the server is
    set to; the others follow it. Raises `StorageError`; then nothing has changed when the transaction has ended.
    """
    ask = _asking(connection)
    before = _find(ask)
    if before and before.misplaced:
        raise StorageError(f"{label}: {before.misplaced[0]}: SELECT undistribute_table('…') takes it back")
    if before and shards not in {None, before.shards}:
        raise StorageError(
            f"{label}: distributed in {before.shards} shards already, not {shards}: "
            "SELECT alter_distributed_table('…', shard_count := …, cascade_to_colocated := true) changes that"
        )
    tables = before.missing if before else _names()[0]
    first = before.tables[0] if before else None
    with _refusals(label):
        for name in tables:
            if first is None:
                ask("distribute_first", table=name, shards=shards)
                first = name
            else:
                ask("distribute_beside", table=name, beside=first)
    after = _find(ask)
    assert after is not None
    return after, list(tables)


def distribute_new_tables(connection: "Connection", label: str) -> list[str]:
    """After a migration: distribute what is new, if the index is distributed; returns which tables were."""
    before = _find(_asking(connection))
    return distribute_tables(connection, label, None)[1] if before and before.missing else []


def remove_local_copies(connection: "Connection", label: str) -> None:
    """Free the disk of the coordinator from rows that have moved. Raises `StorageError`."""
    ask = _asking(connection)
    found = _find(ask)
    with _refusals(label):
        for name in found.tables if found else ():
            ask("remove_local_copy", table=name)


def _find(ask: _Ask) -> Distribution | None:
    ((is_there, *_),) = ask("citus")
    if not is_there:
        return None
    placed = {name: (column, group) for name, method, column, group in ask("placed") if method == "h"}
    wanted, whole = _names()
    tables = tuple(name for name in wanted if name in placed)
    if not tables:
        return None
    first = tables[0]
    misplaced = [
        f"table {name} is distributed by {placed[name][0]} and not by {_COLUMN}"
        for name in tables
        if placed[name][0] != _COLUMN
    ]
    misplaced += [
        f"table {name} is not co-located with {first}" for name in tables if placed[name][1] != placed[first][1]
    ]
    misplaced += [
        f"table {name} is distributed, but belongs on the coordinator" for name in whole if name in placed
    ]
    ((shards,),) = ask("shards", table=first)
    return Distribution(
        shards,
        tuple(Node._make(row) for row in ask("nodes", table=first)),
        tables,
        tuple(name for name in wanted if name not in placed),
        tuple(misplaced),
    )


@cache
def _names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the tables that are distributed, and of those that are not."""
    from hubindex.index.database.schema import (
        coordinator_tables,
        distributed_tables,
    )  # SQLAlchemy, which questions do without

    distributed, whole = distributed_tables(), coordinator_tables()
    return tuple(table.name for table in distributed), tuple(table.name for table in whole)


def _asking(connection: "Connection") -> _Ask:
    statements = sql.load("distribution", "postgresql")
    return lambda name, **parameters: [
        tuple(row) for row in connection.exec_driver_sql(statements[name], parameters)
    ]


@contextmanager
def _refusals(label: str) -> Iterator[None]:
    """Say in one line what Citus refused, with its own hint."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        diagnosis = getattr(error.orig, "diag", None)
        if diagnosis is None or not diagnosis.message_primary:
            raise
        hint = diagnosis.message_hint or diagnosis.message_detail
        if getattr(error.orig, "sqlstate", None) == _NO_RIGHT:
            hint = "connect as the owner of its tables, who may log in to each node"
        words = [diagnosis.message_primary, *([hint] if hint else [])]
        text = ": ".join(" ".join(word.split()) for word in words)
        raise StorageError(f"{label}: the index cannot be distributed: {text[:300]}") from error
