"""Crawls of a stand-in Hub, from the plan to the rows, in good weather and bad."""

import asyncio
import gc
from pathlib import Path

import pytest
from aiohttp import web

from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.errors import Blocked, PaginationRefused, RateLimited, StorageError, Unreachable
from hubindex.index.database.location import Location
from hubindex.index.questions.repositories import TagFacts
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.crawl.crawling import (
    DEADLINE,
    Crawled,
    crawl,
    crawl_served,
    hub_of,
    names,
    numbered,
    positions,
    shut,
    state,
    tag_names,
    tag_requests,
    ticking,
)
from tests.fakehub import FakeHub, Fault, Proceed, sample_hub
from tests.fakehub.rows import JSON
from tests.fakehub.weather import (
    answer,
    challenge,
    garbage,
    hang_up,
    meanwhile,
    next_elsewhere,
    next_replaced,
    not_found,
    rewritten,
    server_error,
    slow,
    too_many,
)
from tests.index.building import problems, rows

HISTORY = (
    # but for the last look at a tag without a push time, which is kept with it
    "SELECT repository_id, name, tag_id, digest_id, pushed_at, first_seen_at, last_seen_at, gone_at, closed_spans,"
    " CASE WHEN pushed_at IS NULL THEN NULL ELSE seen_at END FROM tag ORDER BY 1, 2",
    "SELECT * FROM span ORDER BY 1, 2, 3",
    "SELECT * FROM digest ORDER BY 1, 2",
)
HOUR = 3_600_000


def history(location: Location) -> list[object]:
    """All rows of tags, spans and digests."""
    return [sorted(map(repr, rows(location, statement))) for statement in HISTORY]


# Terms


def test_a_term_is_stored_with_the_positions_of_the_hub(location: Location) -> None:
    """From 1, in the order of the answer, whatever is fetched when."""
    paths = ["acme/c", "acme/a", "library/b"]
    hub = hub_of(paths)
    hub.set_search("thing", paths)
    crawl(hub, location, Plan(terms=["thing"]))
    assert positions(location, "thing") == {"acme/c": 1, "acme/a": 2, "library/b": 3}


def test_every_result_of_a_term_has_its_tags(location: Location) -> None:
    """With all their digests: a search is followed by walks."""
    hub = hub_of(numbered(5), tag_count=3)
    crawled = crawl(hub, location, Plan(terms=["app"]))
    assert all(tag_names(location, path) == {"t0", "t1", "t2"} for path in numbered(5))
    assert (crawled.progress.found, crawled.progress.done, crawled.progress.tags) == (5, 5, 15)


def test_a_small_limit_asks_for_a_small_page(location: Location) -> None:
    """Seven results need one request for seven."""
    crawled = crawl(hub_of(numbered(30)), location, Plan(terms=["app"], limit=7))
    assert [path for path in crawled.paths if "search" in path] == [
        "/v2/search/repositories/?query=app&page=1&page_size=7"
    ]
    assert sorted(positions(location, "app").values()) == list(range(1, 8))


def test_a_large_limit_takes_as_many_pages_as_it_needs(location: Location) -> None:
    """And exactly as many results: what the last page has beyond them is not taken."""
    crawled = crawl(hub_of(numbered(330)), location, Plan(terms=["app"], limit=250, tags=False))
    assert sum("search" in path for path in crawled.paths) == 3
    assert crawled.progress.found == 250
    assert sorted(positions(location, "app").values()) == list(range(1, 251))


def test_results_beyond_the_limit_are_not_stored(location: Location) -> None:
    """A repository of which nobody asked anything would count as unfinished for ever."""
    crawl(hub_of(numbered(200)), location, Plan(terms=["app"], limit=150, tags=False))
    assert len(names(location)) == 150


def test_a_limit_beyond_the_results_ends_with_them(location: Location) -> None:
    """Fewer results than wanted are no failure, and no page is asked for in vain."""
    crawled = crawl(hub_of(numbered(120)), location, Plan(terms=["app"], limit=1000, tags=False))
    assert (crawled.progress.found, crawled.progress.failures) == (120, 0)
    assert sum("search" in path for path in crawled.paths) == 2


def test_a_term_without_results_is_remembered(location: Location) -> None:
    """That the Hub found nothing is an answer."""
    crawled = crawl(hub_of(["acme/app"]), location, Plan(terms=["nothing"]))
    assert rows(location, "SELECT term FROM search_term") == [("nothing",)]
    assert (crawled.progress.found, crawled.progress.failures) == (0, 0)


