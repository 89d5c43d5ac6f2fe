# ruff: noqa: E501, D102 - tables of moments
"""What a tag was at any moment, compared with the law applied moment by moment."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubindex.index.evidence import Kind, Open, Sight, Sweeps, begin, confirmed_until, judge
from hubindex.index.timeline import (
    GONE,
    PERIOD,
    UNKNOWN,
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
    "nothing before the first sight": ([Evidence(A, None, 5, 8)], [], "     AAAAaaaaaaaaaaa"),
    "one sight": ([Evidence(A, None, 5, 5)], [], "     Aaaaaaaaaaaaaaa"),
    "the first push is believed": ([Evidence(A, 2, 5, 8)], [], "  AAAAAAAaaaaaaaaaaa"),
    "a push at the first sight": ([Evidence(A, 5, 5, 8)], [], "     AAAAaaaaaaaaaaa"),
    "a push in the future moves nothing": ([Evidence(A, 7, 5, 8)], [], "     AAAAaaaaaaaaaaa"),
    "a move": ([Evidence(A, 2, 4, 6), Evidence(B, 9, 11, 13)], [], "  AAAAAaaBBBBBbbbbbb"),
    "a move without push times": ([Evidence(A, None, 4, 6), Evidence(B, None, 11, 13)], [], "    AAAaaaaBBBbbbbbb"),
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
        "   AAAaaaaaAAAaaaaaa",
    ),
    "the same again, pushed in the future": (
        [Evidence(A, None, 3, 5), Evidence(A, 12, 11, 13)],
        [],
        "   AAAaaaaaAAAaaaaaa",
    ),
    "a push that is heard of only at the second sight": (
        [Evidence(A, None, 5, 6), Evidence(A, 2, 11, 13)],
        [],
        "  AAAAAAAAAAAAaaaaaa",
    ),
    "a push time that goes back": ([Evidence(A, 4, 5, 6), Evidence(A, 2, 11, 13)], [], "    AAAAAAAAAAaaaaaa"),
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
    "back at the moment it was found gone": (
        [Evidence(A, 2, 4, 6, 9), Evidence(B, None, 9, 15)],
        [],
        "  AAAAAaaBBBBBBBbbbb",
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
        "     AAABBbbbbbbbbbb",
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
        [(5, 5), (7, 8), (11, 12), (13, 14)],
        "     AAAaBbAAAaaaaaa",
    ),
    "a late report inside a sweep": (
        [Evidence(B, None, 9, 9), Evidence(A, None, 5, 13)],
        [(5, 5), (7, 10), (13, 14)],
        "     AaaaBbbbAaaaaaa",
    ),
    "two late reports inside a stretch": (
        [Evidence(B, None, 11, 11), Evidence(C, None, 7, 7), Evidence(A, 3, 5, 15)],
        [(9, 9)],
        "   AAAaCcAaBbbbAaaaa",
    ),
    "a late report at the first sight of a stretch": (
        [Evidence(B, None, 5, 5), Evidence(A, None, 5, 13)],
        [],
        "     AAAAAAAAAaaaaaa",
    ),
    "a late report of another push of the same": (
        [Evidence(A, 4, 8, 8), Evidence(A, 3, 5, 13)],
        [],
        "   AAAAAAAAAAAaaaaaa",
    ),
    "a late report of the same inside what is closed": (
        [Evidence(A, None, 5, 13), Evidence(A, None, 8, 8), Evidence(B, 10, 15, 16)],
        [],
        "     AAAAAAAAAaBBbbb",
    ),
    "late reports out of order": (
        [Evidence(C, None, 10, 10), Evidence(A, None, 4, 4), Evidence(B, None, 7, 7), Evidence(A, None, 14, 16)],
        [],
        "    AaaBbbCcccAAAaaa",
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
    """Where the push is the last sight of what was before, the two spans meet and there is no outer limit."""
    assert timeline([Evidence(A, 2, 4, 6), Evidence(B, 6, 11, 13)]) == [
        Span(A, 2, None, 6, None, 6, [Push(2, 6, 2)]),
        Span(B, 6, None, None, None, 13, [Push(6, 13, 6)]),
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


def test_sweeps_are_asked_for_contradictions_only() -> None:
    """Where no sight contradicts another, the past sweeps are not needed."""

    def refuse() -> list[Sweep]:
        raise AssertionError

    plain = [Evidence(A, 2, 4, 6, 9), Evidence(B, 12, 14, 15), Evidence(A, None, 17, 19)]
    assert len(timeline(plain, refuse)) == 4
    with pytest.raises(AssertionError):
        timeline([Evidence(B, None, 5, 5), Evidence(A, None, 4, 6)], refuse)


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


# Whole histories. `Replay` is told what walks see, and keeps what an index keeps.


@dataclass(frozen=True)
class Look:
    """One walk and what it saw of a tag: a content, UNKNOWN for something unreadable, GONE for no such tag.

    It began at `started_at`, saw the tag at `at` and ended at `finished_at`. `walk` is `whole`, `broken` or
    `newest`: broken off, having seen all tags pushed after `since`.
    """

    at: int
    content: int
    pushed_at: int | None = None
    walk: str = "whole"
    started_at: int = -1
    finished_at: int = -1
    since: int = 0

    @property
    def began(self) -> int:
        return self.at if self.started_at < 0 else self.started_at

    @property
    def ended(self) -> int:
        return self.at if self.finished_at < 0 else self.finished_at


@dataclass
class Replay:
    """A tag's evidence as it grows."""

    sweeps: Sweeps = field(default_factory=lambda: Sweeps(None, None, None))
    past: list[Sweep] = field(default_factory=list)
    span: Open | None = None
    closed: list[Evidence] = field(default_factory=list)

    def look(self, look: Look) -> None:
        """One walk: what it sees of the tag, then what its end proves."""
        if look.content != GONE:
            self._see(look)
        if look.walk == "whole":
            self._sweep(look)
        elif look.walk == "newest" and look.began >= (self.sweeps.partial_at or 0):
            self.sweeps = self.sweeps._replace(partial_at=look.began, partial_since=self._floor(look))

    def evidence(self) -> list[Evidence]:
        """All that is kept, the open span last."""
        if self.span is None or self.span.gone_at is not None:
            return self.closed
        content, pushed_at, first_seen_at, _, _ = self.span
        last = confirmed_until(self.span, self.sweeps)
        return [*self.closed, Evidence(_number(content), pushed_at, first_seen_at, last)]

    def spans(self, view: Callable[[int], int] | None = None) -> list[Span]:
        """What the evidence comes to."""
        return timeline(self.evidence(), lambda: sorted(self.past), view)

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
        assert (outcome.kind is Kind.LATE) <= (outcome.open is None)
        self.span = outcome.open or self.span

    def _sweep(self, look: Look) -> None:
        if look.began >= (self.sweeps.swept_at or 0):
            if look.content == GONE and self.span is not None and self.span.gone_at is None:
                last = confirmed_until(self.span, self.sweeps)
                if last < look.began:
                    content, pushed_at, first, _, _ = self.span
                    self.closed.append(Evidence(_number(content), pushed_at, first, last, look.ended))
                    self.span = Open(None, None, first, last, look.ended)
            self.sweeps = self.sweeps._replace(swept_at=look.began)
        self.past.append((look.began, look.ended))

    def _floor(self, look: Look) -> int:
        """A tag that the walk should have seen and did not lifts the floor."""
        unseen = self.span is not None and self.span.gone_at is None and look.content == GONE
        pushed_at = self.span.pushed_at if unseen and self.span is not None else None
        return max(look.since, pushed_at or 0)


