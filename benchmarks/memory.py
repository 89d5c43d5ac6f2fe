"""Memory: it must not grow with the size of a crawl."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import fast_hub
from benchmarks.measure import Result, information
from benchmarks.workspace import Workspace
from hubindex.index.location import Location

_VARIANTS = 5


def run(workspace: Workspace) -> Iterator[Result]:
    """The most memory that a crawl of many repositories takes, and one of few, each in a process of its own."""
    many, few = workspace.size(200, 6), workspace.size(20, 2)
    pages = workspace.size(5, 1)
    with fast_hub.serving(pages, _VARIANTS, many, few) as url:
        large, small = (_peak(workspace, url, size) for size in (many, few))
    yield information(
        f"memory of a crawl of {many} repositories against {few}",
        large / small,
        f"{large / 1e6:.0f} MB against {small / 1e6:.0f} MB",
    )


def _peak(workspace: Workspace, url: str, size: int) -> int:
    index = workspace.empty("sqlite", "memory").target
    arguments = [sys.executable, "-m", "benchmarks.memory", index, url, str(size)]
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
    from benchmarks.crawling import crawl

    asyncio.run(crawl(Location.parse(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
    print(_own_peak())
