"""Text from outside, made safe: to show on one line, and to store."""


def quote(text: str, most: int = 80) -> str:
    """The beginning of untrusted text, quoted on one line, control characters escaped, of bounded length."""
    shown = repr(text[:most])
    if len(text) <= most and len(shown) <= most + 2:
        return shown
    return f"{shown[:most]}…{shown[-1]}"


def shown(text: str, limit: int = 120) -> str:
    """As `quote`, without quotation marks: at most `limit` characters, unprintable ones written as escapes."""
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
