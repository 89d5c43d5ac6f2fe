"""Who has or had a digest: the fields, and the cells of tables for people."""

from hubindex.index.questions.whatis import Holding
from hubindex.views.cells import gap_pairs, optional_moment, since_cell, until_cell
from hubindex.views.table import Row, Table

_OF_SOME = {"Part", "Image", "Witness"}


def _document(row: Row) -> Row:
    """For JSON: only what is part of an image has the fields of parts, only what is reported has a witness."""
    return {name: value for name, value in row.items() if value is not None or name not in _OF_SOME}


HOLDING_TABLE = Table(
    {
        "Name": "NAME",
        "Tag": "TAG",
        "Digest": "DIGEST",
        "Index": "INDEX",
        "Platform": "PLATFORM",
        "Certainty": "CERTAINTY",
        "Since": "SINCE",
        "SinceEarliest": "SINCE EARLIEST",
        "Until": "UNTIL",
        "UntilLatest": "UNTIL LATEST",
        "LastSeen": "LAST SEEN",
        "PushedAt": "PUSHED",
        "Part": "PART",
        "Image": "IMAGE",
        "Gaps": "GAPS",
        "Note": "NOTE",
        "Witness": "WITNESS",
    },
    (),
    "*hubindex.Holding",
    document=_document,
)
HOLDINGS_FOR_PEOPLE = Table(
    {**HOLDING_TABLE.headers, "Name": "REPOSITORY:TAG", "Platform": "AS"},
    ("Name", "Platform", "Since", "Until", "Certainty"),
    "*hubindex.Holding",
)


def holding_row(holding: Holding) -> Row:
    """The fields of a holding, for JSON and templates."""
    return {
        "Name": holding.reference.familiar_name,
        "Tag": holding.reference.tag,
        "Digest": holding.digest,
        "Index": holding.index_digest,
        "Platform": holding.platform,
        "Certainty": holding.certainty,
        "Since": optional_moment(holding.since),
        "SinceEarliest": optional_moment(holding.since_earliest),
        "Until": optional_moment(holding.until),
        "UntilLatest": optional_moment(holding.until_latest),
        "LastSeen": optional_moment(holding.last_seen_at),
        "PushedAt": optional_moment(holding.pushed_at),
        "Part": holding.part,
        "Image": holding.image_digest,
        "Gaps": gap_pairs(holding.gaps),
        "Note": holding.note or None,
        "Witness": holding.witness,
    }


def holding_cells(holding: Holding, *, truncate: bool) -> Row:
    """The same for a table for people."""
    return {
        **holding_row(holding),
        "Name": holding.reference.familiar,
        "Platform": ", ".join(filter(None, (holding.part, holding.platform))) or "tag",
        "Since": since_cell(holding.since, holding.since_earliest, holding.pushed_at, truncate=truncate),
        "Until": until_cell(holding.until, holding.until_latest, holding.last_seen_at, truncate=truncate),
    }
