"""Points in time: UTC milliseconds inside, RFC 3339 with `Z` outside."""

import os
import re
import time
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from hubindex.errors import WrongUsage
from hubindex.text import quote

END_OF_TIME = 1 << 62
"""Later than any moment: a bound that leaves nothing out."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = datetime(1970, 1, 1)
_YEAR_10000 = 253_402_300_800_000

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_AGE_UNITS = {"h": _HOUR, "d": _DAY, "w": 7 * _DAY}
_AGE_DIGITS_MAX = 7

_AGES = "36h, 7d or 3w"
_WRITE = (
    "write 2024-03-01, 2024-03-01T14:00, 2024-03-01T14:00:00+02:00, "
    "an age such as 36h, 7d or 3w, yesterday, today or now"
)


class Moment(NamedTuple):
    """A point in time as a person named it, in UTC milliseconds since the epoch.

    `at` is the point. Where a whole day was named, `day` is its first and its last millisecond and `at` is
    the last; of the present day only what has passed counts, so that it ends now. Otherwise `day` is None.
    """

    at: int
    day: tuple[int, int] | None


def wall() -> int:
    """The machine's clock, in UTC milliseconds, whatever `now` says: for processes and logs."""
    return time.time_ns() // 1_000_000


def now() -> int:
    """The present, in UTC milliseconds since the epoch.

    The environment variable `HUBINDEX_NOW`, if it is set and not empty, stands in for the clock, so that a
    history can be replayed: a time that `from_rfc3339` reads, with `Z` or an offset. Raises WrongUsage if it
    is anything else.
    """
    text = os.environ.get("HUBINDEX_NOW")
    if not text:
        return wall()
    moment = from_rfc3339(text)
    if moment is None or not _has_zone(text):
        raise WrongUsage(f"HUBINDEX_NOW is not a time such as 2024-03-01T12:00:00Z: {quote(text, 50)}")
    return moment


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
    if not _rfc3339().fullmatch(text):
        return None
    moment = _elapsed(text)
    return moment if moment is not None and 0 <= moment < _YEAR_10000 else None


def parse_moment(text: str, now: int) -> Moment:
    """Read a point in time as people type it, the present being `now` (UTC milliseconds).

        2024-03-01                          that whole UTC day
        2024-03-01T14:00                    UTC; a `t` or one blank may stand for the `T`
        2024-03-01T14:00:00.123456+02:00    with seconds, 1 to 18 fraction digits, `Z` or an offset, each optional
        36h  7d  3w                         so many hours, days or weeks ago
        yesterday  today                    that whole UTC day
        now

    Nothing else is read, nothing is guessed, and fractions are cut to milliseconds. Text of any size and
    content is safe. Raises WrongUsage, also for what lies after `now` or before 1970.
    """
    today = now - now % _DAY
    if text == "now":
        return Moment(now, None)
    if text == "today":
        return _whole_day(text, today, now)
    if text == "yesterday":
        return _whole_day(text, today - _DAY, now)
    if _is_age(text):
        return Moment(_past(text, now - parse_age(text), now), None)
    written = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,18})?)?([Zz]|[+-]\d\d:\d\d)?)?", text, re.ASCII
    )
    if written is None:
        raise WrongUsage(f"{quote(text, 50)} is not a time; {_WRITE}")
    date, minute, second, zone = written.groups()
    moment = _elapsed(f"{date}T{minute or '00:00'}{second or ':00'}{zone or 'Z'}")
    if moment is None:
        what = "day, time of day or offset" if minute else "day"
        raise WrongUsage(f"{quote(text, 50)} is not a time, there is no such {what}; {_WRITE}")
    return Moment(_past(text, moment, now), None) if minute else _whole_day(text, moment, now)


def parse_age(text: str) -> int:
    """`36h`, `7d`, `3w` -> so many hours, days or weeks in milliseconds.

    1 to 7 digits and one of `h`, `d`, `w`; nothing else is read. Text of any size and content is safe.
    Raises WrongUsage, with a message of its own for `5m`, which could be minutes or months.
    """
    if not _is_age(text):
        raise WrongUsage(f"{quote(text, 50)} is not an age; write hours, days or weeks, such as {_AGES}")
    number, unit = text[:-1], text[-1]
    if unit == "m":
        raise WrongUsage(
            f"{quote(text, 50)} could be minutes or months, and neither can be written; "
            f"write hours, days or weeks, such as {_AGES}"
        )
    if len(number) > _AGE_DIGITS_MAX:
        many = f"{len(number)} digits, and at most {_AGE_DIGITS_MAX} are allowed"
        raise WrongUsage(f"{quote(text, 50)} is too large an age: {many}")
    return int(number) * _AGE_UNITS[unit]


@cache
def _rfc3339() -> re.Pattern[str]:
    """Compiled on first use: most commands read no such time."""
    return re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,18})?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)


def _has_zone(text: str) -> bool:
    """Whether text of the form of `_rfc3339` ends in `Z` or an offset."""
    return text[-1] in "Zz" or text[-6] in "+-"


def _elapsed(text: str) -> int | None:
    """The milliseconds since the epoch, negative before it, of text of the form of `_rfc3339`.

    None if there is no such day, time of day or offset.
    """
    # Python lets an offset have 99 minutes, and from 3.14 on a day 24:00.
    if text[11:13] > "23" or (text[-6] in "+-" and text[-2:] > "59"):
        return None
    try:
        parsed = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    elapsed = parsed - (_EPOCH_WITHOUT_ZONE if parsed.tzinfo is None else _EPOCH)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


def _is_age(text: str) -> bool:
    """Whether the text has the form of an age; `5m` has, although no unit is `m`."""
    number = text[:-1]
    return number.isascii() and number.isdigit() and (text[-1] in _AGE_UNITS or text[-1] == "m")


def _whole_day(text: str, first: int, now: int) -> Moment:
    """The UTC day that begins at `first`, up to `now`."""
    last = min(_past(text, first, now) + _DAY - 1, now)
    return Moment(last, (first, last))


def _past(text: str, moment: int, now: int) -> int:
    """The moment, if it is neither before 1970 nor after `now`; otherwise raises WrongUsage."""
    if moment > now:
        raise WrongUsage(f"{quote(text, 50)} is in the future: now is {to_rfc3339(now)}")
    if moment < 0:
        raise WrongUsage(
            f"{quote(text, 50)} is before 1970, the first year that can be named: now is {to_rfc3339(now)}"
        )
    return moment
