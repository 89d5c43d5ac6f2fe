"""What a page of tags means for what is known: which are new, which moved, and which answers are stale."""

from hubindex.index.database.engine import Transaction
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
from hubindex.index.platforms import KEY_SIZE
from hubindex.index.writing.digests import DigestWriter, Numbers, content_key
from hubindex.index.writing.known import KnownTag, RepositoryState
from hubindex.index.writing.tag_rows import TagRows
from hubindex.index.writing.walks import PageOutcome
from hubindex.kinds import seen_in_tags
from hubindex.records import Tag, TagPage


class TagWriter:
    """Decides what observations of tags change, within one transaction; `rows` are written by its `flush`."""

    def __init__(self, tx: Transaction, numbers: Numbers) -> None:
        self._digests = DigestWriter(tx, numbers)
        self.rows = TagRows(tx, self._digests)

    def page(self, repository_id: int, page: TagPage) -> PageOutcome:
        """Store what changed since it was last seen.

        A page that says what had been before is old as a whole: its other rows are true of their push times only.
        """
        state = self.rows.state(repository_id)
        outcome = PageOutcome()
        if page.observed_at + CLOCK_SKEW < (state.sweeps.swept_at or 0):
            outcome.warnings.append("the index holds a later look at it than this one: is the clock right?")
        state.kinds = seen_in_tags([(tag.name, tag.kind) for tag in page.tags], state.kinds)
        self.rows.load(state, page.tags)
        known, at = state.tags, page.observed_at
        changed = [tag for tag in page.tags if (k := known.get(tag.name)) is None or not k.is_unchanged(tag, at)]
        if changed:
            self._digests.load(state, changed)
            stale = [tag for tag in changed if _is_stale(known.get(tag.name), tag, state.sweeps, at)]
            for tag in stale:
                self._store(state, tag, at, outcome)
            outcome.stale, outcome.is_stale = len(stale), outcome.news > 0
            for tag in changed if not stale else [tag for tag in changed if tag not in stale]:
                if not outcome.is_stale:
                    self._store(state, tag, at if tag.observed_at is None else tag.observed_at, outcome)
                elif tag.pushed_at is not None:
                    self._store(state, tag, min(tag.pushed_at, at), outcome)
        return outcome

    def report(self, state: RepositoryState, tag: Tag, at: int, outcome: PageOutcome) -> None:
        """Store what a tag was at a moment of the past, by the registry's own word. The tag's row is loaded."""
        self._digests.load(state, [tag])
        self._store(state, tag, at, outcome)

    def end(self, state: RepositoryState, known: KnownTag, last_seen_at: int, gone_at: int) -> None:
        """The tag was there at `last_seen_at`, and was found to be gone at `gone_at`."""
        content, pushed_at, first_seen_at = known.span[:3]
        self.rows.add_span(
            state, known, known.digest, Closed(content, pushed_at, first_seen_at, last_seen_at), gone_at
        )
        known.digest = None
        known.span = Open(None, None, first_seen_at, last_seen_at, gone_at)
        self.rows.changed_at(state, gone_at)
        self.rows.touch(state, known)

    def _store(self, state: RepositoryState, tag: Tag, at: int, outcome: PageOutcome) -> None:
        known = state.tags.get(tag.name)
        if known is None:
            content = tag.digest or (content_key(tag.images) if tag.images else None)
            digest = self._digests.number(state, content, tag, outcome)
            span_ = begin(Sight(content, tag.pushed_at, at, None), state.sweeps)
            state.last_tag_id += 1
            known = state.tags[tag.name] = KnownTag(tag.name, state.last_tag_id, span_, digest)
            self.rows.touch(state, known)
            self._begun(state, known)
            outcome.new += 1
            outcome.news += 1
            return
        content, same = self._compare(state, tag, known)
        change = judge(known.span, Sight(content, tag.pushed_at, at, same), state.sweeps)
        self._apply(state, tag, known, change, outcome)
        if same:
            self._digests.number(state, content, tag, outcome)  # its platform images may be readable only now

    def _apply(
        self, state: RepositoryState, tag: Tag, known: KnownTag, change: Outcome, outcome: PageOutcome
    ) -> None:
        is_news = change.kind not in {Kind.SAME, Kind.SEEN}
        if change.closed is not None:
            if not change.kind.is_report:
                self.rows.add_span(state, known, known.digest, change.closed, None)
            elif change.kind is Kind.STALE and self.rows.extend_stale_report(state, known, change.closed):
                is_news = False
            else:
                digest = self._digests.number(state, change.closed.content, tag, outcome)
                self.rows.add_span(state, known, digest, change.closed, None)
                self._digests.hold(state, digest, tag.name)
                self._reported_late(state, known, change.closed)
        if change.open is not None:
            known.span = change.open
            if not change.kind.is_report:
                known.digest = self._digests.number(state, change.open.content, tag, outcome)
                self._begun(state, known)
        if change.kind is not Kind.SAME:
            self.rows.touch(state, known)
        outcome.news += is_news
        outcome.moved += change.kind in {Kind.MOVED, Kind.RETURNED}

    def _compare(self, state: RepositoryState, tag: Tag, known: KnownTag) -> tuple[bytes | None, bool | None]:
        """The content that `tag` shows, and whether the tag still points to what is known; None: unreadable.

        A platform set whose index digest one of the two sides lacks is the same content if its images are. Where
        the sides have nothing in common that could be compared, their push times tell whether it moved; if one of
        them has none, nobody knows.
        """
        before = known.span.content
        if tag.digest is None and not tag.images:
            return None, None
        content = tag.digest or content_key(tag.images)
        if before is None or content == before:
            return content, content == before
        pushes = tag.pushed_at, known.span.pushed_at
        unmoved = None if None in pushes else pushes[0] == pushes[1]
        if tag.digest is None and len(before) != KEY_SIZE:
            images = known.digest.images if known.digest else None
            if images is None and unmoved is None:
                return None, None
            same = unmoved if images is None else images == self._digests.packed(state, tag.images)
            return before if same else content, same
        if tag.digest is not None and len(before) == KEY_SIZE:
            if not tag.images and unmoved is None:
                return None, None
            return content, content_key(tag.images) == before if tag.images else unmoved
        return content, False

    def _begun(self, state: RepositoryState, known: KnownTag) -> None:
        """Let it be found by its digest, and by the time when it began, that a tag is in its open span."""
        self._digests.hold(state, known.digest, known.name)
        self.rows.changed_at(state, known.span.first_seen_at, known.span.pushed_at)

    def _reported_late(self, state: RepositoryState, known: KnownTag, closed: Closed) -> None:
        """A late report changes what is thought of the time from its push to the next sight of something else."""
        until = max(known.span.gone_at or 0, confirmed_until(known.span, state.sweeps), closed.first_seen_at)
        pushed_at = closed.first_seen_at if closed.pushed_at is None else closed.pushed_at
        since = min(closed.first_seen_at, pushed_at)
        self.rows.changed_between(state, since, until)


def _is_stale(known: KnownTag | None, tag: Tag, sweeps: Sweeps, at: int) -> bool:
    """Whether a row says what had been before what is known."""
    if known is None:
        return False
    confirmed = confirmed_until(known.span, sweeps)
    return at >= confirmed and is_stale(tag.pushed_at, known.span, confirmed)
