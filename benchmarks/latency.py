"""A crawl of a thousand repositories, each answer 20 ms away, against loops that only fetch the same pages.

One loop decodes nothing but whether there is a next page; the other decodes all fields into typed objects, as any
program has to that wants to know what a page says.
"""

import asyncio
from collections.abc import Iterator
from itertools import count
from time import perf_counter
from typing import Protocol

import aiohttp
import msgspec

from benchmarks import fast_hub
from benchmarks.crawling import crawl, every_field
from benchmarks.histories import PAGE
from benchmarks.measure import Result, at_least, in_turns, information, median, ratio
from benchmarks.workspace import Workspace
from hubindex.index.database.migrate import upgrade

_CONCURRENCY = 32
_LATENCY = 0.020
_FEW_ROWS = 4
_MEAN_ROWS = 20  # 300 million tags of 15 million repositories
_VARIANTS = 20


class _Next(msgspec.Struct):
    next: str | None


class _Page(Protocol):
    @property
    def next(self) -> str | None: ...


class _Decode(Protocol):
    def __call__(self, body: bytes, /) -> _Page: ...


_only_next: _Decode = msgspec.json.Decoder(_Next).decode


def run(workspace: Workspace) -> Iterator[Result]:
    """Pages as large as they come, 100 tags of eight platforms; then as the mean of the Hub, and small ones."""
    repositories = workspace.size(1000, 20)
    template = workspace.empty("sqlite", "latency_template")
    upgrade(template)
    index = workspace.empty("sqlite", "latency")

    def crawled() -> float:
        workspace.copy(template, "sqlite", "latency")
        seconds, _ = asyncio.run(crawl(index, url, repositories, _CONCURRENCY))
        return seconds

    for rows in (PAGE, _MEAN_ROWS, _FEW_ROWS):
        with fast_hub.serving(1, _VARIANTS, repositories, latency=_LATENCY, rows=rows) as url:
            crawls, bare, decoded = in_turns(
                workspace.size(5, 1),
                crawled,
                lambda: asyncio.run(_fetch(url, repositories, _only_next)),
                lambda: asyncio.run(_fetch(url, repositories, every_field)),
            )
        what = (
            f"crawl of {repositories:,} repositories with {rows} tags, 20 ms away, {_CONCURRENCY} at a time, pace"
        )
        seconds = f"{median(crawls):.2f} s against"
        fetched, read = f"{seconds} {median(bare):.2f} s", f"{seconds} {median(decoded):.2f} s"
        if rows == PAGE:
            yield at_least(f"{what} against fetching only", 1 / ratio(crawls, bare), 0.85, fetched)
        else:
            yield information(f"{what} against fetching only", 1 / ratio(crawls, bare), fetched)
        yield information(f"{what} against fetching and decoding", 1 / ratio(crawls, decoded), read)


async def _fetch(url: str, repositories: int, decode: _Decode) -> float:
    """Seconds to fetch the list of repositories and, at the same time, each one's tags."""
    names = iter(fast_hub.names(repositories))

    async def walk(path: str, decode: _Decode) -> None:
        for number in count(1):
            query = f"page={number}&page_size={PAGE}&ordering=last_updated"
            async with session.get(f"{url}/v2/namespaces/{path}?{query}") as response:
                if not decode(await response.read()).next:
                    return

    async def work() -> None:
        for name in names:
            await walk(name.replace("/", "/repositories/") + "/tags", decode)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONCURRENCY)) as session:
        before = perf_counter()
        await asyncio.gather(
            walk(f"n{repositories}/repositories", _only_next), *(work() for _ in range(_CONCURRENCY))
        )
        return perf_counter() - before
