"""What an observation of a tag means for what is known of it."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubindex.index.evidence.judge import (
    CLOCK_SKEW,
    Closed,
    Kind,
    Open,
    Outcome,
    Sight,
    Sweeps,
    confirmed_until,
    judge,
)

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
NEVER = Sweeps(None, None, None)


def see(span: Open, content: bytes | None, pushed_at: int | None, at: int, sweeps: Sweeps = NEVER) -> Outcome:
    """Judge a sight of a digest, or of something unreadable where `content` is None."""
    return judge(span, Sight(content, pushed_at, at, None if content is None else content == span.content), sweeps)


# How far a span is confirmed.


def test_an_open_span_is_confirmed_by_the_last_sweep() -> None:
    """Without a look of its own, a tag with a push time was last seen when its repository was last swept."""
    assert confirmed_until(Open(A, 5, 10), NEVER) == 10
    assert confirmed_until(Open(A, 5, 10), Sweeps(50, None, None)) == 50
    assert confirmed_until(Open(A, 5, 10), Sweeps(7, None, None)) == 10


def test_a_partial_walk_confirms_what_was_pushed_after_its_floor() -> None:
    """A walk over the newest tags says nothing of tags pushed at or before its floor, or never dated."""
    sweeps = Sweeps(50, 90, 30)
    assert confirmed_until(Open(A, 31, 40), sweeps) == 90
    assert confirmed_until(Open(A, 30, 40), sweeps) == 50
    assert confirmed_until(Open(None, None, 40), sweeps) == 50


def test_without_a_push_time_only_a_look_at_the_tag_itself_confirms_it() -> None:
    """When within a walk it was looked at is not known of the others."""
    sweeps = Sweeps(50, 90, 30)
    assert confirmed_until(Open(A, None, 40), sweeps) == 40
    assert confirmed_until(Open(A, None, 40, seen_at=60), sweeps) == 60


def test_a_look_of_its_own_confirms_a_tag_where_it_is_the_latest() -> None:
    """What a walk that broke off saw is kept with the tag."""
    assert confirmed_until(Open(A, 5, 10, seen_at=30), Sweeps(20, None, None)) == 30
    assert confirmed_until(Open(A, 5, 10, seen_at=30), Sweeps(50, None, None)) == 50
    assert confirmed_until(Open(A, 5, 10, 12, seen_at=30), Sweeps(50, None, None)) == 12


def test_a_span_with_its_own_last_sight_is_confirmed_by_nothing_else() -> None:
    """Once a sight did not confirm a span, later sweeps do not confirm it either."""
    assert confirmed_until(Open(A, 31, 40, 45), Sweeps(50, 90, 30)) == 45


# Each kind of observation.


def test_the_same_again_writes_nothing() -> None:
    """An unchanged push time proves the whole stretch."""
    assert see(Open(A, 5, 10), A, 5, 20) == Outcome(Kind.SAME)


def test_the_same_again_without_a_push_time_is_a_look_to_be_kept() -> None:
    """Between two such looks the tag may have moved and come back: the second one proves its moment only."""
    assert see(Open(A, None, 10), A, None, 20) == Outcome(Kind.SEEN, Open(A, None, 10, seen_at=20))
    assert see(Open(A, None, 10, seen_at=20), A, None, 20) == Outcome(Kind.SAME)
    outcome = see(Open(A, 5, 10), A, None, 20)
    assert outcome == Outcome(Kind.SEEN, Open(A, 5, 10, 10), Closed(A, None, 20, 20))
    assert outcome.open is not None
    assert see(outcome.open, A, None, 30) == Outcome(Kind.SEEN, closed=Closed(A, None, 30, 30))
    assert see(outcome.open, A, 5, 30) == Outcome(Kind.LEARNED, Open(A, 5, 10))


def test_a_push_time_that_fits_is_learned() -> None:
    """A push time before our first sight belongs to the open span."""
    assert see(Open(A, None, 10), A, 10, 20) == Outcome(Kind.LEARNED, Open(A, 10, 10))


def test_a_push_time_after_the_first_sight_is_a_push_of_the_same_digest() -> None:
    """Whatever was there before that push, the span that began with it is another one."""
    outcome = see(Open(A, None, 10, seen_at=12), A, 15, 20)
    assert outcome == Outcome(Kind.PUSHED_AGAIN, Open(A, 15, 20), Closed(A, None, 10, 12))


def test_a_repush_is_a_new_span_but_no_move() -> None:
    """The same digest with a later push time closes the span at its last sight and opens the next."""
    outcome = see(Open(A, 5, 10), A, 15, 20)
    assert outcome == Outcome(Kind.PUSHED_AGAIN, Open(A, 15, 20), Closed(A, 5, 10, 10))


@pytest.mark.parametrize("content", [A, B])
def test_a_push_time_that_goes_back_is_a_stale_answer(content: bytes) -> None:
    """It is kept as evidence, moves nothing, and confirms nothing until the newest push is seen again."""
    outcome = see(Open(A, 5, 10), content, 3, 20, Sweeps(12, None, None))
    assert outcome == Outcome(Kind.STALE, Open(A, 5, 10, 12), Closed(content, 3, 20, 20))
    assert outcome.open is not None
    assert see(outcome.open, content, 3, 30) == Outcome(Kind.STALE, closed=Closed(content, 3, 30, 30))
    assert see(outcome.open, A, 5, 30) == Outcome(Kind.LEARNED, Open(A, 5, 10))


def test_a_push_time_far_in_the_future_makes_no_other_stale() -> None:
    """A registry that was wrong once by years does not freeze a tag."""
    assert see(Open(A, 10**13, 10), B, 15, 20).kind is Kind.MOVED
    assert see(Open(A, 10 + CLOCK_SKEW, 10), B, 15, 20).kind is Kind.STALE


def test_another_digest_is_a_move() -> None:
    """The old span ends at its last sight, the new one begins at this sight; the push time is kept as said."""
    outcome = see(Open(A, 5, 10), B, 15, 20, Sweeps(12, None, None))
    assert outcome == Outcome(Kind.MOVED, Open(B, 15, 20), Closed(A, 5, 10, 12))


@pytest.mark.parametrize("pushed_at", [None, 5, 12, 10_000])
def test_a_move_is_bounded_by_our_own_sights_whatever_the_push_time(pushed_at: int | None) -> None:
    """A push time that is absent, before our last sight or in the future moves no bound of ours."""
    outcome = see(Open(A, 5, 10), B, pushed_at, 20, Sweeps(12, None, None))
    assert outcome == Outcome(Kind.MOVED, Open(B, pushed_at, 20), Closed(A, 5, 10, 12))


def test_an_unreadable_row_of_the_same_push_confirms() -> None:
    """The registry's word that nothing was pushed since is as good as the digest."""
    assert see(Open(A, 5, 10), None, 5, 20) == Outcome(Kind.SAME)


