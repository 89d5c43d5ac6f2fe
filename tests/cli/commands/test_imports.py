"""`hubindex import`: what others say, apart from what we have seen."""

import io
import json
import sys
from pathlib import Path

import pytest

from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Repository, Tag, TagPage
from tests.cli.conftest import Call
from tests.index.building import problems

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
LINES: list[dict[str, object]] = [
    {"reference": "mongo:latest", "digest": A, "at": "2024-05-01T10:00:00Z", "source": "build 1"},
    {"reference": "mongo", "digest": B, "from": "2024-05-10T10:00:00Z", "until": "2024-05-12T10:00:00Z"},
    {"reference": "mongo:latest", "digest": None, "at": "2024-06-10T10:00:00Z"},
    {"reference": f"mongo:7@{B}", "at": "2024-05-10T10:00:00Z"},
    {"reference": "mongo:6", "digest": C, "by": "2024-05-10T10:00:00Z", "source": "Dockerfile"},
    {"reference": "ghcr.io/acme/app:1", "digest": C, "at": "2024-05-10T12:00:00+02:00", "platform": "arm64"},
]


def ndjson(*lines: object) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)


@pytest.fixture
def db(tmp_path: Path) -> str:
    """Where an index can be made."""
    return str(tmp_path / "index.db")


@pytest.fixture
def told(location: Location, call: Call, tmp_path: Path) -> str:
    """An index that knows nothing but what somebody said."""
    file = tmp_path / "builds.ndjson"
    file.write_text(ndjson(*LINES))
    outcome = call("--db", location.target, "import", "reports", str(file), "--witness", "ci")
    assert outcome == (0, "6 new, 0 known, 0 refused\n", "")
    return location.target


def certainty(call: Call, db: str, *line: str) -> tuple[str | None, str]:
    """What `resolve` says: the digest, and how sure it is."""
    row = json.loads(call("--db", db, "resolve", *line, "--format", "json").out)
    return row["Digest"], row["Certainty"]


def test_what_a_witness_saw_is_reported(told: str, call: Call) -> None:
    """At that moment, or in that stretch; between them it is a guess, before them nothing is known."""
    assert certainty(call, told, "mongo", "--at", "2024-05-01T10:00:00Z") == (A, "reported")
    assert certainty(call, told, "mongo", "--at", "2024-05-05") == (A, "inferred")
    assert certainty(call, told, "mongo", "--at", "2024-05-11") == (B, "reported")
    assert certainty(call, told, "mongo", "--at", "2024-05-20") == (B, "inferred")
    assert certainty(call, told, "mongo", "--at", "2024-06-11") == (None, "unknown")
    assert certainty(call, told, "mongo", "--at", "2024-04-01") == (None, "unknown")
    assert certainty(call, told, "mongo:7") == (B, "reported")
    said = call("--db", told, "resolve", "mongo", "--at", "2024-05-11")
    assert said.err.startswith("hubindex: reported: mongo:latest pointed to")
    assert ", says ci" in said.err
    guessed = call("--db", told, "resolve", "mongo", "--at", "2024-05-05")
    assert "that rests on what ci reports" in guessed.err


def test_how_sure_it_has_to_be(told: str, call: Call) -> None:
    """`--strict` is `--at-least confirmed`."""
    line = ("--db", told, "resolve", "mongo", "--at", "2024-05-11")
    assert call(*line, "--at-least", "reported").code == 0
    assert call(*line, "--at-least", "inferred").code == 0
    for option in (("--strict",), ("--at-least", "confirmed")):
        refused = call(*line, *option)
        assert refused.code == 3
        assert "not confirmed" in refused.err
    guess = call("--db", told, "resolve", "mongo", "--at", "2024-05-05", "--at-least", "reported")
    assert (guess.code, "not reported, as --at-least wants: inferred" in guess.err) == (3, True)


def test_seen_by_bounds_nothing(told: str, call: Call) -> None:
    """It is a hint where nothing is known."""
    outcome = call("--db", told, "resolve", "mongo:6")
    assert outcome.code == 3
    assert f"ci had seen {C} by 2024-05-10T10:00:00Z (Dockerfile)" in outcome.err
    who = call("--db", told, "whatis", "cccccccc", "--format", "json")
    assert [json.loads(line)["Name"] for line in who.out.splitlines()] == ["ghcr.io/acme/app"]


def test_a_digest_that_somebody_has_pinned(location: Location, call: Call, tmp_path: Path) -> None:
    """Is told where, though nobody knows when the tag had it."""
    file = tmp_path / "pins"
    file.write_text(ndjson(LINES[4]))
    call("--db", location.target, "import", "reports", str(file))
    outcome = call("--db", location.target, "whatis", C)
    assert outcome.code == 3
    assert "pins had seen it as mongo:6 by 2024-05-10T10:00:00Z (Dockerfile)" in outcome.err


