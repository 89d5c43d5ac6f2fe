"""A walk over a repository's tag list, and whether it proves what it did not see."""

from hubindex.index.ingest import Walk
from hubindex.records import TagPage


class WalkLog:
    """What the pages of one walk showed, in the order in which they came, newest first.

    `unwritten` holds the numbers of pages that could not be stored; without them the walk proves nothing.
    """

    def __init__(self, repository_id: int, started_at: int) -> None:
        self.repository_id = repository_id
        self.started_at = started_at
        self.pages = 0
        self.names: set[str] = set()
        self.unwritten: set[int] = set()
        self._count: int | None = None
        self._count_changed = False
        self._unreadable = 0
        self._newest_push: int | None = None
        self._oldest_push: int | None = None
        self._in_order = True
        self._undated = False

    def add(self, page: TagPage) -> bool:
        """Take a page in; returns whether the next one is worth asking for."""
        self.pages += 1
        before = len(self.names)
        self.names.update(tag.name for tag in page.tags)
        self._unreadable += page.unreadable
        if page.count is not None:
            self._count_changed |= self._count is not None and page.count != self._count
            self._count = page.count
        for tag in page.tags:
            self._see_push(tag.pushed_at)
        # A list that repeats itself would go on for ever.
        return page.more and len(self.names) > before

    def finish(self, finished_at: int, error: str | None = None) -> Walk:
        """The walk as the index wants it; `error` says why it broke off, if it did."""
        return Walk(
            self.repository_id,
            self.started_at,
            finished_at,
            self.names,
            problem=error or self._inconsistency(),
            newest_push=self._newest_push,
            oldest_push=self._oldest_push if self._in_order else None,
        )

    def _inconsistency(self) -> str | None:
        if self._unreadable:
            return f"{self._unreadable} rows could not be understood"
        if self._count_changed:
            return "the number of tags changed during the walk"
        if self._count != len(self.names):
            return f"saw {len(self.names)} tags where the source counts {self._count}"
        return None

    def _see_push(self, pushed_at: int | None) -> None:
        """Newest first without exception; tags without a push time may only come last."""
        if pushed_at is None:
            self._undated = True
            return
        if self._undated or (self._oldest_push is not None and pushed_at > self._oldest_push):
            self._in_order = False
        self._newest_push = max(pushed_at, self._newest_push or pushed_at)
        self._oldest_push = pushed_at
