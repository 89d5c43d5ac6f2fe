"""Writing tag pages: which tags are new, which moved, and what digests they brought."""

import struct
from collections.abc import Collection

from hubindex.index.database.engine import Transaction
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import digest as digest_table
from hubindex.index.database.schema import digest_prefix, repository, span
from hubindex.index.database.schema import tag as tag_table
from hubindex.index.database.sql import Parameters
from hubindex.index.digest_names import DigestNames, split
from hubindex.index.evidence.judge import (
    CLOCK_SKEW,
    Closed,
    Kind,
    Open,
    Outcome,
    Sight,
    Sweeps,
    begin,
    confirmed_until,
    is_stale,
    judge,
)
from hubindex.index.evidence.timeline import period
from hubindex.index.platforms import KEY_SIZE, count, pack, set_key
from hubindex.kinds import Kind as ContentKind
from hubindex.kinds import seen_in_tags
from hubindex.records import PlatformImage, Tag, TagPage

_MAX_REMEMBERED = 10_000

_EVIDENCE = ("digest_id", "pushed_at", "first_seen_at", "last_seen_at", "gone_at", "closed_spans", "seen_at")
_SWEEP = ("repository_id", "started_at", "finished_at", "tag_count")

_first_32_bits = struct.Struct(">i").unpack_from


class PageOutcome:
    """How many tags of a page were new and how many had moved; `warnings` names what contradicts itself.

    `news` counts all tags of which the page said anything that was not known, `stale` those of which it said what
    had been before. `is_stale` tells that it is an old page: what else it shows proves nothing of its moment.
    """

    __slots__ = ("is_stale", "moved", "new", "news", "stale", "warnings")

    def __init__(self) -> None:
        self.new = 0
        self.moved = 0
        self.news = 0
        self.stale = 0
        self.is_stale = False
        self.warnings: list[str] = []


class RepositoryState:
    """A repository's own row, and what one transaction has learned and changed of its tags and digests."""

    COLUMNS = (
        "last_tag_id", "last_digest_id", "swept_at", "partial_at", "partial_since",
        "updated_at", "missing_at", "gone_at", "walked_at", "walk_problem", "kinds",
    )  # fmt: skip

    def __init__(self, repository_id: int, row: Row) -> None:
        self.repository_id = repository_id
        self.tags: dict[str, KnownTag] = {}
        self.digests: dict[bytes, KnownDigest] = {}
        self.loaded = tuple(row)
        self.knows_all_tags = not row[0]  # it had none, so those in `tags` are all
        self.last_tag_id, self.last_digest_id = row[0], row[1]
        self.sweeps = Sweeps(row[2], row[3], row[4])
        self.updated_at: int | None = row[5]
        self.missing_at, self.gone_at, self.walked_at, self.walk_problem = row[6:10]
        self.kinds: int | None = row[10]

    def row(self) -> Row:
        """The values of `COLUMNS`."""
        return (
            self.last_tag_id, self.last_digest_id, *self.sweeps,
            self.updated_at, self.missing_at, self.gone_at, self.walked_at, self.walk_problem,
            self.kinds,
        )  # fmt: skip


