"""The end of a walk: what a sweep, a walk that broke off and one that ended early prove; and stale answers."""

import pytest

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.questions.history import first_sweep, history, resolve
from hubindex.index.questions.repositories import repository
from hubindex.index.writing.ingest import Ingest
from hubindex.index.writing.walks import Walk
from hubindex.records import Tag
from tests.index.building import (
    MONGO,
    contents,
    crawl,
    now,
    page,
    past,
    spans,
    tag,
    text,
)

pytestmark = pytest.mark.usefixtures("ends_sound")


def test_a_sweep_without_the_tag_ends_it(ingest: Ingest, location: Location, reader: Reader, mongo: int) -> None:
    """Its last span ends between the last sweep that saw it and the end of the one that did not."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    crawl(ingest, mongo, 20, tag("a", 1, 5), tag("b", 2, 6))
    _, gone = crawl(ingest, mongo, 33, tag("b", 2, 6), started_at=30)
    assert gone == 1
    assert past(reader, "a") == [("gone", 33, 33, None), (1, 5, 20, 33)]
    before = contents(location)
    assert crawl(ingest, mongo, 40, tag("b", 2, 6))[1] == 0
    assert contents(location) == before


def test_a_tag_returns(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A deleted tag that is pushed again was gone in between, with the same digest or another."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    crawl(ingest, mongo, 20, tag("b", 2, 6))
    outcome, _ = crawl(ingest, mongo, 30, tag("a", 1, 25), tag("b", 2, 6))
    assert (outcome.new, outcome.moved) == (0, 1)
    assert past(reader, "a") == [(1, 25, 30, None), ("gone", 20, 20, 25), (1, 5, 10, 20)]


@pytest.mark.parametrize("oldest_push", [None, 6])
def test_a_walk_that_is_no_sweep_ends_nothing(
    ingest: Ingest, reader: Reader, mongo: int, oldest_push: int | None
) -> None:
    """A truncated or inconsistent walk says nothing of tags that it did not see."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    _, gone = crawl(ingest, mongo, 20, tag("b", 2, 6), problem="page 2: refused", oldest_push=oldest_push)
    assert gone == 0
    assert past(reader, "a") == [(1, 5, 10, None)]
    assert past(reader, "b") == [(2, 6, 20, None)]
    facts = repository(reader, MONGO)
    assert (facts.sweeps.swept_at, facts.walked_at, facts.walk_problem) == (10, 20, "page 2: refused")


