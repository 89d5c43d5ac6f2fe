"""What the tests of writing start from, and what must be so at their end."""

from collections.abc import Iterator

import pytest

from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from tests.index.building import add, problems


@pytest.fixture
def ends_sound(location: Location) -> Iterator[None]:
    """Whatever was told, the index has no contradictions at the end."""
    yield
    assert problems(location) == []


@pytest.fixture
def mongo(ingest: Ingest) -> int:
    """A repository without tags."""
    return add(ingest, "library/mongo")[0]