def test_the_image_for_a_platform(told: str, call: Call) -> None:
    """Is known for that platform alone."""
    assert certainty(call, told, "ghcr.io/acme/app:1", "--platform", "linux/arm64") == (C, "reported")
    assert call("--db", told, "resolve", "ghcr.io/acme/app:1").code == 3


def test_all_questions_know_reports(told: str, call: Call) -> None:
    """The history, the tags of a moment, differences, and who had a digest."""
    rows = [
        json.loads(line)
        for line in call("--db", told, "history", "mongo:latest", "--format", "json").out.splitlines()
    ]
    assert [(row["Digest"], row["Certainty"], row.get("Witness")) for row in rows] == [
        (None, "unknown", None), (B, "reported", "ci"), (A, "reported", "ci"),
    ]  # fmt: skip
    assert [row["Gaps"] for row in rows] == [[], [], []]
    tags = call(
        "--db", told, "tags", "mongo", "--at", "2024-05-11", "--format", "{{.Name}} {{.Digest}} {{.Certainty}}"
    )
    assert tags.out.splitlines() == [f"7 {B} inferred", f"latest {B} reported"]
    diff = call(
        "--db",
        told,
        "diff",
        "mongo",
        "2024-05-01T10:00:00Z",
        "2024-05-11",
        "--format",
        "{{.Tag}} {{.Change}} {{.Certainty}}",
    )
    assert "latest moved reported" in diff.out
    assert "mongo:latest" in call("--db", told, "diff", "2024-05-02", "2024-05-11").out
    held = [
        json.loads(line) for line in call("--db", told, "whatis", "bbbbbbbb", "--format", "json").out.splitlines()
    ]
    assert {(row["Name"], row["Tag"], row["Certainty"], row["Witness"]) for row in held} == {
        ("mongo", "7", "reported", "ci"), ("mongo", "latest", "reported", "ci"),
    }  # fmt: skip
    moves = call("--db", told, "history", "mongo", "--format", "{{.Tag}} {{.Change}} {{.Certainty}}").out
    assert "latest moved reported" in moves


def test_our_own_evidence_comes_first(location: Location, call: Call, tmp_path: Path) -> None:
    """A report that contradicts it loses, and the note says so; elsewhere it counts."""
    at = {day: 1_714_521_600_000 + (day - 1) * 86_400_000 for day in range(1, 40)}  # days of May 2024
    ingest = Ingest(location)
    with ingest.transaction() as batch:
        (stored,) = batch.repositories([Repository(name="library/mongo")], at[10])
        tag = Tag(name="latest", digest=bytes.fromhex("a" * 64), pushed_at=at[5])
        batch.tag_page(stored.repository_id, TagPage(tags=(tag,), count=1, more=False, observed_at=at[10]))
    ingest.close()
    file = tmp_path / "builds.csv"
    file.write_text(
        "reference,digest,at\n"
        f"mongo:latest,{B},2024-05-07T00:00:00Z\n"
        f"mongo:latest,{C},2024-05-02T00:00:00Z\n"
        f"mongo:latest,{A},2024-05-12T00:00:00Z\n"
    )
    assert call("--db", location.target, "import", "reports", str(file)).out == "3 new, 0 known, 0 refused\n"
    db = location.target
    assert certainty(call, db, "mongo", "--at", "2024-05-07T00:00:00Z") == (A, "confirmed")
    assert certainty(call, db, "mongo", "--at", "2024-05-02T00:00:00Z") == (C, "reported")
    assert certainty(call, db, "mongo", "--at", "2024-05-12T00:00:00Z") == (A, "reported")
    assert certainty(call, db, "mongo", "--at", "2024-05-11") == (A, "inferred")
    assert certainty(call, db, "mongo") == (A, "confirmed")
    said = call("--db", db, "resolve", "mongo", "--at", "2024-05-07T00:00:00Z").err
    assert "builds.csv reports something else for 2024-05-07T00:00:00Z" in said
    assert problems(location) == []
    assert call("--db", db, "import", "--forget", "builds.csv").code == 0
    assert certainty(call, db, "mongo", "--at", "2024-05-02T00:00:00Z") == (None, "unknown")
    assert "builds.csv" not in call("--db", db, "resolve", "mongo", "--at", "2024-05-07T00:00:00Z").err


def test_who_has_reported(told: str, call: Call, tmp_path: Path) -> None:
    """Is listed with how much; whoever is forgotten takes all of it along, and twice adds nothing."""
    file = tmp_path / "builds.ndjson"
    again = call("--db", told, "import", "reports", str(file), "--witness", "ci")
    assert again.out == "0 new, 6 known, 0 refused\n"
    call("--db", told, "import", "reports", str(file))
    listed = call(
        "--db", told, "import", "--list", "--format", "{{.Name}} {{.ReportCount}} {{.TagCount}} {{.First}}"
    ).out
    assert listed.splitlines() == [
        "builds.ndjson 6 4 2024-05-01T10:00:00Z", "ci 6 4 2024-05-01T10:00:00Z",
    ]  # fmt: skip
    for name in ("ci", "builds.ndjson"):
        assert "6 reports" in call("--db", told, "import", "--forget", name).err
    assert call("--db", told, "import", "--forget", "ci").code == 3
    assert call("--db", told, "resolve", "mongo").code == 3
    with Index.open(told) as index:
        assert index.witnesses() == []


