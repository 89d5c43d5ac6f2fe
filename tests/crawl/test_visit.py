"""Visits: as few requests as tell what the tags of a repository are now, and nothing believed without a proof."""

import pytest

from hubindex.crawl.plan import Plan
from hubindex.errors import Blocked, PaginationRefused, Unreachable
from hubindex.index.database.location import Location
from tests.crawl.crawling import Crawled, at, crawl, hub_of, numbered, state, tag_names, tag_requests
from tests.fakehub import FakeHub
from tests.fakehub.data import digest_of
from tests.fakehub.rows import JSON
from tests.fakehub.weather import answer, meanwhile, not_found, rewritten, server_error, unauthorized
from tests.index.building import problems, rows

NOTHING = '{"count":0,"next":null,"previous":null,"results":[]}'
APP = Plan(repositories=["acme/app"])


def look(hub: FakeHub, location: Location, hours: float = 0, *, heads: int | None = None) -> Crawled:
    """A crawl of `acme/app`, so many hours after the first; the registry is asked for up to `heads` digests."""
    if heads is None:
        return crawl(hub, location, APP, at(hours))
    return crawl(hub, location, Plan(repositories=["acme/app"], heads=heads), at(hours), with_registry=True)


def pages(crawled: Crawled) -> int:
    """How many pages of tags were asked for."""
    return tag_requests(crawled)["acme/app"]


# Again


@pytest.mark.parametrize(("tag_count", "page_size"), [(1, 100), (100, 100), (101, 100), (300, 10)])
def test_an_unchanged_repository_is_one_request(location: Location, tag_count: int, page_size: int) -> None:
    """Whether its list has one page or thirty."""
    hub = hub_of(["acme/app"], tag_count)
    hub.forced_page_size = page_size
    assert pages(look(hub, location)) == -(-tag_count // page_size)
    crawled = look(hub, location, 5)
    assert pages(crawled) == 1
    assert crawled.progress.done == 1
    assert (crawled.progress.new_tags, crawled.progress.changed_tags) == (0, 0)


def test_an_empty_repository_is_asked_until_it_is_believed(location: Location) -> None:
    """There is nothing that could be unchanged on its page: three requests."""
    hub = FakeHub()
    hub.add_repository("acme/app")
    look(hub, location)
    assert pages(look(hub, location, 5)) <= 3
    assert state(location, "acme/app")[0].walk_problem is None


def test_a_look_that_found_nothing_new_confirms_what_it_saw(location: Location) -> None:
    """All that was pushed as late as the oldest of its page; the others were not seen, and are what they were."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    look(hub, location)
    look(hub, location, 5)
    facts, tags = state(location, "acme/app")
    assert (facts.walked_at, facts.sweeps.swept_at, facts.walk_problem) == (at(5)(), at()(), None)
    confirmed = {name for name, tag in tags.items() if tag.last_seen_at == at(5)()}
    assert confirmed == {f"t{number}" for number in range(20, 30)}
    assert {tag.last_seen_at for tag in tags.values()} == {at(5)(), at()()}


def test_every_four_weeks_the_list_is_read_to_its_end(location: Location) -> None:
    """A source may forget to count a change."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    look(hub, location)
    asked = [pages(look(hub, location, days * 24)) for days in (14, 27.9, 28, 29)]
    assert asked == [1, 1, 3, 1]


def test_a_full_look_reads_the_list_to_its_end(location: Location) -> None:
    """Although nothing seems to be new."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    look(hub, location)
    assert pages(crawl(hub, location, Plan(repositories=["acme/app"], full=True), at(5))) == 3
    assert state(location, "acme/app")[0].sweeps.swept_at == at(5)()


def test_a_changed_repository_is_read_as_far_as_it_changed(location: Location) -> None:
    """Two tags moved, one is new, all at the top: the second page shows that nothing else did."""
    hub = hub_of(["acme/app"], 60)
    hub.forced_page_size = 10
    look(hub, location)
    app = hub.repositories["acme/app"]
    app.push("t0", at="2024-06-01T00:00:00Z", content="moved")
    app.push("t5", at="2024-06-02T00:00:00Z", content="moved")
    app.push("new", at="2024-06-03T00:00:00Z")
    crawled = look(hub, location, 5)
    assert pages(crawled) == 2
    assert (crawled.progress.new_tags, crawled.progress.changed_tags) == (1, 2)
    assert len(tag_names(location, "acme/app")) == 61


def test_a_push_of_the_same_again_is_read_as_far_as_it_goes(location: Location) -> None:
    """A new push time is news, and no move."""
    hub = hub_of(["acme/app"], 60)
    hub.forced_page_size = 10
    look(hub, location)
    app = hub.repositories["acme/app"]
    app.push("t59", at="2024-06-01T00:00:00Z", content="acme/app:t59 2024-03-01T00:59:00Z")
    crawled = look(hub, location, 5)
    assert pages(crawled) == 2
    assert crawled.progress.changed_tags == 0


def test_a_deletion_forces_the_whole_walk(location: Location) -> None:
    """The count tells that something is gone; only the whole list tells what."""
    hub = hub_of(["acme/app"], 60)
    hub.forced_page_size = 10
    look(hub, location)
    hub.repositories["acme/app"].delete("t3")
    crawled = look(hub, location, 5)
    assert pages(crawled) == 6
    assert "t3" not in tag_names(location, "acme/app")
    assert crawled.progress.changed_tags == 1


def test_a_deletion_behind_a_push_is_found(location: Location) -> None:
    """The count is the same as before, but the tags known are one more by then."""
    hub = hub_of(["acme/app"], 60)
    hub.forced_page_size = 10
    look(hub, location)
    hub.repositories["acme/app"].delete("t3")
    hub.repositories["acme/app"].push("new", at="2024-06-01T00:00:00Z")
    crawled = look(hub, location, 5)
    assert pages(crawled) == 6
    names = tag_names(location, "acme/app")
    assert "t3" not in names
    assert "new" in names


def test_a_walk_after_one_that_broke_off_is_whole(location: Location) -> None:
    """A first page without news says nothing about pages that nobody has seen."""
    hub = hub_of(["acme/app"], 60)
    hub.forced_page_size = 10
    hub.disturb("page=4", server_error(), times=1)
    look(hub, location)
    assert pages(look(hub, location, 5)) == 6
    assert state(location, "acme/app")[0].walk_problem is None


def test_a_page_with_a_row_that_is_not_understood_does_not_end_a_walk(location: Location) -> None:
    """What could not be read may be news."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    look(hub, location)

    def poison(value: dict[str, JSON]) -> None:
        results = value["results"]
        assert isinstance(results, list)
        results[0] = {"name": "/poisoned"}

    hub.repositories["acme/app"].push("t29", at="2024-06-01T00:00:00Z", content="moved")
    hub.disturb("page=1&", rewritten(poison))
    assert pages(look(hub, location, 5)) >= 3
    facts, tags = state(location, "acme/app")
    assert facts.walk_problem == "1 rows could not be understood"
    assert tags["t29"].last_seen_at == at()()


def test_a_tag_pushed_between_the_pages_of_a_refresh_is_not_lost(location: Location) -> None:
    """Whether this look or the next one sees it."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    look(hub, location)
    app = hub.repositories["acme/app"]
    app.push("new", at="2024-06-01T00:00:00Z")
    hub.disturb("page=1&", meanwhile(lambda: app.push("later", at="2024-06-02T00:00:00Z")), times=1)
    look(hub, location, 5)
    look(hub, location, 10)
    assert {"new", "later"} <= tag_names(location, "acme/app")
    assert state(location, "acme/app")[0].walk_problem is None


# A no


def test_a_single_404_is_no_news(location: Location) -> None:
    """The second answer shows the tags, and nothing is missing."""
    hub = hub_of(["acme/app"], 2)
    look(hub, location)
    hub.disturb("app/tags", not_found(), times=1)
    crawled = look(hub, location, 5)
    assert crawled.progress.failures == 0
    assert state(location, "acme/app")[0].missing_at is None


def test_tags_that_stay_away_hours_apart_are_gone(location: Location) -> None:
    """Missing first; the visit four hours later makes it gone."""
    hub = hub_of(["acme/app"], 2)
    look(hub, location)
    hub.remove_repository("acme/app")
    seen = []
    for hours in (30 * 24, 30 * 24 + 3, 30 * 24 + 4):
        crawl(hub, location, Plan(), at(hours))
        facts = state(location, "acme/app")[0]
        seen.append((facts.missing_at, facts.gone_at))
    first = at(30 * 24)()
    assert seen == [(first, None), (first, None), (first, at(30 * 24 + 4)())]
    assert rows(location, "SELECT count(*) FROM tag WHERE gone_at IS NULL") == [(0,)]


def test_what_is_gone_is_looked_for_seldom(location: Location) -> None:
    """Every four weeks, not every four hours for ever."""
    hub = hub_of(["acme/app"], 2)
    look(hub, location)
    hub.remove_repository("acme/app")
    for hours in (30 * 24, 30 * 24 + 4):
        crawl(hub, location, Plan(), at(hours))
    assert crawl(hub, location, Plan(), at(30 * 24 + 27 * 24)).paths == []


def test_a_repository_that_is_back_is_there_with_its_tags(location: Location) -> None:
    """Missing no more, and its spans go on."""
    hub = hub_of(["acme/app"], 2)
    look(hub, location)
    away = hub.repositories.pop("acme/app")
    crawl(hub, location, Plan(), at(30 * 24))
    assert state(location, "acme/app")[0].missing_at is not None
    hub.repositories["acme/app"] = away
    crawl(hub, location, Plan(), at(30 * 24 + 5))
    facts, tags = state(location, "acme/app")
    assert facts.missing_at is None
    assert set(tags) == {"t0", "t1"}
    assert rows(location, "SELECT count(*) FROM span") == [(0,)]


def test_an_empty_answer_that_passes_is_no_news(location: Location) -> None:
    """Asked again, the tags are there: no walk has a problem."""
    hub = hub_of(["acme/app"], 2)
    look(hub, location)
    hub.disturb("app/tags", answer(200, NOTHING), times=2)
    look(hub, location, 5)
    facts, tags = state(location, "acme/app")
    assert facts.walk_problem is None
    assert set(tags) == {"t0", "t1"}


def test_an_empty_answer_that_stays_ends_nothing(location: Location) -> None:
    """The tags stay, and the index says why that was no sweep."""
    hub = hub_of(["acme/app"], 2)
    look(hub, location)
    hub.disturb("app/tags", answer(200, NOTHING))
    look(hub, location, 5)
    facts, tags = state(location, "acme/app")
    assert facts.walk_problem == "the source shows no tags where some were known"
    assert set(tags) == {"t0", "t1"}


def test_an_empty_page_in_the_middle_is_asked_for_again(location: Location) -> None:
    """Where more must come, nothing is doubtful."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    hub.disturb("page=2", answer(200, '{"count":30,"next":null,"previous":null,"results":[]}'), times=1)
    look(hub, location)
    assert len(tag_names(location, "acme/app")) == 30


def test_a_hub_that_denies_everything_stops_the_crawl(location: Location) -> None:
    """It says that even the canary does not exist: nothing is concluded, and nothing else is asked."""
    hub = hub_of([f"acme/app-{number}" for number in range(20)])
    crawl(hub, location, Plan(namespaces=["acme"]), at())
    hub.disturb("/repositories/[^?]", not_found())
    crawled = crawl(hub, location, Plan(concurrency=2), at(30 * 24))
    assert isinstance(crawled.progress.first_error, Blocked)
    assert crawled.progress.stopped
    assert len(crawled.paths) < 10
    assert rows(location, "SELECT count(*) FROM repository WHERE missing_at IS NOT NULL") == [(0,)]
    assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]


