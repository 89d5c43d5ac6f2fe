"""A crawl whose process is killed again and again ends with the index of one that is left alone."""

import random
import time
from pathlib import Path

from hubindex.index.database.location import Location
from tests.crawl.contents import contents
from tests.crawl.processes import Crawling, crawling, wait_until
from tests.fakehub import FakeHub
from tests.index.building import problems, rows

KILLS = 50
FIRST_DAY = "2026-03-01T12:00:00Z"
SECOND_DAY = "2026-03-08T12:00:00Z"
NAMED = ("crawl", "--namespace", "acme", "--concurrency", "4")
REST = ("crawl", "--concurrency", "4")


def _hub(repositories: int) -> FakeHub:
    """Lists of many short pages, that take some time."""
    hub = FakeHub(rate_limit=1_000_000, forced_page_size=8, latency=0.01)
    for number in range(repositories):
        repository = hub.add_repository(f"acme/app-{number:03}", f"about {number}")
        for tag in range(30):
            repository.push(f"t{tag}", at=f"2024-03-01T12:{tag:02}:00Z", platforms=["linux/amd64"])
    return hub


def _crawl(url: str, db: str, folder: Path, now: str, *arguments: str) -> None:
    """A crawl that nobody disturbs."""
    process = crawling("--db", db, "-q", *arguments, "--hub-url", url, stderr=folder / "err", now=now)
    assert process.code == 0, process.err


def _killed(url: str, hub: FakeHub, db: str, folder: Path, now: str, kills: int) -> None:
    """A crawl that is killed so many times, at its start or after some requests, and begun again each time."""
    chance = random.Random(4)
    for number in range(kills):
        asked = len(hub.requests)
        arguments = NAMED if number < 2 else REST
        process = crawling("--db", db, "-q", *arguments, "--hub-url", url, stderr=folder / "err", now=now)
        if number % 4:
            _wait_for_requests(hub, asked + chance.randint(1, 5), process)
            time.sleep(chance.uniform(0, 0.03))
        else:
            time.sleep(chance.uniform(0, 0.15))
        assert process.kill() == -9, process.err


def _wait_for_requests(hub: FakeHub, wanted: int, process: Crawling) -> None:
    wait_until(lambda: len(hub.requests) >= wanted or not process.runs)


def test_fifty_kills_lose_nothing_and_invent_nothing(location: Location, tmp_path: Path) -> None:
    """At any moment; each process goes on at once with what the one before had leased."""
    hub, undisturbed = _hub(150), str(tmp_path / "undisturbed.db")
    with hub.running() as url:
        _killed(url, hub, location.target, tmp_path, FIRST_DAY, KILLS)
        assert rows(location, "SELECT count(*) FROM job WHERE asked_by IS NOT NULL") != [(0,)]
        _crawl(url, location.target, tmp_path, FIRST_DAY, *REST)
        hub.latency = 0.0
        _crawl(url, undisturbed, tmp_path, FIRST_DAY, *NAMED)
    assert contents(location) == contents(Location.parse(undisturbed))
    assert problems(location) == []
    assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL OR tries > 0") == [(0,)]


def test_kills_during_a_second_crawl_lose_no_move(location: Location, tmp_path: Path) -> None:
    """What moved stands on two pages: one that was stored before a kill must not hide the other."""
    hub = _hub(12)
    with hub.running() as url:
        hub.latency = 0.0
        _crawl(url, location.target, tmp_path, FIRST_DAY, *NAMED)
        _crawl(url, str(tmp_path / "undisturbed.db"), tmp_path, FIRST_DAY, *NAMED)
        for number, repository in enumerate(hub.repositories.values()):
            for tag in range(12):
                repository.push(f"t{tag}", at=f"2026-03-05T12:{tag:02}:00Z", platforms=["linux/amd64"])
            if number % 2:
                repository.delete("t20")
        _crawl(url, str(tmp_path / "undisturbed.db"), tmp_path, SECOND_DAY, *NAMED)
        hub.latency = 0.01
        _killed(url, hub, location.target, tmp_path, SECOND_DAY, 10)
        _crawl(url, location.target, tmp_path, SECOND_DAY, *REST)
    undisturbed = Location.parse(str(tmp_path / "undisturbed.db"))
    for table in ("span", "digest", "digest_prefix", "change", "word"):
        assert contents(location)[table] == contents(undisturbed)[table]
    assert _current(location) == _current(undisturbed)
    assert problems(location) == []


def _current(location: Location) -> list[tuple[object, ...]]:
    """What each tag is now, but not how lately that was confirmed: a walk that is begun again may see more."""
    return [tuple(item for item in row if item[0] != "last_seen_at") for row in contents(location)["tag"]]
