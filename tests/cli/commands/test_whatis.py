"""`hubindex whatis`: every tag that has a digest, or ever had it."""

import json

import pytest

from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Tag
from tests.cli.conftest import Call
from tests.cli.story import ms
from tests.index.building import add, crawl, image, tag
from tests.index.building import text as whole

TAGS = """\
REPOSITORY:TAG   AS        SINCE                  UNTIL                                         CERTAINTY
mongo:7          tag       2024-03-01T09:12:44Z   last seen 2024-03-09T04:00:00Z                confirmed
mongo:7.0        tag       2024-03-01T09:12:44Z   last seen 2024-03-09T04:00:00Z                confirmed
mongo:7.0.6      tag       2024-03-01T09:12:44Z   last seen 2024-03-09T04:00:00Z                confirmed
mongo:latest     tag       2024-03-01T09:12:44Z   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   confirmed
"""
IMAGES = """\
REPOSITORY:TAG   AS               SINCE                  UNTIL                                         CERTAINTY
mongo:7          linux/arm64/v8   2024-01-15T10:00:00Z   last seen 2024-03-09T04:00:00Z                inferred
mongo:7.0        linux/arm64/v8   2024-01-15T10:00:00Z   last seen 2024-03-09T04:00:00Z                inferred
mongo:7.0.5      linux/arm64/v8   2024-01-15T10:00:00Z   last seen 2024-03-09T04:00:00Z                confirmed
mongo:7.0.6      linux/arm64/v8   2024-03-01T09:12:44Z   last seen 2024-03-09T04:00:00Z                confirmed
mongo:latest     linux/arm64/v8   2024-01-15T10:00:00Z   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   inferred
"""
REPOSITORIES = """\
REPOSITORY:TAG    AS        SINCE                                         UNTIL                            CERTAINTY
acme/web:latest   tag       2024-03-09T04:00:00Z                          last seen 2024-03-09T04:00:00Z   confirmed
mongo:latest      tag       2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   last seen 2024-03-09T04:00:00Z   confirmed
"""  # noqa: E501


@pytest.mark.parametrize(("number", "expected"), [(2, TAGS), (100, IMAGES), (3, REPOSITORIES)])
def test_who_has_a_digest_or_had_it(story: str, call: Call, number: int, expected: str) -> None:
    """By repository and tag: what the tag points to, or its image for a platform."""
    assert call("--db", story, "whatis", whole(number)) == (0, expected, "")


@pytest.mark.parametrize("text", [whole(2).removeprefix("sha256:"), f"mongo@{whole(2)}", whole(2).upper()[7:]])
def test_a_digest_may_be_written_in_several_ways(story_sqlite: str, call: Call, text: str) -> None:
    """As it stands in output of docker."""
    assert call("--db", story_sqlite, "whatis", text) == (0, TAGS, "")


@pytest.mark.parametrize("text", [whole(2)[:19], whole(2)[:15], whole(2)[7:15], "000000020"])
def test_the_beginning_is_enough(story: str, call: Call, text: str) -> None:
    """The whole digest is told beside."""
    assert call("--db", story, "whatis", text) == (0, TAGS, f"hubindex: the whole digest is {whole(2)}\n")
    assert call("--db", story, "-q", "whatis", text).err == ""


def test_json_has_all_fields(story: str, call: Call) -> None:
    """With the index that a platform's image was in last."""
    outcome = call("--db", story, "whatis", whole(100), "--format", "json")
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert rows[-1] == {
        "Name": "mongo",
        "Tag": "latest",
        "Digest": whole(100),
        "Index": whole(2),
        "Platform": "linux/arm64/v8",
        "Certainty": "inferred",
        "Since": "2024-01-15T10:00:00Z",
        "SinceEarliest": None,
        "Until": "2024-03-02T04:00:00Z",
        "UntilLatest": "2024-03-09T04:00:00Z",
        "LastSeen": "2024-03-02T04:00:00Z",
        "PushedAt": "2024-01-15T10:00:00Z",
        "Gaps": [["2024-02-01T04:00:00Z", "2024-03-01T09:12:44.167Z"]],
        "Note": None,
    }
    assert list(rows[0]) == [
        "Name", "Tag", "Digest", "Index", "Platform", "Certainty", "Since", "SinceEarliest", "Until",
        "UntilLatest", "LastSeen", "PushedAt", "Gaps", "Note",
    ]  # fmt: skip
    own = [
        json.loads(line) for line in call("--db", story, "whatis", whole(3), "--format", "json").out.splitlines()
    ]
    assert [(row["Name"], row["Index"], row["Platform"], row["PushedAt"]) for row in own] == [
        ("acme/web", None, None, None),
        ("mongo", None, None, None),
    ]
    assert own[1]["SinceEarliest"] == "2024-03-02T04:00:00Z"


