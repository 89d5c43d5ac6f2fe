"""Docker Hub's list envelope, decoded fast when it is as documented, and row by row when it is not.

    {"count": n, "next": url | null | "", "previous": …, "results": […]}

A field that has an unexpected type is treated as absent, a row that is no object as an empty row; both are
complained about. The rows' meaning is in `rows`.
"""

import re
from collections.abc import Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from hubindex.sources.complaints import Complaints

_MAX_ROWS = 1000
_JSON_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair, which is left as it is
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|.)"
)


class Row(Struct):
    """The base of rows: every field has a default, and an empty `name` means that there is none."""

    name: str = ""


R = TypeVar("R", bound=Row)


class _Envelope(Struct, Generic[R]):
    results: list[R] | UnsetType | None = UNSET
    count: int | UnsetType | None = UNSET
    next: str | None = None


class _LooseEnvelope(Struct):
    results: list[Raw] | UnsetType | None = UNSET
    count: Raw | UnsetType = UNSET
    next: Raw = Raw(b"null")


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """A decoded envelope. `more` tells whether a next page is named, wherever its URL leads."""

    rows: list[R]
    count: int | None
    more: bool


class PageDecoder(Generic[R]):
    """Decodes pages of rows of one type, whose fields all have defaults."""

    def __init__(self, row_type: type[R]) -> None:
        self._fast = msgspec.json.Decoder(_Envelope[row_type])  # type: ignore[valid-type]
        self._row_decoder = RowDecoder(row_type)

    def decode(self, body: bytes, complaints: Complaints) -> Page[R]:
        """The rows of one answer. Raises `msgspec.DecodeError` if it is not JSON, or no list of rows."""
        try:
            page = self._fast.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._decode_loosely(well_formed(body), complaints)
        _require_list(page.results, page.count)
        _require_bounds(page.results or [])
        return Page(page.results or [], _known_count(page.count), bool(page.next))

    def _decode_loosely(self, body: bytes, complaints: Complaints) -> Page[R]:
        page = msgspec.json.decode(body, type=_LooseEnvelope)
        _require_list(page.results, page.count)
        _require_bounds(page.results or [])
        rows = [
            self._row_decoder.salvage(raw, position, complaints) for position, raw in enumerate(page.results or [])
        ]
        count = None if page.count is UNSET else _value(page.count)
        return Page(rows, _known_count(count), bool(_value(page.next)))


class RowDecoder(Generic[R]):
    """Decodes rows of one type, whose fields all have defaults."""

    def __init__(self, row_type: type[R]) -> None:
        self._row_type = row_type
        self._fast = msgspec.json.Decoder(row_type)
        self._fields = {
            known.encode_name: (known.name, msgspec.json.Decoder(known.type))
            for known in msgspec.structs.fields(row_type)
        }

    def decode(self, body: bytes, complaints: Complaints) -> R:
        """One row that is an answer of its own. Raises `msgspec.DecodeError` if it is no JSON object."""
        try:
            return self._fast.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._salvage(Raw(well_formed(body)), 0, complaints)

    def salvage(self, raw: Raw, position: int, complaints: Complaints) -> R:
        """The row with every field that is not understood as if it were absent."""
        try:
            return self._fast.decode(raw)
        except msgspec.DecodeError:
            pass
        try:
            return self._salvage(raw, position, complaints)
        except msgspec.DecodeError:
            return self._row_type()

    def _salvage(self, raw: Raw, position: int, complaints: Complaints) -> R:
        values: dict[str, object] = {}
        unreadable = []
        for key, value in msgspec.json.decode(raw, type=dict[str, Raw]).items():
            if key not in self._fields:
                continue
            name, decoder = self._fields[key]
            try:
                values[name] = decoder.decode(value)
            except msgspec.DecodeError:
                unreadable.append(key)
        row = msgspec.structs.replace(self._row_type(), **values)
        if unreadable:
            complaints.add(position, row.name, f"{', '.join(unreadable)} not understood")
        return row


def well_formed(body: bytes) -> bytes:
    """The JSON text with broken UTF-8 and half surrogate pairs replaced by U+FFFD, which decoders refuse."""
    return _JSON_ESCAPE.sub(
        lambda escape: rb"\ufffd" if escape["lone"] else escape[0],
        body.decode("utf-8", "replace").encode(),
    )


def _require_list(results: object, count: object) -> None:
    if results is UNSET and count is UNSET:
        raise msgspec.ValidationError("an object without `results` and `count`")


def _require_bounds(rows: Sized) -> None:
    """Ten times the most that is ever asked for is no answer to the question."""
    if len(rows) > _MAX_ROWS:
        raise msgspec.ValidationError(f"{len(rows):,} rows in one page")


def _known_count(count: object) -> int | None:
    return count if type(count) is int and 0 <= count < 2**63 else None


def _value(raw: Raw) -> object:
    try:
        value: object = msgspec.json.decode(raw)
    except msgspec.DecodeError:  # an integer of thousands of digits
        return None
    return value