def test_what_the_hub_no_longer_returns_loses_its_position(location: Location) -> None:
    """The positions are those of the last crawl of the term."""
    hub = hub_of(["acme/a", "acme/b"])
    hub.set_search("thing", ["acme/a", "acme/b"])
    crawl(hub, location, Plan(terms=["thing"]))
    hub.set_search("thing", ["acme/b"])
    crawl(hub, location, Plan(terms=["thing"]))
    assert positions(location, "thing") == {"acme/b": 1}


def test_a_search_that_breaks_off_keeps_the_positions_it_could_not_check(location: Location) -> None:
    """A second page that fails proves nothing about what stood on it."""
    hub = hub_of(numbered(150))
    crawl(hub, location, Plan(terms=["app"], limit=150, tags=False))
    before = positions(location, "app")
    hub.disturb("search.*page=2", server_error())
    crawled = crawl(hub, location, Plan(terms=["app"], limit=150, tags=False))
    assert positions(location, "app") == before
    assert crawled.progress.failures == 1


def test_a_shifting_search_counts_each_repository_once(location: Location) -> None:
    """One that slides from the first page to the second keeps its better place."""
    hub = hub_of(numbered(160))
    paths = numbered(160)
    hub.set_search("app", paths)

    async def shift(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        response = await proceed(request)
        hub.set_search("app", [paths[-1], *paths[:-1]])
        return response

    hub.disturb("search.*page=1&", shift, times=1)
    crawled = crawl(hub, location, Plan(terms=["app"], limit=160, tags=False))
    assert crawled.progress.found == 159
    assert positions(location, "app")["acme/app-099"] == 100


def test_a_search_whose_pages_repeat_ends(location: Location) -> None:
    """A Hub that answers every page with the first one is not asked for all of them."""
    hub = hub_of(numbered(300))
    hub.disturb("search", rewritten(lambda value: value.update(next="https://hub.docker.com/?page=2")))
    hub.set_search("app", numbered(50))
    crawled = crawl(hub, location, Plan(terms=["app"], limit=10_000, tags=False))
    assert sum("search" in path for path in crawled.paths) <= 2


def test_a_search_beyond_the_offset_cap_keeps_what_it_has(location: Location) -> None:
    """The Hub refuses far pages to anonymous callers: that is told, and is no reason to stop the rest."""
    hub = hub_of([*numbered(230), "zoe/other"])
    hub.offset_caps["search"] = 200
    crawled = crawl(hub, location, Plan(terms=["app"], namespaces=["zoe"], limit=230, tags=False))
    assert crawled.progress.found == 201
    assert isinstance(crawled.progress.first_error, PaginationRefused)
    assert not crawled.progress.stopped


# Repositories, namespaces, official images


def test_a_named_repository_is_stored_with_all_that_the_hub_says_of_it(location: Location) -> None:
    """Its own page knows when it was registered, which a search does not."""
    hub = FakeHub()
    app = hub.add_repository("acme/app", "The app", star_count=3, pull_count=13_000_000_000)
    app.push("1.0", at="2024-03-01T12:00:00Z")
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    facts, tags = state(location, "acme/app")
    assert (facts.description, facts.star_count, facts.pull_count) == ("The app", 3, 13_000_000_000)
    assert facts.registered_at == 1_401_995_685_000
    assert tags["1.0"].certainty == "confirmed"
    assert len(crawled.paths) == 2


def test_a_namespace_is_stored_whole(location: Location) -> None:
    """All its pages, and nothing of its neighbours."""
    crawled = crawl(hub_of([*numbered(130), "other/app"]), location, Plan(namespaces=["acme"]))
    assert names(location) == numbered(130)
    assert crawled.progress.done == 130


def test_official_images_are_the_namespace_library(location: Location) -> None:
    """And known to be official."""
    hub = hub_of(["library/mongo", "acme/mongo"])
    crawl(hub, location, Plan(namespaces=["library"]))
    assert names(location) == ["library/mongo"]
    assert state(location, "mongo")[0].is_official


def test_an_unknown_namespace_is_told(location: Location) -> None:
    """The Hub answers as if it existed and were empty: a slip of the pen would go unnoticed."""
    crawled = crawl(hub_of(["acme/app"]), location, Plan(namespaces=["amce"]))
    assert crawled.warnings == ["amce: Docker Hub shows no repositories of it"]
    assert crawled.progress.failures == 0


def test_without_tags_no_tags_are_asked_for(location: Location) -> None:
    """And a repository is done as soon as it is stored."""
    crawled = crawl(hub_of(numbered(5)), location, Plan(terms=["app"], tags=False))
    assert tag_requests(crawled) == {}
    assert (crawled.progress.done, crawled.progress.tags) == (5, 0)
    assert state(location, "acme/app-000")[0].walked_at is None


def test_a_repository_found_in_several_ways_is_walked_once(location: Location) -> None:
    """By its name, by two terms and in its namespace, at the same time."""
    hub = hub_of(numbered(40))
    hub.set_search("one", numbered(40))
    hub.set_search("two", numbered(40)[::-1])
    plan = Plan(terms=["one", "two"], repositories=numbered(3), namespaces=["acme"])
    crawled = crawl(hub, location, plan)
    assert tag_requests(crawled) == dict.fromkeys(numbered(40), 1)
    assert crawled.progress.found == crawled.progress.done == crawled.progress.new_repositories == 40
    assert positions(location, "two")["acme/app-039"] == 1


def test_a_nonexistent_repository_is_an_answer_that_is_told(location: Location) -> None:
    """With its name; it is no failure."""
    crawled = crawl(hub_of(["acme/app"]), location, Plan(repositories=["acme/nothing", "acme/app"]))
    assert names(location) == ["acme/app"]
    progress = crawled.progress
    assert (progress.first_error, progress.failures, progress.missing) == (None, 0, 1)
    assert any("acme/nothing: not found on Docker Hub" in message for message in crawled.warnings)


def test_a_known_repository_that_is_not_found_is_missing(location: Location) -> None:
    """It keeps its tags: one 404 proves nothing."""
    hub = hub_of(["acme/app"], tag_count=2)
    crawl(hub, location, Plan(repositories=["acme/app"]))
    hub.remove_repository("acme/app")
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    facts, tags = state(location, "acme/app")
    assert facts.missing_at is not None
    assert facts.gone_at is None
    assert set(tags) == {"t0", "t1"}
    assert any("what the index knows of it stays" in message for message in crawled.warnings)


def test_a_repository_missing_twice_hours_apart_is_gone(location: Location) -> None:
    """Not before."""
    hub = hub_of(["acme/app"])
    start = 1_790_000_000_000
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=lambda: start)
    hub.remove_repository("acme/app")
    ends = []
    for hours in (1, 2, 8):
        crawl(hub, location, Plan(repositories=["acme/app"]), clock=lambda at=start + hours * HOUR: at)  # type: ignore[misc]
        ends.append(state(location, "acme/app")[0].gone_at)
    assert ends == [None, None, start + 8 * HOUR]