def test_an_empty_list_ends_nothing_where_tags_are_known(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A source that suddenly shows no tags at all is not believed."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    assert crawl(ingest, mongo, 20)[1] == 0
    assert past(reader, "a") == [(1, 5, 10, None)]
    assert repository(reader, MONGO).walk_problem is not None


def test_a_sweep_ends_a_tag_though_another_came_in_its_place(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """As many tags as before are not the same tags."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    _, gone = crawl(ingest, mongo, 20, tag("b", 2, 6), tag("c", 3, 15))
    assert gone == 1
    assert [found.name for found in now(reader)] == ["c", "b"]
    assert past(reader, "a") == [("gone", 20, 20, None), (1, 5, 10, 20)]


def test_a_sweep_that_saw_a_tag_another_one_ended_still_misses_others(
    ingest: Ingest, reader: Reader, mongo: int
) -> None:
    """Of two overlapping sweeps one may see a tag that the other ended: counting tags is not comparing them."""
    crawl(ingest, mongo, 10, tag("x", 1, 5), tag("y", 2, 6))
    crawl(ingest, mongo, 200, tag("y", 2, 6), started_at=100)
    _, gone = crawl(ingest, mongo, 160, tag("x", 1, 5), started_at=150)
    assert gone == 1
    assert now(reader) == []
    assert past(reader, "x") == [("gone", 200, 200, None), (1, 5, 160, 200)]
    assert past(reader, "y")[0] == ("gone", 160, 160, None)


def test_an_older_sweep_ends_nothing(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Of two overlapping crawls the one that began first and ends last does not undo the other."""
    crawl(ingest, mongo, 20, tag("a", 1, 5), tag("b", 2, 15))
    _, gone = crawl(ingest, mongo, 12, tag("a", 1, 5), started_at=11)
    assert gone == 0
    assert [found.name for found in now(reader)] == ["b", "a"]
    facts = repository(reader, MONGO)
    assert (facts.sweeps.swept_at, facts.walked_at, first_sweep(reader, facts)) == (20, 20, 11)


def test_a_tag_seen_after_the_sweep_began_is_not_ended_by_it(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A tag that another crawl saw during this walk may have come behind its back."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 25, tag("b", 2, 22), problem="broke off")
    _, gone = crawl(ingest, mongo, 30, tag("a", 1, 5), started_at=20)
    assert gone == 0
    assert [found.name for found in now(reader)] == ["b", "a"]


def test_a_tag_first_heard_of_late_is_not_confirmed_by_a_sweep_that_missed_it(
    ingest: Ingest, reader: Reader, mongo: int
) -> None:
    """A tag seen before a sweep, and told after it, was last seen when it was seen; the next sweep ends it."""
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    crawl(ingest, mongo, 15, tag("a", 1, 5), tag("b", 2, 6), started_at=11)
    assert past(reader, "b") == [(2, 6, 15, None)]
    crawl(ingest, mongo, 30, tag("a", 1, 5))
    assert past(reader, "a") == [(1, 5, 30, None)]
    assert past(reader, "b") == [("gone", 30, 30, None), (2, 6, 15, 30)]


def test_one_transaction_may_hold_several_crawls(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A tag that comes, goes and comes back within one transaction has all its spans."""
    with ingest.transaction() as batch:
        for at, seen in enumerate([[tag("a", 1), tag("b", 2)], [tag("b", 2)], [tag("a", 1), tag("b", 2)]], 1):
            batch.tag_page(mongo, page(seen, at))
            batch.finish_walk(Walk(mongo, at, at, {found.name for found in seen}))
    assert past(reader, "a") == [(1, 3, 3, None), ("gone", 2, 2, 3), (1, 1, 1, 2)]


def test_two_overlapping_crawls(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Pages of two crawls that arrive mixed give the spans of the order in which they were seen."""
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 1, 5)], 10))
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 2, 11)], 12))
        batch.tag_page(mongo, page([tag("b", 3, 11)], 11))
        batch.finish_walk(Walk(mongo, 9, 13, {"a", "b"}))
        batch.finish_walk(Walk(mongo, 11, 14, {"a", "b"}))
    assert past(reader, "a") == [(2, 11, 12, None), (1, 5, 10, 11)]
    assert past(reader, "b") == [(3, 11, 11, None)]
    assert repository(reader, MONGO).sweeps.swept_at == 11


# Walks that see the newest tags only.


def test_a_partial_walk_confirms_what_was_pushed_after_its_floor(
    ingest: Ingest, reader: Reader, mongo: int
) -> None:
    """A move after it leaves the newer tag confirmed to the partial walk, the older one to the sweep before."""
    crawl(ingest, mongo, 10, tag("new", 1, 8), tag("floor", 2, 6), tag("old", 3, 4), tag("undated", 4))
    crawl(ingest, mongo, 20, tag("new", 1, 8), tag("floor", 2, 6), problem="page 2: refused", oldest_push=6)
    crawl(ingest, mongo, 30, tag("new", 11, 29), tag("floor", 12, 28), tag("old", 13, 27), tag("undated", 14, 26))
    assert {found.name: past(reader, found.name)[1][2] for found in now(reader)} == {
        "new": 20,
        "floor": 20,
        "old": 10,
        "undated": 10,
    }


def test_a_partial_walk_does_not_narrow_what_an_earlier_one_confirmed(
    ingest: Ingest, reader: Reader, mongo: int
) -> None:
    """A deeper walk proves more of the older tags than a shallow one that came after it."""
    whole = tag("a", 1, 9), tag("b", 2, 8), tag("c", 3, 7), tag("d", 4, 6)
    crawl(ingest, mongo, 10, *whole)
    crawl(ingest, mongo, 20, *whole[:3], problem="page 2: refused", oldest_push=7)
    crawl(ingest, mongo, 30, *whole[:1], problem="page 2: refused", oldest_push=9)
    crawl(ingest, mongo, 40, tag("a", 11, 39), tag("b", 12, 38), tag("c", 13, 37), tag("d", 14, 36))
    assert {found.name: past(reader, found.name)[1][2] for found in now(reader)} == {
        "a": 30,
        "b": 20,
        "c": 20,
        "d": 10,
    }