def _number(content: bytes | None) -> int:
    return content[0] if content else UNKNOWN


def replayed(looks: list[Look]) -> Replay:
    replay = Replay()
    for look in looks:
        replay.look(look)
    return replay


# The law, moment by moment. It knows sights and the registry's words, and no spans.


@dataclass(frozen=True)
class Seen:
    """A content at a moment, with the registry's word; `linked`: nothing unreadable came since the sight before."""

    at: int
    content: int
    pushed_at: int | None
    linked: bool = True


def sights(looks: list[Look]) -> list[Seen]:
    """What the looks come to, in the order of time: each row without a digest is what its push time says."""
    found: list[Seen] = []
    linked = True
    for look in looks:
        last = found[-1].content if found else GONE
        word = _word(found)
        if look.content == GONE:
            if last != GONE:
                found.append(Seen(look.ended, GONE, None))
            continue
        if look.content != UNKNOWN:
            if last == UNKNOWN and word is not None and word == look.pushed_at:
                found = _learned(found, look.content)
            found.append(Seen(look.at, look.content, look.pushed_at, linked))
        elif last == GONE or (word is not None and look.pushed_at is not None and look.pushed_at > word):
            found.append(Seen(look.at, UNKNOWN, look.pushed_at))
        elif last == UNKNOWN:
            found.append(Seen(look.at, UNKNOWN, None))
        elif linked and word is not None and look.pushed_at == word:
            found.append(Seen(look.at, last, word))
        else:
            linked = False
            continue
        linked = True
    return found


