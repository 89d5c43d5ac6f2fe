"""How tags changed: every move that was seen, and what differs between two moments."""

from itertools import pairwise
from typing import NamedTuple

from hubindex.certainty import Certainty
from hubindex.index.database.reader import Reader
from hubindex.index.evidence.judge import Sweeps
from hubindex.index.evidence.reported import Merged
from hubindex.index.evidence.timeline import GONE, UNKNOWN, Span, period
from hubindex.index.questions import repositories
from hubindex.index.questions.archive import Archive, Digest
from hubindex.index.questions.history import Past
from hubindex.moment import END_OF_TIME, to_rfc3339
from hubindex.platform import Platform
from hubindex.reference import Reference


class Change(NamedTuple):
    """A tag that was `added`, `moved` or `removed`: what it pointed to before and after, and when that was.

    `reference` names the tag. `since` is from when on the new state is known, `since_earliest` how far back the
    change can lie, `pushed_at` the registry's word for it where that can be believed. `certainty` is the weaker
    one of the two states.
    """

    reference: Reference
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


def moves(
    reader: Reader,
    reference: Reference,
    platform: Platform | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[Change]:
    """Every change seen of a tag, or of all tags of a repository, that may lie between two moments; newest first.

    For a platform, from one content without an image to another is no change to tell of. Raises `NoAnswer` if the
    index does not know the tag or the repository.
    """
    found: list[Change] = []
    if reference.tag is not None:
        past = Past(reader, reference, platform)
        found += _changes(past.archive, reference, past.merged)
        if platform is not None:
            found = [change for change in found if change.change != "moved" or change.old or change.new]
    else:
        facts = repositories.repository(reader, reference)
        archive = Archive(reader, facts.repository_id, facts.sweeps)
        evidence = archive.tags()
        for tag in evidence.keys() | archive.reports().keys():
            merged = archive.merged(tag, evidence.get(tag, []))
            found += _changes(archive, facts.reference._replace(tag=tag), merged)
    last = END_OF_TIME if until is None else until
    found = [change for change in found if change.happened_in(since or 0, last)]
    found.sort(key=lambda change: change.reference.tag or "")
    found.sort(key=lambda change: change.since, reverse=True)
    return found


def _changes(archive: Archive, reference: Reference, merged: Merged) -> list[Change]:
    """Each end of one span and start of the next, oldest first.

    The first span counts as added if an earlier sweep had not found the tag.
    """
    spans = merged.spans
    if not spans:
        return []
    digests = archive.digests(span.content for span in spans)
    found = []
    first = spans[0]
    absent = archive.absent_since(first.since)
    if absent is not None:
        found.append(_change(reference, "added", None, first, digests, Certainty.CONFIRMED, absent[0]))
    for old, new in pairwise(spans):
        kind = "removed" if new.content == GONE else "added" if old.content == GONE else "moved"
        is_ours = not merged.used or (merged.is_seen_by_us(old) and merged.is_seen_by_us(new))
        certainty = Certainty.CONFIRMED if is_ours else Certainty.REPORTED
        found.append(_change(reference, kind, old, new, digests, certainty, new.since_earliest))
    return found


def diff(reader: Reader, reference: Reference | None, start: int, end: int) -> list[Change]:
    """How the tags of a repository, or of all, differ between two moments; by registry, name and tag.

    Raises `NoAnswer` if the index does not know the repository.
    """
    found: list[Change] = []
    if reference is not None:
        facts = repositories.repository(reader, reference)
        archives = [(facts.reference, Archive(reader, facts.repository_id, facts.sweeps))]
    else:
        rows = reader.query("history", "repositories_changed", first=period(start), last=period(end))
        archives = [
            (Reference(host, path), Archive(reader, repository_id, Sweeps._make(sweeps)))
            for repository_id, host, path, *sweeps in rows
        ]
    for repository, archive in archives:
        evidence = archive.tags_changed(start, end)
        reports = archive.reports()
        if missing := reports.keys() - evidence.keys():
            evidence |= archive.tags_named(missing)
        for tag in sorted(evidence.keys() | reports.keys()):
            merged = archive.merged(tag, evidence.get(tag, []))
            change = _difference(archive, repository._replace(tag=tag), merged, start, end)
            if change is not None:
                found.append(change)
    return found


def _difference(archive: Archive, reference: Reference, merged: Merged, start: int, end: int) -> Change | None:
    spans, old, new = merged.spans, merged.best_at(start), merged.best_at(end)
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
        return _change(reference, "added", None, new, digests, certainty, absent and absent[0], note)
    if old.content == new.content:
        return None
    if new.content == GONE:
        return _change(reference, "removed", old, new, digests, Certainty.INFERRED, new.since_earliest)
    kind = "added" if old.content == GONE else "moved"
    states = {merged.certainty(old, start), merged.certainty(new, end)}
    certainty = Certainty.INFERRED
    if old.content != GONE and Certainty.INFERRED not in states:
        certainty = Certainty.REPORTED if Certainty.REPORTED in states else Certainty.CONFIRMED
    return _change(reference, kind, old, new, digests, certainty, new.since_earliest)


def _change(
    reference: Reference, kind: str, old: Span | None, new: Span, digests: dict[int, Digest],
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
        reference,
        kind,
        texts[0],
        texts[1],
        new.since,
        since_earliest,
        pushed_at,
        certainty,
        note,
    )