class KnownTag:
    """A tag's row with the digest of its open span; `is_stored` tells whether the database has a row of it."""

    __slots__ = ("closed_spans", "digest", "is_stored", "name", "span", "tag_id")

    def __init__(
        self, name: str, tag_id: int, span: Open, digest: "KnownDigest | None", closed_spans: int = 0
    ) -> None:
        self.name = name
        self.tag_id = tag_id
        self.span = span
        self.digest = digest
        self.closed_spans = closed_spans
        self.is_stored = False

    @classmethod
    def of_row(cls, row: Row) -> "KnownTag":
        """From a row of `tags_named` or `open_tags`."""
        name, tag_id, digest_id, pushed_at, first_seen_at, last_seen_at, gone_at, closed_spans = row[:8]
        seen_at, content, images, kind = row[8:]
        content = bytes(content) if content is not None else None
        span = Open(content, pushed_at, first_seen_at, last_seen_at, gone_at, seen_at)
        digest = None if digest_id is None else KnownDigest(digest_id, images and bytes(images), kind)
        known = cls(name, tag_id, span, digest, closed_spans)
        known.is_stored = True
        return known

    def evidence(self) -> Row:
        """The columns that observations change, in the order of the table."""
        digest_id = self.digest.digest_id if self.digest else None
        return digest_id, *self.span[1:5], self.closed_spans, self.span.seen_at

    def is_unchanged(self, tag: Tag, at: int) -> bool:
        """Whether an observation adds nothing at all; the question asked most."""
        span = self.span
        return (
            span.content == tag.digest
            and span.pushed_at == tag.pushed_at
            and span.pushed_at is not None
            and span.last_seen_at is None
            and span.gone_at is None
            and at >= span.first_seen_at
            and self.digest is not None
            and (not tag.images or self.digest.has_as_many_as(tag.images))
            and (tag.kind or 0) <= self.digest.kind
        )


class KnownDigest:
    """A digest's number in its repository, and its packed platform images and its kind (or 0) as far as known.

    `seen` are the images it was last shown with: tags that share a digest mostly share this very object. `tags`
    are the names of those that point to it, while its row is not written yet.
    """

    __slots__ = ("digest_id", "images", "kind", "seen", "tags")

    def __init__(self, digest_id: int, images: bytes | None, kind: int | None = None) -> None:
        self.digest_id = digest_id
        self.images = images
        self.kind = kind or (int(ContentKind.IMAGE) if images else 0)
        self.seen: tuple[PlatformImage, ...] | None = None
        self.tags: dict[str, None] | None = None

    def has_as_many_as(self, images: tuple[PlatformImage, ...]) -> bool:
        """Whether the number of its platform images is known, and that of `images`."""
        return self.images is not None and count(self.images) == len(images)

    def stored_kind(self) -> int | None:
        """Its kind as the index stores it: not for images whose platforms are known, which are nearly all."""
        return None if self.images and self.kind == ContentKind.IMAGE else self.kind or None


