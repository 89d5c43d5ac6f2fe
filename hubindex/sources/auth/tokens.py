"""What both signers need: which tokens can be sent, and a clock for their lives."""

import time

import msgspec

_MAX_TOKEN = 14 * 1024  # servers take header lines of about 16 KiB


def checked(token: str | None) -> str:
    """A token that fits into a header line. Raises `msgspec.ValidationError` for anything else."""
    if not token or len(token) > _MAX_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise msgspec.ValidationError("no token")
    return token


def monotonic() -> int:
    """Milliseconds of a clock that never goes backwards; only differences mean something."""
    return time.monotonic_ns() // 1_000_000