def _word(found: list[Seen]) -> int | None:
    """What the registry said last about the push of what was seen last, as long as nothing came between."""
    for number in range(len(found) - 1, -1, -1):
        sight = found[number]
        if sight.content != found[-1].content:
            return None
        if sight.pushed_at is not None or not _goes_on(found[:number], sight):
            return sight.pushed_at
    return None


def _goes_on(before: list[Seen], sight: Seen) -> bool:
    """Whether a sight is that of the sight before it, by its own word or for want of one."""
    if not before or before[-1].content != sight.content:
        return False
    word = sight.pushed_at
    if sight.linked and (word is None or word == _word(before)):
        return True
    return word is not None and word <= before[-1].at


def _learned(found: list[Seen], content: int) -> list[Seen]:
    """The last run of unreadable sights, back to the push that began it, was this content."""
    number = len(found)
    while found[number - 1].pushed_at is None:
        number -= 1
    return found[: number - 1] + [replace(sight, content=content) for sight in found[number - 1 :]]


def certain_from(before: list[Seen], sight: Seen) -> int:
    """How far back from a sight its content is certain, by what it says itself.

    A word is believed back to the push unless a sight since then says otherwise; a sight of the same content is
    where that belief ends, and so it goes on from there.
    """
    since = sight.at
    if _goes_on(before, sight):
        since = before[-1].at
    word = sight.pushed_at
    if word is None or word > sight.at:
        return since
    for earlier in reversed(before):
        if earlier.at <= word:
            break
        if earlier.content != sight.content:
            return since
        since = min(since, earlier.at)
        if earlier.pushed_at not in {None, word}:
            return since
    return min(since, word)


def law(looks: list[Look], last: int) -> str:
    """The answers from 0 to `last`, as `answers` writes them."""
    found = sights(looks)
    certain: list[int | None] = [None] * (last + 1)
    for number, sight in enumerate(found):
        for at in range(certain_from(found[:number], sight), sight.at + 1):
            certain[at] = sight.content  # what was seen later counts where two share a moment
    shown, known = "", None
    for content in certain:
        known = known if content is None else content
        if known is None:
            shown += " "
        elif known in {GONE, UNKNOWN}:
            shown += {GONE: ".", UNKNOWN: "?"}[known]
        else:
            shown += " abc"[known] if content is None else " ABC"[known]
    return shown


END = 45
contents = st.sampled_from([A, A, B, C, UNKNOWN, GONE])


