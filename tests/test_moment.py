"""Points in time."""

import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubindex.errors import WrongUsage
from hubindex.moment import Moment, from_rfc3339, now, parse_age, parse_moment, to_rfc3339

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
        "2014-06-05T19:14:45+02:60",
        "2014-06-05T24:00:00Z",
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


HOUR = 3_600_000
DAY = 24 * HOUR
LAST = 253_402_300_799_999
MARCH = 1_709_251_200_000  # 2024-03-01T00:00:00Z
NOW = MARCH + 30 * DAY + 15 * HOUR + 1  # 2024-03-31T15:00:00.001Z

# text, the moment: what is no whole day
POINTS = [
    ("now", NOW),
    ("2024-03-01T00:00", MARCH),
    ("2024-03-01T14:00", MARCH + 14 * HOUR),
    ("2024-03-01T14:00Z", MARCH + 14 * HOUR),
    ("2024-03-01t14:00z", MARCH + 14 * HOUR),
    ("2024-03-01 14:00", MARCH + 14 * HOUR),
    ("2024-03-01T14:00+02:00", MARCH + 12 * HOUR),
    ("2024-03-01 14:00:00-05:30", MARCH + 19 * HOUR + HOUR // 2),
    ("2024-03-01T14:00:59", MARCH + 14 * HOUR + 59_000),
    ("2024-03-01T14:00:59.9", MARCH + 14 * HOUR + 59_900),
    ("2024-03-01T14:00:59.123999999999999999Z", MARCH + 14 * HOUR + 59_123),
    ("2024-03-01T00:30:00.5+23:59", MARCH - 23 * HOUR - 29 * 60_000 + 500),
    ("2024-02-29T23:59:59.999", MARCH - 1),
    ("1970-01-01T00:00", 0),
    ("1970-01-01T02:00+02:00", 0),
    ("2024-03-31T15:00:00.001Z", NOW),
    ("2024-03-31T23:00:00.0019+08:00", NOW),
    ("7d", NOW - 7 * DAY),
    ("36h", NOW - 36 * HOUR),
    ("3w", NOW - 21 * DAY),
    ("0d", NOW),
    ("007d", NOW - 7 * DAY),
    ("19813d", NOW - 19_813 * DAY),
]

# text, the first and the last millisecond of the day
DAYS = [
    ("2024-03-01", MARCH, MARCH + DAY - 1),
    ("2024-02-29", MARCH - DAY, MARCH - 1),
    ("1970-01-01", 0, DAY - 1),
    ("yesterday", MARCH + 29 * DAY, MARCH + 30 * DAY - 1),
    ("2024-03-30", MARCH + 29 * DAY, MARCH + 30 * DAY - 1),
    ("today", MARCH + 30 * DAY, NOW),
    ("2024-03-31", MARCH + 30 * DAY, NOW),
]

# What the error says, and the texts that it is said of.
REFUSED = {
    "is not a time; write 2024-03-01, ": [
        "", " ", "d", "w", "Now", "TODAY", "tomorrow", "now ", " now", "now\n", "7 d", "7D", "36H", "7y", "7s",
        "-7d", "+7d", "7.5d", "7d ago", "1w2d", "d7", "٧d", "²d", "7d\n", "1709251200", "1709251200000", "2024",
        "2024-03", "2024-3-1", "20240301", "2024/03/01", "01.03.2024", "2024-W09-5", "2024-061", "24-03-01",
        "02024-03-01", "+2024-03-01", " 2024-03-01", "2024-03-01 ", "2024-03-01\n", "2024-03-01Z",
        "2024-03-01+02:00", "2024-03-01T", "2024-03-01T14", "2024-03-01T14Z", "2024-03-01T1400",
        "2024-03-01T14:0", "2024-03-01  14:00", "2024-03-01_14:00", "2024-03-01T14:00 Z",
        "2024-03-01T14:00 +02:00", "2024-03-01T14:00+02", "2024-03-01T14:00+0200", "2024-03-01T14:00+2:00",
        "2024-03-01T14:00UTC", "2024-03-01T14:00.5", "2024-03-01T14:00:00.", "2024-03-01T14:00:00,5",
        "2024-03-01T14:00:00.1234567890123456789", "2024-03-01T14:00\u22120200", "2024-03-01T14:00\u221202:00",
        "٢٠٢٤-03-01", "2024-03-01T14:0٠", "2024-03-01\u00a014:00", "\udc80", "\x00",
    ],
    "is not a time, there is no such day; write ": [
        "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-03-00", "2024-04-31", "0000-01-01",
    ],
    "is not a time, there is no such day, time of day or offset; write ": [
        "2024-02-30T14:00", "2024-03-01T24:00", "2024-03-01T25:00", "2024-03-01T14:60", "2024-03-01T23:59:60Z",
        "2024-03-01T14:00+24:00", "2024-03-01T14:00-24:00", "2024-03-01T14:00+02:60", "2024-03-01T14:00-99:99",
    ],
    "is in the future: now is 2024-03-31T15:00:00.001Z": [
        "2024-04-01", "2024-03-31T15:01", "2024-03-31T15:00:00.002", "2024-03-31T15:00-00:01", "9999-12-31",
        "9999-12-31T23:59:59.999-23:59",
    ],
    "is before 1970, the first year that can be named: now is 2024-03-31T15:00:00.001Z": [
        "1969-12-31", "0001-01-01", "1969-12-31T23:59:59.999", "1970-01-01T00:00+00:01",
        "0001-01-01T00:00+23:59", "19814d", "9999999w",
    ],
    "could be minutes or months, and neither can be written; write hours, days or weeks": [
        "5m", "0m", "12345678m",
    ],
    "8 digits, and at most 7 are allowed": ["10000000d", "00000000h"],
}  # fmt: skip

ages = st.tuples(st.integers(0, 9_999_999), st.sampled_from([("h", HOUR), ("d", DAY), ("w", 7 * DAY)]))
presents = st.integers(0, LAST)
near_times = st.lists(
    st.sampled_from(["2024-02-29", "1970-01-01", "9999-99-99", "T14:00", " 24:60", ":59", ".123", "Z", "+02:00"])
    | st.sampled_from(["-23:60", "7", "d", "w", "m", "now", "yesterday", " ", "\n", "\u0667", "0001-01-01"]),
    max_size=6,
).map("".join)


@pytest.mark.parametrize(("text", "moment"), POINTS)
def test_points_that_people_type(text: str, moment: int) -> None:
    """A time of day, an age and `now` are one point in time and no day."""
    assert parse_moment(text, NOW) == Moment(moment, None)


@pytest.mark.parametrize(("text", "first", "last"), DAYS)
def test_days_that_people_type(text: str, first: int, last: int) -> None:
    """A day is the whole UTC day and stands for its end, the present day for what has passed of it."""
    assert parse_moment(text, NOW) == Moment(last, (first, last))


@pytest.mark.parametrize(("text", "says"), [(text, says) for says in REFUSED for text in REFUSED[says]])
def test_nothing_is_guessed(text: str, says: str) -> None:
    """Anything else is refused in one short line that shows the text and says what is wrong."""
    with pytest.raises(WrongUsage) as caught:
        parse_moment(text, NOW)
    message = str(caught.value)
    assert message.startswith(repr(text))
    assert says in message
    assert message.isprintable()
    assert len(message) < 300


def test_yesterday_of_the_first_day() -> None:
    """On the first day of time there is a today and no yesterday."""
    assert parse_moment("today", 5) == parse_moment("1970-01-01", 5) == Moment(5, (0, 5))
    with pytest.raises(WrongUsage, match="before 1970"):
        parse_moment("yesterday", 5)


def test_midnight() -> None:
    """A day begins with its first millisecond, and has not begun one millisecond before."""
    assert parse_moment("today", MARCH) == parse_moment("2024-03-01", MARCH) == Moment(MARCH, (MARCH, MARCH))
    assert parse_moment("today", MARCH - 1) == Moment(MARCH - 1, (MARCH - DAY, MARCH - 1))
    with pytest.raises(WrongUsage, match=r"in the future: now is 2024-02-29T23:59:59\.999Z"):
        parse_moment("2024-03-01", MARCH - 1)


@given(st.tuples(presents, presents).map(sorted))
def test_a_printed_moment_is_a_point(moments: list[int]) -> None:
    """Every moment of the past, printed, is read as itself."""
    moment, present = moments
    assert parse_moment(to_rfc3339(moment), present) == Moment(moment, None)


@given(st.tuples(presents, presents).map(sorted))
def test_a_day_of_the_past_is_whole(moments: list[int]) -> None:
    """A day that is over has 86,400,000 milliseconds, those with its date, and stands for the last of them."""
    moment, present = moments
    date = to_rfc3339(moment)[:10]
    at, day = parse_moment(date, present + DAY)
    assert day is not None
    first, last = day
    assert last - first + 1 == 86_400_000
    assert first <= moment <= last == at
    assert to_rfc3339(first) == f"{date}T00:00:00Z"
    assert to_rfc3339(last) == f"{date}T23:59:59.999Z"


@given(presents)
def test_today_is_the_date_of_the_present(present: int) -> None:
    """`today` and the date of the present are the same, and both end now."""
    today = parse_moment("today", present)
    assert today == parse_moment(to_rfc3339(present)[:10], present)
    assert today.day is not None
    assert today.day[0] <= today.day[1] == today.at == present


@given(st.integers(DAY, LAST))
def test_yesterday_is_the_day_before(present: int) -> None:
    """`yesterday` is the date of a day ago, and ends where `today` begins."""
    yesterday, today = parse_moment("yesterday", present), parse_moment("today", present)
    assert yesterday == parse_moment(to_rfc3339(present - DAY)[:10], present)
    assert today.day is not None
    assert yesterday.at + 1 == today.day[0]


@given(ages, presents)
def test_ages_are_exact(age: tuple[int, tuple[str, int]], present: int) -> None:
    """An age is so many hours, days or weeks, and as a moment that long before the present."""
    number, (unit, length) = age
    text = f"{number}{unit}"
    assert parse_age(text) == number * length
    if number * length <= present:
        assert parse_moment(text, present) == Moment(present - number * length, None)
    else:
        with pytest.raises(WrongUsage, match="before 1970"):
            parse_moment(text, present)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5m", "'5m' could be minutes or months"),
        ("10000000h", "8 digits, and at most 7"),
        ("", "'' is not an age; write hours, days or weeks, such as 36h, 7d or 3w"),
        *(
            (text, "is not an age; write hours")
            for text in ("7", "d", "7D", "7 d", " 7d", "7d\n", "-7d", "٧d", "²d")
        ),
        *(
            (text, "is not an age; write hours")
            for text in ("1.5d", "1_0d", "7y", "2024-03-01", "now", "yesterday")
        ),
    ],
)
def test_what_is_no_age(text: str, says: str) -> None:
    """Only digits and one of `h`, `d`, `w` are an age."""
    with pytest.raises(WrongUsage, match=re.escape(says)):
        parse_age(text)


