"""What the parts of a crawl share: sources, the writer, the clock, and the count of what came and what did not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hubindex.crawl.commands import Command, EndJob, EndMissing, Failure
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.errors import (
    Blocked,
    BudgetSpent,
    Forbidden,
    GivenUp,
    NotFound,
    RateLimited,
    SourceError,
    Unreachable,
)
from hubindex.index.writing.frontier import Job, JobKey, Owner
from hubindex.index.writing.ingest import Absence
from hubindex.records import RepositoryNames, RepositoryPage, TagPage
from hubindex.reference import DEFAULT_REGISTRY, Reference

T = TypeVar("T")


_MAX_REFUSED = 10
_MAX_UNANSWERED = 10


class Stopped(Exception):
    """The crawl was stopped by a source or its budget: what is not done is given back."""


@dataclass
class CrawlContext:
    """One crawl's sources and what it has come to. `leased` are the jobs that are claimed and not done, by key.

    `warn` is told in one line of each row left out and of each thing that could not be fetched.
    """

    sources: Sources
    writer: Writer
    plan: Plan
    warn: Callable[[str], None]
    clock: Callable[[], int]
    owner: Owner = field(default_factory=Owner)
    progress: Progress = field(default_factory=Progress)
    leased: set[JobKey] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    refused_in_a_row: int = 0
    storage_error: BaseException | None = None
    pulls_left: int = 0

    def __post_init__(self) -> None:
        self.pulls_left = self.plan.pulls

    def answered(self, page: RepositoryPage | RepositoryNames | TagPage | None = None) -> None:
        """A source gave what it was asked for."""
        self.progress.answers += 1
        self.refused_in_a_row = 0
        for warning in page.warnings if page is not None else ():
            self.warn(warning)

    def check(self) -> None:
        """Raise `Stopped` if no more is to be asked."""
        if self.progress.stopped:
            raise Stopped("the crawl was stopped")

    def failed(self, error: SourceError | Stopped, host: str = DEFAULT_REGISTRY) -> None:
        """A source did not give what it was asked for, and never will, or not to us, or not now.

        If Docker Hub refuses everything the crawl stops; another registry that does so leaves the others unharmed.
        """
        progress = self.progress
        if isinstance(error, Stopped):
            return
        if isinstance(error, BudgetSpent):
            progress.stopped = progress.is_spent = True
            return
        progress.failures += 1
        progress.first_error = progress.first_error or error
        # A crawl that nothing answers ends with its first error, and need not repeat it.
        is_news = progress.answers or (isinstance(error, NotFound) and progress.failures > 1)
        if is_news and not progress.stopped:
            self.warn(str(error))
        if host == DEFAULT_REGISTRY and self._is_the_end(error):
            progress.stopped = True

    def _is_the_end(self, error: SourceError) -> bool:
        """Whether it makes no sense to ask for anything else."""
        if isinstance(error, Forbidden):
            self.refused_in_a_row += 1
            return self.refused_in_a_row >= _MAX_REFUSED
        if isinstance(error, Unreachable) and not self.progress.answers:
            return self.progress.failures >= _MAX_UNANSWERED
        return isinstance(error, Blocked | RateLimited | GivenUp)

    async def leave(self, command: Command[T], count: Callable[[T], None]) -> None:
        """Leave a command to the writer and go on; its answer is counted once it is committed."""

        def settled(future: "asyncio.Future[T]") -> None:
            if future.cancelled():
                return
            if (error := future.exception()) is not None:
                self.storage_error = self.storage_error or error
                self.changed.set()
            else:
                count(future.result())

        if self.storage_error is not None:
            raise self.storage_error
        (await self.writer.accept(command)).add_done_callback(settled)

    def done(self, job: Job) -> None:
        """A job is off our hands, and the index says so."""
        self.leased.discard(job.key)
        self.changed.set()

    def end_of(self, job: Job, error: SourceError | Stopped | None) -> EndJob:
        """What is to be written into the frontier of a job: it is done, has failed, or is given back."""
        end = EndJob(job, self.owner.name, self.clock())
        if isinstance(error, Stopped | BudgetSpent):
            return end._replace(is_given_back=True)
        return end if error is None else end._replace(failure=Failure(type(error).__name__, str(error)))

    async def missing(self, job: Job, path: str, at: int) -> None:
        """A source says, and keeps saying, that there is no such repository: that is an answer, and no failure."""
        absence = await self.writer.write(EndMissing(job, path, at, self.clock()))
        name = Reference(job.registry, path).familiar_name
        where = "Docker Hub" if job.registry == DEFAULT_REGISTRY else job.registry
        self.done(job)
        self.progress.missing += 1
        if absence is Absence.GONE:
            self.warn(f"{name}: gone from {where}, with all its tags: it was not there hours ago either")
            return
        kept = "; what the index knows of it stays" if absence is Absence.MISSING else ""
        self.warn(f"{name}: not found on {where}: missing, private or a fault{kept}")