@st.composite
def looks_in_order(draw: st.DrawFn) -> list[Look]:
    """Sweeps, one after the other, that see anything, with any push time."""
    found: list[Look] = []
    at = 5
    for _ in range(draw(st.integers(1, 9))):
        content = draw(contents)
        at += draw(st.integers(1 if content == GONE or (found and found[-1].content == GONE) else 0, 4))
        if content == GONE:
            finished_at = at + draw(st.integers(0, 2))
            found.append(Look(at, GONE, finished_at=finished_at))
            at = finished_at
        else:
            pushed_at = draw(st.none() | st.integers(max(at - 8, 0), at) | st.integers(0, END))
            found.append(Look(at, content, pushed_at))
    return found


@settings(max_examples=1000)
@given(looks_in_order())
def test_every_moment_of_any_history(looks: list[Look]) -> None:
    """Content and certainty at each moment are those that the law gives from the bare sights."""
    assert answers(replayed(looks).spans(), 0, END) == law(looks, END)


# True histories, seen now and then. What is confirmed is true, and what is not known lies within the limits.


@dataclass(frozen=True)
class State:
    """What a tag truly pointed to from a moment on, and when that was pushed."""

    since: int
    content: int
    pushed_at: int | None


@dataclass
class World:
    """The truth about a tag, and what walks saw of it."""

    truth: list[State]
    looks: list[Look]

    def state(self, at: int) -> State:
        return [state for state in self.truth if state.since <= at][-1]

    def stretch(self, at: int) -> tuple[int, int | None]:
        """From when to when the tag truly had the content that it had at a moment, whatever was pushed again."""
        number = self.truth.index(self.state(at))
        content = self.truth[number].content
        first = last = number
        while first and self.truth[first - 1].content == content:
            first -= 1
        while last + 1 < len(self.truth) and self.truth[last + 1].content == content:
            last += 1
        return self.truth[first].since, self.truth[last + 1].since if last + 1 < len(self.truth) else None


@st.composite
def worlds(draw: st.DrawFn, *, unreadable: bool) -> World:
    """Pushes and deletions, and walks that see them; a push time is left out only where no round trip is hidden."""
    changes = draw(st.lists(st.integers(1, 38), unique=True, min_size=1, max_size=8).map(sorted))
    truth = [State(0, GONE, None)]
    for at in changes:
        content = draw(st.sampled_from([A, A, B, C, GONE]))
        truth.append(State(at, content, None if content == GONE else at))
    world = World(truth, [])
    at, last = 0, None
    for _ in range(draw(st.integers(1, 8))):
        began = at + draw(st.integers(1, 5))
        at = began + draw(st.integers(0, 2))
        ended = at + draw(st.integers(0, 2))
        state, walk = world.state(at), draw(st.sampled_from(["whole", "whole", "broken", "newest"]))
        if state.content == GONE and world.state(ended) is not state:
            ended = at  # an absence counts from the end of the sweep, so nothing may come before that
        look = Look(at, state.content, state.pushed_at, walk, began, ended)
        if state.content == GONE:
            since = max((s.since for s in truth if s.since <= at and s.pushed_at is not None), default=0)
            look = replace(look, since=draw(st.integers(0, since)))
        else:
            assert state.pushed_at is not None
            look = replace(look, since=draw(st.integers(0, state.pushed_at - 1)))
            is_unreadable = unreadable and draw(st.integers(0, 4)) == 0
            same = last is not None and world.state(last).content == state.content
            round_trip = last is not None and same and world.stretch(last) != world.stretch(at)
            if look.walk != "newest" and not round_trip and draw(st.integers(0, 2)) == 0:
                look = replace(look, pushed_at=None)
            if is_unreadable:
                look = replace(look, content=UNKNOWN)
            else:
                last = at
        world.looks.append(look)
        at = ended
    return world


@settings(max_examples=600)
@given(worlds(unreadable=True))
def test_what_is_confirmed_is_true(world: World) -> None:
    """Every confirmed answer is the content that the tag truly had at that moment."""
    spans = replayed(world.looks).spans()
    for at in range(END):
        span = span_at(spans, at)
        if span is not None and span.content > UNKNOWN and span.is_confirmed(at):
            assert span.content == world.state(at).content


