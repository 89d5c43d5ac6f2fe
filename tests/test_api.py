"""The public face of the package."""

import hubindex
from hubindex import Index, Query, Reference, errors
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Repository, Tag, TagPage


def test_an_index_answers_programs(location: Location, ingest: Ingest) -> None:
    """The questions of the command line are methods of an open index."""
    page = TagPage(tags=(Tag(name="7", digest=bytes(32), pushed_at=5),), count=1, more=False, observed_at=10)
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="library/mongo", star_count=3)], 1)
        batch.tag_page(stored.repository_id, page)
    with Index.open(location.target) as index:
        assert [found.name for found in index.search(Query("mongo"))] == ["library/mongo"]
        assert index.repository("mongo").star_count == 3
        assert index.repository(Reference.parse("docker.io/library/mongo:7")).name == "library/mongo"
        assert [tag.name for tag in index.tags("mongo")] == ["7"]
        assert index.status().tags == 1


def test_the_public_names_are_there() -> None:
    """Every name in `__all__` can be had, and no other."""
    for name in hubindex.__all__:
        assert getattr(hubindex, name) is not None
    assert not hasattr(hubindex, "nothing")
    assert issubclass(errors.InvalidReference, errors.HubindexError)
