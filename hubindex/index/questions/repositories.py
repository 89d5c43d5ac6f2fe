"""What the index knows of a repository and its tags as of the last look, and what the index holds in all."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hubindex.certainty import Certainty
from hubindex.errors import NoAnswer
from hubindex.index.database.reader import EMPTY, Reader, Row
from hubindex.index.evidence.judge import Sweeps
from hubindex.index.evidence.timeline import GONE, UNKNOWN, span_at
from hubindex.index.platforms import digest_text, unpack
from hubindex.index.questions.archive import Archive, open_evidence
from hubindex.kinds import attached, of_mask, of_tag, platforms_of
from hubindex.reference import DEFAULT_REGISTRY, Reference


class RepositoryFacts(NamedTuple):
    """A repository's row. Times are UTC milliseconds; `walk_problem` says why its last walk was no sweep.

    `kind` is what it holds, as far as known: `image`, `helm chart`; several separated by commas, or `unknown`.
    """

    repository_id: int
    reference: Reference
    description: str
    star_count: int
    pull_count: int
    is_official: bool
    is_automated: bool
    updated_at: int | None
    registered_at: int | None
    first_seen_at: int
    seen_at: int
    missing_at: int | None
    gone_at: int | None
    walked_at: int | None
    walk_problem: str | None
    sweeps: Sweeps
    kind: str

    @property
    def looked_at(self) -> int | None:
        """When its tags were last looked at with success, wholly or in part."""
        return max(filter(None, (self.sweeps.swept_at, self.sweeps.partial_at)), default=None)


class TagFacts(NamedTuple):
    """A tag as of the last look at its repository.

    `digest` is None where it is not known. `certainty` is `confirmed` if the last look saw it so, `inferred` if an
    earlier one did, `unknown` without a digest. `same` are all tags with the same content, this one among them,
    the most specific version first; empty if there are no others. `kind` is what it holds: `image`, `helm chart`,
    `signature` and so on, or `unknown`.
    """

    name: str
    digest: str | None
    media_type: str | None
    platforms: tuple[str, ...]
    size: int | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int
    same: tuple[str, ...]
    certainty: Certainty
    kind: str

    @property
    def aliases(self) -> tuple[str, ...]:
        """The other tags with the same content, the most specific version first."""
        return tuple(name for name in self.same if name != self.name)


class Status(NamedTuple):
    """What an index holds: numbers of rows, and the oldest and newest answer about a repository."""

    repositories: int
    without_tags: int
    incomplete: int
    missing: int
    gone_repositories: int
    tags: int
    gone_tags: int
    closed_spans: int
    digests: int
    sweeps: int
    terms: int
    oldest_at: int | None
    newest_at: int | None


def repository(reader: Reader, reference: Reference) -> RepositoryFacts:
    """The facts about one repository. Raises `NoAnswer` if it is not in the index."""
    rows = reader.query("repositories", "repository", registry=reference.registry, name=reference.repository)
    if not rows:
        if not reader.query("repositories", "is_filled"):
            raise NoAnswer(EMPTY)
        name = reference.familiar_name
        which = ""
        if reference.registry != DEFAULT_REGISTRY:
            registries = {host for (host,) in reader.query("repositories", "registries")}
            if registries == {DEFAULT_REGISTRY}:
                which = ", which holds repositories of Docker Hub only"
            elif reference.registry not in registries:
                which = f", which holds no repositories of {reference.registry}"
        raise NoAnswer(f"{name} is not in the index{which}: fetch it with 'hubindex crawl --repo {name}'")
    row = _RepositoryRow._make(rows[0])
    return RepositoryFacts(
        row.repository_id,
        Reference(reference.registry, reference.repository),
        row.description,
        row.star_count,
        row.pull_count,
        bool(row.is_official),
        bool(row.is_automated),
        row.updated_at,
        row.registered_at,
        row.first_seen_at,
        row.seen_at,
        row.missing_at,
        row.gone_at,
        row.walked_at,
        row.walk_problem,
        Sweeps(row.swept_at, row.partial_at, row.partial_since),
        of_mask(row.kinds, is_official=bool(row.is_official)),
    )


class _RepositoryRow(NamedTuple):
    """A row of the statement `repository`."""

    repository_id: int
    description: str
    star_count: int
    pull_count: int
    is_official: bool | int
    is_automated: bool | int
    updated_at: int | None
    registered_at: int | None
    first_seen_at: int
    seen_at: int
    missing_at: int | None
    gone_at: int | None
    walked_at: int | None
    walk_problem: str | None
    swept_at: int | None
    partial_at: int | None
    partial_since: int | None
    kinds: int | None


def tags(reader: Reader, facts: RepositoryFacts) -> list[TagFacts]:
    """The tags of a repository, newest first: by push time, then those without one by first sight."""
    rows = [_TagRow._make(row) for row in reader.query("repositories", "tags", repository_id=facts.repository_id)]
    moved = _moved(reader, facts, rows)
    rows = [row for row in rows if row.tag_id not in moved or moved[row.tag_id].content != GONE]
    same = same_content({row.name: row.digest_id or UNKNOWN for row in rows})
    platforms = _platform_names(reader, rows)
    return newest_first(
        [_tag(row, facts, same.get(row.name, ()), platforms, moved.get(row.tag_id)) for row in rows]
    )


class _LastLook(NamedTuple):
    """What the last look at a tag came to by all evidence, when that was, and whether it is certain.

    `seen_at` is the last sight of that content, which the last look need not have been.
    """

    at: int
    content: int
    is_certain: bool
    seen_at: int


def _moved(reader: Reader, facts: RepositoryFacts, rows: Iterable["_TagRow"]) -> dict[int, _LastLook]:
    """The last looks at the tags of which there is older evidence, which it may contradict; by `tag_id`."""
    several = {row.tag_id: row for row in rows if row.closed_spans}
    if not several:
        return {}
    archive = Archive(reader, facts.repository_id, facts.sweeps)
    found = {}
    for tag_id, closed in archive.closed(several).items():
        evidence = [*closed, *open_evidence(several[tag_id].open_span, facts.sweeps)]
        at = max(max(piece.last_seen_at, piece.gone_at or 0) for piece in evidence)
        span = span_at(archive.timeline(evidence), at)
        assert span is not None
        found[tag_id] = _LastLook(at, span.content, span.is_confirmed(at), span.last_seen_at)
    return found


class _TagRow(NamedTuple):
    """A row of the statement `tags`."""

    name: str
    digest_id: int | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int | None
    seen_at: int | None
    tag_id: int
    closed_spans: int
    digest: bytes | None
    size: int | None
    images: bytes | None
    media_type: str | None
    kind: int | None

    @property
    def open_span(self) -> Row:
        """What `open_evidence` wants."""
        return self.digest_id, self.pushed_at, self.first_seen_at, self.last_seen_at, None, self.seen_at


def newest_first(found: list[TagFacts]) -> list[TagFacts]:
    """In the order in which tags are listed.

    Where some have a push time, those without are old: Docker Hub has none before 2015, and lists the newest only.
    """
    found.sort(key=lambda tag: tag.name)
    found.sort(key=lambda tag: (tag.pushed_at is not None, tag.pushed_at or tag.first_seen_at), reverse=True)
    return found


def same_content(contents: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """For each tag that shares its content with others: all of them and itself, the most specific version first.

    `contents` are the numbers of the tags' contents; what is not known is shared by nobody. A version is never
    an alias of a tag that is named as signatures are.
    """
    names: dict[tuple[int, bool], list[str]] = {}
    for name, content in contents.items():
        if content > UNKNOWN:
            names.setdefault((content, attached(name) is None), []).append(name)
    shared = [tuple(sorted(several, key=_specificity)) for several in names.values() if len(several) > 1]
    return {name: several for several in shared for name in several}


def most_specific_first(names: Iterable[str]) -> list[str]:
    """`7.0.12`, `7.0`, `7`, `latest`."""
    return sorted(names, key=_specificity)


def least_specific_first(names: Iterable[str]) -> list[str]:
    """`latest`, `7`, `7.0`, `7.0.12`."""
    return sorted(names, key=_specificity, reverse=True)


def _specificity(name: str) -> tuple[int, int, str]:
    """Smaller for names that say more: by the numbers of a version, then the shorter name."""
    version = re.match(r"v?(\d+(?:\.\d+)*)", name, re.ASCII)
    return -len(version[1].split(".")) if version else 0, len(name), name


def status(reader: Reader) -> Status:
    """What the index holds. Raises `NoAnswer` if it is empty."""
    counts = Status(*reader.query("repositories", "counts")[0])
    if not counts.repositories and not counts.gone_repositories:
        raise NoAnswer(EMPTY)
    return counts


def _tag(
    row: _TagRow, facts: RepositoryFacts, same: tuple[str, ...], platforms: dict[int, str],
    last_look: _LastLook | None,
) -> TagFacts:  # fmt: skip
    (opened,) = open_evidence(row.open_span, facts.sweeps)
    at = seen_at = opened.last_seen_at
    is_certain = True
    if last_look is not None:
        at, is_certain, seen_at = last_look.at, last_look.is_certain, last_look.seen_at
    digest = digest_text(None if row.digest is None else bytes(row.digest))
    if digest is None:
        certainty = Certainty.UNKNOWN
    else:
        is_seen = at >= (facts.looked_at or 0)
        certainty = Certainty.CONFIRMED if is_certain and is_seen else Certainty.INFERRED
    found = sorted({platforms[platform_id] for platform_id, _ in unpack(row.images or b"")})
    kind = of_tag(row.name, row.kind, found)
    return TagFacts(
        row.name, digest, row.media_type, platforms_of(kind, found), row.size, row.pushed_at, row.first_seen_at,
        seen_at, same, certainty, kind,
    )  # fmt: skip


def _platform_names(reader: Reader, rows: list[_TagRow]) -> dict[int, str]:
    numbers = {number for images in {row.images for row in rows if row.images} for number, _ in unpack(images)}
    return dict(reader.query("repositories", "platforms", platform_ids=sorted(numbers)))
