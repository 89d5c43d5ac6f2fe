"""The schema: made on first use, migrated, and refused where it is not ours to use."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from alembic.script import ScriptDirectory

from hubindex.errors import NewerIndex, NoAnswer, StorageError, WrongUsage
from hubindex.index.database.engine import open_engine
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import differences, upgrade
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader, find_revision
from hubindex.index.database.revisions import HEAD, REVISIONS
from hubindex.index.evidence.timeline import PERIOD
from hubindex.index.questions.search import Query, search
from hubindex.index.writing.ingest import Ingest
from tests.index.building import add, crawl, go_back, problems, rows, tag

MIGRATIONS = Path(__file__).parents[3] / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """A place for an index where nothing is yet, on each engine."""
    if request.param == "sqlite":
        return Location.parse(str(tmp_path / "new" / "folder" / "index.db"))
    return Location.parse(request.getfixturevalue("postgresql_url"))


def opened_by_all(location: Location) -> list[Callable[[], object]]:
    """Everything that opens an index."""
    return [
        lambda: open_reader(location),
        lambda: Ingest(location),
        lambda: upgrade(location),
        lambda: find_revision(location),
        lambda: problems(location),
    ]


def message_of(error: pytest.ExceptionInfo[BaseException]) -> str:
    """The message, which must be one line."""
    assert "\n" not in str(error.value)
    return str(error.value)


# Made on first use.


def test_an_index_is_made_on_first_use(nowhere: Location) -> None:
    """Writing makes the folder, the index and its schema; the second time there is nothing to do."""
    assert find_revision(nowhere) is None
    assert upgrade(nowhere) is None
    assert find_revision(nowhere) == HEAD
    assert upgrade(nowhere) == HEAD
    assert problems(nowhere) == []


def test_upgrading_again_changes_nothing(location: Location) -> None:
    """A second upgrade leaves schema and rows as they are."""
    ingest = Ingest(location)
    crawl(ingest, add(ingest, "a/b")[0], 10, tag("a", 1, 5))
    ingest.close()
    before = rows(location, "SELECT * FROM tag")
    assert upgrade(location) == HEAD
    assert rows(location, "SELECT * FROM tag") == before
    assert rows(location, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_the_tables_are_those_the_program_expects(location: Location) -> None:
    """The migrations lead to the same schema as the metadata, on both engines."""
    engine = open_engine(location)
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()


def test_the_known_revisions_are_those_of_the_folder() -> None:
    """`revisions.py` lists what `migrations/` holds, oldest first."""
    found = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_processes_may_make_an_index_at_once(nowhere: Location) -> None:
    """Of several first users one makes the index, and the others find it."""
    script = dedent(
        f"""
        import sys
        from hubindex.index.writing.ingest import Ingest
        from hubindex.index.database.location import Location
        from hubindex.records import Repository
        print("ready", flush=True)
        sys.stdin.readline()
        ingest = Ingest(Location.parse({nowhere.target!r}))
        with ingest.transaction() as batch:
            batch.repositories([Repository(name=sys.argv[1]), Repository(name="a/shared")], 1)
        """
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, f"a/r{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 4
    assert problems(nowhere) == []
    names = [row[0] for row in rows(nowhere, "SELECT name FROM repository ORDER BY name")]
    assert names == ["a/r0", "a/r1", "a/r2", "a/r3", "a/shared"]


# Not there, not ours, not now.


def test_reading_makes_nothing(nowhere: Location) -> None:
    """A question to an index that does not exist is no answer, says what to do, and leaves no file."""
    with pytest.raises(NoAnswer) as error:
        open_reader(nowhere)
    assert "hubindex crawl" in message_of(error)
    assert error.value.exit_code == 3
    if nowhere.dialect == "sqlite":
        assert not os.path.exists(os.path.dirname(nowhere.target))


def test_an_empty_file_is_an_index_without_anything(tmp_path: Path) -> None:
    """A file of no bytes is where an index may be made."""
    path = tmp_path / "index.db"
    path.touch()
    with pytest.raises(NoAnswer):
        open_reader(Location.parse(str(path)))
    assert upgrade(Location.parse(str(path))) is None


def test_an_index_from_a_newer_program_is_refused(location: Location) -> None:
    """Whoever opens it says what to do; nothing in it is touched."""
    rows(location, "UPDATE alembic_version SET version_num = '9999_from_the_future'", change=True)
    for opens in opened_by_all(location):
        with pytest.raises(NewerIndex, match="newer hubindex") as error:
            opens()
        assert "9999_from_the_future" in message_of(error)
        assert "upgrade hubindex" in str(error.value)
        assert error.value.exit_code == 1
    assert rows(location, "SELECT version_num FROM alembic_version") == [("9999_from_the_future",)]


@pytest.mark.parametrize(
    "content", [b"not a database, but a text\n" * 100, b"\0" * 5000, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """It is refused in one line and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    for opens in opened_by_all(Location.parse(str(path))):
        with pytest.raises(StorageError) as error:
            opens()
        assert message_of(error)
    assert path.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    """A SQLite file with other tables gets none of ours."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmark (url)")
    connection.commit()
    connection.close()
    location = Location.parse(str(path))
    for opens in (lambda: open_reader(location), lambda: Ingest(location), lambda: upgrade(location)):
        with pytest.raises(StorageError, match="no index of hubindex") as error:
            opens()
        assert message_of(error)
    assert rows(location, "SELECT name FROM sqlite_schema") == [("bookmark",)]


def test_a_shared_database(postgresql_url: str) -> None:
    """A PostgreSQL database may hold the tables of others too."""
    location = Location.parse(postgresql_url)
    rows(location, "CREATE TABLE bookmark (url text)", change=True)
    upgrade(location)
    assert find_revision(location) == HEAD


def test_a_folder_is_no_index(tmp_path: Path) -> None:
    """A path that names a folder is refused in one line."""
    for opens in opened_by_all(Location.parse(str(tmp_path))):
        with pytest.raises(StorageError, match="is a folder") as error:
            opens()
        assert message_of(error)


def test_a_place_where_no_folder_can_be_made(tmp_path: Path) -> None:
    """Where a file stands in the way, or there is no such device, the reason is told."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "index.db", Path("/proc/none/index.db")):
        location = Location.parse(str(path))
        with pytest.raises(StorageError) as error:
            Ingest(location)
        assert message_of(error)
        with pytest.raises(NoAnswer):
            open_reader(location)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder in which everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who may write only where everybody may: root may everywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


