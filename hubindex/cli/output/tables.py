"""What every command prints: docker's `--format`, one mechanism for all of them.

`table` (also `""`) is the command's own table, `json` one object a line, `table TEMPLATE` a table of one's own,
and any other text a Go template that is printed once a row. The rules are those of docker's client 28.2
(cli/command/formatter). `search` without a template imports nothing here but `tabwriter`: it must start fast.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .tabwriter import align, ellipsis, table, visible

Row = Mapping[str, object]
"""A row by docker-style field names; values are text, numbers, booleans, None, and lists and dicts of these."""


class Table:
    """What a command can print about a row.

    `headers` names every field and its column, in the order of the JSON object; `columns` are the fields of the
    command's own table. `show` says how a value looks in tables and templates (JSON has the value itself), and
    `document` makes the JSON object where it is not simply the fields. `type_name` is where an unknown field of a
    template is said to be missing.
    """

    __slots__ = ("columns", "document", "headers", "show", "type_name")

    def __init__(
        self,
        headers: Mapping[str, str],
        columns: Sequence[str],
        type_name: str,
        show: Mapping[str, Callable[[object], object]] | None = None,
        document: Callable[[Row], Row] | None = None,
    ) -> None:
        self.headers = headers
        self.columns = columns
        self.type_name = type_name
        self.show = show or {}
        self.document = document or self._all_fields

    def _all_fields(self, row: Row) -> Row:
        return {name: row[name] for name in self.headers}

    def shown(self, row: Row, name: str) -> object:
        """A field as tables and templates have it: absent values empty, texts safe for a terminal."""
        value = row.get(name)
        change = self.show.get(name)
        return _safe(change(value) if change else value)


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
            from .gotemplate import Template

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
        from .jsontext import dumps_row

        for row in rows:
            yield dumps_row(self._table.document(row))

    def _table_lines(self, rows: Iterable[Row]) -> Iterator[str]:
        of = self._table
        cells = [[of.headers[name] for name in of.columns]]
        cells.extend([_cell(of.shown(row, name)) for name in of.columns] for row in rows)
        return table(cells)

    def _rendered(self, rows: Iterable[Row]) -> Iterator[str]:
        of = self._table
        assert self._template is not None
        for row in rows:
            fields = {name: of.shown(row, name) for name in of.headers}
            yield self._template.render(fields, of.document(row))


def search_table(*, truncate: bool) -> Table:
    """What `search` prints: docker's fields with docker's spellings, and the columns of docker up to 24.

    Rows need `Name`, `Description`, `StarCount`, `IsOfficial`, `IsAutomated`, `PullCount` and `UpdatedAt`, and may
    have `Kind`. Every value is printed as text, in JSON too, and a description is one line of at most 45
    columns in every format unless `truncate` is false. JSON has docker's five keys; the other fields are for
    templates.
    """

    def describe(value: object) -> str:
        text = str(value).replace("\n", " ").replace("\r", " ")
        return ellipsis(text) if truncate else text

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
