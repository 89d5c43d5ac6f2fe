"""What a crawl asks of the writer, as values."""

import asyncio
import pickle
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from hubindex.crawl import commands
from hubindex.crawl.commands import (
    Command,
    EndJob,
    EndMissing,
    FinishWalk,
    ReleaseLeases,
    StorePage,
    StoreRepositories,
    Visits,
)
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.index.writing.frontier import LEASE, Job, Owner
from hubindex.index.writing.ingest import Absence, Batch, Ingest
from hubindex.index.writing.walks import Walk
from hubindex.records import Repository, Tag, TagPage
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry
from tests.crawl.crawling import DEADLINE, at, hub_of, state, tag_names
from tests.index.building import problems

T = TypeVar("T")
NOW = 1_790_000_000_000
ME = "here 1 aa"


def copied(value: T) -> T:
    """What another process would get."""
    return pickle.loads(pickle.dumps(value))  # type: ignore[no-any-return]


def told(ingest: Ingest, command: Command[T]) -> T:
    """The answer to a command, as if it came from another process."""
    with ingest.transaction() as batch:
        answer = copied(command).run(batch)
    return copied(answer)


def lost(ingest: Ingest, command: Command[object]) -> None:
    """A command whose transaction fails."""
    with suppress(ZeroDivisionError), ingest.transaction() as batch:
        command.run(batch)
        raise ZeroDivisionError


def claimed(ingest: Ingest, name: str = "acme/app") -> Job:
    """The visit of a new repository."""
    told(ingest, StoreRepositories("docker.io", [Repository(name=name)], NOW, Visits(None, NOW, None)))
    (job,) = told(ingest, commands.Claim(ME, 1, NOW, NOW, None, None))
    return job


def is_free(ingest: Ingest) -> bool:
    """Whether another process can have the job at once."""
    return bool(told(ingest, commands.Claim("there 2 bb", 1, NOW, NOW + 1, None, None)))


def store(
    job: Job, number: int, *names: str, count: int = 3, observed_at: int = NOW, started_at: int | None = None
) -> StorePage:
    tags = tuple(Tag(name=name, digest=bytes([place]) * 32) for place, name in enumerate(names, 1))
    page = TagPage(tags=tags, count=count, more=True, observed_at=observed_at)
    return StorePage(job.repository_id, number, observed_at if started_at is None else started_at, page)


def finish(job: Job, number: int, pages: int, names: Sequence[str]) -> FinishWalk:
    walk = Walk(job.repository_id, NOW, NOW + 10, set(names), looked_at=set(names))
    return FinishWalk(number, walk, pages, EndJob(job, ME, NOW))


