"""What a tag was at any moment, derived from the evidence: the law of docs/time.md as pure functions.

The evidence about a tag is a set of sights and words: each span as `index/evidence.py` keeps it. Here they are put
in the order of time, checked against each other, and joined into the spans that people ask about: stretches in
which the tag pointed to one content. No database, no clock.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

GONE = -1
"""The content of a tag that is not there."""

UNKNOWN = 0
"""The content of a tag that is there, and nobody could read what it pointed to."""


PERIOD = 28 * 86_400_000
"""Milliseconds: how finely the index remembers when a repository changed."""


def period(at: int) -> int:
    """The number of the period that a moment lies in."""
    return at // PERIOD


class Evidence(NamedTuple):
    """A span as it is stored. `content` is a positive number, or UNKNOWN; times are UTC milliseconds.

    `gone_at` is when a sweep had found the tag gone after it.
    """

    content: int
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int
    gone_at: int | None = None


class Push(NamedTuple):
    """A stretch inside a span that is certain from end to end: from a push, or a first sight, to the last sight.

    `pushed_at` is the registry's word for it, `doubt` what speaks against that word: `early` if it lies before the
    last sight of something else, `late` if it lies after our own first sight. Either way it moves no bound.
    """

    since: int
    until: int
    pushed_at: int | None
    doubt: str | None = None


class Span(NamedTuple):
    """A stretch of time in which a tag pointed to one content (or was GONE, or UNKNOWN).

    It is certain from `since` to `last_seen_at`, except between its `pushes`. `since_earliest` is how far back the
    move can have happened: the last sight of what was there before, None where nothing is known of that or the two
    meet. `until` and `until_latest` are the same pair for the end; both are None while the span is open.
    """

    content: int
    since: int
    since_earliest: int | None
    until: int | None
    until_latest: int | None
    last_seen_at: int
    pushes: list[Push]

    def is_confirmed(self, at: int) -> bool:
        """Whether the content is certain at a moment."""
        for push in self.pushes:  # noqa: SIM110 - a question asks it once, and any() is twice as slow
            if push.since <= at <= push.until:
                return True
        return False


Sweep = tuple[int, int]
"""Start and end of a walk that saw all tags of a repository."""


def timeline(
    evidence: Sequence[Evidence],
    sweeps: Callable[[], Sequence[Sweep]] = tuple,
    view: Callable[[int], int] | None = None,
) -> list[Span]:
    """The spans of a tag, oldest first.

    `sweeps` answers with those of its repository; it is asked only if something else was seen inside a stretch
    that looks unbroken. `view` maps a content to what is asked about, such as its image for one platform:
    neighbours that look the same are one span.
    """
    groups: list[_Group] = []
    before = _Before()
    shown = None
    for found in _in_order(evidence, sweeps):
        push = before.take(found)
        content = found.content
        looks = content if view is None or content <= UNKNOWN else view(content)
        if looks == shown:
            groups[-1].add(push)
        else:
            shown = looks
            groups.append(_Group(looks, push))
    return _spans(groups)


class _Group:
    """Pushes one after the other that look the same, and the stretch from the first to the last."""

    __slots__ = ("content", "last", "pushes", "since")

    def __init__(self, content: int, push: Push) -> None:
        self.content = content
        self.since = push.since
        self.last = push.until
        self.pushes = [push]

    def add(self, push: Push) -> None:
        """One more."""
        self.since = min(self.since, push.since)
        self.last = max(self.last, push.until)
        self.pushes.append(push)


class _Before:
    """What was there before a piece of evidence: since when something else was not seen any more.

    `content` was last seen at `seen_at`, another one before it at `other_at`. `has_word` tells whether the
    registry said when `content` was pushed.
    """

    __slots__ = ("content", "has_word", "other_at", "seen_at")

    def __init__(self) -> None:
        self.content: int | None = None
        self.seen_at: int | None = None
        self.other_at: int | None = None
        self.has_word = False

    def take(self, found: Evidence) -> Push:
        """From when to when `found` is certain after what was there before; then it is what was there."""
        push = self._push(found)
        if found.content == self.content:
            self.seen_at = push.until if self.seen_at is None else max(push.until, self.seen_at)
            self.has_word = self.has_word or push.pushed_at is not None
        else:
            self.content = found.content
            self.other_at = self.seen_at
            self.seen_at = push.until
            self.has_word = push.pushed_at is not None
        return push

    def _push(self, found: Evidence) -> Push:
        content, pushed_at, first, last, _ = found
        if pushed_at is None or pushed_at == first:
            return Push(first, last, pushed_at)
        if pushed_at > first:
            return Push(first, last, pushed_at, "late")
        seen_at = self.seen_at
        if seen_at is None or pushed_at >= seen_at:
            return Push(pushed_at, last, pushed_at)
        if content != self.content:
            return Push(first, last, pushed_at, "early")
        # Not pushed since it was last seen, so it was there all the time: back to the push,
        # if that is the first word.
        reaches_back = not self.has_word and (self.other_at is None or pushed_at >= self.other_at)
        return Push(pushed_at if reaches_back else min(first, seen_at), max(last, seen_at), pushed_at)


def _spans(groups: Sequence[_Group]) -> list[Span]:
    spans = []
    before: int | None = None  # the last sight of what was there before
    rest = iter(groups[1:])
    for group in groups:
        since, last, after = group.since, group.last, next(rest, None)
        earliest = before if before is not None and before < since else None
        until = latest = None
        if after is not None:
            until = last
            latest = after.since if after.since > last else None
        spans.append(Span(group.content, since, earliest, until, latest, last, group.pushes))
        before = last
    return spans


def span_at(spans: Sequence[Span], at: int) -> Span | None:
    """The span that a tag was in at a moment, surely or by the best guess; None before the first evidence."""
    for span in reversed(spans):
        if span.since <= at:
            return span
    return None


_first_seen = itemgetter(2)


def _in_order(evidence: Sequence[Evidence], sweeps: Callable[[], Sequence[Sweep]]) -> Sequence[Evidence]:
    """Evidence by first sight, none reaching into the next, absences among it."""
    ordered: list[Evidence] = []
    for found in evidence:
        ordered.append(found)
        if found.gone_at is not None:
            ordered.append(Evidence(GONE, None, found.gone_at, found.gone_at))
    if len(ordered) > 1:
        ordered.sort(key=_first_seen)  # what was stored later comes later where the times are equal
        if _is_contested(ordered):
            past = sweeps()
            ordered = [piece for found in ordered for piece in _pieces(found, ordered, past)]
            ordered.sort(key=_first_seen)
    return ordered


def _is_contested(ordered: Sequence[Evidence]) -> bool:
    """Whether something else was seen inside a stretch that looks unbroken."""
    last = ordered[0]
    for found in ordered:
        if found.first_seen_at < last.last_seen_at and found.content != last.content:
            return True
        if found.last_seen_at >= last.last_seen_at:
            last = found
    return False


def _pieces(found: Evidence, others: Sequence[Evidence], sweeps: Sequence[Sweep]) -> list[Evidence]:
    """The stretches of `found` that no other sight contradicts: it was surely seen first, last, and by sweeps."""
    first, last = found.first_seen_at, found.last_seen_at
    against = [o.first_seen_at for o in others if o.content != found.content and first < o.first_seen_at < last]
    if not against:
        return [found]
    sights = {first, last}
    for started_at, finished_at in sweeps:
        if first < started_at < last and not any(started_at <= at <= finished_at for at in against):
            sights.add(started_at)
    pieces: list[Evidence] = []
    since = before = first
    for at in sorted(sights):
        if any(before <= other <= at for other in against):
            pieces.append(found._replace(first_seen_at=since, last_seen_at=before))
            since = at
        before = at
    return [*pieces, found._replace(first_seen_at=since, last_seen_at=before)]