@pytest.mark.parametrize(("pushed_at", "kind"), [(None, Kind.LEARNED), (3, Kind.STALE)])
def test_an_unreadable_row_keeps_the_digest_but_confirms_no_further(pushed_at: int | None, kind: Kind) -> None:
    """What was known stays, and ends to be confirmed at its last readable sight."""
    outcome = see(Open(A, 5, 10), None, pushed_at, 20, Sweeps(12, None, None))
    assert outcome == Outcome(kind, Open(A, 5, 10, 12))
    assert outcome.open is not None
    assert see(outcome.open, None, pushed_at, 30)[1:] == (None, None)


def test_a_push_time_is_learned_where_nothing_was_readable() -> None:
    """The digest may become known by it later."""
    assert see(Open(None, None, 10), None, 8, 20) == Outcome(Kind.LEARNED, Open(None, 8, 10))
    later = see(Open(None, None, 10), None, 15, 20)
    assert later == Outcome(Kind.PUSHED_AGAIN, Open(None, 15, 20), Closed(None, None, 10, 10))


def test_an_unreadable_row_of_a_later_push_opens_an_unknown_span() -> None:
    """Something was pushed: the known digest ends, what came is not known."""
    outcome = see(Open(A, 5, 10), None, 15, 20)
    assert outcome == Outcome(Kind.PUSHED_AGAIN, Open(None, 15, 20), Closed(A, 5, 10, 10))


def test_a_digest_that_becomes_readable_is_learned_for_the_whole_push() -> None:
    """The digest of an unknown span is filled in if the push time shows that nothing moved meanwhile."""
    assert see(Open(None, 15, 20), B, 15, 30) == Outcome(Kind.LEARNED, Open(B, 15, 20))


@pytest.mark.parametrize("pushed_at", [None, 16])
def test_a_digest_that_may_have_come_later_is_a_span_of_its_own(pushed_at: int | None) -> None:
    """Without the same push time nobody knows what the unknown span held."""
    outcome = see(Open(None, 15, 20), B, pushed_at, 30)
    assert outcome == Outcome(Kind.MOVED, Open(B, pushed_at, 30), Closed(None, 15, 20, 20))


def test_a_span_that_ended_to_be_confirmed_goes_on_if_the_push_is_older() -> None:
    """The digest seen again, pushed before the last sight, was there all the time."""
    assert see(Open(A, 5, 10, 12), A, 5, 30, Sweeps(20, None, None)) == Outcome(Kind.LEARNED, Open(A, 5, 10))


