"""Indexes for tests of what is distributed: beside a stand-in for Citus, and on a real cluster where there is one.

The environment variable `HUBINDEX_TEST_CITUS` names a database of a cluster for tests: the `postgresql://` URL of
its coordinator, with the extension citus. Each test makes a schema of its own there and drops it again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from hubindex.index.database.location import Location

CLUSTER = os.environ.get("HUBINDEX_TEST_CITUS")

NO_CLUSTER = "HUBINDEX_TEST_CITUS names no Citus cluster"
"""Why a test is skipped, which it may be even where nothing else may."""

_STAND_IN = Path(__file__).with_suffix(".sql")


def install_stand_in(url: str) -> None:
    """Give a database what looks like the extension citus, with two workers beside the coordinator."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAND_IN.read_bytes())


@contextmanager
def cluster_index() -> Iterator[Location]:
    """A place for an index on the real cluster."""
    assert CLUSTER is not None
    schema = f"hubindex_test_{uuid4().hex[:12]}"
    with psycopg.connect(CLUSTER, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    joint = "&" if "?" in CLUSTER else "?"
    try:
        yield Location.parse(f"{CLUSTER}{joint}options=-csearch_path%3D{schema}")
    finally:
        with psycopg.connect(CLUSTER, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
