"""The public face of the package."""

from collections.abc import Iterator

import pytest

import hubindex
from hubindex import Certainty, Index, Platform, Query, Reference, State, errors
from hubindex.index.database.location import Location
from hubindex.index.seeds import REPOSITORY, Seed
from hubindex.index.writing.ingest import Ingest
from tests.index.building import HOUR, add, crawl, go_back, image, tag, text

MONGO = Reference("docker.io", "library/mongo")
AMD, ARM = image("linux/amd64", 11), image("linux/arm64", 12)


@pytest.fixture
def index(location: Location, ingest: Ingest) -> Iterator[Index]:
    """A tag that moved after three hours, in an index that is open."""
    (mongo,) = add(ingest, "library/mongo")
    crawl(ingest, mongo, HOUR, tag("7", 1, 5, AMD, ARM), tag("latest", 1, 5, AMD, ARM))
    crawl(ingest, mongo, 4 * HOUR, tag("7", 2, 3 * HOUR, AMD, image("linux/arm64", 13)), tag("latest", 1, 5))
    with Index.open(location) as opened:
        yield opened


def test_what_there_is(index: Index) -> None:
    """Searches, names that begin so, and names like one that is not there."""
    assert [found.reference for found in index.search(Query("mongo"))] == [MONGO]
    assert index.search(Query("mongoo")) == []
    assert index.nearest_names("mongoo") == ["mongo"]
    assert index.names_beginning("mo") == ["mongo"]
    assert index.tags_beginning("mongo", "l") == ["latest"]


def test_what_a_repository_holds(index: Index) -> None:
    """A name, or a reference of which the tag does not matter; as of the last look, or at a moment."""
    for name in ("mongo", Reference.parse("docker.io/library/mongo:7")):
        assert index.repository(name).reference == MONGO
    assert {tag.name: tag.digest for tag in index.tags("mongo")} == {"7": text(2), "latest": text(1)}
    assert {tag.name: tag.digest for tag in index.tags("mongo", 2 * HOUR)} == {"7": text(1), "latest": text(1)}
    assert index.first_whole_look("mongo") == HOUR


def test_what_a_tag_was(index: Index) -> None:
    """At the last look, at a moment, for a platform, and before the first evidence."""
    last = index.resolve("mongo:7")
    assert (last.digest, last.certainty, last.state) == (text(2), Certainty.CONFIRMED, State.DIGEST)
    assert index.resolve("mongo:7", HOUR).digest == text(1)
    for platform in ("linux/arm64", Platform.parse("arm64")):
        assert index.resolve("mongo:7", platform=platform).digest == text(13)
    before = index.resolve("mongo:7", 4)
    assert (before.digest, before.state) == (None, State.NOTHING_KNOWN)
    assert index.resolve("mongo").reference.tag == "latest"


def test_what_a_tag_was_in_a_time(index: Index) -> None:
    """All of it, or what may have been there between two moments."""
    assert [answer.digest for answer in index.history("mongo:7")] == [text(2), text(1)]
    assert [answer.digest for answer in index.history("mongo:7", "linux/amd64")] == [text(11)]
    assert [answer.digest for answer in index.history("mongo:7", until=2 * HOUR)] == [text(1)]
    assert [answer.digest for answer in index.history("mongo:7", since=3 * HOUR)] == [text(2)]
    with pytest.raises(errors.NoAnswer, match="first evidence"):
        index.history("mongo:7", until=4)


def test_what_changed(index: Index) -> None:
    """Of a tag, of a repository, and between two moments."""
    assert [(change.reference.familiar, change.old, change.new) for change in index.moves("mongo:7")] == [
        ("mongo:7", text(1), text(2))
    ]
    assert index.moves("mongo:latest") == []
    assert index.moves("mongo") == index.moves("mongo:7") == index.diff(HOUR, 4 * HOUR)
    assert index.moves("mongo", until=HOUR) == []
    assert index.diff(HOUR, 2 * HOUR, "mongo") == []


def test_who_has_a_digest(index: Index) -> None:
    """By its first digits; one that is nobody's is no answer."""
    assert [held.reference.familiar for held in index.whatis(text(2)[7:19])] == ["mongo:7"]
    with pytest.raises(errors.NoAnswer):
        index.whatis(text(99))


def test_the_index_itself(index: Index) -> None:
    """What it holds, what is due, what a crawl would take, and whether it is sound."""
    assert index.status().tags == 2
    assert index.work(5 * HOUR).due_visits == 0
    assert [part.requests for part in index.estimate([Seed(REPOSITORY, "library/mongo")], 5 * HOUR)] == [1, 1]
    assert index.distribution() is None
    assert index.check() == []


def test_answers_of_one_moment(index: Index, ingest: Ingest) -> None:
    """Whatever is written meanwhile; questions inside a snapshot do not end it."""
    with index.snapshot():
        before = index.tags("mongo")
        (mongo,) = [found.repository_id for found in index.search(Query("mongo"))]
        crawl(ingest, mongo, 5 * HOUR, tag("7", 3, 5 * HOUR))
        assert index.tags("mongo") == before
        assert index.resolve("mongo:7").digest == text(2)
    assert index.resolve("mongo:7").digest == text(3)
    assert [found.name for found in index.tags("mongo")] == ["7"]


def test_an_older_index_is_migrated_only_if_wanted(location: Location, ingest: Ingest) -> None:
    """And one that is not there is not made."""
    add(ingest, "library/mongo")
    ingest.close()
    go_back(location, "0005")
    with pytest.raises(errors.NoAnswer, match="older"):
        Index.open(location, migrate=False)
    with Index.open(location) as opened:
        assert opened.repository("mongo").reference == MONGO
    with pytest.raises(errors.NoAnswer, match="there is no index"):
        Index.open("/nonexistent/index.db")


def test_what_is_no_name(index: Index) -> None:
    """Is refused before anything is asked."""
    for ask in (index.repository, index.tags, index.resolve, index.history, index.moves):
        with pytest.raises(errors.InvalidReference):
            ask("MONGO!")
    with pytest.raises(errors.WrongUsage):
        index.resolve("mongo", platform="no platform at all")


def test_the_public_names_are_there() -> None:
    """Every name in `__all__` can be had, and no other."""
    for name in hubindex.__all__:
        assert getattr(hubindex, name) is not None
        assert name in dir(hubindex)
    assert not hasattr(hubindex, "nothing")
    assert issubclass(errors.InvalidReference, errors.HubindexError)
