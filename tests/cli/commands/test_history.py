# ruff: noqa: E501 - what is printed stands here as it is printed
"""`hubindex history`: all that a tag was, and all that changed in a repository."""

import json
import shlex
from collections.abc import Sequence

import pytest

from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from tests.cli.conftest import Call
from tests.cli.story import ms
from tests.index.building import add, crawl, image, tag
from tests.index.building import text as whole

FIELDS = [
    "Reference", "Digest", "Platform", "Certainty", "Since", "SinceEarliest", "Until", "UntilLatest", "LastSeen",
    "PushedAt", "Note", "Gaps", "Aliases", "Age",
]  # fmt: skip
CHANGE_FIELDS = [
    "Name", "Tag", "Change", "Old", "New", "Since", "SinceEarliest", "PushedAt", "Certainty", "Note",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "mongo:latest",
            """\
DIGEST                SINCE                                         UNTIL                                         CERTAINTY   GAPS      CALLED          AGE
sha256:000000030000   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   last seen 2024-03-09T04:00:00Z                confirmed                             |
sha256:000000020000   2024-03-01T09:12:44Z                          2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   confirmed             7.0.6, 7.0, 7   7 days
sha256:000000010000   2024-01-15T10:00:00Z                          2024-02-01T04:00:00Z … 2024-03-01T09:12:44Z   confirmed             7.0.5, 7.0, 7   6 weeks
""",
        ),
        (
            "mongo:6",
            """\
DIGEST                SINCE                                         UNTIL                                         CERTAINTY   GAPS      CALLED    AGE
sha256:000000090000   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   last seen 2024-03-09T04:00:00Z                confirmed                       |
(gone)                2024-02-01T04:00:00Z … 2024-03-02T04:00:00Z   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   unknown                         7 days
sha256:000000090000   2023-12-01T00:00:00Z                          2024-02-01T04:00:00Z … 2024-03-02T04:00:00Z   confirmed                       3 months
""",
        ),
        (
            "mongo:nope",
            """\
DIGEST      SINCE                  UNTIL                            CERTAINTY   GAPS      CALLED    AGE
(unknown)   2024-02-01T04:00:00Z   last seen 2024-03-09T04:00:00Z   unknown                         |
""",
        ),
        (
            "mongo:latest --platform arm64",
            """\
DIGEST                SINCE                                         UNTIL                            CERTAINTY   GAPS      CALLED    AGE
(unknown)             2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   last seen 2024-03-09T04:00:00Z   unknown                         |
sha256:000000640000   2024-01-15T10:00:00Z                          2024-03-02T04:00:00Z …           inferred    1                   |
""",
        ),
        (
            "mongo:7 --platform s390x",
            """\
DIGEST       SINCE                  UNTIL                            CERTAINTY   GAPS      CALLED    AGE
(no image)   2024-01-15T10:00:00Z   last seen 2024-03-09T04:00:00Z   unknown                         |
""",
        ),
    ],
)  # fmt: skip
def test_the_spans_of_a_tag(story: str, call: Call, line: str, expected: str) -> None:
    """Newest first, with two times where one is not known, and what it was called."""
    outcome = call("--db", story, "history", *line.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == expected.replace("|", "")


def test_the_table_is_whole_on_demand(story_sqlite: str, call: Call) -> None:
    """`--no-trunc`: whole digests and milliseconds."""
    out = call("--db", story_sqlite, "history", "mongo:7", "--no-trunc").out
    header, second, first = out.splitlines()
    assert header.split() == ["DIGEST", "SINCE", "UNTIL", "CERTAINTY", "GAPS", "CALLED", "AGE"]
    assert second.startswith(f"{whole(2)}   2024-03-01T09:12:44.167Z   last seen 2024-03-09T04:00:00Z   ")
    assert first == (
        f"{whole(1)}   2024-01-15T10:00:00Z       2024-02-01T04:00:00Z … 2024-03-01T09:12:44.167Z   confirmed             "
        "7.0.5, 7.0, latest   6 weeks"
    )


def test_json_has_all_fields(story: str, call: Call) -> None:
    """Those of `resolve`, the other names, and the age in seconds."""
    lines = call("--db", story, "history", "mongo:latest", "--format", "json").out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [list(row) for row in rows] == [FIELDS] * 3
    assert rows[0] == {
        "Reference": "mongo:latest",
        "Digest": whole(3),
        "Platform": None,
        "Certainty": "confirmed",
        "Since": "2024-03-09T04:00:00Z",
        "SinceEarliest": "2024-03-02T04:00:00Z",
        "Until": None,
        "UntilLatest": None,
        "LastSeen": "2024-03-09T04:00:00Z",
        "PushedAt": None,
        "Note": None,
        "Gaps": [],
        "Aliases": [],
        "Age": None,
    }
    assert rows[1]["Aliases"] == ["7.0.6", "7.0", "7"]
    assert rows[1]["Age"] == (ms("2024-03-09T04:00:00Z") - ms("2024-03-01T09:12:44.167Z")) // 1000
    assert (rows[2]["Until"], rows[2]["UntilLatest"]) == ("2024-02-01T04:00:00Z", "2024-03-01T09:12:44.167Z")


def test_a_stretch_without_a_digest_says_why(story: str, call: Call) -> None:
    """In its note."""
    lines = call("--db", story, "history", "mongo:6", "--format", "json").out.splitlines()
    gone = json.loads(lines[1])
    assert (gone["Digest"], gone["Certainty"]) == (None, "unknown")
    assert gone["Note"].startswith("mongo:6 was gone: it vanished between ")


def test_gaps_are_the_stretches_that_nobody_can_vouch_for(story: str, call: Call) -> None:
    """Between two looks without push times, and between two pushes of the same image."""
    first = json.loads(call("--db", story, "history", "mongo:edge", "--format", "json").out.splitlines()[1])
    assert first["Certainty"] == "inferred"
    assert first["Gaps"] == [["2024-02-01T04:00:00Z", "2024-03-02T04:00:00Z"]]
    line = ("history", "mongo:latest", "--platform", "arm64", "--format", "json")
    first = json.loads(call("--db", story, *line).out.splitlines()[1])
    assert first["Gaps"] == [["2024-02-01T04:00:00Z", "2024-03-01T09:12:44.167Z"]]
    assert call("--db", story, "history", "mongo:edge", "--format", "{{.Gaps}}").code == 0


def test_a_tag_that_is_gone_was_not_seen_since(location: Location, call: Call) -> None:
    """Its row is open, and has no last sight."""
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, ms("2024-03-01T00:00:00Z"), tag("v1", 1), tag("v2", 2))
    crawl(ingest, app, ms("2024-03-02T00:00:00Z"), tag("v2", 2))
    ingest.close()
    row = call("--db", location.target, "history", "acme/app:v1").out.splitlines()[1]
    assert row.split() == ["(gone)", "2024-03-01T00:00:00Z", "…", "2024-03-02T00:00:00Z", "unknown"]


