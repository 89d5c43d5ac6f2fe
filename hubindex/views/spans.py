"""Stretches of time in which a tag was something: their fields, and the cells of tables for people."""

from hubindex.index.questions.history import Answer, State
from hubindex.views.ages import duration
from hubindex.views.cells import digest_cell, gap_pairs, optional_moment, since_cell, some, until_cell
from hubindex.views.table import Row, Table

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

HISTORY_TABLE = Table({**SPAN_HEADERS, "Gaps": "GAPS", "Aliases": "ALIASES", "Age": "AGE"}, (), "*hubindex.Span")
HISTORY_FOR_PEOPLE = Table(
    {**HISTORY_TABLE.headers, "Aliases": "CALLED"},
    ("Digest", "Since", "Until", "Certainty", "Gaps", "Aliases", "Age"),
    "*hubindex.Span",
)


def answer_row(answer: Answer) -> Row:
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


def history_row(answer: Answer) -> Row:
    """The same with what only a whole stretch has."""
    after = answer.replaced_after
    return {
        **answer_row(answer),
        "Gaps": gap_pairs(answer.gaps),
        "Aliases": list(answer.aliases),
        "Age": None if after is None else after // 1000,
    }


def history_cells(answer: Answer, *, truncate: bool) -> Row:
    """The same for a table for people."""
    after = answer.replaced_after
    return {
        **answer_row(answer),
        "Digest": digest_cell(answer.digest, truncate=truncate) or _ABSENCES[answer.state],
        "Since": since_cell(answer.since, answer.since_earliest, answer.pushed_at, truncate=truncate),
        "Until": until_cell(answer.until, answer.until_latest, _seen(answer), truncate=truncate),
        "Gaps": len(answer.gaps) or "",
        "Aliases": some(answer.aliases) if truncate else list(answer.aliases),
        "Age": "" if after is None else duration(after),
    }


def _seen(answer: Answer) -> int | None:
    """The last sight of what is there; nobody sees what is gone."""
    return None if answer.state is State.GONE else answer.last_seen_at


_ABSENCES = {State.GONE: "(gone)", State.NO_IMAGE: "(no image)", State.UNREAD: "(unknown)"}
"""What stands in the place of a digest."""
