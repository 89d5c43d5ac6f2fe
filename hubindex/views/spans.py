"""Stretches of time in which a tag was something: their fields, and the cells of tables for people."""

from collections.abc import Callable, Mapping

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
    "Witness": "WITNESS",
}


def _document(headers: Mapping[str, str]) -> Callable[[Row], Row]:
    """For JSON: who reported it is told where somebody did."""
    return lambda row: {name: row[name] for name in headers if name != "Witness" or row[name] is not None}


SPAN_TABLE = Table(
    SPAN_HEADERS, ("Reference", "Digest", "Certainty", "Since", "Until"), "*hubindex.Span",
    document=_document(SPAN_HEADERS),
)  # fmt: skip
"""The fields of `resolve`."""

_HISTORY_HEADERS = {**SPAN_HEADERS, "Gaps": "GAPS", "Aliases": "ALIASES", "Age": "AGE"}
HISTORY_TABLE = Table(_HISTORY_HEADERS, (), "*hubindex.Span", document=_document(_HISTORY_HEADERS))
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
        "Witness": answer.witness,
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
