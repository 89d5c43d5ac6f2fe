"""Pacing: how fast one account may ask one host, and for how long it must not.

A `Gate` is asked before every attempt and told of every outcome. It lets an attempt pass if three things hold:

- Nothing pauses it. A 429 pauses it for as long as the server says, ten failures in a row for a while that
  doubles. Then one attempt goes alone as a probe; the others follow when it was answered.
- The attempts under way, and those answered within the window, are fewer than the limit that the server names.
  The window rolls, so a client that is alone uses its allowance fully and meets no 429.
- The server's last `Remaining` leaves room, which it does not if somebody else uses the same allowance.

Nothing is locked while somebody waits: those who wait stand in a queue, and whatever changes lets the first go.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from hubindex import errors
from hubindex.sources.http.failures import Response
from hubindex.sources.http.rate_headers import bounded, rate_headers, retry_wait
from hubindex.sources.http.request_window import RequestWindow

_FAILURES_TO_PAUSE = 10
_FIRST_PAUSE = 15.0
_LONGEST_PAUSE = 300.0
_PAUSES_TO_GIVE_UP = 6


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
    """What a host allows: requests in a window, how many are left, and until when nothing may be sent.

    `remaining` can be negative. `paused_until` is in the seconds of `Timer.now`. `None` is unknown, for
    `paused_until`: requests are let through.
    """

    limit: int | None
    remaining: int | None
    paused_until: float | None


@dataclass(slots=True, eq=False)
class Permit:
    """The permit for one attempt. `waited` is in seconds; a probe is the one attempt after a pause.

    `sent` is when each of its requests was sent, in the seconds of `Timer.now`; the attempt adds them.
    """

    waited: float
    is_probe: bool
    sent: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An attempt that waits for its permit."""

    since: float
    turn: asyncio.Future[Permit]


