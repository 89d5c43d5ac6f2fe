"""What can be shown of one kind of row: its fields, their columns, and how their values look."""

from collections.abc import Callable, Mapping, Sequence

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
        """A field as tables and templates have it."""
        value = row.get(name)
        change = self.show.get(name)
        return change(value) if change else value
