"""What one observation of a tag means for what the index already knows of it.

This is the law of docs/architecture.md, "Evidence", as one pure function: no database, no clock. Evidence is
kept as *spans*: stretches in which a tag was seen to point to one content, each with the registry's word for its
start and our own first and last sight. A push of the same digest again begins a new span too: between our last
sight and that push nobody knows what came and went. Whoever asks for moves joins neighbours of equal digest.

An answer whose push time is older than one that was seen before is *stale*: it comes from a replica or a cache, is
kept as evidence, and moves nothing.
"""

from enum import Enum
from typing import NamedTuple

CLOCK_SKEW = 3_600_000
"""Milliseconds that two clocks, or two crawls at the same time, may lie apart."""


class Open(NamedTuple):
    """The span that a tag is in. `content` is its digest, the key of a platform set, or None: not known.

    `last_seen_at` is None while looks confirm the span; `gone_at` is set on a tag that has vanished. `seen_at` is
    a look at this very tag, where that is later than what the walks over its repository prove: the last one of a
    tag without a push time, or one by a walk that broke off.
    """

    content: bytes | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int | None = None
    gone_at: int | None = None
    seen_at: int | None = None


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
    """What an observation turned out to be; SEEN is a look at what is known that has to be remembered."""

    SAME = "same"
    SEEN = "seen"
    LEARNED = "learned"
    PUSHED_AGAIN = "pushed again"
    MOVED = "moved"
    RETURNED = "returned"
    LATE = "late"
    STALE = "stale"

    @property
    def is_report(self) -> bool:
        """Whether it is kept beside the span that the tag is in."""
        return self in {Kind.SEEN, Kind.LATE, Kind.STALE}


class Outcome(NamedTuple):
    """What to write: nothing, the changed `open` span, and the `closed` one.

    What is `closed` is what the tag was until now, or, if the kind `is_report`, a report beside that.
    """

    kind: Kind
    open: Open | None = None
    closed: Closed | None = None


_SAME = Outcome(Kind.SAME)


def confirmed_until(span: Open, sweeps: Sweeps) -> int:
    """The last moment at which the tag was seen to be in this span."""
    if span.last_seen_at is not None:
        return span.last_seen_at
    is_known = span.content is not None
    return last_sight(span.pushed_at, span.first_seen_at, span.seen_at, sweeps, is_known=is_known)


def last_sight(
    pushed_at: int | None, first_seen_at: int, seen_at: int | None, sweeps: Sweeps, *, is_known: bool
) -> int:
    """When a span that looks confirm was seen last; `is_known` tells whether its content is.

    Walks confirm what has a push time, which proves the whole stretch. Without one only the looks at the tag
    itself prove its content: when within a walk it was looked at is not known of the others.
    """
    latest = first_seen_at if seen_at is None or seen_at < first_seen_at else seen_at
    if pushed_at is None and is_known:
        return latest
    swept_at, partial_at, since = sweeps
    if swept_at is not None and swept_at > latest:
        latest = swept_at
    if partial_at is None or since is None or pushed_at is None or pushed_at <= since or partial_at < latest:
        return latest
    return partial_at


def is_stale(pushed_at: int | None, span: Open, confirmed: int) -> bool:
    """Whether a push time is older than that of a span that was seen before, last at `confirmed`.

    A push time far in the future of the looks that showed it is no measure for others.
    """
    if pushed_at is None or span.pushed_at is None or span.gone_at is not None:
        return False
    return pushed_at < span.pushed_at <= confirmed + CLOCK_SKEW


def judge(span: Open, sight: Sight, sweeps: Sweeps) -> Outcome:
    """What `sight` adds to a tag that is in `span`."""
    confirmed = confirmed_until(span, sweeps)
    if sight.at < max(confirmed, span.gone_at or 0):
        return _late(span, sight)
    if span.gone_at is not None:
        return Outcome(Kind.RETURNED, open=begin(sight, sweeps))
    if is_stale(sight.pushed_at, span, confirmed):
        closed = None if sight.content is None else _moment(sight)
        return Outcome(Kind.STALE, _frozen(span, confirmed), closed)
    if sight.same is None:
        return _unreadable(span, sight, sweeps)
    if sight.same:
        return _same_content(span, sight, sweeps)
    if span.content is None and span.pushed_at is not None and span.pushed_at == sight.pushed_at:
        return Outcome(Kind.LEARNED, open=_seen(span._replace(content=sight.content), sight.at, sweeps))
    return Outcome(Kind.MOVED, open=begin(sight, sweeps), closed=_close(span, confirmed))


