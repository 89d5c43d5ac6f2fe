"""An open index for programs: the questions of the command line as methods."""

from types import TracebackType
from typing import Self

from hubindex.index import repositories
from hubindex.index.location import Location
from hubindex.index.reader import Reader, open_reader
from hubindex.index.search import Found, Query, search
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

    def tags(self, name: str | Reference) -> list[repositories.TagFacts]:
        """The tags of a repository as of the last look, newest first. Raises `NoAnswer`, `InvalidReference`."""
        with self._reader.snapshot():
            return repositories.tags(self._reader, repositories.repository(self._reader, _repository(name)))

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
    return name if isinstance(name, Reference) else Reference.parse_repository(name)
