"""What images of Docker Hub hold, read on demand from its registry: few pulls, and never the same twice."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hubindex.crawl.connections import Network
from hubindex.crawl.plan import Plan
from hubindex.crawl.session import CrawlSession
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.sources.http.rate_headers import Pulls, pulls
from tests.crawl.crawling import DEADLINE
from tests.crawl.test_registries import Observer
from tests.fakehub import FakeHub
from tests.index.building import problems
from tests.registry_server import Server

NAME = "acme/app"


def hub_with(server: Server, count: int) -> FakeHub:
    """A Hub with so many tags, each of an image of its own for two platforms, which the registry has as well."""
    hub = FakeHub()
    repository = hub.add_repository(NAME)
    for number in range(count):
        name = "latest" if number == 0 else f"v{number}"
        tag = repository.push(
            name, at=f"2026-11-{number + 1:02}T10:00:00Z", platforms=["linux/amd64", "linux/arm64"]
        )
        for image in tag.images or ():
            config = {"config": {"Entrypoint": [f"/bin/app-{number}"]}}
            layers = [b"base", f"{number} {image.architecture}".encode()]
            platform = f"linux/{image.architecture}"
            image.digest = server.push_image(NAME, layers=layers, config=config, platform=platform)
    return hub


def crawl(hub: FakeHub, registry_url: str, location: Location, pulls: int) -> Observer:
    """One crawl of the repository."""

    async def story() -> Observer:
        observer = Observer()
        async with hub.serve() as url:
            network = Network(url, registry_url, tries=1)
            plan = Plan(repositories=[NAME], pulls=pulls)
            await CrawlSession(plan, network, location, observer, {}).run()
        return observer

    return asyncio.run(asyncio.wait_for(story(), DEADLINE))


def test_nothing_is_pulled_unless_asked_for(server: Server, location: Location) -> None:
    """A pull is for the user's own machines."""
    seen = crawl(hub_with(server, 2), server.url, location, 0)
    assert seen.progress.manifests == 0


def test_a_few_at_a_time(server: Server, location: Location) -> None:
    """The newest first, `latest` before all; what was read is never asked for again."""
    hub = hub_with(server, 14)
    first = crawl(hub, server.url, location, 3)
    assert (first.progress.manifests, first.warnings) == (3, [])
    with Index.open(location) as index:
        shown = index.image(f"{NAME}:latest")
        assert shown.contents is not None
        assert shown.contents.image is not None
        assert shown.contents.image.entrypoint == ("/bin/app-0",)
        assert index.image(f"{NAME}:v13").contents is not None
        assert index.image(f"{NAME}:v1").contents is None
        assert index.image(f"{NAME}:latest", "arm64").contents is None
    assert crawl(hub, server.url, location, 50).progress.manifests == 10
    assert crawl(hub, server.url, location, 50).progress.manifests == 1
    assert crawl(hub, server.url, location, 50).progress.manifests == 0
    assert problems(location) == []


def test_half_of_the_pulls_is_left(server: Server, location: Location) -> None:
    """To whoever shares the address, and the rest is for a later crawl."""
    hub = hub_with(server, 9)
    asked = []

    async def counted(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        async with aiohttp.request(
            "GET", server.url + request.path, headers={"Accept": "*/*, " + accept}
        ) as answer:
            body = await answer.read()
        count = sum("/manifests/" in path for path in asked)
        headers = {"RateLimit-Limit": "10;w=21600", "RateLimit-Remaining": f"{8 - count};w=21600"}
        kind = answer.headers.get("Content-Type", "")
        return web.Response(body=body, status=answer.status, headers={**headers, "Content-Type": kind})

    accept = "application/vnd.oci.image.manifest.v1+json"

    async def story() -> Observer:
        observer = Observer()
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", counted)
        async with TestServer(app) as limited, hub.serve() as url:
            network = Network(url, f"http://127.0.0.1:{limited.port}", tries=1)
            plan = Plan(repositories=[NAME], pulls=50)
            await CrawlSession(plan, network, location, observer, {}).run()
        return observer

    seen = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    assert seen.progress.manifests == 3
    assert seen.warnings == ["5 of 10 pulls are left: no more configurations are read now"]
    assert seen.progress.first_error is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "20;w=21600"}, Pulls(100, 20)),
        ({"RateLimit-Limit": "100", "RateLimit-Remaining": "-5"}, Pulls(100, 0)),
        ({"RateLimit-Limit": "x", "RateLimit-Remaining": "20"}, None),
        ({"RateLimit-Limit": "100;w=21600"}, None),
        ({}, None),
    ],
)
def test_the_allowance_of_pulls(headers: dict[str, str], expected: Pulls | None) -> None:
    """As Docker Hub's registry names it; absent for those who may pull without a limit."""
    assert pulls(headers) == expected
