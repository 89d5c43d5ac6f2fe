"""Files of reports: NDJSON (an object a line) or CSV (with a head line), in which somebody wrote what tags were.

    {"reference": "mongo:7", "digest": "sha256:…", "at": "2024-05-06T10:00:00Z", "source": "build 812"}
    reference,digest,by
    ghcr.io/acme/app:1,sha256:…,2024-05-06T10:00:00Z

`at` is when it was seen, `from` and `until` a stretch in which it was; `by` says that it was seen at some moment
up to then. A `digest` of null, or `-` in CSV, says that the tag was not there. `platform` names whose image the
digest is, `source` where exactly it stands. Other fields are left alone.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from hubindex import pasted
from hubindex.digests import digest_bytes
from hubindex.errors import HubindexError
from hubindex.moment import from_rfc3339
from hubindex.platform import Platform
from hubindex.reports import Report
from hubindex.text import quote, shown, storable

MAX_LINE = 64 * 1024
"""Characters of a line; one that is longer is refused."""

_MAX_SOURCE = 500
_MAX_COLUMNS = 100
_NOT_THERE = "-"


class Line(NamedTuple):
    """A line of a file, from 1, and the report in it, or why there is none."""

    number: int
    report: Report | None
    problem: str = ""


class _Refused(Exception):
    """Why a line is no report."""


def read_reports(lines: Iterable[str], now: int) -> Iterator[Line]:
    """The reports of a file, line by line; empty lines are left out. `now` is the present, in ms.

    The first line tells which of the two formats it is. Text of any size and content is safe.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    if first[1].lstrip("\ufeff \t").startswith("{"):
        yield _of_json(*first, now)
        for number, line in numbered:
            yield _of_json(number, line, now)
        return
    yield from _of_csv(first, numbered, now)


def _of_json(number: int, line: str, now: int) -> Line:
    try:
        if len(line) > MAX_LINE:
            raise _Refused(f"it is longer than {MAX_LINE:,} characters")
        fields = msgspec.json.decode(
            line.lstrip("\ufeff").encode("utf-8", "surrogatepass"), type=dict[str, object]
        )
        return Line(number, _report(fields, now))
    except _Refused as refused:
        return Line(number, None, str(refused))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Line(number, None, "it is not an object in JSON")


def _of_csv(head: tuple[int, str], numbered: Iterator[tuple[int, str]], now: int) -> Iterator[Line]:
    try:
        names = [name.strip().lower() for name in _cells(head[1].lstrip("\ufeff"))]
    except _Refused as refused:
        yield Line(head[0], None, str(refused))
        return
    if "reference" not in names:
        yield Line(head[0], None, "it is neither an object in JSON nor the head of a CSV file with a 'reference'")
        return
    for number, line in numbered:
        try:
            cells = _cells(line)
            if len(cells) > len(names):
                raise _Refused(f"it has {len(cells)} cells, the head has {len(names)}")
            fields: dict[str, object] = {
                name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()
            }
            if fields.get("digest") == _NOT_THERE:
                fields["digest"] = None
            yield Line(number, _report(fields, now))
        except _Refused as refused:
            yield Line(number, None, str(refused))


def _cells(line: str) -> list[str]:
    """The cells of one line; a cell has no line breaks in it."""
    if len(line) > MAX_LINE:
        raise _Refused(f"it is longer than {MAX_LINE:,} characters")
    try:
        (cells,) = csv.reader([line.rstrip("\r\n")], strict=True)
    except (csv.Error, ValueError):
        raise _Refused("it is not a line of CSV") from None
    if len(cells) > _MAX_COLUMNS:
        raise _Refused(f"it has more than {_MAX_COLUMNS} cells")
    return cells


def _report(fields: Mapping[str, object], now: int) -> Report:
    """The report in some fields. Raises `_Refused`."""
    try:
        reference = pasted.read(_text(fields, "reference"))
        platform = str(Platform.parse(_text(fields, "platform"))) if fields.get("platform") else None
    except HubindexError as error:
        raise _Refused(str(error)) from None
    if reference.digest is not None and reference.tag is None:
        raise _Refused("its reference names a digest, and no tag")
    digest = _digest(fields, reference.digest)
    is_by, first, last = _times(fields)
    if last > now:
        raise _Refused("its time is in the future")
    if is_by and digest is None:
        raise _Refused("that a tag was not there at some moment up to a time says nothing")
    source = storable(_text(fields, "source"), _MAX_SOURCE) if fields.get("source") else ""
    tag = reference._replace(digest=None).with_default_tag()
    return Report(tag, digest, first, last, is_by, platform, source)


def _digest(fields: Mapping[str, object], in_reference: str | None) -> bytes | None:
    if "digest" not in fields:
        if in_reference is None:
            raise _Refused("it has no digest; null says that the tag was not there")
        return digest_bytes(in_reference)
    if fields["digest"] is None:
        return None
    text = _text(fields, "digest").rpartition("@")[2]
    digest = digest_bytes(text)
    if digest is None:
        raise _Refused(f"{quote(text)} is not a digest")
    return digest


def _times(fields: Mapping[str, object]) -> tuple[bool, int, int]:
    """Whether it was seen *by* the time, and the first and the last moment."""
    given = {name for name in ("at", "by", "from", "until") if fields.get(name) is not None}
    if given in ({"at"}, {"by"}):
        (name,) = given
        at = _moment(fields, name)
        return name == "by", at, at
    if given == {"from", "until"}:
        first, last = _moment(fields, "from"), _moment(fields, "until")
        if first > last:
            raise _Refused("'from' is later than 'until'")
        return False, first, last
    raise _Refused("it needs one of: 'at'; 'by'; 'from' and 'until'")


def _moment(fields: Mapping[str, object], name: str) -> int:
    text = _text(fields, name)
    at = from_rfc3339(text)
    if at is None or at < 0:
        raise _Refused(f"{name!r} is {quote(text)}, not a time such as 2024-05-06T10:00:00Z")
    return at


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise _Refused(
            f"its {name!r} is missing" if value is None else f"its {name!r} is no text: {shown(str(value), 60)}"
        )
    return value
