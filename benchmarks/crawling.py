"""A whole crawl against a loop that only fetches and decodes the same pages from the same stand-in.

The loop is as bare as can be: aiohttp, no checks, all fields of all rows decoded into typed objects by msgspec.
"""

import asyncio
import sys
from collections.abc import Iterator
from time import perf_counter

import aiohttp
import msgspec

from benchmarks import fast_hub
from benchmarks.histories import PAGE
from benchmarks.measure import Result, at_least, in_turns, information, median, ratio
from benchmarks.workspace import Workspace
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.session import tuned_interpreter
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import upgrade
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub

CONCURRENCY = 8


class _Image(msgspec.Struct):
    architecture: str | None
    features: str | None
    variant: str | None
    digest: str | None
    os: str | None
    os_features: str | None
    os_version: str | None
    size: int
    status: str | None
    last_pulled: str | None
    last_pushed: str | None


class _Tag(msgspec.Struct):
    creator: int
    id: int
    images: list[_Image]
    last_updated: str | None
    last_updater: int
    last_updater_username: str | None
    name: str
    repository: int
    full_size: int
    v2: bool
    tag_status: str | None
    tag_last_pulled: str | None
    tag_last_pushed: str | None
    media_type: str | None
    content_type: str | None
    digest: str | None


class _Page(msgspec.Struct):
    count: int
    next: str | None
    previous: str | None
    results: list[_Tag]


every_field = msgspec.json.Decoder(_Page).decode


def run(workspace: Workspace) -> Iterator[Result]:
    """Crawl a namespace into an empty SQLite index, crawl it again unchanged, and fetch it with the bare loop."""
    repositories, pages = workspace.size(40, 3), workspace.size(10, 2)
    tags = repositories * pages * PAGE
    template = workspace.empty("sqlite", "crawl_template")
    upgrade(template)
    index = workspace.empty("sqlite", "crawl")

    def first() -> float:
        workspace.copy(template, "sqlite", "crawl")
        return _seconds(asyncio.run(crawl(index, url, repositories)), tags)

    def again() -> float:
        return _seconds(asyncio.run(crawl(index, url, repositories)), repositories * PAGE)

    with fast_hub.serving(pages, repositories, repositories) as url:
        firsts, agains, bare = in_turns(
            workspace.size(5, 1),
            first,
            again,
            lambda: _seconds(asyncio.run(_fetch_and_decode(url, repositories)), tags),
        )
    floor = f"{tags / median(bare):,.0f} tags/s; {tags:,} tags on {tags // PAGE:,} pages"
    yield at_least(
        "crawl into SQLite, tags/s, against fetching and decoding only",
        1 / ratio(firsts, bare),
        0.6,
        f"{tags / median(firsts):,.0f} against {floor}",
    )
    yield information(
        "the same crawl again, a page of each repository, against fetching and decoding all",
        ratio(agains, bare),
        f"{median(agains):.2f} s against {median(bare):.2f} s",
    )


async def crawl(
    location: Location, url: str, repositories: int, concurrency: int = CONCURRENCY
) -> tuple[float, int]:
    """Crawl a namespace of the stand-in into an existing index; seconds and tags."""
    plan = Plan(namespaces=[f"n{repositories}"], concurrency=concurrency)
    async with HttpClient(connections=concurrency) as http, Writer(location) as writer:
        crawler = Crawler(Sources(DockerHub(http, url)), writer, plan, lambda line: print(line, file=sys.stderr))
        before = perf_counter()
        with tuned_interpreter():
            await crawler.run()
    return perf_counter() - before, _checked(crawler.progress)


def _checked(progress: Progress) -> int:
    if progress.failures:
        raise RuntimeError(f"the crawl failed: {progress.first_error}")
    return progress.tags


async def _fetch_and_decode(url: str, repositories: int) -> tuple[float, int]:
    waiting = iter(fast_hub.names(repositories))
    tags = 0

    async def walk() -> None:
        nonlocal tags
        for name in waiting:
            namespace, _, own = name.partition("/")
            number, more = 1, True
            while more:
                query = f"page={number}&page_size={PAGE}&ordering=last_updated"
                path = f"/v2/namespaces/{namespace}/repositories/{own}/tags"
                async with session.get(f"{url}{path}?{query}") as response:
                    page = every_field(await response.read())
                tags += len(page.results)
                number, more = number + 1, bool(page.next)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:
        before = perf_counter()
        await asyncio.gather(*(walk() for _ in range(CONCURRENCY)))
        return perf_counter() - before, tags


def _seconds(measured: tuple[float, int], expected: int) -> float:
    seconds, tags = measured
    if tags != expected:
        raise RuntimeError(f"{tags} tags came where the stand-in has {expected}")
    return seconds
