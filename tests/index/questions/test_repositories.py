"""The facts about a repository, its tags, and the whole index."""

import pytest

from hubindex.certainty import Certainty
from hubindex.errors import NoAnswer
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.platforms import digest_text
from hubindex.index.questions.repositories import Status, TagFacts, repository, status, tags
from hubindex.index.writing.ingest import GONE_AFTER, Ingest
from hubindex.records import Repository, Tag
from hubindex.reference import Reference
from tests.index.building import add, crawl, digest, image, tag, text

MONGO = Reference.parse("mongo")
AMD, ARM = image("linux/amd64", 101), image("linux/arm64/v8", 102)


def shown(reader: Reader) -> list[TagFacts]:
    return tags(reader, repository(reader, MONGO))


@pytest.fixture
def mongo(ingest: Ingest) -> int:
    """A repository without tags."""
    return add(ingest, "library/mongo")[0]


# One repository.


def test_what_is_known_of_a_repository(ingest: Ingest, reader: Reader) -> None:
    """All that the source said, and how far its tags are known."""
    with ingest.transaction() as batch:
        record = Repository(
            name="library/mongo",
            description="word",
            star_count=3,
            pull_count=2**40,
            is_official=True,
            updated_at=4,
            registered_at=2,
        )
        number = batch.repositories([record], 9)[0].repository_id
    crawl(ingest, number, 10, tag("a", 1, 8))
    crawl(ingest, number, 20, tag("a", 1, 8), problem="page 2: refused", oldest_push=8)
    facts = repository(reader, MONGO)
    assert facts[:9] == (number, MONGO, "word", 3, 2**40, True, False, 8, 2)
    assert (facts.first_seen_at, facts.seen_at, facts.missing_at, facts.gone_at) == (9, 9, None, None)
    assert (facts.walked_at, facts.walk_problem) == (20, "page 2: refused")
    assert facts.sweeps == (10, 20, 7)
    assert facts.looked_at == 20


