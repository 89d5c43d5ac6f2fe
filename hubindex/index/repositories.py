"""What the index knows of a repository and its tags as of the last look, and what the index holds in all."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hubindex.errors import NoAnswer
from hubindex.index.evidence import Open, Sweeps, confirmed_until
from hubindex.index.platforms import KEY_SIZE, unpack
from hubindex.index.reader import EMPTY, Reader, Row
from hubindex.index.timeline import UNKNOWN
from hubindex.kinds import attached, of_mask, of_tag, platforms_of
from hubindex.reference import DEFAULT_REGISTRY, Reference

_ALGORITHMS = {32: "sha256", 48: "sha384", 64: "sha512"}


class RepositoryFacts(NamedTuple):
    """A repository's row. Times are UTC milliseconds; `walk_problem` says why its last walk was no sweep.

    `kind` is what it holds, as far as known: `image`, `helm chart`; several separated by commas, or `unknown`.
    """

    repository_id: int
    name: str
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
    earlier one did, `unknown` without a digest. `aliases` are the other tags with the same content, the most
    specific version first. `kind` is what it holds: `image`, `helm chart`, `signature` and so on, or `unknown`.
    """

    name: str
    digest: str | None
    media_type: str | None
    platforms: tuple[str, ...]
    size: int | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int
    aliases: tuple[str, ...]
    certainty: str
    kind: str


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
        if reference.registry != DEFAULT_REGISTRY:
            raise NoAnswer(f"{name} is not in the index, which holds repositories of Docker Hub only")
        raise NoAnswer(f"{name} is not in the index: fetch it with 'hubindex crawl --repo {name}'")
    row = rows[0]
    kind = of_mask(row[18], is_official=bool(row[5]))
    sweeps = Sweeps._make(row[15:18])
    return RepositoryFacts._make((*row[:5], bool(row[5]), bool(row[6]), *row[7:15], sweeps, kind))


def tags(reader: Reader, facts: RepositoryFacts) -> list[TagFacts]:
    """The tags of a repository, newest first: by push time, then those without one by first sight."""
    rows = reader.query("repositories", "tags", repository_id=facts.repository_id)
    others = aliases({row[0]: row[1] or UNKNOWN for row in rows})
    platforms = _platform_names(reader, rows)
    return newest_first([_tag(row, facts, others.get(row[0], ()), platforms) for row in rows])


def newest_first(found: list[TagFacts]) -> list[TagFacts]:
    """In the order in which tags are listed.

    Where some have a push time, those without are old: Docker Hub has none before 2015, and lists the newest only.
    """
    found.sort(key=lambda tag: tag.name)
    found.sort(key=lambda tag: (tag.pushed_at is not None, tag.pushed_at or tag.first_seen_at), reverse=True)
    return found


def aliases(contents: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """For each tag that shares its content with others: these, the most specific version first.

    `contents` are the numbers of the tags' contents; what is not known is shared by nobody. A version is never
    an alias of a tag that is named as signatures are.
    """
    names: dict[tuple[int, bool], list[str]] = {}
    for name, content in contents.items():
        if content > UNKNOWN:
            names.setdefault((content, attached(name) is None), []).append(name)
    shared = [sorted(several, key=_specificity) for several in names.values() if len(several) > 1]
    return {name: tuple(other for other in several if other != name) for several in shared for name in several}


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


def digest_text(raw: bytes | None) -> str | None:
    """`sha256:…` for raw bytes; None for none, and for the key of a platform set, which is no digest."""
    if raw is None or len(raw) == KEY_SIZE:
        return None
    return f"{_ALGORITHMS[len(raw)]}:{raw.hex()}"


def _tag(row: Row, facts: RepositoryFacts, others: tuple[str, ...], platforms: dict[int, str]) -> TagFacts:
    name, _, pushed_at, first_seen_at, last_seen_at, raw, size, images, media_type, number = row
    content = None if raw is None else bytes(raw)
    last_seen = confirmed_until(Open(content, pushed_at, first_seen_at, last_seen_at), facts.sweeps)
    digest = digest_text(content)
    if digest is None:
        certainty = "unknown"
    else:
        certainty = "confirmed" if last_seen >= (facts.looked_at or 0) else "inferred"
    found = sorted({platforms[platform_id] for platform_id, _ in unpack(images or b"")})
    kind = of_tag(name, number, found)
    return TagFacts(
        name, digest, media_type, platforms_of(kind, found), size, pushed_at, first_seen_at, last_seen,
        others, certainty, kind,
    )  # fmt: skip


def _platform_names(reader: Reader, rows: list[Row]) -> dict[int, str]:
    numbers = {number for images in {row[7] for row in rows if row[7]} for number, _ in unpack(images)}
    return dict(reader.query("repositories", "platforms", platform_ids=sorted(numbers)))
