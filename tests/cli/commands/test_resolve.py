# ruff: noqa: E501 - what is printed stands here as it is printed
"""`hubindex resolve`: the one digest that a tag pointed to at a moment."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from tests.cli.conftest import Call
from tests.cli.story import LOOKS, NOW, PUSHES, ms, short
from tests.index.building import add, crawl, image, tag
from tests.index.building import text as whole

FIELDS = [
    "Reference", "Digest", "Platform", "Certainty", "Since", "SinceEarliest", "Until", "UntilLatest", "LastSeen",
    "PushedAt", "Note",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "content", "said"),
    [
        (
            "mongo",
            3,
            "confirmed: as of the last look, 3 weeks ago, mongo:latest has pointed to this digest since "
            "2024-03-09T04:00:00Z (first seen then; the tag changed after 2024-03-02T04:00:00Z), last seen "
            "2024-03-09T04:00:00Z",
        ),
        (
            "mongo --at now",
            3,
            "inferred: mongo:latest has pointed to this digest since 2024-03-09T04:00:00Z (first seen then; the tag "
            "changed after 2024-03-02T04:00:00Z), last seen 2024-03-09T04:00:00Z; nothing is known after that",
        ),
        (
            "mongo:7 --at 2024-03-05",
            2,
            "confirmed: mongo:7 has pointed to this digest since 2024-03-01T09:12:44.167Z (pushed then), "
            "last seen 2024-03-09T04:00:00Z",
        ),
        (
            "library/mongo:latest --at 2024-03-02T04:00",
            2,
            "confirmed: mongo:latest pointed to this digest from 2024-03-01T09:12:44.167Z (pushed then) until at "
            "least 2024-03-02T04:00:00Z, and until 2024-03-09T04:00:00Z at most",
        ),
        (
            "docker.io/mongo:7 --at 2024-03-01T10:12:44.166+01:00",
            1,
            "inferred: mongo:7 pointed to this digest from 2024-01-15T10:00:00Z (pushed then) until at least "
            "2024-02-01T04:00:00Z, and until 2024-03-01T09:12:44.167Z at most; nothing is known between the two",
        ),
        (
            "mongo:edge --at 2024-02-15",
            11,
            "inferred: mongo:edge pointed to this digest from 2024-02-01T04:00:00Z (first seen then) until at "
            "least 2024-02-01T04:00:00Z, and until 2024-03-09T04:00:00Z at most; it was the same at "
            "2024-02-01T04:00:00Z and at 2024-03-02T04:00:00Z; a move there and back in between would have left no "
            "trace; it may have been there before its first sight",
        ),
        (
            "mongo:edge --at 2024-03-02T04:00",
            11,
            "confirmed: mongo:edge pointed to this digest from 2024-03-02T04:00:00Z (seen then) until at "
            "least 2024-03-02T04:00:00Z, and until 2024-03-09T04:00:00Z at most; it may have been there before its "
            "first sight",
        ),
        (
            "acme/web:v1 --at 2024-03-06T00:00",
            7,
            "confirmed: acme/web:v1 has pointed to this digest since 2024-03-05T00:00:00.500Z (pushed then), "
            "last seen 2024-03-09T04:00:00Z",
        ),
    ],
)
def test_one_line_answers_and_another_says_how_sure(
    story: str, call: Call, line: str, content: int, said: str
) -> None:
    """The digest on stdout, to be used as it is; certainty and bounds on stderr."""
    outcome = call("--db", story, "resolve", *line.split())
    assert outcome.code == 0, outcome.err
    name = "acme/web" if "acme" in line else "mongo"
    assert outcome.out == f"{name}@{whole(content)}\n"
    assert outcome.err == f"hubindex: {said}\n"


def test_contradicting_evidence_is_noted(location: Location, call: Call) -> None:
    """A push that is said to lie before the last sight of something else moves no bound."""
    ingest = Ingest(location)
    web = add(ingest, "acme/web")[0]
    for at, digest, pushed_at in zip(LOOKS, (1, 1, 2), (PUSHES[0], PUSHES[0], LOOKS[1] - 1000), strict=True):
        crawl(ingest, web, at, tag("a", digest, pushed_at))
    ingest.close()
    outcome = call("--db", location.target, "resolve", "acme/web:a", "--at", "2024-03-09T04:00")
    assert outcome.out == f"acme/web@{whole(2)}\n"
    assert outcome.err.startswith(
        "hubindex: confirmed: acme/web:a has pointed to this digest since 2024-03-09T04:00:00Z (first seen then; the "
        "tag changed after 2024-03-02T04:00:00Z), last seen 2024-03-09T04:00:00Z; the registry says"
    )


def test_a_stale_answer_is_told(location: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is the newest, what was there before it is inferred, and no more than that."""
    monkeypatch.setenv("HUBINDEX_NOW", NOW)
    ingest = Ingest(location)
    web = add(ingest, "acme/web")[0]
    for at, digest, pushed_at in zip(LOOKS, (1, 2, 1), (PUSHES[0], PUSHES[1], PUSHES[0]), strict=True):
        crawl(ingest, web, at, tag("a", digest, pushed_at))
    ingest.close()
    outcome = call("--db", location.target, "resolve", "acme/web:a")
    assert (outcome.code, outcome.out) == (0, f"acme/web@{whole(2)}\n")
    assert outcome.err == (
        "hubindex: inferred: as of the last look, 3 weeks ago, acme/web:a has pointed to this digest since "
        "2024-03-01T09:12:44.167Z (pushed then), last seen 2024-03-02T04:00:00Z; the answer of 2024-03-09T04:00:00Z "
        "was older than what had been seen before\n"
    )
    assert call("--db", location.target, "resolve", "acme/web:a", "--strict").code == 3
    certainty = call("--db", location.target, "tags", "acme/web", "--format", "{{.Digest}} {{.Certainty}}").out
    assert certainty == f"{whole(2)} inferred\n"