def test_a_repository_that_comes_back_is_missing_no_more(location: Location) -> None:
    """The 404 was a fault of the source."""
    hub = hub_of(["acme/app"])
    crawl(hub, location, Plan(repositories=["acme/app"]))
    hub.disturb("repositories/app$", not_found(), times=1)
    crawl(hub, location, Plan(repositories=["acme/app"]))
    crawl(hub, location, Plan(repositories=["acme/app"]))
    assert state(location, "acme/app")[0].missing_at is None


# Tags


def test_all_pages_of_tags_are_fetched(location: Location) -> None:
    """A hundred at a time, and nothing beyond the last page."""
    hub = hub_of(["acme/app"], tag_count=301)
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    assert len(tag_names(location, "acme/app")) == 301
    assert tag_requests(crawled) == {"acme/app": 4}
    assert state(location, "acme/app")[0].walk_problem is None


def test_a_full_last_page_asks_for_no_empty_one(location: Location) -> None:
    """The Hub says that there is no next page."""
    crawled = crawl(hub_of(["acme/app"], tag_count=200), location, Plan(repositories=["acme/app"]))
    assert tag_requests(crawled) == {"acme/app": 2}


def test_rows_of_every_age_are_stored(location: Location) -> None:
    """The whole sample, with all its oddities, without a failure and in a sound index."""
    hub = sample_hub()
    namespaces = sorted({path.partition("/")[0] for path in hub.repositories})
    crawled = crawl(hub, location, Plan(namespaces=namespaces, terms=["*"]))
    assert crawled.progress.failures == 0
    stored = {path: tag_names(location, path) for path in hub.repositories}
    assert stored == {path: {tag.name for tag in each.tags} for path, each in hub.repositories.items()}
    assert problems(location) == []


def test_a_repository_that_was_never_pushed_has_been_looked_at(location: Location) -> None:
    """No tags is what it has, not what is missing."""
    hub = FakeHub()
    hub.add_repository("acme/app")
    crawl(hub, location, Plan(repositories=["acme/app"]))
    facts, tags = state(location, "acme/app")
    assert tags == {}
    assert facts.walked_at is not None
    assert facts.walk_problem is None


