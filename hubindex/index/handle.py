"""An open index: every question that can be asked of it, as methods.

The command line, programs and a server ask through this door only. A question is loaded when it is asked: whoever
asks one starts without the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hubindex import pasted
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.reference import Reference

if TYPE_CHECKING:
    from hubindex.index.database.distribution import Distribution
    from hubindex.index.questions.changes import Change
    from hubindex.index.questions.history import Answer
    from hubindex.index.questions.images import ImageFacts
    from hubindex.index.questions.repositories import RepositoryFacts, Status, TagFacts
    from hubindex.index.questions.search import Found, Query
    from hubindex.index.questions.whatis import Holding
    from hubindex.index.questions.work import Estimate, Work
    from hubindex.index.seeds import Seed
    from hubindex.platform import Platform
    from hubindex.reports import Witness


class Index:
    """An index that is open for questions; a context manager.

        with Index.open() as index:
            for found in index.search(Query("mongo", official=True)):
                print(found.reference.familiar_name, found.star_count)

    Each answer shows the index as of one moment, whatever a crawl writes meanwhile; `snapshot` does so for several
    answers. Moments are UTC milliseconds. Names are read as people write them: `mongo`, `mongo:7`,
    `ghcr.io/owner/name`. Every method raises `StorageError` if the index cannot be read, and `InvalidReference`
    for what is no name. One thread at a time may use it.
    """

    def __init__(self, location: Location, reader: Reader) -> None:
        self.location = location
        self._reader = reader

    @classmethod
    def open(cls, db: str | Location | None = None, *, migrate: bool = True) -> Self:
        """Open an index by path or URL, by default that of the command line.

        An older one is migrated first; without `migrate` it is refused with `NoAnswer`, as where there is none.
        Raises `NewerIndex`, `StorageError` and `WrongUsage`.
        """
        location = db if isinstance(db, Location) else Location.parse(db)
        return cls(location, open_reader(location, migrate=migrate))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All questions asked inside see the index as of the same moment."""
        with self._reader.snapshot():
            yield

    # Which repositories there are

    def search(self, query: "Query") -> "list[Found]":
        """The repositories that match, in order. Raises `NoAnswer` if the index is empty."""
        from hubindex.index.questions.search import search

        return search(self._reader, query)

    def nearest_names(self, term: str) -> list[str]:
        """Names of repositories that a person may have meant by a term that nothing matches; a few at most."""
        from hubindex.index.questions.nearest import nearest_names

        with self.snapshot():
            return nearest_names(self._reader, term)

    def names_beginning(self, begun: str, limit: int = 100) -> list[str]:
        """Names of repositories that begin so, official images first."""
        from hubindex.index.questions.completions import repositories

        with self.snapshot():
            return repositories(self._reader, begun, limit)

    def tags_beginning(self, name: str | Reference, begun: str, limit: int = 100) -> list[str]:
        """Tags of a repository that begin so."""
        from hubindex.index.questions.completions import tags

        return tags(self._reader, _repository(name), begun, limit)

    # What a repository holds

    def repository(self, name: str | Reference) -> "RepositoryFacts":
        """What is known of a repository. Raises `NoAnswer` if that is nothing."""
        from hubindex.index.questions.repositories import repository

        with self.snapshot():
            return repository(self._reader, _repository(name))

    def tags(self, name: str | Reference, at: int | None = None) -> "list[TagFacts]":
        """The tags of a repository as of the last look, or at a moment, newest first. Raises `NoAnswer`."""
        from hubindex.index.questions import repositories

        with self.snapshot():
            facts = repositories.repository(self._reader, _repository(name))
            if at is None:
                return repositories.tags(self._reader, facts)
            from hubindex.index.questions.history import tags_at

            return tags_at(self._reader, facts, at)

    def image(self, name: str | Reference, platform: "str | Platform | None" = None) -> "ImageFacts":
        """What a tag points to as of the last look at it, or what a digest is: platforms, layers, configuration.

        Raises `NoAnswer` if the index does not know it, or has no one image for the platform.
        """
        from hubindex.index.questions.images import image

        with self.snapshot():
            reference = _tag(name)
            return image(self._reader, self.repository(reference), reference, _platform(platform))

    def first_whole_look(self, name: str | Reference) -> int | None:
        """When the first complete look at the tags of a repository began: what had gone before it is not known.

        None if there was none. Raises `NoAnswer`.
        """
        from hubindex.index.questions.history import first_sweep

        with self.snapshot():
            return first_sweep(self._reader, self.repository(name))

    # What a tag was

    def resolve(
        self, name: str | Reference, at: int | None = None, platform: "str | Platform | None" = None
    ) -> "Answer":
        """What a tag pointed to at a moment, by default that of the last look at it; with a platform, its image.

        An answer that is not known has no digest, and a note that says why. Raises `NoAnswer` if the tag is not in
        the index, and `WrongUsage` for what is no platform.
        """
        from hubindex.index.questions.history import resolve

        with self.snapshot():
            return resolve(self._reader, _tag(name), at, _platform(platform))

    def history(
        self,
        name: str | Reference,
        platform: "str | Platform | None" = None,
        since: int | None = None,
        until: int | None = None,
    ) -> "list[Answer]":
        """All that a tag was, or may have been, between two moments; newest first. Raises as `resolve`.

        Raises `NoAnswer` also if the first evidence is later than that.
        """
        from hubindex.index.questions.history import history

        with self.snapshot():
            return history(self._reader, _tag(name), _platform(platform), since, until)

    def moves(
        self,
        name: str | Reference,
        platform: "str | Platform | None" = None,
        since: int | None = None,
        until: int | None = None,
    ) -> "list[Change]":
        """Every change seen of a tag, or in a whole repository, that may lie between two moments; newest first.

        Only of a tag can the image for a platform be asked. Raises as `resolve`.
        """
        from hubindex.index.questions.changes import moves

        with self.snapshot():
            return moves(self._reader, _reference(name), _platform(platform), since, until)

    def diff(self, start: int, end: int, name: str | Reference | None = None) -> "list[Change]":
        """How the tags of a repository, or of all, differ between two moments. Raises `NoAnswer`."""
        from hubindex.index.questions.changes import diff

        with self.snapshot():
            return diff(self._reader, None if name is None else _repository(name), start, end)

    def whatis(self, digest: str) -> "list[Holding]":
        """All tags that have or had a digest, or one that begins so.

        Raises `NoAnswer`, `WrongUsage`, and `AmbiguousDigest` if several digests begin so.
        """
        from hubindex.index.questions.whatis import whatis

        with self.snapshot():
            return whatis(self._reader, digest)

    def witnesses(self) -> "list[Witness]":
        """Everybody who has reported something, by name."""
        from hubindex.index.questions.reported import witnesses

        with self.snapshot():
            return witnesses(self._reader)

    # The index itself

    def status(self) -> "Status":
        """What the index holds. Raises `NoAnswer` if it is empty."""
        from hubindex.index.questions.repositories import status

        return status(self._reader)

    def work(self, now: int) -> "Work":
        """What is due and what is unfinished."""
        from hubindex.index.questions.work import work

        with self.snapshot():
            return work(self._reader, now)

    def estimate(self, seeds: "Sequence[Seed]", now: int, fresh_since: int | None = None) -> "list[Estimate]":
        """How many requests a crawl of some seeds would take, or, without any, a crawl of whatever is due.

        What was looked at since `fresh_since` is left alone.
        """
        from hubindex.index.questions.work import estimate

        with self.snapshot():
            return estimate(self._reader, seeds, now, fresh_since)

    def distribution(self) -> "Distribution | None":
        """How the index is distributed over a cluster; None if it is not."""
        from hubindex.index.database.distribution import distribution

        with self.snapshot():
            return distribution(self._reader)

    def check(self) -> list[str]:
        """What is wrong with the index, a line each; empty if it is sound. Nothing stored is trusted."""
        from hubindex.index.questions.health import check

        return check(self.location, self._reader)

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def _reference(name: str | Reference) -> Reference:
    return name if isinstance(name, Reference) else pasted.read(name)


def _repository(name: str | Reference) -> Reference:
    return name if isinstance(name, Reference) else pasted.read_repository(name)


def _tag(name: str | Reference) -> Reference:
    return _reference(name).with_default_tag()


def _platform(platform: "str | Platform | None") -> "Platform | None":
    if not isinstance(platform, str):
        return platform
    from hubindex.platform import Platform

    return Platform.parse(platform)
