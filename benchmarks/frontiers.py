"""Indexes whose frontier is full without a listing, and crawls of what is due there."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing
from time import monotonic
from typing import NamedTuple

from benchmarks import fast_hub
from hubindex import moment
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan
from hubindex.crawl.writer import Writer
from hubindex.index.ingest import Ingest
from hubindex.index.location import Location
from hubindex.records import Repository
from hubindex.sources.http import HttpClient
from hubindex.sources.hub import DockerHub

_BATCH = 10_000
_LOOK_SECONDS = 0.01


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
    """Crawl whatever is due, `later` milliseconds from now, and stop after `most` visits.

    `ready` is called when everything is open and nothing was asked yet.
    """
    plan = Plan(concurrency=concurrency)
    async with HttpClient(connections=concurrency) as http, Writer(location) as writer:
        crawler = Crawler(
            DockerHub(http, url),
            writer,
            plan,
            lambda line: print(line, file=sys.stderr),
            lambda: moment.now() + later,
        )
        ready()
        began = monotonic()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_stop(crawler, most)) if most is not None else None
            await crawler.run()
            if watch is not None:
                watch.cancel()
        ended = monotonic()
    if crawler.progress.failures:
        raise RuntimeError(f"the crawl failed: {crawler.progress.first_error}")
    return Crawled(began, ended, crawler.progress.done, http.requests)


async def _stop(crawler: Crawler, most: int) -> None:
    while crawler.progress.done < most:  # noqa: ASYNC110 - a crawl tells nobody when it gets on
        await asyncio.sleep(_LOOK_SECONDS)
    crawler.progress.stopped = True
