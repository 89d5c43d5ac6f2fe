"""Coming back: what is due is looked at again, what was left is gone on with, and work is shared."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from hubindex.crawl import crawler
from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from tests.crawl.crawling import (
    DEADLINE,
    START,
    Crawled,
    at,
    crawl,
    crawl_served,
    hub_of,
    names,
    numbered,
    tag_names,
    tag_requests,
)
from tests.fakehub import FakeHub, Proceed
from tests.fakehub.timeline import wire_time
from tests.fakehub.weather import hang_up, server_error
from tests.index.building import rows

HOUR = 3_600_000
DAY = 24.0  # hours


def fill(hub: FakeHub, location: Location, hours: float = 0) -> None:
    """A first crawl of the namespace `acme`."""
    crawl(hub, location, Plan(namespaces=["acme"]), at(hours))


def due_after(location: Location, name: str) -> float:
    """Hours from the start until a repository is to be visited."""
    found = rows(
        location,
        "SELECT j.due_at FROM job j JOIN repository r ON r.repository_id = j.repository_id "
        f"WHERE r.name = '{name}'",
    )
    return float(found[0][0] - START) / HOUR


def stuck(hub: FakeHub, location: Location, pattern: str, *, after: int, plan: Plan) -> None:
    """A crawl that is cancelled when as many requests get no answer as it has tasks; one, if `after` is 0."""
    enough, waiting = asyncio.Event(), 0

    async def stick(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        nonlocal waiting
        waiting += 1
        if waiting == (plan.concurrency if after else 1):
            enough.set()
        await asyncio.Event().wait()
        return await proceed(request)

    hub.disturb(pattern, stick, after=after)

    async def interrupted() -> None:
        task = asyncio.create_task(crawl_served(hub, location, plan, at()))
        await enough.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(interrupted(), DEADLINE))
    hub.faults.clear()


# By the clock


def test_how_often_depends_on_how_long_nothing_changed(location: Location) -> None:
    """Pushed today: six hours; eight days ago: two days; years ago: four weeks."""
    hub = FakeHub()
    for name, hours in (("today", 1), ("lately", 8 * DAY), ("long", 2000 * DAY)):
        repository = hub.add_repository(f"acme/{name}")
        repository.push("latest", at=wire_time(START - round(hours * HOUR)))
    fill(hub, location)
    waits = [due_after(location, f"acme/{name}") for name in ("today", "lately", "long")]
    assert waits == [6, 2 * DAY, 28 * DAY]


def test_nothing_is_asked_before_it_is_due(location: Location) -> None:
    """Not one request; and the crawl says when there will be something to do."""
    hub = hub_of(numbered(3))
    fill(hub, location)
    crawled = crawl(hub, location, Plan(), at(DAY))
    assert crawled.paths == []
    [warning] = crawled.warnings
    assert warning.startswith("nothing is due: the first will be at 2026-09-28T14:13:20Z: ")


def test_what_is_due_is_visited_with_a_request_each(location: Location) -> None:
    """What is not due is left alone."""
    hub = hub_of(numbered(3))
    hub.add_repository("acme/hot").push("latest", at=wire_time(START - HOUR))
    fill(hub, location)
    crawled = crawl(hub, location, Plan(), at(6))
    assert tag_requests(crawled) == {"acme/hot": 1}
    assert len(crawled.paths) == 1
    assert (crawled.progress.found, crawled.progress.done) == (1, 1)


def test_a_change_brings_the_next_visit_near(location: Location) -> None:
    """One that had rested for years was pushed to: six hours."""
    hub = hub_of(["acme/app"])
    fill(hub, location)
    hub.repositories["acme/app"].push("new", at=wire_time(START + 28 * 24 * HOUR - HOUR))
    crawl(hub, location, Plan(), at(28 * DAY))
    assert "new" in tag_names(location, "acme/app")
    assert due_after(location, "acme/app") == 28 * DAY + 6


def test_seeds_are_listed_again_after_a_week(location: Location) -> None:
    """A new repository is added and visited; those that are known wait for their time."""
    hub = hub_of(numbered(3))
    fill(hub, location)
    hub.add_repository("acme/new").push("latest", at="2024-03-01T00:00:00Z")
    crawled = crawl(hub, location, Plan(), at(7 * DAY))
    assert tag_requests(crawled) == {"acme/new": 1}
    assert len(crawled.paths) == 2
    assert tag_names(location, "acme/new") == {"latest"}
    assert crawled.progress.found == crawled.progress.done == crawled.progress.new_repositories == 1


def test_a_search_without_tags_is_refreshed_without_tags(location: Location) -> None:
    """What was not wanted the first time is not wanted now."""
    hub = hub_of(numbered(3))
    crawl(hub, location, Plan(terms=["app"], tags=False), at())
    hub.add_repository("acme/app-new")
    crawled = crawl(hub, location, Plan(), at(7 * DAY))
    assert tag_requests(crawled) == {}
    assert "acme/app-new" in names(location)


def test_what_a_crawl_failed_to_get_is_tried_by_the_next_one(location: Location) -> None:
    """At once: somebody is there who wants it."""
    hub = hub_of(numbered(3))
    hub.disturb("app-001/tags", server_error(), times=1)
    fill(hub, location)
    assert tag_requests(crawl(hub, location, Plan(), at(0.1))) == {"acme/app-001": 1}
    assert tag_names(location, "acme/app-001") == {"t0"}


def test_a_refresh_that_failed_is_tried_again_when_its_time_comes(location: Location) -> None:
    """After a quarter of an hour."""
    hub = FakeHub()
    hub.add_repository("acme/hot").push("latest", at=wire_time(START - HOUR))
    fill(hub, location)
    hub.disturb("hot/tags", server_error(), times=1)
    requests = [len(crawl(hub, location, Plan(), at(hours)).paths) for hours in (6, 6.24, 6.25)]
    assert requests == [1, 0, 1]


# By age


def test_a_greatest_age_without_names_looks_at_all_that_is_older(location: Location) -> None:
    """Whether it is due or not."""
    hub = hub_of(numbered(3))
    fill(hub, location)
    crawl(hub, location, Plan(repositories=["acme/app-001"]), at(10))
    crawled = crawl(hub, location, Plan(max_age=6 * HOUR), at(12))
    assert tag_requests(crawled) == {"acme/app-000": 1, "acme/app-002": 1}


def test_a_greatest_age_leaves_what_is_due_but_fresh(location: Location) -> None:
    """Looked at six hours ago is young enough for a day."""
    hub = FakeHub()
    hub.add_repository("acme/hot").push("latest", at=wire_time(START - HOUR))
    fill(hub, location)
    crawled = crawl(hub, location, Plan(max_age=24 * HOUR), at(6))
    assert crawled.paths == []
    assert crawled.progress.failures == 0


def test_a_greatest_age_with_names_leaves_fresh_ones_alone(location: Location) -> None:
    """The list is asked for, and of what it holds the old ones."""
    hub = hub_of(numbered(3))
    fill(hub, location)
    crawl(hub, location, Plan(repositories=["acme/app-001"]), at(10))
    crawled = crawl(hub, location, Plan(namespaces=["acme"], max_age=6 * HOUR), at(12))
    assert tag_requests(crawled) == {"acme/app-000": 1, "acme/app-002": 1}
    assert crawled.progress.failures == 0


# What was left


def test_an_interrupted_crawl_of_names_is_gone_on_with(location: Location) -> None:
    """What was fetched is not fetched again, and the crawl says what it found left."""
    hub, plan = hub_of(numbered(20)), Plan(terms=["app"], concurrency=4)
    stuck(hub, location, "/tags", after=8, plan=plan)
    crawled = crawl(hub, location, plan, at(1))
    assert crawled.warnings == ["going on with an earlier crawl of the same: 12 repositories left"]
    assert sum(tag_requests(crawled).values()) == len(crawled.paths) == 12
    assert crawled.progress.found == crawled.progress.done == 12
    assert all(tag_names(location, name) == {"t0"} for name in numbered(20))


def test_a_crawl_without_names_goes_on_with_what_was_left(location: Location) -> None:
    """And says so."""
    hub = hub_of(numbered(20))
    stuck(hub, location, "/tags", after=8, plan=Plan(terms=["app"], concurrency=4))
    crawled = crawl(hub, location, Plan(), at(1))
    assert crawled.warnings == ["earlier crawls left 12 repositories unfinished: going on with them"]
    assert sum(tag_requests(crawled).values()) == 12
    assert all(tag_names(location, name) == {"t0"} for name in numbered(20))


def unwalked(location: Location) -> int:
    """How many repositories nobody has walked: an answer that came with the interruption may be lost, or not."""
    return int(rows(location, "SELECT count(*) FROM repository WHERE walked_at IS NULL")[0][0])


def test_a_crawl_of_something_else_tells_what_was_left(location: Location) -> None:
    """And leaves it."""
    hub = hub_of([*numbered(20), "zoe/other"])
    stuck(hub, location, "/tags", after=8, plan=Plan(terms=["app"], concurrency=4))
    left = unwalked(location)
    crawled = crawl(hub, location, Plan(repositories=["zoe/other"]), at(1))
    assert crawled.warnings == [
        f"earlier crawls left {left} repositories unfinished: 'hubindex crawl' alone goes on with them"
    ]
    assert tag_requests(crawled) == {"zoe/other": 1}


def test_an_interruption_before_the_list_came_begins_again(location: Location) -> None:
    """The seed itself is left, and the list comes whole."""
    hub, plan = hub_of(numbered(5)), Plan(terms=["app"])
    stuck(hub, location, "/search/", after=0, plan=plan)
    crawled = crawl(hub, location, plan, at(1))
    assert crawled.warnings == ["going on with an earlier crawl of the same: 1 search or list left"]
    assert names(location) == numbered(5)


def test_an_interrupted_crawl_gives_back_its_leases(location: Location) -> None:
    """Nobody has to wait until they expire."""
    stuck(hub_of(numbered(20)), location, "/tags", after=8, plan=Plan(terms=["app"], concurrency=4))
    assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]
    assert rows(location, "SELECT count(*) FROM job WHERE asked_by IS NOT NULL") == [(unwalked(location),)]


def test_a_finished_crawl_is_done_again_when_it_is_asked_for_again(location: Location) -> None:
    """All of it, however lately it was done."""
    hub = hub_of(numbered(5))
    fill(hub, location)
    crawled = crawl(hub, location, Plan(namespaces=["acme"]), at(0.1))
    assert tag_requests(crawled) == dict.fromkeys(numbered(5), 1)
    assert crawled.warnings == []


# Together


def test_what_is_enqueued_is_done_by_a_crawl_without_names(location: Location) -> None:
    """Whoever asked for it."""
    hub, ingest = hub_of(numbered(5)), Ingest(location)
    with ingest.transaction() as batch:
        batch.frontier.ask(Plan(namespaces=["acme"]).seeds(), at()())
    ingest.close()
    crawled = crawl(hub, location, Plan(), at(0.1))
    assert crawled.warnings == ["earlier crawls left 1 search or list unfinished: going on with them"]
    assert tag_requests(crawled) == dict.fromkeys(numbered(5), 1)


def test_a_crawl_waits_for_another_that_fetches_the_same(location: Location) -> None:
    """What it asked for and another machine is at is not done; it ends when that one has done it."""
    hub, ingest, plan = hub_of(numbered(6)), Ingest(location), Plan(repositories=numbered(6), tags=False)
    with ingest.transaction() as batch:
        number, _ = batch.frontier.ask(plan.seeds(), at()())
        now = time.time_ns() // 1_000_000
        jobs = batch.frontier.claim("elsewhere 1 a", 6, at()(), now, number)

    async def story() -> Crawled:
        task = asyncio.create_task(crawl_served(hub, location, plan, at(0.1)))
        await asyncio.sleep(0.1)
        assert not task.done()
        with ingest.transaction() as batch:
            for job in jobs:
                batch.frontier.finish_seed(job, at()())
        return await task

    crawled = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    ingest.close()
    assert crawled.paths == []
    assert crawled.progress.failures == 0


def test_a_watching_crawl_picks_up_what_is_enqueued(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another process, while it has nothing to do."""
    monkeypatch.setattr(crawler, "_WATCH_SECONDS", 0.02)
    hub, ingest = hub_of(numbered(3)), Ingest(location)
    listed = asyncio.Event()

    async def listing(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        listed.set()
        return await proceed(request)

    hub.disturb("app-002/tags", listing)

    async def story() -> None:
        task = asyncio.create_task(crawl_served(hub, location, Plan(watch=True), at()))
        await asyncio.sleep(0.1)
        assert (task.done(), hub.requests) == (False, [])
        with ingest.transaction() as batch:
            batch.frontier.ask(Plan(namespaces=["acme"]).seeds(), at()())
        await listed.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(story(), DEADLINE))
    ingest.close()
    assert names(location) == numbered(3)
    assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("fault", [server_error(), hang_up], ids=["500", "hang up"])
def test_what_failed_is_not_what_was_left(
    location: Location, fault: Callable[..., Awaitable[web.StreamResponse]]
) -> None:
    """A failure waits for its time: the same crawl again begins anew."""
    hub, plan = hub_of(numbered(3)), Plan(namespaces=["acme"])
    hub.disturb("app-001/tags", fault, times=1)
    crawl(hub, location, plan, at())
    crawled = crawl(hub, location, plan, at(0.1))
    assert crawled.warnings == []
    assert tag_names(location, "acme/app-001") == {"t0"}
