"""A crawl of a real registry on this machine: every tag listed and its digest asked for, against only asking.

The floor is a loop over aiohttp that sends the same requests, 32 at a time, and keeps nothing; once for the
digests alone, and once with the manifest and the configuration of each. The registry is `docker-registry`
(Debian's package of that name); where it is not installed nothing is measured. Where skopeo is, some tags are
inspected with it.
"""

import asyncio
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

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

        def crawled(*options: str, anew: bool) -> Crawl:
            nonlocal location
            if anew:
                location = workspace.empty("sqlite", "registry")
            return _crawl(server, location.target, *options)

        digests, contents = ("--no-configs", "--no-history"), ("--no-history",)
        rounds = workspace.size(3, 1)
        bare, firsts, seconds = in_turns(
            rounds,
            lambda: _ask(server),
            lambda: crawled(*digests, anew=True),
            lambda: crawled(*digests, anew=False),
        )
        wholes, fulls, bare_again, agains = in_turns(
            rounds, lambda: _ask(server, contents=True), lambda: crawled(*contents, anew=True),
            lambda: _ask(server), lambda: crawled(*contents, anew=False),
        )  # fmt: skip
        inspected = _inspect(server, workspace.size(40, 2))
    for name, measured, floors in (
        ("", firsts, bare), (", once more", seconds, bare), (" with contents", fulls, wholes),
        (" with contents, once more", agains, bare_again),
    ):  # fmt: skip
        walls, floor = [each.wall for each in measured], [each.wall for each in floors]
        yield at_most(
            what + name, ratio(walls, floor), 1.2,
            f"{median(walls):.2f} s against {median(floor):.2f} s for {tags:,} tags",
        )  # fmt: skip
        cpu, least = median([each.cpu for each in measured]), median([each.cpu for each in floors])
        told = f"processor time of a tag of a registry{name}", cpu / tags * 1000
        asking = f"{least / tags * 1000:.2f} ms for only asking"
        if measured is fulls:  # what was wanted is of digests
            yield information(*told, asking, " ms")
        else:
            yield at_most(*told, 0.45, asking, " ms")
    yield information("tags of a registry by the second", tags / median([each.wall for each in firsts]), "", "/s")
    yield at_most("manifests read when nothing has changed", max(each.manifests for each in agains), 0, "", "")
    if inspected is not None:
        faster = inspected * tags / median([each.wall for each in firsts])
        yield information("times faster than skopeo inspect, one after the other", faster, "10 wanted", "")


class Crawl(NamedTuple):
    """Seconds, seconds of the processor, and how many manifests were read."""

    wall: float
    cpu: float
    manifests: int = 0


def _inspect(server: Server, count: int) -> float | None:
    """Seconds for a tag with skopeo."""
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        return None
    began = perf_counter()
    for number in range(count):
        image = f"docker://{server.host}/acme/app-00000:v{number % _TAGS}"
        command = [skopeo, "inspect", "--tls-verify=false", "--no-tags", "--format", "{{.Digest}}", image]
        subprocess.run(command, check=True, capture_output=True)
    return (perf_counter() - began) / count


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
                config = await server.upload(session, name, b'{"os": "linux", "architecture": "amd64"}')
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


def _ask(server: Server, *, contents: bool = False) -> Crawl:
    """What the requests alone take, with those for the contents of each digest or without."""

    async def asking() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS)) as session:

            async def look(name: str, tag: str) -> str:
                url = f"{server.url}/v2/{name}/manifests/{tag}"
                async with session.head(url, headers={"Accept": OCI_MANIFEST}) as response:
                    return response.headers["Docker-Content-Digest"]

            async def read(name: str, digest: str) -> None:
                url = f"{server.url}/v2/{name}"
                async with session.get(f"{url}/manifests/{digest}", headers={"Accept": OCI_MANIFEST}) as response:
                    config = json.loads(await response.read())["config"]["digest"]
                async with session.get(f"{url}/blobs/{config}") as response:
                    await response.read()

            async def visit(name: str) -> None:
                async with session.get(f"{server.url}/v2/{name}/tags/list") as response:
                    tags = (await response.json())["tags"]
                digests = await asyncio.gather(*(look(name, tag) for tag in tags))
                if contents:
                    await asyncio.gather(*(read(name, digest) for digest in set(digests)))

            async with session.get(f"{server.url}/v2/_catalog?n=1000") as response:
                names = (await response.json())["repositories"]
            await asyncio.gather(*map(visit, names))

    before, began = _cpu(resource.RUSAGE_SELF), perf_counter()
    asyncio.run(asking())
    return Crawl(perf_counter() - began, _cpu(resource.RUSAGE_SELF) - before)


def _crawl(server: Server, db: str, *options: str) -> Crawl:
    """The same for the whole program."""
    command = [
        sys.executable, "-m", "hubindex", "--db", db, "crawl", "--registry", server.host, "--anonymous",
        "--concurrency", str(_CONNECTIONS), *options,
    ]  # fmt: skip
    before, began = _cpu(resource.RUSAGE_CHILDREN), perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, cpu = perf_counter() - began, _cpu(resource.RUSAGE_CHILDREN) - before
    found = re.search(r"([\d,]+) manifests?", told)
    return Crawl(wall, cpu, int(found[1].replace(",", "")) if found else 0)


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime
