"""Lists: all that can be had of a search or a namespace, also where the Hub does not show it to the end."""

import pytest

from hubindex.crawl.listing import Numbers
from hubindex.crawl.plan import Plan
from hubindex.errors import Blocked, PaginationRefused
from hubindex.index.database.location import Location
from tests.crawl.crawling import Crawled, at, crawl, hub_of, names, numbered, positions
from tests.fakehub import FakeHub
from tests.fakehub.weather import answer, not_found, server_error
from tests.index.building import rows

NOTHING = '{"count":0,"next":"","previous":"","results":[]}'


def searched(count: int, cap: int | None = 100) -> FakeHub:
    """A Hub with so many results of `app`: the last ones have most pulls, those in the middle most stars."""
    hub = hub_of(numbered(count))
    hub.set_search("app", numbered(count))
    hub.offset_caps["search"] = cap
    for number, repository in enumerate(hub.repositories.values()):
        repository.pull_count = number
        repository.star_count = 1000 - abs(number - count // 2)
    return hub


def search(hub: FakeHub, location: Location, limit: int) -> Crawled:
    return crawl(hub, location, Plan(terms=["app"], limit=limit, tags=False), at())


def orders(crawled: Crawled) -> list[str]:
    """The orders and filters in which results were asked for, one for each request."""
    searches = [path.partition("?")[2] for path in crawled.paths if "/search/" in path]
    return [
        next((part for part in query.split("&") if part.startswith(("ordering", "is_official"))), "")
        for query in searches
    ]


# Searches


def test_other_orders_show_what_lies_beyond_the_cap(location: Location) -> None:
    """Merged without duplicates, and all that was wanted came: no failure."""
    crawled = search(searched(230), location, 230)
    assert names(location) == numbered(230)
    assert crawled.progress.found == crawled.progress.new_repositories == 230
    assert crawled.progress.failures == 0
    assert sorted(positions(location, "app").values()) == list(range(1, 231))


def test_the_order_of_the_search_comes_first(location: Location) -> None:
    """What other orders add stands behind it."""
    search(searched(230), location, 230)
    places = positions(location, "app")
    assert list(places)[:100] == numbered(100)


def test_a_search_within_the_cap_is_asked_in_one_order(location: Location) -> None:
    """The others are for those who are refused."""
    assert orders(search(searched(90), location, 1000)) == [""]


def test_no_other_order_is_asked_for_more_than_wanted(location: Location) -> None:
    """A hundred results are in the first page."""
    assert orders(search(searched(230), location, 100)) == [""]


def test_exactly_as_many_as_wanted_are_taken_of_all_orders(location: Location) -> None:
    """No row too many."""
    crawled = search(searched(230), location, 150)
    assert crawled.progress.found == 150
    assert len(names(location)) == 150
    assert crawled.progress.failures == 0


def test_known_rows_do_not_take_the_place_of_new_ones(location: Location) -> None:
    """Another order that begins with what was found already still adds what stands behind it."""
    hub = searched(230)
    for number, repository in enumerate(hub.repositories.values()):
        repository.pull_count = repository.star_count = 1000 - number if 40 <= number < 140 else 0
    crawled = search(hub, location, 110)
    assert crawled.progress.found == 110
    assert crawled.progress.failures == 0


def test_official_images_are_found_by_their_filter(location: Location) -> None:
    """Also one without stars or pulls at the end of the list."""
    hub = searched(250)
    hub.add_repository("library/zapp", star_count=0)
    hub.set_search("app", [*numbered(250), "library/zapp"])
    search(hub, location, 1000)
    assert "library/zapp" in names(location)


def test_what_no_order_shows_is_told(location: Location) -> None:
    """How many came of how many; it is a failure that does not stop the crawl."""
    crawled = search(searched(600), location, 1000)
    assert isinstance(crawled.progress.first_error, PaginationRefused)
    assert f"{crawled.progress.found} of 600 results came" in str(crawled.progress.first_error)
    assert 200 < crawled.progress.found < 600
    assert not crawled.progress.stopped
    assert list(dict.fromkeys(orders(crawled))) == [
        "",
        "ordering=-pull_count",
        "ordering=-star_count",
        "is_official=true",
    ]


def test_what_no_order_shows_is_not_asked_for_every_hour(location: Location) -> None:
    """It is all that can be had: the seed is done, and due in a week."""
    search(searched(600), location, 1000)
    assert rows(location, "SELECT tries, asked_by FROM job") == [(0, None)]


def test_an_empty_search_is_doubted(location: Location) -> None:
    """Asked again it finds something, and that counts."""
    hub = searched(5)
    hub.disturb("/search/", answer(200, NOTHING), times=1)
    crawled = search(hub, location, 5)
    assert names(location) == numbered(5)
    assert crawled.warnings == []


def test_a_search_that_fails_is_tried_again(location: Location) -> None:
    """By the next crawl: its job stays, with what happened."""
    hub = searched(5)
    hub.disturb("/search/", server_error())
    search(hub, location, 5)
    assert rows(location, "SELECT tries, failure FROM job") == [(1, "Unreachable")]
    hub.faults.clear()
    crawl(hub, location, Plan(), at(0.1))
    assert names(location) == numbered(5)


# Namespaces


def namespaced(count: int, cap: int | None = 100) -> FakeHub:
    """A Hub that shows anonymous callers the first rows of a namespace only."""
    hub = hub_of(numbered(count))
    hub.offset_caps["repositories"] = cap
    for number, repository in enumerate(hub.repositories.values()):
        repository.pull_count = (number * 7919) % 1000
        repository.last_updated = f"2024-{number * 5 % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z"
    return hub


def test_a_namespace_beyond_the_cap_is_listed_in_other_orders(location: Location) -> None:
    """From both ends, by name, by time and by pulls, until as many came as the Hub counts."""
    crawled = crawl(namespaced(190), location, Plan(namespaces=["acme"], tags=False), at())
    assert names(location) == numbered(190)
    assert crawled.progress.found == 190
    assert crawled.progress.failures == 0


def test_a_namespace_that_no_order_shows_wholly_is_told(location: Location) -> None:
    """How many came of how many."""
    crawled = crawl(namespaced(900), location, Plan(namespaces=["acme"], tags=False), at())
    assert isinstance(crawled.progress.first_error, PaginationRefused)
    assert f"{len(names(location))} of 900 repositories came" in str(crawled.progress.first_error)
    assert len(names(location)) > 300


def test_a_namespace_within_the_cap_is_listed_once(location: Location) -> None:
    """One order shows it all."""
    crawled = crawl(namespaced(90), location, Plan(namespaces=["acme"], tags=False), at())
    assert len(crawled.paths) == 1


# Repositories


def test_a_repository_that_is_found_the_second_time_is_there(location: Location) -> None:
    """One 404 was a fault."""
    hub = hub_of(["acme/app"])
    hub.disturb("repositories/app$", not_found(), times=1)
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]), at())
    assert crawled.progress.failures == 0
    assert names(location) == ["acme/app"]


def test_a_hub_that_denies_its_canary_denies_nothing(location: Location) -> None:
    """A known repository is not missing because of it, and the seed is asked for again."""
    hub = hub_of(["acme/app"])
    crawl(hub, location, Plan(repositories=["acme/app"]), at())
    hub.disturb("", not_found())
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]), at(5))
    assert isinstance(crawled.progress.first_error, Blocked)
    assert rows(location, "SELECT missing_at FROM repository") == [(None,)]
    hub.faults.clear()
    crawled = crawl(hub, location, Plan(repositories=["acme/app"]), at(6))
    assert crawled.progress.failures == 0


# Sets of numbers


@pytest.mark.parametrize("numbers", [[1, 2, 1], [0, 0], [7, 8, 9, 8], [100_000, 3, 100_000], []])
def test_numbers_are_a_set(numbers: list[int]) -> None:
    """Each is new once."""
    found, seen = Numbers(), set[int]()
    for number in numbers:
        assert found.add(number) == (number not in seen)
        seen.add(number)
