"""The visit of a repository of any registry: its own history, or all names and the digest of each.

A registry lists names of tags only, and tells the digest of one tag for the asking (a HEAD, which is no pull).
What a digest holds is read once.
"""

import asyncio
from collections.abc import Mapping, Sequence

from hubindex.crawl.commands import KnownDigests, StorePeriods, TagsWith
from hubindex.crawl.contents import ContentReader
from hubindex.crawl.context import Stopped
from hubindex.crawl.walk import WalkLog
from hubindex.crawl.walker import NAMES_AT_A_TIME, Failed, Walker
from hubindex.errors import NotFound, SourceError, UnreadableAnswer
from hubindex.index.writing.frontier import Job
from hubindex.records import Tag, TagHistory, TagPage, TagPeriod
from hubindex.sources.registry.client import Registry

_LOOKS_AT_ONCE = 100


class RegistryVisitor(Walker):
    """Visits repositories of registries other than Docker Hub's."""

    async def visit(self, job: Job, registry: Registry) -> None:
        """Visit the repository of a job. Raises `StorageError`."""
        context, log = self._context, WalkLog(job.repository_id, self._context.clock())
        error: Failed = None
        try:
            history = await registry.history(job.name) if context.plan.history else None
            if history is not None:
                await self._by_history(job, log, registry, history)
            else:
                await self._by_names(job, log, registry)
        except NotFound as missing:
            if not log.left and not await context.writer.write(TagsWith(job.registry, job.name, None, 1)):
                log.add_names(())  # listed, with nothing in it: distribution 2 does so where there are blobs only
                log.count = 0
                await self._finish(job, log, None)
                return
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

    async def give_up(self, job: Job, error: SourceError) -> None:
        """End the job of a repository whose registry cannot be asked."""
        await self._finish(job, WalkLog(job.repository_id, self._context.clock()), error)

    async def _by_history(self, job: Job, log: WalkLog, registry: Registry, history: TagHistory) -> None:
        """Take the registry's own history of all tags: the past, and then the present, newest first."""
        self._context.answered()
        for warning in history.warnings:
            self._context.warn(warning)
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

    async def _by_names(self, job: Job, log: WalkLog, registry: Registry) -> None:
        """Ask for all names, and for the digest of each."""
        listed = await registry.tag_names(job.name)
        self._context.answered()
        log.started_at = listed.observed_at
        self._require_whole(job, listed)
        await self._look_at_all(job, log, registry, listed.names)
        log.add_names(listed.names)
        log.count = len(listed.names)

    async def _leave_past(self, job: Job, periods: Sequence[TagPeriod]) -> None:
        """Leave what has ended to the writer, each tag whole; what follows it tells whether the tag was gone."""
        by_name: dict[str, list[TagPeriod]] = {}
        for period in periods:
            by_name.setdefault(period.name, []).append(period)
        waiting: list[TagPeriod] = []
        for several in by_name.values():
            if any(period.ended_at is not None for period in several):
                waiting += several
            if len(waiting) >= NAMES_AT_A_TIME:
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
        for start in range(0, len(tags), _LOOKS_AT_ONCE):
            several = list(tags[start : start + _LOOKS_AT_ONCE])
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

    async def _look_at_all(self, job: Job, log: WalkLog, registry: Registry, names: Sequence[str]) -> None:
        reader = self._reader(job, registry)
        is_told = False
        if names and self._context.plan.history:
            is_told = await registry.has_tag_histories(job.name, names[0])
        for start in range(0, len(names), NAMES_AT_A_TIME):
            several = names[start : start + NAMES_AT_A_TIME]
            known = await self._context.writer.write(KnownDigests(job.repository_id, several))

            async def ask(name: str, known: Mapping[str, bytes] = known) -> Tag:
                look = self._told if is_told else self._look_at
                return await look(job, registry, name, known.get(name))

            for first in range(0, len(several), _LOOKS_AT_ONCE):
                await self._look(job, log, several[first : first + _LOOKS_AT_ONCE], ask, reader)

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
