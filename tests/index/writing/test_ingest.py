"""Records become rows: what is written, and what is left alone."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from hubindex.errors import StorageError
from hubindex.index.database import sql
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.evidence.timeline import PERIOD
from hubindex.index.questions import repositories
from hubindex.index.questions.history import history, resolve
from hubindex.index.questions.search import Query, search
from hubindex.index.writing.ingest import GONE_AFTER, Absence, Ingest
from hubindex.index.writing.walks import Walk
from hubindex.records import PlatformImage, Repository, Tag, TagPage
from hubindex.reference import Reference
from tests.index.building import (
    HISTORY,
    HOUR,
    add,
    contents,
    crawl,
    digest,
    image,
    page,
    problems,
    rows,
    spans,
    tag,
    tags,
    text,
)

AMD = image("linux/amd64", 101)
ARM = image("linux/arm64/v8", 102)
WINDOWS = image("windows/amd64:10.0.17763.1", 103)


MISCOUNTED = """
SELECT count(*) FROM tag t WHERE t.closed_spans <> (
    SELECT count(*) FROM span s WHERE s.repository_id = t.repository_id AND s.tag_id = t.tag_id
)
"""


@pytest.fixture(autouse=True)
def _ends_sound(location: Location) -> Iterator[None]:
    """Whatever was told, the index has no contradictions at the end."""
    yield
    reader = open_reader(location)
    statements = sql.load("health", location.dialect)
    found = {name: reader.query("health", name, period=PERIOD) for name in statements}
    reader.close()
    assert {name for name, answer in found.items() if answer != [(0,)]} == set()
    assert rows(location, MISCOUNTED) == [(0,)]


@pytest.fixture
def mongo(ingest: Ingest) -> int:
    """A repository without tags."""
    return add(ingest, "library/mongo")[0]


def names_found(reader: Reader, term: str) -> list[str]:
    return [found.reference.repository for found in search(reader, Query(term))]


# Tags: what the first crawl writes, and the second does not.


def test_the_first_crawl_writes_everything(ingest: Ingest, location: Location, mongo: int) -> None:
    """Tags, digests, platform images and the sweep are there after one crawl."""
    outcome, gone = crawl(ingest, mongo, 10, tag("latest", 1, 5, AMD, ARM), tag("7", 1, 5, AMD, ARM), tag("6", 2))
    assert (outcome.new, outcome.moved, outcome.warnings, gone) == (3, 0, [], 0)
    assert tags(location) == [
        ("6", 2, None, 10, None, None),
        ("7", 1, 5, 10, None, None),
        ("latest", 1, 5, 10, None, None),
    ]
    assert spans(location) == []
    assert sorted(row[0] for row in rows(location, "SELECT name FROM platform")) == [
        "linux/amd64",
        "linux/arm64/v8",
    ]
    assert rows(location, "SELECT * FROM sweep") == [(mongo, 10, 10, 3)]
    assert rows(location, "SELECT updated_at, walked_at, walk_problem, swept_at FROM repository") == [
        (5, 10, None, 10)
    ]


@pytest.mark.parametrize(
    "seen",
    [
        (tag("a", 1, 5, AMD, ARM), tag("b", 1, 5, AMD, ARM), tag("c", 2, 4)),
        (tag("a", 101, 5, AMD), tag("b", None, 5), tag("c", None, 5, AMD, ARM), tag("d", None)),
        (),
    ],
)
def test_an_identical_crawl_writes_no_row_of_tags_or_history(
    ingest: Ingest, location: Location, mongo: int, seen: tuple[Tag, ...]
) -> None:
    """A second and third crawl that see the same leave every row of tags, spans and digests untouched."""
    crawl(ingest, mongo, 10, *seen)
    before = contents(location)
    for at in (20, 30):
        outcome, gone = crawl(ingest, mongo, at, *seen)
        assert (outcome.new, outcome.moved, outcome.warnings, gone) == (0, 0, [], 0)
    assert contents(location) == before
    assert rows(location, "SELECT swept_at FROM repository") == [(30,)]


def test_without_a_push_time_the_last_look_is_kept_with_the_tag(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """It is no news, and nothing else is written."""
    crawl(ingest, mongo, 10, tag("a", 1), tag("b", 2, 5))
    before = contents(location, ("digest", "span"))
    for at in (20, 30):
        outcome, _ = crawl(ingest, mongo, at, tag("a", 1), tag("b", 2, 5))
        assert outcome.news == 0
    assert contents(location, ("digest", "span")) == before
    assert rows(location, "SELECT name, seen_at FROM tag ORDER BY name") == [("a", 30), ("b", None)]


def test_another_writer_sees_the_same_tags_as_unchanged(location: Location, ingest: Ingest, mongo: int) -> None:
    """What one process wrote is what another one compares with."""
    seen = [tag("a", 1, 5, AMD, ARM), tag("b", None, 5, AMD, ARM)]
    crawl(ingest, mongo, 10, *seen)
    before = contents(location)
    other = Ingest(location)
    crawl(other, mongo, 20, *seen)
    other.close()
    assert contents(location) == before


def test_a_move_closes_the_span_and_opens_the_next(ingest: Ingest, location: Location, mongo: int) -> None:
    """The old digest is confirmed to the last sweep that saw it, the new one begins at its first sight."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    outcome, _ = crawl(ingest, mongo, 30, tag("a", 2, 25))
    assert outcome.moved == 1
    assert spans(location) == [("a", 1, 5, 10, 20, None)]
    assert tags(location) == [("a", 2, 25, 30, None, None)]


