"""A crawl of a real registry on this machine: every tag listed and its digest asked for, against only asking.

The floor is a loop over aiohttp that sends the same requests, 32 at a time, and keeps nothing. The registry is
`docker-registry` (Debian's package of that name); where it is not installed nothing is measured.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import aiohttp

from benchmarks.measure import Result, at_most, in_turns, information, median, ratio
from benchmarks.workspace import Workspace
from tests.registry_server import OCI_MANIFEST, PROGRAM, Server

_TAGS = 20
_CONNECTIONS = 32


def run(workspace: Workspace) -> Iterator[Result]:
    """The first crawl of all repositories, and the second, of which nothing has changed."""
    what = f"crawl of a registry, {_TAGS} tags a repository, whole program, against only asking"
    if PROGRAM is None:
        yield Result(what, "", "", None, "the program docker-registry is not installed")
        return
    repositories = workspace.size(1000, 10)
    tags = repositories * _TAGS
    with _serving() as server:
        asyncio.run(_fill(server, repositories))
        location = workspace.empty("sqlite", "registry")

        def crawled(*, anew: bool) -> tuple[float, float]:
            nonlocal location
            if anew:
                location = workspace.empty("sqlite", "registry")
            return _crawl(server, location.target)

        floors, firsts, seconds = in_turns(
            workspace.size(3, 1), lambda: _ask(server), lambda: crawled(anew=True), lambda: crawled(anew=False)
        )
    for name, measured in (("", firsts), (", once more", seconds)):
        walls, bare = [wall for wall, _ in measured], [wall for wall, _ in floors]
        yield at_most(
            what + name, ratio(walls, bare), 1.2,
            f"{median(walls):.2f} s against {median(bare):.2f} s for {tags:,} tags",
        )  # fmt: skip
        cpu, least = median([cpu for _, cpu in measured]), median([cpu for _, cpu in floors])
        yield at_most(
            f"processor time of a tag of a registry{name}", cpu / tags * 1000, 0.45,
            f"{least / tags * 1000:.2f} ms for only asking", " ms",
        )  # fmt: skip
    yield information("tags of a registry by the second", tags / median([wall for wall, _ in firsts]), "", "/s")


@contextmanager
def _serving() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="hubindex-registry-") as folder:
        server = Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()


async def _fill(server: Server, repositories: int) -> None:
    """Push images whose manifests are small; every two tags of a repository have one."""
    some = asyncio.Semaphore(_CONNECTIONS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS)) as session:

        async def push(number: int) -> None:
            name = f"acme/app-{number:05}"
            async with some:
                config = await server.upload(session, name, b"{}")
                for tag in range(_TAGS):
                    manifest = {
                        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [],
                        "config": config | {"mediaType": "application/vnd.oci.image.config.v1+json"},
                        "annotations": {"number": f"{number} {tag // 2}"},
                    }  # fmt: skip
                    url = f"{server.url}/v2/{name}/manifests/v{tag}"
                    body, headers = json.dumps(manifest).encode(), {"Content-Type": OCI_MANIFEST}
                    async with session.put(url, data=body, headers=headers) as response:
                        response.raise_for_status()

        await asyncio.gather(*(push(number) for number in range(repositories)))


def _ask(server: Server) -> tuple[float, float]:
    """Seconds, and seconds of the processor, for the requests alone."""

    async def asking() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS)) as session:

            async def look(name: str, tag: str) -> str:
                url = f"{server.url}/v2/{name}/manifests/{tag}"
                async with session.head(url, headers={"Accept": OCI_MANIFEST}) as response:
                    return response.headers["Docker-Content-Digest"]

            async def visit(name: str) -> None:
                async with session.get(f"{server.url}/v2/{name}/tags/list") as response:
                    tags = (await response.json())["tags"]
                await asyncio.gather(*(look(name, tag) for tag in tags))

            async with session.get(f"{server.url}/v2/_catalog?n=1000") as response:
                names = (await response.json())["repositories"]
            await asyncio.gather(*map(visit, names))

    before, began = _cpu(resource.RUSAGE_SELF), perf_counter()
    asyncio.run(asking())
    return perf_counter() - began, _cpu(resource.RUSAGE_SELF) - before


def _crawl(server: Server, db: str) -> tuple[float, float]:
    """The same for the whole program."""
    command = [
        sys.executable,
        "-m",
        "hubindex",
        "--db",
        db,
        "-q",
        "crawl",
        "--registry",
        server.host,
        "--anonymous",
    ]
    before, began = _cpu(resource.RUSAGE_CHILDREN), perf_counter()
    subprocess.run([*command, "--concurrency", str(_CONNECTIONS)], check=True)
    return perf_counter() - began, _cpu(resource.RUSAGE_CHILDREN) - before


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime
