"""JSON as docker prints it: one line, no blanks, nothing that could act on a terminal."""

import json
import re
from collections.abc import Mapping

_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def dumps(value: object) -> str:
    r"""`value` as compact JSON text in the order of its keys.

    Go's encoder with SetEscapeHTML(false) escapes C0 controls, U+2028 and U+2029; here DEL, C1 controls and
    the marks that turn the direction of writing are escaped too. A lone surrogate becomes `\ufffd`, as in Go.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def dumps_row(row: Mapping[str, object]) -> str:
    r"""A whole row: as `dumps`, and `<`, `>` and `&` escaped.

    Docker's rows go through Go's json.Marshal, which escapes them, also where the template's `json` would not.
    """
    return dumps(row).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\\ufffd" if 0xD800 <= code < 0xE000 else f"\\u{code:04x}"
