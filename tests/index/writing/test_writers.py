"""Transactions that fail, and several writers at once."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from hubindex.errors import StorageError
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.questions.search import Query, search
from hubindex.index.writing.ingest import Ingest
from hubindex.index.writing.walks import Walk
from hubindex.records import Repository
from tests.index.building import (
    HISTORY,
    contents,
    crawl,
    image,
    names_found,
    page,
    past,
    problems,
    rows,
    tag,
)

pytestmark = pytest.mark.usefixtures("ends_sound")

AMD = image("linux/amd64", 101)
ARM = image("linux/arm64/v8", 102)


def test_an_exception_leaves_nothing(ingest: Ingest, location: Location, reader: Reader, mongo: int) -> None:
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
    assert past(reader, "a") == [(1, 5, 10, None)]
    assert rows(location, "SELECT count(*) FROM platform") == [(2,)]


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
        from tests.index.writing.test_writers import _write_rounds
        _write_rounds(Ingest(Location.parse({location.target!r})), 1, {ROUNDS})
        """
    )
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        ingest = Ingest(location)
        _write_rounds(ingest, 0, ROUNDS)
        ingest.close()
    assert process.returncode == 0
    _assert_both_are_whole(location, reader)
