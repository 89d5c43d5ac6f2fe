"""What others say of tags: reports as the index has them, put into the terms of our own evidence."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from hubindex.index.database.reader import Reader
from hubindex.index.evidence.reported import Sighting
from hubindex.index.evidence.timeline import GONE
from hubindex.index.platforms import digest_text
from hubindex.platform import Platform
from hubindex.reports import Witness

_FOREIGN = 1 << 40
"""Where the numbers of contents begin that no digest of the repository has."""


class ReportRow(NamedTuple):
    """A row of the statements `of_tag` and `of_repository`."""

    digest: bytes
    seen_from: int
    seen_until: int
    is_by: bool | int
    platform: str
    witness: str
    source: str
    tag: str


class TagReports:
    """What is reported of one tag. `sightings` bound something, `hints` are what somebody had *seen by* a time.

    Contents have numbers as in our own evidence; `numbers` are those by digest, and get more where the repository
    does not know one: `foreign` has their digests as text.
    """

    def __init__(self, rows: Sequence[ReportRow], numbers: dict[bytes, int], platform: Platform | None) -> None:
        self._numbers = numbers
        self._views: dict[int, int] = {}
        self.foreign: dict[int, str] = {}
        # Where a witness tells the image for the platform, what it says of the whole is not asked.
        told = {
            (row.witness, row.seen_from, row.seen_until) for row in rows
            if platform is not None and row.platform and platform.fits(row.platform)
        }  # fmt: skip
        rows = [
            row for row in rows
            if row.platform or not row.digest or (row.witness, row.seen_from, row.seen_until) not in told
        ]  # fmt: skip
        self.hints = [row for row in rows if row.is_by]
        self.sightings: list[Sighting] = []
        for row in rows:
            content = None if row.is_by else self._content(row, platform)
            if content is not None:
                self.sightings.append(Sighting(content, row.seen_from, row.seen_until, row.witness, row.source))

    def view(self, of_ours: Callable[[int], int]) -> Callable[[int], int]:
        """What a content is for a platform: as reported, or else as `of_ours` knows."""
        return lambda content: self._views[content] if content in self._views else of_ours(content)

    def _content(self, row: ReportRow, platform: Platform | None) -> int | None:
        """The number of what a row is about; None if it says nothing about what is asked."""
        if not row.digest:
            return GONE
        if row.platform and (platform is None or not platform.fits(row.platform)):
            return None
        digest = bytes(row.digest)
        number = self._number(digest, digest)
        if not row.platform:
            return number
        image = self._number(b"image " + digest, digest)
        self._views[image] = number
        return image

    def _number(self, key: bytes, digest: bytes) -> int:
        number = self._numbers.setdefault(key, _FOREIGN + len(self._numbers))
        if number >= _FOREIGN:
            self.foreign[number] = digest_text(digest) or ""
        return number


def of_tag(reader: Reader, repository_id: int, tag: str | None) -> list[ReportRow]:
    """All reports about a tag of a repository."""
    rows = reader.query("reports", "of_tag", repository_id=repository_id, tag=tag)
    return [ReportRow._make(row) for row in rows]


def of_repository(reader: Reader, repository_id: int) -> dict[str, list[ReportRow]]:
    """All reports about the tags of a repository, by tag."""
    rows = [ReportRow._make(row) for row in reader.query("reports", "of_repository", repository_id=repository_id)]
    return {tag: list(several) for tag, several in groupby(rows, lambda row: row.tag)}


def known_numbers(reader: Reader, repository_id: int, rows: Iterable[ReportRow]) -> dict[bytes, int]:
    """The numbers that the repository has for digests that are reported."""
    digests = {bytes(row.digest) for row in rows if row.digest}
    prefixes = sorted({int.from_bytes(digest[:4], "big", signed=True) for digest in digests})
    if not prefixes:
        return {}
    found = reader.query("reports", "digest_ids", prefixes=prefixes, repository_id=repository_id)
    return {bytes(digest): number for digest, number in found if bytes(digest) in digests}


def witnesses(reader: Reader) -> list[Witness]:
    """Everybody who has reported something, by name."""
    return [Witness._make(row) for row in reader.query("reports", "witnesses")]
