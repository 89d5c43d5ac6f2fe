"""What a tag was at a moment, where its content is known in part."""

import pytest

from hubindex.errors import NoAnswer
from hubindex.index.database.reader import Reader
from hubindex.index.questions.changes import moves
from hubindex.index.questions.history import Answer, resolve
from hubindex.index.writing.ingest import Ingest
from hubindex.platform import Platform
from hubindex.records import PlatformImage
from hubindex.reference import Reference
from tests.index.building import add, crawl, digest, image, tag

V1 = Reference("docker.io", "acme/app", "v1")


@pytest.fixture
def app(ingest: Ingest) -> int:
    """A repository without tags."""
    return add(ingest, "acme/app")[0]


def ask(reader: Reader, platform: str | None = None, at: int = 10) -> Answer:
    """What `v1` was."""
    return resolve(reader, V1, at, None if platform is None else Platform.parse(platform))


def number(answer: Answer) -> int | None:
    """The number of its digest."""
    return None if answer.digest is None else int(answer.digest[7:15], 16)


def test_a_platform_set_without_a_digest(ingest: Ingest, reader: Reader, app: int) -> None:
    """The images are an answer, the index is none."""
    crawl(ingest, app, 10, tag("v1", None, None, image("linux/amd64", 2), image("linux/arm64/v8", 3)))
    assert number(ask(reader, "linux/amd64")) == 2
    assert number(ask(reader, "arm64")) == 3
    whole = ask(reader)
    assert (whole.digest, whole.certainty) == (None, "unknown")
    assert whole.note == "the registry showed the platform images of acme/app:v1, and no digest of their index"


def test_a_digest_whose_images_are_not_known(ingest: Ingest, reader: Reader, app: int) -> None:
    """The other way round."""
    crawl(ingest, app, 10, tag("v1", 1))
    assert number(ask(reader)) == 1
    answer = ask(reader, "linux/amd64")
    assert (answer.digest, answer.certainty) == (None, "unknown")
    assert answer.note == "the platform images of acme/app:v1 are not known"


WINDOWS = (image("windows/amd64:10.0.17763.1", 2), image("windows/amd64:10.0.20348.1", 3))


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("windows/amd64:10.0.17763", 2),
        ("windows(10.0.20348)/amd64", 3),
        ("windows/amd64:10.0.20348.1", 3),
        ("windows/amd64:10.0.19041", None),
        ("windows/amd64", None),
    ],
)
def test_versions_of_windows(
    ingest: Ingest, reader: Reader, app: int, platform: str, expected: int | None
) -> None:
    """One version is one platform; without it several fit, and they are listed."""
    crawl(ingest, app, 10, tag("v1", 1, None, *WINDOWS))
    answer = ask(reader, platform)
    assert number(answer) == expected
    if expected is None:
        assert "windows/amd64:10.0.17763.1, windows/amd64:10.0.20348.1" in answer.note


def test_the_platforms_that_there_are(ingest: Ingest, reader: Reader, app: int) -> None:
    """Where none fits they are told; beyond some they are counted."""
    images = tuple(PlatformImage(f"linux/cpu{n:02}", digest(100 + n), 1) for n in range(25))
    crawl(ingest, app, 10, tag("v1", 1, None, *images))
    note = ask(reader, "linux/amd64").note
    assert note.startswith("acme/app:v1 had no image for linux/amd64: it had linux/cpu00, linux/cpu01, ")
    assert note.endswith(", linux/cpu19, and 5 more")


def test_what_has_no_image_did_not_move(ingest: Ingest, reader: Reader, app: int) -> None:
    """From one content without the platform to another nothing happened that could be told."""
    crawl(ingest, app, 10, tag("v1", 1, None, image("linux/arm64/v8", 11)))
    crawl(ingest, app, 20, tag("v1", 2))
    crawl(ingest, app, 30, tag("v1", 3, None, image("linux/amd64", 13)))
    found = moves(reader, V1, Platform.parse("linux/amd64"))
    assert [(move.change, move.old, move.new) for move in found] == [("moved", None, f"sha256:{digest(13).hex()}")]
    assert len(moves(reader, V1)) == 2


def test_a_tag_of_another_name_is_no_answer(ingest: Ingest, reader: Reader, app: int) -> None:
    """Names are not completed, and their case counts."""
    crawl(ingest, app, 10, tag("v1", 1))
    for name in ("V1", "v", "v1 "):
        with pytest.raises(NoAnswer):
            resolve(reader, V1._replace(tag=name), 10)
