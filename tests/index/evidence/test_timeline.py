# ruff: noqa: E501, D102 - tables of moments
"""What a tag was at any moment, compared with the law applied moment by moment."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubindex.index.evidence.judge import Open, Sight, Sweeps, begin, confirmed_until, judge
from hubindex.index.evidence.timeline import (
    GONE,
    PERIOD,
    UNKNOWN,
    Conflict,
    Contradiction,
    Evidence,
    Push,
    Span,
    Sweep,
    period,
    span_at,
    timeline,
)

A, B, C = 1, 2, 3


def answers(spans: list[Span], first: int, last: int) -> str:
    """One character a moment, `first` to `last`: `A` certain, `a` guessed, `.` gone, `?` not known, ` ` nothing."""
    shown = ""
    for at in range(first, last + 1):
        span = span_at(spans, at)
        if span is None:
            shown += " "
        elif span.content in {GONE, UNKNOWN}:
            shown += {GONE: ".", UNKNOWN: "?"}[span.content]
        else:
            shown += " ABC"[span.content] if span.is_confirmed(at) else " abc"[span.content]
    return shown


# Each case that the law names, moment by moment from 0 to 19.

CASES: dict[str, tuple[list[Evidence], list[Sweep], str]] = {
    "nothing before the first sight": ([Evidence(A, None, 5, 8)], [], "     AaaAaaaaaaaaaaa"),
    "one sight": ([Evidence(A, None, 5, 5)], [], "     Aaaaaaaaaaaaaaa"),
    "the first push is believed": ([Evidence(A, 2, 5, 8)], [], "  AAAAAAAaaaaaaaaaaa"),
    "a push at the first sight": ([Evidence(A, 5, 5, 8)], [], "     AAAAaaaaaaaaaaa"),
    "a push in the future moves nothing": ([Evidence(A, 7, 5, 8)], [], "     AAAAaaaaaaaaaaa"),
    "a move": ([Evidence(A, 2, 4, 6), Evidence(B, 9, 11, 13)], [], "  AAAAAaaBBBBBbbbbbb"),
    "a move without push times": ([Evidence(A, None, 4, 6), Evidence(B, None, 11, 13)], [], "    AaAaaaaBbBbbbbbb"),
    "a push at the last sight of what was before": (
        [Evidence(A, 2, 4, 6), Evidence(B, 6, 11, 13)],
        [],
        "  AAAABBBBBBBBbbbbbb",
    ),
    "a push before the last sight of what was before": (
        [Evidence(A, 2, 4, 6), Evidence(B, 5, 11, 13)],
        [],
        "  AAAAAaaaaBBBbbbbbb",
    ),
    "a push after the first sight": ([Evidence(A, 2, 4, 6), Evidence(B, 12, 11, 13)], [], "  AAAAAaaaaBBBbbbbbb"),
    "a move and back": (
        [Evidence(A, 1, 3, 5), Evidence(B, 7, 8, 9), Evidence(A, 11, 13, 15)],
        [],
        " AAAAAaBBBbAAAAAaaaa",
    ),
    "a push of the same again": ([Evidence(A, 1, 3, 5), Evidence(A, 9, 11, 13)], [], " AAAAAaaaAAAAAaaaaaa"),
    "the same again, pushed at its last sight": (
        [Evidence(A, 1, 3, 5), Evidence(A, 5, 11, 13)],
        [],
        " AAAAAAAAAAAAAaaaaaa",
    ),
    "the same again, pushed before its last sight": (
        [Evidence(A, 1, 3, 5), Evidence(A, 4, 11, 13)],
        [],
        " AAAAAAAAAAAAAaaaaaa",
    ),
    "the same again, the registry never said when": (
        [Evidence(A, None, 3, 5), Evidence(A, None, 11, 13)],
        [],
        "   AaAaaaaaAaAaaaaaa",
    ),
    "the same again, pushed in the future": (
        [Evidence(A, None, 3, 5), Evidence(A, 12, 11, 13)],
        [],
        "   AaAaaaaaAAAaaaaaa",
    ),
    "a push that is heard of only at the second sight": (
        [Evidence(A, None, 5, 6), Evidence(A, 2, 11, 13)],
        [],
        "  AAAAAAAAAAAAaaaaaa",
    ),
    "a push time that goes back is of an older answer": (
        [Evidence(A, 4, 5, 6), Evidence(A, 2, 11, 13)],
        [],
        "  AaAAAaaaaaaaaaaaaa",
    ),
    "a stale answer moves nothing": (
        [Evidence(A, 2, 4, 5), Evidence(B, 8, 9, 13), Evidence(A, 2, 11, 11)],
        [(4, 4), (9, 9), (13, 13)],
        "  AAAAaaBBBBBBbbbbbb",
    ),
    "a stale answer is the newest": (
        [Evidence(A, 2, 4, 5), Evidence(B, 8, 9, 10), Evidence(A, 2, 13, 13)],
        [],
        "  AAAAaaBBBbbbbbbbbb",
    ),
    "a stale answer tells of what nobody had seen": (
        [Evidence(B, 8, 9, 13), Evidence(A, 2, 11, 11)],
        [],
        "  AaaaaaBBBBBBbbbbbb",
    ),
    "a stale answer after one that was reported late": (
        [Evidence(A, 2, 4, 13), Evidence(B, 8, 9, 9)],
        [(4, 4), (6, 7), (11, 11), (13, 13)],
        "  AaaaaaBBbbbbbbbbbb",
    ),
    "a move back has a later push": (
        [Evidence(A, 2, 4, 5), Evidence(B, 8, 9, 10), Evidence(A, 12, 13, 13)],
        [],
        "  AAAAaaBBBbAAaaaaaa",
    ),
    "a push time far in the future is no measure": (
        [Evidence(A, 9_000_000, 4, 5), Evidence(B, 8, 9, 10)],
        [],
        "    AAaaBBBbbbbbbbbb",
    ),
    "another digest without a push time between two answers with the same": (
        [Evidence(B, 4, 5, 7), Evidence(A, None, 9, 9), Evidence(B, 4, 12, 13)],
        [],
        "    BBBBbbbbBBbbbbbb",
    ),
    "a digest seen without a push time before its push is told": (
        [Evidence(B, 2, 4, 6), Evidence(A, None, 9, 9), Evidence(B, 2, 10, 10), Evidence(A, 8, 12, 13)],
        [],
        "  BBBBBbAAAAAAaaaaaa",
    ),
    "the same digest without a push time after the last answer with one": (
        [Evidence(B, 4, 5, 7), Evidence(B, None, 11, 11)],
        [],
        "    BBBBbbbBbbbbbbbb",
    ),
    "gone": ([Evidence(A, 2, 4, 6, 9)], [], "  AAAAAaa..........."),
    "gone and back": ([Evidence(A, 2, 4, 6, 9), Evidence(A, 12, 14, 15)], [], "  AAAAAaa...AAAAaaaa"),
    "gone and back without a push": (
        [Evidence(A, 2, 4, 6, 9), Evidence(A, None, 14, 15)],
        [],
        "  AAAAAaa.....AAaaaa",
    ),
    "back by a push from before it was gone": (
        [Evidence(A, 2, 4, 6, 9), Evidence(A, 2, 14, 15)],
        [],
        "  AAAAAaa.....AAaaaa",
    ),
    "back by its old push after a sweep had missed it": (
        [Evidence(A, 2, 4, 6, 9), Evidence(A, 2, 14, 15)],
        [(8, 9)],
        "  AAAAAaaaaaaaaaaaaa",
    ),
    "back by its old push, and pushed again": (
        [Evidence(A, 2, 4, 6, 9), Evidence(A, 2, 11, 12), Evidence(B, 14, 16, 17)],
        [(9, 9)],
        "  AAAAAaaaaaaaBBBBbb",
    ),
    "a sweep that could not read the tag is no sight of its push": (
        [Evidence(UNKNOWN, 2, 3, 3, 6), Evidence(A, 2, 7, 7)],
        [(4, 4), (6, 6)],
        "  AAaaaaaaaaaaaaaaaa",
    ),
    "back at the moment it was found gone": (
        [Evidence(A, 2, 4, 6, 9), Evidence(B, None, 9, 15)],
        [],
        "  AAAAAaaBbbbbbBbbbb",
    ),
    "unreadable": ([Evidence(UNKNOWN, 2, 4, 6)], [], "  ??????????????????"),
    "unreadable after a push": ([Evidence(A, 2, 4, 6), Evidence(UNKNOWN, 9, 11, 13)], [], "  AAAAAaa???????????"),
    "readable after a push": ([Evidence(UNKNOWN, 2, 4, 6), Evidence(A, 9, 11, 13)], [], "  ???????AAAAAaaaaaa"),
    "two contents at one moment, the one stored later counts": (
        [Evidence(A, None, 5, 5), Evidence(B, None, 5, 5)],
        [],
        "     Bbbbbbbbbbbbbbb",
    ),
    "a moment where one ends and the next begins": (
        [Evidence(A, None, 5, 8), Evidence(B, None, 8, 9)],
        [],
        "     AaaBBbbbbbbbbbb",
    ),
    "a late report from before all": ([Evidence(B, None, 3, 3), Evidence(A, 5, 7, 9)], [], "   BbAAAAAaaaaaaaaaa"),
    "a late report that contradicts the push": (
        [Evidence(B, None, 6, 6), Evidence(A, 5, 8, 9)],
        [],
        "      BbAAaaaaaaaaaa",
    ),
    "a late report inside a stretch": (
        [Evidence(B, None, 9, 9), Evidence(A, None, 5, 13)],
        [],
        "     AaaaBbbbAaaaaaa",
    ),
    "a late report inside a stretch that sweeps saw": (
        [Evidence(B, None, 9, 9), Evidence(A, None, 5, 13)],
        [(5, 5), (7, 7), (11, 12), (13, 13)],
        "     AaAaBbbbAaaaaaa",
    ),
    "a late report inside a sweep": (
        [Evidence(B, None, 9, 9), Evidence(A, None, 5, 13)],
        [(5, 5), (7, 10), (13, 14)],
        "     AaaaBbbbAaaaaaa",
    ),
    "two late reports inside a stretch": (
        [Evidence(B, None, 11, 11), Evidence(C, None, 7, 7), Evidence(A, 3, 5, 15)],
        [(9, 9)],
        "   AAAaaaAaaaaaAaaaa",
    ),
    "a late report at the first sight of a stretch": (
        [Evidence(B, None, 5, 5), Evidence(A, None, 5, 13)],
        [],
        "     AaaaaaaaAaaaaaa",
    ),
    "a late report of another push of the same": (
        [Evidence(A, 4, 8, 8), Evidence(A, 3, 5, 13)],
        [],
        "   AAAAAAaaaaaaaaaaa",
    ),
    "a late report of the same inside what is closed": (
        [Evidence(A, None, 5, 13), Evidence(A, None, 8, 8), Evidence(B, 10, 15, 16)],
        [],
        "     AaaAaaaaAaBBbbb",
    ),
    "late reports out of order": (
        [Evidence(C, None, 10, 10), Evidence(A, None, 4, 4), Evidence(B, None, 7, 7), Evidence(A, None, 14, 16)],
        [],
        "    AaaBbbCcccAaAaaa",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_moment(name: str) -> None:
    """At each moment the answer is the last thing known to be there, certain only where nothing can be between."""
    evidence, sweeps, expected = CASES[name]
    assert answers(timeline(evidence, lambda: sweeps), 0, 19) == expected


# The fields of a span.


def test_no_evidence() -> None:
    """Of a tag that nobody saw there is nothing to tell."""
    assert timeline([]) == []
    assert span_at([], 5) is None


def test_the_bounds_of_a_move() -> None:
    """Each side of a move knows the certain moment and the outer limit."""
    assert timeline([Evidence(A, 2, 4, 6), Evidence(B, 9, 11, 13)]) == [
        Span(A, 2, None, 6, 9, 6, [Push(2, 6, 2)]),
        Span(B, 9, 6, None, None, 13, [Push(9, 13, 9)]),
    ]


def test_joined_neighbours_leave_no_room() -> None:
    """Where the push is the last sight of what was before, the two spans meet, and both limits are that moment."""
    assert timeline([Evidence(A, 2, 4, 6), Evidence(B, 6, 11, 13)]) == [
        Span(A, 2, None, 6, 6, 6, [Push(2, 6, 2)]),
        Span(B, 6, 6, None, None, 13, [Push(6, 13, 6)]),
    ]


@pytest.mark.parametrize(("pushed_at", "doubt"), [(5, "early"), (12, "late")])
def test_a_push_time_that_contradicts_our_sights(pushed_at: int, doubt: str) -> None:
    """The registry's word is kept with the doubt, and the bounds are our own sights."""
    assert timeline([Evidence(A, 2, 4, 6), Evidence(B, pushed_at, 11, 13)]) == [
        Span(A, 2, None, 6, 11, 6, [Push(2, 6, 2)]),
        Span(B, 11, 6, None, None, 13, [Push(11, 13, pushed_at, doubt)]),
    ]


