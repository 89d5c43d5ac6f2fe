"""How stretches of time and changes look: their fields, and the cells of tables for people."""

from collections.abc import Sequence

from hubindex.cli.output.facts import optional_moment, short_digest
from hubindex.cli.output.tables import Row, Table
from hubindex.index.questions.changes import Change
from hubindex.index.questions.history import Answer
from hubindex.moment import to_rfc3339

SPAN_HEADERS = {
    "Reference": "REFERENCE",
    "Digest": "DIGEST",
    "Platform": "PLATFORM",
    "Certainty": "CERTAINTY",
    "Since": "SINCE",
    "SinceEarliest": "SINCE EARLIEST",
    "Until": "UNTIL",
    "UntilLatest": "UNTIL LATEST",
    "LastSeen": "LAST SEEN",
    "PushedAt": "PUSHED",
    "Note": "NOTE",
}
SPAN_TABLE = Table(SPAN_HEADERS, ("Reference", "Digest", "Certainty", "Since", "Until"), "*hubindex.Span")
"""The fields of `resolve`."""

CHANGE_HEADERS = {
    "Name": "NAME",
    "Tag": "TAG",
    "Change": "CHANGE",
    "Old": "OLD",
    "New": "NEW",
    "Since": "SINCE",
    "SinceEarliest": "SINCE EARLIEST",
    "PushedAt": "PUSHED",
    "Certainty": "CERTAINTY",
    "Note": "NOTE",
}


def span_row(answer: Answer) -> Row:
    """The fields of what a tag was, for JSON and templates."""
    return {
        "Reference": answer.reference.familiar,
        "Digest": answer.digest,
        "Platform": answer.platform,
        "Certainty": answer.certainty,
        "Since": optional_moment(answer.since),
        "SinceEarliest": optional_moment(answer.since_earliest),
        "Until": optional_moment(answer.until),
        "UntilLatest": optional_moment(answer.until_latest),
        "LastSeen": optional_moment(answer.last_seen_at),
        "PushedAt": optional_moment(answer.pushed_at),
        "Note": answer.note or None,
    }


def change_row(change: Change) -> Row:
    """The fields of a change, for JSON and templates."""
    return {
        "Name": change.repository,
        "Tag": change.tag,
        "Change": change.change,
        "Old": change.old,
        "New": change.new,
        "Since": to_rfc3339(change.since),
        "SinceEarliest": optional_moment(change.since_earliest),
        "PushedAt": optional_moment(change.pushed_at),
        "Certainty": change.certainty,
        "Note": change.note or None,
    }


def change_cells(change: Change, *, truncate: bool) -> Row:
    """The same for a table for people."""
    return {
        **change_row(change),
        "Old": digest_cell(change.old, truncate=truncate),
        "New": digest_cell(change.new, truncate=truncate),
        "Since": bounds_cell(change.earliest, change.since, truncate=truncate),
    }


def gap_pairs(gaps: Sequence[tuple[int, int]]) -> list[list[str]]:
    """The stretches for which nobody can vouch, for JSON and templates."""
    return [[to_rfc3339(first), to_rfc3339(last)] for first, last in gaps]


def since_cell(since: int | None, earliest: int | None, pushed_at: int | None, *, truncate: bool) -> str:
    """When something began: one time if it is known from a push, or else the earliest and the latest."""
    return bounds_cell(None if since == pushed_at else earliest, since, truncate=truncate)


def until_cell(until: int | None, latest: int | None, last_seen_at: int | None, *, truncate: bool) -> str:
    """When something ended, or, while it lasts, when it was last seen."""
    if until is None:
        seen = bounds_cell(None, last_seen_at, truncate=truncate)
        return f"last seen {seen}" if seen else ""
    if latest is None:  # nothing else was seen since: it may have lasted longer
        return f"{bounds_cell(until, None, truncate=truncate)} …"
    return bounds_cell(until, latest, truncate=truncate)


def bounds_cell(first: int | None, last: int | None, *, truncate: bool) -> str:
    """`2024-07-31T02:44:09Z`, or two such times if they differ; milliseconds only if not to be truncated."""
    shown = [to_rfc3339(at - at % 1000 if truncate else at) for at in (first, last) if at is not None]
    return " … ".join(dict.fromkeys(shown))


def digest_cell(digest: str | None, *, truncate: bool) -> str:
    """A digest, shortened to what can be told apart if it is to be truncated; empty if unknown."""
    return short_digest(digest) if truncate else digest or ""
