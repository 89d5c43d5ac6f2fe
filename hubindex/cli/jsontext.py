"""JSON as docker prints it: one line, no blanks, no HTML escapes, nothing that could act on a terminal."""

import json
import re

_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def dumps(value: object) -> str:
    r"""`value` as compact JSON text in the order of its keys.

    Go's encoder with SetEscapeHTML(false) escapes C0 controls, U+2028 and U+2029; here DEL, C1 controls and
    the marks that turn the direction of writing are escaped too. A lone surrogate becomes `\ufffd`, as in Go.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\\ufffd" if 0xD800 <= code < 0xE000 else f"\\u{code:04x}"