def test_a_push_of_the_same_is_one_span() -> None:
    """A push of the same content is no move: one span with two certain stretches."""
    assert timeline([Evidence(A, 1, 3, 5), Evidence(A, 9, 11, 13)]) == [
        Span(A, 1, None, None, None, 13, [Push(1, 5, 1), Push(9, 13, 9)])
    ]


def test_the_bounds_of_an_absence() -> None:
    """A tag vanishes between its last sight and the end of the sweep that missed it, and returns with a new span."""
    assert timeline([Evidence(A, 2, 4, 6, 9), Evidence(A, 12, 14, 15)]) == [
        Span(A, 2, None, 6, 9, 6, [Push(2, 6, 2)]),
        Span(GONE, 9, 6, 9, 12, 9, [Push(9, 9, None)]),
        Span(A, 12, 9, None, None, 15, [Push(12, 15, 12)]),
    ]


def test_the_last_sight_of_a_span_is_that_of_any_of_its_evidence() -> None:
    """A late report inside a stretch that is known already does not shorten it."""
    spans = timeline([Evidence(A, None, 5, 13), Evidence(A, None, 8, 8), Evidence(B, None, 15, 16)])
    assert [(span.content, span.since, span.until, span.until_latest, span.last_seen_at) for span in spans] == [
        (A, 5, 13, 15, 13),
        (B, 15, None, None, 16),
    ]


