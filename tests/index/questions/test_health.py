"""The check of an index finds what contradicts itself."""

from pathlib import Path

import pytest

from hubindex.errors import NoAnswer, StorageError
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from tests.index.building import add, crawl, image, problems, rows, tag


def _fill(ingest: Ingest) -> None:
    """A repository with open, closed and ended spans, and a term."""
    mongo = add(ingest, "library/mongo")[0]
    crawl(ingest, mongo, 10, tag("a", 1, 5, image("linux/amd64", 11)), tag("b", 2, 6))
    crawl(ingest, mongo, 20, tag("a", 3, 15, image("linux/amd64", 11)))
    with ingest.transaction() as batch:
        batch.search_results("mongo", [mongo], 20, whole=True)


def test_an_index_in_use_is_sound(ingest: Ingest, location: Location) -> None:
    """Nothing is found in an empty index, nor in one that was written by hubindex."""
    assert problems(location) == []
    _fill(ingest)
    assert problems(location) == []


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE tag SET repository_id = 99 WHERE name = 'b'", "1 tags without repository"),
        ("UPDATE tag SET digest_id = 99 WHERE name = 'a'", "1 tags without digest"),
        ("UPDATE span SET digest_id = 99", "2 spans without digest"),
        (
            "UPDATE span SET last_seen_at = first_seen_at - 1 WHERE tag_id = 1",
            "1 spans that end before they begin",
        ),
        ("UPDATE repository SET last_tag_id = 1", "1 tags numbered beyond their repository"),
        ("UPDATE repository SET last_digest_id = 3", "1 digests numbered beyond their repository"),
        ("DELETE FROM digest_prefix WHERE index_id = 0 AND digest_id = 1", "1 digests that cannot be looked up"),
        ("UPDATE digest SET tags = 'aa b'", "1 tags that their digest does not name"),
        ("UPDATE digest SET tags = NULL", "1 tags that their digest does not name"),
        ("DELETE FROM change", "1 tags that began without a change"),
        ("UPDATE search_hit SET repository_id = 99", "1 hits without repository"),
        ("UPDATE repository SET gone_at = 5", "1 repositories out of search"),
        ("DROP TABLE sweep", "schema: "),
        ("ALTER TABLE tag ADD COLUMN more text", "schema: "),
        ("DROP INDEX word_by_frequency", "schema: "),
    ],
)
def test_a_contradiction_is_found(ingest: Ingest, location: Location, damage: str, problem: str) -> None:
    """Each kind of damage is named in a line of its own."""
    _fill(ingest)
    rows(location, damage, change=True)
    found = problems(location)
    assert any(line.startswith(problem) for line in found), found
    assert all("\n" not in line for line in found)


def test_a_document_that_is_missing_from_search_is_found(ingest: Ingest, location: Location) -> None:
    """A repository that cannot be found by search is a problem."""
    _fill(ingest)
    forget = {
        "sqlite": "INSERT INTO repository_search (repository_search) VALUES ('delete-all')",
        "postgresql": "DELETE FROM repository_search",
    }
    rows(location, forget[location.dialect], change=True)
    assert problems(location) == ["1 repositories out of search"]


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    """A SQLite file whose pages were overwritten is not sound."""
    location = Location.parse(str(tmp_path / "index.db"))
    ingest = Ingest(location)
    _fill(ingest)
    ingest.close()
    rows(location, "PRAGMA wal_checkpoint(TRUNCATE)")
    root = rows(location, "SELECT rootpage FROM sqlite_schema WHERE name = 'span'")[0][0]
    size = rows(location, "PRAGMA page_size")[0][0]
    with open(location.target, "r+b") as file:
        file.seek((root - 1) * size + 8)
        file.write(b"\x7f" * 200)
    try:
        found = problems(location)
    except StorageError as error:
        found = [str(error)]
    assert found
    assert all("\n" not in line for line in found)


def test_where_there_is_no_index_there_is_nothing_to_check(tmp_path: Path) -> None:
    """A file that does not exist is not sound either: there is no answer."""
    with pytest.raises(NoAnswer):
        problems(Location.parse(f"{tmp_path}/none.db"))
