"""Pacing: how fast one host may be asked."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True)
class Timer:
    """Time, and chance, as the client sees them; tests pass their own.

    `now` gives monotonic seconds, `wall` unix time in seconds, `sleep` waits for a number of seconds, and
    `random` gives the jitter of waits.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], float] = time.time
    random: Random = field(default_factory=Random)


SYSTEM: Final = Timer()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a host allows: requests in a window, how many of them are left, and a pause in monotonic seconds.

    `remaining` can be negative. `None` is unknown, for `paused_until`: not paused.
    """

    limit: int | None
    remaining: int | None
    paused_until: float | None
