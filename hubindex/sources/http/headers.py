"""Headers that a server may send several times."""

from collections.abc import Mapping

from multidict import MultiMapping


def joined(headers: Mapping[str, str], name: str, limit: int) -> str:
    """All values of a header, separated by commas (RFC 9110, section 5.2), and cut to `limit` characters."""
    values = headers.getall(name, []) if isinstance(headers, MultiMapping) else [headers.get(name, "")]
    return ", ".join(values)[:limit]
