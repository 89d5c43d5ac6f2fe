"""Several processes share one index and the work in it."""

import re
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from hubindex.index.database.location import Location
from tests.crawl.crawling import hub_of, names
from tests.crawl.processes import Crawling, crawling, wait_until
from tests.fakehub import FakeHub
from tests.index.building import problems, rows


def _paths(count: int) -> list[str]:
    return [f"acme/app-{number:03}" for number in range(count)]


def _walked(hub: FakeHub) -> Counter[str]:
    """How often the first page of each repository's tags was asked for."""
    asked = (urlsplit(path) for path in hub.paths())
    return Counter(each.path for each in asked if each.path.endswith("/tags"))


def _worker(db: str, url: str, stderr: Path, *arguments: str, lease: int = 120_000) -> Crawling:
    constants = {"frontier.LEASE": lease, "crawler._HEARTBEAT_SECONDS": lease / 4000, "crawler._POLL_SECONDS": 0.1}
    packages = {"frontier": "hubindex.index.writing.", "crawler": "hubindex.crawl."}
    return crawling(
        *("--db", db, "crawl", "--hub-url", url, "--concurrency", "2", *arguments),
        stderr=stderr,
        constants={packages[name.partition(".")[0]] + name: value for name, value in constants.items()},
    )


def _requests(worker: Crawling) -> int:
    """How many answers a worker has had, by its summary; 0: it has nothing to say."""
    found = re.search(r"^([\d,]+) requests?,", worker.out, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


def _check_shared(hub: FakeHub, location: Location, workers: list[Crawling]) -> None:
    assert [worker.code for worker in workers] == [0] * len(workers), [worker.err for worker in workers]
    assert set(_walked(hub).values()) == {1}
    assert names(location) == sorted(hub.repositories)
    assert rows(location, "SELECT count(*) FROM sweep") == [(len(hub.repositories),)]
    assert all(_requests(worker) > 0 for worker in workers), [worker.out for worker in workers]
    assert problems(location) == []


def test_workers_share_what_was_enqueued(location: Location, tmp_path: Path) -> None:
    """Four on PostgreSQL, two on SQLite: each does a part, nothing is done twice, and all end by themselves."""
    hub = hub_of(_paths(80))
    hub.latency = 0.03
    with hub.running() as url:
        assert _worker(location.target, url, tmp_path / "q", "--namespace", "acme", "--enqueue").code == 0
        count = 4 if location.dialect == "postgresql" else 2
        workers = [_worker(location.target, url, tmp_path / f"w{number}") for number in range(count)]
        _check_shared(hub, location, workers)


def test_workers_share_a_crawl_of_names(location: Location, tmp_path: Path) -> None:
    """One was told what to crawl, the others help it from the moment that it has begun."""
    hub = hub_of(_paths(80))
    hub.latency = 0.03
    with hub.running() as url:
        first = _worker(location.target, url, tmp_path / "w", "--namespace", "acme")
        wait_until(lambda: len(hub.requests) > 0)
        count = 3 if location.dialect == "postgresql" else 1
        others = [_worker(location.target, url, tmp_path / f"w{number}") for number in range(count)]
        _check_shared(hub, location, [first, *others])


def _put_to_sleep(worker: Crawling, location: Location) -> None:
    """Stop a process while it is in no transaction: nobody could take its locks from it."""
    wait_until(lambda: _is_stopped_outside_of_transactions(worker, location))


def _is_stopped_outside_of_transactions(worker: Crawling, location: Location) -> bool:
    worker.signal(signal.SIGSTOP)
    if not _holds_lock(location):
        return True
    worker.signal(signal.SIGCONT)
    return False


def _holds_lock(location: Location) -> bool:
    time.sleep(0.01)  # it is stopped by then, and what it has sent before is done
    if location.dialect == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        return rows(location, f"SELECT 1 FROM pg_stat_activity WHERE {others} AND state <> 'idle'") != []
    with closing(sqlite3.connect(location.target, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


def test_a_worker_that_sleeps_longer_than_its_lease_loses_its_jobs(location: Location, tmp_path: Path) -> None:
    """Another one does them, and nothing breaks when it wakes up."""
    hub = hub_of(_paths(30), tag_count=3)
    hub.latency = 0.02
    with hub.running() as url:
        sleeper = _worker(location.target, url, tmp_path / "s", "--namespace", "acme", lease=400)
        wait_until(lambda: len(hub.requests) > 8)
        _put_to_sleep(sleeper, location)
        try:
            leased = "SELECT count(*) FROM job WHERE leased_until > "
            assert rows(location, leased + "0") != [(0,)]
            wait_until(lambda: rows(location, leased + str(time.time_ns() // 1_000_000)) == [(0,)])
            assert _worker(location.target, url, tmp_path / "w", lease=400).code == 0
            assert rows(location, "SELECT count(*) FROM sweep") == [(30,)]
        finally:
            sleeper.signal(signal.SIGCONT)
        assert sleeper.code == 0, sleeper.err
    assert names(location) == _paths(30)
    assert rows(location, "SELECT count(*) FROM tag WHERE gone_at IS NULL") == [(90,)]
    moves = (
        "SELECT count(*) FROM span JOIN tag USING (repository_id, tag_id) WHERE span.digest_id <> tag.digest_id"
    )
    assert rows(location, moves) == [(0,)]  # its late reports are spans of the same digest
    assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]
    assert problems(location) == []