def test_a_row_that_cannot_be_understood_is_left_out_and_named(location: Location) -> None:
    """The others of its page are stored; the walk proves nothing about absent tags."""
    hub = hub_of(["acme/app"], tag_count=3)

    def poison(value: dict[str, JSON]) -> None:
        results = value["results"]
        assert isinstance(results, list)
        results[1] = {"name": "/poisoned", "digest": None}

    hub.disturb("/tags", rewritten(poison))
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    assert tag_names(location, "acme/app") == {"t0", "t2"}
    assert any("poisoned" in warning and "acme/app" in warning for warning in crawled.warnings)
    assert state(location, "acme/app")[0].walk_problem == "1 rows could not be understood"


def test_a_repository_row_that_cannot_be_understood_is_left_out_and_named(location: Location) -> None:
    """The crawl goes on with the others."""
    hub = hub_of(numbered(3))

    def poison(value: dict[str, JSON]) -> None:
        results = value["results"]
        assert isinstance(results, list)
        results[0] = {"repo_name": "acme/../poisoned", "star_count": []}

    hub.disturb("search", rewritten(poison))
    crawled = crawl(hub, location, Plan(terms=["app"]))
    assert names(location) == numbered(3)[1:]
    assert any("poisoned" in warning for warning in crawled.warnings)


# Again


def test_a_second_crawl_of_an_unchanged_hub_writes_no_history(location: Location) -> None:
    """Not one row of tags, spans or digests."""
    hub = sample_hub()
    plan = Plan(namespaces=["library", "acme", "grafana"], terms=["thrift"])
    crawl(hub, location, plan)
    before = history(location)
    progress = crawl(hub, location, plan).progress
    assert history(location) == before
    changes = (progress.new_repositories, progress.changed_repositories, progress.new_tags, progress.changed_tags)
    assert changes == (0, 0, 0, 0)


def state_after_crawl(hub: FakeHub, location: Location) -> dict[str, TagFacts]:
    """The tags of `acme/app` after a crawl of it."""
    crawl(hub, location, Plan(repositories=["acme/app"]))
    return state(location, "acme/app")[1]


def test_a_moved_tag_closes_its_span_and_opens_the_next(location: Location) -> None:
    """Nothing is overwritten."""
    hub = hub_of(["acme/app"], tag_count=2)
    before = state_after_crawl(hub, location)["t0"].digest
    hub.repositories["acme/app"].push("t0", at="2024-06-01T00:00:00Z", content="moved")
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    after = state(location, "acme/app")[1]["t0"].digest
    assert after != before
    assert (crawled.progress.changed_tags, crawled.progress.new_tags) == (1, 0)
    assert [row[0] for row in rows(location, "SELECT count(*) FROM span WHERE gone_at IS NULL")] == [1]


def test_a_deleted_tag_is_gone_after_a_whole_walk(location: Location) -> None:
    """Its span ends between the two sweeps."""
    hub = hub_of(["acme/app"], tag_count=3)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    hub.repositories["acme/app"].delete("t1")
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking(1_800_000_000_000))
    assert tag_names(location, "acme/app") == {"t0", "t2"}
    assert crawled.progress.changed_tags == 1
    [(last_seen_at, gone_at)] = rows(location, "SELECT last_seen_at, gone_at FROM span")
    assert last_seen_at < 1_800_000_000_000 <= gone_at


def test_no_change_is_lost_from_the_count_when_many_walks_end_at_once(location: Location) -> None:
    """Every repository has one tag that moved and one that was deleted."""
    hub = hub_of(numbered(60), tag_count=3)
    crawl(hub, location, Plan(namespaces=["acme"]))
    for repository in hub.repositories.values():
        repository.push("t0", at="2024-06-01T00:00:00Z", content=f"moved {repository.path}")
        repository.delete("t1")
    progress = crawl(hub, location, Plan(namespaces=["acme"], concurrency=30)).progress
    assert (progress.changed_tags, progress.new_tags, progress.tags) == (120, 0, 120)


def test_an_empty_answer_does_not_delete_known_tags(location: Location) -> None:
    """An empty list may be a fault or a block rather than a deletion."""
    hub = hub_of(["acme/app"], tag_count=3)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    hub.disturb("/tags", answer(200, '{"count":0,"next":null,"previous":null,"results":[]}'))
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking(1_800_000_000_000))
    facts, tags = state(location, "acme/app")
    assert set(tags) == {"t0", "t1", "t2"}
    assert facts.walk_problem is not None