def test_a_span_that_ended_to_be_confirmed_is_not_bridged_without_a_push_time() -> None:
    """Between the last readable sight and this one anything may have happened."""
    outcome = see(Open(A, None, 10, 12), A, None, 30)
    assert outcome == Outcome(Kind.PUSHED_AGAIN, Open(A, None, 30), Closed(A, None, 10, 12))


@pytest.mark.parametrize("content", [A, B, None])
def test_a_tag_that_was_gone_returns_with_a_new_span(content: bytes | None) -> None:
    """The span before ended with the sweep that missed the tag; coming back needs no second end."""
    gone = Open(None, None, 10, 20, 30)
    assert see(gone, content, 25, 40) == Outcome(Kind.RETURNED, Open(content, 25, 40))
    assert see(gone, content, 25, 30) == Outcome(Kind.RETURNED, Open(content, 25, 30))


@pytest.mark.parametrize("at", [15, 25])
def test_a_late_report_of_another_digest_is_kept_as_a_moment(at: int) -> None:
    """It proves one moment, ends nothing and moves no bound of the open span."""
    outcome = see(Open(A, 5, 10), B, 3, at, Sweeps(30, None, None))
    assert outcome == Outcome(Kind.LATE, closed=Closed(B, 3, at, at))


def test_a_late_report_about_a_tag_that_is_gone_is_kept() -> None:
    """A sight before the sweep that missed the tag does not bring it back."""
    assert see(Open(None, None, 10, 20, 30), A, 5, 29) == Outcome(Kind.LATE, closed=Closed(A, 5, 29, 29))


@pytest.mark.parametrize("pushed_at", [5, None])
def test_a_late_report_that_agrees_is_no_news(pushed_at: int | None) -> None:
    """The open span covers the moment already by our own sights; the registry's word may be doubted later."""
    assert see(Open(A, 5, 10), A, pushed_at, 15, Sweeps(30, None, None)) == Outcome(Kind.SAME)
    assert see(Open(A, 5, 10), A, pushed_at, 7) == Outcome(Kind.LATE, closed=Closed(A, pushed_at, 7, 7))


@pytest.mark.parametrize("span", [Open(A, None, 10), Open(A, 8, 10)])
def test_a_late_report_from_before_the_span_is_kept(span: Open) -> None:
    """The same digest seen before the open span is known to begin is new evidence."""
    assert see(span, A, span.pushed_at, 7) == Outcome(Kind.LATE, closed=Closed(A, span.pushed_at, 7, 7))


def test_a_late_report_of_another_push_is_kept() -> None:
    """The same digest by another push is not the open span."""
    assert see(Open(A, 5, 10), A, 3, 7) == Outcome(Kind.LATE, closed=Closed(A, 3, 7, 7))


def test_a_late_unreadable_report_is_no_news() -> None:
    """A row without a digest says nothing about a moment that is over."""
    assert see(Open(A, 5, 10), None, 3, 7) == Outcome(Kind.SAME)


@pytest.mark.parametrize(
    ("span", "content"),
    [
        (Open(A, 5, 10, 12), B),
        (Open(None, None, 10, 12, 20), B),
        (Open(A, 5, 10, 12), A),
        (Open(None, 5, 10, 12), A),
    ],
)
def test_a_sweep_that_is_over_does_not_confirm_what_is_seen_now(span: Open, content: bytes) -> None:
    """A late sight that begins or continues a span is not confirmed by a sweep that came after it."""
    outcome = see(span, content, 5, 25, Sweeps(40, None, None))
    assert outcome.open is not None
    assert confirmed_until(outcome.open, Sweeps(40, None, None)) == 25


# Whole histories, against what was really seen.


@dataclass
class Replay:
    """A tag's evidence as it grows, and every sight that went in."""

    sweeps: Sweeps = NEVER
    span: Open | None = None
    closed: list[Closed] = field(default_factory=list)
    sights: list[tuple[int, bytes | None, int | None, Kind | None]] = field(default_factory=list)

    def see(self, content: bytes | None, pushed_at: int | None, at: int) -> None:
        """One observation."""
        if self.span is None:
            self.span = Open(content, pushed_at, at)
            self.sights.append((at, content, pushed_at, None))
            return
        outcome = see(self.span, content, pushed_at, at, self.sweeps)
        self.sights.append((at, content, pushed_at, outcome.kind))
        self.span = outcome.open or self.span
        if outcome.closed:
            self.closed.append(outcome.closed)

    def spans(self) -> list[Closed]:
        """All spans in the order in which they were written, the open one last."""
        assert self.span is not None
        content, pushed_at, first_seen_at = self.span[:3]
        return [*self.closed, Closed(content, pushed_at, first_seen_at, confirmed_until(self.span, self.sweeps))]


