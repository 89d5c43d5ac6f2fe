"""`hubindex diff`: the tags that were added, moved and removed between two moments."""

import json
import shlex

import pytest

from tests.cli.conftest import Call
from tests.index.building import text as whole

MONGO = """\
CHANGE    TAG       OLD                   NEW                   SINCE                                         CERTAINTY
removed   6         sha256:000000090000                         2024-02-01T04:00:00Z … 2024-03-02T04:00:00Z   inferred
moved     7         sha256:000000010000   sha256:000000020000   2024-03-01T09:12:44Z                          inferred
moved     7.0       sha256:000000010000   sha256:000000020000   2024-03-01T09:12:44Z                          inferred
added     7.0.6                           sha256:000000020000   2024-03-01T09:12:44Z                          inferred
moved     latest    sha256:000000010000   sha256:000000020000   2024-03-01T09:12:44Z                          inferred
"""  # noqa: E501
EVERYTHING = """\
CHANGE    TAG               OLD                   NEW                   SINCE                                         CERTAINTY
added     acme/web:latest                         sha256:000000030000   2024-03-09T04:00:00Z                          unknown
added     acme/web:v1                             sha256:000000070000   2024-03-05T00:00:00Z                          unknown
added     mongo:6                                 sha256:000000090000   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   inferred
moved     mongo:edge        sha256:0000000b0000   sha256:0000000c0000   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   inferred
moved     mongo:latest      sha256:000000020000   sha256:000000030000   2024-03-02T04:00:00Z … 2024-03-09T04:00:00Z   inferred
"""  # noqa: E501
FIELDS = ["Name", "Tag", "Change", "Old", "New", "Since", "SinceEarliest", "PushedAt", "Certainty", "Note"]


def test_how_the_tags_of_a_repository_differ(story: str, call: Call) -> None:
    """By tag; dates are their ends."""
    assert call("--db", story, "diff", "mongo", "2024-02-28", "2024-03-02") == (0, MONGO, "")


def test_how_the_whole_index_differs(story: str, call: Call) -> None:
    """By repository and tag."""
    assert call("--db", story, "diff", "2024-03-03", "now") == (0, EVERYTHING, "")


def test_what_both_moments_saw_is_confirmed(story: str, call: Call) -> None:
    """A difference is as sure as its two states."""
    line = ("diff", "mongo", "2024-02-01T04:00", "2024-03-02T04:00", "--format", "{{.Tag}} {{.Certainty}}")
    assert call("--db", story, *line).out.splitlines()[-1] == "latest confirmed"


def test_what_came_back_is_no_difference(story: str, call: Call) -> None:
    """`6` was gone in between."""
    out = call("--db", story, "diff", "mongo", "2024-02-01", "now", "--format", "{{.Tag}}").out
    assert out.splitlines() == ["7", "7.0", "7.0.6", "edge", "latest"]


@pytest.mark.parametrize("line", ["mongo 2024-03-10 now", "2024-03-10 now", "acme/web now now", "now now"])
def test_no_difference_is_an_answer(story: str, call: Call, line: str) -> None:
    """A header alone, and no object."""
    outcome = call("--db", story, "diff", *line.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.split() == ["CHANGE", "TAG", "OLD", "NEW", "SINCE", "CERTAINTY"]
    assert call("--db", story, "diff", *line.split(), "--format", "json") == (0, "", "")


@pytest.mark.parametrize("repository", [("mongo",), ()])
def test_json_has_all_fields(story: str, call: Call, repository: tuple[str, ...]) -> None:
    """The same with and without a repository."""
    line = ("diff", *repository, "2024-02-28", "2024-03-02", "--format", "json")
    rows = [json.loads(text) for text in call("--db", story, *line).out.splitlines()]
    assert [list(row) for row in rows] == [FIELDS] * 5
    assert rows[-1] == {
        "Name": "mongo",
        "Tag": "latest",
        "Change": "moved",
        "Old": whole(1),
        "New": whole(2),
        "Since": "2024-03-01T09:12:44.167Z",
        "SinceEarliest": "2024-02-01T04:00:00Z",
        "PushedAt": "2024-03-01T09:12:44.167Z",
        "Certainty": "inferred",
        "Note": None,
    }
    assert (rows[0]["Tag"], rows[0]["New"]) == ("6", None)
    assert (rows[3]["Tag"], rows[3]["Old"]) == ("7.0.6", None)


def test_a_note_says_what_is_not_known(story: str, call: Call) -> None:
    """Of a tag in a repository that nobody had looked at."""
    out = call("--db", story, "diff", "acme/web", "2024-03-03", "now", "--format", "json").out
    assert json.loads(out.splitlines()[0])["Note"] == "nothing is known of it before 2024-03-09T04:00:00Z"


def test_the_table_is_whole_on_demand(story_sqlite: str, call: Call) -> None:
    """`--no-trunc`."""
    out = call("--db", story_sqlite, "diff", "mongo", "2024-02-28", "2024-03-02", "--no-trunc").out
    assert out.splitlines()[-1].split() == [
        "moved", "latest", whole(1), whole(2), "2024-03-01T09:12:44.167Z", "inferred",
    ]  # fmt: skip


def test_templates(story_sqlite: str, call: Call) -> None:
    """The fields as they are, the tag without its repository."""
    line = ("--db", story_sqlite, "diff", "2024-03-03", "now", "--format")
    assert call(*line, "{{.Name}} {{.Tag}} {{.Old}}").out.splitlines()[0] == "acme/web latest "
    assert call(*line, r"table {{.Name}}\t{{.Tag}}").out.splitlines()[0] == "NAME       TAG"


def test_an_unknown_repository_has_no_answer(story: str, call: Call) -> None:
    """And says how to get it."""
    outcome = call("--db", story, "diff", "nosuch", "2024-03-01", "now")
    assert outcome.code == 3
    assert outcome.complaint == "nosuch is not in the index: fetch it with 'hubindex crawl --repo nosuch'"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "FROM and TO are wanted, or REPO, FROM and TO: got 0"),
        ("now", "got 1"),
        ("mongo 2024-03-01 now now", "got 4"),
        ("mongo now 2024-03-01", "FROM is later than TO"),
        ("now 2024-03-01", "FROM is later than TO"),
        ("2024-03-02 2024-03-01", "FROM is later than TO"),
        ("mongo now", "'mongo' is not a time"),
        ("2024-03-01 mongo", "'mongo' is not a time"),
        ("2024-03-01 2025-03-01", "is in the future"),
        ("mongo:7 2024-03-01 now", "it names a tag"),
        ("Mongo 2024-03-01 now", "must be lower case"),
        ("mongo '\x1b[31m' now", "is not a time"),
    ],
)
def test_wrong_usage_is_told_in_one_line(story_sqlite: str, call: Call, line: str, words: str) -> None:
    """Exit code 2."""
    outcome = call("--db", story_sqlite, "diff", *shlex.split(line))
    assert outcome.code == 2
    assert words in outcome.complaint
    assert "\x1b" not in outcome.complaint
