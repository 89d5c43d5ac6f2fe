"""What all walks over tags have in common: what they leave to the writer, and looks at single tags."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from hubindex.crawl.commands import FinishWalk, StoredPage, StorePage
from hubindex.crawl.contents import ContentReader
from hubindex.crawl.context import CrawlContext, Stopped
from hubindex.crawl.walk import WalkLog
from hubindex.errors import SourceError, UnreadableAnswer
from hubindex.index.writing.frontier import Job
from hubindex.index.writing.walks import INTERRUPTED, PageOutcome
from hubindex.records import Tag, TagNames, TagPage
from hubindex.sources.registry.client import Registry

Failed = SourceError | Stopped | None
"""Why a walk broke off, if it did."""

NAMES_AT_A_TIME = 500


class Walker:
    """Walks over the tags of a repository, and leaves what it finds to the writer."""

    def __init__(self, context: CrawlContext) -> None:
        self._context = context

    def _leave_interrupted(self, log: WalkLog) -> None:
        if log.left:
            walk = log.finish(self._context.clock(), INTERRUPTED)
            self._context.writer.accept_last(FinishWalk(log.number, walk, log.left, None))

    async def _leave_page(self, job: Job, log: WalkLog, page: TagPage) -> None:
        def count(stored: StoredPage) -> None:
            self._count(job, stored.outcome)

        await self._context.leave(self._store(log, page), count)

    def _store(self, log: WalkLog, page: TagPage, end: FinishWalk | None = None) -> StorePage:
        log.left += 1
        return StorePage(log.repository_id, log.number, log.started_at, page, end)

    async def _finish(self, job: Job, log: WalkLog, error: Failed, omission: str | None = None) -> None:
        """Leave to the writer what a walk proves, after all of its pages."""
        end = self._context.end_of(job, error)
        if not (log.left or log.is_listed):
            await self._context.leave(end, lambda _: self._settled(job, 0))
            return
        problem = None
        if error is not None:
            problem = f"page {log.pages + 1}: {error}" if log.pages else str(error)
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

    def _require_whole(self, job: Job, listed: TagNames) -> None:
        for warning in listed.warnings:
            self._context.warn(warning)
        if not listed.complete:
            raise UnreadableAnswer(f"{job.name}: the registry's list of tags is not whole")

    async def _leave_tags(self, job: Job, log: WalkLog, tags: Sequence[Tag], at: int) -> None:
        self._context.progress.tags += len(tags)
        log.looked_at.update(tag.name for tag in tags)
        page = TagPage(tags=tuple(tags), count=None, more=True, observed_at=at)
        await self._leave_page(job, log, page)

    async def _look(
        self, job: Job, log: WalkLog, names: Sequence[str], ask: Callable[[str], Awaitable[Tag]],
        reader: ContentReader | None = None,
    ) -> None:  # fmt: skip
        """Ask for some tags at once, and leave what came to the writer. Raises what failed.

        With a `reader` it is read what they point to, too.
        """
        self._context.check()
        answers = await asyncio.gather(*map(ask, names), return_exceptions=True)
        tags = [answer for answer in answers if isinstance(answer, Tag)]
        failed = None
        if tags and reader is not None:
            tags, failed = await reader.describe(tags)
        if tags:
            await self._leave_tags(job, log, tags, min(tag.observed_at or 0 for tag in tags))
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        if failed is not None:
            raise failed

    async def _look_at(self, job: Job, registry: Registry, name: str, known: bytes | None) -> Tag:
        """A tag as of the moment at which it was asked for, with its digest if the registry gives one.

        Listed, and not found: it may be deleted meanwhile, or of a kind that we do not accept. Nobody knows.
        """
        try:
            at, tag = await registry.look(job.name, name, known)
        except UnreadableAnswer as error:
            self._context.warn(str(error))
            return Tag(name=name, observed_at=self._context.clock())
        self._context.answered()
        return msgspec.structs.replace(tag or Tag(name=name), observed_at=at)
