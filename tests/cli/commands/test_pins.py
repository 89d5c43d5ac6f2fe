"""`hubindex import pins`: what people have pinned in their own git, seen by the time of the commit."""

from pathlib import Path

import pytest

from hubindex.index.handle import Index
from hubindex.sources.git.pins import read_pins
from tests.cli.conftest import Call
from tests.repo_info import RepoInfo, digest

DAY = 86_400_000
START = 1_577_836_800_000
A, B = digest("a"), digest("b")


@pytest.fixture
def db(tmp_path: Path) -> str:
    """Where an index can be made."""
    return str(tmp_path / "index.db")


@pytest.fixture
def repository(tmp_path: Path) -> RepoInfo:
    """Somebody's git, with pins in files of several kinds."""
    made = RepoInfo(tmp_path / "shop")
    made.commit(START, {"Dockerfile": f"FROM node:20.11@{A} AS build\nFROM redis@{B}\n", "a.txt": "x"})
    made.commit(START + DAY, {"Dockerfile": f"FROM node:20.11@{B} AS build\n"})
    made.commit(START + 2 * DAY, {
        "k8s/app.yaml": f"image: 'ghcr.io/acme/app:1.2@{A}'\n  - uses: docker://alpine:3.20@{B}\n",
        "Dockerfile": None,
    })  # fmt: skip
    return made


def test_every_commit_is_read(repository: RepoInfo, db: str, call: Call) -> None:
    """Added lines alone; the commit and the path are told."""
    assert call("--db", db, "import", "pins", str(repository.folder)) == (0, "4 new pins\n", "")
    assert call("--db", db, "import", "pins", str(repository.folder)).out == "0 new pins\n"
    outcome = call("--db", db, "resolve", "node:20.11")
    assert outcome.code == 3
    assert f"pins in shop had seen {A} by 2020-01-01T00:00:00Z (" in outcome.err
    assert "Dockerfile)" in outcome.err
    with Index.open(db) as index:
        (witness,) = index.witnesses()
        assert (witness.name, witness.reports, witness.tags) == ("pins in shop", 4, 3)
    who = call("--db", db, "whatis", A)
    assert (who.code, "had seen it as node:20.11 by 2020-01-01T00:00:00Z" in who.err) == (3, True)


def test_other_branches_and_bare_clones(repository: RepoInfo, db: str, call: Call, tmp_path: Path) -> None:
    """Whatever has been committed counts, wherever it was."""
    repository.git("checkout", "--quiet", "-b", "other", "HEAD~1")
    repository.commit(START + 3 * DAY, {"compose.yaml": f"image: mongo:7@{A}\n"})
    repository.git("checkout", "--quiet", "master")
    repository.git("merge", "--quiet", "--no-edit", "other", at=START + 4 * DAY)
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(bare))
    assert call("--db", db, "import", "pins", str(bare), str(repository.folder)).out == "10 new pins\n"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (f"+FROM node:20@{A} AS x", ["node:20"]),
        (f"+a: node:20@{A}, b: quay.io:5000/x/y_z:1-2@{B}", ["node:20", "quay.io:5000/x/y_z:1-2"]),
        (f'+image = "docker.io/library/redis:7@{A}"', ["redis:7"]),
        (f"+node@{A}", []),
        (f"-FROM node:20@{A}", []),
        (f" FROM node:20@{A}", []),
        (f"+FROM node:20@{A}0", []),
        (f"+Node:20@{A}", []),
        ("+" + "a" * 10_000 + f":1@{A}", []),
        (f"+@{A}", []),
    ],
)
def test_lines(line: str, names: list[str]) -> None:
    """A tag and a digest make a pin."""
    lines = [b"\x01" + b"c" * 40 + b" 1577836800\n", b"+++ b/Dockerfile\n", line.encode() + b"\n"]
    found = list(read_pins(lines, START + DAY))
    assert [report.reference.familiar for report in found] == names
    assert all(report.is_by and report.source == "cccccccccccc Dockerfile" for report in found)


@pytest.mark.parametrize("head", [b"\x01\n", b"\x01x y\n", b"\x01c 99999999999\n", b"\x01c -5\n"])
def test_odd_heads(head: bytes) -> None:
    """A commit whose time is none, or is still to come, says nothing."""
    assert list(read_pins([head, f"+FROM node:20@{A}\n".encode()], START)) == []


def test_what_is_no_repository(db: str, call: Call, tmp_path: Path) -> None:
    """Is told in one line."""
    outcome = call("--db", db, "import", "pins", str(tmp_path))
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