class Gate:
    """The gate to one host for one account.

    `host` is its name in messages, `most` how many attempts may be under way, `window` the time in seconds that
    the server's limit is for; `paused` is told of each pause: the host, the seconds, and why.
    """

    def __init__(
        self, host: str, most: int, window: float, timer: Timer, paused: Callable[[str, float, str], None]
    ) -> None:
        self._host = host
        self._most = most
        self._timer = timer
        self._tell = paused
        self._window = RequestWindow(window)
        self._queue: deque[_Waiting] = deque()
        self._under_way = 0
        self._paused_until = -math.inf
        self._probing = False  # after a pause: one alone, until it succeeds
        self._probe: Permit | None = None
        self._refusals = 0  # 429s in a row, each after the wait that the one before asked for
        self._failures = 0  # failed attempts in a row
        self._pauses = 0  # pauses in a row because of failures
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = math.inf
        self.has_answered = False
        self.last_used = -math.inf

    @property
    def gave_up(self) -> bool:
        """Whether the host has failed for so long that waiting is over; a later success ends this."""
        return self._pauses > _PAUSES_TO_GIVE_UP

    @property
    def is_failing(self) -> bool:
        """Whether the host itself fails, so that a failed attempt tells nothing of its request."""
        return self._pauses > 0

    def allowance(self) -> Allowance | None:
        """What is known now."""
        now = self._timer.now()
        self._window.advance(now)
        until = max(self._paused_until, self._alarm_at if self._queue and self._alarm_at < math.inf else -math.inf)
        paused_until = until if until > now else None
        limit, remaining = self._window.limit, self._window.remaining
        if limit is remaining is paused_until is None:
            return None
        return Allowance(limit, remaining, paused_until)

    async def enter(self) -> Permit:
        """Wait for the permit for one attempt. Each permit goes back with `report` or `give_back`.

        Raises `Unreachable` if the host fails for too long, and whatever `fail_waiting` brings.
        """
        now = self.last_used = self._timer.now()
        waiting = _Waiting(now, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._admit()
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            self._leave_queue(waiting)
            raise

    def report(self, permit: Permit, answer: Response | None, *, limited: bool, failed: bool) -> None:
        """Tell the outcome of an attempt: the last answer, if one came, whether it was a 429, or a fault."""
        now = self._timer.now()
        self._end(permit, now)
        if answer is not None:
            self.has_answered = True
            self._window.update(rate_headers(answer.headers), permit.sent[-1], now, self._timer.wall())
        if answer is not None and limited:
            self._limited(permit, answer, now)
        elif failed:
            self._failed(permit, now)
        else:
            self._succeeded(permit, now)
        self._admit()

    def give_back(self, permit: Permit) -> None:
        """Give a permit back without an outcome: the attempt was cancelled, or never made."""
        self._end(permit, self._timer.now())
        self._admit()

    def fail_waiting(self, error: Callable[[], errors.SourceError]) -> None:
        """Let every attempt that waits raise an error."""
        while self._queue:
            waiting = self._queue.popleft()
            if not waiting.turn.done():
                waiting.turn.set_exception(error())
        self._set_alarm(math.inf)

    def close(self) -> None:
        """Stop waking anybody up."""
        self._set_alarm(math.inf)

    def _leave_queue(self, waiting: _Waiting) -> None:
        if waiting.turn.cancelled() or not waiting.turn.done():
            if waiting in self._queue:
                self._queue.remove(waiting)
            self._admit()
        elif waiting.turn.exception() is None:
            self.give_back(waiting.turn.result())  # the turn came at the moment of the cancellation

    def _end(self, permit: Permit, now: float) -> None:
        """An attempt is over. What was sent may have been counted by the server, even without an answer."""
        self._under_way -= 1
        if permit is self._probe:
            self._probe = None
        for sent in permit.sent:
            self._window.record(sent, now)

    def _succeeded(self, permit: Permit, now: float) -> None:
        """The host works. Only a probe ends a pause, not a straggler that was sent before it."""
        self._failures = 0
        if permit.is_probe or (now >= self._paused_until and not self._probing):
            self._probing = False
            self._refusals = self._pauses = 0

    def _limited(self, permit: Permit, answer: Response, now: float) -> None:
        """A 429: everybody waits. Those that were sent together do not make each other's wait longer."""
        self._failures = 0
        wait = retry_wait(answer.headers, self._timer.wall())
        if permit.is_probe:
            self._refusals += 1
            wait = bounded(wait * 2.0 ** min(self._refusals, 10))
        self._pause(now, wait * self._timer.random.uniform(1.0, 1.1), "too many requests")

    def _failed(self, permit: Permit, now: float) -> None:
        """A failure of the host. Before its first answer it is left to each caller to give up soon."""
        self._failures += 1
        if not self.has_answered or now < self._paused_until or (self._probing and not permit.is_probe):
            return
        if self._failures >= _FAILURES_TO_PAUSE or self._pauses:
            self._pauses += 1
            if self.gave_up:
                self._probing = True
                self.fail_waiting(self._gave_up_error)
            else:
                wait = min(_FIRST_PAUSE * 2.0 ** (self._pauses - 1), _LONGEST_PAUSE)
                self._pause(now, wait * self._timer.random.uniform(0.9, 1.0), "the host fails")

    def _gave_up_error(self) -> errors.SourceError:
        return errors.GivenUp(f"{self._host}: still failing after {_PAUSES_TO_GIVE_UP} pauses; try again later")

    def _pause(self, now: float, seconds: float, why: str) -> None:
        self._probing = True
        if seconds > 0 and now + seconds > self._paused_until:
            self._paused_until = now + seconds
            self._tell(self._host, seconds, why)

    def _admit(self) -> None:
        """Give permits to those who may go, and wake up when the next one may."""
        now, delay = self._timer.now(), math.inf
        while self._queue:
            delay = self._delay(now)
            if delay > 0:
                break
            waiting = self._queue.popleft()
            if not waiting.turn.done():
                waiting.turn.set_result(self._permit(now - waiting.since))
        self._set_alarm(now + delay if self._queue else math.inf)

    def _permit(self, waited: float) -> Permit:
        permit = Permit(waited, is_probe=self._probing)
        self._under_way += 1
        if self._probing:
            self._probe = permit
            self._window.forget_remaining()  # the probe's answer tells it anew
        return permit

    def _delay(self, now: float) -> float:
        """Seconds until the next attempt may go; infinite if that depends on an answer."""
        self._window.advance(now)
        if now < self._paused_until:
            return self._paused_until - now
        if self._under_way >= self._most:
            return math.inf
        own, limit = self._window.answered, self._window.limit
        if limit is not None and self._under_way + len(own) >= limit:
            return own[0][1] + self._window.seconds - now if own else math.inf
        if self._probing:
            return math.inf if self._probe else 0.0
        return self._credit_delay(now)

    def _credit_delay(self, now: float) -> float:
        """Seconds until the server's own count leaves room for one more."""
        remaining = self._window.remaining
        if remaining is None or remaining > self._under_way:
            return 0.0
        freed_at = self._window.freed_at(1 + self._under_way - remaining)
        if freed_at is not None:
            return freed_at - now
        if self._under_way:
            return math.inf
        resets = self._window.resets
        wait = self._window.seconds if resets is None else max(resets - now, 0.0)
        self._pause(now, wait, "others use the allowance too")
        return wait

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None and self._alarm_at <= at < math.inf:
            return  # it rings earlier, and is set anew then
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = at
        if at < math.inf:
            self._alarm = asyncio.get_running_loop().create_task(self._ring(at))

    async def _ring(self, at: float) -> None:
        await self._timer.sleep(max(at - self._timer.now(), 0.001))
        self._alarm, self._alarm_at = None, math.inf
        self._admit()
