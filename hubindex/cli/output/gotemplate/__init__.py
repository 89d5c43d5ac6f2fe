"""The Go templates of docker's `--format`.

The language is Go's text/template with docker's functions, read from Go 1.24 and docker's client 28.2 and compared
with the real program, error messages included. Left out: complex numbers, methods with arguments, and functions as
values (`call` always fails).

A template comes from the user, but what it works on comes from strangers, and neither may take the program down:
nesting, steps, and the text made are bounded, and past a bound InvalidTemplate is raised.
"""

from collections.abc import Mapping
from contextlib import suppress

from hubindex.errors import InvalidTemplate

from .execute import execute
from .functions import FUNCTIONS, HEADER_FUNCTIONS
from .gofmt import Record, to_bytes
from .parser import parse

__all__ = ["Template"]


class Template:
    """A parsed template.

    Raises InvalidTemplate for text that docker refuses, in docker's words. `type_name` is what an unknown field is
    said to be missing in.

    >>> Template('{{.Name}} has {{.StarCount}}{{if .IsOfficial}} !{{end}}').render(
    ...     {"Name": "mongo", "StarCount": 10, "IsOfficial": ""})
    'mongo has 10'
    """

    def __init__(self, text: str, type_name: str = "*registry.searchContext") -> None:
        self.text = text
        self.type_name = type_name
        self._templates = parse(text, FUNCTIONS)

    def render(self, fields: Mapping[str, object], document: Mapping[str, object] | None = None) -> str:
        """The text for one row.

        Values are text, whole numbers, floats, booleans, None (Go's nil), lists and dicts. `document` is
        what `{{json .}}` prints, the fields themselves if not given. Half a character, cut off by `truncate`
        or `slice`, becomes U+FFFD. Raises InvalidTemplate with docker's message if a field is unknown or a
        function fails.
        """
        record = Record(fields, fields if document is None else document, self.type_name)
        output: list[str] = []
        execute(self.text, self._templates, FUNCTIONS, record, output)
        return _whole(output)

    def render_header(self, headers: Mapping[str, str]) -> str:
        """The line of column names, where docker's own functions leave a name as it is.

        As in docker an unknown field is `<no value>`, and an error ends the line early without a message.
        """
        output: list[str] = []
        with suppress(InvalidTemplate):
            execute(self.text, self._templates, HEADER_FUNCTIONS, dict(headers), output)
        return _whole(output)


def _whole(parts: list[str]) -> str:
    """The text, without halves of characters."""
    text = "".join(parts)
    return text if text.isprintable() else to_bytes(text).decode("utf-8", "replace")
