"""Where a crawl gets its facts: for each registry what can be asked there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hubindex.crawl.canary import CanaryCheck
from hubindex.reference import DEFAULT_REGISTRY
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry


@dataclass(frozen=True)
class Source:
    """What can be asked about the repositories of a registry.

    `hub` is the API beside the registry that Docker Hub alone has: it searches, describes repositories, and lists
    tags with digests and push times. `registry` lists names of tags, and tells the digest of each for the asking.
    `canary` says what a *no* is worth. What there is not is None.
    """

    host: str
    hub: DockerHub | None = None
    registry: Registry | None = None
    canary: CanaryCheck | None = None


Open = Callable[[str], Awaitable[Registry | None]]
"""Finds the registry at a host, as it stands in a reference. Raises `SourceError`, `WrongUsage`."""


class Sources:
    """The sources of a crawl by the host of their registry, each made when it is asked for first."""

    def __init__(
        self, hub: DockerHub, hub_registry: Registry | None = None, open_registry: Open | None = None
    ) -> None:
        self.hub = hub
        self.canary = CanaryCheck(hub)
        self._open = open_registry
        self._opening = asyncio.Lock()
        self._known = {DEFAULT_REGISTRY: Source(DEFAULT_REGISTRY, hub, hub_registry, self.canary)}

    async def of(self, host: str) -> Source:
        """The source for the repositories of a registry. Raises `SourceError`."""
        if host not in self._known:
            async with self._opening:
                if host not in self._known:
                    assert self._open is not None, f"nobody can open the registry {host}"
                    self._known[host] = Source(host, registry=await self._open(host))
        return self._known[host]
