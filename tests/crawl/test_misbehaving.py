"""A registry that misbehaves gets a clear error, and the rest of the crawl is unharmed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hubindex.crawl.connections import Network
from hubindex.crawl.plan import Plan
from hubindex.crawl.session import CrawlSession
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.questions.search import Query
from hubindex.sources.http.client import HttpClient
from tests.crawl.crawling import tag_names
from tests.crawl.test_registries import Observer
from tests.index.building import problems
from tests.registry_server import OCI_INDEX, OCI_MANIFEST, digest_of

DEADLINE = 60
GOOD = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
ANY = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"a": "b"}}).encode()
FOREVER = 3600

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Impatient(Network):
    """Short times and a single try."""

    def client(self, connections: int, environ: Mapping[str, str]) -> HttpClient:
        """A client that waits for a second."""
        return HttpClient(connections=connections, tries=1, read_timeout=0.5, total_timeout=3, budget=self.budget)


def good() -> Handler:
    """A registry with one tag `a` in each repository."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/tags/list"):
            listed = request.path.removeprefix("/v2/").removesuffix("/tags/list")
            return web.json_response({"name": listed, "tags": ["a"]})
        if "/manifests/" in request.path:
            return web.Response(
                body=GOOD, content_type=OCI_INDEX, headers={"Docker-Content-Digest": digest_of(GOOD)}
            )
        return web.Response(status=404)

    return answer


def crawl(location: Location, bad: Handler, **plan: object) -> tuple[Observer, str, str]:
    """A crawl of a repository of a registry that behaves, and of the one that does not; their names."""

    async def story() -> tuple[Observer, str, str]:
        hosts = []
        servers = []
        for handler in (bad, good()):
            app = web.Application()
            app.router.add_route("*", "/{rest:.*}", handler)
            server = TestServer(app, host="127.0.0.1")
            await server.start_server()
            servers.append(server)
            hosts.append(f"127.0.0.1:{server.port}")
        observer = Observer()
        names = [f"{host}/app" for host in hosts]
        await CrawlSession(
            Plan(repositories=names, history=False, **plan),  # type: ignore[arg-type]
            Impatient(hub_url="http://127.0.0.1:1"), location, observer, {},
        ).run()  # fmt: skip
        for server in servers:
            await server.close()
        return observer, names[0], names[1]

    return asyncio.run(asyncio.wait_for(story(), DEADLINE))


