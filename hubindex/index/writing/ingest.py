"""Records become rows: all writing of facts into an index goes through here.

An `Ingest` belongs to one thread. What is told to a `Batch` is written in bulk when its transaction ends, whole
or not at all.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum

from hubindex.errors import StorageError
from hubindex.index.database import engine as storage
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import upgrade
from hubindex.index.evidence.judge import confirmed_until
from hubindex.index.writing.contents import ContentWriter
from hubindex.index.writing.digests import Numbers
from hubindex.index.writing.documents import DocumentWriter
from hubindex.index.writing.frontier import Frontier, Leases
from hubindex.index.writing.known import RepositoryState
from hubindex.index.writing.memory import Memory
from hubindex.index.writing.periods import store_periods
from hubindex.index.writing.reports import ReportWriter
from hubindex.index.writing.repositories import RepositoryWriter, Stored
from hubindex.index.writing.tagwriter import TagWriter
from hubindex.index.writing.walks import INTERRUPTED, Looked, PageOutcome, StoredPages, Walk
from hubindex.moment import END_OF_TIME
from hubindex.records import Repository, Tag, TagPage, TagPeriod
from hubindex.reference import DEFAULT_REGISTRY, Reference
from hubindex.reports import Report

GONE_AFTER = 4 * 3600 * 1000
"""Milliseconds between two 404 answers that make a repository gone rather than missing."""

_MAX_PIECES = 8
"""A word is looked up in each piece of SQLite's search index; joining those of a million rows takes a second."""


