"""What is written down about requests: one log record for each attempt, and one for each pause.

The logger is `hubindex.http`, the level INFO. A record has the same facts twice: as a line, and as a flat dict
`record.request` for a formatter that writes JSON. Neither has headers or bodies; of a query only the keys that are
known to be harmless are named, and text from elsewhere is neutralised.
"""

import logging
from dataclasses import dataclass
from typing import Final

from yarl import URL

from hubindex.errors import SourceError
from hubindex.sources.http.address import where
from hubindex.sources.http.failures import Response
from hubindex.text import shown

_LOG: Final = logging.getLogger("hubindex.http")
_HARMLESS = frozenset({"page", "page_size", "ordering", "query", "name", "n", "last", "is_official"})
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: `number` is the attempt number within the request, from 1.

    `waited` is how many seconds passed until the gate let it through, `seconds` how many it took after that.
    """

    method: str
    url: URL
    number: int
    waited: float
    seconds: float


def attempted(attempt: Attempt, answer: Response | None, failure: SourceError | None) -> None:
    """Write down an attempt: its answer, if one came, and the error that it ends in, if it does."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    error = type(failure).__name__ if failure else None
    place, query = where(attempt.url), _query(attempt.url)
    facts: dict[str, str | int | float | None] = {
        "method": attempt.method,
        "host": shown(attempt.url.host_port_subcomponent or ""),
        "path": shown(attempt.url.raw_path, 200),
        "query": query,
        "status": answer.status if answer else None,
        "error": error,
        "bytes": len(answer.body) if answer else None,
        "seconds": round(attempt.seconds, 3),
        "attempt": attempt.number,
        "waited": round(attempt.waited, 3),
    }
    result = " ".join(str(part) for part in (facts["status"], error) if part is not None)
    size = "" if answer is None else f", {len(answer.body):,} bytes"
    waited = f", waited {attempt.waited:.1f} s" if attempt.waited >= 0.05 else ""
    again = f", attempt {attempt.number}" if attempt.number > 1 else ""
    _LOG.info(
        "%s %s%s: %s%s, %.3f s%s%s",
        attempt.method,
        place,
        f"?{query}" if query else "",
        result,
        size,
        attempt.seconds,
        again,
        waited,
        extra={"request": facts},
    )


def paused(host: str, seconds: float, why: str) -> None:
    """Write down that nothing is sent to a host for some time."""
    if _LOG.isEnabledFor(logging.INFO):
        facts = {"host": host, "pause": round(seconds, 3), "reason": why}
        _LOG.info("%s: nothing is sent for %.1f s: %s", host, seconds, why, extra={"request": facts})


def _query(url: URL) -> str:
    pairs = [(key, value) for key, value in url.query.items() if key in _HARMLESS]
    return "&".join(f"{key}={shown(value, _LONGEST_VALUE)}" for key, value in pairs)
