from hubindex.index.ingest import Ingest
from hubindex.index.reader import Reader
from hubindex.index.search import Query, search
from hubindex.records import Repository


def test_what_was_written_is_found(ingest: Ingest, reader: Reader) -> None:
    """A repository is found by a word of its name."""
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="library/mongo", star_count=3)], 1)
    assert [found.name for found in search(reader, Query("mongo"))] == ["library/mongo"]
