"""The records of docker-library/repo-info: what the tags of the official images were, since late 2015.

A program of Docker's looks at the Hub and commits what changed; the time of a commit is that of the look, good to
some minutes. `repos/NAME/tag-details.md` has all tags of an image, `repos/NAME/remote/TAG.md` one; the shape of a
tag's part has changed over the years, and every one is read. A file that is removed says nothing of the tag.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from hubindex.digests import digest_bytes
from hubindex.errors import InvalidReference
from hubindex.kinds import UNKNOWN_PLATFORM
from hubindex.reference import DEFAULT_REGISTRY, Reference, is_tag
from hubindex.reports import Report
from hubindex.sources.git.repository import BlobReader, Commit

WITNESS: Final = "repo-info"
FOLDER: Final = "repos"
MAX_FILE: Final = 32 * 1024 * 1024

_MAX_LINE = 2000
_BEGINNINGS = frozenset("#$*")
_HEADING = re.compile(r"^(##|###) `([^`]+)`(?: - (.+))?\s*$")
_PULL = re.compile(r"^\$ docker pull (?:\S+/)?[^\s@]+@(sha\d+:[0-9a-f]+)\s*$")
_ABSENT = "**does not exist**"
_PLATFORM = re.compile(r"^([a-z0-9]+)(?: version ([0-9.]+))?; ([a-z0-9_]+)(?: variant (v[0-9]+))?$")


class Seen(NamedTuple):
    """What a file says of a tag: its digest, None if it was not there, and those of its images by platform."""

    tag: str
    digest: bytes | None
    images: tuple[tuple[str, bytes], ...] = ()


def is_record(path: str, name: str) -> bool:
    """Whether a file has digests of the tags of an image."""
    beginning = f"{FOLDER}/{name}/"
    rest = path.removeprefix(beginning)
    return path.startswith(beginning) and (
        rest == "tag-details.md" or (rest.startswith("remote/") and rest.endswith(".md") and rest.count("/") == 1)
    )


def read_record(text: str, name: str) -> list[Seen]:
    """What a file of any era says of the tags of an image. What is not understood is left out."""
    found: dict[str, Seen] = {}
    tag: str | None = None
    platform: str | None = None
    for line in text.splitlines():
        if line[:1] not in _BEGINNINGS or len(line) > _MAX_LINE:
            continue
        if heading := _HEADING.match(line):
            image, _, named = heading[2].rpartition(":")
            is_tags = heading[1] == "##" and heading[3] is None
            platform = None if heading[3] is None else _platform(heading[3])
            tag = named if image == name and is_tag(named) and (is_tags or platform) else None
        elif tag is not None and line.startswith(_ABSENT) and platform is None:
            found[tag] = Seen(tag, None)
            tag = None
        elif tag is not None and (pull := _PULL.match(line)):
            digest = digest_bytes(pull[1])
            if digest is not None and platform is None:
                found[tag] = Seen(tag, digest)
            elif digest is not None and platform is not None and tag in found:
                found[tag] = found[tag]._replace(images=(*found[tag].images, (platform, digest)))
            tag = None
    return list(found.values())


def _platform(text: str) -> str | None:
    """`linux/arm/v7` of `linux; arm variant v7`; None for attestations, and what is not understood."""
    match = _PLATFORM.match(text.strip())
    if match is None:
        return None
    os, version, architecture, variant = match.groups()
    platform = f"{os}/{architecture}" + (f"/{variant}" if variant else "") + (f":{version}" if version else "")
    return None if platform == UNKNOWN_PLATFORM else platform


class Records:
    """The reports in the commits of one image, as they come: of equal ones in a row the first and the last.

    What lies between two equal looks is a guess in any case, and most looks show what the one before showed.
    """

    def __init__(self, name: str) -> None:
        try:
            self._repository = Reference.parse_repository(f"{DEFAULT_REGISTRY}/library/{name}")
        except InvalidReference as error:
            raise InvalidReference(f"{name} is no official image: {error}") from None
        self._name = name
        self._digests: dict[str, bytes | None] = {}
        self._last: dict[str, list[Report]] = {}

    def read(self, commits: Iterable[Commit], blobs: BlobReader) -> Iterator[Report]:
        """The reports in commits, the oldest first, and at the end the last looks."""
        for (commit, path), body in blobs.read_all(self._files(commits)):
            if body is not None:
                source = f"{commit.name[:12]} {path}"
                for seen in read_record(body.decode("utf-8", "replace"), self._name):
                    yield from self._next(seen, commit.at, source)
        for reports in self._last.values():
            yield from reports

    def blobs(self, commits: Iterable[Commit]) -> Iterator[str]:
        """The names of the blobs that `read` will ask for."""
        return (blob for _, blob in self._files(commits))

    def _files(self, commits: Iterable[Commit]) -> Iterator[tuple[tuple[Commit, str], str]]:
        for commit in commits:
            for change in commit.changes:
                if change.blob is not None and is_record(change.path, self._name):
                    yield (commit, change.path), change.blob

    def _next(self, seen: Seen, at: int, source: str) -> Iterator[Report]:
        tag = self._repository._replace(tag=seen.tag)
        reports = [Report(tag, seen.digest, at, at, source=source)]
        reports += [
            Report(tag, digest, at, at, platform=platform, source=source) for platform, digest in seen.images
        ]
        if seen.tag in self._digests and self._digests[seen.tag] == seen.digest:
            self._last[seen.tag] = reports
            return
        yield from self._last.pop(seen.tag, ())
        self._digests[seen.tag] = seen.digest
        yield from reports
