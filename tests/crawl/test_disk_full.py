"""There is no room for the index any more."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubindex.index.database.location import Location
from tests.crawl.contents import contents
from tests.crawl.crawling import hub_of
from tests.crawl.processes import crawling
from tests.fakehub import FakeHub
from tests.index.building import problems

NOW = "2026-03-01T12:00:00Z"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for a small index."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "hubindex-test", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a file system of a test's own needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _crawl(hub: FakeHub, db: str, stderr: Path) -> tuple[int, str]:
    with hub.running() as url:
        process = crawling("--db", db, "crawl", "--namespace", "acme", "--hub-url", url, stderr=stderr, now=NOW)
        return process.code, process.err


def test_a_full_disk_is_told_and_leaves_a_sound_index(small_disk: Path, tmp_path: Path) -> None:
    """One line names the file; when there is room again, the next crawl brings the rest."""
    hub, db = hub_of([f"acme/app-{number:02}" for number in range(40)], tag_count=40), small_disk / "index.db"
    code, err = _crawl(hub, str(db), tmp_path / "full")
    assert code == 1
    assert err.count("\n") == 1
    assert err.startswith("hubindex: ")
    assert str(db) in err
    assert problems(Location.parse(str(db))) == []
    assert len(contents(Location.parse(str(db)))["sweep"]) < 40
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    code, _ = _crawl(hub, str(db), tmp_path / "again")
    assert code == 0
    _crawl(hub, str(tmp_path / "undisturbed.db"), tmp_path / "undisturbed")
    assert contents(Location.parse(str(db))) == contents(Location.parse(str(tmp_path / "undisturbed.db")))
    assert problems(Location.parse(str(db))) == []