def test_after_such_a_block_everything_is_fetched(location: Location) -> None:
    """By the next crawl, when its time has come."""
    hub = hub_of([f"acme/app-{number}" for number in range(6)])
    crawl(hub, location, Plan(namespaces=["acme"]), at())
    hub.disturb("/repositories/[^?]", not_found())
    crawl(hub, location, Plan(concurrency=2), at(30 * 24))
    hub.faults.clear()
    crawl(hub, location, Plan(), at(30 * 24 + 1))
    walked = rows(location, "SELECT DISTINCT walked_at FROM repository")
    assert walked == [(at(30 * 24 + 1)(),)]


# Beyond what the Hub shows


@pytest.mark.parametrize("cap", [100, 500, 1000])
def test_all_names_are_found_beyond_the_offset_cap(location: Location, cap: int) -> None:
    """From the registry, and a digest for each that the Hub did not show."""
    hub = hub_of(["acme/app"], cap + 12)
    hub.offset_caps["tags"] = cap
    crawled = look(hub, location, heads=1000)
    facts, tags = state(location, "acme/app")
    expected = {tag.name: tag.digest for tag in hub.repositories["acme/app"].tags}
    assert {name: tag.digest for name, tag in tags.items()} == expected
    assert facts.walk_problem is None
    assert facts.sweeps.swept_at == at()()
    assert crawled.progress.failures == 0
    assert sum(arrival.method == "HEAD" for arrival in hub.requests) <= 2 * 12
    assert problems(location) == []