def test_many_names_are_counted(location: Location, call: Call) -> None:
    """Three and a number; all of them on demand."""
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    names = ("latest", "1", "1.2", "1.2.3", "1.2.3-alpine")
    crawl(ingest, app, ms("2024-03-01T00:00:00Z"), *(tag(name, 1) for name in names))
    ingest.close()
    row = call("--db", location.target, "history", "acme/app:latest").out.splitlines()[1]
    assert "1.2.3, 1.2.3-alpine, 1.2, +1" in row
    row = call("--db", location.target, "history", "acme/app:latest", "--no-trunc").out.splitlines()[1]
    assert "1.2.3, 1.2.3-alpine, 1.2, 1   " in row


# The stretch of time that is asked about


def digests(call: Call, db: str, *arguments: str) -> list[str]:
    outcome = call("--db", db, "history", *arguments, "--format", "{{.Digest}}")
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--since 2024-03-09T04:00", [3]),
        ("--since 2024-03-09T03:59", [3, 2]),  # it may have been there until the look that saw the next
        ("--since 2024-03-09", [3, 2]),
        ("--since 2024-03-10", [3]),
        ("--since 2024-03-01T09:12:44.167Z", [3, 2]),
        ("--since 2024-03-01T09:12:44.166Z", [3, 2, 1]),
        ("--since 2024-03-01", [3, 2, 1]),
        ("--until 2024-02-29", [1]),
        ("--until 2024-03-01", [2, 1]),
        ("--until 2024-03-01T09:12:44.167Z", [2, 1]),
        ("--until 2024-03-01T09:12", [1]),
        ("--until 2024-03-02T03:59", [2, 1]),
        ("--until 2024-03-02T04:00", [3, 2, 1]),
        ("--since 2024-02-05 --until 2024-02-06", [1]),
        ("--since 2024-03-03 --until 2024-03-03", [3, 2]),
        ("--since now --until now", [3]),
        ("--since 30d --until 25d", [3, 2]),
        ("--on 2024-03-01", [2, 1]),
        ("--on 2024-02-29", [1]),
        ("--on today", [3]),
        ("--on yesterday", [3]),
    ],
)
def test_spans_are_chosen_by_time(story: str, call: Call, line: str, expected: Sequence[int]) -> None:
    """All that it was, or may have been, in that time; a date means the whole day."""
    assert digests(call, story, "mongo:latest", *line.split()) == [whole(number) for number in expected]


