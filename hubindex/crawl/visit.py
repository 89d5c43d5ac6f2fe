"""The visit of a repository: as few requests as tell what its tags are now.

Docker Hub lists tags with their digests, a hundred a page. Any registry lists names only, and tells the digest of
one tag for the asking (a HEAD, which is no pull).
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from hubindex.crawl.commands import (
    FinishWalk,
    KnownContents,
    KnownDigests,
    LeastKnown,
    StoredPage,
    StorePage,
    StorePeriods,
)
from hubindex.crawl.contents import ContentReader
from hubindex.crawl.context import CrawlContext, Stopped
from hubindex.crawl.listing import MAX_PAGES, PAGE_SIZE
from hubindex.crawl.sources import Source
from hubindex.crawl.walk import WalkLog
from hubindex.errors import NotFound, PaginationRefused, SourceError, UnreadableAnswer
from hubindex.index.writing.frontier import Job
from hubindex.index.writing.walks import INTERRUPTED, PageOutcome
from hubindex.kinds import Kind
from hubindex.records import Tag, TagNames, TagPage, TagPeriod
from hubindex.sources.registry.client import Registry

_WALKS = 3
_MAX_AGAIN = 5
_LOOKS_AT_A_TIME = 8
_LOOKS_IN_A_PAGE = 100
_NAMES_IN_A_PAGE = 500
_PULLS_OF_A_REPOSITORY = 10
_DEFAULT_PLATFORM = "linux/amd64"

_Failure = SourceError | Stopped | None


class Visitor:
    """Visits repositories: reads their tag lists, newest first, and leaves the pages to the writer.

    A list that was swept lately is read until a page says nothing new and the source counts as many tags as are
    known; that confirms what was seen, and not the rest. If the list moves so that tags may have been missed, it
    is read again. Where there are no such lists, all names are asked for, and then the digest of each.
    """

    def __init__(self, context: CrawlContext) -> None:
        self._context = context
        self._hub_looks = asyncio.Lock()

    async def visit(self, job: Job) -> None:
        """Visit the repository of a job. Raises `StorageError`."""
        log = WalkLog(job.repository_id, self._context.clock())
        try:
            source = await self._context.sources.of(job.registry)
        except SourceError as error:
            self._context.failed(error, job.registry)
            await self._finish(job, log, error)
            return
        if source.hub is not None:
            await self._by_pages(job, source)
        elif await self._has_history(job, source):
            await self._by_history(job, log, source)
        else:
            await self._by_names(job, log, source)

    async def _has_history(self, job: Job, source: Source) -> bool:
        """Whether the registry tells the past of the repository's tags, and the present with it."""
        if not self._context.plan.history or source.registry is None:
            return False
        try:
            return await source.registry.has_history(job.name)
        except SourceError:
            return False  # it is met again, and told, when the tags are asked for

    async def _by_history(self, job: Job, log: WalkLog, source: Source) -> None:
        """Read the registry's own history of all tags: the past, and then the present, newest first."""
        context, registry = self._context, source.registry
        assert registry is not None
        error: _Failure = None
        try:
            history = await registry.history(job.name)
            context.answered()
            for warning in history.warnings:
                context.warn(warning)
            await self._leave_past(job, history.periods)
            present = {each.name: each for each in history.periods if each.ended_at is None}
            tags = [
                Tag(name=each.name, digest=each.digest, pushed_at=each.started_at)
                for each in sorted(present.values(), key=lambda each: (-each.started_at, each.name))
            ]
            log.started_at = history.observed_at
            await self._leave_present(job, log, registry, tags, history.observed_at)
            log.add_names(present)
            log.count = len(present)
            if not history.complete:
                raise UnreadableAnswer(f"{job.name}: the registry's history of its tags is not whole")
        except (SourceError, Stopped) as failed:
            context.failed(failed, job.registry)
            error = failed
        except asyncio.CancelledError:
            self._leave_interrupted(log)
            raise
        await self._finish(job, log, error)

    async def _leave_past(self, job: Job, periods: Sequence[TagPeriod]) -> None:
        """Leave what has ended to the writer, each tag whole; what follows it tells whether the tag was gone."""
        by_name: dict[str, list[TagPeriod]] = {}
        for period in periods:
            by_name.setdefault(period.name, []).append(period)
        waiting: list[TagPeriod] = []
        for several in by_name.values():
            if any(period.ended_at is not None for period in several):
                waiting += several
            if len(waiting) >= _NAMES_IN_A_PAGE:
                await self._leave_periods(job, waiting)
                waiting = []
        if waiting:
            await self._leave_periods(job, waiting)

    async def _leave_periods(self, job: Job, periods: Sequence[TagPeriod]) -> None:
        await self._context.leave(
            StorePeriods(job.repository_id, tuple(periods)), lambda outcome: self._count(job, outcome)
        )

    async def _leave_present(
        self, job: Job, log: WalkLog, registry: Registry, tags: Sequence[Tag], at: int
    ) -> None:
        """Leave tags that were listed with their digests, with what they point to."""
        reader = self._reader(job, registry)
        for start in range(0, len(tags), _LOOKS_IN_A_PAGE):
            several = list(tags[start : start + _LOOKS_IN_A_PAGE])
            failed = None
            if reader is not None:
                several, failed = await reader.describe(several)
            self._context.progress.tags += len(several)
            page = TagPage(tags=tuple(several), count=None, more=True, observed_at=at)
            log.add(page)
            await self._leave_page(job, log, page)
            if failed is not None:
                raise failed

    def _reader(self, job: Job, registry: Registry) -> ContentReader | None:
        if not self._context.plan.contents:
            return None
        return ContentReader(self._context, registry, job.repository_id, job.name)

    async def _by_names(self, job: Job, log: WalkLog, source: Source) -> None:
        """Ask for all names, and for the digest of each."""
        context, registry = self._context, source.registry
        assert registry is not None
        error: _Failure = None
        try:
            listed = await registry.tag_names(job.name)
            context.answered()
            log.started_at = listed.observed_at
            self._require_whole(job, listed)
            await self._look_at_all(job, log, registry, listed.names)
            log.add_names(listed.names)
            log.count = len(listed.names)
        except NotFound as missing:
            if not log.left:
                await context.missing(job, job.name, log.started_at)
                context.progress.done += 1
                return
            context.failed(missing, job.registry)
            error = missing
        except (SourceError, Stopped) as failed:
            context.failed(failed, job.registry)
            error = failed
        except asyncio.CancelledError:
            self._leave_interrupted(log)
            raise
        await self._finish(job, log, error)

    async def _look_at_all(self, job: Job, log: WalkLog, registry: Registry, names: Sequence[str]) -> None:
        reader = self._reader(job, registry)
        is_told = False
        if names and self._context.plan.history:
            is_told = await registry.has_tag_histories(job.name, names[0])
        for start in range(0, len(names), _NAMES_IN_A_PAGE):
            several = names[start : start + _NAMES_IN_A_PAGE]
            known = await self._context.writer.write(KnownDigests(job.repository_id, several))
            for first in range(0, len(several), _LOOKS_IN_A_PAGE):
                await self._look(
                    job, log, registry, several[first : first + _LOOKS_IN_A_PAGE], known, reader, is_told=is_told
                )

    async def _look(
        self, job: Job, log: WalkLog, registry: Registry, names: Sequence[str], known: Mapping[str, bytes],
        reader: ContentReader | None = None, *, is_told: bool = False,
    ) -> None:  # fmt: skip
        """Ask for the digests of some tags at once, and leave what came to the writer. Raises what failed.

        With a `reader` it is read what they point to, too; `is_told` if the registry tells the past of each.
        """
        self._context.check()
        look = self._told if is_told else self._look_at
        looks = (look(job, registry, name, known.get(name)) for name in names)
        answers = await asyncio.gather(*looks, return_exceptions=True)
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

    async def _told(self, job: Job, registry: Registry, name: str, known: bytes | None) -> Tag:
        """A tag by the registry's own history of it, whose past is left to the writer."""
        history = await registry.tag_history(job.name, name)
        for warning in history.warnings:
            self._context.warn(warning)
        await self._leave_past(job, history.periods)
        if not history.periods or not history.complete:
            return await self._look_at(job, registry, name, known)
        self._context.answered()
        last = history.periods[-1]
        return Tag(name=name, digest=last.digest, pushed_at=last.started_at, observed_at=history.observed_at)

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

    async def _by_pages(self, job: Job, source: Source) -> None:
        """Read the pages of Docker Hub, newest first; again if the list moved."""
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

    def _leave_interrupted(self, log: WalkLog) -> None:
        if log.left:
            walk = log.finish(self._context.clock(), INTERRUPTED)
            self._context.writer.accept_last(FinishWalk(log.number, walk, log.left, None))

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

    # Beyond what the Hub shows

    async def _beyond(self, job: Job, log: WalkLog, source: Source, refused: PaginationRefused) -> None:
        """The Hub lists no more to us: the registry knows all names, and each digest for the asking."""
        context, registry = self._context, source.registry
        if registry is None:
            context.failed(refused)
            await self._finish(job, log, refused)
            return
        error: _Failure = None
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
                await self._look(job, log, registry, names, {})
        left = ordered[most:]
        for start in range(0, len(left), _NAMES_IN_A_PAGE):
            names = left[start : start + _NAMES_IN_A_PAGE]
            await self._leave_tags(job, log, [Tag(name=name) for name in names], at)
        return len(left)

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


def _default_image(tag: Tag) -> bytes | None:
    """The image of a tag for linux/amd64, or else its first; None for what holds no image."""
    if tag.kind not in {None, Kind.IMAGE} or not tag.images:
        return None
    chosen = next((image for image in tag.images if image.platform == _DEFAULT_PLATFORM), tag.images[0])
    return chosen.digest
