"""Writing repositories: what a source says of them, and what it returned for a search term."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from hubindex.index.database.engine import Transaction
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import repository as repository_table
from hubindex.index.words import Document, term_key
from hubindex.index.writing.documents import DocumentWriter
from hubindex.kinds import said_of_repository
from hubindex.records import Repository
from hubindex.reference import DEFAULT_REGISTRY

T = TypeVar("T")


class Stored(NamedTuple):
    """What became of a repository record."""

    repository_id: int
    name: str
    is_new: bool
    is_changed: bool


class Description(NamedTuple):
    """What is kept of what sources say of a repository; the fields are columns of its row."""

    description: str
    star_count: int
    pull_count: int
    is_official: bool
    is_automated: bool
    updated_at: int | None
    registered_at: int | None
    seen_at: int
    missing_at: int | None = None
    gone_at: int | None = None
    kinds: int | None = None

    @classmethod
    def first(cls, record: Repository, seen_at: int) -> "Description":
        """That of a repository which nothing was known of."""
        return cls(
            record.description or "", record.star_count or 0, record.pull_count or 0, bool(record.is_official),
            bool(record.is_automated), record.updated_at, record.registered_at, seen_at,
            kinds=said_of_repository(record.kinds, None),
        )  # fmt: skip

    def after(self, record: Repository, seen_at: int) -> "Description":
        """With what a record says; what it does not say stays. An older report than the last changes nothing."""
        if seen_at < self.seen_at:
            return self
        is_back = seen_at >= (self.gone_at or self.missing_at or 0)
        return Description(
            _known(record.description, self.description),
            _known(record.star_count, self.star_count),
            _known(record.pull_count, self.pull_count),
            _known(record.is_official, self.is_official),
            _known(record.is_automated, self.is_automated),
            max(filter(None, (record.updated_at, self.updated_at)), default=None),
            _known(record.registered_at, self.registered_at),
            seen_at,
            None if is_back else self.missing_at,
            None if is_back else self.gone_at,
            said_of_repository(record.kinds, self.kinds),
        )

    def says_the_same(self, other: "Description") -> bool:
        """Whether a source said the same, whenever that was."""
        return self[:7] == other[:7]  # up to `registered_at`

    def document(self, repository_id: int, name: str) -> Document | None:
        """What search finds it by; None for a repository that is gone."""
        if self.gone_at is not None:
            return None
        return Document(
            repository_id,
            name,
            self.description,
            star_count=self.star_count,
            pull_count=self.pull_count,
            is_official=self.is_official,
            is_automated=self.is_automated,
        )


class KnownRepository(NamedTuple):
    """A repository's number, and what is known of it."""

    repository_id: int
    description: Description


class RepositoryWriter:
    """Stores what sources say of repositories, within one transaction."""

    def __init__(self, tx: Transaction, documents: DocumentWriter) -> None:
        self._tx = tx
        self._documents = documents

    def store(self, records: Iterable[Repository], seen_at: int, registry: str = DEFAULT_REGISTRY) -> list[Stored]:
        """Add or refresh repositories of a registry; what a record does not say stays as it is known.

        Returns one row for each distinct name, in the order of the records.
        """
        by_name = {record.name: record for record in records}
        known = self.named(list(by_name), registry)
        registry_id = self._registry_id(registry)
        ids = self._new_ids(len(by_name) - len(known))
        stored, added, changed = [], [], []
        for name, record in by_name.items():
            before = known.get(name)
            if before is None:
                number, description = next(ids), Description.first(record, seen_at)
                added.append(_new_row(number, registry_id, name, description))
                self._documents.replace(number, None, description.document(number, name))
                stored.append(Stored(number, name, is_new=True, is_changed=False))
                continue
            number, description = before.repository_id, before.description.after(record, seen_at)
            if description != before.description:
                changed.append((*description, number))
                self._documents.replace(
                    number, before.description.document(number, name), description.document(number, name)
                )
            is_changed = not description.says_the_same(before.description)
            stored.append(Stored(number, name, is_new=False, is_changed=is_changed))
        self._tx.insert(repository_table, added)
        self._tx.update(repository_table, Description._fields, changed)
        return stored

    def named(self, names: list[str], registry: str = DEFAULT_REGISTRY) -> dict[str, KnownRepository]:
        """What is known of some repositories of a registry, by name; no other transaction adds any meanwhile."""
        self._tx.query("lock_documents")
        rows = self._tx.query("repositories_named", registry=registry, names=names)
        return {name: KnownRepository(number, _description(values)) for number, name, *values in rows}

    def remove_document(self, name: str, known: KnownRepository) -> None:
        """Search does not find it any more: it is gone."""
        number, description = known
        self._documents.replace(number, description.document(number, name), None)

    def search_results(self, term: str, repository_ids: Sequence[int], crawled_at: int, *, whole: bool) -> None:
        """Remember the order in which the source returned repositories for a term, from position 1.

        What stood in one of these places before, and is not returned any more, is forgotten; with `whole`, which
        tells that the source's list ended here, whatever stood behind them too. An empty list may be a fault of
        the source: it changes nothing.
        """
        term = term_key(term)
        if any(known_at > crawled_at for _, known_at in self._tx.query("term", term=term)):
            return  # a later crawl was stored first
        self._tx.run("touch_term", {"term": term, "crawled_at": crawled_at})
        ((term_id, _),) = self._tx.query("term", term=term)
        if not repository_ids:
            return
        positions = {number: place for place, number in reversed(list(enumerate(repository_ids, 1)))}
        known: dict[int, int] = dict(self._tx.query("hits_of_term", term_id=term_id))
        self._tx.run(
            "put_hit",
            *(
                {"term_id": term_id, "repository_id": number, "position": place}
                for number, place in positions.items()
                if known.get(number) != place
            ),
        )
        last = max(known.values(), default=0) if whole else len(positions)
        dropped = (number for number, place in known.items() if number not in positions and place <= last)
        self._tx.run("drop_hit", *({"term_id": term_id, "repository_id": number} for number in dropped))

    def _registry_id(self, host: str) -> int:
        """The number of a registry, given out on first use; the caller has the lock of `named`."""
        if not self._tx.query("registry_id", host=host):
            self._tx.run("add_registry", {"host": host})
        return int(self._tx.value("registry_id", host=host))

    def _new_ids(self, count: int) -> Iterator[int]:
        if not count:
            return iter(())
        return (int(number) for (number,) in self._tx.query("new_repository_ids", count=count))


def _known(told: T | None, before: T) -> T:
    return before if told is None else told


def _description(values: Sequence[object]) -> Description:
    found = Description._make(values)
    return found._replace(is_official=bool(found.is_official), is_automated=bool(found.is_automated))


def _new_row(repository_id: int, registry_id: int, name: str, description: Description) -> Row:
    """All columns of the table: nothing is known of its tags."""
    values = {
        **description._asdict(), "repository_id": repository_id, "registry_id": registry_id, "name": name,
        "first_seen_at": description.seen_at, "last_tag_id": 0, "last_digest_id": 0,
    }  # fmt: skip
    return tuple(values.get(column.name) for column in repository_table.columns)