def test_the_table_is_whole_on_demand(story_sqlite: str, call: Call) -> None:
    """`--no-trunc`: with milliseconds."""
    out = call("--db", story_sqlite, "whatis", whole(7), "--no-trunc").out
    assert out.splitlines()[1].split() == [
        "acme/web:v1", "tag", "2024-03-05T00:00:00.500Z", "last", "seen", "2024-03-09T04:00:00Z", "confirmed",
    ]  # fmt: skip


def test_templates(story_sqlite: str, call: Call) -> None:
    """The fields as they are."""
    line = ("--db", story_sqlite, "whatis", whole(3), "--format")
    assert call(*line, "{{.Name}}:{{.Tag}}[{{.Platform}}]").out == "acme/web:latest[]\nmongo:latest[]\n"
    assert call(*line, r"table {{.Name}}\t{{.Tag}}").out.splitlines()[0] == "NAME       TAG"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (whole(99), f"no tag in the index has or had {whole(99)}"),
        ("abcdef0123", "no tag in the index has or had a digest that begins with abcdef0123"),
        ("sha512:" + whole(2)[7:], "no tag in the index has or had"),
    ],
)
@pytest.mark.parametrize("template", ["table", "json"])
def test_what_nobody_has_is_no_answer(story: str, call: Call, text: str, complaint: str, template: str) -> None:
    """Exit code 3."""
    outcome = call("--db", story, "whatis", text, "--format", template)
    assert outcome.code == 3
    assert outcome.complaint.startswith(complaint)


@pytest.mark.parametrize(
    "text",
    ["", "mongo", "0000000", "sha256:", "sha256:xyz", "md5:0123456789", whole(2) + "00", "\x1b[31m", "é" * 9],
)
def test_what_is_no_digest_is_wrong_usage(story_sqlite: str, call: Call, text: str) -> None:
    """Exit code 2, and what is wrong."""
    outcome = call("--db", story_sqlite, "whatis", text)
    assert outcome.code == 2
    assert " is not a digest " in outcome.complaint
    assert "\x1b" not in outcome.complaint


def test_a_beginning_of_several_digests_is_an_error(location: Location, call: Call) -> None:
    """Which are listed."""
    first, second = (bytes.fromhex("abcdef01" + end * 28) for end in ("22", "33"))
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, ms("2024-03-01T00:00:00Z"), Tag(name="v1", digest=first), Tag(name="v2", digest=second))
    ingest.close()
    outcome = call("--db", location.target, "whatis", "abcdef01", "--format", "json")
    assert outcome.code == 1
    assert outcome.complaint == (
        f"abcdef01 is the beginning of 2 digests: sha256:{first.hex()}, sha256:{second.hex()}: give more digits"
    )
    assert call("--db", location.target, "whatis", "abcdef012", "--format", "{{.Tag}}").out == "v1\n"


@pytest.fixture
def hostile(location: Location) -> str:
    """`--db` for an index with a platform that acts on terminals."""
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, ms("2024-03-01T00:00:00Z"), tag("v1", 1, None, image("linux/\x1b[31m\u202e<b>", 2)))
    ingest.close()
    return location.target


@pytest.mark.parametrize("template", ["table", "json", "{{.Platform}}", "table {{.Platform}}"])
def test_hostile_text_is_neutralised(hostile: str, call: Call, template: str) -> None:
    """In every format."""
    outcome = call("--db", hostile, "whatis", whole(2), "--format", template)
    assert outcome.code == 0
    assert not any(character in outcome.out for character in "\x1b\u202e")