def begin(sight: Sight, sweeps: Sweeps) -> Open:
    """The span of which `sight` is the first evidence.

    If walks have been there since that did not show it, they are no sights of it.
    """
    if sight.at >= (sweeps.swept_at or 0) and sight.at >= (sweeps.partial_at or 0):
        return Open(sight.content, sight.pushed_at, sight.at)
    if sight.pushed_at is None:
        return Open(sight.content, None, sight.at, last_seen_at=sight.at)
    return _seen(Open(sight.content, sight.pushed_at, sight.at), sight.at, sweeps)


def _seen(span: Open, at: int, sweeps: Sweeps) -> Open:
    """The span as seen at a moment: walks confirm it from then on, but not those that are over already."""
    confirmable = span if span.last_seen_at is None else span._replace(last_seen_at=None)
    confirmed = confirmed_until(confirmable, sweeps)
    if confirmable.pushed_at is None and confirmed < at:
        return confirmable._replace(seen_at=at)
    return confirmable if confirmed <= at else span._replace(last_seen_at=at)


def _frozen(span: Open, confirmed: int) -> Open | None:
    """The span as walks do not confirm it any further, until it is seen with its push time; None if it is so."""
    return span._replace(last_seen_at=confirmed) if span.last_seen_at is None else None


def _late(span: Open, sight: Sight) -> Outcome:
    """A report older than what is known: it proves one moment and ends nothing.

    It is no news only within our own sights: the registry's word for the time before them may come to be doubted.
    Without push times only the looks themselves are sights.
    """
    agrees = sight.same and span.gone_at is None and sight.pushed_at in {span.pushed_at, None}
    is_known = sight.at >= span.first_seen_at if span.pushed_at is not None else sight.at == span.first_seen_at
    if sight.same is None or (agrees and is_known):
        return _SAME
    return Outcome(Kind.LATE, closed=_moment(sight))


def _moment(sight: Sight) -> Closed:
    return Closed(sight.content, sight.pushed_at, sight.at, sight.at)


def _unreadable(span: Open, sight: Sight, sweeps: Sweeps) -> Outcome:
    """The tag is there, what it points to cannot be read: what was known stays, but is confirmed no further."""
    confirmed = confirmed_until(span, sweeps)
    pushed_at = sight.pushed_at
    if pushed_at is not None:
        if pushed_at == span.pushed_at:
            return _SAME  # the registry's word: not moved since
        if span.content is None and span.pushed_at is None and pushed_at <= span.first_seen_at:
            return Outcome(Kind.LEARNED, open=_seen(span._replace(pushed_at=pushed_at), sight.at, sweeps))
        if span.pushed_at is None or pushed_at > span.pushed_at:
            return Outcome(Kind.PUSHED_AGAIN, open=begin(sight, sweeps), closed=_close(span, confirmed))
    if span.last_seen_at is not None or (span.content is None and span.pushed_at is None):
        return _SAME
    return Outcome(Kind.LEARNED, open=span._replace(last_seen_at=confirmed))


def _same_content(span: Open, sight: Sight, sweeps: Sweeps) -> Outcome:
    pushed_at = sight.pushed_at
    if pushed_at is None and span.pushed_at is not None:
        # It may have moved and come back since: the look proves its own moment.
        confirmed = confirmed_until(span, sweeps)
        if sight.at == confirmed:
            return _SAME
        return Outcome(Kind.SEEN, _frozen(span, confirmed), _moment(sight))
    unbroken = span.last_seen_at is None or (pushed_at is not None and pushed_at <= span.last_seen_at)
    if span.pushed_at is not None:
        unbroken = unbroken and pushed_at == span.pushed_at
    elif pushed_at is not None:
        unbroken = unbroken and pushed_at <= span.first_seen_at
    if not unbroken:
        closed = _close(span, confirmed_until(span, sweeps))
        return Outcome(Kind.PUSHED_AGAIN, open=begin(sight, sweeps), closed=closed)
    learned = pushed_at if span.pushed_at is None else span.pushed_at
    known = _seen(span._replace(content=sight.content, pushed_at=learned), sight.at, sweeps)
    if known == span:
        return _SAME
    return Outcome(Kind.SEEN if known._replace(seen_at=span.seen_at) == span else Kind.LEARNED, open=known)


def _close(span: Open, confirmed: int) -> Closed:
    return Closed(span.content, span.pushed_at, span.first_seen_at, confirmed)
