"""Who has a digest, or ever had it: as what a tag points to, or as a platform image of that."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from hubindex.errors import AmbiguousDigest, NoAnswer, WrongUsage
from hubindex.index.archive import Archive
from hubindex.index.evidence import Sweeps
from hubindex.index.history import CONFIRMED, INFERRED
from hubindex.index.platforms import KEY_SIZE
from hubindex.index.reader import Reader, Row
from hubindex.index.repositories import digest_text
from hubindex.index.timeline import UNKNOWN, Evidence, Span
from hubindex.reference import short_name

_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LEAST_DIGITS = 8
_MOST_LISTED = 10
_OTHER = -2  # a content in which the digest does not occur


class Holding(NamedTuple):
    """A stretch of time in which a tag had a digest: as its own, or under a platform of the index it pointed to.

    `index_digest` is that of the image index as it was last, None for a tag's own digest or if it is not known.
    The other fields are those of `hubindex.index.history.Answer`.
    """

    repository: str
    tag: str
    digest: str
    index_digest: str | None
    platform: str | None
    certainty: str
    since: int
    since_earliest: int | None
    until: int | None
    until_latest: int | None
    last_seen_at: int
    pushed_at: int | None
    note: str = ""


def whatis(reader: Reader, text: str) -> list[Holding]:
    """All that have or had a digest, by repository and tag, newest first.

    `text` is a digest, with or without `sha256:` (or a reference with a digest), or the first eight or more of its
    hexadecimal digits. Raises `WrongUsage` for anything else, `NoAnswer` if nothing is known of it, and
    `AmbiguousDigest` if several digests begin so.
    """
    algorithm, digits = _parse(text)
    prefix = int.from_bytes(bytes.fromhex(digits[:_LEAST_DIGITS]), "big", signed=True)
    matching: dict[str, list[Row]] = {}
    for row in reader.query("history", "has_digest", prefix=prefix):
        raw = bytes(row[7])
        if len(raw) == KEY_SIZE or not raw.hex().startswith(digits):
            continue
        digest = digest_text(raw) or ""
        if algorithm is None or digest.startswith(f"{algorithm}:"):
            matching.setdefault(digest, []).append(row)
    if not matching:
        raise NoAnswer(f"no tag in the index has or had {_shown(algorithm, digits)}")
    exact = [digest for digest in matching if digest.partition(":")[2] == digits]
    if len(matching) > 1 and len(exact) != 1:
        raise AmbiguousDigest(_ambiguous(algorithm, digits, sorted(matching)))
    digest = exact[0] if exact else next(iter(matching))
    by_repository: dict[int, list[Row]] = {}
    for row in matching[digest]:
        by_repository.setdefault(row[0], []).append(row)
    found: list[Holding] = []
    for rows in sorted(by_repository.values(), key=lambda rows: str(rows[0][1])):
        found += _in_repository(reader, digest, rows)
    return found


def _parse(text: str) -> tuple[str | None, str]:
    """Algorithm, if one is named, and hexadecimal digits in lower case. Raises `WrongUsage`."""
    shown = repr(text[:80])
    algorithm, colon, digits = text[-200:].rpartition("@")[2].rpartition(":")
    digits = digits.lower()
    longest = _LENGTHS.get(algorithm, max(_LENGTHS.values()))
    wrong = None
    if colon and algorithm not in _LENGTHS:
        wrong = f"known algorithms are {', '.join(_LENGTHS)}"
    elif not digits or set(digits) - set("0123456789abcdef"):
        wrong = "a digest is written in hexadecimal digits (0-9, a-f)"
    elif len(digits) < _LEAST_DIGITS:
        wrong = f"{_LEAST_DIGITS} or more of its digits are needed"
    elif len(digits) > longest:
        wrong = f"it has {len(digits)} digits, at most {longest} are possible"
    if wrong:
        raise WrongUsage(f"{shown} is not a digest such as sha256:… or the beginning of one: {wrong}")
    return algorithm if colon else None, digits


def _shown(algorithm: str | None, digits: str) -> str:
    whole = f"{algorithm}:{digits}" if algorithm else digits
    return whole if len(digits) in _LENGTHS.values() else f"a digest that begins with {whole}"


def _ambiguous(algorithm: str | None, digits: str, matching: list[str]) -> str:
    more = f" and {len(matching) - _MOST_LISTED} more" if len(matching) > _MOST_LISTED else ""
    listed = ", ".join(matching[:_MOST_LISTED])
    begins = f"{algorithm}:{digits}" if algorithm else digits
    return f"{begins} is the beginning of {len(matching)} digests: {listed}{more}: give more digits"


def _in_repository(reader: Reader, digest: str, rows: list[Row]) -> list[Holding]:
    repository_id, name, *sweeps = rows[0][:5]
    archive = Archive(reader, repository_id, Sweeps._make(sweeps))
    number = rows[0][5]
    contents = {row[6] or number for row in rows}  # the digest itself, and the indexes around it
    known = archive.digests(contents)
    names = {tag for content in contents for tag in known[content].tags}
    found: list[Holding] = []
    for tag, evidence in sorted(archive.tags_named(names).items()):
        if any(row[6] == 0 for row in rows):
            found += _holdings(archive, name, tag, evidence, digest, {number}, None)
        around = contents - {number}
        platforms = {
            platform for index in around for platform, image in known[index].images or () if image == number
        }
        for platform in sorted(platforms):
            having = {index for index in around if (platform, number) in (known[index].images or ())}
            found += _holdings(archive, name, tag, evidence, digest, having, platform)
    return found


def _holdings(
    archive: Archive, repository: str, tag: str, evidence: list[Evidence], digest: str, having: set[int],
    platform: str | None,
) -> Iterable[Holding]:  # fmt: skip
    """The spans in which a tag pointed to one of `having`, newest first."""
    held = UNKNOWN + 1

    def view(content: int) -> int:
        return held if content in having else _OTHER

    def index_of(span: Span) -> str | None:
        last = max(
            (e for e in evidence if e.content in having and e.first_seen_at <= span.last_seen_at),
            key=lambda e: e.first_seen_at,
        )
        return archive.digests([last.content])[last.content].text

    for span in reversed(archive.timeline(evidence, view)):
        if span.content == held:
            sure = all(before.until >= after.since for before, after in pairwise(span.pushes))
            yield Holding(
                short_name(repository), tag, digest, None if platform is None else index_of(span), platform,
                CONFIRMED if sure else INFERRED, span.since, span.since_earliest, span.until, span.until_latest,
                span.last_seen_at, span.pushes[0].pushed_at,
            )  # fmt: skip
