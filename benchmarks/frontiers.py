"""Indexes whose frontier is full without a listing, and crawls of what is due there."""

import sys
from collections.abc import Callable
from contextlib import closing
from time import monotonic
from typing import NamedTuple

from benchmarks import fast_hub
from hubindex import moment
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan
from hubindex.crawl.session import tuned_interpreter
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Repository
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub

_BATCH = 10_000


class Crawled(NamedTuple):
    """What a crawl did: when it began and ended (monotonic seconds), and how many repositories and requests."""

    began: float
    ended: float
    repositories: int
    requests: int


def fill(location: Location, size: int) -> None:
    """Put the repositories of the stand-in's namespace of this size into an index, to be visited now."""
    now = moment.now()
    with closing(Ingest(location)) as ingest:
        names = fast_hub.names(size)
        for start in range(0, size, _BATCH):
            with ingest.transaction() as batch:
                stored = batch.repositories([Repository(name=name) for name in names[start : start + _BATCH]], now)
                batch.frontier.visit((each.repository_id for each in stored), None, now)


async def crawl_due(
    location: Location,
    url: str,
    *,
    concurrency: int = 8,
    most: int | None = None,
    later: int = 0,
    ready: Callable[[], object] = lambda: None,
) -> Crawled:
    """Crawl whatever is due, or all `later` milliseconds from now, with `most` requests.

    `ready` is called when everything is open and nothing was asked yet.
    """
    plan = Plan(concurrency=concurrency, max_age=later // 2 or None)
    async with HttpClient(connections=concurrency, budget=most) as http, Writer(location) as writer:
        crawler = Crawler(
            Sources(DockerHub(http, url)),
            writer,
            plan,
            lambda line: print(line, file=sys.stderr),
            lambda: moment.now() + later,
        )
        ready()
        began = monotonic()
        with tuned_interpreter():
            await crawler.run()
        ended = monotonic()
    if crawler.progress.failures:
        raise RuntimeError(f"the crawl failed: {crawler.progress.first_error}")
    return Crawled(began, ended, crawler.progress.done, http.requests)
