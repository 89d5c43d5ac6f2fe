"""How tags changed: every move that was seen, and what differs between two moments."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hubindex.certainty import Certainty
from hubindex.index.database.reader import Reader
from hubindex.index.evidence.judge import Sweeps
from hubindex.index.evidence.timeline import GONE, UNKNOWN, Span, period, span_at
from hubindex.index.questions import repositories
from hubindex.index.questions.archive import Archive, Digest
from hubindex.index.questions.history import Past
from hubindex.moment import to_rfc3339
from hubindex.platform import Platform
from hubindex.reference import Reference, short_name


class Change(NamedTuple):
    """A tag that was `added`, `moved` or `removed`: what it pointed to before and after, and when that was.

    `since` is from when on the new state is known, `since_earliest` how far back the change can lie, `pushed_at`
    the registry's word for it where that can be believed. `certainty` is the weaker one of the two states.
    """

    repository: str
    tag: str
    change: str
    old: str | None
    new: str | None
    since: int
    since_earliest: int | None
    pushed_at: int | None
    certainty: Certainty
    note: str = ""

    @property
    def earliest(self) -> int:
        """How far back to look for it: to the push, where that is known."""
        return self.since if self.since_earliest is None or self.pushed_at is not None else self.since_earliest

    def happened_in(self, first: int, last: int) -> bool:
        """Whether it happened, or may have happened, between two moments."""
        return first <= self.since and self.earliest <= last


def tag_moves_between(
    reader: Reader, reference: Reference, platform: Platform | None, first: int, last: int
) -> list[Change]:
    """The changes of a tag that happened, or may have happened, between two moments; oldest first.

    For a platform, from one content without an image to another is no change to tell of.

    Raises `NoAnswer` if the index does not know the tag.
    """
    past = Past(reader, reference, platform)
    changes = _changes(past.archive, reference.repository, reference.tag or "", past.spans)
    return [
        change
        for change in changes
        if change.happened_in(first, last)
        and (platform is None or change.change != "moved" or change.old is not None or change.new is not None)
    ]


def moves(reader: Reader, reference: Reference) -> list[Change]:
    """Every change that was seen in a repository, newest first. Raises `NoAnswer` if it is not in the index."""
    facts = repositories.repository(reader, reference)
    archive = Archive(reader, facts.repository_id, facts.sweeps)
    found = []
    for tag, evidence in archive.tags().items():
        found += _changes(archive, facts.name, tag, archive.timeline(evidence))
    found.sort(key=lambda change: change.tag)
    found.sort(key=lambda change: change.since, reverse=True)
    return found


def _changes(archive: Archive, repository: str, tag: str, spans: Sequence[Span]) -> list[Change]:
    """Each end of one span and start of the next, oldest first.

    The first span counts as added if an earlier sweep had not found the tag.
    """
    digests = archive.digests(span.content for span in spans)
    found = []
    first = spans[0]
    absent = archive.absent_since(first.since)
    if absent is not None:
        found.append(_change(repository, tag, "added", None, first, digests, Certainty.CONFIRMED, absent[0]))
    for old, new in pairwise(spans):
        kind = "removed" if new.content == GONE else "added" if old.content == GONE else "moved"
        found.append(_change(repository, tag, kind, old, new, digests, Certainty.CONFIRMED, new.since_earliest))
    return found


def diff(reader: Reader, reference: Reference | None, start: int, end: int) -> list[Change]:
    """How the tags of a repository, or of all, differ between two moments; by name.

    Raises `NoAnswer` if the index does not know the repository.
    """
    found: list[Change] = []
    if reference is not None:
        facts = repositories.repository(reader, reference)
        archives = [(facts.name, Archive(reader, facts.repository_id, facts.sweeps))]
    else:
        rows = reader.query("history", "repositories_changed", first=period(start), last=period(end))
        archives = [(row[1], Archive(reader, row[0], Sweeps._make(row[2:]))) for row in rows]
    for name, archive in archives:
        for tag, evidence in sorted(archive.tags_changed(start, end).items()):
            change = _difference(archive, name, tag, archive.timeline(evidence), start, end)
            if change is not None:
                found.append(change)
    return found


def _difference(
    archive: Archive, repository: str, tag: str, spans: Sequence[Span], start: int, end: int
) -> Change | None:
    old, new = span_at(spans, start), span_at(spans, end)
    if new is None or old is new:
        return None
    digests = archive.digests(span.content for span in (old, new) if span is not None)
    if old is None:
        if new.content == GONE:
            return None
        absent = archive.absent_since(spans[0].since)
        if absent is not None and absent[1] <= start:
            certainty, note = Certainty.INFERRED, ""
        else:
            certainty, note = Certainty.UNKNOWN, f"nothing is known of it before {to_rfc3339(spans[0].since)}"
        return _change(repository, tag, "added", None, new, digests, certainty, absent and absent[0], note)
    if old.content == new.content:
        return None
    if new.content == GONE:
        return _change(repository, tag, "removed", old, new, digests, Certainty.INFERRED, new.since_earliest)
    kind = "added" if old.content == GONE else "moved"
    sure = old.content != GONE and old.is_confirmed(start) and new.is_confirmed(end)
    certainty = Certainty.CONFIRMED if sure else Certainty.INFERRED
    return _change(repository, tag, kind, old, new, digests, certainty, new.since_earliest)


def _change(
    repository: str, tag: str, kind: str, old: Span | None, new: Span, digests: dict[int, Digest],
    certainty: Certainty, since_earliest: int | None, note: str = "",
) -> Change:  # fmt: skip
    texts = [
        None if span is None or span.content <= UNKNOWN else digests[span.content].text for span in (old, new)
    ]
    unread = [
        span for span, text in zip((old, new), texts, strict=True)
        if span is not None and span.content != GONE and text is None
    ]  # fmt: skip
    if unread:
        certainty, note = Certainty.UNKNOWN, note or "the registry showed no digest for it"
    pushed_at = new.since if new.since == new.pushes[0].pushed_at else None
    return Change(
        short_name(repository),
        tag,
        kind,
        texts[0],
        texts[1],
        new.since,
        since_earliest,
        pushed_at,
        certainty,
        note,
    )
