"""Asking a stand-in Hub for plain answers, for tests of the stand-in itself."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
import msgspec

from tests.fakehub.server import FakeHub

TAGS = "/v2/namespaces/acme/repositories/app/tags"
LEGACY_TAGS = "/v2/repositories/acme/app/tags/"


class Answer(NamedTuple):
    """What came back, before any decoding."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Listing(msgspec.Struct):
    """The envelope of a list."""

    count: int
    next: str | None
    previous: str | None
    results: list[dict[str, object]]


def ask(hub: FakeHub, *paths: str, headers: Mapping[str, str] | None = None) -> list[Answer]:
    """Ask for each path in turn, without following redirects or undoing compression."""

    async def asking() -> list[Answer]:
        answers = []
        async with hub.serve() as url, aiohttp.ClientSession(auto_decompress=False) as session:
            for path in paths:
                async with session.get(url + path, headers=headers, allow_redirects=False) as response:
                    answers.append(Answer(response.status, response.headers, await response.read()))
        return answers

    return asyncio.run(asking())


def get(hub: FakeHub, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer to one request that takes no compression."""
    return ask(hub, path, headers={"Accept-Encoding": "identity"} | dict(headers or {}))[0]


def listing(hub: FakeHub, path: str) -> Listing:
    """A list, which has to be answered with 200."""
    answer = get(hub, path)
    assert answer.status == 200, answer
    return msgspec.json.decode(answer.body, type=Listing)


def values(hub: FakeHub, path: str, key: str) -> list[object]:
    """One field of each row of a list."""
    return [row[key] for row in listing(hub, path).results]


def row(hub: FakeHub, path: str) -> dict[str, object]:
    """An object, which has to be answered with 200."""
    answer = get(hub, path)
    assert answer.status == 200, answer
    return msgspec.json.decode(answer.body, type=dict[str, object])


def hub_with_tags(number: int = 3) -> FakeHub:
    """`acme/app` with tags `t00`, `t01`, ... pushed in that order, one a minute."""
    hub = FakeHub()
    app = hub.add_repository("acme/app")
    for index in range(number):
        app.push(f"t{index:02}", at=f"2024-03-01T{index // 60:02}:{index % 60:02}:00Z")
    return hub
