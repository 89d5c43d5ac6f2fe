"""Questions to a stand-in Docker Hub."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.fakehub import FakeHub

T = TypeVar("T")
NOW = 1_790_000_000_000
"""When everything is asked, in milliseconds."""


def ask(hub: FakeHub, question: Callable[[DockerHub], Awaitable[T]]) -> T:
    """The answer of a stand-in Hub, asked at `NOW`."""

    async def asking() -> T:
        async with hub.serve() as url, HttpClient() as http:
            return await question(DockerHub(http, url, clock=lambda: NOW))

    return asyncio.run(asking())