def manifest_of(body: bytes, content_type: str = OCI_INDEX, digest: str | None = None) -> Handler:
    """A registry whose one tag has this manifest."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/tags/list"):
            return web.json_response({"name": "app", "tags": ["a"]})
        if "/manifests/" in request.path:
            headers = {"Docker-Content-Digest": digest or digest_of(body), "Content-Type": content_type}
            return web.Response(body=body, headers=headers)
        return web.Response(status=404)

    return answer


SCHEMA_1 = json.dumps({"schemaVersion": 1, "fsLayers": []}).encode()
BOTH = json.dumps({"manifests": [], "layers": []}).encode()
NO_DIGEST = json.dumps({"manifests": [{"digest": "sha256:x"}]}).encode()


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (manifest_of(b"x" * (9 * 1024 * 1024)), "larger than 8,388,608 bytes"),
        (manifest_of(ANY, digest=digest_of(GOOD)), "not what the digest sha256:"),
        (manifest_of(ANY, OCI_MANIFEST), "and the server says"),
        (manifest_of(b"{}"), "it is no manifest"),
        (manifest_of(b"<html>"), "not understood"),
        (manifest_of(SCHEMA_1), "old schema 1"),
        (manifest_of(BOTH), "a list of images and an image at once"),
        (manifest_of(NO_DIGEST), "is not a digest"),
        (manifest_of(b"[" * 100_000), "not understood"),
    ],
)
def test_a_manifest_that_is_not_what_it_should_be(location: Location, handler: Handler, told: str) -> None:
    """Is warned of; the digest of the tag is kept, and nothing else of it."""
    seen, bad, good_one = crawl(location, handler)
    assert any(told in warning for warning in seen.warnings), seen.warnings
    assert seen.progress.first_error is None
    assert tag_names(location, bad) == tag_names(location, good_one) == {"a"}
    with Index.open(location) as index:
        (tag,) = index.tags(bad)
        assert tag.digest is not None
        assert tag.platforms == ()
    assert problems(location) == []


async def _endless_redirects(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(request.path)


async def _slow(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b"{")
    await asyncio.sleep(FOREVER)  # the client gives up long before
    return response


async def _dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(FOREVER):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


async def _basic_for_ever(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})


async def _bearer_for_ever(request: web.Request) -> web.StreamResponse:
    if request.path == "/token":
        return web.json_response({"token": "t", "expires_in": 300})
    realm = f'Bearer realm="http://{request.host}/token",service="s",scope="repository:app:pull"'
    return web.Response(status=401, headers={"WWW-Authenticate": realm})


async def _realm_elsewhere(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://10.0.0.1/token"'})


async def _many(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=_two_millions(), content_type="application/json")


@cache
def _two_millions() -> bytes:
    tags = ",".join(f'"t{number}"' for number in range(2_000_000))
    return f'{{"name": "app", "tags": [{tags}]}}'.encode()


async def _links_without_end(request: web.Request) -> web.StreamResponse:
    number = int(request.query.get("last", "0")) + 1
    link = {"Link": f'</v2/app/tags/list?last={number}>; rel="next"'}
    return web.json_response({"name": "app", "tags": [f"t{number % 3}"]}, headers=link)


async def _link_elsewhere(_request: web.Request) -> web.StreamResponse:
    link = {"Link": '<http://10.0.0.1/v2/app/tags/list?last=a>; rel="next"'}
    return web.json_response({"name": "app", "tags": ["a"]}, headers=link)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (_endless_redirects, "redirects"),
        (_slow, "nothing came for"),
        (_dripping, "no whole answer within"),
        (_basic_for_ever, "access refused"),
        (_bearer_for_ever, "401"),
        (_realm_elsewhere, "untrusted address for tokens"),
        (_many, "the registry's list of tags is not whole"),
        (_links_without_end, "the registry's list of tags is not whole"),
        (_link_elsewhere, "the registry's list of tags is not whole"),
    ],
)
def test_a_registry_that_misbehaves(location: Location, handler: Handler, told: str) -> None:
    """The error names it in one line; the other registry's tags are there."""
    seen, bad, good_one = crawl(location, handler)
    assert seen.progress.first_error is not None
    assert told in str(seen.progress.first_error)
    assert "\n" not in str(seen.progress.first_error)
    assert seen.progress.failures == 1
    assert tag_names(location, good_one) == {"a"}
    with Index.open(location) as index:
        assert [found.reference.familiar_name for found in index.search(Query("*"))]
    assert bad.endswith("/app")
    assert problems(location) == []


def test_a_blob_may_be_kept_elsewhere(location: Location) -> None:
    """A redirect of a configuration is followed; what signs the request is left behind."""
    config = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
    manifest = {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [],
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config),
            "size": len(config),
        },
    }  # fmt: skip
    body = json.dumps(manifest).encode()
    seen_headers: list[str | None] = []
    ports: list[int | None] = []

    async def storage(request: web.Request) -> web.StreamResponse:
        seen_headers.append(request.headers.get("Authorization"))
        return web.Response(body=config)

    async def registry(request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return web.json_response({"token": "t", "expires_in": 300})
        if request.headers.get("Authorization") != "Bearer t":
            realm = f'Bearer realm="http://{request.host}/token",service="s"'
            return web.Response(status=401, headers={"WWW-Authenticate": realm})
        if "/blobs/" in request.path:
            raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{ports[0]}/blob")
        return await manifest_of(body, OCI_MANIFEST)(request)

    async def story() -> str:
        far, near = web.Application(), web.Application()
        far.router.add_route("*", "/{rest:.*}", storage)
        near.router.add_route("*", "/{rest:.*}", registry)
        async with TestServer(far, host="127.0.0.1") as there:
            ports.append(there.port)
            async with TestServer(near, host="127.0.0.1") as here:
                name = f"127.0.0.1:{here.port}/app"
                plan = Plan(repositories=[name], history=False)
                network = Impatient(hub_url="http://127.0.0.1:1")
                await CrawlSession(plan, network, location, Observer(), {}).run()
                return name

    name = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    assert seen_headers == [None]
    with Index.open(location) as index:
        assert index.resolve(f"{name}:a", platform="linux/amd64").digest == digest_of(body)