def test_a_page_that_fails_in_the_middle_of_a_walk_ends_nothing(location: Location) -> None:
    """What arrived is stored, what did not arrive stays, and the reason is recorded."""
    hub = hub_of(["acme/app"], tag_count=250)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    hub.repositories["acme/app"].push("fresh", at="2024-06-01T00:00:00Z")
    hub.repositories["acme/app"].delete("t3")
    hub.disturb("/tags.*page=2", server_error())
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking(1_800_000_000_000))
    facts, tags = state(location, "acme/app")
    assert {"fresh", "t3"} <= set(tags)
    assert len(tags) == 251
    assert str(facts.walk_problem).startswith("page 2: ")
    assert (crawled.progress.failures, crawled.progress.done) == (1, 1)


def test_a_deletion_during_a_walk_is_walked_again(location: Location) -> None:
    """What stood behind the deleted tag moved up, unseen; the second walk proves what the first could not."""
    hub = hub_of(["acme/app"], tag_count=250)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    app = hub.repositories["acme/app"]
    app.push("new", at="2024-05-01T00:00:00Z")
    hub.disturb("/tags.*page=1&", meanwhile(lambda: app.delete("t240")), times=1)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking(1_800_000_000_000))
    facts, tags = state(location, "acme/app")
    assert set(tags) == {tag.name for tag in app.tags}
    assert facts.walk_problem is None


def test_a_list_that_never_comes_to_rest_proves_nothing(location: Location) -> None:
    """After three walks the index says why, and no tag is taken for gone."""
    hub = hub_of(["acme/app"], tag_count=150)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    app = hub.repositories["acme/app"]
    app.push("new", at="2024-05-01T00:00:00Z")
    names = iter([f"t{number}" for number in range(140, 100, -1)])
    hub.disturb("/tags", meanwhile(lambda: app.delete(next(names))))
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking(1_800_000_000_000))
    facts, tags = state(location, "acme/app")
    assert len(tags) == 151
    assert facts.walk_problem == "tags were deleted during the walk"
    assert tag_requests(crawled) == {"acme/app": 6}


def test_pushes_during_a_walk_neither_hide_nor_count_twice(location: Location) -> None:
    """New tags and old ones that are pushed again, between the pages: all are there once, and it is a sweep."""
    hub = hub_of(["acme/app"], tag_count=250)
    app = hub.repositories["acme/app"]
    moments = iter(range(1, 60))

    def push() -> None:
        at = f"2024-05-01T00:{next(moments):02}:00Z"
        app.push(f"new{at[14:16]}", at=at)
        app.push("t0", at=at)

    hub.disturb("/tags.*page=[123]&", meanwhile(push), times=3)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    facts, tags = state(location, "acme/app")
    assert set(tags) == {tag.name for tag in app.tags}
    assert facts.walk_problem is None
    assert facts.sweeps.swept_at == facts.walked_at


def test_a_whole_walk_clears_the_problem_of_the_one_before(location: Location) -> None:
    """What was left unfinished is finished."""
    hub = hub_of(["acme/app"], tag_count=250)
    hub.disturb("/tags.*page=2", server_error(), times=1)
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking())
    crawl(hub, location, Plan(repositories=["acme/app"]), clock=ticking(1_800_000_000_000))
    facts, tags = state(location, "acme/app")
    assert facts.walk_problem is None
    assert len(tags) == 250


def test_tags_beyond_the_offset_cap_are_a_problem_of_the_walk(location: Location) -> None:
    """Those below it are stored; the refusal is told, and does not stop the crawl."""
    hub = hub_of(["acme/app", "acme/other"], tag_count=250)
    hub.offset_caps["tags"] = 200
    crawled = crawl(hub, location, Plan(namespaces=["acme"]))
    assert len(tag_names(location, "acme/app")) == len(tag_names(location, "acme/other")) == 200
    assert "pagination offset too large" in str(state(location, "acme/app")[0].walk_problem)
    assert isinstance(crawled.progress.first_error, PaginationRefused)
    assert not crawled.progress.stopped


def test_the_tags_of_a_repository_may_be_missing_alone(location: Location) -> None:
    """A 404 for the tags of a known repository keeps the tags, and marks it missing."""
    hub = hub_of(["acme/app"], tag_count=2)
    crawl(hub, location, Plan(terms=["app"]))
    hub.disturb("/tags", not_found())
    crawled = crawl(hub, location, Plan(terms=["app"]))
    facts, tags = state(location, "acme/app")
    assert set(tags) == {"t0", "t1"}
    assert facts.missing_at is not None
    assert (crawled.progress.failures, crawled.progress.missing) == (0, 1)