def test_a_move_and_back_is_three_spans(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag that comes back to an old digest is in a new span; the digest is stored once."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 2, 15))
    outcome, _ = crawl(ingest, mongo, 30, tag("a", 1, 25))
    assert outcome.moved == 1
    assert spans(location) == [("a", 1, 5, 10, 10, None), ("a", 2, 15, 20, 20, None)]
    assert tags(location) == [("a", 1, 25, 30, None, None)]
    assert rows(location, "SELECT count(*) FROM digest") == [(2,)]


def test_a_repush_of_the_same_digest_is_no_move(ingest: Ingest, location: Location, mongo: int) -> None:
    """The push is kept as a span of its own, and not counted as a move."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 15))
    assert outcome.moved == 0
    assert spans(location) == [("a", 1, 5, 10, 10, None)]
    assert tags(location) == [("a", 1, 15, 20, None, None)]


def test_one_tag_moves_and_its_alias_does_not(ingest: Ingest, location: Location, mongo: int) -> None:
    """Each tag has its own spans, whatever digest it shares."""
    crawl(ingest, mongo, 10, tag("7", 1, 5), tag("latest", 1, 5))
    crawl(ingest, mongo, 20, tag("7", 1, 5), tag("latest", 2, 15))
    assert spans(location) == [("latest", 1, 5, 10, 10, None)]
    assert [row[:2] for row in tags(location)] == [("7", 1), ("latest", 2)]


# Deletion.


def test_a_sweep_without_the_tag_ends_it(ingest: Ingest, location: Location, mongo: int) -> None:
    """Its last span ends between the last sweep that saw it and the end of the one that did not."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    crawl(ingest, mongo, 20, tag("a", 1, 5), tag("b", 2, 6))
    _, gone = crawl(ingest, mongo, 33, tag("b", 2, 6), started_at=30)
    assert gone == 1
    assert spans(location) == [("a", 1, 5, 10, 20, 33)]
    assert tags(location)[0] == ("a", None, None, 10, 20, 33)
    before = contents(location)
    assert crawl(ingest, mongo, 40, tag("b", 2, 6))[1] == 0
    assert contents(location) == before


def test_a_tag_returns(ingest: Ingest, location: Location, mongo: int) -> None:
    """A deleted tag that is seen again begins a new span, with the same digest or another."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    crawl(ingest, mongo, 20, tag("b", 2, 6))
    outcome, _ = crawl(ingest, mongo, 30, tag("a", 1, 5), tag("b", 2, 6))
    assert (outcome.new, outcome.moved) == (0, 1)
    assert spans(location) == [("a", 1, 5, 10, 10, 20)]
    assert tags(location)[0] == ("a", 1, 5, 30, None, None)


@pytest.mark.parametrize("oldest_push", [None, 6])
def test_a_walk_that_is_no_sweep_ends_nothing(
    ingest: Ingest, location: Location, mongo: int, oldest_push: int | None
) -> None:
    """A truncated or inconsistent walk says nothing of tags that it did not see."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    before = tags(location), contents(location, ("span", "digest"))
    _, gone = crawl(ingest, mongo, 20, tag("b", 2, 6), problem="page 2: refused", oldest_push=oldest_push)
    assert gone == 0
    assert (tags(location), contents(location, ("span", "digest"))) == before
    assert rows(location, "SELECT swept_at, walked_at, walk_problem FROM repository") == [
        (10, 20, "page 2: refused")
    ]
    assert rows(location, "SELECT count(*) FROM sweep") == [(1,)]


def test_an_empty_list_ends_nothing_where_tags_are_known(ingest: Ingest, location: Location, mongo: int) -> None:
    """A source that suddenly shows no tags at all is not believed."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    assert crawl(ingest, mongo, 20)[1] == 0
    assert tags(location) == [("a", 1, 5, 10, None, None)]
    assert rows(location, "SELECT walk_problem IS NOT NULL FROM repository") in ([(1,)], [(True,)])


def test_a_sweep_ends_a_tag_though_another_came_in_its_place(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """As many tags as before are not the same tags."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 6))
    _, gone = crawl(ingest, mongo, 20, tag("b", 2, 6), tag("c", 3, 15))
    assert gone == 1
    assert [row[:2] for row in tags(location)] == [("a", None), ("b", 2), ("c", 3)]


def test_a_sweep_that_saw_a_tag_another_one_ended_still_misses_others(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """Of two overlapping sweeps one may see a tag that the other ended: counting tags is not comparing them."""
    crawl(ingest, mongo, 10, tag("x", 1, 5), tag("y", 2, 6))
    crawl(ingest, mongo, 200, tag("y", 2, 6), started_at=100)
    _, gone = crawl(ingest, mongo, 160, tag("x", 1, 5), started_at=150)
    assert gone == 1
    assert [(row[0], row[5]) for row in tags(location)] == [("x", 200), ("y", 160)]
    assert ("x", 1, 5, 160, 160, None) in spans(location)


def test_an_older_sweep_ends_nothing(ingest: Ingest, location: Location, mongo: int) -> None:
    """Of two overlapping crawls the one that began first and ends last does not undo the other."""
    crawl(ingest, mongo, 20, tag("a", 1, 5), tag("b", 2, 15))
    _, gone = crawl(ingest, mongo, 12, tag("a", 1, 5), started_at=11)
    assert gone == 0
    assert [row[5] for row in tags(location)] == [None, None]
    assert rows(location, "SELECT swept_at, walked_at FROM repository") == [(20, 20)]
    assert rows(location, "SELECT started_at FROM sweep ORDER BY 1") == [(11,), (20,)]


def test_a_tag_seen_after_the_sweep_began_is_not_ended_by_it(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """A tag that another crawl saw during this walk may have come behind its back."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 25, tag("b", 2, 22), problem="broke off")
    _, gone = crawl(ingest, mongo, 30, tag("a", 1, 5), started_at=20)
    assert gone == 0
    assert [row[5] for row in tags(location)] == [None, None]


def test_one_transaction_may_hold_several_crawls(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag that comes, goes and comes back within one transaction has all its spans."""
    with ingest.transaction() as batch:
        for at, seen in enumerate([[tag("a", 1), tag("b", 2)], [tag("b", 2)], [tag("a", 1), tag("b", 2)]], 1):
            batch.tag_page(mongo, page(seen, at))
            batch.finish_walk(Walk(mongo, at, at, {found.name for found in seen}))
    assert spans(location) == [("a", 1, None, 1, 1, 2)]
    assert tags(location)[0] == ("a", 1, None, 3, None, None)


# Walks that see the newest tags only.


def test_a_partial_walk_confirms_what_was_pushed_after_its_floor(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """A move after it leaves the newer tag confirmed to the partial walk, the older one to the sweep before."""
    crawl(ingest, mongo, 10, tag("new", 1, 8), tag("floor", 2, 6), tag("old", 3, 4), tag("undated", 4))
    crawl(ingest, mongo, 20, tag("new", 1, 8), tag("floor", 2, 6), problem="page 2: refused", oldest_push=6)
    crawl(ingest, mongo, 30, tag("new", 11, 29), tag("floor", 12, 28), tag("old", 13, 27), tag("undated", 14, 26))
    assert {row[0]: row[4] for row in spans(location)} == {"new": 20, "floor": 20, "old": 10, "undated": 10}


def test_a_partial_walk_does_not_narrow_what_an_earlier_one_confirmed(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """A deeper walk proves more of the older tags than a shallow one that came after it."""
    whole = tag("a", 1, 9), tag("b", 2, 8), tag("c", 3, 7), tag("d", 4, 6)
    crawl(ingest, mongo, 10, *whole)
    crawl(ingest, mongo, 20, *whole[:3], problem="page 2: refused", oldest_push=7)
    crawl(ingest, mongo, 30, *whole[:1], problem="page 2: refused", oldest_push=9)
    crawl(ingest, mongo, 40, tag("a", 11, 39), tag("b", 12, 38), tag("c", 13, 37), tag("d", 14, 36))
    assert {row[0]: row[4] for row in spans(location)} == {"a": 30, "b": 20, "c": 20, "d": 10}


def test_a_tag_missing_from_a_partial_walk_lifts_its_floor(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag that should have been among the newest and was not is confirmed no further; those that were are."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 2, 8), tag("c", 3, 7))
    crawl(ingest, mongo, 20, tag("a", 1, 9), tag("c", 3, 7), problem="page 2: refused", oldest_push=7)
    assert rows(location, "SELECT partial_at, partial_since FROM repository") == [(20, 8)]
    crawl(ingest, mongo, 30, tag("a", 11, 29), tag("b", 12, 28), tag("c", 13, 27))
    assert {row[0]: row[4] for row in spans(location)} == {"a": 20, "b": 10, "c": 20}


def test_an_unordered_partial_walk_confirms_what_it_saw(ingest: Ingest, location: Location, mongo: int) -> None:
    """Without the order of pushes a walk that broke off has no floor: each tag seen has a look of its own."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 2, 8))
    crawl(ingest, mongo, 20, tag("a", 1, 9), problem="page 2: refused")
    crawl(ingest, mongo, 30, tag("a", 2, 29), tag("b", 2, 28))
    assert spans(location) == [("a", 1, 9, 10, 20, None), ("b", 2, 8, 10, 10, None)]


# Stale answers.


def test_a_stale_answer_is_kept_and_moves_nothing(
    ingest: Ingest, location: Location, reader: Reader, mongo: int
) -> None:
    """The registry's own word for the last push went backwards: one span of the newer digest."""
    crawl(ingest, mongo, 10, tag("a", 1, 9))
    crawl(ingest, mongo, 20, tag("a", 2, 19))
    outcome, _ = crawl(ingest, mongo, 21, tag("a", 1, 9))
    assert (outcome.stale, outcome.moved, outcome.is_stale) == (1, 0, True)
    answer = resolve(reader, Reference.parse("mongo:a"))
    assert (answer.digest, answer.certainty, answer.at) == (text(2), "inferred", 21)
    assert "older than what had been seen" in answer.note
    crawl(ingest, mongo, 22, tag("a", 2, 19))
    newest, first = history(reader, Reference.parse("mongo:a"))
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
    answers = [resolve(reader, Reference.parse("mongo:c"), at) for at in (7, 8, 30)]
    assert [answer.certainty for answer in answers] == ["confirmed", "inferred", "inferred"]
    assert resolve(reader, Reference.parse("mongo:b")).at == 20


def test_a_tag_that_is_back_by_its_old_push_was_not_surely_gone(
    ingest: Ingest, reader: Reader, mongo: int
) -> None:
    """Either the list that lacked it or the later answers are wrong, until it is pushed again."""
    crawl(ingest, mongo, 10, tag("a", 1, 9), tag("b", 3, 8))
    crawl(ingest, mongo, 20, tag("b", 3, 8))
    crawl(ingest, mongo, 30, tag("a", 1, 9), tag("b", 3, 8))
    crawl(ingest, mongo, 40, tag("a", 1, 9), tag("b", 3, 8))
    answers = [resolve(reader, Reference.parse("mongo:a"), at) for at in (10, 15, 20, 35, 40, None)]
    assert {answer.digest for answer in answers} == {text(1)}
    assert [answer.certainty for answer in answers] == ["confirmed", *["inferred"] * 5]
    assert "lacked mongo:a" in answers[-1].note
    (row,) = history(reader, Reference.parse("mongo:a"))
    assert (row.since, row.last_seen_at, row.certainty, row.gaps) == (9, 40, "inferred", ((10, 40),))
    crawl(ingest, mongo, 50, tag("a", 2, 45), tag("b", 3, 8))
    assert resolve(reader, Reference.parse("mongo:a")).certainty == "confirmed"


# Rows without a digest.


def test_a_platform_set_without_a_digest_has_a_key(ingest: Ingest, location: Location, mongo: int) -> None:
    """Several images and no digest are a content of their own, and another set is a move."""
    crawl(ingest, mongo, 10, tag("a", None, 5, AMD, ARM))
    assert tags(location) == [("a", "key", 5, 10, None, None)]
    outcome, _ = crawl(ingest, mongo, 20, tag("a", None, 15, AMD, WINDOWS))
    assert outcome.moved == 1
    assert spans(location) == [("a", "key", 5, 10, 10, None)]


def test_a_platform_set_learns_its_digest(ingest: Ingest, location: Location, mongo: int) -> None:
    """The digest of the index that appears later with the same images belongs to the same span."""
    crawl(ingest, mongo, 10, tag("a", None, 5, AMD, ARM))
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM))
    assert outcome.moved == 0
    assert spans(location) == []
    assert tags(location) == [("a", 1, 5, 10, None, None)]


def test_a_digest_that_disappears_from_the_row_is_kept(ingest: Ingest, location: Location, mongo: int) -> None:
    """The same images without the digest are the same content; nothing is written."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    before = contents(location, ("tag", "span", "digest", "digest_prefix"))
    crawl(ingest, mongo, 20, tag("a", None, 5, AMD, ARM))
    assert contents(location, ("tag", "span", "digest", "digest_prefix")) == before


def test_a_row_without_digest_and_images_keeps_what_was_known(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """With the same push time nothing is written at all."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD), tag("b", None, 5, AMD, ARM))
    before = contents(location)
    outcome, _ = crawl(ingest, mongo, 20, tag("a", None, 5), tag("b", None, 5))
    assert outcome.moved == 0
    assert contents(location) == before


def test_a_row_without_anything_confirms_nothing(ingest: Ingest, location: Location, mongo: int) -> None:
    """Without digest, images and push time the tag exists, but it is known as of the last good row only."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", None))
    crawl(ingest, mongo, 30, tag("a", None))
    assert tags(location) == [("a", 1, 5, 10, 10, None)]
    crawl(ingest, mongo, 40, tag("a", 2, 35))
    assert spans(location) == [("a", 1, 5, 10, 10, None)]


def test_an_empty_image_list_keeps_the_images(ingest: Ingest, location: Location, mongo: int) -> None:
    """A digest whose images were known and are not listed now keeps them."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    before = contents(location)
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert contents(location) == before


def test_images_that_become_readable_are_added(ingest: Ingest, location: Location, mongo: int) -> None:
    """A digest seen first without its images gets them when they are listed, without a new span."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM))
    assert spans(location) == []
    assert rows(location, "SELECT count(*) FROM digest WHERE images IS NOT NULL") == [(1,)]
    before = contents(location)
    crawl(ingest, mongo, 30, tag("a", 1, 5, AMD, ARM))
    assert contents(location) == before


def test_what_is_known_of_a_digest_is_not_unlearned(ingest: Ingest, location: Location, mongo: int) -> None:
    """A size or media type that a later row leaves out stays when that row brings the images."""
    crawl(ingest, mongo, 10, Tag(name="a", digest=digest(1), media_type="text/x", size=77, pushed_at=5))
    crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM))
    assert rows(
        location,
        "SELECT d.size, m.name FROM digest d JOIN media_type m ON m.media_type_id = d.media_type_id",
    ) == [(77, "text/x")]


def test_the_size_of_a_platform_image_outlives_a_tag_on_it(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag that points straight to a known platform image, and does not say its size, does not erase it."""
    crawl(ingest, mongo, 10, tag("multi", 1, 5, image("linux/amd64", 2, 77), ARM))
    crawl(
        ingest,
        mongo,
        20,
        tag("multi", 1, 5, image("linux/amd64", 2, 77), ARM),
        tag("single", 2, 6, image("linux/amd64", 2)),
    )
    assert (77,) in rows(location, "SELECT size FROM digest")


# Times.


def test_null_dates(ingest: Ingest, location: Location, mongo: int) -> None:
    """A registry that never dates its pushes is known by our own sights alone."""
    crawl(ingest, mongo, 10, tag("a", 1))
    crawl(ingest, mongo, 20, tag("a", 1))
    crawl(ingest, mongo, 30, tag("a", 2))
    assert spans(location) == [("a", 1, None, 10, 20, None)]
    assert rows(location, "SELECT updated_at FROM repository") == [(None,)]


@pytest.mark.parametrize("pushed_at", [15, 10**13])
def test_a_push_time_that_contradicts_our_sights_is_kept(
    ingest: Ingest, location: Location, mongo: int, pushed_at: int
) -> None:
    """A push before the last sight of the previous digest, or after our clock, is kept; bounds are ours."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    crawl(ingest, mongo, 30, tag("a", 2, pushed_at))
    assert spans(location) == [("a", 1, 5, 10, 20, None)]
    assert tags(location) == [("a", 2, pushed_at, 30, None, None)]


def test_a_late_report_is_added_beside_what_is_known(ingest: Ingest, location: Location, mongo: int) -> None:
    """An observation older than the open span is a closed span of one moment; the tag stays as it is."""
    crawl(ingest, mongo, 20, tag("a", 2, 15))
    outcome, _ = crawl(ingest, mongo, 10, tag("a", 1, 5))
    assert outcome.moved == 0
    assert spans(location) == [("a", 1, 5, 10, 10, None)]
    assert tags(location) == [("a", 2, 15, 20, None, None)]


def test_a_late_report_of_the_digest_before_its_known_span(ingest: Ingest, location: Location, mongo: int) -> None:
    """Without push times an earlier sight of the open digest is evidence of its own: something may lie between."""
    crawl(ingest, mongo, 20, tag("a", 2))
    crawl(ingest, mongo, 30, tag("a", 1))
    crawl(ingest, mongo, 10, tag("a", 1))
    assert spans(location) == [("a", 2, None, 20, 20, None), ("a", 1, None, 10, 10, None)]


def test_a_tag_first_heard_of_late_is_not_confirmed_by_a_sweep_that_missed_it(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """A tag seen before a sweep, and told after it, was last seen when it was seen; the next sweep ends it."""
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    crawl(ingest, mongo, 15, tag("a", 1, 5), tag("b", 2, 6), started_at=11)
    assert tags(location)[1] == ("b", 2, 6, 15, 15, None)
    crawl(ingest, mongo, 30, tag("a", 1, 5))
    assert spans(location) == [("a", 1, 5, 15, 15, None), ("b", 2, 6, 15, 15, 30)]


def test_two_overlapping_crawls(ingest: Ingest, location: Location, mongo: int) -> None:
    """Pages of two crawls that arrive mixed give the spans of the order in which they were seen."""
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 1, 5)], 10))
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 2, 11)], 12))
        batch.tag_page(mongo, page([tag("b", 3, 11)], 11))
        batch.finish_walk(Walk(mongo, 9, 13, {"a", "b"}))
        batch.finish_walk(Walk(mongo, 11, 14, {"a", "b"}))
    assert spans(location) == [("a", 1, 5, 10, 10, None)]
    assert [row[:2] for row in tags(location)] == [("a", 2), ("b", 3)]
    assert rows(location, "SELECT swept_at FROM repository") == [(11,)]


# Pages and batches.


def test_the_same_tag_twice_in_a_page(ingest: Ingest, location: Location, mongo: int) -> None:
    """A row repeated is one tag; two rows that disagree are two spans of one moment."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("a", 1, 5))
    assert tags(location) == [("a", 1, 5, 10, None, None)]
    crawl(ingest, mongo, 20, tag("b", 2, 6), tag("b", 3, 7), tag("a", 1, 5))
    assert spans(location) == [("b", 2, 6, 20, 20, None)]
    assert tags(location)[1] == ("b", 3, 7, 20, None, None)


def test_the_same_tag_on_two_pages_of_a_batch(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag that slides to the next page while the list shifts is one tag."""
    with ingest.transaction() as batch:
        first = batch.tag_page(mongo, page([tag("a", 1, 5), tag("b", 2, 4)], 10))
        second = batch.tag_page(mongo, page([tag("b", 2, 4), tag("c", 3, 3)], 11))
    assert (first.new, second.new) == (2, 1)
    assert [row[:4] for row in tags(location)] == [("a", 1, 5, 10), ("b", 2, 4, 10), ("c", 3, 3, 11)]
    assert spans(location) == []


def test_platform_images_that_two_indexes_share(ingest: Ingest, location: Location, mongo: int) -> None:
    """A platform image is stored once, and found from each index that contains it."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM), tag("b", 2, 6, AMD, WINDOWS))
    assert rows(location, "SELECT count(*) FROM digest") == [(5,)]
    indexes = rows(location, f"SELECT count(*) FROM digest_prefix WHERE prefix = {101} AND index_id <> 0")
    assert indexes == [(2,)]


def test_one_image_under_two_platforms(ingest: Ingest, location: Location, mongo: int) -> None:
    """The same digest for two platforms of an index is one digest with two platforms."""
    same = [image("linux/amd64", 101), image("linux/arm64", 101)]
    crawl(ingest, mongo, 10, tag("a", 1, 5, *same))
    before = contents(location)
    crawl(ingest, mongo, 20, tag("a", 1, 5, *same))
    assert contents(location) == before
    assert rows(location, "SELECT count(*) FROM digest") == [(2,)]


def test_a_single_image_is_its_own_platform_image(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag that points to an image manifest has that image, and no index around it."""
    crawl(ingest, mongo, 10, tag("a", 101, 5, AMD))
    assert rows(location, "SELECT index_id FROM digest_prefix") == [(0,)]


@pytest.mark.parametrize("shown", [(AMD, WINDOWS), (AMD,), (image("linux/386", 101), ARM)])
def test_other_images_under_a_known_digest_are_not_believed(
    ingest: Ingest, location: Location, mongo: int, shown: tuple[PlatformImage, ...]
) -> None:
    """A digest stands for one content: what was known first stays, and a warning names the tag."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    known = "SELECT digest, size, images FROM digest ORDER BY digest"
    before = rows(location, known)
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM), tag("b", 1, 15, *shown))
    assert len(outcome.warnings) == 1
    assert outcome.warnings[0].startswith("tag b: ")
    assert rows(location, known) == before
    assert [row[:2] for row in tags(location)] == [("a", 1), ("b", 1)]


def test_two_repositories_number_their_digests_apart(ingest: Ingest, location: Location) -> None:
    """The same digest in two repositories is known in each."""
    first, second = add(ingest, "library/a", "library/b")
    with ingest.transaction() as batch:
        for number in (first, second):
            batch.tag_page(number, page([tag("x", 1, 5, AMD, ARM)], 10))
    assert rows(location, "SELECT count(*) FROM digest_prefix WHERE prefix = 1 AND index_id = 0") == [(2,)]
    assert rows(location, "SELECT DISTINCT last_tag_id, last_digest_id FROM repository") == [(1, 3)]


def test_digests_of_other_algorithms(ingest: Ingest, location: Location, mongo: int) -> None:
    """A sha512 digest, and one whose first bit is set, are stored whole."""
    crawl(ingest, mongo, 10, Tag(name="a", digest=b"\xff" * 64), Tag(name="b", digest=b"\xff" * 32))
    found = sorted(len(bytes(row[0])) for row in rows(location, "SELECT digest FROM digest"))
    assert found == [32, 64]
    before = contents(location, ("digest", "digest_prefix"))
    crawl(ingest, mongo, 20, Tag(name="a", digest=b"\xff" * 64), Tag(name="b", digest=b"\xff" * 32))
    assert contents(location, ("digest", "digest_prefix")) == before


def test_digests_that_share_their_first_bytes_are_told_apart(
    ingest: Ingest, location: Location, mongo: int
) -> None:
    """The table of prefixes narrows the search for a digest, it does not decide."""
    twin = digest(1)[:31] + b"\xee"
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5), Tag(name="b", digest=twin, pushed_at=6))
    assert rows(location, "SELECT count(*) FROM digest") == [(2,)]


# Transactions.


def test_an_exception_leaves_nothing(ingest: Ingest, location: Location, mongo: int) -> None:
    """A transaction that fails is as if it had never been, and the next one starts from what is stored."""
    tables = (*HISTORY, "repository", "sweep", "word", "search_term", "search_hit")
    before = contents(location, tables)

    def fail() -> None:
        with ingest.transaction() as batch:
            stored = batch.repositories([Repository(name="a/b", description="word")], 2)
            batch.search_results("term", [stored[0].repository_id], 2, whole=True)
            batch.tag_page(mongo, page([tag("a", 1, 5, AMD, ARM)], 10))
            batch.finish_walk(Walk(mongo, 10, 10, {"a"}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert contents(location, tables) == before
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    assert tags(location) == [("a", 1, 5, 10, None, None)]
    assert rows(location, "SELECT count(*) FROM platform") == [(2,)]


def test_pending_tells_how_much_waits(ingest: Ingest, mongo: int) -> None:
    """Rows wait until the transaction ends; their number tells when to end it."""
    with ingest.transaction() as batch:
        assert batch.pending == 0
        batch.tag_page(mongo, page([tag("a", 1), tag("b", 1)], 10))
        assert batch.pending >= 3


# Repositories.


def test_a_record_that_says_nothing_keeps_what_is_known(ingest: Ingest, location: Location) -> None:
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
    assert rows(
        location,
        "SELECT description, star_count, pull_count, is_official, is_automated, updated_at, registered_at, "
        "first_seen_at, seen_at FROM repository",
    ) == [("", 5, 2**62, False, True, 7, 3, 10, 30)]


def test_an_older_record_changes_nothing(ingest: Ingest, location: Location) -> None:
    """A record from before the last one is late news, and no news."""
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="a/b", star_count=5, updated_at=9)], 20)
    before = contents(location, ["repository"])
    with ingest.transaction() as batch:
        assert not batch.repositories([Repository(name="a/b", star_count=4, updated_at=8)], 10)[0].is_changed
    assert contents(location, ["repository"]) == before


def test_the_last_push_never_goes_back(ingest: Ingest, location: Location, mongo: int) -> None:
    """`updated_at` is the latest of what records and tags said."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="library/mongo", updated_at=3)], 20)
    assert rows(location, "SELECT updated_at FROM repository") == [(5,)]


def test_the_same_repository_twice_in_a_page(ingest: Ingest, location: Location) -> None:
    """Rows of one name are one repository, as its last row says."""
    with ingest.transaction() as batch:
        stored = batch.repositories(
            [Repository(name="a/b", star_count=1), Repository(name="a/c"), Repository(name="a/b", star_count=2)],
            10,
        )
    assert [found.name for found in stored] == ["a/b", "a/c"]
    assert rows(location, "SELECT name, star_count FROM repository ORDER BY name") == [("a/b", 2), ("a/c", 0)]


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


def test_one_404_makes_a_repository_missing_and_no_more(
    ingest: Ingest, reader: Reader, location: Location, mongo: int
) -> None:
    """Missing repositories keep everything and stay in search."""
    with ingest.transaction() as batch:
        assert batch.repository_missing("library/mongo", 10) is Absence.MISSING
    assert rows(location, "SELECT missing_at, gone_at FROM repository") == [(10, None)]
    assert names_found(reader, "mongo") == ["library/mongo"]


def test_404s_within_hours_prove_nothing(ingest: Ingest, location: Location, mongo: int) -> None:
    """Several answers within four hours are one outage."""
    for at in (10, 11, 10 + GONE_AFTER - 1):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    assert rows(location, "SELECT missing_at, gone_at FROM repository") == [(10, None)]


def test_a_404_hours_later_makes_a_repository_gone(
    ingest: Ingest, reader: Reader, location: Location, mongo: int
) -> None:
    """A gone repository is in no answer of search, and its tags went with it."""
    crawl(ingest, mongo, 5, tag("a", 1, 5))
    for at in (10, 10 + GONE_AFTER, 10 + 2 * GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    assert rows(location, "SELECT missing_at, gone_at FROM repository") == [(10, 10 + GONE_AFTER)]
    assert names_found(reader, "mongo") == []
    assert tags(location) == [("a", None, None, 5, 5, 10 + GONE_AFTER)]
    assert spans(location) == [("a", 1, 5, 5, 5, 10 + GONE_AFTER)]


def test_a_gone_repository_comes_back(ingest: Ingest, reader: Reader, location: Location, mongo: int) -> None:
    """Described again it is in search again, as before."""
    for at in (10, 10 + GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="library/mongo")], 9 * HOUR)
    assert rows(location, "SELECT missing_at, gone_at FROM repository") == [(None, None)]
    assert names_found(reader, "mongo") == ["library/mongo"]


def test_the_tags_of_a_gone_repository_come_back_with_it(ingest: Ingest, location: Location, mongo: int) -> None:
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
    assert spans(location) == [("a", 1, 5, 5, 5, gone_at), ("b", 2, 5, 5, 5, gone_at)]
    assert tags(location) == [("a", 1, 5, 9 * HOUR, None, None), ("b", None, None, 5, 5, gone_at)]


def test_one_404_ends_no_tag(ingest: Ingest, location: Location, mongo: int) -> None:
    """Its tags are confirmed on by the next sweep."""
    crawl(ingest, mongo, 5, tag("a", 1, 5))
    with ingest.transaction() as batch:
        batch.repository_missing("library/mongo", 10)
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert spans(location) == []
    assert tags(location) == [("a", 1, 5, 5, None, None)]


# What questions about the past look things up in.


def held(location: Location) -> dict[int, set[str]]:
    """The tags that each digest names."""
    found = rows(location, "SELECT digest, tags FROM digest WHERE tags IS NOT NULL")
    assert all(len(set(names.split(" "))) == len(names.split(" ")) for _, names in found)
    return {int.from_bytes(bytes(raw)[:4], "big"): set(names.split(" ")) for raw, names in found}


def test_a_digest_names_the_tags_that_have_or_had_it(ingest: Ingest, location: Location, mongo: int) -> None:
    """Of one crawl and of later ones, each once; platform images name none."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM), tag("aa", 1, 5, AMD, ARM), tag("b", 2, 5))
    assert held(location) == {1: {"a", "aa"}, 2: {"b"}}
    crawl(ingest, mongo, 20, tag("a", 2, 15), tag("aa", 1, 5, AMD, ARM), tag("a-a", 1, 15), tag("b", 2, 5))
    assert held(location) == {1: {"a", "aa", "a-a"}, 2: {"a", "b"}}
    crawl(ingest, mongo, 30, tag("a", 1, 25), tag("aa", 1, 5, AMD, ARM), tag("a-a", 1, 15), tag("b", 2, 5))
    assert held(location) == {1: {"a", "aa", "a-a"}, 2: {"a", "b"}}


def test_a_digest_names_the_tags_of_one_transaction(ingest: Ingest, location: Location, mongo: int) -> None:
    """Also those that came after its row was written."""
    with ingest.transaction() as batch:
        for at, names in ((10, ["a", "b"]), (20, ["a", "b", "c"])):
            seen = [tag(name, 1, 5) for name in names]
            batch.tag_page(mongo, page(seen, at))
            batch.finish_walk(Walk(mongo, at, at, set(names)))
    assert held(location) == {1: {"a", "b", "c"}}


def test_a_digest_names_a_tag_of_a_late_report(ingest: Ingest, location: Location, mongo: int) -> None:
    """A moment is enough."""
    crawl(ingest, mongo, 30, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 2, 3), problem="late")
    assert held(location) == {1: {"a"}, 2: {"a"}}


