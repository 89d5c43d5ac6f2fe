"""The rows of tags and their history: looked up once in a transaction, changed in memory, written in bulk."""

from collections.abc import Collection

from hubindex.index.database.engine import Transaction
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import repository, span
from hubindex.index.database.schema import tag as tag_table
from hubindex.index.database.sql import Parameters
from hubindex.index.evidence.judge import Closed, confirmed_until
from hubindex.index.evidence.timeline import period
from hubindex.index.platforms import KEY_SIZE
from hubindex.index.writing.digests import DigestWriter
from hubindex.index.writing.known import KnownDigest, KnownTag, RepositoryRow, RepositoryState
from hubindex.records import Tag

_EVIDENCE = ("digest_id", "pushed_at", "first_seen_at", "last_seen_at", "gone_at", "closed_spans", "seen_at")
_SWEEP = ("repository_id", "started_at", "finished_at", "tag_count")


class TagRows:
    """The rows of repositories, tags, spans and sweeps that one transaction looks at and changes.

    What is gathered is written before the database is asked something that it could make a difference to, and by
    `flush`.
    """

    def __init__(self, tx: Transaction, digests: DigestWriter) -> None:
        self._tx = tx
        self._digests = digests
        self._states: dict[int, RepositoryState] = {}
        self._touched: dict[tuple[int, str], KnownTag] = {}
        self._spans: list[Row] = []
        self._changes: set[tuple[int, int]] = set()
        self._sweeps: list[Row] = []
        self._written = 0

    @property
    def pending(self) -> int:
        """How many rows the transaction adds or changes."""
        waiting = len(self._touched) + len(self._spans) + len(self._sweeps)
        return self._written + self._digests.pending + waiting

    def state(self, repository_id: int) -> RepositoryState:
        """The repository's row, locked until the transaction ends."""
        state = self._states.get(repository_id)
        if state is None:
            (row,) = self._tx.query("lock_repository", repository_id=repository_id)
            state = self._states[repository_id] = RepositoryState(repository_id, RepositoryRow(*row))
        return state

    # What is asked

    def load(self, state: RepositoryState, tags: tuple[Tag, ...]) -> None:
        """Look at the rows of some tags, so that they are in `state.tags` if there are any."""
        if state.last_tag_id:
            names = [tag.name for tag in tags if tag.name not in state.tags]
            for row in self._tx.query("tags_named", repository_id=state.repository_id, names=names):
                known = KnownTag.of_row(row)
                state.tags[known.name] = known
                if known.digest is not None and known.span.content is not None:
                    known.digest = state.digests.setdefault(known.span.content, known.digest)

    def missing(self, state: RepositoryState, names: set[str], began_at: int) -> list[KnownTag]:
        """The tags that the repository has and that a walk which began at a moment did not name."""
        if state.knows_all_tags:
            present = state.tags.values()
            return [known for known in present if known.span.gone_at is None and known.name not in names]
        self._flush_rows()
        number = state.repository_id
        count, ended_meanwhile = self._tx.query("tag_counts", repository_id=number, at=began_at)[0]
        if count == len(names) and not ended_meanwhile:
            return []  # those named are those known: each name that was seen is a tag, and present
        rows = self._tx.query("open_tags", repository_id=number)
        return [KnownTag.of_row(row) for row in rows if row[0] not in names]

    def open_count(self, state: RepositoryState) -> int:
        """How many tags the repository has."""
        self._flush_rows()
        return int(self._tx.value("open_tag_count", repository_id=state.repository_id))

    def last_sights(self, state: RepositoryState, names: Collection[str]) -> dict[str, int]:
        """When those of `names` were last seen whose digest is known."""
        self._flush_rows()
        rows = self._tx.query("tags_named", repository_id=state.repository_id, names=list(names))
        several = map(KnownTag.of_row, rows)
        return {known.name: confirmed_until(known.span, state.sweeps) for known in several if known.span.content}

    def digests(self, state: RepositoryState, names: Collection[str]) -> dict[str, bytes]:
        """The digests that those of `names` point to, as far as known."""
        self._flush_rows()
        rows = self._tx.query("tags_named", repository_id=state.repository_id, names=list(names))
        several = map(KnownTag.of_row, rows)
        return {
            known.name: known.span.content
            for known in several
            if known.span.content and len(known.span.content) != KEY_SIZE and known.span.gone_at is None
        }

    def closed_pushes(self, state: RepositoryState, names: Collection[str]) -> dict[tuple[str, int, bytes], int]:
        """The closed spans with a push time of some tags: name, push time and digest, each with its last sight."""
        self._flush_rows()
        rows = self._tx.query("closed_pushes", repository_id=state.repository_id, names=list(names))
        found: dict[tuple[str, int, bytes], int] = {}
        for name, pushed_at, digest, last_seen_at in rows:
            key = name, pushed_at, bytes(digest)
            found[key] = max(last_seen_at, found.get(key, 0))
        return found

    def note_changes(self, repository_id: int, *moments: int) -> None:
        """Let a difference of the whole index look at a repository for these moments."""
        self._changes.update((period(at), repository_id) for at in moments)

    def names(self, state: RepositoryState, digest: bytes | None, most: int) -> list[str]:
        """The names of tags that are there and point to a digest, or without one of all; `most` at most."""
        self._flush_rows()
        of: Parameters = {"repository_id": state.repository_id, "most": most}
        if digest is None:
            rows = self._tx.query("tag_names", **of)
        else:
            rows = self._tx.query("tag_names_with", digest=digest, **of)
        return [name for (name,) in rows]

    def pushed_after(self, state: RepositoryState, moment: int) -> list[tuple[str, int]]:
        """Name and push time of the tags whose open span was pushed after a moment."""
        if not state.knows_all_tags:
            self._flush_rows()
            rows = self._tx.query("newest_tags", repository_id=state.repository_id, pushed_at=moment)
            return [(name, pushed_at) for name, pushed_at in rows]
        present = ((known.name, known.span) for known in state.tags.values())
        return [
            (name, span_.pushed_at)
            for name, span_ in present
            if span_.gone_at is None and span_.pushed_at is not None and span_.pushed_at > moment
        ]

    def extend_stale_report(self, state: RepositoryState, known: KnownTag, closed: Closed) -> bool:
        """If the same old answer is stored already, let its span end with this one; returns whether it was."""
        digest = None if closed.content is None else state.digests.get(closed.content)
        if digest is None or not known.closed_spans:
            return False
        self._flush_rows()
        of: Parameters = {"repository_id": state.repository_id, "tag_id": known.tag_id, "at": closed.last_seen_at}
        rows = self._tx.query(
            "stale_report",
            digest_id=digest.digest_id, pushed_at=closed.pushed_at, after=known.span.first_seen_at, **of,
        )  # fmt: skip
        for (number,) in rows:
            self._tx.run("extend_report", {**of, "number": number})
        return bool(rows)

    # What changes

    def touch(self, state: RepositoryState, known: KnownTag) -> None:
        """Let the tag's row be written."""
        state.tags[known.name] = known
        self._touched[state.repository_id, known.name] = known

    def add_span(
        self,
        state: RepositoryState,
        known: KnownTag,
        digest: KnownDigest | None,
        closed: Closed,
        gone_at: int | None,
    ) -> None:
        """Close a span of the tag, or keep a report beside its open one."""
        known.closed_spans += 1
        self._spans.append((
            state.repository_id, known.tag_id, known.closed_spans, digest.digest_id if digest else None,
            closed.pushed_at, closed.first_seen_at, closed.last_seen_at, gone_at,
        ))  # fmt: skip

    def changed_at(self, state: RepositoryState, *moments: int | None) -> None:
        """Tags of the repository changed at these moments; None is none."""
        self._changes.update((period(at), state.repository_id) for at in moments if at is not None)

    def changed_between(self, state: RepositoryState, since: int, until: int) -> None:
        """What is thought of this time has changed."""
        self._changes.update((number, state.repository_id) for number in range(period(since), period(until) + 1))

    def narrow(self, state: RepositoryState, since: int) -> None:
        """A walk will confirm the tags pushed after `since`: keep what the one before it proved of the others."""
        before = state.sweeps
        if before.partial_at is None or before.partial_since is None or before.partial_since >= since:
            return
        if before.partial_at > (before.swept_at or 0):
            self._see(
                state, "keep_sights",
                {"since": before.partial_since, "until": since, "at": before.partial_at},
            )  # fmt: skip

    def see(self, state: RepositoryState, names: Collection[str], at: int, until: int) -> None:
        """These tags were looked at, and are the same as before; those not pushed after `until` are to be kept."""
        if names:
            self._see(state, "see_tags", {"at": at, "until": until, "names": list(names)})

    def _see(self, state: RepositoryState, statement: str, what: Parameters) -> None:
        self._flush_rows()
        self._tx.run(statement, {"repository_id": state.repository_id, **what})
        state.tags.clear()  # their rows have changed
        state.knows_all_tags = False

    def sweep(self, repository_id: int, started_at: int, finished_at: int, tag_count: int) -> None:
        """Remember a sweep."""
        self._sweeps.append((repository_id, started_at, finished_at, tag_count))

    # What is written

    def flush(self) -> None:
        """Write all that was gathered."""
        self._flush_rows()
        changed = [
            (*row, state.repository_id) for state in self._states.values() if (row := state.row()) != state.loaded
        ]
        self._tx.update(repository, RepositoryRow._fields, changed)

    def _flush_rows(self) -> None:
        """Write the gathered rows of tags and history, so that questions see them."""
        self._written = self.pending
        tx, touched = self._tx, self._touched
        new = [(*key, known.tag_id, *known.evidence()) for key, known in touched.items() if not known.is_stored]
        changed = [(*known.evidence(), *key) for key, known in touched.items() if known.is_stored]
        tx.insert(tag_table, new)
        tx.insert(span, self._spans)
        tx.update(tag_table, _EVIDENCE, changed)
        self._flush_changes()
        tx.run("add_sweep", *(dict(zip(_SWEEP, row, strict=True)) for row in self._sweeps))
        self._digests.flush()
        for known in touched.values():
            known.is_stored = True
        self._touched, self._changes = {}, set()
        self._spans, self._sweeps = [], []

    def _flush_changes(self) -> None:
        changes = sorted(self._changes)
        if self._tx.dialect == "sqlite":
            rows: list[Parameters] = [{"period": number, "repository_id": of} for number, of in changes]
            self._tx.run("add_change", *rows)
        elif changes:
            periods, repositories = zip(*changes, strict=True)
            self._tx.run("add_changes", {"periods": list(periods), "repository_ids": list(repositories)})
