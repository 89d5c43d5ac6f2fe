"""What every command prints: docker's `--format`, one mechanism for all of them.

`table` (also `""`) is the command's own table, `json` one object a line, `table TEMPLATE` a table of one's own,
and any other text a Go template that is printed once a row. The rules are those of docker's client 28.2
(cli/command/formatter). `search` without a template imports nothing here but `tabwriter`: it must start fast.
"""

from collections.abc import Iterable, Iterator, Mapping

from hubindex.cli.output.tabwriter import align, table, visible
from hubindex.views.table import Row, Table


class Format:
    """A `--format` option, read for one table.

    Raises InvalidTemplate, in docker's words, if the option is a template that cannot be parsed. `is_json` is true
    if rows are printed as JSON objects.
    """

    __slots__ = ("_table", "_template", "_with_header", "is_json")

    def __init__(self, option: str, table: Table) -> None:
        self._table = table
        self._template = None
        self._with_header = option == "" or option.startswith("table")
        self.is_json = option == "json"
        if option not in ("", "table", "json"):
            from hubindex.cli.output.gotemplate import Template

            text = option.removeprefix("table").strip(" ")
            self._template = Template(text.replace("\\t", "\t").replace("\\n", "\n"), table.type_name)

    def lines(self, rows: Iterable[Row]) -> Iterator[str]:
        """The lines to print, without their newlines.

        Rows of JSON and of plain templates come out as they come in; a table waits for the last row. Raises
        InvalidTemplate if a template does not fit the rows.
        """
        if self.is_json:
            return self._json_lines(rows)
        if self._template is None:
            return self._table_lines(rows)
        rendered = self._rendered(rows)
        if not self._with_header:
            return rendered
        body = list(rendered)  # before the header, so that an error comes first, as in docker
        return align("\n".join([self._template.render_header(self._table.headers), *body]))

    def _json_lines(self, rows: Iterable[Row]) -> Iterator[str]:
        from hubindex.cli.output.jsontext import dumps_row

        for row in rows:
            yield dumps_row(self._table.document(row))

    def _table_lines(self, rows: Iterable[Row]) -> Iterator[str]:
        of = self._table
        cells = [[of.headers[name] for name in of.columns]]
        cells.extend([_cell(_safe(of.shown(row, name))) for name in of.columns] for row in rows)
        return table(cells)

    def _rendered(self, rows: Iterable[Row]) -> Iterator[str]:
        of = self._table
        assert self._template is not None
        for row in rows:
            fields = {name: _safe(of.shown(row, name)) for name in of.headers}
            yield self._template.render(fields, of.document(row))


def _safe(value: object) -> object:
    """`value` with nothing in its texts that acts on a terminal, and empty text for None."""
    if isinstance(value, str):
        return visible(value)
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    if isinstance(value, Mapping):
        return {visible(str(key)): _safe(item) for key, item in value.items()}
    return value


def _cell(value: object) -> str:
    """A value in the command's own table: lists separated by commas, booleans as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return str(value)
