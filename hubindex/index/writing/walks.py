"""Walks over a repository's tags: what has been stored of one under way, and what one proves at its end."""

from typing import NamedTuple

from hubindex.records import TagPage

INTERRUPTED = "interrupted"
"""The problem of a walk that did not come to its end."""


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


class Looked(NamedTuple):
    """When a repository's tags were last walked over, and what was to be said of that."""

    walked_at: int | None
    problem: str | None


class Walk(NamedTuple):
    """The end of a walk over a repository's tags.

    `names` are the tags that are there; `looked_at` are those of them of which a page that is not stale said what
    they are, None for all. `problem` says why the walk is no sweep; None: it was complete and consistent, or
    `ends_early`: from where it ended on, nothing that is known has changed, if the source can be believed, but
    nobody has seen it. `omission` is what a sweep could not find out. `newest_push` is the latest push time seen;
    `oldest_push` the earliest, if the tags came newest first without exception, so that a walk that broke off
    still saw everything pushed after it. `before` is what `begin_walk` returned, if it was called.
    """

    repository_id: int
    started_at: int
    finished_at: int
    names: set[str]
    problem: str | None = None
    omission: str | None = None
    ends_early: bool = False
    before: Looked | None = None
    newest_push: int | None = None
    oldest_push: int | None = None
    looked_at: set[str] | None = None


class StoredPages(NamedTuple):
    """What has been stored of a walk that is under way; `number` tells it from others over the same repository.

    `pages` is how many of its pages are stored, `stale_pages` how many of them were stale, `stale` the tags that
    only those showed. `before` is what was known of the last walk when this one brought its first news.
    """

    number: int
    pages: int = 0
    stale_pages: int = 0
    stale: frozenset[str] = frozenset()
    before: Looked | None = None

    def add(self, page: TagPage, outcome: PageOutcome, before: Looked | None) -> "StoredPages":
        """With one page more, and what it came to."""
        found = self._replace(pages=self.pages + 1, before=before or self.before)
        if outcome.is_stale:
            names = self.stale.union(tag.name for tag in page.tags)
            return found._replace(stale_pages=self.stale_pages + 1, stale=names)
        return found._replace(stale=self.stale.difference(tag.name for tag in page.tags)) if self.stale else found

    def proven(self, walk: Walk, pages: int) -> Walk:
        """What a walk of so many pages proves after what became of them.

        If one could not be stored, nobody knows which tags it showed: they may have moved. If one was stale, the
        walk is no sweep, and what that page showed was not looked at now.
        """
        walk = walk._replace(before=self.before)
        if self.pages != pages:
            problem = "a page could not be stored"
            return walk._replace(problem=problem, ends_early=False, oldest_push=None, looked_at=set())
        if not self.stale_pages:
            return walk
        problem = walk.problem or "some answers are older than what was seen before"
        looked_at = (walk.names if walk.looked_at is None else walk.looked_at) - self.stale
        return walk._replace(problem=problem, ends_early=False, oldest_push=None, looked_at=looked_at)
