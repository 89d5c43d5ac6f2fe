"""What the tests of commands share: the program inside this process and outside of it, and a filled index."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from hubindex import cli
from hubindex.cli.settings import settings
from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from tests.cli.running import Outcome, environment
from tests.cli.story import NOW, tell
from tests.crawl.crawling import crawl
from tests.fakehub import sample_hub


@pytest.fixture(autouse=True)
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Hub that fails in a test fails for good: it is not waited for."""
    monkeypatch.setenv("HUBINDEX_CRAWL_TRIES", "1")


class Call(Protocol):
    """Runs a command line in this process."""

    def __call__(self, *arguments: str) -> Outcome:
        """Return what it came to."""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """The program in this process: fast, with what a terminal would have shown."""

    def calling(*arguments: str) -> Outcome:
        vars(settings()).clear()
        capsys.readouterr()
        code = cli.run(lambda: cli.hubindex.main(list(arguments), "hubindex", standalone_mode=False))
        return Outcome(code, *capsys.readouterr())

    yield calling
    vars(settings()).clear()


class Program(Protocol):
    """Runs a command line in a process of its own."""

    def __call__(self, *arguments: str, env: Mapping[str, str] = ...) -> Outcome:
        """Return what it came to; `env` changes the environment."""


@pytest.fixture
def program() -> Program:
    """The program in a process of its own, as people start it."""

    def running(*arguments: str, env: Mapping[str, str] = {}) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "hubindex", *arguments],
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return running


def _fill(location: Location) -> str:
    """Crawl the whole sample Hub, and return what `--db` takes."""
    hub = sample_hub()
    namespaces = sorted({path.partition("/")[0] for path in hub.repositories})
    crawl(hub, location, Plan(terms=["thrift"], namespaces=namespaces))
    crawl(hub, location, Plan(repositories=["library/nosuch"], tags=False))
    return location.target


@pytest.fixture(scope="session")
def sample_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite index of the sample Hub, to be read only."""
    return _fill(Location.parse(str(tmp_path_factory.mktemp("sample") / "index.db")))


@pytest.fixture(scope="session")
def sample_postgresql(postgresql_server: str) -> str:
    """A PostgreSQL index of the sample Hub, to be read only."""
    return _fill(_new_database(postgresql_server, "sample"))


def _new_database(server: str, name: str) -> Location:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    head, question, query = server.partition("?")
    return Location.parse(f"{head.rpartition('/')[0]}/{name}{question}{query}")


@pytest.fixture(params=["sqlite", "postgresql"])
def sample(request: pytest.FixtureRequest) -> str:
    """`--db` for an index of the sample Hub on each engine, to be read only."""
    return str(request.getfixturevalue(f"sample_{request.param}"))


@pytest.fixture(scope="session")
def _story_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    location = Location.parse(str(tmp_path_factory.mktemp("story") / "index.db"))
    tell(location)
    return location.target


@pytest.fixture(scope="session")
def _story_postgresql(postgresql_server: str) -> str:
    location = _new_database(postgresql_server, "story")
    tell(location)
    return location.target


@pytest.fixture
def story_sqlite(_story_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite index of the story, to be read only, at its present."""
    monkeypatch.setenv("HUBINDEX_NOW", NOW)
    return _story_sqlite


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """`--db` for an index of the story on each engine, to be read only, at its present."""
    monkeypatch.setenv("HUBINDEX_NOW", NOW)
    return str(request.getfixturevalue(f"_story_{request.param}"))


@pytest.fixture
def empty(sqlite_template: Path) -> str:
    """`--db` for an index that has a schema and nothing else."""
    return str(sqlite_template)