class TagWriter:
    """Gathers the rows that tag pages ask for within one transaction; `flush` writes them."""

    def __init__(self, tx: Transaction, numbers: "Numbers") -> None:
        self._tx = tx
        self._numbers = numbers
        self._states: dict[int, RepositoryState] = {}
        self._touched: dict[tuple[int, str], KnownTag] = {}
        self._spans: list[Row] = []
        self._digests: list[tuple[Row, KnownDigest]] = []
        self._prefixes: list[Row] = []
        self._described: list[Parameters] = []
        self._names = DigestNames(tx)
        self._kinds: list[Parameters] = []
        self._changes: set[tuple[int, int]] = set()
        self._sweeps: list[Row] = []
        self._written = 0

    @property
    def pending(self) -> int:
        """How many rows the transaction adds or changes."""
        waiting = (self._touched, self._spans, self._digests, self._prefixes, self._sweeps)
        return self._written + sum(map(len, waiting))

    def state(self, repository_id: int) -> RepositoryState:
        """The repository's row, locked until the transaction ends."""
        state = self._states.get(repository_id)
        if state is None:
            row = self._tx.query("lock_repository", repository_id=repository_id)[0]
            state = self._states[repository_id] = RepositoryState(repository_id, row)
        return state

    def page(self, repository_id: int, page: TagPage) -> PageOutcome:
        """Store what changed since it was last seen.

        A page that says what had been before is old as a whole: its other rows are true of their push times only.
        """
        state = self.state(repository_id)
        outcome = PageOutcome()
        if page.observed_at + CLOCK_SKEW < (state.sweeps.swept_at or 0):
            outcome.warnings.append("the index holds a later look at it than this one: is the clock right?")
        state.kinds = seen_in_tags([(tag.name, tag.kind) for tag in page.tags], state.kinds)
        self._load_tags(state, page.tags)
        known, at = state.tags, page.observed_at
        changed = [tag for tag in page.tags if (k := known.get(tag.name)) is None or not k.is_unchanged(tag, at)]
        if changed:
            self._load_digests(state, changed)
            stale = [tag for tag in changed if _is_stale(known.get(tag.name), tag, state.sweeps, at)]
            for tag in stale:
                self._store(state, tag, at, outcome)
            outcome.stale, outcome.is_stale = len(stale), outcome.news > 0
            for tag in changed if not stale else [tag for tag in changed if tag not in stale]:
                if not outcome.is_stale:
                    self._store(state, tag, at, outcome)
                elif tag.pushed_at is not None:
                    self._store(state, tag, min(tag.pushed_at, at), outcome)
        return outcome

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
        return int(self._tx.query("open_tag_count", repository_id=state.repository_id)[0][0])

    def last_sights(self, state: RepositoryState, names: Collection[str]) -> dict[str, int]:
        """When those of `names` were last seen whose digest is known."""
        self._flush_rows()
        rows = self._tx.query("tags_named", repository_id=state.repository_id, names=list(names))
        several = map(KnownTag.of_row, rows)
        return {known.name: confirmed_until(known.span, state.sweeps) for known in several if known.span.content}

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

    def end(self, state: RepositoryState, known: KnownTag, last_seen_at: int, gone_at: int) -> None:
        """The tag was there at `last_seen_at`, and was found to be gone at `gone_at`."""
        content, pushed_at, first_seen_at = known.span[:3]
        self._add_span(
            state, known, known.digest, Closed(content, pushed_at, first_seen_at, last_seen_at), gone_at
        )
        known.digest = None
        known.span = Open(None, None, first_seen_at, last_seen_at, gone_at)
        state.tags[known.name] = known
        self._changes.add((period(gone_at), state.repository_id))
        self._touch(state, known)

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

    def _flush_rows(self) -> None:
        """Write the gathered rows of tags and history, so that questions see them."""
        self._written = self.pending
        tx, touched = self._tx, self._touched
        new = [(*key, known.tag_id, *known.evidence()) for key, known in touched.items() if not known.is_stored]
        changed = [(*known.evidence(), *key) for key, known in touched.items() if known.is_stored]
        tx.insert(tag_table, new)
        tx.insert(span, self._spans)
        self._insert_digests()
        tx.insert(digest_prefix, self._prefixes)
        tx.update(tag_table, _EVIDENCE, changed)
        tx.run("describe_digest", *self._described)
        self._names.flush()
        tx.run("name_digest_kind", *self._kinds)
        self._flush_changes()
        tx.run("add_sweep", *(dict(zip(_SWEEP, row, strict=True)) for row in self._sweeps))
        for known in touched.values():
            known.is_stored = True
        for _, digest in self._digests:
            digest.tags = None
        self._touched, self._changes = {}, set()
        self._spans, self._digests, self._prefixes, self._sweeps = [], [], [], []
        self._described, self._kinds = [], []

    def _insert_digests(self) -> None:
        rows, pieces = [], []
        for row, known in self._digests:
            names, others = split(known.tags or ())
            rows.append((*row, names or None, known.stored_kind()))
            if others:
                pieces.append((row[0], row[1], others))
        self._tx.insert(digest_table, rows)
        for repository_id, digest_id, others in pieces:
            self._names.add_piece(repository_id, digest_id, others)

    def _flush_changes(self) -> None:
        changes = sorted(self._changes)
        if self._tx.dialect == "sqlite":
            rows: list[Parameters] = [{"period": number, "repository_id": of} for number, of in changes]
            self._tx.run("add_change", *rows)
        elif changes:
            periods, repositories = zip(*changes, strict=True)
            self._tx.run("add_changes", {"periods": list(periods), "repository_ids": list(repositories)})

    def flush(self) -> None:
        """Write all that was gathered."""
        self._flush_rows()
        changed = [(*s.row(), s.repository_id) for s in self._states.values() if s.row() != s.loaded]
        self._tx.update(repository, RepositoryState.COLUMNS, changed)

    def _load_tags(self, state: RepositoryState, tags: tuple[Tag, ...]) -> None:
        if state.last_tag_id:
            names = [tag.name for tag in tags if tag.name not in state.tags]
            for row in self._tx.query("tags_named", repository_id=state.repository_id, names=names):
                known = state.tags[row[0]] = KnownTag.of_row(row)
                if known.digest is not None and known.span.content is not None:
                    known.digest = state.digests.setdefault(known.span.content, known.digest)

    def _load_digests(self, state: RepositoryState, tags: list[Tag]) -> None:
        if not state.last_digest_id:
            return
        wanted = {tag.digest for tag in tags if tag.digest}
        for images in {id(tag.images): tag.images for tag in tags}.values():  # aliases share theirs
            wanted.update([image.digest for image in images])
        wanted.update(_key(tag.images) for tag in tags if tag.digest is None and tag.images)
        prefixes = sorted({_prefix(digest) for digest in wanted if digest not in state.digests})
        if not prefixes:
            return
        rows = self._tx.query("digests_by_prefix", repository_id=state.repository_id, prefixes=prefixes)
        for content, digest_id, images, kind in rows:
            state.digests.setdefault(bytes(content), KnownDigest(digest_id, images and bytes(images), kind))

    def _store(self, state: RepositoryState, tag: Tag, at: int, outcome: PageOutcome) -> None:
        known = state.tags.get(tag.name)
        if known is None:
            content = tag.digest or (_key(tag.images) if tag.images else None)
            digest = self._digest(state, content, tag, outcome)
            span_ = begin(Sight(content, tag.pushed_at, at, None), state.sweeps)
            state.last_tag_id += 1
            known = state.tags[tag.name] = KnownTag(tag.name, state.last_tag_id, span_, digest)
            self._touch(state, known)
            self._begun(state, known)
            outcome.new += 1
            outcome.news += 1
            return
        content, same = self._compare(state, tag, known)
        change = judge(known.span, Sight(content, tag.pushed_at, at, same), state.sweeps)
        self._apply(state, tag, known, change, outcome)
        if same:
            self._digest(state, content, tag, outcome)  # its platform images may be readable only now

    def _apply(
        self, state: RepositoryState, tag: Tag, known: KnownTag, change: Outcome, outcome: PageOutcome
    ) -> None:
        is_news = change.kind not in {Kind.SAME, Kind.SEEN}
        if change.closed is not None:
            if not change.kind.is_report:
                self._add_span(state, known, known.digest, change.closed, None)
            elif change.kind is Kind.STALE and self._is_told(state, known, change.closed):
                is_news = False
            else:
                digest = self._digest(state, change.closed.content, tag, outcome)
                self._add_span(state, known, digest, change.closed, None)
                self._hold(state, digest, tag.name)
                self._reported_late(state, known, change.closed)
        if change.open is not None:
            known.span = change.open
            if not change.kind.is_report:
                known.digest = self._digest(state, change.open.content, tag, outcome)
                self._begun(state, known)
        if change.kind is not Kind.SAME:
            self._touch(state, known)
        outcome.news += is_news
        outcome.moved += change.kind in {Kind.MOVED, Kind.RETURNED}

    def _is_told(self, state: RepositoryState, known: KnownTag, closed: Closed) -> bool:
        """Whether the same old answer was stored before; then it is known to have come once more."""
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

    def _compare(self, state: RepositoryState, tag: Tag, known: KnownTag) -> tuple[bytes | None, bool | None]:
        """The content that `tag` shows, and whether the tag still points to what is known; None: unreadable.

        A platform set whose index digest one of the two sides lacks is the same content if its images are. Where
        the sides have nothing in common that could be compared, their push times tell whether it moved; if one of
        them has none, nobody knows.
        """
        before = known.span.content
        if tag.digest is None and not tag.images:
            return None, None
        content = tag.digest or _key(tag.images)
        if before is None or content == before:
            return content, content == before
        pushes = tag.pushed_at, known.span.pushed_at
        unmoved = None if None in pushes else pushes[0] == pushes[1]
        if tag.digest is None and len(before) != KEY_SIZE:
            images = known.digest.images if known.digest else None
            if images is None and unmoved is None:
                return None, None
            same = unmoved if images is None else images == self._packed(state, tag.images)
            return before if same else content, same
        if tag.digest is not None and len(before) == KEY_SIZE:
            if not tag.images and unmoved is None:
                return None, None
            return content, _key(tag.images) == before if tag.images else unmoved
        return content, False

    def _packed(self, state: RepositoryState, images: tuple[PlatformImage, ...]) -> bytes | None:
        """The packed form of images that are all known already, else None."""
        pairs = []
        for image in images:
            known = state.digests.get(image.digest)
            if known is None:
                return None
            pairs.append((self._numbers.platform(self._tx, image.platform), known.digest_id))
        return pack(pairs)

    def _add_span(
        self,
        state: RepositoryState,
        known: KnownTag,
        digest: KnownDigest | None,
        closed: Closed,
        gone_at: int | None,
    ) -> None:
        known.closed_spans += 1
        self._spans.append((
            state.repository_id, known.tag_id, known.closed_spans, digest.digest_id if digest else None,
            closed.pushed_at, closed.first_seen_at, closed.last_seen_at, gone_at,
        ))  # fmt: skip

    def _begun(self, state: RepositoryState, known: KnownTag) -> None:
        """Let it be found by its digest, and by the time when it began, that a tag is in its open span."""
        self._hold(state, known.digest, known.name)
        for at in (known.span.first_seen_at, known.span.pushed_at):
            if at is not None:
                self._changes.add((period(at), state.repository_id))

    def _reported_late(self, state: RepositoryState, known: KnownTag, closed: Closed) -> None:
        """A late report changes what is thought of the time from its push to the next sight of something else."""
        until = max(known.span.gone_at or 0, confirmed_until(known.span, state.sweeps), closed.first_seen_at)
        pushed_at = closed.first_seen_at if closed.pushed_at is None else closed.pushed_at
        since = min(closed.first_seen_at, pushed_at)
        self._changes.update((number, state.repository_id) for number in range(period(since), period(until) + 1))

    def _hold(self, state: RepositoryState, digest: KnownDigest | None, name: str) -> None:
        """Remember with a digest that a tag points or pointed to it."""
        if digest is None:
            return
        if digest.tags is None:
            self._names.add(state.repository_id, digest.digest_id, name)
        else:
            digest.tags[name] = None

    def _touch(self, state: RepositoryState, known: KnownTag) -> None:
        """Let the tag's row be written."""
        self._touched[state.repository_id, known.name] = known

    def _digest(
        self, state: RepositoryState, content: bytes | None, tag: Tag, outcome: PageOutcome
    ) -> KnownDigest | None:
        """The digest's number, given out if it is new; platform images not known before are added."""
        if content is None:
            return None
        known = state.digests.get(content)
        if known is None:
            known = self._new_digest(state, content)
            row = self._describe(state, known, content, tag)
            self._digests.append(((state.repository_id, known.digest_id, content, *row), known))
            self._prefixes.append((_prefix(content), state.repository_id, known.digest_id, 0))
        elif known.images is None and tag.images:
            media_type_id, size, packed = self._describe(state, known, content, tag)
            self._described.append(
                {
                    "repository_id": state.repository_id,
                    "digest_id": known.digest_id,
                    "media_type_id": media_type_id,
                    "size": size,
                    "images": packed,
                    "kind": known.stored_kind(),
                }
            )
        elif tag.images and tag.images is not known.seen and tag.digest == content:
            known.seen = tag.images
            if self._packed(state, tag.images) != known.images:
                outcome.warnings.append(
                    f"tag {tag.name}: a known digest was shown with other platform images: kept what was known"
                )
        if tag.kind is not None and tag.kind > known.kind and tag.digest in {None, content}:
            known.kind = int(tag.kind)
            outcome.news += 1
            self._kinds.append(
                {"repository_id": state.repository_id, "digest_id": known.digest_id, "kind": known.kind}
            )
        return known

    def _describe(self, state: RepositoryState, known: KnownDigest, content: bytes, tag: Tag) -> Row:
        """Media type, size and packed images of a tag's digest; images not known before get their numbers."""
        known.seen = tag.images
        known.images = self._images(state, known, tag.images) if tag.images else None
        known.kind = max(known.kind, int(tag.kind or 0))
        return self._numbers.media_type(self._tx, tag.media_type), tag.size, known.images

    def _images(self, state: RepositoryState, index: KnownDigest, images: tuple[PlatformImage, ...]) -> bytes:
        repository_id, index_id, digests = state.repository_id, index.digest_id, state.digests
        platforms, pairs, members = self._numbers.platforms, [], set()
        for image in images:
            digest = image.digest
            known = digests.get(digest)
            if known is None:
                known = self._new_digest(state, digest)
                self._digests.append(((repository_id, known.digest_id, digest, None, image.size, None), known))
            digest_id = known.digest_id
            if digest_id != index_id and digest_id not in members:
                members.add(digest_id)
                self._prefixes.append((_prefix(digest), repository_id, digest_id, index_id))
            platform_id = platforms.get(image.platform) or self._numbers.platform(self._tx, image.platform)
            pairs.append((platform_id, digest_id))
        return pack(pairs)

    def _new_digest(self, state: RepositoryState, content: bytes) -> KnownDigest:
        state.last_digest_id += 1
        known = state.digests[content] = KnownDigest(state.last_digest_id, None)
        known.tags = {}
        return known


