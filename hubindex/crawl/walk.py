"""A walk over a repository's tag list, and whether it proves what it did not see."""

from collections.abc import Iterable

from hubindex.index.writing.ingest import Batch, Commit, Looked, Walk
from hubindex.records import TagPage


class WalkLog:
    """What the pages of one walk showed, in the order in which they came, newest first.

    Pages are cut by position from a list that moves. A push moves rows down, so that some come twice; a deletion
    moves rows up, so that some are never seen. Between two pages the source's count tells how many more were added
    than deleted: if it never falls, no row has moved up, and only what was pushed again, and jumped from the part
    not yet read to the top, can have been missed. The top is read once more for that (`again`).

    `looked_at` are the names of the tags that pages showed now, and not as they had been before (`stale_pages`).
    `unreadable` counts the rows that could not be understood: each may have been news of any tag.
    Pages are stored while others are fetched: `commits` has for each the transaction it went into. If one is lost
    the walk proves nothing.
    """

    def __init__(self, repository_id: int, started_at: int) -> None:
        self.repository_id = repository_id
        self.started_at = started_at
        self.pages = 0
        self.names: set[str] = set()
        self.looked_at: set[str] = set()
        self.commits: list[Commit | None] = []
        self._before: Looked | None = None
        self.count: int | None = None
        self._moved = False
        self._fell = False
        self._repeated = 0
        self.unreadable = 0
        self.stale_pages = 0
        self._newest_push: int | None = None
        self._oldest_push: int | None = None
        self._in_order = True
        self._undated = False
        self._is_listed = False

    def add(self, page: TagPage, *, again: bool = False) -> bool:
        """Take a page in; returns whether the next one is worth asking for. `again`: the top, read once more."""
        self.pages += 1
        if self.pages == 1:
            self.started_at = page.observed_at
        before = len(self.names)
        self.names.update(tag.name for tag in page.tags)
        self.looked_at.update(tag.name for tag in page.tags)
        fresh = len(self.names) - before
        self.unreadable += page.unreadable
        if page.count is not None:
            self._moved |= self.count is not None and page.count != self.count
            self._fell |= self.count is not None and page.count < self.count
            self.count = page.count
        for tag in page.tags:
            self._see_push(tag.pushed_at, is_at_its_place=not again)
        if again:
            self._moved |= fresh > 0
        else:
            self._repeated += len(page.tags) - fresh
        return page.more and fresh > 0  # a list that repeats itself would go on for ever

    def begin(self, batch: Batch) -> None:
        """A page has brought news: until the walk has ended it is taken for one that was interrupted."""
        self._before = batch.begin_walk(self.repository_id, self.started_at) or self._before

    def leave(self) -> int:
        """A page is left to be stored; returns its place in `commits`."""
        self.commits.append(None)
        return len(self.commits) - 1

    def has_lost_a_page(self, now: Commit) -> bool:
        """Whether a page is neither stored nor part of the transaction that is open now."""
        return any(commit is None or not (commit is now or commit.is_done) for commit in self.commits)

    def add_names(self, names: Iterable[str]) -> None:
        """Take in all names that another source lists: they are as good as seen."""
        self._is_listed = True
        self.names.update(names)
        self._repeated += len(self.names)  # the Hub's count may lag behind

    @property
    def is_short(self) -> bool:
        """Whether fewer tags were seen than there are."""
        return self.count is not None and len(self.names) + self.unreadable < self.count

    @property
    def is_worth_repeating(self) -> bool:
        """Whether the list moved so that another walk may see what this one could not."""
        return self._fell or (self.is_short and self._moved)

    def finish(
        self, finished_at: int, error: str | None = None, omission: str | None = None, *, ends_early: bool = False
    ) -> Walk:
        """The walk as the index wants it; `error` says why it broke off, if it did.

        `ends_early`: nothing was new any more, and the count is that of the tags known.
        """
        return Walk(
            self.repository_id,
            self.started_at,
            self.started_at if self.pages == 1 and not self._is_listed else finished_at,  # a page is one moment
            self.names,
            problem=error or (None if ends_early else self._inconsistency()),
            omission=omission,
            ends_early=ends_early,
            before=self._before,
            newest_push=self._newest_push,
            oldest_push=self._oldest_push if self._in_order else None,
            looked_at=self.looked_at,
        )

    def take_for_stale(self, page: TagPage) -> None:
        """A page said what had been before: nothing it shows was looked at now."""
        self.stale_pages += 1
        self.looked_at.difference_update(tag.name for tag in page.tags)

    def without_stale(self, walk: Walk) -> Walk:
        """What the walk proves if some of its pages are old: no more than the others showed."""
        if not self.stale_pages:
            return walk
        told = walk.problem or "some answers are older than what was seen before"
        return walk._replace(problem=told, ends_early=False, oldest_push=None)

    def _inconsistency(self) -> str | None:
        if self.unreadable:
            return f"{self.unreadable} rows could not be understood"
        if self._fell:
            return "tags were deleted during the walk"
        seen, count = len(self.names), self.count
        if count is None or seen < count or seen > count + self._repeated:
            return f"saw {seen} tags where the source counts {count}"
        return None

    def _see_push(self, pushed_at: int | None, *, is_at_its_place: bool) -> None:
        """Newest first without exception; tags without a push time may only come last."""
        if pushed_at is None:
            self._undated = True
            return
        self._newest_push = max(pushed_at, self._newest_push or pushed_at)
        if not is_at_its_place:
            return
        if self._undated or (self._oldest_push is not None and pushed_at > self._oldest_push):
            self._in_order = False
        self._oldest_push = pushed_at
