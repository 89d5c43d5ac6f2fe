"""Pacing: the rolling allowance, waits after a 429, pauses after failures, and the end of patience."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from yarl import URL

from hubindex.errors import GivenUp, RateLimited, SourceError, Unreachable
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Response
from tests.fakehub import FakeHub, Fault, Proceed
from tests.fakehub.limits import Wait
from tests.fakehub.weather import too_many, unavailable
from tests.sources.clock import EPOCH, Clock, ClockedClient
from tests.sources.wire import reply, wire

APP = "v2/repositories/acme/app/"


def body(answer: Response) -> bytes:
    return answer.body


def small_hub() -> FakeHub:
    hub = FakeHub()
    hub.add_repository("acme/app")
    return hub


def rates(remaining: int, *, limit: int = 180, reset: float = EPOCH + 60, status: str = "200 OK") -> bytes:
    """An answer that tells of the allowance."""
    return reply(
        "{}",
        status,
        X_RateLimit_Limit=str(limit),
        X_RateLimit_Remaining=str(remaining),
        X_RateLimit_Reset=str(int(reset)),
    )


def sent_at(*answers: bytes, requests: int, tries: int = 6) -> list[float]:
    """When each of some requests was sent, one after the other, in seconds since the first."""
    clock = Clock()

    async def asking() -> list[float]:
        moments: list[float] = []

        def sending() -> int:
            moments.append(clock.seconds)
            return 0

        async with wire(*answers) as served, ClockedClient(clock, tries=tries) as http:
            for _ in range(requests):
                await http.get(served.url, body, clock=sending)
        return moments

    return asyncio.run(asking())


class Watch:
    """A fault that does nothing, and notes how many requests were under way when each came."""

    def __init__(self) -> None:
        self.under_way = 0
        self.seen: list[int] = []

    async def __call__(self, request: web.Request, proceed: Proceed) -> web.StreamResponse:
        """Let the request pass, not too quickly."""
        self.under_way += 1
        self.seen.append(self.under_way)
        await asyncio.sleep(0.02)  # until those who want to come at the same time have come
        self.under_way -= 1
        return await proceed(request)


def crowd(
    hub: FakeHub, number: int, clock: Clock, question: Callable[[HttpClient, URL], Awaitable[object]] | None = None
) -> tuple[list[object], HttpClient]:
    """What becomes of some requests at the same time, after one that has made the host known."""
    http = ClockedClient(clock, connections=number)

    async def asking() -> list[object]:
        hub.clock = clock.timer.wall
        async with hub.serve() as base, http:
            url = URL(base) / APP
            await http.get(url.with_query(page=0), body)
            tasks = [http.get(url.with_query(page=page), body) for page in range(1, number + 1)]
            return list(await asyncio.gather(*tasks, return_exceptions=True))

    return asyncio.run(asking()), http


class TestAllowance:
    """Requests within the rolling window that the server counts."""

    @pytest.mark.parametrize(("tasks", "latency"), [(8, 0.0), (16, 0.05)])
    def test_it_is_used_fully_and_not_exceeded(self, tasks: int, latency: float) -> None:
        """Over three windows at least nine tenths of what is allowed is asked for, and hardly a 429 comes."""
        hub = small_hub()
        hub.enforce(60, window=1.0)
        hub.latency = latency

        async def asking() -> int:
            answered = 0

            async def ask_on(http: HttpClient, url: URL) -> None:
                nonlocal answered
                while True:
                    await http.get(url, body)
                    answered += 1

            async with hub.serve() as base, HttpClient(window=1.0, connections=tasks) as http:
                asking = [asyncio.create_task(ask_on(http, URL(base) / APP)) for _ in range(tasks)]
                await asyncio.wait(asking, timeout=3.0)
                for each in asking:
                    each.cancel()
                await asyncio.gather(*asking, return_exceptions=True)
            return answered

        answered = asyncio.run(asking())
        assert answered >= 0.9 * 180
        assert hub.limits.refused <= 0.01 * answered

    def test_a_whole_minute_is_waited_for(self) -> None:
        """The requests of a minute go at once, and the next ones as those leave the window."""
        hub, clock = small_hub(), Clock()
        hub.enforce(20)
        outcomes, http = crowd(hub, 50, clock)
        assert hub.limits.refused == 0
        assert [type(each) for each in outcomes] == [bytes] * 50
        assert http.requests == 51
        assert 120 <= clock.seconds < 125

    def test_somebody_else_uses_it_too(self) -> None:
        """If less remains than our own requests explain, nothing is sent until the server's reset."""
        assert sent_at(rates(0, reset=EPOCH + 42), rates(100), requests=3) == pytest.approx([0, 60, 60])
        assert sent_at(rates(-534, limit=600, reset=EPOCH + 42), rates(100), requests=3) == [0, 42, 42]

    def test_a_reset_is_not_trusted_too_far(self) -> None:
        """The wait for a reset is between a second and two minutes."""
        assert sent_at(rates(-9, reset=EPOCH + 9999), rates(100), requests=2) == [0, 120]
        assert sent_at(rates(-9, reset=EPOCH - 9999), rates(100), requests=2) == [0, 1]

    def test_after_a_reset_one_goes_alone(self) -> None:
        """As long as nothing remains, each reset lets one request go that asks how things are."""
        answers = [rates(-9, reset=EPOCH + 30), rates(-5, reset=EPOCH + 50), rates(3)]
        assert sent_at(*answers, requests=4) == [0, 30, 50, 50]

    def test_a_limit_that_grows_is_followed(self) -> None:
        """An account's limit can change while it is used."""
        small, large = rates(100, limit=2), rates(100, limit=600)
        assert sent_at(small, small, large, requests=5) == pytest.approx([0, 0, 60, 60, 60])

    def test_nonsense_does_not_pace(self) -> None:
        """Headers that cannot be true are as good as none."""
        nonsense = reply("{}", X_RateLimit_Limit="0", X_RateLimit_Remaining="none", X_RateLimit_Reset="-1")
        assert sent_at(nonsense, requests=5) == [0] * 5

    def test_it_can_be_asked_for(self) -> None:
        """What is known of a host's allowance; of others nothing is known."""
        clock = Clock()

        async def asking() -> None:
            async with wire(rates(17)) as served, ClockedClient(clock) as http:
                assert http.allowance(served.url) is None
                await http.get(served.url / "v2", body)
                known = http.allowance(served.url)
                assert known is not None
                assert (known.limit, known.remaining, known.paused_until) == (180, 17, None)
                assert http.allowance(URL("https://hub.example")) is None

        asyncio.run(asking())