def test_a_tag_missing_from_a_partial_walk_lifts_its_floor(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A tag that should have been among the newest and was not is confirmed no further; those that were are."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 2, 8), tag("c", 3, 7))
    crawl(ingest, mongo, 20, tag("a", 1, 9), tag("c", 3, 7), problem="page 2: refused", oldest_push=7)
    assert repository(reader, MONGO).sweeps == (10, 20, 8)
    crawl(ingest, mongo, 30, tag("a", 11, 29), tag("b", 12, 28), tag("c", 13, 27))
    assert {found.name: past(reader, found.name)[1][2] for found in now(reader)} == {"a": 20, "b": 10, "c": 20}


def test_an_unordered_partial_walk_confirms_what_it_saw(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Without the order of pushes a walk that broke off has no floor: each tag seen has a look of its own."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 2, 8))
    crawl(ingest, mongo, 20, tag("a", 1, 9), problem="page 2: refused")
    crawl(ingest, mongo, 30, tag("a", 2, 29), tag("b", 2, 28))
    assert past(reader, "a") == [(2, 29, 30, None), (1, 9, 20, 29)]
    (repushed,) = history(reader, MONGO._replace(tag="b"))
    assert repushed.gaps == ((10, 28),)


def early(ingest: Ingest, number: int, at: int, *seen: Tag) -> None:
    """A look at a page on which nothing is new."""
    pushes = [each.pushed_at for each in seen if each.pushed_at is not None]
    walk = Walk(
        number, at, at, {each.name for each in seen}, ends_early=True, newest_push=max(pushes),
        oldest_push=min(pushes),
    )  # fmt: skip
    with ingest.transaction() as batch:
        batch.tag_page(number, page(seen, at))
        assert batch.finish_walk(walk) == 0


def test_a_walk_that_ends_early_ends_no_tag(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """It saw a part; it is no sweep, and has no problem."""
    seen = (tag("a", 1, 5), tag("b", 2, 4), tag("c", 3, 3))
    crawl(ingest, mongo, 10, *seen)
    early(ingest, mongo, 20, *seen[:2])
    assert [found.name for found in now(reader)] == ["a", "b", "c"]
    assert past(reader, "b") == [(2, 4, 20, None)]
    assert past(reader, "c") == [(3, 3, 10, None)]
    facts = repository(reader, MONGO)
    assert (facts.walked_at, facts.sweeps.swept_at, facts.walk_problem) == (20, 10, None)


def test_an_omission_does_not_make_a_sweep_less(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """What it could not find out is written down; what it did not see is gone."""
    crawl(ingest, mongo, 10, tag("a", 1), tag("b", 2))
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 1)], 20))
        ended = batch.finish_walk(Walk(mongo, 20, 20, {"a"}, omission="one digest was not asked for"))
    assert ended == 1
    facts = repository(reader, MONGO)
    assert (facts.sweeps.swept_at, facts.walk_problem) == (20, "one digest was not asked for")
    assert past(reader, "b")[0] == ("gone", 20, 20, None)


def test_a_repository_has_as_many_tags_as_are_not_gone(ingest: Ingest, mongo: int) -> None:
    """Also those of the same transaction; a source that counts nothing agrees with nothing."""
    crawl(ingest, mongo, 10, tag("a", 1), tag("b", 2))
    crawl(ingest, mongo, 20, tag("a", 1))
    with ingest.transaction() as batch:
        counts = [batch.has_as_many_tags(mongo, count) for count in (1, 2, None)]
        batch.tag_page(mongo, page([tag("c", 3)], 30))
        counts += [batch.has_as_many_tags(mongo, count) for count in (1, 2)]
    assert counts == [True, False, False, False, True]


