"""The evidence about one repository's tags, loaded from its rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from hubindex.index.database.reader import Reader, Row
from hubindex.index.digest_names import FULL
from hubindex.index.evidence.judge import Sweeps, last_sight
from hubindex.index.evidence.reported import Merged, merge
from hubindex.index.evidence.timeline import UNKNOWN, Evidence, Span, Sweep, timeline
from hubindex.index.platforms import digest_text, unpack

if TYPE_CHECKING:
    from hubindex.index.questions.reported import ReportRow


class Digest(NamedTuple):
    """A content of a repository: its digest as text, None if only the platform images are known.

    `images` are (platform, number of the image's digest), None if they are not known; `tags` the names of all tags
    that have or had it. `kind` is the number stored for what it is.
    """

    text: str | None
    size: int | None
    images: tuple[tuple[str, int], ...] | None
    media_type: str | None
    tags: tuple[str, ...]
    kind: int | None


class _DigestRow(NamedTuple):
    """A row of the statement `digests`."""

    digest_id: int
    digest: bytes
    size: int | None
    images: bytes | None
    media_type: str | None
    tags: str | None
    kind: int | None


class Archive:
    """One repository's evidence; rows are loaded as they are asked for."""

    def __init__(self, reader: Reader, repository_id: int, sweeps: Sweeps) -> None:
        self._reader = reader
        self._sweeps = sweeps
        self._past_sweeps: list[Sweep] | None = None
        self._digests: dict[int, Digest] = {}
        self._platforms: dict[int, str] = {}
        self._reports: dict[str, list[ReportRow]] | None = None
        self._numbers: dict[bytes, int] = {}
        self.repository_id = repository_id

    def tags(self) -> dict[str, list[Evidence]]:
        """The evidence about every tag."""
        return self._of(self._query("tags"), self._query("spans"))

    def tags_named(self, names: Iterable[str]) -> dict[str, list[Evidence]]:
        """The evidence about some tags, where there is any; by name."""
        rows = self._query("tags_named", names=list(names))
        return {name: tag_evidence(list(several), self._sweeps) for name, several in groupby(rows, _name)}

    def tags_changed(self, after: int, until: int) -> dict[str, list[Evidence]]:
        """The evidence about all tags whose state may differ between two moments, and perhaps of others."""
        return self._with_spans(self._query("tags_changed", after=after, until=until))

    def reports(self) -> "dict[str, list[ReportRow]]":
        """What others say of the tags of the repository, by tag."""
        if self._reports is None:
            from hubindex.index.questions import reported

            self._reports = reported.of_repository(self._reader, self.repository_id)
            rows = [row for several in self._reports.values() for row in several]
            self._numbers = reported.known_numbers(self._reader, self.repository_id, rows)
        return self._reports

    def merged(self, tag: str, evidence: list[Evidence]) -> Merged:
        """All that is known of a tag: our own evidence, and what others report."""
        rows = self.reports().get(tag)
        if not rows:
            spans = self.timeline(evidence) if evidence else []
            return Merged(spans, spans, (), ())
        from hubindex.index.questions import reported

        reports = reported.TagReports(rows, self._numbers, None)
        self.know(reports.foreign)
        return merge(evidence, reports.sightings, self.sweeps)

    def know(self, foreign: Mapping[int, str]) -> None:
        """Take in contents that the repository does not know, by number, with their digests as text."""
        self._digests.update(
            (number, Digest(text, None, None, None, (), None)) for number, text in foreign.items()
        )

    def timeline(self, evidence: list[Evidence], view: Callable[[int], int] | None = None) -> list[Span]:
        """The spans of a tag; see `hubindex.index.evidence.timeline.timeline`."""
        return timeline(evidence, self.sweeps, view)

    def sweeps(self) -> list[Sweep]:
        """Start and end of each sweep, oldest first."""
        if self._past_sweeps is None:
            self._past_sweeps = [(started, finished) for started, finished in self._query("sweeps")]
        return self._past_sweeps

    def absent_since(self, at: int) -> tuple[int, int] | None:
        """Of the sweeps that were over before a moment: when the last one began, and the first one ended."""
        over = [(started, finished) for started, finished in self.sweeps() if finished < at]
        if not over:
            return None
        (_, first_ended), (last_began, _) = over[0], over[-1]
        return last_began, first_ended

    def digests(self, numbers: Iterable[int]) -> dict[int, Digest]:
        """Contents by number, at least those asked for."""
        missing = sorted({number for number in numbers if number > UNKNOWN} - self._digests.keys())
        if missing:
            rows = [_DigestRow._make(row) for row in self._query("digests", digest_ids=missing)]
            self._name_platforms(row.images for row in rows)
            more = self.more_names((row.digest_id, row.tags) for row in rows)
            for row in rows:
                self._digests[row.digest_id] = Digest(
                    digest_text(bytes(row.digest)),
                    row.size,
                    None if row.images is None else self._images(bytes(row.images)),
                    row.media_type,
                    (*(row.tags or "").split(), *more.get(row.digest_id, ())),
                    row.kind,
                )
        return self._digests

    def more_names(self, several: Iterable[tuple[int, str | None]]) -> dict[int, list[str]]:
        """By number of the digest the names that its row has no room for; `several` are numbers and names."""
        full = [number for number, names in several if len(names or "") >= FULL]
        found: dict[int, list[str]] = {}
        for number, names in self._query("digest_tags", digest_ids=full) if full else ():
            found.setdefault(number, []).extend(names.split())
        return found

    def _images(self, packed: bytes) -> tuple[tuple[str, int], ...]:
        return tuple((self._platforms[platform_id], number) for platform_id, number in unpack(packed))

    def _name_platforms(self, several: Iterable[bytes | None]) -> None:
        numbers = {number for images in several if images for number, _ in unpack(bytes(images))}
        missing = sorted(numbers - self._platforms.keys())
        if missing:
            rows = self._reader.query("history", "platforms", platform_ids=missing)
            self._platforms.update((number, name) for number, name in rows)

    def _query(self, name: str, **parameters: object) -> list[Row]:
        return self._reader.query("history", name, repository_id=self.repository_id, **parameters)

    def _with_spans(self, tags: list[Row]) -> dict[str, list[Evidence]]:
        return self._of(tags, self._query("spans_of", tag_ids=[tag_id for _, tag_id, *_ in tags]) if tags else [])

    def closed(self, tag_ids: Iterable[int]) -> dict[int, list[Evidence]]:
        """The evidence about some tags beside their open spans, where there is any; by `tag_id`."""
        return _closed(self._query("spans_of", tag_ids=list(tag_ids)))

    def _of(self, tags: list[Row], spans: list[Row]) -> dict[str, list[Evidence]]:
        closed = _closed(spans)
        found = {}
        for name, tag_id, *current in tags:
            evidence = closed.get(tag_id, [])
            evidence += open_evidence(current, self._sweeps)
            found[name] = evidence
        return found


def _closed(spans: Iterable[Row]) -> dict[int, list[Evidence]]:
    closed: dict[int, list[Evidence]] = {}
    for tag_id, digest_id, pushed_at, first, last, gone_at in spans:
        closed.setdefault(tag_id, []).append(Evidence(digest_id or UNKNOWN, pushed_at, first, last, gone_at))
    return closed


# Columns of the statements `tag` and `tags_named`.
_OPEN, _CLOSED = slice(0, 6), slice(6, 11)
_name = itemgetter(11)


def tag_evidence(rows: Sequence[Row], sweeps: Sweeps) -> list[Evidence]:
    """The evidence about one tag, in rows as those of the statement `tag`; what is open comes last."""
    opened = open_evidence(rows[0][_OPEN], sweeps)
    _, _, first_seen_at, _, _ = rows[0][_CLOSED]
    if first_seen_at is None:
        return opened
    return [Evidence(*row[_CLOSED]) for row in rows] + opened


def open_evidence(row: Sequence[int | None], sweeps: Sweeps) -> list[Evidence]:
    """The span in a tag's row, if it is there.

    The row has digest_id, pushed_at, first_seen_at, last_seen_at, gone_at and seen_at.
    """
    digest_id, pushed_at, first, last, gone_at, seen_at = row
    if gone_at is not None or first is None:
        return []
    if last is None:
        last = last_sight(pushed_at, first, seen_at, sweeps, is_known=digest_id is not None)
    return [Evidence(digest_id or UNKNOWN, pushed_at, first, last)]