@given(
    st.text() | st.text(st.characters()) | st.text("0123456789-T:.Zz+ hdwm", max_size=40) | near_times, presents
)
@example("9" * 10_000 + "d", NOW)
def test_any_text_is_read_or_refused(text: str, present: int) -> None:
    """No text raises anything but WrongUsage, on one short line; what is read lies in the past."""
    said = []
    try:
        at, day = parse_moment(text, present)
        assert 0 <= at <= present
        assert day is None or 0 <= day[0] <= day[1] == at
    except WrongUsage as error:
        said.append(str(error))
    try:
        assert parse_age(text) >= 0
    except WrongUsage as error:
        said.append(str(error))
    assert all(message.isprintable() and len(message) < 300 for message in said)


@pytest.mark.parametrize("unit", ["9", "a", "\x00", "\n", "2024-03-01", "\U0010ffff", "\udc80", "'"])
@pytest.mark.parametrize("end", ["", "d", "m", "T14:00"])
def test_hostile_text_is_refused_quickly(unit: str, end: str) -> None:
    """Megabytes of text cost next to nothing and are not shown."""
    text = unit * 2_000_000 + end
    began = time.process_time()
    for read in (lambda: parse_moment(text, NOW), lambda: parse_age(text)):
        with pytest.raises(WrongUsage) as caught:
            read()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300
    assert time.process_time() - began < 2


