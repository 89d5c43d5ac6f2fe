"""Who has reported something: the fields."""

from hubindex.moment import to_rfc3339
from hubindex.reports import Witness
from hubindex.views.table import Row, Table

WITNESS_TABLE = Table(
    {
        "Name": "WITNESS",
        "ReportCount": "REPORTS",
        "TagCount": "TAGS",
        "First": "FIRST",
        "Last": "LAST",
    },
    ("Name", "ReportCount", "TagCount", "First", "Last"),
    "*hubindex.Witness",
)


def witness_row(witness: Witness) -> Row:
    """The fields of a witness."""
    return {
        "Name": witness.name,
        "ReportCount": witness.reports,
        "TagCount": witness.tags,
        "First": to_rfc3339(witness.first_at),
        "Last": to_rfc3339(witness.last_at),
    }