def test_an_index_that_may_only_be_read(public: Path) -> None:
    """It can be asked, also from media on which nothing can be made beside it; writing is refused in one line."""
    location = Location.parse(str(public / "index.db"))
    ingest = Ingest(location)
    add(ingest, "a/b")
    ingest.close()
    assert os.listdir(public) == ["index.db"]
    os.chmod(location.target, 0o444)
    public.chmod(0o555)
    with as_nobody():
        reader = open_reader(location)
        with pytest.raises(StorageError) as error:
            Ingest(location)
    assert message_of(error)
    assert names(reader) == ["a/b"]
    reader.close()
    public.chmod(0o755)


def test_an_index_that_may_not_be_read(public: Path) -> None:
    """No permission is one line, for readers and writers."""
    location = Location.parse(str(public / "index.db"))
    upgrade(location)
    os.chmod(location.target, 0o000)
    for opens in opened_by_all(location):
        with as_nobody(), pytest.raises(StorageError) as error:
            opens()
        assert message_of(error)


def test_a_folder_that_may_not_be_written(public: Path) -> None:
    """An index cannot be made there, in one line."""
    public.chmod(0o555)
    for path in (public / "index.db", public / "folder" / "index.db"):
        with as_nobody(), pytest.raises(StorageError) as error:
            upgrade(Location.parse(str(path)))
        assert message_of(error)
    public.chmod(0o755)


