"""What some registries tell of the past of their tags.

- Quay (`GET /api/v1/repository/{path}/tag/`, "Quay API", `listRepoTags`): a row for each stretch in which a tag
  pointed to a manifest, the newest first, times in seconds. A row without an end, or whose end is an expiration to
  come, is the present. Rows vanish some time after their end (two weeks, unless set otherwise), so that what is
  older than the oldest row is not known.
- Chainguard (`GET /v2/{path}/_chainguard/history/{tag}`, "Using the Tag History API"): when a tag was updated to
which
  digest, the oldest first, at most 1,000 at once.
- GHCR's packages API tells which tags a version has now and when the version was made, and not when a tag moved:
there
  is no history in it.

Which one a registry has is found by asking for it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from hubindex.digests import digest_bytes
from hubindex.moment import from_rfc3339
from hubindex.records import TagHistory, TagPeriod
from hubindex.reference import is_tag
from hubindex.sources.complaints import Complaints
from hubindex.sources.http.failures import Response

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 5000
MAX_ENTRIES: Final = 1000
"""How many entries Chainguard gives at once."""

PROBED: Final = frozenset({200, 400, 401, 403, 404, 405, 406, 410, 501})
"""What a registry may answer when it is asked for a history that it does not have."""

_LATEST = 4_102_444_800  # the year 2100, in seconds


class HistoryKind(Enum):
    """How a registry tells the past."""

    OF_REPOSITORY = "of a repository"
    OF_TAG = "of a tag"


class _QuayRow(Struct):
    name: object = None
    start_ts: object = None
    end_ts: object = None
    manifest_digest: object = None


class _QuayPage(Struct):
    tags: list[_QuayRow]
    has_additional: bool
    page: int = 0


class _Entry(Struct):
    digest: object = None
    updated: object = msgspec.field(name="updateTimestamp", default=None)


class _Entries(Struct):
    history: list[_Entry] | None


class QuayPage(Struct, frozen=True):
    """A page of Quay's history: the periods that were understood, and whether there are more pages."""

    periods: tuple[TagPeriod, ...]
    more: bool
    observed_at: int
    warnings: tuple[str, ...] = ()


def is_quays(answer: Response) -> bool:
    """Whether an answer is a page of Quay's history."""
    return answer.status == 200 and _decodes(answer.body, _QuayPage)


def refuses_one(answer: Response) -> bool:
    """Whether Quay does not tell the history of this repository, and may tell that of another."""
    return answer.status in {401, 403} or (answer.status == 404 and b'"error_type"' in answer.body)


def is_chainguards(answer: Response) -> bool:
    """Whether an answer is a history of Chainguard's."""
    return answer.status == 200 and _decodes(answer.body, _Entries)


def _decodes(body: bytes, its_type: type[_QuayPage | _Entries]) -> bool:
    try:
        msgspec.json.decode(body, type=its_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def read_quay(answer: Response, repository: str) -> QuayPage:
    """A page of Quay's history. Raises `msgspec.DecodeError`."""
    page = msgspec.json.decode(answer.body, type=_QuayPage)
    complaints = Complaints(f"history of {repository}")
    periods = []
    for position, row in enumerate(page.tags):
        period = _period(row, answer.sent_at)
        if isinstance(period, str):
            named = row.name if isinstance(row.name, str) else ""
            complaints.add(position, named, f"left out, because {period}")
        else:
            periods.append(period)
    return QuayPage(tuple(periods), page.has_additional and bool(page.tags), answer.sent_at, complaints.warnings())


def _period(row: _QuayRow, now: int) -> TagPeriod | str:
    """The period of a row, or why there is none."""
    if not isinstance(row.name, str) or not is_tag(row.name):
        return "its name is not a tag name"
    digest = digest_bytes(row.manifest_digest) if isinstance(row.manifest_digest, str) else None
    if digest is None:
        return "it has no digest"
    if not _is_time(row.start_ts) or not (row.end_ts is None or _is_time(row.end_ts)):
        return "its times are not times"
    assert isinstance(row.start_ts, int)
    end = row.end_ts * 1000 if isinstance(row.end_ts, int) else None
    if end is not None and end > now:  # it will expire then
        end = None
    start = row.start_ts * 1000
    if (end is not None and end < start) or start > now + _CLOCK_SKEW:
        return "it ends before it begins"
    return TagPeriod(name=row.name, digest=digest, started_at=start, ended_at=end)


_CLOCK_SKEW = 5 * 60 * 1000


def _is_time(value: object) -> bool:
    return type(value) is int and 0 < value < _LATEST


def merged(pages: Sequence[QuayPage], repository: str, *, is_whole: bool) -> TagHistory:
    """The pages of a history as one; a row that came twice, because a push moved it down, counts once."""
    found: dict[tuple[str, int, bytes], TagPeriod] = {}
    for page in pages:
        for period in page.periods:
            found[period.name, period.started_at, period.digest] = period
    complaints = Complaints(f"history of {repository}")
    if not is_whole:
        complaints.add_whole("it did not come to an end")
    warnings = tuple(warning for page in pages for warning in page.warnings) + complaints.warnings()
    return TagHistory(
        periods=_in_order(found.values()), observed_at=pages[0].observed_at, complete=not warnings,
        warnings=warnings,
    )  # fmt: skip


def _in_order(periods: Iterable[TagPeriod]) -> tuple[TagPeriod, ...]:
    return tuple(sorted(periods, key=lambda each: (each.started_at, each.ended_at or _LATEST * 1000, each.name)))


def read_chainguard(answer: Response, repository: str, tag: str) -> TagHistory:
    """An answer with a history of one tag; each entry lasts until the next. Raises `msgspec.DecodeError`."""
    entries = msgspec.json.decode(answer.body, type=_Entries).history or []
    complaints = Complaints(f"history of {repository}:{tag}")
    moves: list[tuple[int, bytes]] = []
    for position, entry in enumerate(entries):
        digest = digest_bytes(entry.digest) if isinstance(entry.digest, str) else None
        at = from_rfc3339(entry.updated) if isinstance(entry.updated, str) else None
        if digest is None or at is None or not 0 < at <= answer.sent_at + _CLOCK_SKEW:
            complaints.add(position, "", "left out, because it has no digest or no time")
            continue
        moves.append((at, digest))
    moves.sort(key=lambda move: move[0])
    ends = [at for at, _ in moves[1:]] + [None]
    periods = tuple(
        TagPeriod(name=tag, digest=digest, started_at=at, ended_at=end)
        for (at, digest), end in zip(moves, ends, strict=False)
    )
    warnings = complaints.warnings()
    return TagHistory(periods=periods, observed_at=answer.sent_at, complete=not warnings, warnings=warnings)