@settings(max_examples=600)
@given(worlds(unreadable=False))
def test_the_truth_lies_within_the_limits(world: World) -> None:
    """What was seen began and ended between the certain moments and the outer limits."""
    for span in replayed(world.looks).spans():
        if span.content == GONE:
            continue
        began, _ = world.stretch(span.since)
        assert began <= span.since
        if span.since_earliest is not None:
            assert span.since_earliest <= began
        _, ended = world.stretch(span.last_seen_at)
        if span.until is not None:
            assert ended is not None
            assert span.until == span.last_seen_at
            assert span.until <= ended <= (span.until if span.until_latest is None else span.until_latest)


@given(worlds(unreadable=True))
def test_nothing_is_answered_before_the_first_evidence(world: World) -> None:
    """Before the first sight, or the push that it tells of, there is no answer; from then on there is one."""
    spans = replayed(world.looks).spans()
    seen = [look for look in world.looks if look.content != GONE]
    if not seen:
        assert spans == []
        return
    assert span_at(spans, seen[0].at) is not None
    told = [look.pushed_at for look in seen if look.pushed_at is not None]
    assert spans[0].since in {seen[0].at, *told}
    assert span_at(spans, spans[0].since - 1) is None


@given(worlds(unreadable=True))
def test_spans_follow_each_other(world: World) -> None:
    """Spans do not overlap, neighbours differ, and each limit is the neighbour's certain moment."""
    spans = replayed(world.looks).spans()
    for before, after in pairwise(spans):
        assert before.content != after.content
        assert before.until == before.last_seen_at <= after.since
        assert before.until_latest == (after.since if after.since > before.last_seen_at else None)
        assert after.since_earliest == (before.last_seen_at if before.last_seen_at < after.since else None)
    for span in spans:
        assert span.since == min(push.since for push in span.pushes)
        assert span.last_seen_at == max(push.until for push in span.pushes)


# Reports that arrive in any order. There may be no truth behind them: only what was seen counts.


@st.composite
def late_looks(draw: st.DrawFn) -> list[Look]:
    """Sweeps of one moment each, no two of the same and none that of a push, in any order of arrival."""
    moments = draw(st.lists(st.integers(3, END // 2 - 3), unique=True, min_size=1, max_size=8))
    found = []
    for moment in moments:
        at = 2 * moment
        pushed_at = draw(st.none() | st.integers(max(moment - 4, 0), moment) | st.integers(0, END // 2))
        word = None if pushed_at is None else 2 * pushed_at + 1
        found.append(Look(at, draw(st.sampled_from([A, A, B, C])), word))
    return found


@settings(max_examples=1000)
@given(late_looks())
def test_no_certainty_against_a_sight(looks: list[Look]) -> None:
    """Whatever the order of arrival, no confirmed answer says something else than was seen at that moment."""
    spans = replayed(looks).spans()
    for look in looks:
        span = span_at(spans, look.at)
        assert span is not None
        assert span.content == look.content or not span.is_confirmed(look.at)


@settings(max_examples=1000)
@given(late_looks())
def test_every_sight_is_answered(looks: list[Look]) -> None:
    """Asked for the moment of a sweep, in whatever order they arrived, the answer is what it saw."""
    spans = replayed(looks).spans()
    found = {look.at: span.content for look in looks if (span := span_at(spans, look.at))}
    assert found == {look.at: look.content for look in looks}


def test_a_late_sight_is_answered_where_the_push_time_is_in_doubt() -> None:
    """A push time that another sight contradicts covers no sight before our own first one."""
    looks = [Look(10, A, 3), Look(6, B), Look(8, A)]
    assert answers(replayed(looks).spans(), 5, 12) == " BbAAAaa"


@settings(max_examples=300)
@given(late_looks())
def test_certain_stretches_do_not_overlap(looks: list[Look]) -> None:
    """At no moment two contents are certain, except where one ends and the other begins."""
    certain = [(span.content, push) for span in replayed(looks).spans() for push in span.pushes]
    for content, push in certain:
        for other, stretch in certain:
            assert content == other or push.until <= stretch.since or stretch.until <= push.since
