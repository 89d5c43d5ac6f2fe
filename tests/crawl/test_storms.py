"""A crawl through bad weather ends with the index of a crawl through fair weather."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.errors import Blocked
from hubindex.index.database.location import Location
from hubindex.moment import from_rfc3339
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.auth.hub_signer import HubSigner
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.pace import Timer
from hubindex.sources.hub.client import DockerHub
from tests.crawl.contents import Contents, contents
from tests.crawl.crawling import DEADLINE
from tests.fakehub import FakeHub
from tests.fakehub.hub import Fault
from tests.fakehub.rows import JSON
from tests.fakehub.weather import (
    answer,
    challenge,
    cut_short,
    fingerprint_refused,
    garbage,
    hang_up,
    not_found,
    rewritten,
    server_error,
    share,
    slow,
    too_many,
    unauthorized,
    unavailable,
)
from tests.index.building import problems

PART = 0.2
"""The share of requests that is struck."""

DAYS = ["2026-03-01T12:00:00Z", "2026-03-09T12:00:00Z"]
NAMED = Plan(terms=["app"], repositories=["library/mongo"], namespaces=["zoe"], concurrency=4)
REST = Plan(concurrency=4)

_FASTER = 1000
_READ_TIMEOUT = 0.25
_MAX_CRAWLS = 8
_SEED = 4  # with it no address is struck three times in a row: what is denied three times is believed


def _hub() -> FakeHub:
    """Lists of several short pages."""
    hub = FakeHub(rate_limit=1_000_000, forced_page_size=6)
    paths = [*(f"acme/app-{number}" for number in range(8)), "library/mongo", "zoe/tool", "zoe/thing"]
    for number, path in enumerate(paths):
        repository = hub.add_repository(path, f"about {path}", star_count=number, pull_count=1000 - number)
        for tag in range(1 + number * 2):
            repository.push(f"t{tag}", at=f"2024-03-01T12:{tag:02}:00Z", platforms=["linux/amd64"])
    return hub


def _move_on(hub: FakeHub) -> None:
    """What happens between the two days: tags are moved, added and deleted, and a repository is new."""
    hub.repositories["acme/app-7"].push("t0", at="2026-03-05T00:00:00Z", platforms=["linux/amd64"])
    hub.repositories["acme/app-6"].push("new", at="2026-03-05T00:00:00Z")
    hub.repositories["library/mongo"].delete("t3")
    hub.repositories["zoe/tool"].star_count += 5
    hub.add_repository("zoe/fresh", "about zoe/fresh").push("latest", at="2026-03-06T00:00:00Z")


def _timer() -> Timer:
    """Time that flies: a minute's wait takes as long as it takes to notice."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / _FASTER)

    return Timer(now=lambda: time.monotonic() * _FASTER, sleep=sleep)


async def _crawl(hub: FakeHub, location: Location, plan: Plan, day: str) -> Progress:
    now = from_rfc3339(day)
    assert now is not None

    def clock() -> int:
        return now

    async with (
        hub.serve() as url,
        HttpClient(connections=4, tries=8, read_timeout=_READ_TIMEOUT, timer=_timer()) as http,
        Writer(location) as writer,
    ):
        credentials = [Credentials(user, secret, "here") for user, secret in hub.users.items()]
        signer = HubSigner(http, url, credentials[0]) if credentials else None
        crawler = Crawler(Sources(DockerHub(http, url, clock, signer)), writer, plan, lambda _: None, clock)
        await crawler.run()
    return crawler.progress


def crawl(hub: FakeHub, location: Location, plan: Plan, day: str) -> Progress:
    """Serve a Hub and crawl it on a day."""
    return asyncio.run(asyncio.wait_for(_crawl(hub, location, plan, day), DEADLINE))


class Day(NamedTuple):
    """A day, and what the index holds at its end."""

    at: str
    held: Contents


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    """What an index holds on each of the two days if nothing goes wrong."""
    location = Location.parse(str(tmp_path_factory.mktemp("fair") / "index.db"))
    hub = _hub()
    days: list[Day] = []
    for at in DAYS:
        if days:
            _move_on(hub)
        assert crawl(hub, location, NAMED, at).failures == 0
        days.append(Day(at, contents(location)))
    assert len(days[0].held["tag"]) == 121
    assert len(days[1].held["span"]) == 2
    return days


def _miscount(by: int) -> Fault:
    def change(value: dict[str, JSON]) -> None:
        count = value.get("count")
        if isinstance(count, int):
            value["count"] = max(count + by, 0)

    return rewritten(change)


def _emptied(value: dict[str, JSON]) -> None:
    """A search or a list without results, as blocked clients have seen it."""
    if "results" in value:
        value.update(count=0, next=None, previous=None, results=[])