def capped(tag_count: int = 30, cap: int = 20) -> FakeHub:
    """A Hub that shows anonymous callers the newest tags of `acme/app` only, ten a page."""
    hub = hub_of(["acme/app"], tag_count)
    hub.forced_page_size = 10
    hub.offset_caps["tags"] = cap
    return hub


def undigested(location: Location) -> set[str]:
    """The tags whose digest is not known."""
    return {name for name, tag in state(location, "acme/app")[1].items() if tag.digest is None}


def test_no_more_digests_are_asked_for_than_wanted(location: Location) -> None:
    """The names of the others are there, it is a sweep, and the index says what is left."""
    hub = capped()
    look(hub, location, heads=4)
    facts, tags = state(location, "acme/app")
    assert len(tags) == 30
    assert len(undigested(location)) == 6
    assert facts.walk_problem == "the digests of 6 of 30 tags were not asked for"
    assert facts.sweeps.swept_at == facts.walked_at


def test_the_next_crawls_ask_for_the_other_digests(location: Location) -> None:
    """Those that are known least come first, until all are known."""
    hub, left = capped(), []
    for hours in range(3):
        look(hub, location, hours, heads=4)
        left.append(len(undigested(location)))
    assert left == [6, 2, 0]


def test_without_heads_there_are_names_alone(location: Location) -> None:
    """No request to the registry but for its list; and the next look at the unchanged repository is one page."""
    hub = capped()
    look(hub, location, heads=0)
    assert len(undigested(location)) == 10
    assert not any(arrival.method == "HEAD" for arrival in hub.requests)
    crawled = look(hub, location, 5, heads=0)
    assert pages(crawled) == 1
    assert not any("tags/list" in path for path in crawled.paths)


def test_digests_that_were_not_asked_for_are_told_until_they_are(location: Location) -> None:
    """Also by a look that ended early; and who wants them then gets them."""
    hub = capped()
    for hours in (0, 5):
        look(hub, location, hours, heads=0)
        assert "digests of 10 of 30 tags" in str(state(location, "acme/app")[0].walk_problem)
    look(hub, location, 10, heads=1000)
    assert undigested(location) == set()
    assert state(location, "acme/app")[0].walk_problem is None


def test_a_repository_beyond_the_cap_is_one_request_once_all_is_known(location: Location) -> None:
    """As any other that has not changed."""
    hub = capped()
    look(hub, location, heads=1000)
    crawled = look(hub, location, 5, heads=1000)
    assert pages(crawled) == 1
    assert not any("tags/list" in path for path in crawled.paths)


def test_tags_that_the_hub_counts_not_are_found_too(location: Location) -> None:
    """What only the registry has is a tag as any other."""
    hub = capped()
    hub.registry.only_here["acme/app"] = {"hidden": digest_of("hidden")}
    look(hub, location, heads=1000)
    tags = state(location, "acme/app")[1]
    assert tags["hidden"].digest == digest_of("hidden")
    assert len(tags) == 31


def test_a_deletion_beyond_the_cap_is_found(location: Location) -> None:
    """The registry does not list it any more."""
    hub = capped()
    look(hub, location, heads=1000)
    hub.repositories["acme/app"].delete("t3")
    look(hub, location, 5, heads=1000)
    assert "t3" not in tag_names(location, "acme/app")


