"""Tags: what the first look writes, what the second leaves alone, and what a move becomes."""

import pytest

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.questions.history import first_sweep, history, resolve
from hubindex.index.questions.repositories import repository
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Tag
from tests.index.building import (
    HOUR,
    MONGO,
    contents,
    crawl,
    image,
    now,
    page,
    past,
    rows,
    tag,
    text,
)

pytestmark = pytest.mark.usefixtures("ends_sound")

AMD = image("linux/amd64", 101)
ARM = image("linux/arm64/v8", 102)


def test_the_first_crawl_writes_everything(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Tags, digests, platform images and the sweep are there after one crawl."""
    outcome, gone = crawl(ingest, mongo, 10, tag("latest", 1, 5, AMD, ARM), tag("7", 1, 5, AMD, ARM), tag("6", 2))
    assert (outcome.new, outcome.moved, outcome.warnings, gone) == (3, 0, [], 0)
    assert [(found.name, found.digest, found.pushed_at, found.platforms) for found in now(reader)] == [
        ("7", text(1), 5, ("linux/amd64", "linux/arm64/v8")),
        ("latest", text(1), 5, ("linux/amd64", "linux/arm64/v8")),
        ("6", text(2), None, ()),
    ]
    assert past(reader, "7") == [(1, 5, 10, None)]
    assert past(reader, "6") == [(2, 10, 10, None)]
    facts = repository(reader, MONGO)
    assert (facts.updated_at, facts.walked_at, facts.walk_problem) == (5, 10, None)
    assert first_sweep(reader, facts) == 10


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


def test_a_move_closes_the_span_and_opens_the_next(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """The old digest is confirmed to the last sweep that saw it, the new one begins with its push."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    outcome, _ = crawl(ingest, mongo, 30, tag("a", 2, 25))
    assert outcome.moved == 1
    assert past(reader, "a") == [(2, 25, 30, None), (1, 5, 20, 25)]


def test_a_move_and_back_is_three_spans(ingest: Ingest, location: Location, reader: Reader, mongo: int) -> None:
    """A tag that comes back to an old digest is in a new span; the digest is stored once."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 2, 15))
    outcome, _ = crawl(ingest, mongo, 30, tag("a", 1, 25))
    assert outcome.moved == 1
    assert past(reader, "a") == [(1, 25, 30, None), (2, 15, 20, 25), (1, 5, 10, 15)]
    assert rows(location, "SELECT count(*) FROM digest") == [(2,)]


def test_a_repush_of_the_same_digest_is_no_move(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """One stretch, with a gap before the push of which nobody knows anything."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 15))
    assert outcome.moved == 0
    assert past(reader, "a") == [(1, 5, 20, None)]
    (answer,) = history(reader, MONGO._replace(tag="a"))
    assert answer.gaps == ((10, 15),)


def test_one_tag_moves_and_its_alias_does_not(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Each tag has its own spans, whatever digest it shares."""
    crawl(ingest, mongo, 10, tag("7", 1, 5), tag("latest", 1, 5))
    crawl(ingest, mongo, 20, tag("7", 1, 5), tag("latest", 2, 15))
    assert past(reader, "7") == [(1, 5, 20, None)]
    assert past(reader, "latest") == [(2, 15, 20, None), (1, 5, 10, 15)]


# Times.


def test_null_dates(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A registry that never dates its pushes is known by our own sights alone."""
    crawl(ingest, mongo, 10, tag("a", 1))
    crawl(ingest, mongo, 20, tag("a", 1))
    crawl(ingest, mongo, 30, tag("a", 2))
    assert past(reader, "a") == [(2, 30, 30, None), (1, 10, 20, 30)]
    assert repository(reader, MONGO).updated_at is None


@pytest.mark.parametrize("pushed_at", [15, 10**13])
def test_a_push_time_that_contradicts_our_sights_is_kept(
    ingest: Ingest, reader: Reader, mongo: int, pushed_at: int
) -> None:
    """A push before the last sight of the previous digest, or after our clock, is kept; bounds are ours."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    crawl(ingest, mongo, 30, tag("a", 2, pushed_at))
    assert past(reader, "a") == [(2, 30, 30, None), (1, 5, 20, 30)]
    newest, _ = history(reader, MONGO._replace(tag="a"))
    assert newest.pushed_at == pushed_at
    assert "only our own sights count" in newest.note


def test_a_late_report_is_added_beside_what_is_known(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """An observation older than the open span is evidence of what was there before; the tag stays as it is."""
    crawl(ingest, mongo, 20, tag("a", 2, 15))
    outcome, _ = crawl(ingest, mongo, 10, tag("a", 1, 5))
    assert outcome.moved == 0
    assert past(reader, "a") == [(2, 15, 20, None), (1, 5, 10, 15)]


def test_a_late_report_of_the_digest_before_its_known_span(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Without push times an earlier sight of the open digest is evidence of its own: something may lie between."""
    crawl(ingest, mongo, 20, tag("a", 2))
    crawl(ingest, mongo, 30, tag("a", 1))
    crawl(ingest, mongo, 10, tag("a", 1))
    assert past(reader, "a") == [(1, 30, 30, None), (2, 20, 20, 30), (1, 10, 10, 20)]


def test_a_clock_that_went_backwards(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Both facts are kept, the crawl warns, and once the clock is right again history goes on."""
    crawl(ingest, mongo, 10 * HOUR, tag("a", 1, 5))
    outcome, gone = crawl(ingest, mongo, 2 * HOUR, tag("a", 2, 11 * HOUR))
    assert len(outcome.warnings) == 1
    assert "clock" in outcome.warnings[0]
    assert gone == 0
    crawl(ingest, mongo, 12 * HOUR, tag("a", 2, 11 * HOUR))
    answers = [resolve(reader, MONGO._replace(tag="a"), at * HOUR) for at in (1, 2, 10, 11, 12)]
    assert [(a.digest and int(a.digest[7:15], 16), a.certainty) for a in answers] == [
        (None, "unknown"),
        (2, "confirmed"),
        (1, "confirmed"),
        (2, "confirmed"),
        (2, "confirmed"),
    ]


# Pages.


def test_the_same_tag_twice_in_a_page(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A row repeated is one tag; of two rows that disagree both are kept, the later one as what it is."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("a", 1, 5))
    assert past(reader, "a") == [(1, 5, 10, None)]
    crawl(ingest, mongo, 20, tag("b", 2, 6), tag("b", 3, 7), tag("a", 1, 5))
    assert [(number, since) for number, since, _, _ in past(reader, "b")] == [(3, 20), (2, 6)]


def test_the_same_tag_on_two_pages_of_a_batch(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A tag that slides to the next page while the list shifts is one tag."""
    with ingest.transaction() as batch:
        first = batch.tag_page(mongo, page([tag("a", 1, 5), tag("b", 2, 4)], 10))
        second = batch.tag_page(mongo, page([tag("b", 2, 4), tag("c", 3, 3)], 11))
    assert (first.new, second.new) == (2, 1)
    assert [found.name for found in now(reader)] == ["a", "b", "c"]
    assert past(reader, "b") == [(2, 4, 10, None)]


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


def test_pending_tells_how_much_waits(ingest: Ingest, mongo: int) -> None:
    """Rows wait until the transaction ends; their number tells when to end it."""
    with ingest.transaction() as batch:
        assert batch.pending == 0
        batch.tag_page(mongo, page([tag("a", 1), tag("b", 1)], 10))
        assert batch.pending >= 3