class Posted(Writer):
    """A writer that lives in another process, as far as commands and answers can tell."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self.kinds: set[type] = set()

    async def accept(self, command: Command[T]) -> "asyncio.Future[T]":
        """As a message."""
        self.kinds.add(type(command))
        return await super().accept(_Posted(pickle.dumps(command)))

    def accept_last(self, command: Command[object]) -> None:
        """As a message."""
        self.kinds.add(type(command))
        super().accept_last(_Posted(pickle.dumps(command)))


class _Posted(Command[T]):
    def __init__(self, message: bytes) -> None:
        self._message = message

    def run(self, batch: Batch) -> T:
        return copied(pickle.loads(self._message).run(batch))  # type: ignore[no-any-return]


def test_a_crawl_whose_writer_is_in_another_process(location: Location) -> None:
    """All that crosses the border are values: no function, no lock, nothing that both sides change."""
    hub = hub_of(["acme/app", "acme/other", "library/base"], tag_count=120)
    kinds: set[type] = set()

    async def crawl(plan: Plan, hours: float) -> None:
        async with hub.serve() as url, HttpClient() as http, Posted(location) as writer:
            registry = Registry(http, url, at(hours))
            source = DockerHub(http, url, at(hours))
            await Crawler(Sources(source, registry), writer, plan, lambda _: None, at(hours)).run()
            kinds.update(writer.kinds)

    named = Plan(terms=["app"], repositories=["library/base", "library/none"], namespaces=["acme"])
    asyncio.run(asyncio.wait_for(crawl(named, 0), DEADLINE))
    hub.repositories["acme/app"].push("new", at="2026-09-21T14:00:00Z")
    asyncio.run(asyncio.wait_for(crawl(Plan(full=True), 24 * 30), DEADLINE))
    assert len(tag_names(location, "acme/app")) == 121
    assert problems(location) == []
    expected = {
        commands.Begin, commands.Claim, commands.IsMoreToCome, commands.ReleaseLeases, EndJob, EndMissing,
        StoreRepositories, commands.StoreResults, StorePage, FinishWalk,
    }  # fmt: skip
    assert kinds >= expected


def test_an_owner_that_was_sent_knows_who_lives_beside_it() -> None:
    """Two crawls of one process have the same number: none takes the other for dead."""
    owner, other = Owner(), Owner()
    sent = copied(owner)
    assert sent.name == owner.name
    assert not sent.is_dead(other.name)


def test_a_walk_is_proven_by_the_pages_that_were_stored(ingest: Ingest, location: Location) -> None:
    """In whatever transactions they were; the job of the visit ends with it."""
    job = claimed(ingest)
    told(ingest, store(job, 1, "a", "b"))
    told(ingest, store(job, 1, "c"))
    told(ingest, finish(job, 1, 2, ["a", "b", "c"]))
    facts, _ = state(location, "acme/app")
    assert (facts.walk_problem, facts.sweeps.swept_at) == (None, NOW)
    assert not is_free(ingest)


def test_a_walk_that_lost_a_page_proves_nothing_of_it(ingest: Ingest, location: Location) -> None:
    """What that page said of its tags is not known: their old digests were not seen again, and the job is left."""
    job = claimed(ingest)
    told(ingest, store(job, 1, "a", "b"))
    told(ingest, finish(job, 1, 1, ["a", "b"]))
    lost(ingest, store(job, 2, "b", "a", observed_at=NOW + 1000))
    told(ingest, store(job, 2, "c", observed_at=NOW + 2000, started_at=NOW + 1000))
    walk = Walk(job.repository_id, NOW + 1000, NOW + 2000, {"a", "b", "c"}, looked_at={"a", "b", "c"})
    told(ingest, FinishWalk(2, walk, 2, None))
    facts, tags = state(location, "acme/app")
    assert facts.walk_problem == "a page could not be stored"
    assert {name: tag.last_seen_at - NOW for name, tag in tags.items()} == {"a": 0, "b": 0, "c": 2000}


def test_the_job_of_a_walk_that_lost_a_page_stays_claimed(ingest: Ingest) -> None:
    """Until the crawl ends: then it is given back, and whoever claims it next does it."""
    job = claimed(ingest)
    lost(ingest, store(job, 1, "a"))
    told(ingest, finish(job, 1, 1, ["a"]))
    assert not is_free(ingest)
    told(ingest, ReleaseLeases(ME, None))
    assert is_free(ingest)


def test_a_page_that_is_told_again_after_a_failure_counts_once(ingest: Ingest, location: Location) -> None:
    """As when a server goes away before the commit."""
    job = claimed(ingest)
    lost(ingest, store(job, 1, "a", "b", "c"))
    told(ingest, store(job, 1, "a", "b", "c"))
    told(ingest, finish(job, 1, 1, ["a", "b", "c"]))
    assert state(location, "acme/app")[0].walk_problem is None


def test_pages_of_an_earlier_walk_do_not_count(ingest: Ingest, location: Location) -> None:
    """A list that moved was walked again."""
    job = claimed(ingest)
    told(ingest, store(job, 1, "a"))
    told(ingest, store(job, 2, "a", "b", "c"))
    told(ingest, finish(job, 2, 1, ["a", "b", "c"]))
    assert state(location, "acme/app")[0].walk_problem is None


def test_a_page_that_says_nothing_new_ends_the_walk(ingest: Ingest, location: Location) -> None:
    """If the source counts as many tags as are known; else it is stored, and the walk goes on."""
    job = claimed(ingest)
    told(ingest, store(job, 1, "a", "b", "c"))
    told(ingest, finish(job, 1, 1, ["a", "b", "c"]))
    for count, is_end in ((4, False), (3, True)):
        page = store(job, 2 + count, "a", count=count, observed_at=NOW + 1000)
        walk = Walk(job.repository_id, NOW + 1000, NOW + 1000, {"a"}, ends_early=True, looked_at={"a"})
        end = FinishWalk(2 + count, walk, 1, EndJob(job, ME, NOW))
        assert told(ingest, page._replace(end=end)).is_end is is_end
    facts, _ = state(location, "acme/app")
    assert (facts.sweeps.swept_at, facts.walk_problem) == (NOW, None)


def test_leases_are_renewed_until_the_job_ends(ingest: Ingest) -> None:
    """The writer knows what is claimed; a job that has ended is claimed no more."""
    job = claimed(ingest)
    told(ingest, commands.RenewLeases(ME, NOW + LEASE))
    later = NOW + LEASE + 1
    assert told(ingest, commands.Claim("there 2 bb", 1, NOW, later, None, None)) == []
    failed = EndJob(job, ME, NOW, commands.Failure("Unreachable", "no answer"))
    told(ingest, failed)
    told(ingest, commands.RenewLeases(ME, NOW + 10 * LEASE))
    (again,) = told(ingest, commands.Claim("there 2 bb", 1, NOW + 3_600_000, later, None, None))
    assert (again.key, again.tries) == (job.key, 1)


def test_a_repository_that_is_not_there_ends_its_job(ingest: Ingest) -> None:
    """Missing at first; gone if it is so hours later."""
    job = claimed(ingest)
    assert told(ingest, EndMissing(job, "acme/app", NOW + 1, NOW + 1)) is Absence.MISSING
    later = NOW + 5 * 3_600_000
    (job,) = told(ingest, commands.Claim(ME, 1, later, later, None, None))
    assert told(ingest, EndMissing(job, "acme/app", later, later)) is Absence.GONE
