"""A crawl from its options to its end."""

import asyncio
import gc
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from hubindex.crawl.connections import Network
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.session import CrawlSession, tuned_interpreter
from hubindex.errors import SignInRefused, WrongUsage
from hubindex.index.database.location import Location
from hubindex.sources.http.client import HttpClient
from tests.crawl.crawling import DEADLINE, hub_of, names
from tests.fakehub import FakeHub
from tests.fakehub.weather import challenge

NAMED = Plan(repositories=["acme/app"])


class Seen:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.warnings: list[str] = []
        self.pauses: list[int] = []

    def show(self, progress: Progress, _http: HttpClient, _hub_url: str) -> None:
        """A crawl begins."""
        self.progress.append(progress)

    def warn(self, text: str) -> None:
        """Something was left out."""
        self.warnings.append(text)

    def paused(self, seconds: int) -> None:
        """The crawl waits."""
        self.pauses.append(seconds)


class _Enough(Exception):
    """The test has seen what it wanted."""


def ran(
    hub: FakeHub,
    location: Location,
    plan: Plan,
    environ: Mapping[str, str] | None = None,
    *,
    anonymous: bool = False,
    most_pauses: int = 0,
) -> Seen:
    """What an observer saw of a session, which is cancelled in the pause after `most_pauses`."""
    seen = Seen()

    async def sleep(_seconds: float) -> None:
        if len(seen.pauses) > most_pauses:
            raise _Enough

    async def run() -> None:
        async with hub.serve() as url:
            network = Network(url, anonymous=anonymous, tries=1)
            with suppress(_Enough):
                await CrawlSession(plan, network, location, seen, environ or {}, sleep).run()

    asyncio.run(asyncio.wait_for(run(), DEADLINE))
    return seen


def test_a_plan_is_crawled_once(location: Location) -> None:
    """The observer sees its progress, and nothing is waited for."""
    seen = ran(hub_of(["acme/app"], 3), location, NAMED)
    assert names(location) == ["acme/app"]
    assert [(progress.done, progress.tags) for progress in seen.progress] == [(1, 3)]
    assert (seen.warnings, seen.pauses) == ([], [])


def test_a_refused_crawl_that_watches_waits_longer_each_time(location: Location) -> None:
    """A quarter of an hour, twice as long each time, at most four hours; it asks once after each pause."""
    hub = hub_of(["acme/app"])
    ran(hub, location, NAMED)
    hub.disturb("", challenge())
    seen = ran(hub, location, Plan(watch=True, max_age=0), most_pauses=5)
    assert seen.pauses == [900, 1800, 3600, 7200, 14_400, 14_400]
    assert len(seen.progress) == 6


def test_a_refused_crawl_that_does_not_watch_ends(location: Location) -> None:
    """Whoever named something wants to hear of it now."""
    hub = hub_of(["acme/app"])
    hub.disturb("", challenge())
    seen = ran(hub, location, NAMED)
    assert [progress.stopped for progress in seen.progress] == [True]
    assert seen.pauses == []


def test_the_user_of_the_environment_has_to_be_right(location: Location) -> None:
    """Who sets the variables wants to be signed in: nothing is crawled without."""
    environ = {"HUBINDEX_HUB_USER": "me", "HUBINDEX_HUB_TOKEN": "wrong"}
    with pytest.raises(SignInRefused):
        ran(hub_of(["acme/app"]), location, NAMED, environ)
    assert names(location) == []


def test_what_docker_keeps_is_an_offer(location: Location, tmp_path: Path) -> None:
    """If the Hub refuses it, the crawl says so and goes on without."""
    hub = hub_of(["acme/app"])
    with hub.running() as url:
        host = url.removeprefix("http://")
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"username": "me", "password": "old"}}}))
        seen = Seen()
        session = CrawlSession(NAMED, Network(url, tries=1), location, seen, {"DOCKER_CONFIG": str(tmp_path)})
        asyncio.run(asyncio.wait_for(session.run(), DEADLINE))
    assert names(location) == ["acme/app"]
    (warning,) = seen.warnings
    assert warning.endswith("going on without signing in")


def test_nobody_signs_in_anonymously(location: Location) -> None:
    """Whatever user name and token are at hand."""
    environ = {"HUBINDEX_HUB_USER": "me", "HUBINDEX_HUB_TOKEN": "wrong"}
    ran(hub_of(["acme/app"]), location, NAMED, environ, anonymous=True)
    assert names(location) == ["acme/app"]


@pytest.mark.parametrize("network", [Network("http://hub.example"), Network(registry_url="http://r.example")])
def test_an_address_that_cannot_be_used_is_refused_at_once(network: Network, location: Location) -> None:
    """Plain HTTP is for loopback hosts."""
    with pytest.raises(WrongUsage, match=r"--(hub|registry)-url"):
        asyncio.run(CrawlSession(NAMED, network, location, Seen(), {}).run())


def test_the_interpreter_is_as_before_afterwards() -> None:
    """Whatever happens in between: the process may have other things to do."""
    before = sys.getswitchinterval(), gc.get_threshold()
    with suppress(ZeroDivisionError), tuned_interpreter():
        assert (sys.getswitchinterval(), gc.get_threshold()) != before
        raise ZeroDivisionError
    assert (sys.getswitchinterval(), gc.get_threshold()) == before
