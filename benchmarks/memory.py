"""Memory: it must not grow with the size of a crawl."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import fast_hub
from benchmarks.crawling import crawl
from benchmarks.frontiers import crawl_due, fill
from benchmarks.measure import Result, at_most, information
from benchmarks.workspace import ENGINES, Workspace
from hubindex.index.database.location import Location

_VARIANTS = 5


def run(workspace: Workspace) -> Iterator[Result]:
    """The most memory that a crawl of many repositories takes, and one of few, each in a process of its own."""
    many, few = workspace.size(200, 6), workspace.size(20, 2)
    pages = workspace.size(5, 1)
    with fast_hub.serving(pages, _VARIANTS, many, few) as url:
        large, small = (_peak(workspace.empty("sqlite", "memory"), url, size) for size in (many, few))
    yield information(
        f"memory of a crawl of {many} repositories against {few}",
        large / small,
        f"{large / 1e6:.0f} MB against {small / 1e6:.0f} MB",
    )

    yield from _of_frontiers(workspace)


def _of_frontiers(workspace: Workspace) -> Iterator[Result]:
    """The budget of requests ends the crawl after so many visits; what differs is how many others are due."""
    many, few, visits = workspace.size(100_000, 200), workspace.size(1000, 20), workspace.size(500, 10)
    with fast_hub.serving(1, _VARIANTS, many, few) as url:
        for engine in ENGINES:
            peaks = []
            for size in (many, few):
                index = workspace.empty(engine, "memory")
                fill(index, size)
                peaks.append(_peak(index, url, visits, "due"))
            yield at_most(
                f"memory of a crawl with {many:,} repositories in the frontier against {few:,}, {engine}",
                peaks[0] / peaks[1],
                1.2,
                f"{peaks[0] / 1e6:.0f} MB against {peaks[1] / 1e6:.0f} MB after {visits:,} visits",
            )


def _peak(index: Location, url: str, number: int, what: str = "namespace") -> int:
    """Bytes that a crawl takes at most: of the namespace of that size, or of what is due, so many visits."""
    arguments = [sys.executable, "-m", "benchmarks.memory", index.target, url, str(number), what]
    child = subprocess.run(arguments, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parent.parent)
    return int(child.stdout)


def _own_peak() -> int:
    """Bytes. Where /proc tells it, without what a parent had before it became this process."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    _index, _number = Location.parse(sys.argv[1]), int(sys.argv[3])
    if sys.argv[4] == "due":
        asyncio.run(crawl_due(_index, sys.argv[2], most=_number))
    else:
        asyncio.run(crawl(_index, sys.argv[2], _number))
    print(_own_peak())