@pytest.mark.parametrize("line", ["--on 2024-01-14", "--until 2024-01-15T09:59", "--until 2020-01-01"])
def test_before_the_first_evidence_there_is_no_answer(story: str, call: Call, line: str) -> None:
    """And the first evidence is named."""
    outcome = call("--db", story, "history", "mongo:latest", *line.split())
    assert outcome.code == 3
    assert outcome.complaint == (
        "the first evidence about mongo:latest is of 2024-01-15T10:00:00Z, later than that"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--since 2024-03-03", ["6 added", "edge moved", "latest moved"]),
        ("--since 2024-03-10", []),
        ("--until 2024-03-01T09:12", ["6 removed"]),
        ("--until 2024-02-01", ["6 removed"]),
        ("--until 2024-01-31", []),
        ("--on 2024-03-01", ["6 removed", "7 moved", "7.0 moved", "7.0.6 added", "latest moved"]),
        ("--on 2024-02-29", ["6 removed"]),
        ("--on yesterday", []),
    ],
)
def test_changes_are_chosen_by_time(story: str, call: Call, line: str, expected: Sequence[str]) -> None:
    """What happened, or may have happened, in that time; nothing is an answer."""
    outcome = call("--db", story, "history", "mongo", *line.split(), "--format", "{{.Tag}} {{.Change}}")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == expected


# The whole repository


def test_the_changes_of_a_repository(story: str, call: Call) -> None:
    """Newest first, by tag; two times where one is not known."""
    outcome = call("--db", story, "history", "mongo")
    assert (outcome.code, outcome.err) == (0, "")
    assert (
        outcome.out
        == """\
WHEN                                          TAG       CHANGE    OLD                   NEW
2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   6         added                           sha256:000000090000
2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   edge      moved     sha256:0000000b0000   sha256:0000000c0000
2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   latest    moved     sha256:000000020000   sha256:000000030000
2024-02-01T04:00:00Z … 2024-03-02T04:00:00Z   6         removed   sha256:000000090000   |
2024-03-01T09:12:44Z                          7         moved     sha256:000000010000   sha256:000000020000
2024-03-01T09:12:44Z                          7.0       moved     sha256:000000010000   sha256:000000020000
2024-03-01T09:12:44Z                          7.0.6     added                           sha256:000000020000
2024-03-01T09:12:44Z                          latest    moved     sha256:000000010000   sha256:000000020000
""".replace("|", "")
    )


def test_a_change_has_fields(story: str, call: Call) -> None:
    """Whole digests, and both bounds."""
    line = ("history", "mongo", "--since", "2024-03-01", "--until", "2024-03-01", "--format", "json")
    rows = [json.loads(text) for text in call("--db", story, *line).out.splitlines()]
    assert [list(row) for row in rows] == [CHANGE_FIELDS] * 5
    assert rows[-1] == {
        "Name": "mongo",
        "Tag": "latest",
        "Change": "moved",
        "Old": whole(1),
        "New": whole(2),
        "Since": "2024-03-01T09:12:44.167Z",
        "SinceEarliest": "2024-02-01T04:00:00Z",
        "PushedAt": "2024-03-01T09:12:44.167Z",
        "Certainty": "confirmed",
        "Note": None,
    }
    assert (rows[0]["Change"], rows[0]["New"], rows[0]["PushedAt"]) == ("removed", None, None)


def test_whole_digests_and_times_on_demand(story_sqlite: str, call: Call) -> None:
    """`--no-trunc`."""
    out = call("--db", story_sqlite, "history", "mongo", "--no-trunc", "--on", "2024-03-01").out
    assert f"2024-03-01T09:12:44.167Z                      latest    moved     {whole(1)}   {whole(2)}\n" in out


def test_a_repository_without_changes_is_a_header(story: str, call: Call) -> None:
    """One look sees no change."""
    assert call("-q", "--db", story, "history", "acme/web") == (
        0, "WHEN      TAG       CHANGE    OLD       NEW\n", "",
    )  # fmt: skip
    assert call("--db", story, "history", "acme/web", "--format", "json") == (0, "", "")


