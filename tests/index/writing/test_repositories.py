"""Repositories: what sources say of them, that they are not there, and what a search returned."""

import pytest

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.questions.repositories import repository
from hubindex.index.questions.search import Query, search
from hubindex.index.writing.ingest import GONE_AFTER, Absence, Ingest
from hubindex.records import Repository
from hubindex.reference import Reference
from tests.index.building import (
    HOUR,
    MONGO,
    add,
    contents,
    crawl,
    names_found,
    past,
    rows,
    tag,
)

pytestmark = pytest.mark.usefixtures("ends_sound")


def test_a_record_that_says_nothing_keeps_what_is_known(ingest: Ingest, reader: Reader) -> None:
    """Absent fields of a later record leave the stored values; present ones replace them."""
    full = Repository(
        name="a/b",
        description="a word",
        star_count=2**40,
        pull_count=2**62,
        is_official=True,
        is_automated=True,
        updated_at=7,
        registered_at=3,
    )
    with ingest.transaction() as batch:
        first = batch.repositories([full], 10)[0]
    with ingest.transaction() as batch:
        second = batch.repositories([Repository(name="a/b")], 20)[0]
    with ingest.transaction() as batch:
        third = batch.repositories([Repository(name="a/b", star_count=5, is_official=False, description="")], 30)[
            0
        ]
    assert (first.is_new, first.is_changed) == (True, False)
    assert (second.is_new, second.is_changed) == (False, False)
    assert (third.is_new, third.is_changed) == (False, True)
    assert first.repository_id == second.repository_id == third.repository_id
    facts = repository(reader, Reference.parse("a/b"))
    assert facts[2:11] == ("", 5, 2**62, False, True, 7, 3, 10, 30)


def test_an_older_record_changes_nothing(ingest: Ingest, location: Location) -> None:
    """A record from before the last one is late news, and no news."""
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="a/b", star_count=5, updated_at=9)], 20)
    before = contents(location, ["repository"])
    with ingest.transaction() as batch:
        assert not batch.repositories([Repository(name="a/b", star_count=4, updated_at=8)], 10)[0].is_changed
    assert contents(location, ["repository"]) == before