def test_a_repository_never_walked(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Without a walk there is no look, no problem and no tag."""
    facts = repository(reader, MONGO)
    assert (facts.looked_at, facts.walked_at, facts.walk_problem) == (None, None, None)
    assert tags(reader, facts) == []


def test_an_unknown_repository_says_what_to_do(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A repository that is not in the index is no answer, and names the crawl that would fetch it."""
    with pytest.raises(NoAnswer) as error:
        repository(reader, Reference.parse("bitnami/redis"))
    assert str(error.value) == (
        "bitnami/redis is not in the index: fetch it with 'hubindex crawl --repo bitnami/redis'"
    )
    assert error.value.exit_code == 3
    with pytest.raises(NoAnswer, match=r"ghcr\.io/library/mongo is not in the index"):
        repository(reader, Reference.parse("ghcr.io/library/mongo"))


def test_an_empty_index_says_what_to_do(reader: Reader) -> None:
    """With nothing in the index, the advice is to fill it."""
    with pytest.raises(NoAnswer, match="the index is empty: fill it with 'hubindex crawl TERM'"):
        repository(reader, MONGO)
    with pytest.raises(NoAnswer, match="the index is empty"):
        status(reader)


# Its tags.


def test_tags_come_newest_first(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """By push time; those without one come last; equal times by name."""
    crawl(
        ingest,
        mongo,
        50,
        tag("b", 1, 40),
        tag("a", 2, 40),
        tag("old", 3, 5),
        tag("new", 4, 60),
        tag("dateless", 5),
    )
    assert [found.name for found in shown(reader)] == ["new", "a", "b", "old", "dateless"]


def test_what_is_known_of_a_tag(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Digest, media type, platforms, size and times are as the last row said; aliases share the digest."""
    index = "application/vnd.oci.image.index.v1+json"
    latest = Tag(name="latest", digest=digest(1), media_type=index, size=7, pushed_at=5, images=(AMD, ARM))
    seven = Tag(name="7", digest=digest(1), media_type=index, size=7, pushed_at=4, images=(AMD, ARM))
    eight = Tag(name="8", digest=digest(1), media_type=index, size=7, pushed_at=3, images=(AMD, ARM))
    crawl(ingest, mongo, 10, latest, seven, eight, tag("6", 2, 2))
    crawl(ingest, mongo, 20, latest, seven, eight, tag("6", 2, 2))
    first, *_, last = shown(reader)
    assert first == TagFacts(
        "latest", text(1), index, ("linux/amd64", "linux/arm64/v8"), 7, 5, 10, 20, ("7", "8", "latest"),
        Certainty.CONFIRMED, "image",
    )  # fmt: skip
    assert first.aliases == ("7", "8")
    assert last == TagFacts("6", text(2), None, (), None, 2, 10, 20, (), Certainty.CONFIRMED, "unknown")


def test_one_image_under_two_platforms(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Both platforms are named, each once."""
    crawl(
        ingest, mongo, 10, tag("a", 1, 5, image("linux/amd64", 101), image("linux/amd64", 102), image("x/y", 101))
    )
    assert shown(reader)[0].platforms == ("linux/amd64", "x/y")


def test_a_platform_set_has_no_digest(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Its key is never shown as a digest; platforms and aliases are known all the same."""
    crawl(ingest, mongo, 10, tag("a", None, 5, AMD, ARM), tag("b", None, 4, AMD, ARM), tag("c", None, 3))
    first, second, third = shown(reader)
    assert (first.digest, first.platforms, first.aliases, first.certainty) == (
        None,
        ("linux/amd64", "linux/arm64/v8"),
        ("b",),
        "unknown",
    )
    assert second.aliases == ("a",)
    assert (third.digest, third.platforms, third.aliases, third.certainty) == (None, (), (), "unknown")


def test_a_tag_that_the_last_walk_did_not_confirm_is_inferred(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A walk that reached only the newest tags confirms those; the others are as an earlier sweep saw them."""
    crawl(ingest, mongo, 10, tag("new", 1, 8), tag("old", 2, 4))
    assert [found.certainty for found in shown(reader)] == [Certainty.CONFIRMED, Certainty.CONFIRMED]
    crawl(ingest, mongo, 20, tag("new", 1, 8), problem="page 2: refused", oldest_push=7)
    assert [(found.certainty, found.last_seen_at) for found in shown(reader)] == [
        (Certainty.CONFIRMED, 20),
        (Certainty.INFERRED, 10),
    ]


def test_a_tag_that_can_no_longer_be_read_is_inferred(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Its last digest is the best answer, as of the sweep that read it."""
    crawl(ingest, mongo, 10, tag("a", 1))
    crawl(ingest, mongo, 20, tag("a", None))
    assert [(found.digest, found.certainty, found.last_seen_at) for found in shown(reader)] == [
        (text(1), Certainty.INFERRED, 10)
    ]


def test_a_deleted_tag_is_not_listed(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """Tags are those that the repository has; an alias that is gone is none."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 1, 5))
    assert [(found.name, found.aliases) for found in shown(reader)] == [("a", ())]


def test_tags_after_a_move(ingest: Ingest, reader: Reader, mongo: int) -> None:
    """A tag shows its open span, not the ones before."""
    crawl(ingest, mongo, 10, tag("a", 1, 5), tag("b", 1, 5))
    crawl(ingest, mongo, 20, tag("a", 2, 15), tag("b", 1, 5))
    first, second = shown(reader)
    assert (first.name, first.digest, first.first_seen_at, first.aliases) == ("a", text(2), 20, ())
    assert (second.name, second.digest, second.first_seen_at, second.aliases) == ("b", text(1), 10, ())


@pytest.mark.parametrize(
    ("raw", "shown_as"),
    [
        (None, None),
        (b"\1" * 16, None),
        (b"\1" * 32, "sha256:" + "01" * 32),
        (b"\1" * 48, "sha384:" + "01" * 48),
        (b"\xff" * 64, "sha512:" + "ff" * 64),
    ],
)
def test_digests_as_text(raw: bytes | None, shown_as: str | None) -> None:
    """The algorithm is told by the length; the key of a platform set is no digest."""
    assert digest_text(raw) == shown_as


# The whole index.


def test_status_counts(ingest: Ingest, reader: Reader) -> None:
    """How much there is, how fresh, and what is unfinished."""
    first, second, _ = add(ingest, "library/mongo", "x/broken", "x/unwalked", seen_at=3)
    add(ingest, "x/gone", seen_at=4)
    add(ingest, "x/missing", seen_at=5)
    crawl(ingest, first, 10, tag("a", 1, 5, AMD), tag("b", 2, 5))
    crawl(ingest, first, 20, tag("a", 3, 15))
    crawl(ingest, second, 20, tag("a", 1, 5), problem="refused")
    with ingest.transaction() as batch:
        batch.repository_missing("x/gone", 10)
        batch.repository_missing("x/missing", 10 + GONE_AFTER)
        batch.search_results("mongo", [first], 20, whole=True)
    with ingest.transaction() as batch:
        batch.repository_missing("x/gone", 10 + GONE_AFTER)
    assert status(reader) == Status(
        repositories=4,
        without_tags=2,
        incomplete=1,
        missing=1,
        gone_repositories=1,
        tags=2,
        gone_tags=1,
        closed_spans=2,
        digests=5,
        sweeps=2,
        terms=1,
        oldest_at=3,
        newest_at=5,
    )


def test_an_answer_sees_what_was_committed_before(ingest: Ingest, location: Location, mongo: int) -> None:
    """A reader that is open sees the next commit in its next answer, and one moment within a snapshot."""
    reader = open_reader(location)
    assert shown(reader) == []
    with reader.snapshot():
        assert shown(reader) == []
        crawl(ingest, mongo, 10, tag("a", 1, 5))
        assert shown(reader) == []
    assert [found.name for found in shown(reader)] == ["a"]
    reader.close()
