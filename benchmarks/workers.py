"""Four crawling processes on one PostgreSQL against one.

The stand-in is 50 ms away. Each process fetches two repositories at a time, small ones: four processes then need
less than the two cores that they share with the stand-in and with PostgreSQL, so that latency is what they wait
for, as it is with the Hub, and not the processor.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks import fast_hub
from benchmarks.frontiers import Crawled, crawl_due, fill
from benchmarks.measure import Result, at_least, at_most, in_turns, median, ratio
from benchmarks.workspace import Workspace
from hubindex.index.database.location import Location

_WORKERS = 4
_LATENCY = 0.050
_CONCURRENCY = 2
_ROWS = 20
_VARIANTS = 20


def run(workspace: Workspace) -> Iterator[Result]:
    """From the moment when the first worker begins to that when the last one has nothing left to do."""
    repositories = workspace.size(400, 20)
    template = workspace.empty("postgresql", "workers_template")
    fill(template, repositories)
    twice = 0

    def crawled(workers: int) -> float:
        nonlocal twice
        index = workspace.copy(template, "postgresql", "workers")
        done = _crawl(index, url, workers)
        if sum(each.repositories for each in done) < repositories:
            raise RuntimeError(f"{sum(each.repositories for each in done)} of {repositories} were visited")
        asked = fast_hub.asked(url)
        twice += asked.requests - asked.different
        return max(each.ended for each in done) - min(each.began for each in done)

    with fast_hub.serving(1, _VARIANTS, repositories, latency=_LATENCY, rows=_ROWS) as url:
        one, four = in_turns(workspace.size(3, 1), lambda: crawled(1), lambda: crawled(_WORKERS))
    yield at_least(
        f"{_WORKERS} workers on one PostgreSQL against one, {_CONCURRENCY} at a time each, 50 ms away",
        ratio(one, four),
        3,
        f"{median(one):.2f} s against {median(four):.2f} s for {repositories:,} repositories",
    )
    yield at_most(
        "pages fetched twice by them",
        twice,
        0,
        f"{repositories:,} pages in each of {2 * len(one)} crawls",
        " pages",
    )


def _crawl(index: Location, url: str, workers: int) -> list[Crawled]:
    """Start workers, and let them begin together when all are ready."""
    arguments = [sys.executable, "-m", "benchmarks.workers", index.target, url]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    arguments,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parent.parent,
                )
            )
            for _ in range(workers)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        return [msgspec.json.decode(process.communicate()[0], type=Crawled) for process in processes]


def _ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    _crawled = asyncio.run(
        crawl_due(Location.parse(sys.argv[1]), sys.argv[2], concurrency=_CONCURRENCY, ready=_ready)
    )
    print(msgspec.json.encode(_crawled).decode())
