"""What tags point to: digests, platform images, and rows that lack one or the other."""

import pytest

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.evidence.timeline import PERIOD
from hubindex.index.questions.whatis import whatis
from hubindex.index.writing.ingest import Ingest
from hubindex.index.writing.walks import Walk
from hubindex.records import PlatformImage, Repository, Tag, TagPage
from tests.index.building import (
    add,
    contents,
    crawl,
    digest,
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
WINDOWS = image("windows/amd64:10.0.17763.1", 103)


def test_a_platform_set_without_a_digest_has_a_key(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Several images and no digest are a content of their own, and another set is a move."""
    crawl(ingest, mongo, 10, tag("a", None, 5, AMD, ARM))
    (found,) = now(reader)
    assert (found.digest, found.platforms) == (None, ("linux/amd64", "linux/arm64/v8"))
    outcome, _ = crawl(ingest, mongo, 20, tag("a", None, 15, AMD, WINDOWS))
    assert outcome.moved == 1
    assert past(reader, "a") == [(None, 15, 20, None), (None, 5, 10, 15)]
    assert past(reader, "a", "linux/arm64") == [(None, 15, 20, None), (102, 5, 10, 15)]


def test_a_platform_set_learns_its_digest(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """The digest of the index that appears later with the same images belongs to the same span."""
    crawl(ingest, mongo, 10, tag("a", None, 5, AMD, ARM))
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM))
    assert outcome.moved == 0
    assert past(reader, "a") == [(1, 5, 20, None)]


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


def test_a_row_without_anything_confirms_nothing(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Without digest, images and push time the tag exists, but it is known as of the last good row only."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", None))
    crawl(ingest, mongo, 30, tag("a", None))
    assert past(reader, "a") == [(1, 5, 10, None)]
    crawl(ingest, mongo, 40, tag("a", 2, 35))
    assert past(reader, "a") == [(2, 35, 40, None), (1, 5, 10, 35)]


def test_an_empty_image_list_keeps_the_images(ingest: Ingest, location: Location, mongo: int) -> None:
    """A digest whose images were known and are not listed now keeps them."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    before = contents(location)
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert contents(location) == before


def test_images_that_become_readable_are_added(
    ingest: Ingest, location: Location, reader: Reader, mongo: int
) -> None:
    """A digest seen first without its images gets them when they are listed, without a new span."""
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM))
    assert past(reader, "a") == [(1, 5, 20, None)]
    assert past(reader, "a", "linux/amd64") == [(101, 5, 20, None)]
    before = contents(location)
    crawl(ingest, mongo, 30, tag("a", 1, 5, AMD, ARM))
    assert contents(location) == before