class Absence(Enum):
    """What a 404 means: of a repository that the index does not know, or that is missing, or gone by now."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    GONE = "gone"


class Ingest:
    """Writes into one index, creating or migrating it first. Raises `StorageError`, `NewerIndex`."""

    def __init__(self, location: Location) -> None:
        upgrade(location)
        self._label = location.label
        self._engine = storage.open_engine(location)
        self._numbers = Numbers()
        self._leases: Leases = Memory()
        self._walks: Memory[int, StoredPages] = Memory()
        self._open: storage.Transaction | None = None

    @contextmanager
    def transaction(self) -> Iterator["Batch"]:
        """A batch that is committed at the end, and forgotten on any exception."""
        try:
            with storage.transaction(self._engine, self._label) as tx:
                self._open = tx
                batch = Batch(tx, self._numbers, self._leases, self._walks)
                yield batch
                batch.flush()
        except BaseException:
            self._numbers.forget()
            self._leases.undo()
            self._walks.undo()
            raise
        else:
            self._leases.keep()
            self._walks.keep()
        finally:
            self._open = None

    def interrupt(self) -> None:
        """From another thread: let the transaction that is open fail as soon as possible."""
        if (tx := self._open) is not None:
            tx.interrupt()

    def is_lost(self, error: StorageError) -> bool:
        """Whether the server of the index went away; the next transaction asks for a new connection then."""
        if not storage.is_connection_lost(error):
            return False
        self._engine.dispose()
        return True

    def close(self, *, tidy: bool = True) -> None:
        """Give up the connection; with `tidy`, put the search index together first if it is in many pieces."""
        if tidy and self._engine.dialect.name == "sqlite":
            # Searches are slower without.
            with suppress(StorageError), storage.transaction(self._engine, self._label) as tx:
                if tx.value("search_pieces") > _MAX_PIECES:
                    tx.run("join_search_pieces", {})
        self._engine.dispose()


class Batch:
    """What is written in one transaction. `walks` are the walks under way, by repository."""

    def __init__(
        self, tx: storage.Transaction, numbers: Numbers, leases: Leases, walks: Memory[int, StoredPages]
    ) -> None:
        self._tx = tx
        self._tags = TagWriter(tx, numbers)
        self._rows = self._tags.rows
        self._documents = DocumentWriter(tx)
        self._repositories = RepositoryWriter(tx, self._documents)
        self.contents = ContentWriter(tx)
        self._reports = ReportWriter(tx)
        self.frontier = Frontier(tx, leases)
        self.walks = walks

    @property
    def pending(self) -> int:
        """How many tag and history rows the transaction adds or changes."""
        return self._rows.pending

    def repositories(
        self, records: Iterable[Repository], seen_at: int, registry: str = DEFAULT_REGISTRY
    ) -> list[Stored]:
        """Add or refresh repositories; see `RepositoryWriter.store`."""
        return self._repositories.store(records, seen_at, registry)

    def search_results(self, term: str, repository_ids: Sequence[int], crawled_at: int, *, whole: bool) -> None:
        """Remember what the source returned for a term; see `RepositoryWriter.search_results`."""
        self._repositories.search_results(term, repository_ids, crawled_at, whole=whole)

    def tag_page(self, repository_id: int, page: TagPage) -> PageOutcome:
        """Store what a page of tags adds to what is known; an unchanged page writes nothing."""
        return self._tags.page(repository_id, page)

    def tag_periods(self, repository_id: int, periods: Sequence[TagPeriod]) -> PageOutcome:
        """Store what a registry tells of the past of tags, oldest first; what is known writes nothing."""
        return store_periods(self._tags, repository_id, periods)

    def has_as_many_tags(self, repository_id: int, count: int | None) -> bool:
        """Whether a repository has as many tags as its source counts."""
        return self._rows.open_count(self._rows.state(repository_id)) == count

    def changed_at(self, repository_id: int) -> int | None:
        """When a repository was last pushed to, as far as known."""
        state = self._rows.state(repository_id)
        return state.updated_at

    def least_known(self, repository_id: int, names: Collection[str]) -> list[str]:
        """Names of tags, those first whose digest is not known, then those that were seen longest ago."""
        state = self._rows.state(repository_id)
        seen = self._rows.last_sights(state, names)
        return sorted(names, key=lambda name: (seen.get(name, 0), name))

    def known_digests(self, repository_id: int, names: Collection[str]) -> dict[str, bytes]:
        """The digests that tags point to, by name, as far as known."""
        return self._rows.digests(self._rows.state(repository_id), names)

    def reports(self, witness: str, reports: Sequence[Report], at: int) -> int:
        """Keep what a witness says; returns how many statements were not known. Repositories may be new ones."""
        numbers: dict[Reference, int] = {}
        by_registry: dict[str, set[str]] = {}
        for each in reports:
            by_registry.setdefault(each.reference.registry, set()).add(each.reference.repository)
        for registry, paths in by_registry.items():
            known = self._repositories.named(sorted(paths), registry)
            missing = [Repository(name=path) for path in sorted(paths - known.keys())]
            stored = self._repositories.store(missing, at, registry) if missing else []
            numbers.update((Reference(registry, path), row.repository_id) for path, row in known.items())
            numbers.update((Reference(registry, each.name), each.repository_id) for each in stored)
        for each in reports:
            number = numbers[Reference(each.reference.registry, each.reference.repository)]
            self._rows.note_changes(number, each.seen_from, each.seen_until)
        return self._reports.store(witness, reports, numbers)

    def import_mark(self, witness: str, subject: str) -> str | None:
        """How far what a witness says of something was imported; None: not at all."""
        return self._reports.mark(witness, subject)

    def put_import_mark(self, witness: str, subject: str, mark: str) -> None:
        """Remember how far it was imported."""
        self._reports.put_mark(witness, subject, mark)

    def forget_witness(self, witness: str) -> int | None:
        """Forget all that a witness said; returns how many statements that were, None if it is not known."""
        return self._reports.forget(witness)

    def tags_with(self, path: str, registry: str, digest: bytes | None, most: int) -> list[str]:
        """The tags of a repository that have a digest, or without one all, `most` at most; none if unknown."""
        known = self._repositories.named([path], registry).get(path)
        if known is None:
            return []
        return self._rows.names(self._rows.state(known.repository_id), digest, most)

    def tag_missing(self, path: str, registry: str, name: str, at: int) -> bool:
        """A look at one tag found at a moment that it is not there; returns whether that is news."""
        known = self._repositories.named([path], registry).get(path)
        if known is None:
            return False
        state = self._rows.state(known.repository_id)
        self._rows.load(state, (Tag(name=name),))
        tag = state.tags.get(name)
        if tag is None or tag.span.gone_at is not None:
            return False
        last_seen_at = confirmed_until(tag.span, state.sweeps)
        if last_seen_at >= at:
            return False
        self._tags.end(state, tag, last_seen_at, at)
        return True

    def begin_walk(self, repository_id: int, started_at: int) -> Looked | None:
        """Remember that a walk brought news and has not ended: if it never does, the next one goes to the end.

        Returns what was remembered before; None if this walk is remembered already, or is older than that.
        """
        state = self._rows.state(repository_id)
        before = Looked(state.walked_at, state.walk_problem)
        if started_at < (state.walked_at or 0) or before == (started_at, INTERRUPTED):
            return None
        state.walked_at, state.walk_problem = started_at, INTERRUPTED
        return before

    def finish_walk(self, walk: Walk) -> int:
        """Store what a walk proves beyond its pages; returns how many tags it found gone."""
        state = self._rows.state(walk.repository_id)
        if not walk.names and not walk.problem and state.last_tag_id:
            walk = walk._replace(problem="the source shows no tags where some were known")
        state.updated_at = max(filter(None, (state.updated_at, walk.newest_push)), default=None)
        if state.gone_at is None and walk.started_at >= (state.missing_at or 0):
            state.missing_at = None  # one that is gone stays so, and out of search, until a source describes it
        is_latest = walk.started_at >= (state.walked_at or 0)
        if is_latest:
            before = walk.before or Looked(state.walked_at, state.walk_problem)
            if walk.ends_early and before.problem is not None:  # it is true of what was not read again
                state.walked_at, state.walk_problem = before
            else:
                state.walked_at, state.walk_problem = walk.started_at, walk.problem or walk.omission
        if walk.problem is None and not walk.ends_early:
            return self._sweep(state, walk, is_latest=is_latest)
        self._partial(state, walk)
        return 0

    def repository_missing(self, name: str, at: int, registry: str = DEFAULT_REGISTRY) -> Absence:
        """A source answered 404 for a repository.

        Once is no proof: it is *missing*, and *gone*, with all its tags, only if it is still missing hours later.
        """
        known = self._repositories.named([name], registry).get(name)
        if known is None:
            return Absence.UNKNOWN
        if at < known.description.seen_at:
            return Absence.MISSING
        state = self._rows.state(known.repository_id)
        if state.missing_at is None:
            state.missing_at = at
        if state.gone_at is None and at - state.missing_at >= GONE_AFTER:
            state.gone_at = at
            self._repositories.remove_document(name, known)
            self._end_tags(state, set(), began_at=at, gone_at=at)
        return Absence.MISSING if state.gone_at is None else Absence.GONE

    def flush(self) -> None:
        """Write what waits."""
        self.frontier.flush()
        self._rows.flush()
        self._documents.flush()

    def _sweep(self, state: RepositoryState, walk: Walk, *, is_latest: bool) -> int:
        sweeps = state.sweeps
        ended = 0
        if walk.started_at >= (sweeps.swept_at or 0):
            ended = self._end_tags(state, walk.names, began_at=walk.started_at, gone_at=walk.finished_at)
            state.sweeps = sweeps._replace(swept_at=walk.started_at)
        # One that is stored after a later look did not compare all tags: it is no single look at each of them.
        finished_at = walk.finished_at if is_latest else max(walk.finished_at, walk.started_at + 1)
        self._rows.sweep(walk.repository_id, walk.started_at, finished_at, len(walk.names))
        return ended

    def _end_tags(self, state: RepositoryState, names: set[str], *, began_at: int, gone_at: int) -> int:
        """End all tags but `names` that were not seen at `began_at` or later; returns how many."""
        ended = 0
        for known in self._rows.missing(state, names, began_at):
            last_seen_at = confirmed_until(known.span, state.sweeps)
            if last_seen_at < began_at:
                self._tags.end(state, known, last_seen_at, gone_at)
                ended += 1
        return ended

    def _partial(self, state: RepositoryState, walk: Walk) -> None:
        """A walk that did not go to the end still confirms what it saw.

        That is all tags pushed after some moment, if the list came in order; others have a look of their own.
        """
        at, looked_at = walk.started_at, walk.names if walk.looked_at is None else walk.looked_at
        if walk.oldest_push is None:
            self._rows.see(state, looked_at, at, END_OF_TIME)
            return
        if at < (state.sweeps.partial_at or 0):
            return
        since = walk.oldest_push - 1
        unseen = [pushed_at for name, pushed_at in self._rows.pushed_after(state, since) if name not in looked_at]
        if unseen:
            since = max(unseen)
            self._rows.see(state, looked_at, at, since)
        self._rows.narrow(state, since)
        state.sweeps = state.sweeps._replace(partial_at=at, partial_since=since)
