"""What a source's *no* is worth: nothing here, and no such thing, are said in faults and blocks too."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from hubindex.errors import Blocked, NotFound
from hubindex.sources.hub.client import DockerHub

T = TypeVar("T")

CANARY = "library/hello-world"
"""A repository that exists."""

_CANARY_SECONDS = 60
_ASKED = 3


class CanaryCheck:
    """Asks again, and asks for what must be there, before a *no* of Docker Hub means anything.

    Clients that asked for too much have been told for hours that repositories do not exist, and that searches find
    nothing (seen in 2020 to 2022); a repository that exists can be "not found" most of the time during a fault.
    """

    def __init__(self, hub: DockerHub, now: Callable[[], float] = monotonic) -> None:
        self._hub = hub
        self._now = now
        self._sane_at = float("-inf")
        self._asking = asyncio.Lock()

    async def ask(self, question: Callable[[], Awaitable[T]], is_doubtful: Callable[[T], bool]) -> T:
        """The answer to a question, asked up to three times while it is doubtful or a `NotFound`.

        Raises `Blocked` if even what must be there is not, however often it is asked for.
        """
        for remaining in reversed(range(_ASKED)):
            try:
                answer = await question()
            except NotFound:
                if not remaining:
                    raise
            else:
                if not remaining or not is_doubtful(answer):
                    return answer
            await self._require_canary()
        raise AssertionError

    async def _require_canary(self) -> None:
        async with self._asking:
            if self._now() < self._sane_at + _CANARY_SECONDS:
                return
            for _ in range(_ASKED):
                with suppress(NotFound):
                    await self._hub.repository(CANARY)
                    self._sane_at = self._now()
                    return
            raise Blocked(
                f"Docker Hub says that {CANARY} does not exist either: it does not tell us the truth now, so "
                "nothing is concluded; try again in some hours"
            )