BAD = [
    ("5", "not an object"),
    ("{", "not an object"),
    ('{"digest": "x"}', "'reference' is missing"),
    (json.dumps({**LINES[0], "reference": "NO!"}), "image reference"),
    (json.dumps({**LINES[0], "reference": 5}), "no text"),
    (json.dumps({**LINES[0], "digest": "sha256:zz"}), "is not a digest"),
    (json.dumps({**LINES[0], "reference": f"mongo@{A}"}), "and no tag"),
    (json.dumps({**LINES[0], "digest": 5}), "no text"),
    (json.dumps({"reference": "mongo", "at": "2024-05-01T10:00:00Z"}), "has no digest"),
    (json.dumps({**LINES[0], "at": "yesterday"}), "not a time"),
    (json.dumps({**LINES[0], "at": "2999-01-01T00:00:00Z"}), "in the future"),
    (json.dumps({**LINES[0], "by": "2024-05-01T10:00:00Z"}), "it needs one of"),
    (json.dumps({**LINES[1], "until": "2024-05-01T10:00:00Z"}), "later than"),
    (json.dumps({**LINES[0], "platform": "x"}), "platform"),
    (json.dumps({"reference": "mongo", "digest": None, "by": "2024-05-01T10:00:00Z"}), "says nothing"),
    (json.dumps({**LINES[0], "source": "x" * 70_000}), "longer than"),
    ("[" * 50_000, "not an object"),
]


@pytest.mark.parametrize(("line", "told"), BAD, ids=[told for _, told in BAD])
def test_a_line_that_is_refused(location: Location, call: Call, tmp_path: Path, line: str, told: str) -> None:
    """Nothing of the file is taken, unless bad lines are to be left out; each is named with its number."""
    file = tmp_path / "reports"
    file.write_text(ndjson(LINES[0]) + line + "\n" + ndjson(LINES[1]))
    db = location.target
    refused = call("--db", db, "import", "reports", str(file))
    assert (refused.code, refused.out) == (1, "")
    assert "line 2 is refused" in refused.err
    assert told in refused.err
    assert "none is taken" in refused.err
    assert call("--db", db, "resolve", "mongo").code == 3
    taken = call("--db", db, "import", "reports", str(file), "--skip-bad")
    assert (taken.code, taken.out) == (0, "2 new, 0 known, 1 refused\n")


def test_a_table_of_text(location: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV from stdin: columns in any order, others left alone, quotes, and `-` for a tag that was not there."""
    text = (
        "\ufeffat,What,Reference,digest,source\r\n"
        f'2024-05-01T10:00:00Z,x,mongo:latest,{A},"a, ""b"""\r\n'
        "\r\n"
        "2024-05-03T10:00:00Z,,mongo:latest,-,\r\n"
        f"2024-05-04T10:00:00Z,,mongo:latest,{A},,too,many\r\n"
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    outcome = call("--db", location.target, "import", "reports", "-", "--skip-bad")
    assert outcome.out == "2 new, 0 known, 1 refused\n"
    assert "line 5 is refused: it has 7 cells, the head has 5" in outcome.err
    assert certainty(call, location.target, "mongo", "--at", "2024-05-04") == (None, "unknown")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (("import",), 2, "name what to import"),
        (("import", "--list", "--forget", "x"), 2, "name what to import"),
        (("import", "--list", "reports", "x"), 2, "stand alone"),
        (("import", "reports", "/nosuch"), 2, "no such file"),
        (("import", "reports", "/"), 2, "directory"),
        (("import", "reports", "x", "--witness", ""), 2, "--witness"),
        (("import", "nosuch"), 2, "No such command"),
    ],
)
def test_wrong_usage(db: str, call: Call, line: tuple[str, ...], code: int, told: str) -> None:
    """Is told in one line."""
    outcome = call("--db", db, *line)
    assert outcome.code == code
    assert told in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("content", [b"\x00\xff\xfe", b"\n\n", b"", b"a,b,c\n1,2,3\n", b"x" * 1_000_000])
def test_files_of_something_else(db: str, call: Call, tmp_path: Path, content: bytes) -> None:
    """Nothing is taken; an empty one has nothing in it."""
    file = tmp_path / "file"
    file.write_bytes(content)
    outcome = call("--db", db, "import", "reports", str(file))
    assert (outcome.code, outcome.out) == ((0, "0 new, 0 known, 0 refused\n") if not content.strip() else (1, ""))