contents = st.sampled_from([A, B, C])
pushes = st.one_of(st.none(), st.integers(1, 60))
walks = st.sampled_from(["whole", "broken", "newest"])


@st.composite
def histories(draw: st.DrawFn, *, unreadable: bool) -> Replay:
    """Walks in the order of time; each sees the tag after it began, and proves more, less or nothing else."""
    replay, at = Replay(), 10
    for _ in range(draw(st.integers(1, 12))):
        started_at = at + draw(st.integers(0, 5))
        at = started_at + draw(st.integers(0, 3))
        content = draw(st.one_of(contents, st.none()) if unreadable else contents)
        pushed_at = draw(pushes)
        replay.see(content, pushed_at, at)
        walk = draw(walks)
        if walk == "whole":
            replay.sweeps = replay.sweeps._replace(swept_at=started_at)
        elif walk == "newest" and pushed_at is not None:
            since = draw(st.integers(0, pushed_at - 1))
            replay.sweeps = replay.sweeps._replace(partial_at=started_at, partial_since=since)
    return replay


@given(histories(unreadable=True))
def test_spans_follow_each_other(replay: Replay) -> None:
    """Each span ends, at its last sight, before the next one begins; reports of their own stand beside them."""
    reports = [at for at, _, _, kind in replay.sights if kind is not None and kind.is_report]
    spans = [span for span in replay.spans() if not (span.first_seen_at == span.last_seen_at in reports)]
    assert all(span.first_seen_at <= span.last_seen_at for span in spans)
    assert all(before.last_seen_at <= after.first_seen_at for before, after in pairwise(spans))


@given(histories(unreadable=True))
def test_every_sight_is_in_the_span_of_its_digest(replay: Replay) -> None:
    """Asked for the moment of a sight, the spans answer with the digest that was seen."""
    spans = replay.spans()
    last_at = {at: content for at, content, _, _ in replay.sights}
    for at, content, _, _ in replay.sights:
        begun = [span for span in spans if span.first_seen_at <= at]
        if content is None:
            continue
        if any(kind is Kind.STALE for _, _, _, kind in replay.sights):
            assert any(span.content == content for span in spans)
        elif last_at[at] == content:
            assert begun[-1].content == content
        else:
            assert any(span.content == content for span in begun)


@given(histories(unreadable=True))
def test_no_span_is_confirmed_beyond_its_last_sight(replay: Replay) -> None:
    """What is called confirmed was seen then or later, before anything else was."""
    reports = [at for at, _, _, kind in replay.sights if kind is not None and kind.is_report]
    spans = [span for span in replay.spans() if not (span.first_seen_at == span.last_seen_at in reports)]
    ends = [span.first_seen_at for span in spans[1:]] + [10**9]
    for span, end in zip(spans, ends, strict=False):
        seen = [at for at, content, _, _ in replay.sights if at <= end and content in {span.content, None}]
        assert span.last_seen_at <= max(seen)


@given(histories(unreadable=True))
def test_every_word_of_the_registry_is_kept(replay: Replay) -> None:
    """Each push time that came with a digest stands in a span of that digest."""
    kept = {(span.content, span.pushed_at) for span in replay.spans()}
    told = {(content, pushed_at) for _, content, pushed_at, _ in replay.sights if content and pushed_at}
    assert told <= kept


@given(histories(unreadable=False))
def test_moves_are_the_changes_of_digest(replay: Replay) -> None:
    """As many moves are counted as the digest changed; a re-push counts as none, nor does a stale answer."""
    fresh = [(content, kind) for _, content, _, kind in replay.sights if kind is not Kind.STALE]
    changes = [before[0] != after[0] for before, after in pairwise(fresh)]
    assert [kind is Kind.MOVED for _, kind in fresh[1:]] == changes


@settings(max_examples=200)
@given(st.lists(st.tuples(contents, pushes, st.integers(10, 60)), min_size=1), st.integers(0, 60))
def test_no_evidence_is_dropped_whatever_its_order(
    sights: list[tuple[bytes, int | None, int]], swept_at: int
) -> None:
    """A report that arrives late is covered by a span of its digest and push too."""
    replay = Replay()
    for number, (content, pushed_at, at) in enumerate(sights):
        replay.see(content, pushed_at, at)
        if number == len(sights) // 2 and swept_at <= at:
            replay.sweeps = Sweeps(swept_at, None, None)
    for content, pushed_at, at in sights:
        assert any(
            span.content == content
            and (pushed_at is None or span.pushed_at == pushed_at)
            and at >= min(span.first_seen_at, span.pushed_at or span.first_seen_at)
            for span in replay.spans()
        )
