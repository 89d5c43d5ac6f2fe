"""Repositories that were found: docker's fields, and docker's table."""

from collections.abc import Callable

from hubindex.index.questions.search import Found
from hubindex.views.table import Row, Table


def found_row(found: Found) -> Row:
    """The fields of a repository that was found, but for `Kind`."""
    return {
        "Name": found.reference.familiar_name,
        "Description": found.description,
        "StarCount": found.star_count,
        "IsOfficial": found.is_official,
        "IsAutomated": found.is_automated,
        "PullCount": found.pull_count,
        "UpdatedAt": _moment(found.updated_at),
    }


def found_row_with_kind(found: Found) -> Row:
    """The same with `Kind`, which takes time to load: the usual search is spared that."""
    return {**found_row(found), "Kind": found.kind}


def search_table(shorten: Callable[[str], str] = str) -> Table:
    """What `search` prints: docker's fields with docker's spellings, and the columns of docker up to 24.

    Every value is printed as text, in JSON too, and a description is one line in every format, as `shorten` makes
    it. JSON has docker's five keys; the other fields are for templates.
    """

    def describe(value: object) -> str:
        return shorten(str(value).replace("\n", " ").replace("\r", " "))

    def document(row: Row) -> Row:
        return {
            "Description": describe(row["Description"]),
            "IsAutomated": "true" if row["IsAutomated"] else "false",
            "IsOfficial": "true" if row["IsOfficial"] else "false",
            "Name": row["Name"],
            "StarCount": str(row["StarCount"]),
        }

    headers = {
        "Name": "NAME",
        "Description": "DESCRIPTION",
        "StarCount": "STARS",
        "IsOfficial": "OFFICIAL",
        "IsAutomated": "AUTOMATED",
        "PullCount": "PULLS",
        "UpdatedAt": "UPDATED",
        "Kind": "KIND",
    }
    show: dict[str, Callable[[object], object]] = {
        "Description": describe,
        "StarCount": str,
        "IsOfficial": _mark,
        "IsAutomated": _mark,
        "PullCount": _text,
        "UpdatedAt": _text,
    }
    return Table(headers, tuple(headers)[:5], "*registry.searchContext", show, document)


def _mark(value: object) -> str:
    return "[OK]" if value else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _moment(moment: int | None) -> str | None:
    if moment is None:
        return None
    from hubindex.moment import to_rfc3339

    return to_rfc3339(moment)
