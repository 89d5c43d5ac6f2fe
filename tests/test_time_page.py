"""The examples in `docs/time.md` are what is printed; `python -m tests.test_time_page` writes them anew."""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from hubindex.moment import from_rfc3339
from hubindex.records import PlatformImage, Tag
from tests.cli.running import environment
from tests.index.building import add, crawl

PAGE = Path(__file__).parent.parent / "docs" / "time.md"
NOW = "2024-03-20T12:00:00Z"

_BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)


def ms(text: str) -> int:
    """`2024-03-04T04:00` in UTC milliseconds."""
    moment = from_rfc3339(f"{text}:00Z")
    assert moment is not None
    return moment


def image(platform: str, content: str) -> PlatformImage:
    """The image with a content."""
    return PlatformImage(platform, sha256(f"{platform} {content}".encode()).digest(), 250_000_000)


def release(version: str, arm: str, pushed_at: str, *names: str) -> Iterator[Tag]:
    """A version under all its names."""
    images = (image("linux/amd64", version), image("linux/arm64/v8", arm))
    for name in names:
        yield Tag(name=name, digest=sha256(version.encode()).digest(), pushed_at=ms(pushed_at), images=images)


def build(location: Location) -> None:
    """The repository that the page tells of."""
    ingest = Ingest(location)
    mongo = add(ingest, "library/mongo", seen_at=ms("2024-03-04T04:00"))[0]
    old = list(release("7.0.5", "one", "2024-02-28T10:00", "7.0.5"))
    edge, edge_moved = (Tag(name="edge", digest=sha256(name.encode()).digest()) for name in ("edge", "edge two"))
    candidate = list(release("6-rc", "six", "2024-02-01T08:00", "6-rc"))
    first = release("7.0.5", "one", "2024-02-28T10:00", "latest", "7", "7.0")
    crawl(ingest, mongo, ms("2024-03-04T04:00"), *first, *old, edge, *candidate)
    second = list(release("7.0.6", "one", "2024-03-07T09:30", "7.0.6"))
    current = release("7.0.6", "one", "2024-03-07T09:30", "latest", "7", "7.0")
    crawl(ingest, mongo, ms("2024-03-11T04:00"), *current, *second, *old, edge, *candidate)
    current = release("7.0.7", "two", "2024-03-14T16:00", "latest", "7", "7.0", "7.0.7")
    crawl(ingest, mongo, ms("2024-03-18T04:00"), *current, *second, *old, edge_moved)
    stale = add(ingest, "acme/stale", seen_at=ms("2024-03-04T04:00"))[0]
    for at, version, pushed_at in (
        ("2024-03-04T04:00", "one", "2024-02-28T10:00"),
        ("2024-03-11T04:00", "two", "2024-03-07T09:30"),
        ("2024-03-18T04:00", "one", "2024-02-28T10:00"),
    ):
        crawl(ingest, stale, ms(at), *release(version, version, pushed_at, "latest"))
    ingest.close()


def page(index: str) -> str:
    """The page with what each of its commands prints: stdout, then stderr."""

    def transcript(found: re.Match[str]) -> str:
        commands = [line for line in found[0].splitlines() if line.startswith("$ ")]
        return "".join(f"{command}\n{printed(command, index)}" for command in commands)

    return _BLOCK.sub(transcript, PAGE.read_text(encoding="utf-8"))


def printed(command: str, index: str) -> str:
    """What a person sees of a command line."""
    program, *arguments = shlex.split(command.removeprefix("$ "))
    assert program == "hubindex"
    done = subprocess.run(
        [sys.executable, "-m", "hubindex", *arguments],
        env=environment({"HUBINDEX_DB": index, "HUBINDEX_NOW": NOW}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, 3}, done.stderr
    return done.stdout + done.stderr


def test_the_examples_are_what_the_program_prints(tmp_path: Path) -> None:
    """Nobody can change an answer, or a word of it, and forget the page."""
    location = Location.parse(str(tmp_path / "index.db"))
    build(location)
    assert PAGE.read_text(encoding="utf-8") == page(location.target)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        place = Location.parse(f"{folder}/index.db")
        build(place)
        PAGE.write_text(page(place.target), encoding="utf-8")
