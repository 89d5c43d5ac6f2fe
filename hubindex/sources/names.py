"""Names, digests and media types that a server sends: which of them a record can hold.

The grammar is that of the Go library distribution/reference (`regexp.go`).
"""

import re
from typing import Final

_MAX_NAME: Final = 255
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_component = re.compile(_COMPONENT, re.ASCII).fullmatch
_pair = re.compile(rf"{_COMPONENT}/{_COMPONENT}", re.ASCII).fullmatch
_path = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII).fullmatch
_tag = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII).fullmatch
_DIGITS = {"sha256:": 64, "sha512:": 128}


def is_namespace(text: str) -> bool:
    """Whether the text can be a namespace of Docker Hub."""
    return len(text) <= _MAX_NAME and _component(text) is not None


def is_repository(text: str) -> bool:
    """Whether the text can be a repository of Docker Hub, with its namespace: `library/mongo`."""
    return len(text) <= _MAX_NAME and _pair(text) is not None


def is_path(text: str) -> bool:
    """Whether the text can be a repository of any registry: `mongo`, `library/mongo`, `a/b/c`."""
    return len(text) <= _MAX_NAME and _path(text) is not None


def is_tag(text: str) -> bool:
    """Whether the text can be a tag."""
    return _tag(text) is not None


def digest_bytes(text: str) -> bytes | None:
    """The bytes of a `sha256:…` or `sha512:…` digest; `None`: it is none."""
    digits = _DIGITS.get(text[:7])
    if digits is None or len(text) != 7 + digits:
        return None
    try:
        digest = bytes.fromhex(text[7:])
    except ValueError:
        return None
    return digest if len(digest) * 2 == digits else None  # fromhex skips spaces


def media_type(text: str | None) -> str | None:
    """A media type of bounded length, in printable ASCII; `None`: it is none."""
    return text if text and len(text) <= _MAX_NAME and text.isascii() and text.isprintable() else None
