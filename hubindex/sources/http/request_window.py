"""The rolling window in which a server counts requests, as far as a client can know it."""

import math
from collections import deque
from dataclasses import dataclass, field

from hubindex.sources.http.rate_headers import RateHeaders, bounded

_MAX_REMEMBERED = 1000


@dataclass(slots=True)
class RequestWindow:
    """What is known of the server's rolling window: our own requests, and what the server said last.

    The server counted a request at some time between its sending and its answer. So it holds a place in the
    window from the one, and surely frees it a window after the other.
    """

    seconds: float
    limit: int | None = None
    answered: deque[tuple[float, float]] = field(default_factory=deque)  # when sent, when answered
    _remaining: int | None = None
    _heard: float = -math.inf  # when the server said so
    _heard_from: float = -math.inf  # when the request was sent that it answered
    _freed: int = 0  # own requests that have left the window since
    resets: float | None = None  # when the server says that a place is freed

    @property
    def remaining(self) -> int | None:
        """What is left, counting our own requests that have left the window since the server spoke."""
        return None if self._remaining is None else self._remaining + self._freed

    def move(self, now: float) -> None:
        """Forget the requests that have left the window."""
        while self.answered and self.answered[0][1] + self.seconds <= now:
            sent, _ = self.answered.popleft()
            if sent + self.seconds > self._heard:
                self._freed += 1
        while len(self.answered) > max(self.limit or 0, _MAX_REMEMBERED):
            self.answered.popleft()

    def note(self, sent: float, now: float) -> None:
        """Write down a request of ours that is over now."""
        self.answered.append((sent, now))

    def hear(self, said: RateHeaders, sent: float, now: float, unix_now: float) -> None:
        """Take what an answer says. Answers overtake each other: of an older question the worse news counts."""
        self.limit = said.limit or self.limit
        if said.reset is not None:
            self.resets = now + bounded(said.reset - unix_now)
        if said.remaining is None:
            return
        known = self.remaining
        if sent >= self._heard_from or known is None or said.remaining < known:
            self._remaining, self._freed, self._heard = said.remaining, 0, now
            self._heard_from = max(self._heard_from, sent)

    def forget_remaining(self) -> None:
        """What the server said last is too old to count."""
        self._remaining = None

    def frees(self, number: int) -> float | None:
        """When our own requests have freed that many places of those the server counted, if they can."""
        for sent, answered in self.answered:
            if sent + self.seconds > self._heard:
                number -= 1
                if number == 0:
                    return answered + self.seconds
        return None