def test_those_known_least_come_first(ingest: Ingest, mongo: int) -> None:
    """Without a digest, then seen longest ago, then by name."""
    crawl(ingest, mongo, 10, tag("old", 1), tag("bare", None))
    crawl(ingest, mongo, 20, tag("seen", 2), tag("also", 3), tag("bare", None), problem="broke off")
    with ingest.transaction() as batch:
        ordered = batch.least_known(mongo, ["seen", "also", "old", "bare", "unknown"])
    assert ordered == ["bare", "unknown", "old", "also", "seen"]


# Stale answers.


def test_a_stale_answer_is_kept_and_moves_nothing(
    ingest: Ingest, location: Location, reader: Reader, mongo: int
) -> None:
    """The registry's own word for the last push went backwards: one span of the newer digest."""
    crawl(ingest, mongo, 10, tag("a", 1, 9))
    crawl(ingest, mongo, 20, tag("a", 2, 19))
    outcome, _ = crawl(ingest, mongo, 21, tag("a", 1, 9))
    assert (outcome.stale, outcome.moved, outcome.is_stale) == (1, 0, True)
    answer = resolve(reader, MONGO._replace(tag="a"))
    assert (answer.digest, answer.certainty, answer.at) == (text(2), "inferred", 21)
    assert "older than what had been seen" in answer.note
    (found,) = now(reader)
    assert (found.certainty, found.last_seen_at) == ("inferred", 20)
    crawl(ingest, mongo, 22, tag("a", 2, 19))
    newest, first = history(reader, MONGO._replace(tag="a"))
    assert (newest.digest, newest.since, newest.last_seen_at, newest.certainty) == (text(2), 19, 22, "confirmed")
    assert (first.digest, first.until, first.until_latest) == (text(1), 10, 19)
    assert spans(location)[-1] == ("a", 1, 9, 21, 21, None)


def test_the_same_stale_answer_is_kept_once(ingest: Ingest, location: Location, mongo: int) -> None:
    """A replica that stays behind adds no rows, and no news."""
    crawl(ingest, mongo, 10, tag("a", 1, 9))
    crawl(ingest, mongo, 20, tag("a", 2, 19))
    for at in (21, 22, 23):
        outcome, _ = crawl(ingest, mongo, at, tag("a", 1, 9))
        assert (outcome.stale, outcome.is_stale) == (1, at == 21)
    assert spans(location) == [("a", 1, 9, 10, 10, None), ("a", 1, 9, 21, 23, None)]


def test_a_page_with_a_stale_answer_is_old_as_a_whole(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """What else it shows is true of the push times it tells of, and of nothing later."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 3, 8))
    crawl(ingest, mongo, 20, tag("a", 2, 19), tag("b", 3, 8))
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 1, 9), tag("b", 3, 8), tag("c", 4, 7)], 30))
    answers = [resolve(reader, MONGO._replace(tag="c"), at) for at in (7, 8, 30)]
    assert [answer.certainty for answer in answers] == ["confirmed", "inferred", "inferred"]
    assert resolve(reader, MONGO._replace(tag="b")).at == 20


def test_a_tag_that_is_back_by_its_old_push_was_not_surely_gone(
    ingest: Ingest, reader: Reader, mongo: int
) -> None:
    """Either the list that lacked it or the later answers are wrong, until it is pushed again."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 3, 8))
    crawl(ingest, mongo, 20, tag("b", 3, 8))
    crawl(ingest, mongo, 30, tag("a", 1, 9), tag("b", 3, 8))
    crawl(ingest, mongo, 40, tag("a", 1, 9), tag("b", 3, 8))
    answers = [resolve(reader, MONGO._replace(tag="a"), at) for at in (10, 15, 20, 35, 40, None)]
    assert {answer.digest for answer in answers} == {text(1)}
    assert [answer.certainty for answer in answers] == ["confirmed", *["inferred"] * 5]
    assert "lacked mongo:a" in answers[-1].note
    (row,) = history(reader, MONGO._replace(tag="a"))
    assert (row.since, row.last_seen_at, row.certainty, row.gaps) == (9, 40, "inferred", ((10, 40),))
    crawl(ingest, mongo, 50, tag("a", 2, 45), tag("b", 3, 8))
    assert resolve(reader, MONGO._replace(tag="a")).certainty == "confirmed"