@pytest.mark.parametrize("template", ["", "table"])
def test_quiet_is_the_digest_alone(story: str, call: Call, template: str) -> None:
    """`-q`, for `$(…)`."""
    line = ("-q", "resolve", "mongo", "--at", "2024-03-01", "--format", template)
    assert call("--db", story, *line) == (0, f"mongo@{whole(2)}\n", "")


def test_the_digest_of_a_platform_is_that_of_its_image(story: str, call: Call) -> None:
    """Which may last longer than the index around it."""
    outcome = call("--db", story, "resolve", "mongo:7", "--platform", "arm64", "--at", "2024-01-20")
    assert outcome.out == f"mongo@{whole(100)}\n"
    assert outcome.err.startswith(
        "hubindex: confirmed: mongo:7 for linux/arm64 pointed to this digest from 2024-01-15T10:00:00Z "
        "(pushed then) until at least 2024-02-01T04:00:00Z, and no other digest was seen since"
    )
    outcome = call("--db", story, "resolve", "mongo:7", "--platform", "Linux/x86_64", "--at", "2024-03-05T00:00")
    assert outcome.out == f"mongo@{whole(102)}\n"


# Days


def test_the_moves_of_a_day_are_named(story: str, call: Call) -> None:
    """A bare date is its end; what happened before, on that day, is told in one line more."""
    outcome = call("--db", story, "resolve", "mongo", "--at", "2024-03-01")
    assert outcome.out == f"mongo@{whole(2)}\n"
    assert outcome.err.splitlines()[1:] == [
        f"hubindex: on 2024-03-01 it moved at 2024-03-01T09:12:44.167Z from {short(1)}… to {short(2)}…"
    ]


def test_a_move_that_may_have_been_on_that_day_is_named_as_such(story: str, call: Call) -> None:
    """With the two looks between which it was."""
    outcome = call("--db", story, "resolve", "mongo:edge", "--at", "2024-03-05")
    assert outcome.out == f"mongo@{whole(11)}\n"
    assert outcome.err.splitlines()[1:] == [
        "hubindex: on 2024-03-05 it may have moved between 2024-03-02T04:00:00Z and 2024-03-09T04:00:00Z "
        f"from {short(11)}… to {short(12)}…"
    ]


