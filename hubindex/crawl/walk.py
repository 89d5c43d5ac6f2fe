"""A walk over a repository's tag list, and whether it proves what it did not see."""

import itertools
from collections.abc import Iterable

from hubindex.index.writing.walks import Walk
from hubindex.records import Tag, TagPage

_numbers = itertools.count(1)


class WalkLog:
    """What the pages of one walk showed, in the order in which they came, newest first.

    Pages are cut by position from a list that moves. A push moves rows down, so that some come twice; a deletion
    moves rows up, so that some are never seen. Between two pages the source's count tells how many more were added
    than deleted: if it never falls, no row has moved up, and only what was pushed again, and jumped from the part
    not yet read to the top, can have been missed. The top is read once more for that (`again`).

    `looked_at` are the names of the tags that pages showed. `unreadable` counts the rows that could not be
    understood: each may have been news of any tag. Pages are stored while others are fetched: `left` counts those
    that were left to the writer, which knows the walk by its `number`. `is_listed` tells that all names are known.
    `newest` are the tags of the first page.
    """

    def __init__(self, repository_id: int, started_at: int) -> None:
        self.repository_id = repository_id
        self.number = next(_numbers)
        self.started_at = started_at
        self.pages = 0
        self.left = 0
        self.names: set[str] = set()
        self.looked_at: set[str] = set()
        self.count: int | None = None
        self._moved = False
        self._fell = False
        self._repeated = 0
        self.unreadable = 0
        self._newest_push: int | None = None
        self._oldest_push: int | None = None
        self._in_order = True
        self._undated = False
        self.is_listed = False
        self.newest: tuple[Tag, ...] = ()

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
        return page.more and fresh > 0  # a list that repeats itself has no end

    def add_names(self, names: Iterable[str]) -> None:
        """Take in all names that another source lists: they are as good as seen."""
        self.is_listed = True
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
            self.started_at if self.pages == 1 and not self.is_listed else finished_at,  # a page is one moment
            self.names,
            problem=error or (None if ends_early else self._inconsistency()),
            omission=omission,
            ends_early=ends_early,
            newest_push=self._newest_push,
            oldest_push=self._oldest_push if self._in_order else None,
            looked_at=self.looked_at,
        )

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
