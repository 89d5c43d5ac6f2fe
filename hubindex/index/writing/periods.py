"""The past of tags by the registry's own word: each period is a push, and a sight at its last moment."""

from collections.abc import Sequence

from hubindex.index.evidence.judge import confirmed_until
from hubindex.index.writing.known import KnownTag, RepositoryState
from hubindex.index.writing.tagwriter import TagWriter
from hubindex.index.writing.walks import PageOutcome
from hubindex.records import Tag, TagPeriod

_SECOND = 1000  # registries tell the past in seconds: a change came within the one that it is told for


def store_periods(tags: TagWriter, repository_id: int, periods: Sequence[TagPeriod]) -> PageOutcome:
    """Store periods that have ended, oldest first; what is known writes nothing.

    Between the end of one and the next of the same tag the tag was not there, if more than a second lies between.
    What is known of the present is not touched: of a period that lasts, only what was before it is stored.
    """
    state = tags.rows.state(repository_id)
    by_name: dict[str, list[TagPeriod]] = {}
    for period in periods:
        by_name.setdefault(period.name, []).append(period)
    tags.rows.load(state, tuple(Tag(name=name) for name in by_name))
    known = tags.rows.closed_pushes(state, by_name)
    outcome = PageOutcome()
    for name, several in by_name.items():
        for period, following in zip(several, [*several[1:], None], strict=True):
            if period.ended_at is None:
                continue
            at = max(period.started_at, period.ended_at - 1)
            tag = state.tags.get(name)
            is_open = tag is not None and _is_open(state, tag, period, at)
            if not is_open and known.get((name, period.started_at, period.digest), -1) < at:
                told = Tag(name=name, digest=period.digest, pushed_at=period.started_at)
                tags.report(state, told, at, outcome)
            if following is None or following.started_at >= period.ended_at + 2 * _SECOND:
                _end(tags, state, name, period.ended_at + _SECOND)
    return outcome


def _is_open(state: RepositoryState, tag: KnownTag, period: TagPeriod, at: int) -> bool:
    """Whether the open span is that period, seen until its end."""
    span = tag.span
    is_same = span.content == period.digest and span.pushed_at == period.started_at
    return is_same and span.gone_at is None and confirmed_until(span, state.sweeps) >= at


def _end(tags: TagWriter, state: RepositoryState, name: str, at: int) -> None:
    """The tag was not there at a moment; that is known already if anything later is."""
    tag = state.tags.get(name)
    if tag is None or tag.span.gone_at is not None:
        return
    last_seen_at = confirmed_until(tag.span, state.sweeps)
    if last_seen_at < at:
        tags.end(state, tag, last_seen_at, at)
