"""An open index for programs: the questions of the command line as methods."""

from types import TracebackType
from typing import Self

from hubindex import pasted
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.questions import changes, history, repositories, whatis
from hubindex.index.questions.search import Found, Query, search
from hubindex.platform import Platform
from hubindex.reference import Reference


class Index:
    """An index that is open for questions; a context manager.

        with Index.open() as index:
            for found in index.search(Query("mongo", official=True)):
                print(found.name, found.star_count)

    Each answer shows the index as of one moment, whatever a crawl writes meanwhile. Every method raises
    `StorageError` if the index cannot be read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @classmethod
    def open(cls, db: str | None = None) -> Self:
        """Open an index by path or URL, by default that of the command line.

        Raises `NoAnswer` where there is none, `NewerIndex`, `StorageError` and `WrongUsage`.
        """
        return cls(open_reader(Location.parse(db)))

    def search(self, query: Query) -> list[Found]:
        """The repositories that match, in order. Raises `NoAnswer` if the index is empty."""
        return search(self._reader, query)

    def repository(self, name: str | Reference) -> repositories.RepositoryFacts:
        """What is known of a repository (`mongo`, `bitnami/redis`). Raises `NoAnswer`, `InvalidReference`."""
        return repositories.repository(self._reader, _repository(name))

    def tags(self, name: str | Reference, at: int | None = None) -> list[repositories.TagFacts]:
        """The tags of a repository as of the last look, or at a moment (UTC milliseconds), newest first.

        Raises `NoAnswer`, `InvalidReference`.
        """
        with self._reader.snapshot():
            facts = repositories.repository(self._reader, _repository(name))
            if at is None:
                return repositories.tags(self._reader, facts)
            return history.tags_at(self._reader, facts, at)

    def resolve(self, name: str | Reference, at: int | None = None, platform: str | None = None) -> history.Answer:
        """What a tag (`mongo:7`) pointed to at a moment, UTC milliseconds, by default that of the last look at it.

        With a platform, its image for that.

        An answer that is not known has no digest, and a note that says why. Raises `NoAnswer` if the tag is not in
        the index, `InvalidReference`, and `WrongUsage` for what is no platform.
        """
        with self._reader.snapshot():
            return history.resolve(self._reader, _tag(name), at, _platform(platform))

    def history(self, name: str | Reference, platform: str | None = None) -> list[history.Answer]:
        """All that a tag was, newest first. Raises as `resolve`."""
        with self._reader.snapshot():
            return history.history(self._reader, _tag(name), _platform(platform))

    def moves(self, name: str | Reference) -> list[changes.Change]:
        """Every change seen in a repository, newest first. Raises `NoAnswer`, `InvalidReference`."""
        with self._reader.snapshot():
            return changes.moves(self._reader, _repository(name))

    def diff(self, start: int, end: int, name: str | Reference | None = None) -> list[changes.Change]:
        """What changed in a repository, or in all, between two moments. Raises `NoAnswer`, `InvalidReference`."""
        with self._reader.snapshot():
            return changes.diff(self._reader, None if name is None else _repository(name), start, end)

    def whatis(self, digest: str) -> list[whatis.Holding]:
        """All tags that have or had a digest, or one that begins so.

        Raises `NoAnswer`, `WrongUsage`, and `AmbiguousDigest` if several digests begin so.
        """
        with self._reader.snapshot():
            return whatis.whatis(self._reader, digest)

    def status(self) -> repositories.Status:
        """What the index holds. Raises `NoAnswer` if it is empty."""
        return repositories.status(self._reader)

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def _repository(name: str | Reference) -> Reference:
    return name if isinstance(name, Reference) else pasted.read_repository(name)


def _tag(name: str | Reference) -> Reference:
    reference = name if isinstance(name, Reference) else pasted.read(name)
    return reference.with_default_tag()


def _platform(text: str | None) -> Platform | None:
    return None if text is None else Platform.parse(text)
