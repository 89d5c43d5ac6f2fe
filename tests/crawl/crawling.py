"""Crawling a stand-in Hub into an index, and looking at the rows that came of it."""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from hubindex import moment
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.questions.repositories import RepositoryFacts, TagFacts
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry
from tests.fakehub import FakeHub
from tests.index.building import rows

START = 1_790_000_000_000
"""The present of a test: 2026-09-21T13:33:20Z."""

DEADLINE = 30
"""Seconds after which a crawl of a test counts as hanging."""


@dataclass(frozen=True)
class Crawled:
    """What a crawl counted, warned of, and asked for (path and query of each request)."""

    progress: Progress
    warnings: Sequence[str]
    paths: Sequence[str]


def crawl(
    hub: FakeHub,
    location: Location,
    plan: Plan,
    clock: Callable[[], int] = moment.now,
    tries: int = 1,
    *,
    with_registry: bool = False,
) -> Crawled:
    """Serve `hub` and crawl it, sending a request that fails `tries` times; must end before the deadline.

    The registry behind the Hub is asked only `with_registry`.
    """
    story = crawl_served(hub, location, plan, clock, tries, with_registry=with_registry)
    return asyncio.run(asyncio.wait_for(story, DEADLINE))


async def crawl_served(
    hub: FakeHub,
    location: Location,
    plan: Plan,
    clock: Callable[[], int] = moment.now,
    tries: int = 1,
    *,
    with_registry: bool = False,
) -> Crawled:
    """As `crawl`, in the running loop."""
    warnings: list[str] = []
    before = len(hub.requests)
    async with (
        hub.serve() as url,
        HttpClient(connections=plan.concurrency, tries=tries) as http,
        Writer(location) as writer,
    ):
        registry = Registry(http, url, clock) if with_registry else None
        crawler = Crawler(Sources(DockerHub(http, url, clock), registry), writer, plan, warnings.append, clock)
        await crawler.run()
    return Crawled(crawler.progress, warnings, hub.paths()[before:])


def at(hours: float = 0) -> Callable[[], int]:
    """A clock that stands still, so many hours after `START`."""
    now = START + round(hours * 3_600_000)
    return lambda: now


def ticking(start: int = START) -> Callable[[], int]:
    """A clock that goes on by a second each time that somebody looks at it."""
    return itertools.count(start, 1000).__next__


def positions(location: Location, term: str) -> dict[str, int]:
    """The place that the Hub gave each repository for a term."""
    found = rows(
        location,
        "SELECT r.name, h.position FROM search_hit h JOIN repository r ON r.repository_id = h.repository_id "
        f"JOIN search_term t ON t.term_id = h.term_id WHERE t.term = '{term}' ORDER BY h.position",
    )
    return {row[0]: row[1] for row in found}


def names(location: Location) -> list[str]:
    """All repositories of an index, by name."""
    return sorted(name for (name,) in rows(location, "SELECT name FROM repository"))


def state(location: Location, name: str) -> tuple[RepositoryFacts, dict[str, TagFacts]]:
    """What the index knows of a repository and its tags."""
    with Index.open(location) as index:
        return index.repository(name), {tag.name: tag for tag in index.tags(name)}


def tag_names(location: Location, name: str) -> set[str]:
    """The tags that a repository has according to the index."""
    return set(state(location, name)[1])


def hub_of(paths: Sequence[str], tag_count: int = 1) -> FakeHub:
    """A Hub that allows everything, whose repositories have the tags `t0`, `t1`, … each, pushed one a minute."""
    hub = FakeHub(rate_limit=1_000_000)
    for path in paths:
        repository = hub.add_repository(path, f"about {path}")
        for number in range(tag_count):
            repository.push(
                f"t{number}", at=f"2024-03-{number // 1440 + 1:02}T{number // 60 % 24:02}:{number % 60:02}:00Z"
            )
    return hub


def numbered(count: int) -> list[str]:
    """Paths of repositories: `acme/app-000`, `acme/app-001`, and so on."""
    return [f"acme/app-{number:03}" for number in range(count)]


def tag_requests(crawled: Crawled) -> Counter[str]:
    """How many pages of tags were asked for, by repository."""
    found = (re.search(r"/v2/namespaces/([^/]+)/repositories/([^/]+)/tags", path) for path in crawled.paths)
    return Counter(f"{match[1]}/{match[2]}" for match in found if match)


def disconnect(server: str, url: str) -> None:
    """Cut all connections to a PostgreSQL database."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (_database(url),)
        )


def shut(server: str, url: str) -> None:
    """Let a PostgreSQL database go away: no connection is left, and none can be made."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {_database(url)} ALLOW_CONNECTIONS false".encode())
    disconnect(server, url)


def _database(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
