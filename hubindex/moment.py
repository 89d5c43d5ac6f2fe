"""Points in time: UTC milliseconds inside, RFC 3339 with `Z` outside."""

import re
import time
from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = datetime(1970, 1, 1)
_YEAR_10000 = 253_402_300_800_000
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,18})?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)


def now() -> int:
    """The present, in UTC milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def to_rfc3339(moment: int) -> str:
    """`1709251200000` -> `2024-03-01T00:00:00Z`; milliseconds are printed only where there are any."""
    seconds, milliseconds = divmod(moment, 1000)
    fraction = f".{milliseconds:03d}" if milliseconds else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"


def from_rfc3339(text: str) -> int | None:
    """`2024-03-01T00:00:00.123456789Z` -> `1709251200123`: the moment, cut (not rounded) to milliseconds.

    For times that servers write: 0 to 18 fraction digits, `Z`, an offset, or no zone at all, which is
    read as UTC. Anything else, and a moment before 1970 or after 9999, is `None`.
    """
    if not _RFC3339.fullmatch(text):
        return None
    try:
        parsed = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    elapsed = parsed - (_EPOCH_WITHOUT_ZONE if parsed.tzinfo is None else _EPOCH)
    moment = (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
    return moment if 0 <= moment < _YEAR_10000 else None
