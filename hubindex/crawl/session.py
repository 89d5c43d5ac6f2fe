"""A crawl from its options to its end: the connections it makes, who signs, and the pauses between attempts."""

import asyncio
import gc
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, Protocol

from yarl import URL

from hubindex import docker_hub
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.errors import SignInRefused
from hubindex.index.database.location import Location
from hubindex.sources.auth.credentials import USER_VARIABLE, hub_credentials, registry_credentials
from hubindex.sources.auth.hub_signer import HubSigner
from hubindex.sources.http.address import speaks_tls, validate_base_url
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry

_PAUSES = (900, 1800, 3600, 7200)
_LAST_PAUSE = 14_400

_SWITCH_SECONDS = 0.0005
"""How long the event loop may wait for the writing thread after a look at a socket: 5 ms cost a quarter."""

_COLLECT_SELDOM = (20_000, 20, 20)  # records and rows are many, and have no cycles: 8 % of a crawl


class Network(NamedTuple):
    """Where and how to ask.

    `registry_url` is where the registry behind the Hub is. None stands for Docker's own behind Docker Hub, and for
    none behind another Hub. `tries`: how often a request that fails is sent, `budget`: how many may be sent.
    """

    hub_url: str = docker_hub.HUB_URL
    registry_url: str | None = None
    anonymous: bool = False
    tries: int = 6
    budget: int | None = None


class Observer(Protocol):
    """Who is told how a crawl goes on."""

    def show(self, progress: Progress, http: HttpClient, hub_url: str) -> None:
        """A crawl begins, or begins anew: `progress` changes while it runs."""
        ...

    def warn(self, text: str) -> None:
        """One line about something left out, refused or waited for."""
        ...

    def paused(self, seconds: int) -> None:
        """The source refused further requests: the crawl goes on after a pause."""
        ...


class CrawlSession:
    """Runs a plan. `environ` is where user names and tokens are looked for, `sleep` waits so many seconds."""

    def __init__(
        self,
        plan: Plan,
        network: Network,
        location: Location,
        observer: Observer,
        environ: Mapping[str, str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._plan = plan
        self._network = network
        self._location = location
        self._observer = observer
        self._environ = environ
        self._sleep = sleep

    async def run(self) -> None:
        """Crawl until all is done; a plan that watches goes on after a pause when the source refuses requests.

        What a source refuses is counted in the progress. Raises `StorageError`, `WrongUsage` for an address that
        cannot be used, and `SignInRefused` if the user that the environment names cannot sign in.
        """
        for pause in _pauses():
            progress = await self._crawl()
            if not self._plan.watch or not progress.stopped or progress.is_spent:
                return
            self._observer.paused(pause)
            await self._sleep(pause)

    async def _crawl(self) -> Progress:
        network, warn = self._network, self._observer.warn
        async with HttpClient(
            connections=self._plan.concurrency, tries=network.tries, budget=network.budget
        ) as http:
            hub = DockerHub(http, network.hub_url, signer=await self._signer(http))
            sources = Sources(hub, self._hub_registry(http), partial(self._open_registry, http))
            with tuned_interpreter():
                async with Writer(self._location, warn) as writer:
                    crawler = Crawler(sources, writer, self._plan, warn)
                    self._observer.show(crawler.progress, http, network.hub_url)
                    await crawler.run()
        return crawler.progress

    async def _signer(self, http: HttpClient) -> HubSigner | None:
        """Who signs requests to the Hub. If the Hub refuses what docker keeps, the crawl goes on without."""
        network, warn = self._network, self._observer.warn
        url = validate_base_url(network.hub_url, "--hub-url")
        if network.anonymous:
            return None
        credentials = await asyncio.to_thread(hub_credentials, url, self._environ, warn)
        if credentials is None:
            return None
        signer = HubSigner(http, network.hub_url, credentials)
        try:
            await signer.sign_in()
        except SignInRefused as error:
            if USER_VARIABLE in credentials.origin:
                raise
            warn(f"{error}: going on without signing in")
            return None
        return signer

    async def _open_registry(self, http: HttpClient, host: str) -> Registry:
        """The registry at a host: over TLS, or, on this machine, over plain HTTP if it speaks no TLS."""
        scheme = "https" if await speaks_tls(host) else "http"
        return self._registry_at(http, URL(f"{scheme}://{host}"))

    def _registry_at(self, http: HttpClient, base: URL) -> Registry:
        found = None
        if not self._network.anonymous:
            found = registry_credentials(base, self._environ, self._observer.warn)
        return Registry(http, str(base), credentials=found)

    def _hub_registry(self, http: HttpClient) -> Registry | None:
        """The registry behind the Hub. Docker's own is not that of another Hub."""
        network = self._network
        is_docker_hub = network.hub_url.rstrip("/") == docker_hub.HUB_URL
        url = network.registry_url or (docker_hub.REGISTRY_URL if is_docker_hub else None)
        if url is None:
            return None
        return self._registry_at(http, validate_base_url(url, "--registry-url"))


@contextmanager
def tuned_interpreter() -> Iterator[None]:
    """Let this process run an event loop and a writing thread side by side as fast as it can."""
    switch_interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(*_COLLECT_SELDOM)
    try:
        yield
    finally:
        sys.setswitchinterval(switch_interval)
        gc.set_threshold(*threshold)


def _pauses() -> Iterator[int]:
    """Seconds to wait after the source refused further requests: a quarter of an hour to four hours."""
    return itertools.chain(_PAUSES, itertools.repeat(_LAST_PAUSE))
