"""Listing a seed: the repositories of a search term, of a namespace, or a single one by name."""

import itertools
from collections.abc import AsyncIterator, Container, Sequence
from functools import partial
from typing import Protocol

from hubindex.crawl.commands import StoreRepositories, StoreResults, Visits
from hubindex.crawl.context import CrawlContext, Stopped
from hubindex.errors import NotFound, PaginationRefused, SourceError
from hubindex.index.seeds import CATALOG, NAMESPACE, TERM
from hubindex.index.writing.frontier import Job
from hubindex.index.writing.repositories import Stored
from hubindex.records import Repository, RepositoryPage
from hubindex.reference import Reference

PAGE_SIZE = 100
_NAMES_AT_A_TIME = 1000
MAX_PAGES = 20_000
"""Where a list ends that has no end: two million rows, far more than any that is known."""


class _Ask(Protocol):
    """Asks for a page of a list by its number."""

    async def __call__(self, *, page: int) -> RepositoryPage: ...


class Numbers:
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


class Lister:
    """Lists seeds: what they find is stored, and put into the frontier to be visited."""

    def __init__(self, context: CrawlContext) -> None:
        self._context = context
        self._met = Numbers()
        self._counted = Numbers()

    async def list_seed(self, job: Job) -> None:
        """List the seed of a job. Raises `StorageError`."""
        assert job.seed is not None
        context = self._context
        error: SourceError | Stopped | None = None
        try:
            if job.seed.kind == TERM:
                await self._term(job, job.name, job.seed.wanted)
            elif job.seed.kind == NAMESPACE:
                await self._namespace(job, job.name)
            elif job.seed.kind == CATALOG:
                await self._catalog(job)
            elif not await self._repository(job, Reference.parse_repository(job.name).repository):
                return
        except (SourceError, Stopped) as refused:
            error = refused
            context.failed(refused, job.registry)
        # Some of a list that the Hub does not show to the end is all that can be had.
        told = None if isinstance(error, PaginationRefused) else error
        await context.writer.write(context.end_of(job, told))
        context.done(job)

    async def _term(self, job: Job, term: str, wanted: int) -> None:
        """The first results; if anonymous callers are refused further pages, those of other orders too."""
        hub, size = self._context.sources.hub, min(wanted, PAGE_SIZE)
        found: dict[str, int] = {}
        lists: list[_Ask] = [
            partial(hub.search_page, term, page_size=size),
            partial(hub.search_page, term, page_size=size, ordering="-pull_count"),
            partial(hub.search_page, term, page_size=size, ordering="-star_count"),
            partial(hub.search_page, term, page_size=size, official=True),
        ]
        refused, count = None, 0
        for ask in lists:
            try:
                async for page in self._pages(ask):
                    count = page.count or count
                    before = len(found)
                    records = _with_room(page.repositories, found, wanted - before)
                    stored = await self._store(job, records, page.observed_at)
                    found.update((repository.name, repository.repository_id) for repository in stored)
                    if not found:
                        self._context.warn(f"{term}: Docker Hub finds nothing")
                    is_whole = not (page.more or refused)
                    results = StoreResults(term, list(found.values()), page.observed_at, is_whole)
                    await self._context.writer.write(results)
                    if len(found) >= wanted or (len(found) == before and not refused):
                        return
            except PaginationRefused as error:
                refused = refused or error
            if refused is None or len(found) >= min(wanted, count):
                return
        raise PaginationRefused(f"{term}: {len(found):,} of {min(wanted, count):,} results came: {refused}")

    async def _namespace(self, job: Job, namespace: str) -> None:
        """All repositories; if anonymous callers are refused further pages, what other orders show first too."""
        hub = self._context.sources.hub
        listed, found, count, refused = Numbers(), 0, 0, None
        for ordering in ("last_updated", "-last_updated", "-name", "name", "pull_count", "-pull_count"):
            ask: _Ask = partial(hub.namespace_page, namespace, page_size=PAGE_SIZE, ordering=ordering)
            try:
                async for page in self._pages(ask):
                    count = page.count or count
                    stored = await self._store(job, page.repositories, page.observed_at)
                    fresh = sum([listed.add(repository.repository_id) for repository in stored])
                    found += fresh
                    if not found and not page.more:
                        self._context.warn(f"{namespace}: Docker Hub shows no repositories of it")
                    if page.repositories and not fresh and not refused:  # it repeats itself
                        break
            except PaginationRefused as error:
                refused = refused or error
            if refused is None or found >= count:
                return
        raise PaginationRefused(f"{namespace}: {found:,} of {count:,} repositories came: {refused}")

    async def _catalog(self, job: Job) -> None:
        """All repositories that a registry lists."""
        source = await self._context.sources.of(job.registry)
        assert source.registry is not None
        found = 0
        async for page in source.registry.repository_names():
            self._context.check()
            self._context.answered(page)
            found += len(page.names)
            for start in range(0, len(page.names), _NAMES_AT_A_TIME):
                several = page.names[start : start + _NAMES_AT_A_TIME]
                await self._store(job, [Repository(name=name) for name in several], page.observed_at)
        if not found:
            self._context.warn(f"{job.registry}: the registry lists no repositories")

    async def _repository(self, job: Job, path: str) -> bool:
        """One repository by its path; returns whether there is one."""
        context, at = self._context, self._context.clock()
        try:
            record = await self._described(job.registry, path)
        except NotFound:
            await context.missing(job, path, at)
            return False
        context.answered()
        await self._store(job, [record], at)
        return True

    async def _described(self, host: str, path: str) -> Repository:
        """What there is to be said of a repository. Raises `NotFound`."""
        source = await self._context.sources.of(host)
        if source.hub is not None and source.canary is not None:
            hub = source.hub
            return await source.canary.ask(lambda: hub.repository(path), _is_taken)
        assert source.registry is not None
        tells = self._context.plan.history and await source.registry.tells_history(path)
        if not tells and not await source.registry.exists(path):
            raise NotFound(f"{host}/{path}: not found")
        return Repository(name=path)

    async def _pages(self, ask: _Ask) -> AsyncIterator[RepositoryPage]:
        """The pages of a list, one after the other."""
        rows = count = 0
        for number in range(1, MAX_PAGES + 1):
            self._context.check()
            is_doubtful = _is_empty if number == 1 or rows < count else _is_taken
            page = await self._context.sources.canary.ask(partial(ask, page=number), is_doubtful)
            rows, count = rows + len(page.repositories), page.count or count
            self._context.answered(page)
            yield page
            if not page.more:
                return

    async def _store(self, job: Job, records: Sequence[Repository], seen_at: int) -> list[Stored]:
        """Store repositories, and let them be visited."""
        context, progress = self._context, self._context.progress
        visits = None
        if job.seed is not None and job.seed.with_tags:
            now = context.clock()
            visits = Visits(job.asked_by, now, context.plan.fresh_since(now))
        stored = await context.writer.write(StoreRepositories(job.registry, records, seen_at, visits))
        context.changed.set()  # they can be visited while the list goes on
        for repository in stored:
            # What is new is not changed as well when a second search finds it and knows more of it.
            if (repository.is_new or repository.is_changed) and self._counted.add(repository.repository_id):
                progress.new_repositories += repository.is_new
                progress.changed_repositories += repository.is_changed
            # Those that are known and not asked for are visited when they are due, not because they are listed.
            if self._met.add(repository.repository_id) and (job.asked_by is not None or repository.is_new):
                progress.found += 1
                progress.done += job.seed is not None and not job.seed.with_tags
        return stored


def _with_room(records: Sequence[Repository], found: Container[str], room: int) -> list[Repository]:
    """Those that were found before, and as many others as there is room for."""
    others = itertools.islice((record for record in records if record.name not in found), room)
    taken = {record.name for record in others}
    return [record for record in records if record.name in found or record.name in taken]


def _is_empty(page: RepositoryPage) -> bool:
    return not page.repositories


def _is_taken(_answer: object) -> bool:
    return False
