"""What there is to do, and how many requests it would take."""

import pytest

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.questions.work import Estimate, estimate, total, work
from hubindex.index.seeds import NAMESPACE, REPOSITORY, TERM, Seed
from hubindex.index.writing.ingest import Ingest
from tests.index.building import HOUR, add, crawl, tag

NOW = 1_790_000_000_000
FAR = 1 << 50  # a lease that has not expired, by any clock


def sweep(ingest: Ingest, *ids: int) -> None:
    """Walk the whole lists of some repositories."""
    for number in ids:
        crawl(ingest, number, NOW, tag("latest", 1))


def plan(ingest: Ingest, *ids: int, asked_by: int | None = None, at: int = NOW) -> None:
    with ingest.transaction() as batch:
        batch.frontier.visit(ids, asked_by, at)


# Work


def test_an_index_without_jobs_has_no_work(reader: Reader) -> None:
    """Nothing of any kind."""
    found = work(reader, NOW)
    assert found == (0, 0, 0, 0, None, {})


def test_what_is_due_is_counted_by_its_kind(ingest: Ingest, reader: Reader) -> None:
    """Visits, and searches or lists; what is due later is not due."""
    plan(ingest, *add(ingest, "acme/a", "acme/b"))
    plan(ingest, *add(ingest, "acme/c"), at=NOW + HOUR)
    with ingest.transaction() as batch:
        batch.frontier.ask([Seed(TERM, "app", 10)], NOW)
    found = work(reader, NOW)
    assert (found.due_visits, found.due_seeds, found.first_due_at) == (2, 1, NOW)


def test_what_a_crawl_asked_for_is_unfinished_until_it_is_done(ingest: Ingest, reader: Reader) -> None:
    """Also what failed, and waits."""
    plan(ingest, *add(ingest, "acme/a", "acme/b", "acme/c"), asked_by=1)
    plan(ingest, *add(ingest, "acme/d"))
    with ingest.transaction() as batch:
        first, second, *_ = batch.frontier.claim("x", 2, NOW, NOW, 1)
        batch.frontier.fail(first, NOW, "Unreachable", "no")
        batch.frontier.finish(second, NOW, NOW + HOUR)
    assert work(reader, NOW).asked == 2


def test_leases_count_until_they_expire(ingest: Ingest, reader: Reader) -> None:
    """By the machine's own clock."""
    plan(ingest, *add(ingest, "acme/a", "acme/b", "acme/c"))
    with ingest.transaction() as batch:
        batch.frontier.claim("x", 1, NOW, 0, None)
        batch.frontier.claim("x", 1, NOW, FAR, None)
    assert work(reader, NOW).leased == 1


def test_failures_are_counted_by_their_kind(ingest: Ingest, reader: Reader) -> None:
    """The last one of each job, the most frequent kind first; what succeeded since has none."""
    plan(ingest, *add(ingest, *(f"acme/{letter}" for letter in "abcde")))
    with ingest.transaction() as batch:
        jobs = batch.frontier.claim("x", 5, NOW, NOW, None)
        for job, failure in zip(
            jobs, ("Blocked", "Unreachable", "Unreachable", "Blocked", "Blocked"), strict=True
        ):
            batch.frontier.fail(job, NOW, failure, "no")
        batch.frontier.fail(jobs[0], NOW, "Unreachable", "no")
        batch.frontier.finish(jobs[3], NOW, NOW + HOUR)
    assert list(work(reader, NOW).failures.items()) == [("Unreachable", 3), ("Blocked", 1)]


# Estimates


def told(estimates: list[Estimate]) -> list[tuple[str, int, bool]]:
    return [(each.what, each.requests, each.is_least) for each in estimates]