def test_changes_are_found_by_their_time(ingest: Ingest, location: Location, mongo: int) -> None:
    """Pushes, first sights and absences, each in its stretch of 28 days; an unchanged crawl adds none."""
    crawl(ingest, mongo, 10 * PERIOD, tag("a", 1, 2 * PERIOD), tag("b", 2, 3 * PERIOD))
    crawl(ingest, mongo, 12 * PERIOD, tag("a", 1, 2 * PERIOD), tag("b", 2, 3 * PERIOD))
    assert changes(location) == [2, 3, 10]
    crawl(ingest, mongo, 14 * PERIOD, tag("a", 1, 2 * PERIOD))
    assert changes(location) == [2, 3, 10, 14]
    crawl(ingest, mongo, 16 * PERIOD, tag("a", 3, 15 * PERIOD))
    assert changes(location) == [2, 3, 10, 14, 15, 16]
    crawl(ingest, mongo, 7 * PERIOD, tag("a", 4, 6 * PERIOD), problem="late")
    assert changes(location) == [2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]


def test_a_push_time_that_is_learned_is_found_by_its_time(ingest: Ingest, location: Location, mongo: int) -> None:
    """A tag without a push time gets it later."""
    crawl(ingest, mongo, 10 * PERIOD, tag("a", 1))
    crawl(ingest, mongo, 12 * PERIOD, tag("a", 1, 2 * PERIOD))
    assert changes(location) == [2, 10]


