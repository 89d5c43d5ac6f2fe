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
    if len(evidence) == 1 and evidence[0].gone_at is None:  # most tags never move
        found = evidence[0]
        looks = found.content if view is None or found.content <= UNKNOWN else view(found.content)
        push = _push(found, None, None)
        return [Span(looks, push.since, None, None, None, push.until, [push])]
    groups: list[tuple[int, list[Push]]] = []
    content = seen_at = shown = None  # what was there before, when it was last seen, and what it looked like
    for found in _in_order(evidence, sweeps):
        push = _push(found, content, seen_at)
        content, seen_at = found.content, push.until
        looks = content if view is None or content <= UNKNOWN else view(content)
        if looks == shown:
            groups[-1][1].append(push)
        else:
            shown = looks
            groups.append((looks, [push]))
    return _spans(groups)


def _spans(groups: list[tuple[int, list[Push]]]) -> list[Span]:
    spans = []
    before: int | None = None  # the last sight of what was there before
    for number, (content, pushes) in enumerate(groups, 1):
        since, last = pushes[0].since, pushes[-1].until
        earliest = before if before is not None and before < since else None
        until: int | None = None
        latest: int | None = None
        if number < len(groups):
            until, after = last, groups[number][1][0].since
            latest = after if after > last else None
        spans.append(Span(content, since, earliest, until, latest, last, pushes))
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


def _push(found: Evidence, content: int | None, seen_at: int | None) -> Push:
    """From when to when `found` is certain, after `content` was last seen at `seen_at`."""
    _, pushed_at, first, last, _ = found
    if pushed_at is None or pushed_at == first:
        return Push(first, last, pushed_at)
    if pushed_at > first:
        return Push(first, last, pushed_at, "late")
    if seen_at is None or pushed_at >= seen_at:
        return Push(pushed_at, last, pushed_at)
    if found.content == content:  # not pushed since it was last seen, so it was there all the time
        return Push(min(first, seen_at), max(last, seen_at), pushed_at)
    return Push(first, last, pushed_at, "early")