def test_templates(story_sqlite: str, call: Call) -> None:
    """Of spans and of changes."""
    line = ("--db", story_sqlite, "history")
    spans = call(
        *line, "mongo:latest", "--format", r'table {{.Since}}\t{{join .Aliases "+"}}', "--on", "2024-03-01"
    )
    assert spans.out == (
        "SINCE                      ALIASES\n"
        "2024-03-01T09:12:44.167Z   7.0.6+7.0+7\n"
        "2024-01-15T10:00:00Z       7.0.5+7.0+7\n"
    )
    changes = call(*line, "mongo", "--format", r"table {{.Name}}\t{{.Since}}", "--since", "2024-03-09")
    assert changes.out.splitlines()[0] == "NAME      SINCE"


# No answer, and wrong usage


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nosuch", "nosuch is not in the index: fetch it with 'hubindex crawl --repo nosuch'"),
        ("nosuch:v1", "nosuch is not in the index: fetch it with 'hubindex crawl --repo nosuch'"),
        ("mongo:nosuch", "mongo:nosuch is not in the index: no look at the tags of mongo has found it"),
        (
            "acme/unseen:v1",
            "the tags of acme/unseen are not in the index: fetch them with 'hubindex crawl --repo acme/unseen'",
        ),
    ],
)
def test_what_is_not_in_the_index_has_no_history(story: str, call: Call, name: str, complaint: str) -> None:
    """And says how to get it."""
    outcome = call("--db", story, "history", name)
    assert (outcome.code, outcome.complaint) == (3, complaint)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mongo --platform amd64", "--platform needs a tag, as in mongo:latest"),
        ("mongo:7 --platform amd64/", "is not a platform"),
        (f"mongo@{whole(1)}", f"'hubindex whatis {whole(1)}'"),
        ("mongo --on 2024-03-01 --since 2024-03-01", "--on names a whole day"),
        ("mongo --on 2024-03-01 --until now", "--on names a whole day"),
        ("mongo --on 7d", "--on wants a whole day: write 2024-03-01, yesterday or today"),
        ("mongo --on now", "--on wants a whole day"),
        ("mongo --on 2024-03-01T00:00", "--on wants a whole day"),
        ("mongo --on ''", "'' is not a time"),
        ("mongo --on 2024-05-01", "is in the future"),
        ("mongo --since 2024-03-02 --until 2024-03-01", "--since is later than --until"),
        ("mongo --since tomorrow", "'tomorrow' is not a time"),
        ("mongo --until 2024-05-01", "is in the future"),
        ("Mongo:7", "must be lower case"),
        ("mongo 7", "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_told_in_one_line(story_sqlite: str, call: Call, line: str, words: str) -> None:
    """Exit code 2."""
    outcome = call("--db", story_sqlite, "history", *shlex.split(line))
    assert outcome.code == 2
    assert words in outcome.complaint


def test_hostile_text_is_neutralised(location: Location, call: Call) -> None:
    """What a registry wrote is data, in a note too."""
    ingest = Ingest(location)
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, ms("2024-03-01T00:00:00Z"), tag("v1", 1, None, image("linux/\x1b[31m\u202e", 2)))
    ingest.close()
    for template in ("table", "json", "{{.Note}}", r"table {{.Note}}\t{{.Digest}}"):
        line = ("history", "acme/app:v1", "--platform", "amd64", "--format", template)
        outcome = call("--db", location.target, *line)
        assert outcome.code == 0
        assert not any(character in outcome.out for character in "\x1b\u202e")


def test_what_is_known_is_told_where_there_is_nothing_to_list(story: str, call: Call) -> None:
    """A table of a header alone needs a word; scripts do not."""
    look = "its tags were looked at last 3 weeks ago, at 2024-03-09T04:00:00Z"
    told = {
        ("history", "acme/web"): f"acme/web: no tag is known to have moved; {look}",
        ("history", "mongo", "--since", "2024-03-20"): (
            f"mongo: no tag is known to have moved in that time, 8 changes are known in all; {look}"
        ),
        ("tags", "mongo", "--match", "9.*"): f"mongo: none of its 8 tags matches '9.*'; {look}",
    }
    for line, words in told.items():
        outcome = call("--db", story, *line)
        assert (outcome.code, outcome.out.count("\n")) == (0, 1), line
        assert outcome.err == f"hubindex: {words}\n", line
        assert call("--db", story, *line, "--format", "json") == (0, "", ""), line
    unseen = call("--db", story, "history", "acme/unseen")
    assert "its tags are not in the index: fetch them with 'hubindex crawl --repo acme/unseen'" in unseen.err
