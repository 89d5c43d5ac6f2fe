"""Crawls of registries other than Docker Hub's: a real one, and a stand-in that behaves as others do."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hubindex.crawl.connections import Network
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.session import CrawlSession
from hubindex.errors import Forbidden, Unreachable
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.questions.search import Query
from hubindex.sources.http.client import HttpClient
from tests.crawl.crawling import DEADLINE, hub_of, names, tag_names
from tests.fakehub import FakeHub
from tests.index.building import problems
from tests.registry_server import OCI_INDEX, OCI_MANIFEST, Server, digest_of


class Observer:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.warnings: list[str] = []
        self.http: HttpClient | None = None

    def show(self, progress: Progress, http: HttpClient, _hub_url: str) -> None:
        """A crawl begins."""
        self.progress, self.http = progress, http

    def warn(self, text: str) -> None:
        """Something was left out."""
        self.warnings.append(text)

    def paused(self, seconds: int) -> None:
        """The crawl waits."""
        raise AssertionError(seconds)

    @property
    def requests(self) -> int:
        """How many were sent."""
        assert self.http is not None
        return self.http.requests


async def crawled(location: Location, plan: Plan, hub_url: str = "http://127.0.0.1:1") -> Observer:
    """What an observer saw of a crawl."""
    observer = Observer()
    await CrawlSession(plan, Network(hub_url, tries=1), location, observer, {}).run()
    return observer


def run(location: Location, **plan: Sequence[str]) -> Observer:
    """The same, from outside of a loop; must end before the deadline."""
    return asyncio.run(asyncio.wait_for(crawled(location, Plan(**plan)), DEADLINE))  # type: ignore[arg-type]


# A real registry


def test_what_an_organisation_asks(server: Server, location: Location) -> None:
    """What is in it, which image is latest, and what was it before: pushed, crawled, pushed again, deleted."""
    host = server.host
    first = server.push("devenv", OCI_MANIFEST, "latest", "1.0")
    server.push("team/deep/app", OCI_MANIFEST, "a")
    seen = run(location, registries=[host])
    # The catalog; of each repository its tags, a look at each, a manifest and its configuration. Two questions
    # whether it tells the past.
    assert (seen.progress.done, seen.progress.new_tags, seen.requests) == (2, 3, 6 + 4 + 2)
    assert tag_names(location, f"{host}/devenv") == {"latest", "1.0"}

    again = run(location, registries=[host])
    assert (again.progress.new_tags, again.progress.changed_tags, again.requests) == (0, 0, 6 + 2)

    second = server.push("devenv", OCI_MANIFEST, "latest", content="other")
    moved = run(location, repositories=[f"{host}/devenv"])
    assert moved.progress.changed_tags == 1
    with Index.open(location) as index:
        now, before = index.history(f"{host}/devenv:latest")
        assert (now.digest, before.digest) == (second, first)
        assert before.last_seen_at is not None
        assert now.since is not None
        assert before.last_seen_at < now.since
        assert now.pushed_at is None
        assert index.resolve(f"{host}/devenv:1.0").digest == first
        assert [held.reference.familiar for held in index.whatis(second)] == [f"{host}/devenv:latest"]
        assert [found.reference.familiar_name for found in index.search(Query("devenv"))] == [f"{host}/devenv"]

    server.delete("devenv", first)
    run(location, repositories=[f"{host}/devenv"])
    assert tag_names(location, f"{host}/devenv") == {"latest"}
    assert problems(location) == []


def test_a_repository_that_is_not_there(server: Server, location: Location) -> None:
    """It is said, and does not come into the index."""
    seen = run(location, repositories=[f"{server.host}/typo"])
    assert any(told.startswith(f"{server.host}/typo: not found on {server.host}") for told in seen.warnings)
    assert names(location) == []


def test_two_registries_and_docker_hub(server: Server, location: Location) -> None:
    """One crawl, one index; names alone do not tell them apart."""
    pushed = server.push("library/mongo", OCI_INDEX, "7")
    hub = hub_of(["library/mongo"])

    async def story() -> None:
        async with hub.serve() as url:
            plan = Plan(repositories=["library/mongo", f"{server.host}/library/mongo"])
            await crawled(location, plan, url)

    asyncio.run(asyncio.wait_for(story(), DEADLINE))
    with Index.open(location) as index:
        assert index.resolve(f"{server.host}/library/mongo:7").digest == pushed
        assert [found.name for found in index.tags("mongo")] == ["t0"]
    assert problems(location) == []


# A stand-in for others

MANIFESTS: dict[str, bytes] = {}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Other:
    """A registry with these tags by repository; `catalog` answers requests for its list of repositories."""

    tags: dict[str, dict[str, str]]
    catalog: Handler | None = None
    most: int = 1000
    failing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        path = request.path.removeprefix("/v2/")
        self.asked.append(f"{request.method} {path}")
        if path == "_catalog":
            return await (self.catalog or self._pages)(request)
        if path.endswith("/tags/list"):
            name = path.removesuffix("/tags/list")
            if name not in self.tags:
                return web.json_response({"errors": [{"code": "NAME_UNKNOWN"}]}, status=404)
            return web.json_response({"name": name, "tags": list(self.tags[name]) or None})
        name, _, tag = path.partition("/manifests/")
        if name in self.failing or f"{name}:{tag}" in self.failing:
            return web.Response(status=500)
        digest = self.tags[name].get(tag)
        if tag in MANIFESTS:
            return web.Response(body=MANIFESTS[tag], content_type=OCI_INDEX)
        if digest is None:
            return web.Response(status=404)
        if request.headers.get("If-None-Match") == f'"{digest}"':
            return web.Response(status=304)
        return web.Response(headers={"Docker-Content-Digest": digest, "Content-Type": OCI_INDEX})

    async def _pages(self, request: web.Request) -> web.StreamResponse:
        """Pages as of the distribution project: a relative link, a larger `n` than allowed is refused."""
        size = int(request.query.get("n", min(100, self.most)))
        if size > self.most:
            return web.json_response({"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}, status=400)
        size = min(size, self.most)
        rest = [name for name in sorted(self.tags) if name > request.query.get("last", "")]
        page = rest[:size]
        link = {"Link": f'</v2/_catalog?last={page[-1]}&n={size}>; rel="next"'} if rest[size:] else {}
        return web.json_response({"repositories": page}, headers=link)

    def crawl(self, location: Location, *, repositories: Sequence[str] = (), registry: bool = False) -> Observer:
        """Serve it, and crawl some of its repositories, or all that it lists."""

        async def story() -> Observer:
            app = web.Application()
            app.router.add_route("*", "/{rest:.*}", self.answer)
            async with TestServer(app) as serving:
                self.host = f"127.0.0.1:{serving.port}"
                plan = Plan(
                    repositories=[f"{self.host}/{name}" for name in repositories],
                    registries=[self.host] if registry else [],
                )
                return await crawled(location, plan)

        return asyncio.run(asyncio.wait_for(story(), DEADLINE))


def digest(number: int) -> str:
    """That of an empty index of its own."""
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"number": str(number)}}
    body = json.dumps(index).encode()
    MANIFESTS[digest_of(body)] = body
    return digest_of(body)


def several(count: int) -> Other:
    """A registry with so many repositories, of one tag each."""
    return Other({f"acme/app-{number:05}": {"latest": digest(number)} for number in range(count)})


@pytest.mark.parametrize("most", [1000, 100, 7])
def test_a_catalog_of_many_pages(location: Location, most: int) -> None:
    """However many names the registry gives at once, and if it refuses more."""
    other = several(60)
    other.most = most
    seen = other.crawl(location, registry=True)
    assert (seen.progress.done, seen.progress.tags, seen.warnings) == (60, 60, [])
    assert len(names(location)) == 60


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_registry_that_does_not_list_its_repositories(location: Location, status: int) -> None:
    """It says what to do instead, and its repositories can be named."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"errors": []}, status=status)

    other = several(3)
    other.catalog = refuse
    seen = other.crawl(location, registry=True)
    assert isinstance(seen.progress.first_error, Forbidden)
    assert "name them with --repo" in str(seen.progress.first_error)
    assert other.crawl(location, repositories=["acme/app-00001"]).progress.tags == 1


