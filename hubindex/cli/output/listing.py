"""One thing for people: a label and a value on each line."""

from collections.abc import Iterator, Sequence

from hubindex.cli.output.tables import Format
from hubindex.cli.output.tabwriter import visible
from hubindex.views.table import Row, Table


def listing(rows: Sequence[tuple[str, object]]) -> Iterator[str]:
    """`Name:  value` lines for one thing; empty values are left out."""
    shown = [(label, visible(str(value))) for label, value in rows if value not in {None, ""}]
    width = max((len(label) for label, _ in shown), default=0) + 1
    for label, value in shown:
        yield f"{label + ':':<{width}}  {value}"


def one(template: str, table: Table, row: Row, people: Sequence[tuple[str, object]]) -> Iterator[str]:
    """One thing: a listing for people, or what `--format` asks for."""
    output = Format(template, table)
    return listing(people) if template in {"", "table"} else output.lines([row])