class TestTooMany:
    """What follows a 429."""

    @pytest.mark.parametrize("wait", ["seconds", "unix time", "date", "x-retry-after", "absent"])
    def test_the_wait_is_kept_in_every_form(self, wait: Wait) -> None:
        """However the server says it, the request comes again after that time and not much later."""
        hub, clock = small_hub(), Clock()
        hub.enforce(1, wait=wait)
        hub.limits.has_headers = False
        hub.clock = clock.timer.wall

        async def asking() -> int:
            async with hub.serve() as base, ClockedClient(clock) as http:
                hub.limits.arrived("127.0.0.1", EPOCH)  # by another program at the same address
                await http.get(URL(base) / APP, body)
                return http.requests

        assert asyncio.run(asking()) == 2
        assert 60 <= clock.seconds <= 67

    def test_all_wait_and_one_goes_first(self) -> None:
        """The wait is one for all; then one asks alone, and the others follow its answer together."""
        hub, clock, watch = small_hub(), Clock(), Watch()
        hub.disturb("page=[^0]", watch)
        hub.disturb("page=[^0]", too_many("30", rate_headers=False), times=4)
        outcomes, http = crowd(hub, 4, clock)
        assert [type(each) for each in outcomes] == [bytes] * 4
        assert watch.seen == [1, 2, 3, 4, 1, 1, 2, 3]
        assert http.requests == 9
        assert 30 <= clock.seconds <= 33

    def test_a_probe_that_is_refused_makes_the_wait_longer(self) -> None:
        """A server that asks for a second, again and again, is left alone for longer each time."""
        refusal = reply("", "429 Too Many", Retry_After="1")
        first, second, third, fourth = sent_at(refusal, refusal, refusal, reply("{}"), requests=1, tries=9)
        assert second - first < third - second < fourth - third <= 5

    def test_refusals_are_bounded(self) -> None:
        """After as many 429s as there are tries the request fails, with all its waits kept."""
        with pytest.raises(RateLimited):
            sent_at(reply("", "429 Too Many", Retry_After="60"), requests=1)

    def test_refusals_and_failures_are_counted_apart(self) -> None:
        """Waiting for its turn does not take away a request's chances after a failure."""
        many, broken = reply("", "429 Too Many", Retry_After="1"), reply("", "503 No")
        assert len(sent_at(many, broken, many, broken, reply("{}"), requests=1, tries=3)) == 5


