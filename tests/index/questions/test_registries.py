"""Repositories of several registries in one index: a name alone does not tell which one is meant."""

import pytest

from hubindex import Index, Query, Reference
from hubindex.errors import NoAnswer
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from tests.index.building import HOUR, add, crawl, image, rows, tag, text

HERE = "localhost:5000"
HUB_MONGO = Reference("docker.io", "library/mongo")
OUR_MONGO = Reference(HERE, "library/mongo")


@pytest.fixture
def two(ingest: Ingest, location: Location) -> Location:
    """An index with two registries that have a repository of the same path, and tags of the same digest."""
    (ours,) = add(ingest, "library/mongo")
    rows(location, f"INSERT INTO registry (registry_id, host) VALUES (2, '{HERE}')", change=True)
    rows(location, "UPDATE repository SET registry_id = 2", change=True)
    (hub,) = add(ingest, "library/mongo")
    crawl(ingest, ours, HOUR, tag("7", 1, 1, image("linux/amd64", 2)))
    crawl(ingest, hub, HOUR, tag("7", 1, 2, image("linux/amd64", 2)))
    crawl(ingest, ours, 2 * HOUR, tag("7", 3, HOUR + 5))
    return location


def test_search_tells_them_apart(two: Location) -> None:
    """By the host, which only Docker Hub's names go without."""
    with Index.open(two) as index:
        found = [each.reference for each in index.search(Query("mongo"))]
        assert found == [OUR_MONGO, HUB_MONGO]
        assert [each.familiar_name for each in found] == ["localhost:5000/library/mongo", "mongo"]
        assert [each.reference for each in index.search(Query("mongo", sort="name"))] == [OUR_MONGO, HUB_MONGO]


def test_who_has_a_digest(two: Location) -> None:
    """Each repository of its own, Docker Hub's first; as a tag's own digest and as an image inside an index."""
    with Index.open(two) as index:
        for number in (1, 2):
            holdings = [(each.reference.familiar, each.until_latest) for each in index.whatis(text(number))]
            assert holdings == [("mongo:7", None), ("localhost:5000/library/mongo:7", HOUR + 5)]


def test_what_changed_anywhere(two: Location) -> None:
    """The changes of one are not those of the other."""
    with Index.open(two) as index:
        changes = index.diff(HOUR, 3 * HOUR)
        assert [change.reference.familiar for change in changes] == ["localhost:5000/library/mongo:7"]
        assert index.diff(HOUR, 3 * HOUR, "mongo") == []
        assert index.diff(HOUR, 3 * HOUR, OUR_MONGO) == changes
        assert [change.reference for change in index.moves(OUR_MONGO)] == [OUR_MONGO._replace(tag="7")]


def test_what_a_tag_was(two: Location) -> None:
    """Names are read with their host."""
    with Index.open(two) as index:
        assert index.resolve("mongo:7").digest == text(1)
        assert index.resolve("localhost:5000/library/mongo:7").digest == text(3)
        assert index.repository("localhost:5000/library/mongo").reference == OUR_MONGO
        assert [found.digest for found in index.tags(OUR_MONGO)] == [text(3)]


def test_names_are_completed_with_their_host(two: Location) -> None:
    """And only those that begin so."""
    with Index.open(two) as index:
        assert index.names_beginning("mo") == ["mongo"]
        assert index.names_beginning("local") == ["localhost:5000/library/mongo"]
        assert index.names_beginning("localhost:5000/li") == ["localhost:5000/library/mongo"]
        assert index.names_beginning("localhost:5001/") == []
        assert index.tags_beginning(OUR_MONGO, "") == ["7"]


def test_what_is_not_there_is_said_of_the_right_registry(two: Location) -> None:
    """Only of a registry that the index knows nothing of is it said that it holds none of its repositories."""
    with Index.open(two) as index:
        with pytest.raises(NoAnswer, match=r"localhost:5000/none is not in the index: fetch it"):
            index.repository("localhost:5000/none")
        with pytest.raises(NoAnswer, match=r"which holds no repositories of ghcr\.io: fetch it with"):
            index.repository("ghcr.io/acme/web")