def test_what_is_due_and_swept_is_a_request_each(ingest: Ingest, reader: Reader) -> None:
    """What was never walked to its end takes one at least."""
    swept, other, third, later = add(ingest, "acme/a", "acme/b", "acme/c", "acme/d")
    sweep(ingest, swept, later)
    crawl(ingest, third, NOW, tag("latest", 1), problem="page 2: broke off")
    plan(ingest, swept, other, third)
    plan(ingest, later, at=NOW + HOUR)
    assert told(estimate(reader, [], NOW)) == [
        ("repositories that are due", 1, False),
        ("repositories that are due, not looked at to the end yet", 2, True),
    ]


def test_seeds_that_are_due_are_listed(ingest: Ingest, reader: Reader) -> None:
    """What they may find is not known, or due by itself."""
    with ingest.transaction() as batch:
        batch.frontier.ask([Seed(TERM, "app", 250), Seed(REPOSITORY, "acme/x"), Seed(NAMESPACE, "zoe")], NOW)
    assert sorted(told(estimate(reader, [], NOW))) == [
        ("the list of zoe", 1, True),
        ("the repository acme/x", 1, False),
        ("the search for 'app'", 3, False),
    ]


def test_nothing_due_takes_nothing(reader: Reader) -> None:
    """Not even a line."""
    assert estimate(reader, [], NOW) == []
    assert total([]) == ("in all", 0, False)


@pytest.mark.parametrize(
    ("kind", "name", "wanted", "requests"),
    [(REPOSITORY, "acme/x", 0, [1, 1]), (NAMESPACE, "acme", 0, [1]), (TERM, "app", 250, [3, 0])],
)
def test_without_an_index_nothing_is_known(kind: str, name: str, wanted: int, requests: list[int]) -> None:
    """A list, and as many visits as there will be: nobody knows, and it says so."""
    found = estimate(None, [Seed(kind, name, wanted)], NOW)
    assert [each.requests for each in found] == requests
    assert total(found).is_least


def test_a_known_namespace_is_its_list_and_its_repositories(ingest: Ingest, reader: Reader) -> None:
    """And nothing of its neighbours."""
    names = [f"acme/app-{number}" for number in range(120)]
    ids = add(ingest, *names, "acme-two/x", "acm/x", "acmf/x")
    sweep(ingest, *ids[:3])
    assert told(estimate(reader, [Seed(NAMESPACE, "acme", 0)], NOW)) == [
        ("the list of acme", 2, False),
        ("repositories known of acme", 3, False),
        ("repositories known of acme, not looked at to the end yet", 117, True),
    ]


def test_a_known_repository_is_two_requests(ingest: Ingest, reader: Reader) -> None:
    """What is said of it, and its tags; not those of a longer name."""
    ids = add(ingest, "acme/app", "acme/app-two", "acme/ap")
    sweep(ingest, *ids)
    assert told(estimate(reader, [Seed(REPOSITORY, "acme/app", 0)], NOW)) == [
        ("the repository acme/app", 1, False),
        ("repositories known of acme/app", 1, False),
    ]


def test_a_known_term_is_what_it_found(ingest: Ingest, reader: Reader) -> None:
    """As many of its first results as are wanted, however the term is written."""
    ids = add(ingest, "acme/a", "acme/b", "acme/c")
    sweep(ingest, *ids)
    with ingest.transaction() as batch:
        batch.search_results("app", ids, NOW, whole=True)
    assert told(estimate(reader, [Seed(TERM, "App", 2)], NOW)) == [
        ("the search for 'App'", 1, False),
        ("repositories known of App", 2, False),
    ]


def test_a_sum_is_as_sure_as_its_parts() -> None:
    """One that may be more makes it more."""
    parts = [Estimate("a", 2, is_least=False), Estimate("b", 3, is_least=True)]
    assert total(parts) == ("in all", 5, True)
    assert total(parts[:1]) == ("in all", 2, False)


def test_an_estimate_changes_nothing(ingest: Ingest, reader: Reader, location: Location) -> None:
    """What is due stays due, and nobody is at it."""
    plan(ingest, *add(ingest, "acme/a"))
    estimate(reader, [], NOW)
    assert work(reader, NOW)[:4] == (1, 0, 0, 0)