class TestFailingHost:
    """A host that fails again and again is left in peace for a while."""

    def pauses(self, caplog: pytest.LogCaptureFixture) -> list[float]:
        """The lengths of the pauses that were written down."""
        facts = [getattr(record, "request", {}) for record in caplog.records]
        return [each["pause"] for each in facts if "pause" in each]

    def test_it_is_probed_and_then_used_again(self, caplog: pytest.LogCaptureFixture) -> None:
        """After ten failures everybody waits; a probe that fails doubles the pause, one that does not ends it."""
        caplog.set_level("INFO", "hubindex.http")
        hub, clock, watch = small_hub(), Clock(), Watch()
        hub.disturb("page=[^0]", watch)
        hub.disturb("page=[^0]", unavailable(), times=12)
        outcomes, http = crowd(hub, 10, clock)
        assert [type(each) for each in outcomes] == [bytes] * 10
        assert self.pauses(caplog) == pytest.approx([15, 30, 60], rel=0.1)
        assert watch.seen[10:13] == [1, 1, 1]
        assert max(watch.seen[13:]) > 1
        assert http.requests == 1 + 12 + 10

    def test_waiting_takes_no_tries(self) -> None:
        """No request fails because its host was down for a few minutes."""
        hub, clock = small_hub(), Clock()
        hub.disturb("page=[^0]", unavailable(), times=14)
        outcomes, _ = crowd(hub, 2, clock)
        assert [type(each) for each in outcomes] == [bytes] * 2

    def test_patience_ends(self, caplog: pytest.LogCaptureFixture) -> None:
        """After six pauses in vain all who wait are told that the host is down."""
        caplog.set_level("INFO", "hubindex.http")
        hub, clock = small_hub(), Clock()
        hub.disturb("page=[^0]", unavailable())
        outcomes, _ = crowd(hub, 20, clock)
        assert {type(each) for each in outcomes} <= {Unreachable, GivenUp}
        assert self.pauses(caplog) == pytest.approx([15, 30, 60, 120, 240, 300], rel=0.1)
        assert any("still failing after 6 pauses" in str(each) for each in outcomes)

    def test_a_host_that_was_given_up_may_come_back(self) -> None:
        """Later requests are tried once, without another pause, until one succeeds."""
        hub, clock = small_hub(), Clock()
        http = ClockedClient(clock, connections=20)

        async def asking() -> None:
            async with hub.serve() as base, http:
                url = URL(base) / APP
                await http.get(url, body)
                hub.disturb("", unavailable())
                await asyncio.gather(*(http.get(url, body) for _ in range(20)), return_exceptions=True)
                gone, requests = clock.seconds, http.requests
                with pytest.raises(Unreachable):
                    await http.get(url, body)
                assert (clock.seconds, http.requests) == (gone, requests + 1)
                hub.faults.clear()
                await http.get(url, body)
                hub.disturb("", unavailable(), times=1)
                await http.get(url, body)

        asyncio.run(asking())

    def test_a_success_starts_the_count_anew(self, caplog: pytest.LogCaptureFixture) -> None:
        """Failures that are not in a row pause nothing."""
        caplog.set_level("INFO", "hubindex.http")
        sent_at(*[reply("", "503 No"), reply("{}")] * 15, requests=15)
        assert self.pauses(caplog) == []


class TestLine:
    """Those who wait."""

    @pytest.mark.parametrize("fault", [too_many("60", rate_headers=False), too_many(None)])
    def test_waiting_can_be_cancelled_at_once(self, fault: Fault) -> None:
        """Ctrl-C does not wait for the server."""
        hub = small_hub()
        hub.disturb("", fault)

        async def asking() -> None:
            async with hub.serve() as base, HttpClient() as http:
                tasks = [asyncio.create_task(http.get(URL(base) / APP, body)) for _ in range(5)]
                _, waiting = await asyncio.wait(tasks, timeout=0.3)
                assert len(waiting) == 5
                for task in tasks:
                    task.cancel()
                async with asyncio.timeout(0.5):
                    results = await asyncio.gather(*tasks, return_exceptions=True)
                assert {type(each) for each in results} == {asyncio.CancelledError}

        asyncio.run(asking())
        assert len(hub.requests) == 5

    def test_a_cancelled_request_leaves_its_turn_to_the_next(self) -> None:
        """When the probe is cancelled under way, the next in the line is the probe."""
        hub, clock, came = small_hub(), Clock(), asyncio.Event()

        async def holding(request: web.Request, proceed: Proceed) -> web.StreamResponse:
            came.set()
            await asyncio.sleep(600)
            return await proceed(request)

        hub.disturb("", holding, times=1, after=1)
        hub.disturb("", too_many("30", rate_headers=False), times=1)

        async def asking() -> None:
            async with hub.serve() as base, ClockedClient(clock) as http:
                probe = asyncio.create_task(http.get(URL(base) / APP, body))
                await came.wait()
                second = asyncio.create_task(http.get(URL(base) / APP, body))
                await asyncio.wait([second], timeout=0.05)
                assert http.requests == 2
                probe.cancel()
                await second
                assert http.requests == 3

        asyncio.run(asking())

    def test_accounts_do_not_wait_for_each_other(self) -> None:
        """A 429 of one account, or of strangers, says nothing of another account at the same host."""

        class Account:
            """Signs for somebody."""

            account = "me"

            async def headers(self) -> dict[str, str]:
                """A token."""
                return {"Authorization": "Bearer x"}

            async def refused(self, answer: Response) -> bool:
                """Nothing can be renewed."""
                return False

        clock = Clock()

        async def asking() -> None:
            many = reply("", "429 Too Many", Retry_After="60")
            async with wire(many, reply("{}")) as served, ClockedClient(clock, tries=1) as http:
                with pytest.raises(SourceError):
                    await http.get(served.url, body)
                await http.get(served.url, body, signer=Account())
                assert clock.seconds == 0
                await http.get(served.url, body)
                assert clock.seconds >= 60

        asyncio.run(asking())