def test_what_is_known_of_a_digest_is_not_unlearned(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A size or media type that a later row leaves out stays when that row brings the images."""
    crawl(ingest, mongo, 10, Tag(name="a", digest=digest(1), media_type="text/x", size=77, pushed_at=5))
    crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM))
    assert [(found.size, found.media_type) for found in now(reader)] == [(77, "text/x")]


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
    (found,) = now(reader)
    assert found.digest == "sha256:" + "07" * 32


# Digests.


def test_platform_images_that_two_indexes_share(
    ingest: Ingest, location: Location, reader: Reader, mongo: int
) -> None:
    """A platform image is stored once, and found from each index that contains it."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM), tag("b", 2, 6, AMD, WINDOWS))
    assert rows(location, "SELECT count(*) FROM digest") == [(5,)]
    assert [(held.reference.tag, held.index_digest) for held in whatis(reader, text(101))] == [
        ("a", text(1)),
        ("b", text(2)),
    ]


def test_one_image_under_two_platforms(ingest: Ingest, location: Location, mongo: int) -> None:
    """The same digest for two platforms of an index is one digest with two platforms."""
    same = [image("linux/amd64", 101), image("linux/arm64", 101)]
    crawl(ingest, mongo, 10, tag("a", 1, 5, *same))
    before = contents(location)
    crawl(ingest, mongo, 20, tag("a", 1, 5, *same))
    assert contents(location) == before
    assert rows(location, "SELECT count(*) FROM digest") == [(2,)]


def test_a_single_image_is_its_own_platform_image(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A tag that points to an image manifest has that image, and no index around it."""
    crawl(ingest, mongo, 10, tag("a", 101, 5, AMD))
    assert [(held.platform, held.index_digest) for held in whatis(reader, text(101))] == [(None, None)]
    assert past(reader, "a", "linux/amd64") == [(101, 5, 10, None)]


@pytest.mark.parametrize("shown", [(AMD, WINDOWS), (AMD,), (image("linux/386", 101), ARM)])
def test_other_images_under_a_known_digest_are_not_believed(
    ingest: Ingest, reader: Reader, mongo: int, shown: tuple[PlatformImage, ...]
) -> None:
    """A digest stands for one content: what was known first stays, and a warning names the tag."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM))
    outcome, _ = crawl(ingest, mongo, 20, tag("a", 1, 5, AMD, ARM), tag("b", 1, 15, *shown))
    assert len(outcome.warnings) == 1
    assert outcome.warnings[0].startswith("tag b: ")
    assert {(found.name, found.digest, found.platforms) for found in now(reader)} == {
        (name, text(1), ("linux/amd64", "linux/arm64/v8")) for name in ("a", "b")
    }


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


def test_two_repositories_number_their_digests_apart(ingest: Ingest, location: Location, reader: Reader) -> None:
    """The same digest in two repositories is known in each."""
    first, second = add(ingest, "library/a", "library/b")
    with ingest.transaction() as batch:
        for number in (first, second):
            batch.tag_page(number, page([tag("x", 1, 5, AMD, ARM)], 10))
    assert [held.reference.familiar for held in whatis(reader, text(1))] == ["a:x", "b:x"]
    assert rows(location, "SELECT DISTINCT last_tag_id, last_digest_id FROM repository") == [(1, 3)]


def test_digests_of_other_algorithms(ingest: Ingest, location: Location, reader: Reader, mongo: int) -> None:
    """A sha512 digest, and one whose first bit is set, are stored whole."""
    crawl(ingest, mongo, 10, Tag(name="a", digest=b"\xff" * 64), Tag(name="b", digest=b"\xff" * 32))
    assert [found.digest for found in now(reader)] == ["sha512:" + "ff" * 64, "sha256:" + "ff" * 32]
    before = contents(location, ("digest", "digest_prefix"))
    crawl(ingest, mongo, 20, Tag(name="a", digest=b"\xff" * 64), Tag(name="b", digest=b"\xff" * 32))
    assert contents(location, ("digest", "digest_prefix")) == before


def test_digests_that_share_their_first_bytes_are_told_apart(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """The table of prefixes narrows the search for a digest, it does not decide."""
    twin = digest(1)[:31] + b"\xee"
    crawl(ingest, mongo, 10, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5), Tag(name="b", digest=twin, pushed_at=6))
    assert [held.reference.tag for held in whatis(reader, text(1))] == ["a"]
    assert [held.reference.tag for held in whatis(reader, twin.hex())] == ["b"]


# What questions about the past look things up in.


def held(reader: Reader, *numbers: int) -> dict[int, set[str]]:
    """The tags that have or had each of some digests."""
    return {number: {str(each.reference.tag) for each in whatis(reader, text(number))} for number in numbers}


def test_a_digest_names_the_tags_that_have_or_had_it(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Of one crawl and of later ones, each once; platform images name none."""
    crawl(ingest, mongo, 10, tag("a", 1, 5, AMD, ARM), tag("aa", 1, 5, AMD, ARM), tag("b", 2, 5))
    assert held(reader, 1, 2) == {1: {"a", "aa"}, 2: {"b"}}
    crawl(ingest, mongo, 20, tag("a", 2, 15), tag("aa", 1, 5, AMD, ARM), tag("a-a", 1, 15), tag("b", 2, 5))
    assert held(reader, 1, 2) == {1: {"a", "aa", "a-a"}, 2: {"a", "b"}}
    crawl(ingest, mongo, 30, tag("a", 1, 25), tag("aa", 1, 5, AMD, ARM), tag("a-a", 1, 15), tag("b", 2, 5))
    assert held(reader, 1, 2) == {1: {"a", "aa", "a-a"}, 2: {"a", "b"}}


def test_a_digest_names_the_tags_of_one_transaction(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Also those that came after its row was written."""
    with ingest.transaction() as batch:
        for at, names in ((10, ["a", "b"]), (20, ["a", "b", "c"])):
            seen = [tag(name, 1, 5) for name in names]
            batch.tag_page(mongo, page(seen, at))
            batch.finish_walk(Walk(mongo, at, at, set(names)))
    assert held(reader, 1) == {1: {"a", "b", "c"}}


def test_a_digest_names_a_tag_of_a_late_report(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A moment is enough."""
    crawl(ingest, mongo, 30, tag("a", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 2, 3), problem="late")
    assert held(reader, 1, 2) == {1: {"a"}, 2: {"a"}}


def changes(location: Location) -> list[int]:
    """The periods in which the only repository changed."""
    return [row[0] for row in rows(location, "SELECT period FROM change ORDER BY period")]


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
