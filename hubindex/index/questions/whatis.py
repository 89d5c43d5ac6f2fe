"""Who has a digest, or ever had it: as what a tag points to, or as a platform image of that."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from hubindex import pasted
from hubindex.certainty import Certainty
from hubindex.digests import HEX_LENGTHS
from hubindex.errors import AmbiguousDigest, NoAnswer, WrongUsage
from hubindex.index.database.reader import Reader
from hubindex.index.evidence.judge import Sweeps
from hubindex.index.evidence.timeline import UNKNOWN, Evidence, Span
from hubindex.index.platforms import digest_text, unpack
from hubindex.index.questions.archive import Archive
from hubindex.moment import to_rfc3339
from hubindex.reference import DEFAULT_REGISTRY, Reference

_LEAST_DIGITS = 8
_MAX_LISTED = 10
MAX_IMAGES = 1000
"""How many images are looked at that may have a layer."""

_OTHER = -2  # a content in which the digest does not occur


class Holding(NamedTuple):
    """A stretch of time in which a tag had a digest: as its own, or under a platform of the index it pointed to.

    `reference` names the tag. `index_digest` is that of the image index as it was last, None for a tag's own
    digest, or if it is not known. For a digest that is a `part` of an image, `image ID` or `layer 3 of 8`, the
    stretch is that of the image `image_digest`. The other fields are those of
    `hubindex.index.questions.history.Answer`.
    """

    reference: Reference
    digest: str
    index_digest: str | None
    platform: str | None
    certainty: Certainty
    since: int
    since_earliest: int | None
    until: int | None
    until_latest: int | None
    last_seen_at: int
    pushed_at: int | None
    note: str = ""
    gaps: tuple[tuple[int, int], ...] = ()
    part: str | None = None
    image_digest: str | None = None
    witness: str | None = None


def whatis(reader: Reader, text: str) -> list[Holding]:
    """All that have or had a digest, by repository and tag, newest first; those of Docker Hub come first.

    `text` is a digest, with or without `sha256:` (or a reference with a digest), or the first eight or more of its
    hexadecimal digits. It may also be that of a configuration (the image ID) or of a layer, packed or unpacked,
    where the contents of images are known; at most `MAX_IMAGES` of them are looked at. Raises `WrongUsage` for
    anything else, `NoAnswer` if nothing is known of it, and `AmbiguousDigest` if several digests begin so.
    """
    algorithm, digits = _parse(text)
    prefix = int.from_bytes(bytes.fromhex(digits[:_LEAST_DIGITS]), "big", signed=True)
    matching: dict[str, list[_Row]] = {}
    for row in map(_Row._make, reader.query("history", "has_digest", prefix=prefix)):
        digest = digest_text(bytes(row.digest))
        if digest is None:
            continue
        its_algorithm, _, its_digits = digest.partition(":")
        if its_digits.startswith(digits) and algorithm in {None, its_algorithm}:
            matching.setdefault(digest, []).append(row)
    # A whole digest that a tag has is that of a manifest, and of nothing that is in one.
    is_whole = len(digits) in HEX_LENGTHS.values() and bool(matching)
    parts = {} if is_whole else _parts(reader, prefix, digits, algorithm)
    reports = _reports(reader, prefix, digits, algorithm)
    known = sorted({*matching, *parts, *reports})
    if not known:
        raise NoAnswer(f"no tag in the index has or had {_shown(algorithm, digits)}")
    if len(known) > 1:
        exact = [digest for digest in known if digest.endswith(f":{digits}")]
        if len(exact) != 1:
            raise AmbiguousDigest(_ambiguous(algorithm, digits, known))
        known = exact
    (digest,) = known
    found = _everywhere(reader, digest, matching.get(digest, []))
    for image, part in parts.get(digest, ()):
        rows = map(_Row._make, reader.query("history", "has_digest", prefix=_first_32_bits(image)))
        own = [row for row in rows if bytes(row.digest) == image]
        held = _everywhere(reader, digest_text(image) or "", own)
        found += [each._replace(digest=digest, part=part, image_digest=each.digest) for each in held]
    seen = {holding.reference for holding in found}
    told = reports.get(digest, [])
    for tag, platform in dict.fromkeys((each.tag, each.platform) for each in told if not each.is_by):
        if tag not in seen:
            found += _reported(reader, digest, tag, platform)
    if not found and told:
        raise NoAnswer(f"no tag in the index has or had {digest} for certain; {_hint(told)}")
    if not found and digest in parts:
        ((image, part), *_) = parts[digest]
        raise NoAnswer(f"{digest} is the {part} of {digest_text(image)}, which no tag in the index has or had")
    return found


def _parts(reader: Reader, prefix: int, digits: str, algorithm: str | None) -> dict[str, list[tuple[bytes, str]]]:
    """The configurations and layers whose digests begin so, each with the images that have it, and as what."""
    rows = reader.query("contents", "with_part", prefix=prefix, limit=MAX_IMAGES)
    if not rows:
        return {}
    from hubindex.index.questions.parts import parts_beginning

    return parts_beginning(reader, [bytes(digest) for (digest,) in rows], digits, algorithm)


class _Told(NamedTuple):
    """Who has reported a digest, of which tag, and when first; `platform` may be empty."""

    tag: Reference
    platform: str
    is_by: bool
    witness: str
    at: int
    source: str


def _reports(reader: Reader, prefix: int, digits: str, algorithm: str | None) -> dict[str, list[_Told]]:
    """The digests that begin so and are reported, each with who says so, the first ones first."""
    found: dict[str, list[_Told]] = {}
    if not reader.query("reports", "is_reported", prefix=prefix):  # as mostly
        return found
    for host, path, tag, digest, platform, is_by, witness, at, source in reader.query(
        "reports", "with_prefix", prefix=prefix
    ):
        text = digest_text(bytes(digest))
        its_algorithm, _, its_digits = (text or "").partition(":")
        if text and its_digits.startswith(digits) and algorithm in {None, its_algorithm}:
            told = _Told(Reference(host, path, tag), platform, bool(is_by), witness, at, source)
            found.setdefault(text, []).append(told)
    return found


def _hint(told: Sequence[_Told]) -> str:
    """What somebody had seen by some time, in words."""
    first = told[0]
    source = f" ({first.source})" if first.source else ""
    more = f", and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{first.witness} had seen it as {first.tag.familiar} by {to_rfc3339(first.at)}{source}{more}"


def _reported(reader: Reader, digest: str, tag: Reference, platform: str) -> list[Holding]:
    """The stretches in which a tag had a digest by what others report of it, newest first."""
    from hubindex.index.questions.history import history
    from hubindex.platform import Platform

    answers = history(reader, tag, Platform.parse(platform) if platform else None)
    return [
        Holding(
            tag, digest, None, platform or None, each.certainty, each.since or 0, each.since_earliest, each.until,
            each.until_latest, each.last_seen_at or 0, each.pushed_at, each.note, each.gaps, witness=each.witness,
        )
        for each in answers
        if each.digest == digest
    ]  # fmt: skip


def _everywhere(reader: Reader, digest: str, rows: Iterable["_Row"]) -> list[Holding]:
    """The holdings of a digest in all repositories, of which `rows` tell."""
    by_repository: dict[Reference, list[_Row]] = {}
    for row in rows:
        by_repository.setdefault(row.repository, []).append(row)
    return [
        holding
        for repository in sorted(by_repository, key=_hub_first)
        for holding in _in_repository(reader, digest, repository, by_repository[repository])
    ]


def _first_32_bits(digest: bytes) -> int:
    return int.from_bytes(digest[:4], "big", signed=True)


class _Row(NamedTuple):
    """A row of `has_digest`: a digest of a repository, and an index around it if `index_id` is not 0."""

    repository_id: int
    host: str
    path: str
    swept_at: int | None
    partial_at: int | None
    partial_since: int | None
    digest_id: int
    index_id: int
    digest: bytes
    tags: str | None
    index_digest: bytes | None
    index_images: bytes | None
    index_tags: str | None

    @property
    def repository(self) -> Reference:
        """The repository."""
        return Reference(self.host, self.path)


def _hub_first(repository: Reference) -> tuple[bool, Reference]:
    return repository.registry != DEFAULT_REGISTRY, repository


def _parse(text: str) -> tuple[str | None, str]:
    """Algorithm, if one is named, and hexadecimal digits in lower case. Raises `WrongUsage`."""
    algorithm, colon, digits = pasted.read_digest(text)[-200:].rpartition("@")[2].rpartition(":")
    digits = digits.lower()
    longest = HEX_LENGTHS.get(algorithm, max(HEX_LENGTHS.values()))
    wrong = None
    if colon and algorithm not in HEX_LENGTHS:
        wrong = f"known algorithms are {', '.join(HEX_LENGTHS)}"
    elif not re.fullmatch("[0-9a-f]+", digits):
        wrong = "a digest is written in hexadecimal digits (0-9, a-f)"
    elif len(digits) < _LEAST_DIGITS:
        wrong = f"{_LEAST_DIGITS} or more of its digits are needed"
    elif len(digits) > longest:
        wrong = f"it has {len(digits)} digits, at most {longest} are possible"
    if wrong:
        raise WrongUsage(f"{text[:80]!r} is not a digest such as sha256:… or the beginning of one: {wrong}")
    return algorithm if colon else None, digits


def _shown(algorithm: str | None, digits: str) -> str:
    whole = f"{algorithm}:{digits}" if algorithm else digits
    return whole if len(digits) in HEX_LENGTHS.values() else f"a digest that begins with {whole}"


def _ambiguous(algorithm: str | None, digits: str, matching: list[str]) -> str:
    more = f" and {len(matching) - _MAX_LISTED} more" if len(matching) > _MAX_LISTED else ""
    listed = ", ".join(matching[:_MAX_LISTED])
    begins = f"{algorithm}:{digits}" if algorithm else digits
    return f"{begins} is the beginning of {len(matching)} digests: {listed}{more}: give more digits"


class _Index(NamedTuple):
    """An image index around the digest; `images` are packed, `tags` the names of those that have or had it."""

    text: str | None
    images: bytes
    tags: str


class _Way(NamedTuple):
    """One way to have a digest: contents in which it is the image for `platform`, None for the digest itself."""

    platform: str | None
    contents: set[int]


def _in_repository(reader: Reader, digest: str, repository: Reference, rows: Sequence[_Row]) -> Iterator[Holding]:
    """The holdings in one repository, of which `rows` tell."""
    first = rows[0]
    number, own_tags = first.digest_id, first.tags
    indexes = {
        row.index_id: _Index(
            digest_text(bytes(row.index_digest or b"")), bytes(row.index_images or b""), row.index_tags or ""
        )
        for row in rows
        if row.index_id
    }
    ways = [_Way(None, {number})] if own_tags else []
    if indexes:
        ways += _platforms(reader, number, indexes)
    names = {*(own_tags or "").split(), *(tag for index in indexes.values() for tag in index.tags.split())}
    sweeps = Sweeps(first.swept_at, first.partial_at, first.partial_since)
    archive = Archive(reader, first.repository_id, sweeps)
    holders = [(number, own_tags), *((index_id, index.tags) for index_id, index in indexes.items())]
    names.update(name for more in archive.more_names(holders).values() for name in more)
    for tag, evidence in sorted(archive.tags_named(names).items()):
        for way in ways:
            for span in _held(archive, evidence, way):
                yield _holding(repository._replace(tag=tag), digest, way, span, evidence, indexes)


def _platforms(reader: Reader, number: int, indexes: Mapping[int, _Index]) -> list[_Way]:
    """For which platforms an image is in which indexes, by the platform's name."""
    found: dict[int, set[int]] = {}
    for index_id, index in indexes.items():
        for platform_id, image in unpack(index.images):
            if image == number:
                found.setdefault(platform_id, set()).add(index_id)
    # One by one: an image is hardly ever that of two platforms.
    return sorted(
        _Way(name, having)
        for platform_id, having in found.items()
        for (name,) in reader.query("history", "platform", platform_id=platform_id)
    )


def _held(archive: Archive, evidence: list[Evidence], way: _Way) -> list[Span]:
    """The spans in which a tag pointed to one of the contents, newest first."""
    held = UNKNOWN + 1

    def view(content: int) -> int:
        return held if content in way.contents else _OTHER

    return [span for span in reversed(archive.timeline(evidence, view)) if span.content == held]


def _holding(
    reference: Reference, digest: str, way: _Way, span: Span, evidence: Sequence[Evidence],
    indexes: Mapping[int, _Index],
) -> Holding:  # fmt: skip
    index_digest = None
    if way.platform is not None:
        seen = [e for e in evidence if e.content in way.contents and e.first_seen_at <= span.last_seen_at]
        index_digest = indexes[max(seen, key=attrgetter("first_seen_at")).content].text
    gaps = tuple(span.gaps())
    certainty = Certainty.INFERRED if gaps else Certainty.CONFIRMED
    return Holding(
        reference, digest, index_digest, way.platform, certainty, span.since,
        span.since_earliest, span.until, span.until_latest, span.last_seen_at, span.pushes[0].pushed_at, gaps=gaps,
    )  # fmt: skip