def test_sweeps_are_asked_for_only_if_needed() -> None:
    """Where everything has a push time and no sight contradicts another, the past sweeps are not needed."""

    def refuse() -> list[Sweep]:
        raise AssertionError

    plain = [Evidence(A, 2, 4, 6), Evidence(B, 12, 14, 15), Evidence(A, None, 17, 17)]
    assert len(timeline(plain, refuse)) == 3
    with pytest.raises(AssertionError):
        timeline([Evidence(A, None, 4, 6)], refuse)


def test_looks_without_a_push_time_are_single_moments() -> None:
    """The first and the last look count, and sweeps in between that were over in one request."""
    (span,) = timeline([Evidence(A, None, 4, 12)], lambda: [(4, 4), (6, 7), (9, 9), (12, 12), (15, 15)])
    assert span.stretches() == [Push(4, 4, None), Push(9, 9, None), Push(12, 12, None)]
    assert span.gaps() == [(4, 9), (9, 12)]


def test_the_bounds_around_a_moment() -> None:
    """They are those of the unbroken certain stretch; the outer limits are set by other contents alone."""
    spans = timeline(
        [Evidence(C, 1, 2, 3), Evidence(B, 10, 12, 20), Evidence(B, 40, 45, 50), Evidence(A, 60, 61, 61)]
    )
    for at, expected in ((15, (10, 3, 20, 60, 20)), (30, (10, 3, 20, 60, 20)), (45, (40, 3, 50, 60, 50))):
        span = span_at(spans, at)
        assert span is not None
        assert span.around(at)[1:6] == expected
    (opened,) = timeline([Evidence(B, 10, 12, 20), Evidence(B, 40, 45, 50)])
    assert opened.around(15)[1:6] == (10, None, 20, None, 20)
    assert opened.around(45)[1:6] == (40, None, None, None, 50)
    assert opened.gaps() == [(20, 40)]