FAULTS = {
    "500": server_error(),
    "502 with HTML": unavailable(502),
    "503 with HTML": unavailable(503),
    "405": answer(405, '{"detail":"Method not allowed"}'),
    "408": answer(408),
    "429, seconds": too_many("60"),
    "429, unix time": too_many(str(int(time.time()) + 30)),
    "429, date": too_many("Wed, 21 Oct 2099 07:28:00 GMT"),
    "429, x-retry-after": too_many(str(int(time.time()) + 30), header="X-Retry-After"),
    "429, bare": too_many(None, rate_headers=False),
    "hung up": hang_up,
    "cut short": cut_short,
    "garbage": garbage(),
    "another shape": garbage(b'["no", "object"]'),
    "nothing at all": garbage(b""),
    "HTML instead of JSON": answer(200, "<html>moment</html>", content_type="text/html"),
    "silence": slow(60),
    "404": not_found(),
    "empty": rewritten(_emptied),
}
"""What one crawl overcomes."""


def _struck(fault: Fault) -> FakeHub:
    hub = _hub()
    hub.faults.append(share(PART, fault, seed=_SEED))
    return hub


@pytest.mark.parametrize("name", FAULTS)
def test_faults_leave_no_trace(name: str, tmp_path: Path, fair: list[Day]) -> None:
    """With a fifth of all requests struck, one crawl a day brings everything into the index, and nothing else."""
    _overcome(FAULTS[name], Location.parse(str(tmp_path / "index.db")), fair)


def test_faults_leave_no_trace_on_either_engine(location: Location, fair: list[Day]) -> None:
    """The engines are told the same."""
    _overcome(unavailable(), location, fair)


def _overcome(fault: Fault, location: Location, fair: list[Day]) -> None:
    hub = _struck(fault)
    for day in fair:
        if day is fair[1]:
            _move_on(hub)
        progress = crawl(hub, location, NAMED, day.at)
        assert (progress.failures, progress.stopped) == (0, False)
        assert contents(location) == day.held
    assert problems(location) == []


@pytest.mark.parametrize("by", [+1, -1])
def test_wrong_counts_prove_nothing_wrong(by: int, tmp_path: Path, fair: list[Day]) -> None:
    """A total that is wrong now and then ends no tag, and the lists that it spoils are read by the next crawl."""
    location, hub = Location.parse(str(tmp_path / "index.db")), _struck(_miscount(by))
    for day in fair:
        if day is fair[1]:
            _move_on(hub)
        for _ in range(_MAX_CRAWLS):
            crawl(hub, location, replace(NAMED, full=True), day.at)
            held = contents(location)
            assert not _tags_gone(held) - _tags_gone(day.held)
            if not any(dict(row)["walk_problem"] for row in held["repository"]):
                break
        for table in ("tag", "digest", "search_hit", "word"):
            assert held[table] == day.held[table]


def _tags_gone(held: Contents) -> set[object]:
    return {(dict(row)["repository"], dict(row)["name"]) for row in held["tag"] if dict(row)["gone_at"]}


@pytest.mark.parametrize("fault", [fingerprint_refused(), challenge(), challenge(503), challenge(200)])
def test_a_block_stops_the_crawl_and_costs_nothing(fault: Fault, tmp_path: Path, fair: list[Day]) -> None:
    """Not one more request is sent; a crawl without names goes on when the block is over."""
    location, hub = Location.parse(str(tmp_path / "index.db")), _hub()
    block = share(PART, fault, seed=_SEED)
    for day in fair:
        if day is fair[1]:
            _move_on(hub)
        hub.faults.append(block)
        progress = crawl(hub, location, NAMED, day.at)
        hub.faults.remove(block)
        assert progress.stopped
        assert isinstance(progress.first_error, Blocked)
        assert contents(location) != day.held
        assert crawl(hub, location, REST, day.at).failures == 0
        assert contents(location) == day.held


def test_tokens_that_are_not_taken_are_renewed(tmp_path: Path, fair: list[Day]) -> None:
    """A 401 costs a new token; a second one in a row fails what was asked for, and the next crawl goes on."""
    location, hub = Location.parse(str(tmp_path / "index.db")), _hub()
    hub.users["zoe"] = "secret"
    hub.disturb("^/v2/(?!auth/)", share(PART, unauthorized(), seed=_SEED))
    progress = crawl(hub, location, NAMED, fair[0].at)
    for _ in range(_MAX_CRAWLS):
        if not progress.failures:
            break
        progress = crawl(hub, location, REST, fair[0].at)
    assert not progress.failures
    assert contents(location) == fair[0].held
    assert sum(path.startswith("/v2/auth/token") for path in hub.paths()) >= 2
