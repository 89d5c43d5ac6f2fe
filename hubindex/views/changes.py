"""Changes of tags: their fields, and the cells of tables for people."""

from hubindex.index.questions.changes import Change
from hubindex.moment import to_rfc3339
from hubindex.views.cells import bounds_cell, digest_cell, optional_moment
from hubindex.views.table import Row, Table

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


DIFF_TABLE = Table(CHANGE_HEADERS, ("Change", "Tag", "Old", "New", "Since", "Certainty"), "*hubindex.Change")
MOVES_TABLE = Table(CHANGE_HEADERS, (), "*hubindex.Change")
MOVES_FOR_PEOPLE = Table(
    {**CHANGE_HEADERS, "Since": "WHEN"}, ("Since", "Tag", "Change", "Old", "New"), "*hubindex.Change"
)


def change_row(change: Change) -> Row:
    """The fields of a change, for JSON and templates."""
    return {
        "Name": change.reference.familiar_name,
        "Tag": change.reference.tag,
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


def with_repository(change: Change, cells: Row) -> Row:
    """The cells with the name of the repository before that of the tag."""
    return {**cells, "Tag": change.reference.familiar}
