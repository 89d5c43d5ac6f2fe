"""A crawl that is told to end does so within seconds, whatever its writing thread is at."""

import asyncio
import signal
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.writing.frontier import JobKey
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.crawl.processes import Crawling, crawling, wait_until
from tests.fakehub import FakeHub
from tests.index.building import problems, rows

SECONDS = 15
"""Well below the minute that the writer would wait for a lock; the grace of a crawl is a third of it."""

TAGS = 12_000


def _hub(tags: int) -> FakeHub:
    """A repository whose tags all point to one digest, as of a build that tags every commit."""
    hub = FakeHub(rate_limit=1_000_000)
    repository = hub.add_repository("acme/app")
    repository.push(
        *(f"commit-{number:07x}" for number in range(tags)), at="2024-03-01T12:00:00Z", platforms=["linux/amd64"]
    )
    return hub


def _ended(process: Crawling, number: signal.Signals) -> float:
    """Seconds until a process has ended after a signal."""
    began = time.monotonic()
    process.signal(number)
    assert process.code == 130, process.err
    return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_many_tags_of_one_digest(location: Location, tmp_path: Path, number: signal.Signals) -> None:
    """What is complete is kept, the index is sound, and the next crawl does the rest."""
    hub = _hub(TAGS)
    with hub.running() as url:
        line = ("--db", location.target, "-q", "crawl", "--repo", "acme/app", "--hub-url", url)
        process = crawling(*line, stderr=tmp_path / "err")
        wait_until(lambda: len(hub.requests) > 20)
        assert _ended(process, number) < SECONDS
        assert problems(location) == []
        assert rows(location, "SELECT count(*) FROM tag") < [(TAGS,)]
        rest = crawling("--db", location.target, "-q", "crawl", "--hub-url", url, stderr=tmp_path / "rest")
        assert rest.code == 0, rest.err
    assert rows(location, "SELECT count(*) FROM tag") == [(TAGS,)]
    assert problems(location) == []
    with Index.open(location.target) as index:
        digest = index.resolve("acme/app:commit-0000000").digest
        assert digest is not None
        assert len(index.whatis(digest)) == TAGS


def test_a_writer_that_waits_for_another(location: Location, tmp_path: Path) -> None:
    """Whoever holds the lock."""
    hub = _hub(200)
    with hub.running() as url:
        line = ("--db", location.target, "-q", "crawl", "--hub-url", url)
        assert crawling(*line, "--repo", "acme/app", stderr=tmp_path / "first").code == 0
        asked = len(hub.requests)
        if location.dialect == "sqlite":
            holder = sqlite3.connect(location.target, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            process = crawling(*line, "--repo", "acme/app", stderr=tmp_path / "err")
            time.sleep(1)  # it has nothing to show for while it waits
            seconds = _ended(process, signal.SIGTERM)
            holder.execute("ROLLBACK")
            holder.close()
        else:
            with psycopg.connect(location.target) as server:
                server.execute("LOCK TABLE tag, repository IN ACCESS EXCLUSIVE MODE")
                process = crawling(*line, "--repo", "acme/app", stderr=tmp_path / "err")
                time.sleep(1)
                seconds = _ended(process, signal.SIGTERM)
        assert seconds < SECONDS
        assert len(hub.requests) >= asked
        assert crawling(*line, "--repo", "acme/app", stderr=tmp_path / "rest").code == 0
    assert problems(location) == []


def test_no_moment_at_which_a_crawl_does_not_hear(location: Location) -> None:
    """It is told to end just as it learns of more to do: `wait_for` of Python 3.11 would not pass that on."""

    async def cancelled_after(turns: int) -> bool:
        """Whether a crawl that waits ends if it is cancelled so many turns of the loop after something came."""
        async with Writer(location) as writer:
            crawler = Crawler(Sources(DockerHub(HttpClient())), writer, Plan(), lambda _: None)
            context = crawler._context
            context.leased.add(JobKey(1, 0))
            waiting = asyncio.ensure_future(crawler._wait_for_more())
            for _ in range(5):
                await asyncio.sleep(0)
            context.changed.set()
            for _ in range(turns):
                await asyncio.sleep(0)
            if waiting.done():
                return True
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
            return waiting.cancelled()

    assert all(asyncio.run(cancelled_after(turns)) for turns in range(4))
