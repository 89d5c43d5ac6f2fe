"""A crawl from its options to its end, and the pauses between its attempts."""

import asyncio
import gc
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from hubindex.crawl.connections import Connections, Network
from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan, Progress
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.sources.http.client import HttpClient

_PAUSES = (900, 1800, 3600, 7200)
_LAST_PAUSE = 14_400

_SWITCH_SECONDS = 0.0005
"""How long the event loop may wait for the writing thread after a look at a socket: 5 ms cost a quarter."""

_COLLECT_SELDOM = (20_000, 20, 20)  # records and rows are many, and have no cycles: 8 % of a crawl


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
        async with network.client(self._plan.concurrency, self._environ) as http:
            connections = Connections(network, http, self._environ, warn)
            sources = Sources(await connections.hub(), connections.hub_registry(), connections.registry)
            with tuned_interpreter():
                async with Writer(self._location, warn) as writer:
                    crawler = Crawler(sources, writer, self._plan, warn)
                    self._observer.show(crawler.progress, http, network.hub_url)
                    await crawler.run()
        return crawler.progress


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