def test_contradictions_are_told_with_the_span_they_meet() -> None:
    """A stale answer, a list that lacked the tag, and another digest without a push time."""
    _, stale = timeline([Evidence(A, 2, 4, 5), Evidence(B, 8, 9, 13), Evidence(A, 2, 11, 11)])
    assert stale.contradictions == (Contradiction(Conflict.STALE, 11),)
    (absent,) = timeline([Evidence(A, 2, 4, 6, 9), Evidence(A, 2, 14, 15)], lambda: [(8, 9)])
    assert absent.contradictions == (Contradiction(Conflict.ABSENT, 9),)
    assert (absent.last_seen_at, absent.gaps()) == (15, [(6, 15)])
    assert absent.around(5)[1:6] == (2, None, 6, None, 6)
    (other,) = timeline([Evidence(B, 4, 5, 7), Evidence(A, None, 9, 9), Evidence(B, 4, 12, 13)])
    assert other.contradictions == (Contradiction(Conflict.OTHER, 9),)
    assert (other.last_seen_at, other.gaps()) == (13, [(7, 12)])


def test_a_view_joins_what_looks_the_same() -> None:
    """Neighbours that differ only in what is not asked for are one span, certain as each of them is."""
    evidence = [Evidence(A, 2, 4, 6), Evidence(B, 9, 11, 13), Evidence(C, 15, 16, 17)]
    assert timeline(evidence, view=lambda content: 9 if content in {A, B} else 8) == [
        Span(9, 2, None, 13, 15, 13, [Push(2, 6, 2), Push(9, 13, 9)]),
        Span(8, 15, 13, None, None, 17, [Push(15, 17, 15)]),
    ]


