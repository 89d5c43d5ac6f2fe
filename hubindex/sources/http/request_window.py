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

    seconds: float  # the length of the window
    limit: int | None = None
    answered: deque[tuple[float, float]] = field(default_factory=deque)  # when sent, when answered
    _remaining: int | None = None
    _told_at: float = -math.inf  # when the server said so
    _told_from: float = -math.inf  # when the request was sent that it answered
    _freed: int = 0  # own requests that have left the window since
    resets: float | None = None  # when the server says that a place is freed

    @property
    def remaining(self) -> int | None:
        """What is left, counting our own requests that have left the window since the server spoke."""
        return None if self._remaining is None else self._remaining + self._freed

    def advance(self, now: float) -> None:
        """Forget the requests that have left the window."""
        while self.answered and self.answered[0][1] + self.seconds <= now:
            sent, _ = self.answered.popleft()
            if sent + self.seconds > self._told_at:
                self._freed += 1
        while len(self.answered) > max(self.limit or 0, _MAX_REMEMBERED):
            self.answered.popleft()

    def record(self, sent: float, now: float) -> None:
        """Remember a request of ours that has ended now."""
        self.answered.append((sent, now))

    def update(self, said: RateHeaders, sent: float, now: float, unix_now: float) -> None:
        """Take what an answer says. Answers overtake each other: of an older question the worse news counts."""
        self.limit = said.limit or self.limit
        if said.reset is not None:
            self.resets = now + bounded(said.reset - unix_now)
        if said.remaining is None:
            return
        known = self.remaining
        if sent >= self._told_from or known is None or said.remaining < known:
            self._remaining, self._freed, self._told_at = said.remaining, 0, now
            self._told_from = max(self._told_from, sent)

    def forget_remaining(self) -> None:
        """What the server said last is too old to count."""
        self._remaining = None

    def freed_at(self, number: int) -> float | None:
        """When `number` of our own requests will have left the window that the server counts; `None`: never."""
        for sent, answered in self.answered:
            if sent + self.seconds > self._told_at:
                number -= 1
                if number == 0:
                    return answered + self.seconds
        return None