def test_the_last_push_never_goes_back(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """`updated_at` is the latest of what records and tags said."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="library/mongo", updated_at=3)], 20)
    assert repository(reader, MONGO).updated_at == 5


def test_a_repository_changed_when_it_was_last_pushed_to(ingest: Ingest, mongo: int) -> None:
    """As far as known."""
    with ingest.transaction() as batch:
        assert batch.changed_at(mongo) is None
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 7))
    with ingest.transaction() as batch:
        assert batch.changed_at(mongo) == 7


def test_the_same_repository_twice_in_a_page(ingest: Ingest, reader: Reader) -> None:
    """Rows of one name are one repository, as its last row says."""
    with ingest.transaction() as batch:
        stored = batch.repositories(
            [Repository(name="a/b", star_count=1), Repository(name="a/c"), Repository(name="a/b", star_count=2)],
            10,
        )
    assert [each.name for each in stored] == ["a/b", "a/c"]
    found = search(reader, Query("a"))
    assert [(each.reference.repository, each.star_count) for each in found] == [("a/b", 2), ("a/c", 0)]


def test_a_repository_is_new_once_in_a_transaction(ingest: Ingest, location: Location) -> None:
    """Told twice in one transaction it is made once."""
    with ingest.transaction() as batch:
        first = batch.repositories([Repository(name="a/b")], 10)[0]
        second = batch.repositories([Repository(name="a/b", description="later word")], 11)[0]
    assert first.repository_id == second.repository_id
    assert (first.is_new, second.is_new) == (True, False)
    assert rows(location, "SELECT repositories FROM word WHERE word IN ('b', 'later') ORDER BY word") == [
        (1,),
        (1,),
    ]


def test_changed_words_replace_the_old_ones(ingest: Ingest, reader: Reader) -> None:
    """After a new description the repository is found by its new words only."""
    for at, description in [(1, "alpha beta"), (2, "beta gamma"), (3, "beta gamma")]:
        with ingest.transaction() as batch:
            batch.repositories([Repository(name="a/b", description=description, star_count=at)], at)
    assert names_found(reader, "alpha") == []
    assert names_found(reader, "beta") == ["a/b"]
    assert names_found(reader, "gamma") == ["a/b"]


def test_words_that_change_twice_in_a_transaction(ingest: Ingest, reader: Reader, location: Location) -> None:
    """Two searches of one crawl may describe a repository differently: the last word counts, in search too."""
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="a/b", description="alpha")], 1)
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="a/b", description="beta", star_count=1)], 2)
        batch.repositories([Repository(name="a/b", description="gamma", star_count=2)], 3)
    assert [names_found(reader, word) for word in ("alpha", "beta", "gamma")] == [[], [], ["a/b"]]
    counted = rows(location, "SELECT word FROM word WHERE repositories <> 0 AND word >= 'a' ORDER BY word")
    assert counted == [("a",), ("b",), ("gamma",)]


def test_words_that_change_and_change_back(ingest: Ingest, location: Location) -> None:
    """What ends as it began is not written to the search index."""
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="a/b", description="alpha")], 1)
    before = contents(location, ["word"])
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="a/b", description="beta")], 2)
        batch.repositories([Repository(name="a/b", description="alpha")], 3)
    assert contents(location, ["word"]) == before


# Missing repositories.


def test_one_404_makes_a_repository_missing_and_no_more(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Missing repositories keep everything and stay in search."""
    with ingest.transaction() as batch:
        assert batch.repository_missing("library/mongo", 10) is Absence.MISSING
    facts = repository(reader, MONGO)
    assert (facts.missing_at, facts.gone_at) == (10, None)
    assert names_found(reader, "mongo") == ["library/mongo"]


def test_404s_within_hours_prove_nothing(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Several answers within four hours are one outage."""
    for at in (10, 11, 10 + GONE_AFTER - 1):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    facts = repository(reader, MONGO)
    assert (facts.missing_at, facts.gone_at) == (10, None)


def test_a_404_hours_later_makes_a_repository_gone(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A gone repository is in no answer of search, and its tags went with it."""
    crawl(ingest, mongo, 5, tag("a", 1, 5))
    for at in (10, 10 + GONE_AFTER, 10 + 2 * GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    facts = repository(reader, MONGO)
    assert (facts.missing_at, facts.gone_at) == (10, 10 + GONE_AFTER)
    assert names_found(reader, "mongo") == []
    assert past(reader, "a") == [
        ("gone", 10 + GONE_AFTER, 10 + GONE_AFTER, None),
        (1, 5, 5, 10 + GONE_AFTER),
    ]


def test_a_gone_repository_comes_back(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Described again it is in search again, as before."""
    for at in (10, 10 + GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="library/mongo")], 9 * HOUR)
    facts = repository(reader, MONGO)
    assert (facts.missing_at, facts.gone_at) == (None, None)
    assert names_found(reader, "mongo") == ["library/mongo"]


def test_the_tags_of_a_gone_repository_come_back_with_it(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """They return in spans of their own: nothing confirms them for the time between."""
    crawl(ingest, mongo, 5, tag("a", 1, 5), tag("b", 2, 5))
    for at in (10, 10 + GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="library/mongo")], 9 * HOUR)
    outcome, _ = crawl(ingest, mongo, 9 * HOUR, tag("a", 1, 5))
    assert (outcome.new, outcome.moved) == (0, 1)
    gone_at = 10 + GONE_AFTER
    assert past(reader, "a") == [
        (1, 9 * HOUR, 9 * HOUR, None),
        ("gone", gone_at, gone_at, 9 * HOUR),
        (1, 5, 5, gone_at),
    ]
    assert past(reader, "b") == [("gone", gone_at, gone_at, None), (2, 5, 5, gone_at)]


def test_one_404_ends_no_tag(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Its tags are confirmed on by the next sweep."""
    crawl(ingest, mongo, 5, tag("a", 1, 5))
    with ingest.transaction() as batch:
        batch.repository_missing("library/mongo", 10)
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert past(reader, "a") == [(1, 5, 20, None)]


def test_a_repository_seen_between_two_404s_is_not_gone(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Only answers since it was last seen count."""
    with ingest.transaction() as batch:
        batch.repository_missing("library/mongo", 10)
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert repository(reader, MONGO).missing_at is None
    with ingest.transaction() as batch:
        batch.repository_missing("library/mongo", 10 + GONE_AFTER)
    assert repository(reader, MONGO).gone_at is None


def test_a_late_404_is_no_news(ingest: Ingest, reader: Reader) -> None:
    """A 404 from before the repository was last described does not count."""
    add(ingest, "a/b", seen_at=20)
    with ingest.transaction() as batch:
        assert batch.repository_missing("a/b", 10) is Absence.MISSING
    assert repository(reader, Reference.parse("a/b")).missing_at is None


def test_a_walk_over_a_gone_repository_leaves_search_sound(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """The end of a walk that had begun before does not bring the repository back by half."""
    for at in (10, 10 + GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    crawl(ingest, mongo, 9 * HOUR, tag("a", 1, 5), started_at=9)
    is_gone = repository(reader, MONGO).gone_at is not None
    assert is_gone == (names_found(reader, "mongo") == [])


def test_a_404_of_an_unknown_repository(ingest: Ingest) -> None:
    """It is not in the index, and does not come into it."""
    with ingest.transaction() as batch:
        assert batch.repository_missing("library/none", 10) is Absence.UNKNOWN


# What a source returned for a term.


def hits(reader: Reader, term: str) -> list[tuple[int, int]]:
    """What the Hub returned for a term: repositories, and their places in its answer."""
    found = search(reader, Query(term, sort="hub"))
    return [(each.repository_id, each.position) for each in found if each.position is not None]


def test_hits_keep_the_order_of_the_source(ingest: Ingest, reader: Reader) -> None:
    """Positions count from 1; a repository that appears twice keeps its first place."""
    a, b, c = add(ingest, "x/a", "x/b", "x/c")
    with ingest.transaction() as batch:
        batch.search_results("  My  Term ", [b, a, b, c], 10, whole=True)
    assert hits(reader, "my term") == [(b, 1), (a, 2), (c, 4)]


def test_a_whole_answer_replaces_the_hits(ingest: Ingest, reader: Reader) -> None:
    """What the source no longer returns is forgotten, for this term only."""
    a, b, c = add(ingest, "x/a", "x/b", "x/c")
    with ingest.transaction() as batch:
        batch.search_results("other", [a], 10, whole=True)
        batch.search_results("term", [a, b], 10, whole=True)
    with ingest.transaction() as batch:
        batch.search_results("term", [c, b], 20, whole=True)
    assert hits(reader, "other") == [(a, 1)]
    assert hits(reader, "term") == [(c, 1), (b, 2)]


def test_a_broken_answer_keeps_the_hits(ingest: Ingest, reader: Reader) -> None:
    """The places that arrived are stored, what stood behind them is kept."""
    a, b, c = add(ingest, "x/a", "x/b", "x/c")
    with ingest.transaction() as batch:
        batch.search_results("term", [a, b], 10, whole=True)
    with ingest.transaction() as batch:
        batch.search_results("term", [c], 20, whole=False)
    assert hits(reader, "term") == [(c, 1), (b, 2)]


def test_an_older_crawl_of_a_term_changes_nothing(ingest: Ingest, reader: Reader) -> None:
    """What the Hub returned last counts, in whichever order two crawls are stored."""
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="acme/a")], 10)
        batch.search_results("zzz", [stored.repository_id], 30, whole=True)
    with ingest.transaction() as batch:
        batch.search_results("zzz", [], 20, whole=True)
    assert names_found(reader, "zzz") == ["acme/a"]


def test_an_endless_term_is_cut(ingest: Ingest, reader: Reader) -> None:
    """PostgreSQL cannot index an arbitrarily long text; the beginning is term enough."""
    term = "\u6f22" * 3000
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="acme/a")], 10)
        batch.search_results(term, [stored.repository_id], 30, whole=True)
    assert names_found(reader, term) == ["acme/a"]
