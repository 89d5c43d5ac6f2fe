"""`hubindex diff`: what differs between two moments."""

import json

import pytest

from tests.cli.conftest import Call
from tests.cli.story import whole


def rows(call: Call, db: str, *arguments: str) -> list[dict[str, object]]:
    outcome = call("--db", db, "diff", *arguments, "--format", "json")
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_what_changed_in_a_repository(story: str, call: Call) -> None:
    """Moved, added and removed tags by name, with both digests and how sure that is."""
    found = rows(call, story, "mongo", "2024-02-01T04:00", "2024-03-02T04:00")
    assert [(row["Tag"], row["Change"], row["Old"], row["New"], row["Certainty"]) for row in found] == [
        ("6", "removed", whole(9), None, "inferred"),
        ("7", "moved", whole(1), whole(2), "confirmed"),
        ("7.0", "moved", whole(1), whole(2), "confirmed"),
        ("7.0.6", "added", None, whole(2), "inferred"),
        ("latest", "moved", whole(1), whole(2), "confirmed"),
    ]
    assert found[1]["Since"] == found[1]["PushedAt"] == "2024-03-01T09:12:44.167Z"


def test_the_whole_index(story: str, call: Call) -> None:
    """Without a repository all that changed anywhere; what had not been crawled by then is not known before."""
    found = rows(call, story, "2024-03-03", "2024-03-09")
    assert [(row["Name"], row["Tag"], row["Change"], row["Certainty"]) for row in found] == [
        ("acme/web", "latest", "added", "unknown"),
        ("acme/web", "v1", "added", "unknown"),
        ("mongo", "6", "added", "inferred"),
        ("mongo", "edge", "moved", "inferred"),
        ("mongo", "latest", "moved", "inferred"),
    ]
    assert "nothing is known of it before" in str(found[0]["Note"])


def test_people_read_a_table(story: str, call: Call) -> None:
    """With the repository's name where there is more than one."""
    lines = call("--db", story, "diff", "2024-03-03", "2024-03-09").out.splitlines()
    assert lines[0].split() == ["CHANGE", "TAG", "OLD", "NEW", "SINCE", "CERTAINTY"]
    assert lines[3].split()[:2] == ["added", "mongo:6"]


def test_no_difference_is_an_answer(story: str, call: Call) -> None:
    """Exit 0, and nothing but the header."""
    outcome = call("--db", story, "diff", "mongo", "2024-03-10", "2024-03-20")
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 1)
    assert rows(call, story, "2024-03-10", "2024-03-20") == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["mongo", "2024-03-09", "2024-03-01"], 2, "FROM is later than TO"),
        (["2024-03-09"], 2, "FROM and TO"),
        (["mongo", "2024-03-01", "2024-03-09", "more"], 2, "FROM and TO"),
        (["mongo:7", "2024-03-01", "2024-03-09"], 2, "not a repository"),
        (["mongo", "soon", "2024-03-09"], 2, "soon"),
        (["mongo", "2024-03-01", "2099-01-01"], 2, "2099"),
        (["nosuch", "2024-03-01", "2024-03-09"], 3, "not in the index"),
    ],
)
def test_bad_questions(story: str, call: Call, arguments: list[str], code: int, words: str) -> None:
    """One line says what is wrong."""
    outcome = call("--db", story, "diff", *arguments)
    assert outcome.code == code
    assert words in outcome.complaint
