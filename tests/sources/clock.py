"""Time that passes only when nobody has anything to do but sleep, for tests of waits."""

import asyncio
import heapq
from random import Random
from typing import TypeVar

from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Failure, Response
from hubindex.sources.http.pace import Timer

EPOCH = 1_790_000_000.0
T = TypeVar("T")


class Clock:
    """A clock that starts at zero, and at the unix time `EPOCH`. Sleeping takes no time of the world's.

    It goes on to the end of the shortest sleep when no request of its clients is under way.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.under_way = 0
        self.timer = Timer(
            now=lambda: self.seconds, sleep=self._sleep, wall=lambda: EPOCH + self.seconds, random=Random(1)
        )
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._slept = 0
        self._ticking: asyncio.Task[None] | None = None

    async def _sleep(self, seconds: float) -> None:
        self._slept += 1
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.seconds + seconds, self._slept, woken))
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        await woken

    async def _tick(self) -> None:
        while self._sleepers:
            await asyncio.sleep(0.0005)
            if self.under_way:
                continue
            end, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.seconds = max(self.seconds, end)
                woken.set_result(None)


class ClockedClient(HttpClient):
    """A client that lives by a clock, and lets it know of the requests under way."""

    def __init__(self, clock: Clock, *, connections: int = 8, tries: int = 6, budget: int | None = None) -> None:
        super().__init__(connections=connections, tries=tries, budget=budget, timer=clock.timer)
        self._clock = clock

    async def _send(self, *arguments: object) -> Response | Failure:
        self._clock.under_way += 1
        try:
            return await super()._send(*arguments)  # type: ignore[arg-type]
        finally:
            self._clock.under_way -= 1
