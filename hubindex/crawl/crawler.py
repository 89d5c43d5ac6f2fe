"""A crawl: from terms, namespaces and names to repositories and all their tags in the index."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hubindex import moment
from hubindex.crawl.walk import WalkLog
from hubindex.crawl.writer import Writer
from hubindex.errors import Blocked, NotFound, RateLimited, SourceError
from hubindex.index.ingest import Batch, Stored
from hubindex.index.tagwriter import PageOutcome
from hubindex.records import Repository, RepositoryPage, TagPage
from hubindex.reference import short_name
from hubindex.sources.hub import DockerHub

T = TypeVar("T")

PAGE_SIZE = 100
MOST_PAGES = 20_000
"""Where a list ends that has no end: two million rows, twice what the largest repository is known to have."""

_WAITING_REPOSITORIES = 200
_MOST_FAILURES_IN_A_ROW = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a crawl shall fetch.

    The first `limit` results of each of `terms`; `repositories` by path (`library/mongo`); all repositories of
    `namespaces`; and of each of these all tags, unless `tags` is false. `concurrency` repositories at a time.
    """

    terms: Sequence[str] = ()
    repositories: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    limit: int = 100
    tags: bool = True
    concurrency: int = 8


@dataclass
class Progress:
    """How far a crawl has come; changes while it runs.

    `found` and `done` count repositories, `changed_tags` those that moved, came back or vanished. `answers` counts
    what the source gave, `failures` what it refused; `stopped` tells that it would have no more of us.
    """

    found: int = 0
    done: int = 0
    new_repositories: int = 0
    changed_repositories: int = 0
    tags: int = 0
    new_tags: int = 0
    changed_tags: int = 0
    answers: int = 0
    failures: int = 0
    first_error: SourceError | None = None
    stopped: bool = False