class Numbers:
    """The numbers of platforms and media types, remembered between transactions."""

    def __init__(self) -> None:
        self.platforms: dict[str, int] = {}
        self._media_types: dict[str, int] = {}

    def platform(self, tx: Transaction, name: str) -> int:
        """The number of a platform name, given out on first use."""
        number = self.platforms.get(name)
        if number is None:
            if len(self.platforms) >= _MAX_REMEMBERED:
                self.platforms.clear()
            number = self.platforms[name] = _number(tx, "platform", name)
        return number

    def media_type(self, tx: Transaction, name: str | None) -> int | None:
        """The number of a media type, given out on first use."""
        if name is None:
            return None
        number = self._media_types.get(name)
        if number is None:
            if len(self._media_types) >= _MAX_REMEMBERED:
                self._media_types.clear()
            number = self._media_types[name] = _number(tx, "media_type", name)
        return number

    def forget(self) -> None:
        """After a rollback: numbers given out in it are void."""
        self.platforms.clear()
        self._media_types.clear()


def _number(tx: Transaction, kind: str, name: str) -> int:
    tx.run(f"add_{kind}", {"name": name})
    return int(tx.query(f"{kind}_id", name=name)[0][0])


def _is_stale(known: KnownTag | None, tag: Tag, sweeps: Sweeps, at: int) -> bool:
    """Whether a row says what had been before what is known."""
    if known is None:
        return False
    confirmed = confirmed_until(known.span, sweeps)
    return at >= confirmed and is_stale(tag.pushed_at, known.span, confirmed)


def _key(images: tuple[PlatformImage, ...]) -> bytes:
    return set_key((image.platform, image.digest) for image in images)


def _prefix(content: bytes) -> int:
    return int(_first_32_bits(content)[0])
