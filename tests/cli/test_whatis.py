"""`hubindex whatis`: who has a digest, or ever had it."""

import json

import pytest

from hubindex.index.ingest import Ingest
from hubindex.index.location import Location
from hubindex.records import Tag
from tests.cli.conftest import Call
from tests.cli.story import short, whole
from tests.index.building import add, crawl


def test_people_read_a_table(story: str, call: Call) -> None:
    """Every tag that has or had the digest, with the time."""
    outcome = call("--db", story, "whatis", whole(3))
    assert outcome.code == 0
    header, *lines = outcome.out.splitlines()
    assert header.split() == ["REPOSITORY:TAG", "AS", "SINCE", "UNTIL", "CERTAINTY"]
    assert [line.split()[:2] for line in lines] == [["acme/web:latest", "tag"], ["mongo:latest", "tag"]]
    assert outcome.err == ""


def rows(call: Call, db: str, digest: str) -> list[dict[str, object]]:
    outcome = call("--db", db, "whatis", digest, "--format", "json")
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_a_platform_image_is_found_in_its_indexes(story: str, call: Call) -> None:
    """An image that two indexes share is one stretch for that platform."""
    found = rows(call, story, whole(100))
    assert {row["Platform"] for row in found} == {"linux/arm64/v8"}
    seven = [row for row in found if row["Tag"] == "7"]
    assert [(row["Since"], row["Until"], row["Index"]) for row in seven] == [
        ("2024-01-15T10:00:00Z", None, whole(2))
    ]


def test_past_and_present_holders_are_found(story: str, call: Call) -> None:
    """Also a tag that has moved on, and one that went and came back."""
    assert {(row["Name"], row["Tag"]) for row in rows(call, story, whole(1))} == {
        ("mongo", "7"), ("mongo", "7.0"), ("mongo", "7.0.5"), ("mongo", "latest"),
    }  # fmt: skip
    six = rows(call, story, whole(9))
    assert [(row["Tag"], row["Until"]) for row in six] == [("6", None), ("6", "2024-02-01T04:00:00Z")]


@pytest.mark.parametrize("form", ["{hex}", "{short}", "SHA256:{hex}", "mongo@sha256:{hex}", "{upper}"])
def test_a_digest_can_be_written_in_many_ways(story: str, call: Call, form: str) -> None:
    """With or without algorithm, cut after eight digits or more, or with a repository before it."""
    digits = whole(7).partition(":")[2]
    asked = form.format(hex=digits, short=digits[:8], upper=digits.upper()).replace("SHA256", "sha256")
    assert [row["Digest"] for row in rows(call, story, asked)] == [whole(7)]


def test_the_beginning_is_completed(story: str, call: Call) -> None:
    """Whoever gave only the first digits is told the whole digest."""
    outcome = call("--db", story, "whatis", short(7))
    assert outcome.err == f"hubindex: the whole digest is {whole(7)}\n"


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("1234567", 2, "8 or more"),
        ("mongo:latest", 2, "known algorithms"),
        ("zzzzzzzz", 2, "hexadecimal"),
        ("f" * 129, 2, "at most 128"),
        ("sha256:" + "f" * 65, 2, "at most 64"),
        ("\x1b[31m" * 1000, 2, "hexadecimal"),
        ("ffffffff", 3, "no tag in the index has or had a digest that begins with ffffffff"),
        ("sha512:00000007", 3, "no tag"),
    ],
)
def test_what_is_no_digest_or_not_known(story: str, call: Call, asked: str, code: int, words: str) -> None:
    """One line says what is wrong."""
    outcome = call("--db", story, "whatis", asked)
    assert outcome.code == code
    assert words in outcome.complaint
    assert "\x1b" not in outcome.err


def test_several_matches_are_listed(ingest: Ingest, location: Location, call: Call) -> None:
    """Exit 1, and all that begin so in one line."""
    digests = [bytes([1, 2, 3, 4, number]) * 6 + bytes([1, 2]) for number in (5, 6)]
    mongo = add(ingest, "library/mongo")[0]
    crawl(ingest, mongo, 10, *(Tag(name=f"t{n}", digest=raw) for n, raw in enumerate(digests)))
    outcome = call("--db", location.target, "whatis", "01020304")
    assert outcome.code == 1
    assert all(f"sha256:{raw.hex()}" in outcome.complaint for raw in digests)
    assert call("--db", location.target, "whatis", "0102030405").code == 0