# Bounds


def test_no_more_requests_at_a_time_than_allowed(location: Location) -> None:
    """Finders and walkers together."""
    hub = hub_of(numbered(30), tag_count=2)
    now = most = 0

    async def counting(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        now -= 1
        return await proceed(request)

    hub.disturb("", counting)
    plan = Plan(terms=["app", "acme"], namespaces=["acme"], repositories=numbered(9), concurrency=3)
    assert crawl(hub, location, plan).progress.done == 30
    assert most == 3


def test_repositories_are_fetched_at_the_same_time(location: Location) -> None:
    """As many as allowed: none waits for another one's answer."""
    hub = hub_of(numbered(8))
    together = asyncio.Barrier(8)

    async def meet(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await together.wait()
        return await proceed(request)

    hub.disturb("/tags", meet)
    assert crawl(hub, location, Plan(terms=["app"], concurrency=8)).progress.done == 8


def test_no_more_is_claimed_than_is_soon_fetched(location: Location) -> None:
    """A namespace of any size needs the memory of a page and a few jobs; others can have the rest."""
    hub = hub_of(numbered(100))
    leased: list[int] = []

    async def look(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        leased.append(rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL")[0][0])
        return await proceed(request)

    hub.disturb("/tags", look)
    assert crawl(hub, location, Plan(namespaces=["acme"], concurrency=2)).progress.done == 100
    assert max(leased) <= 6


# Bad weather


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(too_many(), RateLimited), (challenge(), Blocked), (challenge(200), Blocked)],
    ids=["429", "403 challenge", "200 challenge"],
)
def test_a_hub_that_refuses_us_is_left_alone(location: Location, fault: Fault, kind: type[Exception]) -> None:
    """The crawl stops early: what was under way may end, nothing new begins."""
    hub = hub_of(numbered(90))
    hub.disturb("/tags", fault, after=10)
    crawled = crawl(hub, location, Plan(terms=["app"], namespaces=["acme"], concurrency=4))
    assert crawled.progress.stopped
    assert isinstance(crawled.progress.first_error, kind)
    assert sum(tag_requests(crawled).values()) <= 10 + 4
    assert len(crawled.warnings) == 1


def test_one_refusal_ends_walks_and_lists_that_are_under_way(location: Location) -> None:
    """Each ends with the page that it is waiting for, however long its list is, and says that it is not whole."""
    hub = hub_of(["acme/app-0", "acme/app-1"], tag_count=500)
    for number in range(300):
        hub.add_repository(f"zoe/x-{number}")
    refused = asyncio.Event()

    async def refuse(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        refused.set()
        return await too_many()(request, proceed)

    async def wait_for_refusal(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await refused.wait()
        await asyncio.sleep(0.05)
        return await proceed(request)

    hub.disturb("app-1/tags", refuse, times=1)
    hub.disturb("app-0/tags", wait_for_refusal)
    hub.disturb("zoe/repositories", wait_for_refusal)
    crawled = crawl(
        hub, location, Plan(repositories=["acme/app-0", "acme/app-1"], namespaces=["zoe"], concurrency=4)
    )
    assert tag_requests(crawled) == {"acme/app-0": 1, "acme/app-1": 1}
    assert sum("zoe/repositories" in path for path in crawled.paths) == 1
    facts, tags = state(location, "acme/app-0")
    assert len(tags) == 100
    assert facts.walk_problem is not None


def test_refusals_of_searches_stop_the_crawl_too(location: Location) -> None:
    """Further terms are not tried."""
    hub = hub_of(numbered(5))
    hub.disturb("", too_many())
    crawled = crawl(hub, location, Plan(terms=[f"term-{number}" for number in range(50)], concurrency=4))
    assert len(crawled.paths) <= 4
    assert crawled.progress.answers == 0


def test_failures_with_answers_between_them_do_not_stop_a_crawl(location: Location) -> None:
    """One in two fails: the others are still worth asking for."""
    hub = hub_of(numbered(90))
    for number in range(0, 90, 2):
        hub.disturb(f"app-{number:03}/tags", hang_up)
    crawled = crawl(hub, location, Plan(terms=["app"], concurrency=1))
    assert (crawled.progress.failures, crawled.progress.done) == (45, 90)
    assert not crawled.progress.stopped
    assert len(tag_names(location, "acme/app-089")) == 1


def test_repositories_that_are_not_found_do_not_stop_a_crawl(location: Location) -> None:
    """A 404 is an answer: a long list of old names may have many."""
    hub = hub_of(["acme/app"])
    plan = Plan(repositories=[*(f"acme/old-{number}" for number in range(40)), "acme/app"], concurrency=1)
    crawled = crawl(hub, location, plan)
    assert (crawled.progress.failures, crawled.progress.missing) == (0, 40)
    assert names(location) == ["acme/app"]


@pytest.mark.parametrize(
    "fault", [garbage(), hang_up, server_error(), answer(200, "<html>welcome</html>", content_type="text/html")]
)
def test_one_bad_answer_is_a_failure_of_its_own(location: Location, fault: Fault) -> None:
    """The crawl goes on with everything else."""
    hub = hub_of(numbered(5))
    hub.disturb("app-002/tags", fault)
    crawled = crawl(hub, location, Plan(terms=["app"]))
    assert (crawled.progress.failures, crawled.progress.done, crawled.progress.tags) == (1, 5, 4)
    [warning] = crawled.warnings
    assert "app-002" in warning


def test_a_list_of_tags_whose_next_page_is_always_the_second_ends(location: Location) -> None:
    """The pages are counted here, so they end where the list ends."""
    hub = hub_of(["acme/app"], tag_count=250)
    hub.disturb("/tags", next_replaced("page=3", "page=2"))
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    assert tag_requests(crawled) == {"acme/app": 3}
    assert len(tag_names(location, "acme/app")) == 250


async def _always_the_first(request: web.Request, proceed: Proceed) -> web.StreamResponse:
    """A fault: whatever page is asked for, the first one comes, and says that there is more."""
    query = {**request.query, "page": "1", "page_size": "2"}
    return await proceed(request.clone(rel_url=request.rel_url.with_query(query)))


def test_a_list_of_tags_that_repeats_itself_ends(location: Location) -> None:
    """As soon as a page brings no new name; the top is looked at once more."""
    hub = hub_of(["acme/app"], tag_count=5)
    hub.disturb("/tags", _always_the_first)
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    assert tag_requests(crawled) == {"acme/app": 3}
    assert state(location, "acme/app")[0].walk_problem == "saw 2 tags where the source counts 5"


def test_a_namespace_that_repeats_itself_ends(location: Location) -> None:
    """As soon as a page brings no new repository."""
    hub = hub_of(numbered(5))
    hub.disturb("acme/repositories\\?", _always_the_first)
    crawled = crawl(hub, location, Plan(namespaces=["acme"], tags=False))
    assert len(crawled.paths) == 2


def test_a_namespace_found_by_other_ways_before_is_still_listed_to_its_end(location: Location) -> None:
    """What another part of the plan has met already is no repetition."""
    hub = hub_of(numbered(250))
    hub.disturb("acme/repositories\\?", slow(0.05), times=1)
    crawled = crawl(hub, location, Plan(terms=["app"], namespaces=["acme"], tags=False, concurrency=2))
    assert crawled.progress.found == 250


def test_a_next_page_on_another_server_is_never_asked_for(location: Location) -> None:
    """Its address only tells that there is more."""
    hub, elsewhere = hub_of(["acme/app"], tag_count=250), FakeHub()

    async def story() -> Crawled:
        async with elsewhere.serve() as url:
            hub.disturb("", next_elsewhere(url))
            return await crawl_served(hub, location, Plan(terms=["app"], namespaces=["acme"]))

    asyncio.run(asyncio.wait_for(story(), DEADLINE))
    assert len(tag_names(location, "acme/app")) == 250
    assert elsewhere.requests == []


def test_a_hub_that_cannot_be_reached_is_a_failure(location: Location) -> None:
    """Nothing is answered, nothing is stored."""

    async def story() -> Crawler:
        async with FakeHub().serve() as url:
            pass
        async with HttpClient() as http, Writer(location) as writer:
            crawler = Crawler(Sources(DockerHub(http, url)), writer, Plan(terms=["app"]), lambda _: None)
            await crawler.run()
            return crawler

    progress = asyncio.run(asyncio.wait_for(story(), DEADLINE)).progress
    assert (progress.answers, progress.failures) == (0, 1)
    assert isinstance(progress.first_error, Unreachable)
    assert names(location) == []


# The index


def test_a_database_that_goes_away_ends_the_crawl(
    postgresql_server: str, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With one error, at once: no task or future is left with another one."""
    hub = hub_of(numbered(60), tag_count=3)

    async def dropping(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await asyncio.to_thread(shut, postgresql_server, postgresql_url)
        return await proceed(request)

    hub.disturb("/tags", dropping, after=20, times=1)
    with pytest.raises(StorageError):
        crawl(hub, Location.parse(postgresql_url), Plan(terms=["app"]))
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_an_index_that_is_ruined_ends_the_crawl(tmp_path: Path) -> None:
    """A SQLite file that is no database any more is one error too."""
    hub = hub_of(numbered(60), tag_count=3)
    path = tmp_path / "index.db"

    async def ruin(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        path.write_bytes(b"this is no database " * 1000)
        return await proceed(request)

    hub.disturb("/tags", ruin, after=20, times=1)
    with pytest.raises(StorageError):
        crawl(hub, Location.parse(str(path)), Plan(terms=["app"]))


def test_what_is_complete_is_kept_when_a_crawl_is_cancelled(location: Location) -> None:
    """And a second crawl fetches the rest."""
    hub = hub_of(numbered(40), tag_count=2)
    enough = asyncio.Event()

    async def stick(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        enough.set()
        await asyncio.Event().wait()
        return await proceed(request)

    hub.disturb("/tags", stick, after=20)

    async def interrupted() -> None:
        task = asyncio.create_task(crawl_served(hub, location, Plan(terms=["app"])))
        await enough.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(interrupted(), DEADLINE))
    walked = rows(location, "SELECT count(*) FROM repository WHERE walked_at IS NOT NULL")[0][0]
    assert 12 <= walked <= 20
    assert problems(location) == []
    hub.faults.clear()
    crawl(hub, location, Plan(terms=["app"]))
    assert all(tag_names(location, path) == {"t0", "t1"} for path in numbered(40))


def test_two_crawls_into_one_index_do_not_disturb_each_other(location: Location) -> None:
    """They find the same repositories, and everything is there once."""
    hub = hub_of(numbered(40), tag_count=3)

    async def both() -> list[Crawled]:
        plan = Plan(terms=["app"])
        return list(await asyncio.gather(*(crawl_served(hub, location, plan) for _ in range(2))))

    crawled = asyncio.run(asyncio.wait_for(both(), DEADLINE))
    assert sum(each.progress.new_repositories for each in crawled) == 40
    assert sum(each.progress.failures for each in crawled) == 0
    assert problems(location) == []
    assert rows(location, "SELECT count(*) FROM tag") == [(120,)]


def test_a_smaller_limit_keeps_what_stood_behind_it(location: Location) -> None:
    """Asking for the first row says nothing of the second."""
    hub = hub_of(["acme/a", "acme/b"])
    hub.set_search("thing", ["acme/a", "acme/b"])
    crawl(hub, location, Plan(terms=["thing"]))
    crawl(hub, location, Plan(terms=["thing"], limit=1))
    assert positions(location, "thing") == {"acme/a": 1, "acme/b": 2}


def test_an_empty_answer_forgets_nothing(location: Location) -> None:
    """The Hub has answered blocked clients with searches that find nothing."""
    hub = hub_of(["acme/a"])
    hub.set_search("thing", ["acme/a"])
    crawl(hub, location, Plan(terms=["thing"]))
    hub.set_search("thing", [])
    crawled = crawl(hub, location, Plan(terms=["thing"]))
    assert positions(location, "thing") == {"acme/a": 1}
    assert crawled.warnings == ["thing: Docker Hub finds nothing"]


def test_a_walk_that_was_interrupted_says_so(location: Location) -> None:
    """Its pages are kept, and nobody takes them for all there is."""
    hub = hub_of(["acme/app"], tag_count=250)
    enough = asyncio.Event()

    async def stick(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        enough.set()
        await asyncio.Event().wait()
        return await proceed(request)

    hub.disturb("/tags", stick, after=1)

    async def interrupted() -> None:
        task = asyncio.create_task(crawl_served(hub, location, Plan(repositories=["acme/app"])))
        await enough.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(interrupted(), DEADLINE))
    facts, tags = state(location, "acme/app")
    assert facts.walk_problem == "interrupted"
    assert len(tags) == 100
    assert problems(location) == []


def test_a_page_of_too_many_rows_is_not_read(location: Location) -> None:
    """Ten times what was asked for is no answer, and would fill the memory of a crawl."""
    hub = hub_of(["acme/app"])

    def stuff(body: dict[str, JSON]) -> None:
        body["results"] = [{"name": f"t{number}"} for number in range(1001)]

    hub.disturb("/tags", rewritten(stuff))
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]))
    assert "1,001 rows in one page" in str(crawled.progress.first_error)
