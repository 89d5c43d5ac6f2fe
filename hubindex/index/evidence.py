"""What one observation of a tag means for what the index already knows of it.

This is the law of docs/architecture.md, "Evidence", as one pure function: no database, no clock. Evidence is
kept as *spans*: stretches in which a tag was seen to point to one content, each with the registry's word for its
start and our own first and last sight. A push of the same digest again begins a new span too: between our last
sight and that push nobody knows what came and went. Whoever asks for moves joins neighbours of equal digest.
"""

from enum import Enum
from typing import NamedTuple


class Open(NamedTuple):
    """The span that a tag is in. `content` is its digest, the key of a platform set, or None: not known.

    `last_seen_at` is None while every sweep confirms the span; `gone_at` is set on a tag that has vanished.
    """

    content: bytes | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int | None = None
    gone_at: int | None = None


class Closed(NamedTuple):
    """A span that ended, or that is known from one late report only."""

    content: bytes | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int


class Sight(NamedTuple):
    """One observation: `same` tells whether the content is that of the open span, None that it was unreadable."""

    content: bytes | None
    pushed_at: int | None
    at: int
    same: bool | None


class Sweeps(NamedTuple):
    """Which walks confirmed a repository's tags: see `repository` in the schema."""

    swept_at: int | None
    partial_at: int | None
    partial_since: int | None


class Kind(Enum):
    """What an observation turned out to be."""

    SAME = "same"
    LEARNED = "learned"
    PUSHED_AGAIN = "pushed again"
    MOVED = "moved"
    RETURNED = "returned"
    LATE = "late"


class Outcome(NamedTuple):
    """What to write: nothing, the changed `open` span, and the `closed` one."""

    kind: Kind
    open: Open | None = None
    closed: Closed | None = None


_SAME = Outcome(Kind.SAME)


def confirmed_until(span: Open, sweeps: Sweeps) -> int:
    """The last moment at which the tag was seen to be in this span."""
    if span.last_seen_at is not None:
        return span.last_seen_at
    return last_sight(span.pushed_at, span.first_seen_at, sweeps)


def last_sight(pushed_at: int | None, first_seen_at: int, sweeps: Sweeps) -> int:
    """When a span that every sweep confirms was seen last."""
    swept_at, partial_at, since = sweeps
    latest = first_seen_at if swept_at is None or swept_at < first_seen_at else swept_at
    if partial_at is None or since is None or pushed_at is None or pushed_at <= since or partial_at < latest:
        return latest
    return partial_at


def judge(span: Open, sight: Sight, sweeps: Sweeps) -> Outcome:
    """What `sight` adds to a tag that is in `span`."""
    confirmed = confirmed_until(span, sweeps)
    if sight.at < max(confirmed, span.gone_at or 0):
        return _late(span, sight)
    if span.gone_at is not None:
        return Outcome(Kind.RETURNED, open=begin(sight, sweeps))
    if sight.same is None:
        return _unreadable(span, sight, sweeps)
    if sight.same:
        return _same_content(span, sight, sweeps)
    if span.content is None and span.pushed_at is not None and span.pushed_at == sight.pushed_at:
        return Outcome(Kind.LEARNED, open=_seen(span._replace(content=sight.content), sight.at, sweeps))
    return Outcome(Kind.MOVED, open=begin(sight, sweeps), closed=_close(span, confirmed))


def begin(sight: Sight, sweeps: Sweeps) -> Open:
    """The span of which `sight` is the first evidence."""
    if sight.at >= (sweeps.swept_at or 0) and sight.at >= (sweeps.partial_at or 0):
        return Open(sight.content, sight.pushed_at, sight.at)
    return _seen(Open(sight.content, sight.pushed_at, sight.at), sight.at, sweeps)


def _seen(span: Open, at: int, sweeps: Sweeps) -> Open:
    """The span as seen at a moment: sweeps confirm it from then on, but not those that are over already."""
    confirmable = span if span.last_seen_at is None else span._replace(last_seen_at=None)
    return confirmable if confirmed_until(confirmable, sweeps) <= at else span._replace(last_seen_at=at)


def _late(span: Open, sight: Sight) -> Outcome:
    """A report older than what is known: it proves one moment and ends nothing.

    It is no news only within our own sights: the registry's word for the time before them may come to be doubted.
    """
    agrees = sight.same and span.gone_at is None and sight.pushed_at in {span.pushed_at, None}
    if sight.same is None or (agrees and sight.at >= span.first_seen_at):
        return _SAME
    return Outcome(Kind.LATE, closed=Closed(sight.content, sight.pushed_at, sight.at, sight.at))


def _unreadable(span: Open, sight: Sight, sweeps: Sweeps) -> Outcome:
    """The tag is there, what it points to cannot be read: what was known stays, but is confirmed no further."""
    confirmed = confirmed_until(span, sweeps)
    if span.pushed_at is not None and sight.pushed_at is not None:
        if sight.pushed_at == span.pushed_at:
            return _SAME  # the registry's word: not moved since
        if sight.pushed_at > span.pushed_at:
            return Outcome(Kind.PUSHED_AGAIN, open=begin(sight, sweeps), closed=_close(span, confirmed))
    if span.content is None or span.last_seen_at is not None:
        return _SAME
    return Outcome(Kind.LEARNED, open=span._replace(last_seen_at=confirmed))


def _same_content(span: Open, sight: Sight, sweeps: Sweeps) -> Outcome:
    pushed_at = sight.pushed_at
    unbroken = span.last_seen_at is None or (pushed_at is not None and pushed_at <= span.last_seen_at)
    if span.pushed_at is not None:
        unbroken = unbroken and pushed_at in {span.pushed_at, None}
    elif pushed_at is not None:
        unbroken = unbroken and pushed_at <= span.first_seen_at
    if not unbroken:
        closed = _close(span, confirmed_until(span, sweeps))
        return Outcome(Kind.PUSHED_AGAIN, open=begin(sight, sweeps), closed=closed)
    learned = pushed_at if span.pushed_at is None else span.pushed_at
    known = _seen(span._replace(content=sight.content, pushed_at=learned), sight.at, sweeps)
    return _SAME if known == span else Outcome(Kind.LEARNED, open=known)


def _close(span: Open, confirmed: int) -> Closed:
    return Closed(span.content, span.pushed_at, span.first_seen_at, confirmed)