@pytest.mark.parametrize("value", [None, ""])
def test_the_clock(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `HUBINDEX_NOW` is unset or empty, the present is the clock's."""
    if value is None:
        monkeypatch.delenv("HUBINDEX_NOW", raising=False)
    else:
        monkeypatch.setenv("HUBINDEX_NOW", value)
    before = time.time_ns() // 1_000_000
    assert before <= now() <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-03-01T00:00:00Z", MARCH),
        ("2024-03-01 00:00:00z", MARCH),
        ("2024-03-01T02:00:00.1239+02:00", MARCH + 123),
        ("2024-02-29T23:00:00-01:00", MARCH),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_a_history_is_replayed(value: str, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HUBINDEX_NOW` stands in for the clock."""
    monkeypatch.setenv("HUBINDEX_NOW", value)
    assert now() == moment


@pytest.mark.parametrize(
    "value",
    [
        " ",
        "now",
        "7d",
        "1709251200",
        "2024-03-01",
        "2024-03-01T00:00Z",
        "2024-03-01T00:00:00",
        "2024-03-01T00:00:00.123456",
        "2024-02-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2024-03-01T00:00:00Z ",
        "2024-03-01T00:00:00Z\n",
    ],
)
def test_a_present_that_is_no_time(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything in `HUBINDEX_NOW` but a time with a zone is refused, never taken for the clock."""
    monkeypatch.setenv("HUBINDEX_NOW", value)
    with pytest.raises(WrongUsage) as caught:
        now()
    assert str(caught.value) == f"HUBINDEX_NOW is not a time such as 2024-03-01T12:00:00Z: {value!r}"


def test_a_hostile_present(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `HUBINDEX_NOW` says wrongly is shown on one short line."""
    monkeypatch.setenv("HUBINDEX_NOW", "\x1b[31m\udc80\n" * 10_000)
    with pytest.raises(WrongUsage) as caught:
        now()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_import_is_cheap() -> None:
    """The module may stand on the command line's fast path."""
    code = "import sys, hubindex.moment; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "inspect", "json", "msgspec", "sqlalchemy", "aiohttp"} & set(run.stdout.split())
