"""Text that a server sent, made safe: to print on one line, to store, and to parse as JSON."""

import re

_JSON_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair, which is left as it is
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|.)"
)


def shown(text: str, limit: int = 120) -> str:
    """The text for a message: at most `limit` characters, unprintable ones written as escapes, one line."""
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return cut[:limit] + "…" if len(text) > limit or len(cut) > limit else cut


def storable(text: str, limit: int) -> str:
    """The text for a database: at most `limit` characters, no NUL (PostgreSQL refuses it), valid Unicode."""
    cut = text[:limit]
    if "\0" in cut:
        cut = cut.replace("\0", "")
    if not cut.isascii():
        cut = cut.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return cut


def well_formed(body: bytes) -> bytes:
    """The JSON text with broken UTF-8 and half surrogate pairs replaced by U+FFFD, which decoders refuse."""
    return _JSON_ESCAPE.sub(
        lambda escape: rb"\ufffd" if escape["lone"] else escape[0],
        body.decode("utf-8", "replace").encode(),
    )
