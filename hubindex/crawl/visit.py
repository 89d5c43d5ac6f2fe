"""The visit of a repository: as few requests as tell what its tags are now."""

import asyncio
from collections.abc import Sequence

from hubindex.crawl.commands import FinishWalk, LeastKnown, StoredPage, StorePage
from hubindex.crawl.context import CrawlContext, Stopped
from hubindex.crawl.listing import MAX_PAGES, PAGE_SIZE
from hubindex.crawl.walk import WalkLog
from hubindex.errors import NotFound, PaginationRefused, SourceError, UnreadableAnswer
from hubindex.index.writing.frontier import Job
from hubindex.index.writing.walks import INTERRUPTED, PageOutcome
from hubindex.records import Tag, TagPage

_WALKS = 3
_MAX_AGAIN = 5
_HEADS_AT_A_TIME = 8
_NAMES_IN_A_PAGE = 500

_Failure = SourceError | Stopped | None


class Visitor:
    """Visits repositories: reads their tag lists, newest first, and leaves the pages to the writer.

    A list that was swept lately is read until a page says nothing new and the source counts as many tags as are
    known; that confirms what was seen, and not the rest. If the list moves so that tags may have been missed, it
    is read again.
    """

    def __init__(self, context: CrawlContext) -> None:
        self._context = context
        self._heads = asyncio.Semaphore(_HEADS_AT_A_TIME)

    async def visit(self, job: Job) -> None:
        """Visit the repository of a job. Raises `StorageError`."""
        for remaining in reversed(range(_WALKS)):
            log = WalkLog(job.repository_id, self._context.clock())
            try:
                is_settled = await self._walk(job, log)
            except asyncio.CancelledError:
                if log.pages:
                    walk = log.finish(self._context.clock(), INTERRUPTED)
                    self._context.writer.accept_last(FinishWalk(log.number, walk, log.left, None))
                raise
            if is_settled or not (remaining and log.is_worth_repeating):
                if not is_settled:
                    await self._finish(job, log, None)
                return

    async def _walk(self, job: Job, log: WalkLog) -> bool:
        """One walk; returns whether all that is to be said of it is written, or left to be."""
        context = self._context
        try:
            if await self._pages(job, log):
                return True
            await self._top_again(job, log)
        except NotFound as error:
            if log.pages:
                context.failed(error)
                await self._finish(job, log, error)
            else:
                await context.missing(job, job.name, log.started_at)
                context.progress.done += 1
            return True
        except PaginationRefused as refused:
            await self._beyond(job, log, refused)
            return True
        except (SourceError, Stopped) as error:
            context.failed(error)
            await self._finish(job, log, error)
            return True
        return False

    async def _pages(self, job: Job, log: WalkLog) -> bool:
        """Fetch the pages; returns whether they ended where nothing was new, and that is written."""
        may_end_early = job.is_swept and not self._context.plan.full and (job.is_whole or not self._heads_wanted)
        goes_on = True
        while goes_on:
            number = log.pages + 1
            if number > MAX_PAGES:
                raise UnreadableAnswer(f"{job.name}: more than {MAX_PAGES:,} pages of tags")
            page = await self._page(job, log, number)
            goes_on = log.add(page)
            if not (goes_on and may_end_early):
                await self._leave_page(job, log, page)
            elif await self._write_page(job, log, page):
                return True
        return False

    async def _page(self, job: Job, log: WalkLog, number: int) -> TagPage:
        """One page. An empty one is doubted, behind the first if more should come."""
        context = self._context
        context.check()

        def is_doubtful(page: TagPage) -> bool:
            return not page.tags and (number == 1 or log.is_short)

        page = await context.canary.ask(lambda: context.hub.tag_page(job.name, number, PAGE_SIZE), is_doubtful)
        context.answered(page)
        context.progress.tags += len(page.tags)
        return page

    async def _top_again(self, job: Job, log: WalkLog) -> None:
        """What was pushed while the list was read stands at its top now."""
        for number in range(1, _MAX_AGAIN + 1):
            if not log.is_short:
                return
            page = await self._page(job, log, number)
            goes_on = log.add(page, again=True)
            await self._leave_page(job, log, page)
            if not goes_on:
                return

    # What the index gets

    async def _write_page(self, job: Job, log: WalkLog, page: TagPage) -> bool:
        """Store a page, and end the walk if it says nothing new; returns whether it ended."""
        end = None
        if not log.unreadable:
            walk = log.finish(self._context.clock(), ends_early=True)
            end = FinishWalk(log.number, walk, log.left + 1, self._context.end_of(job, None))
        stored = await self._context.writer.write(self._store(log, page, end))
        self._count(job, stored.outcome)
        if stored.is_end:
            self._settled(job, 0)
        return stored.is_end

    async def _leave_page(self, job: Job, log: WalkLog, page: TagPage) -> None:
        def count(stored: StoredPage) -> None:
            self._count(job, stored.outcome)

        await self._context.leave(self._store(log, page), count)

    def _store(self, log: WalkLog, page: TagPage, end: FinishWalk | None = None) -> StorePage:
        log.left += 1
        return StorePage(log.repository_id, log.number, log.started_at, page, end)

    async def _finish(self, job: Job, log: WalkLog, error: _Failure, omission: str | None = None) -> None:
        """Leave to the writer what a walk proves, after all of its pages."""
        end = self._context.end_of(job, error)
        if not log.pages:
            await self._context.leave(end, lambda _: self._settled(job, 0))
            return
        problem = None if error is None else f"page {log.pages + 1}: {error}"
        walk = log.finish(self._context.clock(), problem, omission)
        await self._context.leave(
            FinishWalk(log.number, walk, log.left, end), lambda gone: self._settled(job, gone)
        )

    def _count(self, job: Job, outcome: PageOutcome) -> None:
        self._context.progress.new_tags += outcome.new
        self._context.progress.changed_tags += outcome.moved
        self._context.progress.stale_tags += outcome.stale
        for warning in outcome.warnings:
            self._context.warn(f"{job.name}: {warning}")

    def _settled(self, job: Job, gone: int) -> None:
        self._context.progress.changed_tags += gone
        self._context.progress.done += 1
        self._context.done(job)

    # Beyond what the Hub shows

    @property
    def _heads_wanted(self) -> bool:
        return self._context.registry is not None and self._context.plan.heads > 0

    async def _beyond(self, job: Job, log: WalkLog, refused: PaginationRefused) -> None:
        """The Hub lists no more to us: the registry knows all names, and each digest for the asking."""
        context, registry = self._context, self._context.registry
        if registry is None:
            context.failed(refused)
            await self._finish(job, log, refused)
            return
        error: _Failure = None
        omission = None
        try:
            listed = await registry.tag_names(job.name)
            for warning in listed.warnings:
                context.warn(warning)
            if not listed.complete:
                raise UnreadableAnswer(f"{job.name}: the registry's list of tags is not whole")
            unseen = [name for name in listed.names if name not in log.names]
            left = await self._heads_of(job, log, unseen, listed.observed_at)
            log.add_names(listed.names)
            if left:
                omission = f"the digests of {left:,} of {len(log.names):,} tags were not asked for"
        except (SourceError, Stopped) as failed:
            context.failed(failed)
            error = failed
        await self._finish(job, log, error, omission)

    async def _heads_of(self, job: Job, log: WalkLog, unseen: Sequence[str], at: int) -> int:
        """Ask for digests, those known least first; returns how many were left."""
        context, most = self._context, self._context.plan.heads
        ordered = await context.writer.write(LeastKnown(job.repository_id, unseen))
        for start in range(0, len(ordered[:most]), _HEADS_AT_A_TIME):
            names = ordered[start : min(start + _HEADS_AT_A_TIME, most)]
            context.check()
            answers = await asyncio.gather(*(self._head(job, name) for name in names), return_exceptions=True)
            await self._leave_tags(job, log, [answer for answer in answers if isinstance(answer, tuple)])
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
        left = ordered[most:]
        for start in range(0, len(left), _NAMES_IN_A_PAGE):
            names = left[start : start + _NAMES_IN_A_PAGE]
            await self._leave_tags(job, log, [(at, tuple(Tag(name=name) for name in names))])
        return len(left)

    async def _head(self, job: Job, name: str) -> tuple[int, tuple[Tag, ...]]:
        """When a tag was asked for, and its digest if the registry gives one.

        Listed, and not found: it may be deleted meanwhile, or of a kind that we do not accept. Nobody knows.
        """
        assert self._context.registry is not None
        async with self._heads:
            try:
                at, tag = await self._context.registry.look(job.name, name)
            except UnreadableAnswer as error:
                self._context.warn(str(error))
                return self._context.clock(), (Tag(name=name),)
        self._context.answered()
        return at, (tag or Tag(name=name),)

    async def _leave_tags(self, job: Job, log: WalkLog, several: Sequence[tuple[int, tuple[Tag, ...]]]) -> None:
        for at, tags in several:
            self._context.progress.tags += len(tags)
            page = TagPage(tags=tags, count=None, more=True, observed_at=at)
            await self._leave_page(job, log, page)
