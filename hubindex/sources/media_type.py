"""Media types that a server names."""

_MAX_LENGTH = 255


def media_type(text: str | None) -> str | None:
    """A media type that a record can hold: of bounded length, in printable ASCII; `None`: there is none."""
    return text if text and len(text) <= _MAX_LENGTH and text.isascii() and text.isprintable() else None
