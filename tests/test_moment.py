"""Points in time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.moment import from_rfc3339, to_rfc3339

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2014-06-05T19:14:45Z", 1_401_995_685_000),
        ("2026-04-08T04:52:59.85304Z", 1_775_623_979_853),
        ("2025-09-22T11:11:26.35526421Z", 1_758_539_486_355),
        ("2025-09-08T23:52:00.999999999Z", 1_757_375_520_999),
        ("2025-09-08T23:52:00.9Z", 1_757_375_520_900),
        ("2014-06-05T19:14:45", 1_401_995_685_000),
        ("2014-06-05T21:14:45+02:00", 1_401_995_685_000),
        ("2014-06-05T13:44:45.5-05:30", 1_401_995_685_500),
        ("2014-06-05t19:14:45z", 1_401_995_685_000),
        ("2024-02-29 00:00:00Z", 1_709_164_800_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_times_that_servers_write(text: str, moment: int) -> None:
    """Any number of fraction digits, `Z`, an offset or no zone are read, and cut to milliseconds."""
    assert from_rfc3339(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2014-06-05",
        "2014-06-05T19:14Z",
        "2014-06-05T19:14:45.Z",
        "2014-06-05T19:14:45,5Z",
        "2014-06-05T19:14:45 Z",
        "2014-06-05T19:14:45Z\n",
        "2014-06-05T19:14:45+02",
        "2014-06-05T19:14:45+99:00",
        "2014-06-05T19:14:60Z",
        "2014-06-31T19:14:45Z",
        "2023-02-29T00:00:00Z",
        "2014-W23-4T19:14:45Z",
        "20140605T191445.000Z",
        "٢٠١٤-06-05T19:14:45Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59-00:01",
        "2014-06-05T19:14:45." + "0" * 1000 + "Z",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """Other notations, impossible dates, and moments before 1970 or after 9999 are no times."""
    assert from_rfc3339(text) is None


@given(times, offsets, st.integers(0, 9))
def test_agrees_with_the_calendar(time: datetime, offset: int, digits: int) -> None:
    """Every time with every offset and number of digits is the moment that the calendar says."""
    fraction = f"{time.microsecond:06d}000"[:digits]
    zone = timezone(timedelta(minutes=offset))
    sign, minutes = ("-", -offset) if offset < 0 else ("+", offset)
    text = f"{time:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (f".{fraction}" if digits else "")
    moment = from_rfc3339(f"{text}{sign}{minutes // 60:02d}:{minutes % 60:02d}")
    cut = time.replace(microsecond=int(fraction[:3].ljust(3, "0")) * 1000, tzinfo=zone)
    expected = (cut - EPOCH) // timedelta(milliseconds=1)
    assert moment == (expected if expected >= 0 else None)


@given(st.integers(0, 253_402_300_799_999))
def test_reads_what_it_prints(moment: int) -> None:
    """Printing and reading a moment gives it back."""
    assert from_rfc3339(to_rfc3339(moment)) == moment


@given(st.text() | st.text(alphabet="0123456789-T:.Zz+ ", min_size=19, max_size=40))
def test_any_text_is_safe(text: str) -> None:
    """No text raises; what is read is within range."""
    moment = from_rfc3339(text)
    assert moment is None or 0 <= moment <= 253_402_300_799_999