def test_without_a_registry_the_walk_stays_incomplete(location: Location) -> None:
    """What was not shown is not gone, and the refusal is told."""
    hub = capped()
    look(hub, location, heads=1000)
    crawled = look(hub, location, 5)  # unchanged: one page
    assert crawled.progress.failures == 0
    hub.repositories["acme/app"].delete("t3")
    crawled = look(hub, location, 10)
    facts, tags = state(location, "acme/app")
    assert isinstance(crawled.progress.first_error, PaginationRefused)
    assert "pagination offset too large" in str(facts.walk_problem)
    assert len(tags) == 30


def test_a_registry_that_fails_proves_nothing(location: Location) -> None:
    """What the Hub showed is kept; nothing is gone."""
    hub = capped()
    hub.disturb("tags/list", server_error())
    crawled = look(hub, location, heads=1000)
    facts, tags = state(location, "acme/app")
    assert isinstance(crawled.progress.first_error, Unreachable)
    assert len(tags) == 20
    assert facts.walk_problem is not None
    assert facts.sweeps.swept_at is None


def test_a_list_of_names_that_is_not_whole_proves_nothing(location: Location) -> None:
    """A name that no tag can have: the list is not believed."""
    hub = capped()
    look(hub, location, heads=1000)
    hub.repositories["acme/app"].delete("t3")
    hub.registry.only_here["acme/app"] = {"-bad name": digest_of("bad")}
    look(hub, location, 5, heads=1000)
    facts, tags = state(location, "acme/app")
    assert "t3" in tags
    assert "not whole" in str(facts.walk_problem)


def test_a_digest_that_cannot_be_had_leaves_the_others(location: Location) -> None:
    """A failure in the middle of the digests: those that came are stored, and the walk proves nothing."""
    hub = capped()
    hub.disturb("manifests/t3", server_error())
    crawled = look(hub, location, heads=1000)
    facts, tags = state(location, "acme/app")
    assert crawled.progress.failures == 1
    assert sum(tag.digest is not None for tag in tags.values()) > 20
    assert facts.walk_problem is not None
    assert facts.sweeps.swept_at is None


def test_a_tag_that_vanishes_before_its_digest_is_asked_for_has_none(location: Location) -> None:
    """The list named it, and the registry does not tell what it is: that is all that is known."""
    hub = capped()
    hub.disturb("manifests/t3", not_found())
    look(hub, location, heads=1000)
    facts, tags = state(location, "acme/app")
    assert (tags["t3"].digest, tags["t3"].certainty) == (None, "unknown")
    assert facts.walk_problem is None


def test_a_repository_missing_in_the_middle_of_its_list_is_not_missing(location: Location) -> None:
    """Its first page was there: the walk saw too little, and that is all it tells."""
    hub = hub_of(["acme/app"], 30)
    hub.forced_page_size = 10
    hub.disturb("page=2", not_found())
    look(hub, location)
    facts, tags = state(location, "acme/app")
    assert facts.missing_at is None
    assert facts.walk_problem == "saw 10 tags where the source counts 30"
    assert len(tags) == 10


# What broke off, and what came back


def test_a_walk_with_news_that_ends_early_has_ended(location: Location) -> None:
    """It is no interrupted one, and the next look is short again."""
    hub = hub_of(["acme/app"], 350)
    look(hub, location)
    hub.repositories["acme/app"].push("t9", at="2024-06-01T00:00:00Z", content="moved")
    assert tag_requests(look(hub, location, hours=1)) == {"acme/app": 2}
    facts, _ = state(location, "acme/app")
    assert (facts.walk_problem, facts.walked_at is None) == (None, False)
    assert tag_requests(look(hub, location, hours=2)) == {"acme/app": 1}


def test_one_repository_that_is_refused_does_not_end_the_crawl(location: Location) -> None:
    """A 403 for one thing says nothing about the others."""
    hub = hub_of(numbered(12))
    hub.disturb("app-003/tags", unauthorized())
    crawled = crawl(hub, location, Plan(namespaces=["acme"]))
    assert (crawled.progress.stopped, crawled.progress.failures, crawled.progress.done) == (False, 1, 12)