def test_a_view_does_not_hide_an_absence() -> None:
    """A tag that was gone, or unreadable, is so for every view."""
    evidence = [Evidence(A, 2, 4, 6, 9), Evidence(B, 12, 14, 15), Evidence(UNKNOWN, 17, 18, 19)]
    assert [span.content for span in timeline(evidence, view=lambda _: 9)] == [9, GONE, 9, UNKNOWN]


def test_a_view_changes_no_doubt() -> None:
    """Whether a push time is believed depends on what was seen, not on what is asked for."""
    evidence = [Evidence(A, 2, 4, 6), Evidence(B, 5, 11, 13)]
    (span,) = timeline(evidence, view=lambda _: 9)
    assert span.pushes == [Push(2, 6, 2), Push(11, 13, 5, "early")]


def test_the_evidence_is_left_alone() -> None:
    """Neither the evidence nor its order is changed, and the order of what is told makes no difference."""
    evidence = [
        Evidence(C, None, 10, 10),
        Evidence(A, 3, 4, 5),
        Evidence(B, None, 7, 7),
        Evidence(A, None, 14, 16),
    ]
    before = list(evidence)
    spans = timeline(evidence)
    assert evidence == before
    assert timeline(evidence[::-1]) == spans


def test_periods() -> None:
    """A period is 28 days, counted from the beginning of time."""
    assert [period(0), period(PERIOD - 1), period(PERIOD), period(10 * PERIOD + 5)] == [0, 0, 1, 10]


# Whole histories, seen now and then. `Keeper` keeps of the looks what an index keeps.


@dataclass(frozen=True)
class Look:
    """What was seen of a tag at a moment: a content, UNKNOWN for something unreadable, GONE for no such tag.

    `whole` tells that it was part of a sweep, which was over at once.
    """

    at: int
    content: int
    pushed_at: int | None = None
    whole: bool = True


@dataclass
class Keeper:
    """A tag's evidence as it grows."""

    sweeps: Sweeps = field(default_factory=lambda: Sweeps(None, None, None))
    past: list[Sweep] = field(default_factory=list)
    span: Open | None = None
    closed: list[Evidence] = field(default_factory=list)
    latest: int = 0

    def look(self, look: Look) -> None:
        """One look, and what the sweep that it was part of proves."""
        if look.content != GONE:
            self._see(look)
        if look.whole and look.at >= (self.sweeps.swept_at or 0):
            if look.content == GONE:
                self._end(look.at)
            self.sweeps = self.sweeps._replace(swept_at=look.at)
            if look.at >= self.latest:
                self.past.append((look.at, look.at))
        self.latest = max(look.at, self.latest)

    def spans(self) -> list[Span]:
        """What the evidence comes to."""
        evidence = self.closed
        if self.span is not None and self.span.gone_at is None:
            content, pushed_at, first_seen_at = self.span[:3]
            last = confirmed_until(self.span, self.sweeps)
            evidence = [*evidence, Evidence(_number(content), pushed_at, first_seen_at, last)]
        return timeline(evidence, lambda: sorted(self.past))

    def _see(self, look: Look) -> None:
        content = None if look.content == UNKNOWN else bytes([look.content])
        if self.span is None:
            self.span = begin(Sight(content, look.pushed_at, look.at, None), self.sweeps)
            return
        same = None if content is None else content == self.span.content
        outcome = judge(self.span, Sight(content, look.pushed_at, look.at, same), self.sweeps)
        if outcome.closed is not None:
            _, pushed_at, first, last = outcome.closed
            self.closed.append(Evidence(_number(outcome.closed.content), pushed_at, first, last))
        self.span = outcome.open or self.span
        is_dated = content is not None and self.span[:2] == (content, look.pushed_at)
        if is_dated and not look.whole and self.span.last_seen_at is None:
            latest = max(look.at, self.span.seen_at or 0)  # as `Batch` keeps it for such a walk
            self.span = self.span._replace(seen_at=latest)

    def _end(self, at: int) -> None:
        if self.span is None or self.span.gone_at is not None:
            return
        content, pushed_at, first = self.span[:3]
        last = confirmed_until(self.span, self.sweeps)
        if last < at:
            self.closed.append(Evidence(_number(content), pushed_at, first, last, at))
            self.span = Open(None, None, first, last, at)