def test_a_catalog_that_repeats_itself_ends(location: Location) -> None:
    """And so does one that leads to another server; what was listed is crawled."""

    async def repeat(request: web.Request) -> web.StreamResponse:
        number = int(request.query.get("last", "0")) + 1
        link = {"Link": f'</v2/_catalog?last={number}>; rel="next"'}
        return web.json_response({"repositories": ["acme/app-00001", "acme/app-00002", 5, "NO!"]}, headers=link)

    async def lead_away(_request: web.Request) -> web.StreamResponse:
        link = {"Link": '<http://127.0.0.2:1/v2/_catalog>; rel="next"'}
        return web.json_response({"repositories": ["acme/app-00001"]}, headers=link)

    for handler, count in ((repeat, 2), (lead_away, 1)):
        other = several(3)
        other.catalog = handler
        seen = other.crawl(location, registry=True)
        assert seen.progress.done == count
        assert any("the catalog" in warning for warning in seen.warnings)
        assert sum(path.endswith("_catalog") for path in other.asked) <= 3


def test_a_repository_that_fails_leaves_the_others_unharmed(location: Location) -> None:
    """What it was is kept; nothing is concluded of it."""
    other = several(3)
    other.crawl(location, registry=True)
    other.failing.add("acme/app-00001")
    seen = other.crawl(location, registry=True)
    assert isinstance(seen.progress.first_error, Unreachable)
    other.failing.clear()
    assert problems(location) == []


