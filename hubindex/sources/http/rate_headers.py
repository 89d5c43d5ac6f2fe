"""What the headers of an answer say about how often a client may ask, and when it may ask again.

Docker Hub documents `X-RateLimit-Limit`, `-Remaining` and `-Reset`, and `Retry-After` after a 429. The wait has
been written as seconds, as a unix time (seen 2025-05) and in `X-Retry-After`; a CDN may write an HTTP date, and
some answers name no wait at all. What is absent, garbled or absurd is `None` here.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

SHORTEST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 120.0
_UNNAMED_WAIT = 60.0
_GREATEST_LIMIT = 1_000_000
_UNIX_TIMES = range(10**9, 10**11)  # smaller numbers are seconds, greater ones are nonsense
_NUMBER = re.compile(r"-?[0-9]{1,12}")


class RateHeaders(NamedTuple):
    """Requests allowed in a window, how many are left (negative after an overshoot), and a unix time."""

    limit: int | None
    remaining: int | None
    reset: int | None


def rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    """The allowance that an answer names."""
    limit = _number(headers.get("X-RateLimit-Limit"))
    remaining = _number(headers.get("X-RateLimit-Remaining"))
    reset = _number(headers.get("X-RateLimit-Reset"))
    return RateHeaders(
        limit if limit is not None and 1 <= limit <= _GREATEST_LIMIT else None,
        remaining if remaining is not None and abs(remaining) <= _GREATEST_LIMIT else None,
        reset if reset is not None and reset in _UNIX_TIMES else None,
    )


class Pulls(NamedTuple):
    """How many manifests a registry lets a caller have in a window of hours, and how many are left."""

    limit: int
    remaining: int


def pulls(headers: Mapping[str, str]) -> Pulls | None:
    """The allowance of pulls that a registry names, as Docker Hub's: `ratelimit-limit: 100;w=21600`."""
    limit, remaining = (
        _number(headers.get(f"RateLimit-{name}", "").partition(";")[0].strip()) for name in ("Limit", "Remaining")
    )
    if limit is None or remaining is None or not 1 <= limit <= _GREATEST_LIMIT:
        return None
    return Pulls(limit, max(remaining, 0))


def retry_wait(headers: Mapping[str, str], now: float) -> float:
    """The seconds to wait after a 429 that came at the unix time `now`: 1 to 120, about a minute if not told."""
    wait = named_wait(headers, now)
    return _UNNAMED_WAIT if wait is None else wait


def named_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds, 1 to 120, that an answer asks a client to wait; `None` if it does not."""
    for name in ("Retry-After", "X-Retry-After"):
        wait = _wait(headers.get(name, "").strip(), now)
        if wait is not None:
            return bounded(wait)
    return None


def bounded(wait: float) -> float:
    """A wait that is neither a nuisance to the server nor a standstill."""
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def _wait(text: str, now: float) -> float | None:
    number = _number(text)
    if number is not None:
        if number in _UNIX_TIMES:
            return number - now
        return number if 0 <= number < _UNIX_TIMES.start else None
    try:
        return parsedate_to_datetime(text[:64]).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None