def _number(content: bytes | None) -> int:
    return content[0] if content else UNKNOWN


def kept(looks: Iterable[Look]) -> list[Span]:
    """The spans that come of looks, in this order of arrival."""
    keeper = Keeper()
    for look in looks:
        keeper.look(look)
    return keeper.spans()


END = 60


@dataclass
class World:
    """What a tag truly was from some moments on (content and push time), and what was seen of it."""

    truth: list[tuple[int, int, int | None]]
    looks: list[Look]

    def state(self, at: int) -> tuple[int, int, int | None]:
        return [state for state in self.truth if state[0] <= at][-1]

    def stretch(self, at: int) -> tuple[int, float]:
        """From when to when the tag truly had the content that it had at a moment."""
        number = self.truth.index(self.state(at))
        first = last = number
        while first and self.truth[first - 1][1] == self.truth[number][1]:
            first -= 1
        while last + 1 < len(self.truth) and self.truth[last + 1][1] == self.truth[number][1]:
            last += 1
        return self.truth[first][0], self.truth[last + 1][0] if last + 1 < len(self.truth) else math.inf


@st.composite
def worlds(draw: st.DrawFn, *, stale: bool = False, back: bool = False, unreadable: bool = False) -> World:
    """Pushes and deletions, and looks at them: sweeps and single ones, with push times and without.

    With `stale` some answers are those of an earlier moment, where that can be told: they show an older push than
    was seen before, or (`back`) a tag that a sweep had missed since.
    """
    changes = draw(st.lists(st.integers(1, END - 4), unique=True, min_size=1, max_size=9).map(sorted))
    truth: list[tuple[int, int, int | None]] = [(0, GONE, None)]
    for at in changes:
        content = draw(st.sampled_from([A, A, B, C, GONE]))
        truth.append((at, content, None if content == GONE else at))
    world = World(truth, [])
    moments = draw(st.lists(st.integers(1, END), unique=True, min_size=1, max_size=9).map(sorted))
    newest, is_missed = -1, False
    for at in moments:
        whole = draw(st.booleans())
        _, content, pushed_at = world.state(at)
        if stale and draw(st.integers(0, 2)) == 0:
            _, older, push = world.state(draw(st.integers(0, at)))
            if push is not None and (push < newest or (back and push == newest and is_missed)):
                content, pushed_at = older, push
        if content == GONE:
            is_missed = is_missed or whole
            world.looks.append(Look(at, GONE, None, whole))
            continue
        if draw(st.integers(0, 3)) == 0 and content == world.state(at)[1]:
            pushed_at = None
        if pushed_at is not None and pushed_at > newest:
            newest, is_missed = pushed_at, False
        if unreadable and draw(st.integers(0, 4)) == 0:
            content = UNKNOWN
        world.looks.append(Look(at, content, pushed_at, whole))
    return world


def check_truth(world: World, spans: Sequence[Span]) -> None:
    """Whatever is confirmed is true, and what it belongs to began and ended within the bounds that are told."""
    for at in range(END + 5):
        span = span_at(spans, at)
        if span is None or span.content <= UNKNOWN or not span.is_confirmed(at):
            continue
        assert span.content == world.state(at)[1], at
        told, (began, ended) = span.around(at), world.stretch(at)
        assert (0 if told.since_earliest is None else told.since_earliest) <= began <= told.since <= at
        if told.until is not None:
            assert at <= told.until < ended
        assert told.last_seen_at < ended
        assert ended <= (math.inf if told.until_latest is None else told.until_latest)