def test_a_registry_that_refuses_everything_stops_no_other(location: Location) -> None:
    """Each of its repositories has failed, and those of Docker Hub are visited."""
    hub = hub_of([f"acme/app-{number}" for number in range(5)])

    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"errors": []}, status=403)

    async def story() -> Observer:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", refuse)
        async with TestServer(app) as serving, hub.serve() as url:
            theirs = [f"127.0.0.1:{serving.port}/acme/app-{number}" for number in range(15)]
            plan = Plan(repositories=theirs, namespaces=["acme"], concurrency=2)
            return await crawled(location, plan, url)

    seen = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    assert (seen.progress.failures, seen.progress.stopped, seen.progress.done) == (15, False, 5)


def test_a_walk_that_broke_off_keeps_what_it_saw(location: Location) -> None:
    """And says why it did; the next one goes on."""
    other = Other({"acme/app": {f"t{number:03}": digest(number) for number in range(250)}})
    other.failing.add("acme/app:t120")
    other.crawl(location, repositories=["acme/app"])
    repository = f"{other.host}/acme/app"
    with Index.open(location) as index:
        facts = index.repository(repository)
        assert facts.walk_problem is not None
        assert "t120" in facts.walk_problem
        assert 100 <= len(index.tags(repository)) < 250
    assert problems(location) == []


def test_a_catalogued_repository_without_tags(location: Location) -> None:
    """Some registries list what they have blobs of only, and then know no list of its tags."""
    other = several(2)
    other.tags["acme/emptied"] = {}

    async def catalog(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"repositories": ["acme/app-00001", "acme/blobs-only", "acme/emptied"]})

    other.catalog = catalog
    seen = other.crawl(location, registry=True)
    assert (seen.progress.failures, seen.progress.missing, seen.warnings) == (0, 0, [])
    for name in ("emptied", "blobs-only"):
        assert tag_names(location, f"{other.host}/acme/{name}") == set()
    assert tag_names(location, f"{other.host}/acme/app-00001") == {"latest"}


def test_a_tag_that_vanishes_while_it_is_looked_at(location: Location) -> None:
    """It was listed: it is there, and what it points to is not known."""
    other = Other({"acme/app": {"a": digest(1), "b": digest(2)}})
    other.crawl(location, repositories=["acme/app"])
    host = other.host

    class Vanishing(dict[str, str]):
        def get(self, key: str, default: object = None) -> str | None:  # type: ignore[override]
            return None if key == "b" else super().get(key)

    assert host
    other.tags["acme/app"] = Vanishing(other.tags["acme/app"])
    seen = other.crawl(location, repositories=["acme/app"])
    assert seen.progress.failures == 0
    assert tag_names(location, f"{other.host}/acme/app") == {"a", "b"}


def test_hub_only_plans_ask_no_other_registry(location: Location) -> None:
    """A source is made when a job needs it."""
    hub: FakeHub = hub_of(["acme/app"])

    async def story() -> Observer:
        async with hub.serve() as url:
            return await crawled(location, Plan(repositories=["acme/app"]), url)

    seen = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    assert seen.progress.failures == 0
