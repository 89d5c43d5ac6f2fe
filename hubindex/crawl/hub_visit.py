"""The visit of a repository of Docker Hub, which lists tags with their digests, a hundred a page, newest first.

Where it lists no more to us, its registry has all names, and tells the digest of each for the asking.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from hubindex.crawl.commands import FinishWalk, KnownContents, LeastKnown
from hubindex.crawl.contents import ContentReader
from hubindex.crawl.context import CrawlContext, Stopped
from hubindex.crawl.listing import MAX_PAGES, PAGE_SIZE
from hubindex.crawl.sources import Source
from hubindex.crawl.walk import WalkLog
from hubindex.crawl.walker import NAMES_AT_A_TIME, Failed, Walker
from hubindex.errors import NotFound, PaginationRefused, SourceError, UnreadableAnswer
from hubindex.index.writing.frontier import Job
from hubindex.kinds import Kind
from hubindex.records import Tag, TagPage
from hubindex.sources.registry.client import Registry

_WALKS = 3
_MAX_AGAIN = 5
_LOOKS_AT_A_TIME = 8
_PULLS_OF_A_REPOSITORY = 10
_DEFAULT_PLATFORM = "linux/amd64"


class HubVisitor(Walker):
    """Visits repositories of Docker Hub.

    A list that was swept lately is read until a page says nothing new and the source counts as many tags as are
    known; that confirms what was seen, and not the rest. If the list moves so that tags may have been missed, it
    is read again.
    """

    def __init__(self, context: CrawlContext) -> None:
        super().__init__(context)
        self._hub_looks = asyncio.Lock()

    async def visit(self, job: Job, source: Source) -> None:
        """Visit the repository of a job: read its pages, newest first; again if the list moved.

        Raises `StorageError`.
        """
        for remaining in reversed(range(_WALKS)):
            log = WalkLog(job.repository_id, self._context.clock())
            try:
                is_settled = await self._walk(job, log, source)
            except asyncio.CancelledError:
                self._leave_interrupted(log)
                raise
            if is_settled or not (remaining and log.is_worth_repeating):
                if not is_settled:
                    await self._finish(job, log, None)
                break
        if source.registry is not None and self._context.pulls_left > 0:
            await self._configs(job, source.registry, log.newest)

    async def _configs(self, job: Job, registry: Registry, tags: Sequence[Tag]) -> None:
        """Read the images of the newest tags from the registry behind the Hub, where each counts as a pull.

        A few of each repository, one at a time, and no more than half of what the registry allows: a pull is what
        the user's own machines need. The next crawl goes on with those that are left.
        """
        context = self._context
        reader = ContentReader(context, registry, job.repository_id, job.name)
        ordered = sorted(tags, key=lambda tag: tag.name != "latest")
        wanted = list(dict.fromkeys(digest for tag in ordered if (digest := _default_image(tag)) is not None))
        known = await context.writer.write(KnownContents(wanted)) if wanted else {}
        for digest in [each for each in wanted if each not in known][:_PULLS_OF_A_REPOSITORY]:
            async with self._hub_looks:
                left = registry.pulls
                if left is not None and left.remaining <= left.limit // 2 and context.pulls_left > 0:
                    context.pulls_left = 0
                    context.warn(
                        f"{left.remaining:,} of {left.limit:,} pulls are left: no more configurations are read now"
                    )
                if context.pulls_left <= 0 or context.progress.stopped:
                    return
                context.pulls_left -= 1
                error = await reader.read([digest])
            if error is not None:
                context.pulls_left = 0
                context.warn(f"no more configurations are read now: {error}")
                return

    async def _walk(self, job: Job, log: WalkLog, source: Source) -> bool:
        """One walk; returns whether all that is to be said of it is written, or left to be."""
        context = self._context
        try:
            if await self._pages(job, log, source):
                return True
            await self._top_again(job, log, source)
        except NotFound as error:
            if log.pages:
                context.failed(error)
                await self._finish(job, log, error)
            else:
                await context.missing(job, job.name, log.started_at)
                context.progress.done += 1
            return True
        except PaginationRefused as refused:
            await self._beyond(job, log, source, refused)
            return True
        except (SourceError, Stopped) as error:
            context.failed(error)
            await self._finish(job, log, error)
            return True
        return False

    async def _pages(self, job: Job, log: WalkLog, source: Source) -> bool:
        """Fetch the pages; returns whether they ended where nothing was new, and that is written."""
        wants_looks = source.registry is not None and self._context.plan.heads > 0
        may_end_early = job.is_swept and not self._context.plan.full and (job.is_whole or not wants_looks)
        goes_on = True
        while goes_on:
            number = log.pages + 1
            if number > MAX_PAGES:
                raise UnreadableAnswer(f"{job.name}: more than {MAX_PAGES:,} pages of tags")
            page = await self._page(job, log, source, number)
            goes_on = log.add(page)
            if number == 1:
                log.newest = page.tags
            if not (goes_on and may_end_early):
                await self._leave_page(job, log, page)
            elif await self._write_page(job, log, page):
                return True
        return False

    async def _page(self, job: Job, log: WalkLog, source: Source, number: int) -> TagPage:
        """One page. An empty one is doubted, behind the first if more should come."""
        context, hub = self._context, source.hub
        assert hub is not None
        context.check()

        def is_doubtful(page: TagPage) -> bool:
            return not page.tags and (number == 1 or log.is_short)

        page = await context.sources.canary.ask(lambda: hub.tag_page(job.name, number, PAGE_SIZE), is_doubtful)
        context.answered(page)
        context.progress.tags += len(page.tags)
        return page

    async def _top_again(self, job: Job, log: WalkLog, source: Source) -> None:
        """What was pushed while the list was read stands at its top now."""
        for number in range(1, _MAX_AGAIN + 1):
            if not log.is_short:
                return
            page = await self._page(job, log, source, number)
            goes_on = log.add(page, again=True)
            await self._leave_page(job, log, page)
            if not goes_on:
                return

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

    async def _beyond(self, job: Job, log: WalkLog, source: Source, refused: PaginationRefused) -> None:
        """The Hub lists no more to us: the registry knows all names, and each digest for the asking."""
        context, registry = self._context, source.registry
        if registry is None:
            context.failed(refused)
            await self._finish(job, log, refused)
            return
        error: Failed = None
        omission = None
        try:
            listed = await registry.tag_names(job.name)
            self._require_whole(job, listed)
            unseen = [name for name in listed.names if name not in log.names]
            left = await self._look_at_some(job, log, registry, unseen, listed.observed_at)
            log.add_names(listed.names)
            if left:
                omission = f"the digests of {left:,} of {len(log.names):,} tags were not asked for"
        except (SourceError, Stopped) as failed:
            context.failed(failed)
            error = failed
        await self._finish(job, log, error, omission)

    async def _look_at_some(
        self, job: Job, log: WalkLog, registry: Registry, unseen: Sequence[str], at: int
    ) -> int:
        """Ask for digests, those known least first; returns how many were left."""
        most = self._context.plan.heads
        ordered = await self._context.writer.write(LeastKnown(job.repository_id, unseen))
        for start in range(0, len(ordered[:most]), _LOOKS_AT_A_TIME):
            async with self._hub_looks:
                names = ordered[start : min(start + _LOOKS_AT_A_TIME, most)]
                await self._look(job, log, names, partial(self._look_at, job, registry, known=None))
        left = ordered[most:]
        for start in range(0, len(left), NAMES_AT_A_TIME):
            names = left[start : start + NAMES_AT_A_TIME]
            await self._leave_tags(job, log, [Tag(name=name) for name in names], at)
        return len(left)


def _default_image(tag: Tag) -> bytes | None:
    """The image of a tag for linux/amd64, or else its first; None for what holds no image."""
    if tag.kind not in {None, Kind.IMAGE} or not tag.images:
        return None
    chosen = next((image for image in tag.images if image.platform == _DEFAULT_PLATFORM), tag.images[0])
    return chosen.digest