def test_reading_while_another_process_writes(location: Location) -> None:
    """An open transaction of a writer, in another process, keeps nobody from reading what was there before."""
    ingest = Ingest(location)
    add(ingest, "a/b")
    script = dedent(
        f"""
        import sys
        from hubindex.index.writing.ingest import Ingest
        from hubindex.index.database.location import Location
        from hubindex.records import Repository
        with Ingest(Location.parse({location.target!r})).transaction() as batch:
            batch.repositories([Repository(name="a/c")], 2)
            batch.flush()
            print("written", flush=True)
            sys.stdin.readline()
        """
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        reader = open_reader(location)
        assert names(reader) == ["a/b"]
        process.communicate("\n")
    assert process.returncode == 0
    assert names(reader) == ["a/b", "a/c"]
    reader.close()
    ingest.close()


def names(reader: Reader) -> list[str]:
    return [found.reference.repository for found in search(reader, Query("a"))]


def test_a_copy_of_an_index_is_an_index(tmp_path: Path) -> None:
    """A closed index is one file: copied it answers the same, whatever its name."""
    ingest = Ingest(Location.parse(str(tmp_path / "index.db")))
    add(ingest, "a/b")
    ingest.close()
    copy = shutil.copy(tmp_path / "index.db", tmp_path / "100% #1?.db")
    reader = open_reader(Location.parse(str(copy)))
    assert names(reader) == ["a/b"]
    reader.close()


# PostgreSQL that does not answer, or cannot be named.


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=u&password=s3cret",
        "postgresql:///db?host=/nonexistent&password=s3cret",
        "postgresql://user:s3cret@127.0.0.1:port/db",
        "postgresql://user:s3cret@127.0.0.1:99999/db",
        "postgresql://user:s3cret@[::1/db",
        "postgresql://user:s3cret@127.0.0.1/db?bogus=1",
        "postgresql://user:s3cret@127.0.0.1/db?connect_timeout=x",
        "postgresql://user:s3cret@127.0.0.1:1/d%zz",
        "postgresql://user:s3cret@127.0.0.1:1,127.0.0.1:2/db",
        "postgresql://user:s3cret@x@127.0.0.1:1/db",
        "postgresql://user:x@s3cret@127.0.0.1:1/db",
        "postgresql://user:s3cret/x@127.0.0.1:1/db",
        "postgresql://user:s3cret?x@127.0.0.1:1/db",
        "postgresql://user:s3cret%00@127.0.0.1:1/db",
        "postgresql://user:s3cret\ud800@127.0.0.1:1/db",
    ],
)
def test_a_postgresql_that_does_not_answer(url: str) -> None:
    """The reason is told in one line, without the password."""
    for opens in opened_by_all(Location.parse(url)):
        with pytest.raises((StorageError, WrongUsage)) as error:
            opens()
        assert "s3cret" not in message_of(error)


def test_a_postgresql_database_that_does_not_exist(postgresql_url: str) -> None:
    """The server's own word is told."""
    head, _, query = postgresql_url.partition("?")
    location = Location.parse(f"{head}_none?{query}")
    for opens in opened_by_all(location):
        with pytest.raises(StorageError, match="does not exist") as error:
            opens()
        assert message_of(error)


def test_an_older_index_can_be_asked_about_the_past(ingest: Ingest, location: Location) -> None:
    """Migrated from the first schema, it names the same tags and changes as one of this program."""
    mongo = add(ingest, "library/mongo")[0]
    crawl(ingest, mongo, 10 * PERIOD, tag("a", 1, 2 * PERIOD), tag("b", 1, 3 * PERIOD), tag("c", 3))
    crawl(ingest, mongo, 12 * PERIOD, tag("a", 2, 11 * PERIOD), tag("b", 1, 3 * PERIOD))
    ingest.close()
    questions = "SELECT period, repository_id FROM change", "SELECT digest, tags FROM digest"
    change, held = (rows(location, question) for question in questions)
    go_back(location, "0001")
    open_reader(location).close()
    assert problems(location) == []
    assert sorted(rows(location, questions[0])) == sorted(change)
    assert sorted_names(rows(location, questions[1])) == sorted_names(held)


def test_what_an_older_index_has_looked_at_is_looked_at_again(ingest: Ingest, location: Location) -> None:
    """A week after that; what was never looked at is left to whoever asks for it."""
    walked, broken, _never = add(ingest, "acme/walked", "acme/broken", "acme/never")
    crawl(ingest, walked, 10, tag("a", 1))
    crawl(ingest, broken, 20, tag("a", 1), problem="page 2: broke off")
    ingest.close()
    go_back(location, "0002")
    upgrade(location)
    week = 7 * 24 * 3600 * 1000
    columns = "repository_id, seed_id, due_at, asked_by, leased_by, done_at, tries, failure"
    assert sorted(rows(location, f"SELECT {columns} FROM job")) == [
        (walked, 0, 10 + week, None, None, 10, 0, None),
        (broken, 0, 20 + week, None, None, 20, 0, None),
    ]
    assert rows(location, "SELECT * FROM seed") == []
    assert problems(location) == []


def test_an_older_index_keeps_the_last_look_at_tags_without_a_push_time(
    ingest: Ingest, location: Location
) -> None:
    """Sweeps confirmed them until then; the last one becomes a look at each."""
    web = add(ingest, "acme/web")[0]
    for at in (10, 20):
        crawl(ingest, web, at, tag("undated", 1), tag("dated", 2, 5))
    crawl(ingest, web, 30, tag("new", 3), tag("undated", 1), tag("dated", 2, 5))
    ingest.close()
    go_back(location, "0003")
    upgrade(location)
    found = rows(location, "SELECT name, seen_at FROM tag ORDER BY name")
    assert found == [("dated", None), ("new", None), ("undated", 30)]


def sorted_names(found: list[tuple[bytes, str | None]]) -> list[tuple[bytes, list[str]]]:
    """Digests with the tags that they name, in an order of their own."""
    return sorted((bytes(raw), sorted((names or "").split(" "))) for raw, names in found)