class Crawler:
    """One crawl. `warn` is told in one line of each row left out and of each thing that could not be fetched.

    Finders turn the plan into repositories and queue them; walkers fetch the tags of the queued. A finder waits
    while the queue is full, so memory does not grow with the size of the crawl.
    """

    def __init__(
        self,
        hub: DockerHub,
        writer: Writer,
        plan: Plan,
        warn: Callable[[str], None],
        clock: Callable[[], int] = moment.now,
    ) -> None:
        self.progress = Progress()
        self._hub = hub
        self._writer = writer
        self._plan = plan
        self._warn = warn
        self._clock = clock
        self._queue: asyncio.Queue[Stored | None] = asyncio.Queue(_WAITING_REPOSITORIES)
        self._met = _Numbers()
        self._counted = _Numbers()
        self._failures_in_a_row = 0
        self._storage_error: BaseException | None = None

    async def run(self) -> None:
        """Fetch everything planned. What a source refuses is counted in `progress`; raises `StorageError`."""
        searches = self._searches()
        try:
            async with asyncio.TaskGroup() as group:
                finders = [group.create_task(self._find(searches)) for _ in range(self._plan.concurrency)]
                for _ in range(self._plan.concurrency):
                    group.create_task(self._walk_queued())
                await asyncio.wait(finders)
                for _ in range(self._plan.concurrency):
                    await self._queue.put(None)
            await self._writer.write(lambda _batch: None)  # everything left to the writer is written before this
            if self._storage_error is not None:
                raise self._storage_error
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    def _searches(self) -> Iterator[AsyncIterator[list[Stored]]]:
        """The parts of the plan; each yields stored repositories, some at a time. All finders share them."""
        for name in self._plan.repositories:
            yield self._repository(name)
        for term in self._plan.terms:
            yield self._term(term)
        for namespace in self._plan.namespaces:
            yield self._namespace(namespace)

    async def _find(self, searches: Iterator[AsyncIterator[list[Stored]]]) -> None:
        for search in searches:
            async for stored in search:
                for repository in stored:
                    await self._meet(repository)
            if self.progress.stopped:
                return

    async def _meet(self, repository: Stored) -> None:
        """Queue a repository the first time that this crawl comes upon it."""
        if not self._met.add(repository.repository_id):
            return
        self.progress.found += 1
        if self._plan.tags:
            await self._queue.put(repository)
        else:
            self.progress.done += 1

    async def _term(self, term: str) -> AsyncIterator[list[Stored]]:
        places: dict[int, None] = {}
        page_size = min(self._plan.limit, PAGE_SIZE)
        for number in range(1, self._plan.limit // page_size + 2):
            page = await self._ask(self._hub.search_page(term, number, page_size))
            if page is None:
                return
            room = self._plan.limit - len(places)
            stored = await self._store(page.repositories[:room], page.observed_at)
            before = len(places)
            places.update((repository.repository_id, None) for repository in stored)
            if not places:
                self._warn(f"{term}: Docker Hub finds nothing")
            await self._leave_hits(term, list(places), page.observed_at, whole=not page.more)
            yield stored
            if not page.more or len(places) == before or len(places) >= self._plan.limit:
                return

    async def _leave_hits(self, term: str, places: list[int], at: int, *, whole: bool) -> None:
        await self._writer.write(lambda batch: batch.search_results(term, places, at, whole=whole))

    async def _namespace(self, namespace: str) -> AsyncIterator[list[Stored]]:
        number, listed = 1, _Numbers()
        while True:
            page = await self._ask(self._hub.namespace_page(namespace, number, PAGE_SIZE))
            if page is None:
                return
            stored = await self._store(page.repositories, page.observed_at)
            yield stored
            if not stored and number == 1:
                self._warn(f"{namespace}: Docker Hub shows no repositories of it")
            fresh = [repository for repository in stored if listed.add(repository.repository_id)]
            if (
                not page.more or not fresh or number >= MOST_PAGES
            ):  # a list that repeats itself would go on for ever
                return
            number += 1

    async def _repository(self, name: str) -> AsyncIterator[list[Stored]]:
        at = self._clock()
        try:
            record = await self._hub.repository(name)
        except NotFound:
            await self._missing(name, at)
        except SourceError as error:
            self._fail(error)
        else:
            self._answered()
            yield await self._store([record], at)

    async def _store(self, records: Sequence[Repository], seen_at: int) -> list[Stored]:
        stored = await self._writer.write(lambda batch: batch.repositories(records, seen_at))
        for repository in stored:
            # What is new is not changed as well when a second search finds it and knows more of it.
            if (repository.is_new or repository.is_changed) and self._counted.add(repository.repository_id):
                self.progress.new_repositories += repository.is_new
                self.progress.changed_repositories += repository.is_changed
        return stored

    async def _ask(self, question: Coroutine[None, None, RepositoryPage]) -> RepositoryPage | None:
        """The page that the source answers with; None if it does not, which is counted and told, or if we stop."""
        if self.progress.stopped:
            question.close()
            return None
        try:
            page = await question
        except SourceError as error:
            self._fail(error)
            return None
        self._answered()
        for warning in page.warnings:
            self._warn(warning)
        return page

    async def _walk_queued(self) -> None:
        while (repository := await self._queue.get()) is not None:
            if not self.progress.stopped:
                await self._walk(repository)

    async def _walk(self, repository: Stored) -> None:
        """Fetch all tag pages of a repository, and leave them to the writer with what the walk proves."""
        log = WalkLog(repository.repository_id, self._clock())
        try:
            problem = await self._fetch(repository, log)
        except asyncio.CancelledError:
            if log.pages:
                self._writer.accept_last(self._proof(log, "interrupted"))
            raise
        if log.pages:
            await self._leave(self._proof(log, problem), self._count_walk)
        else:
            self.progress.done += 1

    async def _fetch(self, repository: Stored, log: WalkLog) -> str | None:
        """Fetch the pages; returns why that broke off, None if it did not."""
        goes_on = True
        while goes_on:
            number = log.pages + 1
            if self.progress.stopped:
                return f"page {number}: not fetched, because the crawl was stopped"
            try:
                page = await self._hub.tag_page(repository.name, number, PAGE_SIZE)
            except NotFound:
                await self._missing(repository.name, log.started_at)
                return None if number == 1 else f"page {number}: not found"
            except SourceError as error:
                self._fail(error)
                return f"page {number}: {error}"
            self._answered()
            goes_on = log.add(page)
            await self._leave_page(repository, log, page)
            if goes_on and number >= MOST_PAGES:
                return f"more than {MOST_PAGES:,} pages"
        return None

    async def _leave_page(self, repository: Stored, log: WalkLog, page: TagPage) -> None:
        number = log.pages

        def write(batch: Batch) -> PageOutcome:
            log.unwritten.add(number)
            outcome = batch.tag_page(repository.repository_id, page)
            log.unwritten.discard(number)
            return outcome

        def count(outcome: PageOutcome) -> None:
            self.progress.new_tags += outcome.new
            self.progress.changed_tags += outcome.moved
            for warning in outcome.warnings:
                self._warn(f"{repository.name}: {warning}")

        for warning in page.warnings:
            self._warn(warning)
        self.progress.tags += len(page.tags)
        await self._leave(write, count)

    def _proof(self, log: WalkLog, problem: str | None) -> Callable[[Batch], int]:
        """The action that stores what a walk proves, after all of its pages."""
        walk = log.finish(self._clock(), problem)

        def write(batch: Batch) -> int:
            lost = "a page could not be stored" if log.unwritten else None
            return batch.finish_walk(walk._replace(problem=lost or walk.problem))

        return write

    def _count_walk(self, gone: int) -> None:
        self.progress.changed_tags += gone
        self.progress.done += 1

    async def _leave(self, write: Callable[[Batch], T], count: Callable[[T], None]) -> None:
        """Leave an action to the writer and go on; its outcome is counted once it is committed."""

        def settled(future: "asyncio.Future[T]") -> None:
            if future.cancelled():
                return
            if (error := future.exception()) is not None:
                self._storage_error = self._storage_error or error
            else:
                count(future.result())

        if self._storage_error is not None:
            raise self._storage_error
        (await self._writer.accept(write)).add_done_callback(settled)

    async def _missing(self, name: str, at: int) -> None:
        is_known = await self._writer.write(lambda batch: batch.repository_missing(name, at))
        self._failures_in_a_row = 0  # it did answer
        kept = "; what the index knows of it stays" if is_known else ""
        self._fail(NotFound(f"{short_name(name)}: not found on Docker Hub: missing, private or a fault{kept}"))

    def _answered(self) -> None:
        self.progress.answers += 1
        self._failures_in_a_row = 0

    def _fail(self, error: SourceError) -> None:
        progress = self.progress
        progress.failures += 1
        progress.first_error = progress.first_error or error
        self._failures_in_a_row += 1
        is_refused = isinstance(error, (RateLimited, Blocked))
        # A crawl that nothing answers ends with its first error, and need not repeat it.
        is_news = progress.answers or (isinstance(error, NotFound) and progress.failures > 1)
        if is_news and not progress.stopped:
            self._warn(str(error))
        if is_refused or self._failures_in_a_row >= _MOST_FAILURES_IN_A_ROW:
            progress.stopped = True


class _Numbers:
    """A set of repository_ids that takes one bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> bool:
        """Put a number in; returns whether it was new."""
        place, bit = number >> 3, 1 << (number & 7)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1024 - len(self._bits)))
        is_new = not self._bits[place] & bit
        self._bits[place] |= bit
        return is_new
