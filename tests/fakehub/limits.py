"""The stand-in Hub's rolling budget of requests, of each caller by itself."""

import math
from collections import deque
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Literal

Wait = Literal["seconds", "unix time", "date", "x-retry-after", "absent"]


@dataclass
class RateLimits:
    """How often callers may ask. The window rolls: a request leaves it `window` seconds after it came.

    `wait`: the form in which a 429 tells how long to wait. `has_headers`: whether a 429 has the X-RateLimit
    headers too. `is_enforced`: without it the headers tell of the budget, and nothing happens to who ignores it.
    A refused request counts as well, so what remains can become negative.
    """

    window: float = 60.0
    is_enforced: bool = False
    wait: Wait = "seconds"
    has_headers: bool = True
    refused: int = 0
    _arrivals: dict[str, deque[float]] = field(default_factory=dict)

    def arrived(self, caller: str, now: float) -> None:
        """Count a request."""
        self._recent(caller, now).append(now)

    def remaining(self, caller: str, limit: int, now: float) -> int:
        """How many more may come now; negative after an overshoot."""
        return limit - len(self._recent(caller, now))

    def resets(self, caller: str, now: float) -> float:
        """When the oldest request leaves the window: an estimate that moves with each answer."""
        arrivals = self._recent(caller, now)
        return (arrivals[0] if arrivals else now) + self.window

    def room_at(self, caller: str, limit: int, now: float) -> float:
        """When one more may come."""
        arrivals = self._recent(caller, now)
        return arrivals[-limit] + self.window if len(arrivals) >= limit else now

    def wait_header(self, caller: str, limit: int, now: float) -> dict[str, str]:
        """The header that tells how long to wait, in the form that is in use."""
        at = math.ceil(self.room_at(caller, limit, now))
        match self.wait:
            case "seconds":
                return {"Retry-After": str(max(math.ceil(at - now), 1))}
            case "unix time":
                return {"Retry-After": str(at)}
            case "date":
                return {"Retry-After": formatdate(at, usegmt=True)}
            case "x-retry-after":
                return {"X-Retry-After": str(at)}
            case "absent":
                return {}

    def _recent(self, caller: str, now: float) -> deque[float]:
        arrivals = self._arrivals.setdefault(caller, deque())
        while arrivals and arrivals[0] <= now - self.window:
            arrivals.popleft()
        return arrivals