@settings(max_examples=1500)
@given(worlds(unreadable=True))
def test_what_is_confirmed_is_true(world: World) -> None:
    """Every confirmed answer is what the tag truly was, and the truth lies within the bounds."""
    check_truth(world, kept(world.looks))


@settings(max_examples=1500)
@given(worlds(stale=True, back=True, unreadable=True))
def test_stale_answers_make_nothing_false(world: World) -> None:
    """Nor does an answer of an earlier moment make a false one confirmed, if it can be told that it is old."""
    check_truth(world, kept(world.looks))


@settings(max_examples=1500)
@given(st.data())
def test_the_order_of_arrival_makes_nothing_false(data: st.DataObject) -> None:
    """Looks may be reported in any order, those with old answers and lists without the tag too."""
    world = data.draw(worlds(stale=True))
    check_truth(world, kept(data.draw(st.permutations(world.looks))))


def test_a_list_without_the_tag_that_was_stored_first_is_no_sight_of_it() -> None:
    """The tag was first heard of later, by an older look."""
    spans = kept([Look(24, GONE), Look(8, A), Look(44, A)])
    assert [span_at(spans, at).is_confirmed(at) for at in (8, 24, 44)] == [True, False, True]  # type: ignore[union-attr]


def test_a_late_look_at_the_same_push_makes_no_later_one_stale() -> None:
    """Whatever the order of arrival, what a push time proves is certain to its last sight."""
    for first in ([Look(19, A, 4)], []):
        spans = kept([*first, Look(25, A, 4), Look(40, B, 29), Look(22, A, 4)])
        assert answers(spans, 3, 31) == " AAAAAAAAAAAAAAAAAAAAAAaaaBBB"
        assert [span.contradictions for span in spans] == [(), ()]


@settings(max_examples=1500)
@given(worlds())
def test_no_evidence_is_left_unused(world: World) -> None:
    """From the push that a look tells of until that look the answer is confirmed; without one, at the look."""
    spans = kept(world.looks)
    for look in world.looks:
        if look.content == GONE:
            continue
        since = look.at if look.pushed_at is None else look.pushed_at
        if look.pushed_at is None and not look.whole and look not in (world.looks[0], world.looks[-1]):
            continue  # a look between two others at the same is not kept: that would take a row for each
        for at in range(since, look.at + 1):
            span = span_at(spans, at)
            assert span is not None
            assert (span.content, span.is_confirmed(at)) == (look.content, True), (look, at)


@given(worlds(stale=True, back=True, unreadable=True))
def test_spans_follow_each_other(world: World) -> None:
    """Spans do not overlap, neighbours differ, and each limit is the neighbour's certain moment."""
    spans = kept(world.looks)
    for before, after in pairwise(spans):
        assert before.content != after.content
        assert before.until == before.last_seen_at <= after.since
        if UNKNOWN not in {before.content, after.content}:
            assert before.until_latest == after.since
            assert after.since_earliest == before.stretches()[-1].until
    for span in spans:
        assert span.since == min(push.since for push in span.pushes)
        assert span.last_seen_at == max(push.until for push in span.pushes)


@given(worlds(unreadable=True))
def test_nothing_is_answered_before_the_first_evidence(world: World) -> None:
    """Before the first sight, or the push that it tells of, there is no answer; from then on there is one."""
    spans = kept(world.looks)
    seen = [look for look in world.looks if look.content != GONE]
    if not seen:
        assert spans == []
        return
    assert span_at(spans, seen[0].at) is not None
    told = [look.pushed_at for look in seen if look.pushed_at is not None]
    assert spans[0].since in {seen[0].at, *told}
    assert span_at(spans, spans[0].since - 1) is None


@settings(max_examples=300)
@given(st.data())
def test_certain_stretches_do_not_overlap(data: st.DataObject) -> None:
    """At no moment two contents are certain, except where one ends and the other begins."""
    looks = [
        Look(at, content, pushed_at)
        for at, content, pushed_at in data.draw(
            st.lists(
                st.tuples(st.integers(1, 20), st.sampled_from([A, A, B, C]), st.none() | st.integers(0, 20)),
                min_size=1, max_size=8, unique_by=lambda row: row[0],
            )
        )
    ]  # fmt: skip
    certain = [(span.content, push) for span in kept(looks) for push in span.pushes if push.is_certain]
    for content, push in certain:
        for other, stretch in certain:
            assert content == other or push.until <= stretch.since or stretch.until <= push.since
