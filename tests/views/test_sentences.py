# ruff: noqa: E501 - what is printed stands here as it is printed
"""What a person is told beside a digest."""

import pytest

from hubindex.certainty import Certainty
from hubindex.index.questions.changes import Change
from hubindex.index.questions.history import Answer
from hubindex.reference import Reference
from hubindex.views.sentences import day_sentence, named, sentence
from tests.cli.story import ms
from tests.index.building import text as whole

E, X, Y, Z = map(
    ms, ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-04-01T00:00:00.5Z")
)
TAG = Reference.parse("mongo:7")


def answer(
    certainty: Certainty, since_earliest: int | None, until: int | None, latest: int | None, push: int | None
) -> Answer:
    return Answer(TAG, whole(1), None, certainty, X, since_earliest, until, latest, Y, push)


@pytest.mark.parametrize(
    ("given", "at", "said"),
    [
        (
            answer(Certainty.CONFIRMED, E, None, None, X), Y,
            "has pointed to this digest since 2024-02-01T00:00:00Z (pushed then), last seen 2024-03-01T00:00:00Z",
        ),
        (
            answer(Certainty.INFERRED, E, None, None, X), Y + 1,
            "has pointed to this digest since 2024-02-01T00:00:00Z (pushed then), last seen 2024-03-01T00:00:00Z; "
            "nothing is known after that",
        ),
        (
            answer(Certainty.CONFIRMED, None, None, None, None), X,
            "has pointed to this digest since 2024-02-01T00:00:00Z (first seen then), last seen 2024-03-01T00:00:00Z",
        ),
        (
            answer(Certainty.CONFIRMED, E, None, None, E), X,  # pushed, it is said, before something else was last seen
            "has pointed to this digest since 2024-02-01T00:00:00Z (first seen then; the tag changed after "
            "2024-01-01T00:00:00Z), last seen 2024-03-01T00:00:00Z",
        ),
        (
            answer(Certainty.CONFIRMED, None, Y, Z, X), Y,
            "pointed to this digest from 2024-02-01T00:00:00Z (pushed then) until at least 2024-03-01T00:00:00Z, "
            "and until 2024-04-01T00:00:00.500Z at most",
        ),
        (
            answer(Certainty.INFERRED, None, Y, Z, X), Y + 1,
            "pointed to this digest from 2024-02-01T00:00:00Z (pushed then) until at least 2024-03-01T00:00:00Z, "
            "and until 2024-04-01T00:00:00.500Z at most; nothing is known between the two",
        ),
        (
            answer(Certainty.CONFIRMED, None, Y, Y, None), X,
            "pointed to this digest from 2024-02-01T00:00:00Z (first seen then) until 2024-03-01T00:00:00Z",
        ),
        (
            answer(Certainty.CONFIRMED, None, Y, None, X), X,
            "pointed to this digest from 2024-02-01T00:00:00Z (pushed then) until at least 2024-03-01T00:00:00Z, "
            "and no other digest was seen since",
        ),
        (
            answer(Certainty.INFERRED, None, None, None, X)._replace(note="something came between"), X + 1,
            "has pointed to this digest since 2024-02-01T00:00:00Z (pushed then), last seen 2024-03-01T00:00:00Z; "
            "something came between",
        ),
    ],
)  # fmt: skip
def test_bounds_are_told_in_a_sentence(given: Answer, at: int, said: str) -> None:
    """Open or closed, pushed or first seen, inside of what was seen or beyond."""
    assert sentence(given, at) == f"mongo:7 {said}"


def test_a_platform_is_named() -> None:
    """The digest is that of its image."""
    given = answer(Certainty.CONFIRMED, None, None, None, X)._replace(platform="linux/arm64")
    assert named(given) == "mongo:7 for linux/arm64"
    assert sentence(given, X).startswith("mongo:7 for linux/arm64 has pointed to this digest since ")


def change(
    kind: str, old: int | None, new: int | None, since: int, earliest: int | None, pushed: int | None
) -> Change:
    texts = [None if number is None else whole(number) for number in (old, new)]
    return Change(TAG, kind, texts[0], texts[1], since, earliest, pushed, Certainty.CONFIRMED)


DAY = (ms("2024-03-01T00:00:00Z"), ms("2024-03-01T23:59:59.999Z"))
NINE, TEN, NEXT = map(ms, ("2024-03-01T09:12:44.167Z", "2024-03-01T10:00:00Z", "2024-03-02T00:00:00Z"))
ONE, TWO = whole(1)[:19] + "…", whole(2)[:19] + "…"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], ""),
        (
            [change("moved", 1, 2, NINE, X, NINE)],
            f"on 2024-03-01 it moved at 2024-03-01T09:12:44.167Z from {ONE} to {TWO}",
        ),
        (
            [change("moved", 1, 2, TEN, NINE, None), change("removed", 2, None, NEXT, TEN, None)],
            "on 2024-03-01 it moved between 2024-03-01T09:12:44.167Z and 2024-03-01T10:00:00Z "
            f"from {ONE} to {TWO}; it may have been removed between 2024-03-01T10:00:00Z and 2024-03-02T00:00:00Z",
        ),
        (
            [change("moved", 1, None, TEN, X, None)],
            "on 2024-03-01 it may have moved between 2024-02-01T00:00:00Z and 2024-03-01T10:00:00Z "
            f"from {ONE} to an unknown digest",
        ),
        (
            [change("removed", 1, None, TEN, NINE, None), change("added", None, 2, TEN, None, None)],
            "on 2024-03-01 it was removed between 2024-03-01T09:12:44.167Z and 2024-03-01T10:00:00Z; "
            f"it was added at 2024-03-01T10:00:00Z, as {TWO}",
        ),
        (
            [change("added", None, 2, NEXT, NINE, None)],
            "on 2024-03-01 it may have been added between 2024-03-01T09:12:44.167Z and 2024-03-02T00:00:00Z, "
            f"as {TWO}",
        ),
    ],
)  # fmt: skip
def test_what_happened_on_a_day_is_told(changes: list[Change], said: str) -> None:
    """Surely on that day, or perhaps."""
    assert day_sentence(changes, DAY) == said