def test_every_move_of_a_day_is_named(location: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order; today ends now, and yesterday is a day too."""
    with_day = "2024-03-01T{}:00Z".format
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    other = tag("other", 9)
    crawl(ingest, app, ms("2024-02-29T20:00:00Z"), other, tag("v1", 1, ms("2024-02-01T00:00:00Z")))
    crawl(ingest, app, ms(with_day("10:00")), other, tag("v1", 2, ms(with_day("09:00"))))
    crawl(ingest, app, ms(with_day("14:00")), other, tag("v1", 3))
    crawl(ingest, app, ms(with_day("18:00")), other)
    crawl(ingest, app, ms(with_day("20:00")), other, tag("v1", 1, ms(with_day("19:00"))))
    ingest.close()
    told = (
        f"on 2024-03-01 it moved at 2024-03-01T09:00:00Z from {short(1)}… to {short(2)}…; "
        f"it moved between 2024-03-01T10:00:00Z and 2024-03-01T14:00:00Z from {short(2)}… to {short(3)}…; "
        "it was removed between 2024-03-01T14:00:00Z and 2024-03-01T18:00:00Z; "
        f"it was added at 2024-03-01T19:00:00Z, as {short(1)}…"
    )
    monkeypatch.setenv("HUBINDEX_NOW", with_day("20:30"))
    today = call("--db", location.target, "resolve", "acme/app:v1", "--at", "today")
    assert (today.out, today.err.splitlines()[1]) == (f"acme/app@{whole(1)}\n", f"hubindex: {told}")
    monkeypatch.setenv("HUBINDEX_NOW", "2024-03-02T12:00:00Z")
    yesterday = call("--db", location.target, "resolve", "acme/app:v1", "--at", "yesterday")
    assert (yesterday.out, yesterday.err.splitlines()[1]) == (f"acme/app@{whole(1)}\n", f"hubindex: {told}")


@pytest.mark.parametrize("when", ["2024-03-05T12:00", "27d", "now", "2024-03-12"])
def test_a_moment_has_no_day_to_tell_of(story: str, call: Call, when: str) -> None:
    """Nor has a day on which nothing happened."""
    assert call("--db", story, "resolve", "mongo:edge", "--at", when).err.count("\n") == 1


# Ages


@pytest.mark.parametrize(("age", "content"), [("0h", 3), ("22d", 3), ("23d", 2), ("4w", 2), ("32d", 1)])
def test_a_digest_must_have_been_there_for_some_time(story: str, call: Call, age: str, content: int) -> None:
    """`--min-age` is what was there so long ago."""
    outcome = call("--db", story, "resolve", "mongo", "--min-age", age)
    assert outcome.out == f"mongo@{whole(content)}\n"
    assert outcome == call("--db", story, "resolve", "mongo", "--at", age)


# Formats


def test_json_has_all_fields(story: str, call: Call) -> None:
    """Times in RFC 3339, and null where there is nothing."""
    outcome = call("--db", story, "resolve", "mongo", "--at", "2024-03-05T00:00", "--format", "json")
    assert outcome.code == 0
    row = json.loads(outcome.out)
    assert list(row) == FIELDS
    assert row == {
        "Reference": "mongo:latest",
        "Digest": whole(2),
        "Platform": None,
        "Certainty": "inferred",
        "Since": "2024-03-01T09:12:44.167Z",
        "SinceEarliest": "2024-02-01T04:00:00Z",
        "Until": "2024-03-02T04:00:00Z",
        "UntilLatest": "2024-03-09T04:00:00Z",
        "LastSeen": "2024-03-02T04:00:00Z",
        "PushedAt": "2024-03-01T09:12:44.167Z",
        "Note": None,
    }
    assert outcome.err.startswith("hubindex: inferred: mongo:latest pointed to this digest from ")


def test_a_platform_and_a_note_are_fields(story: str, call: Call) -> None:
    """The platform as it is written, the note as it is told."""
    line = ("resolve", "mongo:edge", "--at", "2024-02-15", "--format", "json")
    assert json.loads(call("--db", story, *line).out)["Note"].endswith("been there before its first sight")
    asked = ("resolve", "mongo:7", "--platform", "aarch64", "--at", "2024-02-15", "--format", "json")
    row = json.loads(call("--db", story, *asked).out)
    assert (row["Platform"], row["Digest"]) == ("linux/arm64", whole(100))


def test_templates(story_sqlite: str, call: Call) -> None:
    """With a header or without; null is empty."""
    line = ("-q", "--db", story_sqlite, "resolve", "mongo:7", "--format")
    assert call(*line, "{{.Digest}} {{.Certainty}}[{{.Until}}]").out == f"{whole(2)} confirmed[]\n"
    assert call(*line, r"table {{.Reference}}\t{{.LastSeen}}").out == (
        "REFERENCE   LAST SEEN\nmongo:7     2024-03-09T04:00:00Z\n"
    )


# No answer

NO_ANSWERS = [
    (
        "mongo --at 2024-01-01",
        "no digest for mongo:latest at 2024-01-01T23:59:59.999Z: the first evidence about mongo:latest is of "
        "2024-01-15T10:00:00Z, later than that",
        "the first evidence about mongo:latest is of 2024-01-15T10:00:00Z, later than that",
    ),
    (
        "mongo:nope",
        "no digest for mongo:nope as of the last look, 3 weeks ago: the registry showed mongo:nope without a digest since "
        "2024-02-01T04:00:00Z",
        "the registry showed mongo:nope without a digest since 2024-02-01T04:00:00Z",
    ),
    (
        "mongo:6 --at 2024-03-04T00:00",
        "no digest for mongo:6 at 2024-03-04T00:00:00Z: mongo:6 was gone: it vanished between 2024-02-01T04:00:00Z "
        "and 2024-03-02T04:00:00Z, and came back by 2024-03-09T04:00:00Z",
        "mongo:6 was gone: it vanished between 2024-02-01T04:00:00Z and 2024-03-02T04:00:00Z, and came back by "
        "2024-03-09T04:00:00Z",
    ),
    (
        "mongo:7 --platform s390x",
        "no digest for mongo:7 for linux/s390x as of the last look, 3 weeks ago: mongo:7 had no image for linux/s390x: it "
        "had linux/amd64, linux/arm64/v8",
        "mongo:7 had no image for linux/s390x: it had linux/amd64, linux/arm64/v8",
    ),
    (
        "acme/nosuch:v1",
        "acme/nosuch is not in the index: fetch it with 'hubindex crawl --repo acme/nosuch'",
        "acme/nosuch is not in the index: fetch it with 'hubindex crawl --repo acme/nosuch'",
    ),
    (
        "mongo:nosuch",
        "mongo:nosuch is not in the index: no look at the tags of mongo has found it",
        "mongo:nosuch is not in the index: no look at the tags of mongo has found it",
    ),
    (
        "acme/unseen",
        "the tags of acme/unseen are not in the index: fetch them with 'hubindex crawl --repo acme/unseen'",
        "the tags of acme/unseen are not in the index: fetch them with 'hubindex crawl --repo acme/unseen'",
    ),
    (
        "ghcr.io/acme/web",
        "ghcr.io/acme/web is not in the index, which holds repositories of Docker Hub only: "
        "fetch it with 'hubindex crawl --repo ghcr.io/acme/web'",
        "ghcr.io/acme/web is not in the index, which holds repositories of Docker Hub only: "
        "fetch it with 'hubindex crawl --repo ghcr.io/acme/web'",
    ),
]


@pytest.mark.parametrize(("line", "complaint", "note"), NO_ANSWERS)
def test_no_answer_says_why(story: str, call: Call, line: str, complaint: str, note: str) -> None:
    """One line on stderr and exit code 3; in JSON an object without a digest as well."""
    for template in ("table", "{{.Digest}}", "table {{.Digest}}"):
        outcome = call("--db", story, "resolve", *line.split(), "--format", template)
        assert (outcome.code, outcome.complaint) == (3, complaint)
    outcome = call("--db", story, "resolve", *line.split(), "--format", "json")
    assert (outcome.code, outcome.err) == (3, f"hubindex: {complaint}\n")
    row = json.loads(outcome.out)
    assert list(row) == FIELDS
    assert (row["Digest"], row["Certainty"], row["Note"]) == (None, "unknown", note)
    assert row["Platform"] == ("linux/s390x" if "s390x" in line else None)


def test_the_changes_of_a_day_are_told_without_an_answer_too(story: str, call: Call) -> None:
    """In the same line."""
    outcome = call("--db", story, "resolve", "mongo:6", "--at", "2024-03-08")
    assert outcome.code == 3
    assert outcome.complaint.endswith(
        "and came back by 2024-03-09T04:00:00Z; on 2024-03-08 it may have been added between "
        f"2024-03-02T04:00:00Z and 2024-03-09T04:00:00Z, as {short(9)}…"
    )


def test_without_an_index_there_is_no_answer(call: Call, tmp_path: Path, empty: str) -> None:
    """Not even an empty one."""
    path = str(tmp_path / "nosuch.db")
    outcome = call("--db", path, "resolve", "mongo", "--format", "json")
    assert outcome.code == 3
    row = json.loads(outcome.out)
    assert (row["Reference"], row["Digest"], row["Certainty"]) == ("mongo:latest", None, "unknown")
    assert row["Note"].startswith(f"there is no index at {path} yet: ")
    assert outcome.err == f"hubindex: {row['Note']}\n"
    assert call("--db", empty, "resolve", "mongo").complaint.startswith("the index is empty: ")


def test_a_broken_index_is_no_answer_at_all(call: Call, tmp_path: Path) -> None:
    """Exit code 1, and no object."""
    path = tmp_path / "broken.db"
    path.write_bytes(b"nonsense" * 1000)
    outcome = call("--db", str(path), "resolve", "mongo", "--format", "json")
    assert outcome.code == 1
    assert "cannot be read" in outcome.complaint


def test_strict_wants_it_confirmed(story: str, call: Call) -> None:
    """Else there is no answer, and the reason."""
    line = ("--db", story, "resolve", "mongo:7", "--strict")
    assert call(*line, "--at", "2024-03-05").out == f"mongo@{whole(2)}\n"
    assert call(*line).out == f"mongo@{whole(2)}\n"
    outcome = call(*line, "--at", "now")
    assert outcome.code == 3
    assert outcome.complaint == (
        f"not confirmed, as --strict wants: inferred: mongo:7 has pointed to {whole(2)} since "
        "2024-03-01T09:12:44.167Z (pushed then), last seen 2024-03-09T04:00:00Z; nothing is known after that"
    )
    refused = call(*line, "--at", "now", "--format", "json")
    row = json.loads(refused.out)
    assert (refused.code, refused.err) == (3, outcome.err)
    assert (row["Digest"], row["Certainty"], row["Note"]) == (None, "inferred", outcome.complaint)
    assert (row["Since"], row["LastSeen"]) == ("2024-03-01T09:12:44.167Z", "2024-03-09T04:00:00Z")
    unknown = json.loads(call(*line, "--at", "2020-01-01", "--format", "json").out)
    assert (unknown["Digest"], unknown["Certainty"]) == (None, "unknown")


def test_a_last_look_can_be_too_old(story: str, call: Call) -> None:
    """`--max-age` refuses it, whatever it showed; it is about the last look and nothing else."""
    line = ("--db", story, "resolve", "mongo:7", "--max-age")
    assert call(*line, "30d").out == f"mongo@{whole(2)}\n"
    outcome = call(*line, "2w")
    assert outcome.code == 3
    assert outcome.complaint == (
        "the last look at mongo:7 was 3 weeks ago, longer ago than --max-age allows: 'hubindex crawl --repo mongo' "
        "looks again"
    )
    row = json.loads(call(*line, "2w", "--format", "json").out)
    assert (row["Digest"], row["Certainty"], row["Note"]) == (None, "inferred", outcome.complaint)
    for other in (("--at", "7d"), ("--min-age", "7d")):
        assert call(*line, "7d", *other).code == 2
    assert call(*line, "soon").code == 2


# Wrong usage


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mongo --at 2024-03-01 --min-age 7d", "--at and --min-age both name the moment"),
        ("mongo --at 2024-03-01 --min-age nonsense", "--at and --min-age both name the moment"),
        ("mongo --at 2025-01-01", "is in the future"),
        ("mongo --at tomorrow", "'tomorrow' is not a time"),
        ("mongo --at 01.03.2024", "'01.03.2024' is not a time"),
        ("mongo --at 2024-02-30", "there is no such day"),
        ("mongo --at ''", "'' is not a time"),
        ("mongo --min-age 5m", "minutes or months"),
        ("mongo --min-age 2024-03-01", "'2024-03-01' is not an age"),
        ("mongo --min-age now", "'now' is not an age"),
        ("mongo --min-age 100000d", "is before 1970"),
        ("mongo --platform linux", "operating system alone"),
        ("mongo --platform ''", "is not a platform"),
        ("mongo --platform */arm64", "wildcards"),
        ("Mongo", "must be lower case"),
        ("mongo:", "the tag after ':' is missing"),
        (f"mongo@{whole(1)}", f"names a digest already: 'hubindex whatis {whole(1)}' tells who has it"),
        (f"mongo:7@{whole(1)}", f"'hubindex whatis {whole(1)}'"),
        ("mongo redis", "unexpected extra argument"),
        ("", "Missing argument"),
    ],
)
@pytest.mark.parametrize("template", ["table", "json"])
def test_wrong_usage_is_told_in_one_line(
    story_sqlite: str, call: Call, line: str, words: str, template: str
) -> None:
    """Exit code 2, and no object."""
    outcome = call("--db", story_sqlite, "resolve", *shlex.split(line), "--format", template)
    assert outcome.code == 2
    assert words in outcome.complaint


@pytest.mark.parametrize("template", ["{{", "{{.Nosuch}}"])
def test_a_wrong_template_is_an_error(story_sqlite: str, call: Call, template: str) -> None:
    """As everywhere."""
    assert call("--db", story_sqlite, "resolve", "mongo", "--format", template).code == 1


def test_a_wrong_clock_is_wrong_usage(story_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HUBINDEX_NOW` stands in for it."""
    monkeypatch.setenv("HUBINDEX_NOW", "yesterday")
    outcome = call("--db", story_sqlite, "resolve", "mongo")
    assert outcome.code == 2
    assert "HUBINDEX_NOW" in outcome.complaint


def test_options_can_be_set_in_the_environment(
    story_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that is pinned to a day."""
    monkeypatch.setenv("HUBINDEX_RESOLVE_AT", "2024-02-15")
    monkeypatch.setenv("HUBINDEX_RESOLVE_PLATFORM", "amd64")
    assert call("--db", story_sqlite, "resolve", "mongo").out == f"mongo@{whole(101)}\n"


# Hostile text


@pytest.mark.parametrize(
    "arguments", [("\x1b[31m",), ("mongo", "--at", "\x1b]0;x\x07"), ("mongo", "--platform", "\x1b/\u202e")]
)
def test_hostile_arguments_are_not_printed_as_they_are(
    story_sqlite: str, call: Call, arguments: Sequence[str]
) -> None:
    """They are quoted."""
    outcome = call("--db", story_sqlite, "resolve", *arguments)
    assert outcome.code == 2
    assert not any(character in outcome.complaint for character in "\x1b\x07\u202e")


def test_hostile_platforms_are_neutralised(
    location: Location, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a registry wrote is data."""
    monkeypatch.setenv("HUBINDEX_NOW", NOW)
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, ms("2024-03-01T00:00:00Z"), tag("v1", 1, None, image("linux/\x1b[31m\u202e<b>", 2)))
    ingest.close()
    line = ("--db", location.target, "resolve", "acme/app:v1", "--platform", "amd64", "--format")
    for template in ("table", "json"):
        outcome = call(*line, template)
        assert outcome.code == 3
        assert not any(character in outcome.out + outcome.err for character in "\x1b\u202e")
