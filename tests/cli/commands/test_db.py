"""`hubindex db`: the schema and its health; and where an index may be."""

import os
import socket
import sqlite3
from pathlib import Path

import pytest

from hubindex.index.database.engine import open_engine
from hubindex.index.database.location import Location
from hubindex.index.database.revisions import HEAD
from tests.citus import install_stand_in
from tests.cli.conftest import Call
from tests.index.building import rows


@pytest.fixture(params=["sqlite", "postgresql"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where an index could be, on each engine."""
    if request.param == "sqlite":
        return Location.parse(str(tmp_path / "folder" / "index.db"))
    return Location.parse(request.getfixturevalue("postgresql_url"))


def test_upgrade_creates_an_index(new: Location, call: Call) -> None:
    """With its folder."""
    assert call("--db", new.target, "db", "upgrade") == (0, f"{new.label}: schema {HEAD}, created\n", "")
    assert rows(new, "SELECT count(*) FROM repository") == [(0,)]


def test_upgrade_twice_changes_nothing(new: Location, call: Call) -> None:
    """And says so."""
    call("--db", new.target, "db", "upgrade")
    assert call("--db", new.target, "db", "upgrade") == (0, f"{new.label}: schema {HEAD}, up to date\n", "")


def test_current_prints_the_revision(location: Location, call: Call) -> None:
    """And nothing else."""
    assert call("--db", location.target, "db", "current") == (0, f"{HEAD}\n", "")


def test_current_of_nothing_has_no_answer(new: Location, call: Call) -> None:
    """And creates nothing."""
    outcome = call("--db", new.target, "db", "current")
    assert outcome.code == 3
    assert "there is no index" in outcome.complaint


def test_a_sound_index_is_sound(sample: str, call: Call) -> None:
    """Exit code 0, one line."""
    label = Location.parse(sample).label
    assert call("--db", sample, "db", "check") == (0, f"{label}: sound\n", "")


def test_an_unsound_index_is_not(location: Location, call: Call) -> None:
    """A line for each contradiction, exit code 1."""
    engine = open_engine(location)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(
            "INSERT INTO tag (repository_id, name, tag_id, first_seen_at, closed_spans) VALUES (77, 'x', 1, 1, 0)"
        )
    engine.dispose()
    outcome = call("--db", location.target, "db", "check")
    assert outcome.code == 1
    assert outcome.out != ""
    assert outcome.err.startswith(f"hubindex: {location.label}: ")
    assert outcome.err.count("\n") == 1


def test_check_of_nothing_has_no_answer(call: Call, tmp_path: Path) -> None:
    """And creates nothing."""
    assert call("--db", str(tmp_path / "index.db"), "db", "check").code == 3
    assert not (tmp_path / "index.db").exists()


@pytest.mark.parametrize(
    "command", [("search", "x"), ("status",), ("db", "upgrade"), ("db", "check"), ("db", "current")]
)
def test_an_index_of_a_newer_program_is_refused(location: Location, call: Call, command: tuple[str, ...]) -> None:
    """One line that says what to do, and nothing is changed."""
    engine = open_engine(location)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    outcome = call("--db", location.target, *command)
    assert outcome.code == 1
    assert "newer hubindex" in outcome.complaint
    assert "upgrade hubindex" in outcome.complaint
    assert rows(location, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_the_default_index_is_in_the_users_data_directory(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `--db`."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert call("db", "upgrade").out.startswith(f"{tmp_path}/hubindex/index.db: ")


@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "check"), ("search", "x"), ("crawl", "x", "-q")])
def test_a_file_that_is_no_database_is_left_alone(call: Call, tmp_path: Path, command: tuple[str, ...]) -> None:
    """One line, and not a byte of it changed."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is a letter and no index. " * 50, encoding="utf-8")
    before = path.read_bytes()
    outcome = call("--db", str(path), *command)
    assert outcome.code == 1
    assert outcome.complaint
    assert path.read_bytes() == before


def test_a_database_of_another_program_gets_no_tables(call: Call, tmp_path: Path) -> None:
    """A slip of the pen must not put an index into it."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    for command in (("search", "x"), ("db", "upgrade"), ("db", "check"), ("crawl", "x", "-q")):
        outcome = call("--db", str(path), *command)
        assert outcome.code in {1, 3}
        assert outcome.complaint
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("bookmarks",)]
    connection.close()


COMMANDS = [
    ("search", "x"), ("show", "x"), ("resolve", "x"), ("status",), ("crawl", "x", "-q"), ("crawl", "-q"),
    ("db", "upgrade"), ("db", "check"), ("db", "current"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["folder", "named pipe", "socket", "device"])
def test_what_is_no_file_is_refused_at_once(
    call: Call, tmp_path: Path, kind: str, command: tuple[str, ...]
) -> None:
    """SQLite would wait for a pipe, and read a device without end."""
    path = tmp_path / "index.db"
    with socket.socket(socket.AF_UNIX) as server:
        match kind:
            case "folder":
                path.mkdir()
            case "named pipe":
                os.mkfifo(path)
            case "socket":
                server.bind(str(path))
            case _:
                path.symlink_to("/dev/zero")
        outcome = call("--db", str(path), *command)
    assert (outcome.code, outcome.complaint) == (1, f"{path} is a {kind}: --db wants a file")


BROKEN = [("search", "mongo"), ("tags", "mongo"), ("crawl", "x", "-q"), ("db", "check")]


@pytest.mark.parametrize("command", BROKEN)
@pytest.mark.parametrize("damage", ["a page", "the end", "all"])
def test_every_message_about_a_broken_index_names_the_file(
    story_sqlite: str, call: Call, tmp_path: Path, damage: str, command: tuple[str, ...]
) -> None:
    """Wherever it is met."""
    path = tmp_path / "broken.db"
    whole = Path(story_sqlite).read_bytes()
    half = len(whole) // 2
    broken = {
        "a page": whole[:8192] + b"\xa5" * (len(whole) - 8192),
        "the end": whole[: half - half % 4096 + 100],
        "all": b"\xa5" * len(whole),
    }
    path.write_bytes(broken[damage])
    outcome = call("--db", str(path), *command)
    if outcome.code:
        assert outcome.code in {1, 3}
        assert str(path) in outcome.complaint


def test_a_folder_that_cannot_be_written_is_told(call: Call) -> None:
    """One line, with the path."""
    outcome = call("--db", "/dev/null/index.db", "db", "upgrade")
    assert outcome.code == 1
    assert "/dev/null" in outcome.complaint


@pytest.mark.parametrize("command", [("search", "x"), ("db", "upgrade"), ("db", "current"), ("crawl", "x", "-q")])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@127.0.0.1:1/x",
        "postgresql://u:s3cret@[bad/x",
        "postgresql://u:s3cret%zz@127.0.0.1:1/x",
        "postgresql://u:s3cret@127.0.0.1:port/x",
        "postgresql://127.0.0.1:1/x?password=s3cret",
        "postgresql://127.0.0.1:1/x?passwort=s3cret",
        "postgresql://u@127.0.0.1:1/x?password=s3cret&sslmode=nosuch",
    ],
)
def test_a_wrong_postgresql_url_is_told_without_its_password(
    call: Call, url: str, command: tuple[str, ...]
) -> None:
    """One line, however wrong the URL is."""
    outcome = call("--db", url, *command)
    assert outcome.code in {1, 2}
    assert "s3cret" not in outcome.complaint
    assert "fault in hubindex" not in outcome.complaint


@pytest.fixture
def cluster(postgresql_url: str) -> Location:
    """A place for an index in a database that has a stand-in for Citus, with two workers."""
    install_stand_in(postgresql_url)
    return Location.parse(postgresql_url)


def test_distribute_says_what_stands_where(cluster: Location, call: Call) -> None:
    """The tables, the shards and the nodes; the second time that nothing was to be done; and so does the check."""
    outcome = call("--db", cluster.target, "db", "distribute", "--shards", "8")
    first, second = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert first.startswith(f"{cluster.label}: distributed: change, digest, digest_prefix, ")
    assert second == "8 shards on 2 nodes: worker-1:5432 (4), worker-2:5432 (4)"
    again = call("--db", cluster.target, "db", "distribute")
    assert again == (0, outcome.out.replace(": distributed: ", ": distributed already: "), "")
    assert call("--db", cluster.target, "db", "check").out == f"{cluster.label}: sound, distributed: {second}\n"


def test_check_tells_what_is_not_distributed(cluster: Location, call: Call) -> None:
    """And which command does it."""
    call("--db", cluster.target, "db", "distribute")
    engine = open_engine(cluster)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM pg_dist_partition WHERE logicalrelid = 'sweep'::regclass")
    engine.dispose()
    outcome = call("--db", cluster.target, "db", "check")
    assert (outcome.code, outcome.out) == (1, "table sweep is not distributed, as others are\n")
    assert "hubindex db distribute" in outcome.err
    assert call("--db", cluster.target, "db", "distribute").out.splitlines()[0].endswith(": distributed: sweep")
    assert call("--db", cluster.target, "db", "check").code == 0


def test_only_a_cluster_can_be_distributed(new: Location, call: Call) -> None:
    """A SQLite index is wrong usage, a server without Citus an error; neither gets an index."""
    outcome = call("--db", new.target, "db", "distribute")
    assert outcome.code == (2 if new.dialect == "sqlite" else 1)
    assert "Citus" in outcome.complaint
    assert call("--db", new.target, "db", "current").code == 3


@pytest.mark.parametrize("shards", ["0", "64001", "many"])
def test_a_number_of_shards_is_checked(call: Call, shards: str) -> None:
    """Wrong usage, before anything is opened."""
    assert call("db", "distribute", "--shards", shards).code == 2
