"""A crawl: jobs from the frontier of the index, done by several tasks, until none is left."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from hubindex import moment
from hubindex.crawl.commands import Begin, Claim, IsMoreToCome, ReleaseLeases, RenewLeases
from hubindex.crawl.context import CrawlContext
from hubindex.crawl.listing import Lister
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.sources import Sources
from hubindex.crawl.visit import Visitor
from hubindex.crawl.writer import Writer
from hubindex.errors import Unreachable
from hubindex.index.writing.frontier import LEASE, Job

_HEARTBEAT_SECONDS = LEASE / 1000 / 4
_POLL_SECONDS = 1.0
_WATCH_SECONDS = 10.0


class Crawler:
    """One crawl. `warn` is told in one line of each row left out and of each thing that could not be fetched.

    What is planned becomes jobs of the frontier. A feeder claims jobs a few at a time, so memory does not grow
    with the size of the crawl; workers list seeds and visit repositories. What is claimed is leased, and the lease
    is renewed while we live: if this process is killed, the next one goes on. Without anything planned every job
    that is due is claimed, whoever asked for it.
    """

    def __init__(
        self,
        sources: Sources,
        writer: Writer,
        plan: Plan,
        warn: Callable[[str], None],
        clock: Callable[[], int] = moment.now,
    ) -> None:
        self._context = CrawlContext(sources, writer, plan, warn, clock)
        self._lister = Lister(self._context)
        self._visitor = Visitor(self._context)
        self._queue: asyncio.Queue[Job | None] = asyncio.Queue(plan.concurrency)
        self._asked_by: int | None = None

    @property
    def progress(self) -> Progress:
        """How far it has come; changes while it runs."""
        return self._context.progress

    async def run(self) -> None:
        """Fetch everything planned. What a source refuses is counted in `progress`; raises `StorageError`."""
        context = self._context
        try:
            jobs = await self._begin()
            async with asyncio.TaskGroup() as group:
                heart = group.create_task(self._renew_leases())
                workers = [group.create_task(self._work()) for _ in range(context.plan.concurrency)]
                await self._feed(jobs)
                await asyncio.wait(workers)
                heart.cancel()
            # Everything that was left to the writer is written before this.
            failed = await context.writer.write(ReleaseLeases(context.owner.name, self._asked_by))
            if failed and not context.progress.failures:
                context.failed(Unreachable(f"{failed:,} jobs run by other workers failed; see 'hubindex status'"))
            if context.storage_error is not None:
                raise context.storage_error
        except asyncio.CancelledError:
            context.writer.accept_last(ReleaseLeases(context.owner.name, None))
            raise
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _begin(self) -> list[Job]:
        """Write down what is planned, and tell what was found unfinished; returns the first jobs claimed."""
        context, plan = self._context, self._context.plan
        seeds, now = plan.seeds(), context.clock()
        is_wanted_now = not plan.watch  # somebody is there who waits for it
        begun = await context.writer.write(
            Begin(context.owner, seeds, plan.concurrency, now, moment.wall(), plan.fresh_since(now), is_wanted_now)
        )
        self._asked_by = begun.asked_by
        context.progress.found = begun.left.visits
        if not (seeds or begun.left or plan.watch):
            at = begun.next_due_at
            first = f": the first will be at {moment.to_rfc3339(at)}" if at is not None else ""
            context.warn(f"nothing is due{first}: name a TERM, --repo, --namespace or --official to fetch it now")
        if seeds and begun.left:
            context.warn(f"going on with an earlier crawl of the same: {begun.left} left")
        elif begun.unfinished:
            then = ": 'hubindex crawl' alone goes on with them" if seeds else ": going on with them"
            context.warn(f"earlier crawls left {begun.unfinished} unfinished{then}")
        return begun.jobs

    async def _feed(self, jobs: list[Job]) -> None:
        """Hand jobs out, and claim more until there are none, or the crawl is stopped."""
        context = self._context
        while not context.progress.stopped and context.storage_error is None:
            context.changed.clear()
            jobs = jobs or await context.writer.write(self._claim())
            context.leased.update(job.key for job in jobs)
            for job in jobs:
                await self._queue.put(job)
            if not jobs and not await self._wait_for_more():
                break
            jobs = []
        for _ in range(context.plan.concurrency):
            await self._queue.put(None)

    async def _wait_for_more(self) -> bool:
        """Wait until there may be more jobs; returns whether there can be."""
        context = self._context
        if context.leased:  # they may find more, and others may not
            with suppress(TimeoutError):
                async with asyncio.timeout(_WATCH_SECONDS):  # wait_for of Python 3.11 loses cancellations
                    await context.changed.wait()
            return True
        if context.plan.watch:
            await asyncio.sleep(_WATCH_SECONDS)
            return True
        if not await context.writer.write(IsMoreToCome(self._asked_by, context.clock(), moment.wall())):
            return False
        await asyncio.sleep(_POLL_SECONDS)  # another process is at it
        return True

    def _claim(self) -> Claim:
        context, now = self._context, self._context.clock()
        fresh_since = context.plan.fresh_since(now)
        count = context.plan.concurrency
        return Claim(context.owner.name, count, now, moment.wall(), self._asked_by, fresh_since)

    async def _work(self) -> None:
        while (job := await self._queue.get()) is not None:
            if self._context.progress.stopped:
                continue
            if job.seed is not None:
                await self._lister.list_seed(job)
            else:
                await self._visitor.visit(job)

    async def _renew_leases(self) -> None:
        context = self._context
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            await context.writer.write(RenewLeases(context.owner.name, moment.wall()))