def changes(location: Location) -> list[int]:
    """The periods in which the only repository changed."""
    return [row[0] for row in rows(location, "SELECT period FROM change ORDER BY period")]


@pytest.mark.parametrize("shown", [(AMD,), (AMD, ARM, WINDOWS)])
def test_platforms_that_appear_or_disappear_under_a_known_digest_are_told(
    ingest: Ingest, location: Location, mongo: int, shown: tuple[PlatformImage, ...]
) -> None:
    """What was known is kept, also if nothing else about the tag has changed, and a warning names the tag."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    before = contents(location)
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 5, *shown))
    assert [warning.partition(":")[0] for warning in outcome.warnings] == ["tag a"]
    assert contents(location) == before


def test_a_clock_that_went_backwards(ingest: Ingest, location: Location, reader: Reader, mongo: int) -> None:
    """Both facts are kept, the crawl warns, and once the clock is right again history goes on."""
    crawl(ingest, mongo, 10 * HOUR, tag("a", 1, 5))
    outcome, gone = crawl(ingest, mongo, 2 * HOUR, tag("a", 2, 11 * HOUR))
    assert len(outcome.warnings) == 1
    assert "clock" in outcome.warnings[0]
    assert gone == 0
    assert spans(location) == [("a", 2, 11 * HOUR, 2 * HOUR, 2 * HOUR, None)]
    crawl(ingest, mongo, 12 * HOUR, tag("a", 2, 11 * HOUR))
    answers = [resolve(reader, Reference.parse("mongo:a"), at * HOUR) for at in (1, 2, 10, 11, 12)]
    assert [(a.digest and int(a.digest[7:15], 16), a.certainty) for a in answers] == [
        (None, "unknown"),
        (2, "confirmed"),
        (1, "confirmed"),
        (2, "confirmed"),
        (2, "confirmed"),
    ]


def test_a_repository_seen_between_two_404s_is_not_gone(ingest: Ingest, location: Location, mongo: int) -> None:
    """Only answers since it was last seen count."""
    with ingest.transaction() as batch:
        batch.repository_missing("library/mongo", 10)
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert rows(location, "SELECT missing_at FROM repository") == [(None,)]
    with ingest.transaction() as batch:
        batch.repository_missing("library/mongo", 10 + GONE_AFTER)
    assert rows(location, "SELECT gone_at FROM repository") == [(None,)]


def test_a_late_404_is_no_news(ingest: Ingest, location: Location) -> None:
    """A 404 from before the repository was last described does not count."""
    add(ingest, "a/b", seen_at=20)
    with ingest.transaction() as batch:
        assert batch.repository_missing("a/b", 10) is Absence.MISSING
    assert rows(location, "SELECT missing_at FROM repository") == [(None,)]


def test_a_walk_over_a_gone_repository_leaves_search_sound(
    ingest: Ingest, reader: Reader, location: Location, mongo: int
) -> None:
    """The end of a walk that had begun before does not bring the repository back by half."""
    for at in (10, 10 + GONE_AFTER):
        with ingest.transaction() as batch:
            batch.repository_missing("library/mongo", at)
    crawl(ingest, mongo, 9 * HOUR, tag("a", 1, 5), started_at=9)
    is_gone = rows(location, "SELECT gone_at FROM repository") != [(None,)]
    assert is_gone == (names_found(reader, "mongo") == [])


def test_a_404_of_an_unknown_repository(ingest: Ingest) -> None:
    """It is not in the index, and does not come into it."""
    with ingest.transaction() as batch:
        assert batch.repository_missing("library/none", 10) is Absence.UNKNOWN


# What a source returned for a term.


def hits(location: Location) -> list[tuple[str, int, int]]:
    return [
        (row[0], row[1], row[2])
        for row in rows(
            location,
            "SELECT t.term, h.repository_id, h.position FROM search_hit h "
            "JOIN search_term t ON t.term_id = h.term_id ORDER BY 1, 3, 2",
        )
    ]


def test_hits_keep_the_order_of_the_source(ingest: Ingest, location: Location) -> None:
    """Positions count from 1; a repository that appears twice keeps its first place."""
    a, b, c = add(ingest, "x/a", "x/b", "x/c")
    with ingest.transaction() as batch:
        batch.search_results("  My  Term ", [b, a, b, c], 10, whole=True)
    assert hits(location) == [("my term", b, 1), ("my term", a, 2), ("my term", c, 4)]


def test_a_whole_answer_replaces_the_hits(ingest: Ingest, location: Location) -> None:
    """What the source no longer returns is forgotten, for this term only."""
    a, b, c = add(ingest, "x/a", "x/b", "x/c")
    with ingest.transaction() as batch:
        batch.search_results("other", [a], 10, whole=True)
        batch.search_results("term", [a, b], 10, whole=True)
    with ingest.transaction() as batch:
        batch.search_results("term", [c, b], 20, whole=True)
    assert hits(location) == [("other", a, 1), ("term", c, 1), ("term", b, 2)]
    assert rows(location, "SELECT crawled_at FROM search_term ORDER BY term") == [(10,), (20,)]


def test_a_broken_answer_keeps_the_hits(ingest: Ingest, location: Location) -> None:
    """The places that arrived are stored, what stood behind them is kept."""
    a, b, c = add(ingest, "x/a", "x/b", "x/c")
    with ingest.transaction() as batch:
        batch.search_results("term", [a, b], 10, whole=True)
    with ingest.transaction() as batch:
        batch.search_results("term", [c], 20, whole=False)
    assert hits(location) == [("term", c, 1), ("term", b, 2)]


# Several writers.


def _write_rounds(ingest: Ingest, offset: int, rounds: int) -> None:
    """Crawl three repositories again and again, each time with other words, tags and times."""
    for number in range(rounds):
        at = 10 + 10 * number + offset
        names = ["x/a", "x/b", "x/c"]
        while True:
            try:
                with ingest.transaction() as batch:
                    stored = batch.repositories(
                        [
                            Repository(
                                name=name, description=f"word{(number + offset) % 4} of {name}", star_count=at
                            )
                            for name in names
                        ],
                        at,
                    )
                    batch.search_results("x", [found.repository_id for found in stored], at, whole=True)
                for found in stored:
                    seen = [tag("latest", at, at - 1, AMD, image("linux/arm64", at)), tag(f"v{number % 3}", 1, 1)]
                    with ingest.transaction() as batch:
                        batch.tag_page(found.repository_id, page(seen, at))
                        batch.finish_walk(Walk(found.repository_id, at, at, {found.name for found in seen}))
            except StorageError:  # the engine chose this one of two writers to begin again
                continue
            break


def _recounted(location: Location) -> dict[str, int]:
    found: dict[str, int] = {}
    for description, name in rows(location, "SELECT description, name FROM repository"):
        for word in {*description.replace("/", " ").split(), *name.split("/")}:
            found[word] = found.get(word, 0) + 1
    return found


ROUNDS = 12

PUSHES = """
SELECT s.pushed_at FROM span s
JOIN tag t ON t.repository_id = s.repository_id AND t.tag_id = s.tag_id
JOIN repository r ON r.repository_id = s.repository_id
WHERE t.name = 'latest' AND r.name = '{name}'
UNION ALL
SELECT t.pushed_at FROM tag t
JOIN repository r ON r.repository_id = t.repository_id
WHERE t.name = 'latest' AND r.name = '{name}'
"""


def _assert_both_are_whole(location: Location, reader: Reader) -> None:
    """No word is miscounted, no repository is in search twice, and no push that was told is missing."""
    assert problems(location) == []
    counted = rows(location, "SELECT word, repositories FROM word WHERE repositories > 0 AND word >= 'a'")
    assert dict(counted) == _recounted(location)
    assert sorted(names_found(reader, "x")) == ["x/a", "x/b", "x/c"]
    told = sorted(9 + 10 * number + offset for number in range(ROUNDS) for offset in (0, 1))
    for name in ("x/a", "x/b", "x/c"):
        assert sorted(row[0] for row in rows(location, PUSHES.format(name=name))) == told


def test_two_threads_write_the_same_repositories(location: Location, reader: Reader) -> None:
    """Two writers at once lose no span, no word and no repository, and make nothing twice."""
    failures: list[BaseException] = []

    def work(offset: int) -> None:
        ingest = Ingest(location)
        try:
            _write_rounds(ingest, offset, ROUNDS)
        except BaseException as error:
            failures.append(error)
        finally:
            ingest.close()

    threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    _assert_both_are_whole(location, reader)


def test_two_processes_write_the_same_repositories(location: Location, reader: Reader) -> None:
    """A second process is another writer like any."""
    script = dedent(
        f"""
        from hubindex.index.writing.ingest import Ingest
        from hubindex.index.database.location import Location
        from tests.index.writing.test_ingest import _write_rounds
        _write_rounds(Ingest(Location.parse({location.target!r})), 1, {ROUNDS})
        """
    )
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        ingest = Ingest(location)
        _write_rounds(ingest, 0, ROUNDS)
        ingest.close()
    assert process.returncode == 0
    _assert_both_are_whole(location, reader)


@pytest.mark.parametrize("digest_first", [True, False])
def test_an_equal_push_time_joins_what_cannot_be_compared(
    ingest: Ingest, reader: Reader, digest_first: bool
) -> None:
    """A digest without images and images without a digest, pushed at the same moment, are no move."""
    with_digest = Tag(name="7", digest=b"\x07" * 32, pushed_at=5)
    with_images = Tag(name="7", images=(AMD, ARM), pushed_at=5)
    first, second = (with_digest, with_images) if digest_first else (with_images, with_digest)
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="library/mongo")], 10)
        batch.tag_page(stored.repository_id, TagPage(tags=(first,), count=1, more=False, observed_at=10))
    with ingest.transaction() as batch:
        outcome = batch.tag_page(
            stored.repository_id, TagPage(tags=(second,), count=1, more=False, observed_at=20)
        )
    assert outcome.moved == 0
    (tag,) = repositories.tags(reader, repositories.repository(reader, Reference.parse("mongo")))
    assert tag.digest == "sha256:" + "07" * 32


def test_an_older_crawl_of_a_term_changes_nothing(ingest: Ingest, reader: Reader) -> None:
    """What the Hub returned last counts, in whichever order two crawls are stored."""
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="acme/a")], 10)
        batch.search_results("zzz", [stored.repository_id], 30, whole=True)
    with ingest.transaction() as batch:
        batch.search_results("zzz", [], 20, whole=True)
    assert [found.reference.repository for found in search(reader, Query("zzz"))] == ["acme/a"]


def test_an_endless_term_is_cut(ingest: Ingest, reader: Reader) -> None:
    """PostgreSQL cannot index an arbitrarily long text; the beginning is term enough."""
    term = "\u6f22" * 3000
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="acme/a")], 10)
        batch.search_results(term, [stored.repository_id], 30, whole=True)
    assert [found.reference.repository for found in search(reader, Query(term))] == ["acme/a"]


def test_a_search_index_in_many_pieces_is_joined(sqlite_template: Path, tmp_path: Path) -> None:
    """Many small transactions leave many pieces; closing makes one of them, and everything is still found."""
    location = Location.parse(str(shutil.copy(sqlite_template, tmp_path / "index.db")))
    connection = sqlite3.connect(location.target)
    connection.execute("INSERT INTO repository_search (repository_search, rank) VALUES ('automerge', 0)")
    connection.commit()
    connection.close()
    ingest = Ingest(location)
    for number in range(14):
        with ingest.transaction() as batch:
            batch.repositories([Repository(name=f"acme/app{number}", description="common")], 10)
    before = rows(location, "SELECT count(DISTINCT segid) FROM repository_search_idx")[0][0]
    ingest.close()
    assert before > 8
    assert rows(location, "SELECT count(DISTINCT segid) FROM repository_search_idx")[0][0] == 1
    reader = open_reader(location)
    assert len(search(reader, Query("common", limit=100))) == 14
    reader.close()
    assert problems(location) == []


# Walks that end early, and what is left to be found out.


def test_news_are_what_a_page_says_that_was_not_known(ingest: Ingest, mongo: int) -> None:
    """New tags, moves, and other facts such as a push time; what is confirmed only is no news."""
    news = [
        crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2))[0].news,
        crawl(ingest, mongo, 20, tag("a", 1, 5), tag("b", 2))[0].news,
        crawl(ingest, mongo, 30, tag("a", 3, 25), tag("b", 2), tag("c", 4))[0].news,
        crawl(ingest, mongo, 40, tag("a", 3, 25), tag("b", 2, 1), tag("c", 4))[0].news,
        crawl(ingest, mongo, 50, tag("a", 3, 45), tag("b", 2, 1), tag("c", 4))[0].news,
    ]
    assert news == [2, 0, 2, 1, 1]


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


def test_a_walk_that_ends_early_ends_no_tag(ingest: Ingest, location: Location, mongo: int) -> None:
    """It saw a part; it is no sweep, and has no problem."""
    seen = (tag("a", 1, 5), tag("b", 2, 4), tag("c", 3, 3))
    crawl(ingest, mongo, 10, *seen)
    early(ingest, mongo, 20, *seen[:2])
    assert [row[0] for row in tags(location) if row[5] is None] == ["a", "b", "c"]
    assert rows(location, "SELECT walked_at, swept_at, walk_problem FROM repository") == [(20, 10, None)]
    assert rows(location, "SELECT count(*) FROM sweep") == [(1,)]


def test_a_remark_does_not_make_a_sweep_less(ingest: Ingest, location: Location, mongo: int) -> None:
    """What it could not find out is written down; what it did not see is gone."""
    crawl(ingest, mongo, 10, tag("a", 1), tag("b", 2))
    with ingest.transaction() as batch:
        batch.tag_page(mongo, page([tag("a", 1)], 20))
        ended = batch.finish_walk(Walk(mongo, 20, 20, {"a"}, omission="one digest was not asked for"))
    assert ended == 1
    assert rows(location, "SELECT swept_at, walk_problem FROM repository") == [
        (20, "one digest was not asked for")
    ]


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


def test_a_repository_changed_when_it_was_last_pushed_to(ingest: Ingest, mongo: int) -> None:
    """As far as known."""
    with ingest.transaction() as batch:
        assert batch.changed_at(mongo) is None
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 2, 7))
    with ingest.transaction() as batch:
        assert batch.changed_at(mongo) == 7
