"""The gate by itself: against a server that answers early and late, and when outcomes come out of order."""

import asyncio
from collections import deque
from random import Random

import pytest

from hubindex.errors import Unreachable
from hubindex.sources.http.failures import Response
from hubindex.sources.http.pace import Gate
from tests.sources.clock import EPOCH, Clock

WINDOW = 60.0


def gate_of(clock: Clock, pauses: list[float] | None = None, *, most: int = 8) -> Gate:
    """A gate that notes its pauses."""
    noted = [] if pauses is None else pauses
    return Gate("host", most, WINDOW, clock.timer, lambda host, seconds, why: noted.append(seconds))


def answer(status: int = 200, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_client_that_is_alone_is_never_refused(seed: int) -> None:
    """However long requests and answers travel, the allowance of every window is used and never exceeded."""
    clock, random, limit = Clock(), Random(seed), 40
    gate = gate_of(clock)
    counted: deque[float] = deque()
    total = refused = 0

    async def ask_on() -> None:
        nonlocal total, refused
        while clock.seconds < 4 * WINDOW:
            given = await gate.enter()
            given.sent.append(clock.seconds)
            await clock.timer.sleep(random.uniform(0.05, 2.0))
            while counted and counted[0] <= clock.seconds - WINDOW:
                counted.popleft()
            counted.append(clock.seconds)
            total += 1
            refused += len(counted) > limit
            headers = {
                "X-RateLimit-Limit": str(limit),
                "X-RateLimit-Remaining": str(limit - len(counted)),
                "X-RateLimit-Reset": str(int(EPOCH + counted[0] + WINDOW)),
            }
            await clock.timer.sleep(random.uniform(0.05, 2.0))
            gate.report(given, Response(200, headers, b"", 0), limited=False, failed=False)

    async def asking() -> None:
        await asyncio.gather(*(ask_on() for _ in range(12)))

    asyncio.run(asking())
    assert refused == 0
    assert total >= 0.9 * 4 * limit


def test_a_straggler_does_not_end_a_pause() -> None:
    """What was sent before a 429 and succeeds after it tells nothing of whether the wait is over."""
    clock = Clock()
    gate = gate_of(clock)

    async def asking() -> None:
        first, second, third = [await gate.enter() for _ in range(3)]
        for given in (first, second, third):
            given.sent.append(clock.seconds)
        gate.report(first, answer(429, Retry_After="30"), limited=True, failed=False)
        gate.report(second, answer(), limited=False, failed=False)
        probe = await gate.enter()
        assert (probe.is_probe, clock.seconds >= 30) == (True, True)
        gate.report(third, answer(), limited=False, failed=False)
        follower = asyncio.create_task(gate.enter())
        await asyncio.sleep(0.01)
        assert not follower.done()
        probe.sent.append(clock.seconds)
        gate.report(probe, answer(), limited=False, failed=False)
        assert not (await follower).is_probe

    asyncio.run(asking())


def test_the_longest_of_several_waits_counts() -> None:
    """429s that arrive together make one pause, as long as the longest that one of them asks for."""
    clock = Clock()
    gate = gate_of(clock)

    async def asking() -> None:
        several = [await gate.enter() for _ in range(3)]
        for given, wait in zip(several, ("20", "50", "10"), strict=True):
            given.sent.append(clock.seconds)
            gate.report(given, answer(429, Retry_After=wait), limited=True, failed=False)
        await gate.enter()

    asyncio.run(asking())
    assert 50 <= clock.seconds <= 55


def test_old_news_is_not_believed_if_it_is_better() -> None:
    """The answer to an older question may arrive later: of the two, the smaller remainder counts."""
    clock = Clock()
    gate = gate_of(clock)

    async def asking() -> None:
        older, newer = await gate.enter(), await gate.enter()
        older.sent.append(1.0)
        newer.sent.append(2.0)
        gate.report(newer, answer(X_RateLimit_Remaining="3"), limited=False, failed=False)
        gate.report(older, answer(X_RateLimit_Remaining="90"), limited=False, failed=False)
        known = gate.allowance()
        assert known is not None
        assert known.remaining == 3

    asyncio.run(asking())


def test_no_more_are_under_way_than_there_are_connections() -> None:
    """What would wait for a connection waits in the line, where it is not counted as sent."""
    gate = gate_of(Clock(), most=2)

    async def asking() -> None:
        first, _ = await gate.enter(), await gate.enter()
        third = asyncio.create_task(gate.enter())
        await asyncio.sleep(0.01)
        assert not third.done()
        gate.give_back(first)
        await third

    asyncio.run(asking())


def test_who_is_turned_away_while_cancelled_complains_to_nobody() -> None:
    """An error for somebody who has just gone is not reported as one that nobody looked at."""
    gate = gate_of(Clock(), most=1)
    complaints: list[object] = []

    async def asking() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await gate.enter()
        waiting = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        gate.fail_waiting(lambda: Unreachable("gone"))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(asking())
    assert complaints == []


def test_a_turn_that_comes_with_a_cancellation_goes_to_the_next() -> None:
    """A pass for somebody who has just gone is given back."""
    gate = gate_of(Clock(), most=1)

    async def asking() -> None:
        given = await gate.enter()
        gone, stays = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        gate.give_back(given)
        gone.cancel()
        async with asyncio.timeout(1):
            await stays

    asyncio.run(asking())


def test_a_reset_that_has_passed_is_no_pause() -> None:
    """If the server's time has come before anybody wants to go, the next one goes at once, alone."""
    clock, pauses = Clock(), list[float]()
    gate = gate_of(clock, pauses)

    async def asking() -> None:
        given = await gate.enter()
        given.sent.append(clock.seconds)
        news = answer(X_RateLimit_Remaining="-9", X_RateLimit_Reset=str(int(EPOCH) + 30))
        gate.report(given, news, limited=False, failed=False)
        clock.seconds = 31
        assert (await gate.enter()).is_probe

    asyncio.run(asking())
    assert (clock.seconds, pauses) == (31, [])
