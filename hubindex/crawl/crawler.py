"""A crawl: jobs from the frontier of the index, done by several tasks, until none is left."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from hubindex import moment
from hubindex.crawl.canary import CanaryCheck
from hubindex.crawl.context import CrawlContext
from hubindex.crawl.listing import Lister
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.visit import Visitor
from hubindex.crawl.writer import Writer
from hubindex.errors import Unreachable
from hubindex.index.writing.frontier import LEASE, Job, Pending
from hubindex.index.writing.ingest import Batch
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry

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
        hub: DockerHub,
        writer: Writer,
        plan: Plan,
        warn: Callable[[str], None],
        clock: Callable[[], int] = moment.now,
        registry: Registry | None = None,
    ) -> None:
        self._context = CrawlContext(hub, registry, writer, plan, warn, clock, CanaryCheck(hub))
        self._lister = Lister(self._context)
        self._visitor = Visitor(self._context)
        self._queue: asyncio.Queue[Job | None] = asyncio.Queue(plan.concurrency)
        self._asked_by: int | None = None
        self._claimed: list[Job] = []

    @property
    def progress(self) -> Progress:
        """How far it has come; changes while it runs."""
        return self._context.progress

    async def run(self) -> None:
        """Fetch everything planned. What a source refuses is counted in `progress`; raises `StorageError`."""
        context = self._context
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                heart = group.create_task(self._renew_leases())
                workers = [group.create_task(self._work()) for _ in range(context.plan.concurrency)]
                await self._feed()
                await asyncio.wait(workers)
                heart.cancel()
            failed = await context.writer.write(
                self._release
            )  # everything left to the writer is written before this
            if failed and not context.progress.failures:
                context.failed(Unreachable(f"{failed:,} jobs run by other workers failed; see 'hubindex status'"))
            if context.storage_error is not None:
                raise context.storage_error
        except asyncio.CancelledError:
            context.writer.accept_last(self._release)
            raise
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _begin(self) -> None:
        """Write down what is planned, and tell what was found unfinished."""
        context, seeds = self._context, self._context.plan.seeds()

        def begin(batch: Batch) -> tuple[Pending, Pending]:
            now, frontier = context.clock(), batch.frontier
            frontier.release_dead(context.owner, now)
            unfinished = frontier.unfinished(now, moment.wall())
            if seeds:
                self._asked_by, left = frontier.ask(seeds, now)
                self._claim(batch)  # at once, so that nobody takes it for left behind
                return left, unfinished
            if (fresh_since := context.plan.fresh_since(now)) is not None:
                frontier.pull_forward(now, fresh_since)
            if not context.plan.watch:
                frontier.retry(now)  # somebody is there who wants it now
            due = frontier.due(now)
            if not due and not context.plan.watch:
                at = frontier.next_due(now)
                first = f": the first will be at {moment.to_rfc3339(at)}" if at is not None else ""
                context.warn(
                    f"nothing is due{first}: name a TERM, --repo, --namespace or --official to fetch it now"
                )
            return due, unfinished

        left, unfinished = await context.writer.write(begin)
        context.progress.found = left.visits
        if seeds and left:
            context.warn(f"going on with an earlier crawl of the same: {left} left")
        elif unfinished:
            then = ": 'hubindex crawl' alone goes on with them" if seeds else ": going on with them"
            context.warn(f"earlier crawls left {unfinished} unfinished{then}")

    async def _feed(self) -> None:
        """Claim jobs and hand them out until there are none, or the crawl is stopped."""
        context, jobs = self._context, self._claimed
        while not context.progress.stopped and context.storage_error is None:
            context.changed.clear()
            jobs = jobs or await context.writer.write(self._claim)
            for job in jobs:
                context.leased[job.repository_id, job.seed_id] = job
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
                await asyncio.wait_for(context.changed.wait(), _WATCH_SECONDS)
            return True
        if self._asked_by is not None:
            asked_by = self._asked_by
            if not await context.writer.write(lambda batch: batch.frontier.pending(asked_by, context.clock())):
                return False
            await asyncio.sleep(_POLL_SECONDS)  # another process is at them
            return True
        if context.plan.watch:
            await asyncio.sleep(_WATCH_SECONDS)
            return True
        if not await context.writer.write(lambda batch: batch.frontier.is_growing(context.clock(), moment.wall())):
            return False
        await asyncio.sleep(_POLL_SECONDS)  # another process is listing what we can share
        return True

    def _claim(self, batch: Batch) -> list[Job]:
        context = self._context
        now, count = context.clock(), context.plan.concurrency
        fresh_since = context.plan.fresh_since(now)
        jobs = batch.frontier.claim(context.owner.name, count, now, moment.wall(), self._asked_by, fresh_since)
        self._claimed = jobs  # whoever waits for them may be cancelled
        return jobs

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
            await context.writer.write(partial(self._renew, list(context.leased.values())))

    def _renew(self, jobs: list[Job], batch: Batch) -> None:
        batch.frontier.renew(self._context.owner.name, jobs, moment.wall())

    def _release(self, batch: Batch) -> int:
        """Give back what was claimed and not done; returns how much of what we asked for has failed."""
        batch.frontier.release(self._context.owner.name, [*self._context.leased.values(), *self._claimed])
        return 0 if self._asked_by is None else batch.frontier.failed(self._asked_by)
