"""What is tried again and what is not, how often, and when nothing more is sent at all."""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest
from yarl import URL

from hubindex.errors import Blocked, BudgetSpent, SourceError, Unreachable, UnreadableAnswer
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Response
from tests.fakehub import Fault, weather
from tests.fakehub.asking import hub_with_tags
from tests.sources.clock import Clock, ClockedClient
from tests.sources.wire import HOLD, reply, wire

APP = "v2/repositories/acme/app/tags"
GOOD = reply('["good"]')
HTML = "<!DOCTYPE html><html><title>Maintenance</title></html>"


def strings(answer: Response) -> list[str]:
    return msgspec.json.decode(answer.body, type=list[str])


def count(answer: Response) -> int:
    return len(msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw]))


def ask(*answers: bytes, tries: int = 6, known: bool = True) -> tuple[list[str] | SourceError, int, float]:
    """The outcome, how many requests it took, and how many seconds.

    With `known` the host has answered before; that request does not count.
    """
    clock = Clock()
    http = ClockedClient(clock, tries=tries)

    async def asking() -> tuple[list[str] | SourceError, int, float]:
        async with wire(*([GOOD] if known else []), *answers) as served, http:
            if known:
                await http.get(served.url, strings)
            try:
                outcome: list[str] | SourceError = await http.get(served.url, strings)
            except SourceError as error:
                outcome = error
        return outcome, http.requests - known, clock.seconds

    return asyncio.run(asking())


class TestAgain:
    """Faults that may pass."""

    @pytest.mark.parametrize(
        "fault",
        [
            reply("", "408 Request Timeout"),
            reply(HTML, "405 Method Not Allowed"),
            reply("", "500 Internal Server Error"),
            reply(HTML, "502 Bad Gateway"),
            reply(HTML, "503 Service Unavailable"),
            reply("", "504 Gateway Timeout"),
            reply(HTML),
            reply(""),
            reply('["go'),
            reply(b'["\xff"]'),
            reply('{"message": "try later"}'),
            reply(b"no gzip", Content_Encoding="gzip"),
            GOOD[:-3],
            b"",
            b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
        ],
    )
    def test_a_fault_that_may_pass_is_tried_again(self, fault: bytes) -> None:
        """Server faults, broken connections, cut bodies, and anything that is not the JSON asked for."""
        outcome, requests, seconds = ask(fault, GOOD)
        assert outcome == ["good"]
        assert requests == 2
        assert 0 < seconds <= 1

    @pytest.mark.parametrize(
        "fault",
        [
            reply("", "304 Not Modified"),
            reply("{}", "400 Bad Request"),
            reply("{}", "401 Unauthorized"),
            reply("{}", "403 Forbidden"),
            reply('{"message":"pagination offset too large for anonymous requests"}', "403 Forbidden"),
            reply('{"message":"object not found"}', "404 Not Found"),
            reply(HTML, "404 Not Found"),
            reply("", "410 Gone"),
            reply("", "302 Found", Location="https://elsewhere.example/"),
            reply("", "302 Found"),
        ],
    )
    def test_a_clear_answer_is_not(self, fault: bytes) -> None:
        """Refusals, what does not exist, and redirects to elsewhere stay what they are."""
        outcome, requests, seconds = ask(fault, GOOD)
        assert isinstance(outcome, SourceError)
        assert (requests, seconds) == (1, 0)

    def test_a_body_that_is_too_large_is_not(self) -> None:
        """It would be too large again."""

        async def asking() -> int:
            async with wire(reply("[" + " " * 5000 + "]")) as served, HttpClient(max_body=4000) as http:
                with pytest.raises(UnreadableAnswer):
                    await http.get(served.url, strings)
                return http.requests

        assert asyncio.run(asking()) == 1

    @pytest.mark.parametrize(
        ("tries", "known", "requests"), [(6, True, 6), (4, True, 4), (1, True, 1), (6, False, 3), (2, False, 2)]
    )
    def test_tries_are_bounded(self, tries: int, known: bool, requests: int) -> None:
        """As many as there may be; three if no answer ever came from the host."""
        outcome, sent, _ = ask(b"", tries=tries, known=known)
        assert type(outcome) is Unreachable
        assert sent == requests

    def test_who_is_offline_knows_it_soon(self) -> None:
        """With many requests, too, the error comes within seconds."""
        clock = Clock()

        async def asking() -> list[object]:
            async with wire(b"") as served:
                url = served.url
            async with ClockedClient(clock, connections=20) as http:
                questions = [http.get(url, strings) for _ in range(20)]
                return list(await asyncio.gather(*questions, return_exceptions=True))

        assert {type(each) for each in asyncio.run(asking())} == {Unreachable}
        assert clock.seconds < 3

    def test_each_wait_is_longer(self) -> None:
        """The waits between the tries double, more or less."""
        seconds = [ask(reply("", "503 No"), tries=tries)[2] for tries in (2, 3, 4, 5, 6)]
        assert seconds == sorted(seconds)
        assert seconds[0] <= 0.5
        assert 7 < seconds[-1] <= 15.5

    def test_a_503_may_ask_for_more_time(self) -> None:
        """What the server asks for is granted, if it is longer."""
        assert ask(reply("", "503 No", Retry_After="40"), GOOD)[2] == 40

    def test_nothing_half_decoded_is_returned(self) -> None:
        """The decoder's result is that of a whole body; a prefix that is JSON by itself is not taken."""
        cut = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["half"]'
        silent = cut + HOLD

        async def asking() -> list[str]:
            async with wire(cut, silent, GOOD) as served, HttpClient(read_timeout=0.1) as http:
                return await http.get(served.url, strings)

        assert asyncio.run(asking()) == ["good"]

    @pytest.mark.parametrize(
        "fault", [weather.cut_short, weather.hang_up, weather.garbage(), weather.unavailable()]
    )
    def test_a_hub_in_bad_weather_is_read_nevertheless(self, fault: Fault) -> None:
        """With a fifth of all answers broken every question has its answer, and each the right one."""
        hub, clock = hub_with_tags(), Clock()
        hub.disturb("", weather.share(0.2, fault))

        async def asking() -> list[int]:
            async with hub.serve() as base, ClockedClient(clock) as http:
                urls = [(URL(base) / APP).with_query(page_size=1, page=1, x=number) for number in range(100)]
                return await asyncio.gather(*(http.get(url, count) for url in urls))

        assert asyncio.run(asking()) == [4] * 100


class TestBudget:
    """No more requests than were allowed."""

    @pytest.mark.parametrize("budget", [0, 1, 7, 20])
    def test_it_is_never_exceeded(self, budget: int) -> None:
        """Whatever goes on at the same time, retries included; then every question is refused, unsent."""
        hub, clock = hub_with_tags(), Clock()
        hub.disturb("", weather.share(0.3, weather.hang_up))
        http = ClockedClient(clock, connections=16, budget=budget)

        async def asking() -> list[object]:
            async with hub.serve() as base, http:
                questions = [http.get((URL(base) / APP).with_query(x=x), count) for x in range(40)]
                return list(await asyncio.gather(*questions, return_exceptions=True))

        outcomes = asyncio.run(asking())
        assert http.requests == len(hub.requests) == budget
        assert {type(each) for each in outcomes} <= {int, BudgetSpent}
        assert [type(each) for each in outcomes].count(BudgetSpent) >= 20

    def test_nobody_waits_for_what_cannot_be_sent(self) -> None:
        """Requests that stand in line are refused as soon as the budget is spent."""
        hub, clock = hub_with_tags(), Clock()
        hub.clock = clock.timer.wall
        hub.enforce(3)
        http = ClockedClient(clock, budget=3)

        async def asking() -> list[object]:
            async with hub.serve() as base, http:
                questions = [http.get(URL(base) / APP, count) for _ in range(12)]
                return list(await asyncio.gather(*questions, return_exceptions=True))

        assert [type(each) for each in asyncio.run(asking())].count(BudgetSpent) == 9
        assert clock.seconds == 0

    def test_redirects_and_tokens_count(self) -> None:
        """Each request on the wire is one, whatever it is for."""

        class Signer:
            """Fetches a token for each request."""

            account = None

            def __init__(self, http: HttpClient, url: URL) -> None:
                self.http, self.url = http, url

            async def headers(self) -> Mapping[str, str]:
                """Ask the server."""
                (token,) = await self.http.get(self.url, strings)
                return {"Authorization": f"Bearer {token}"}

            async def refused(self, answer: Response) -> bool:
                """Nothing can be renewed."""
                return False

        async def asking() -> int:
            moved = reply("", "302 Found", Location="/there")
            async with wire(GOOD, moved, GOOD) as served, HttpClient(budget=3) as http:
                signer = Signer(http, served.url / "token")
                assert await http.get(served.url, strings, signer=signer) == ["good"]
                with pytest.raises(BudgetSpent, match="the 3 requests that this run may send"):
                    await http.get(served.url, strings)
                return len(served.heads)

        assert asyncio.run(asking()) == 3


class TestStop:
    """A host that refused further requests."""

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (weather.fingerprint_refused(), "refuses this client (403: error code: 1010)"),
            (weather.challenge(), "asks for a browser"),
            (weather.challenge(503), "asks for a browser"),
            (weather.challenge(429), "asks for a browser"),
            (weather.challenge(200), "asks for a browser"),
            (weather.answer(403, headers={"cf-mitigated": "challenge"}), "asks for a browser"),
        ],
    )
    def test_its_cdn_stops_everything(self, fault: Fault, words: str) -> None:
        """After a challenge or a refusal by the CDN nothing more is sent to the host, not even in a second try."""
        hub = hub_with_tags()
        hub.disturb("", fault, times=1)

        async def asking() -> list[str]:
            messages = []
            async with hub.serve() as base, HttpClient() as http:
                for path in (APP, APP, "v2/other"):
                    with pytest.raises(Blocked) as caught:
                        await http.get(URL(base) / path, count)
                    messages.append(str(caught.value))
            return messages

        messages = asyncio.run(asking())
        assert len(hub.requests) == 1
        assert len(set(messages)) == 1
        assert words in messages[0]

    def test_who_waits_is_told_at_once(self) -> None:
        """Those in the line do not wait for a host that is stopped."""
        hub, clock = hub_with_tags(), Clock()
        hub.clock = clock.timer.wall
        hub.enforce(1)
        hub.disturb("", weather.challenge(), times=1)

        async def asking() -> list[object]:
            async with hub.serve() as base, ClockedClient(clock, connections=1) as http:
                questions = [http.get(URL(base) / APP, count) for _ in range(5)]
                return list(await asyncio.gather(*questions, return_exceptions=True))

        assert [type(each) for each in asyncio.run(asking())] == [Blocked] * 5
        assert (len(hub.requests), clock.seconds) == (1, 0)

    def test_other_hosts_go_on(self) -> None:
        """Only the host that said so is stopped."""
        hub, other = hub_with_tags(), hub_with_tags()
        hub.disturb("", weather.challenge())

        async def asking() -> int:
            async with hub.serve() as base, other.serve() as elsewhere, HttpClient() as http:
                with pytest.raises(Blocked):
                    await http.get(URL(base) / APP, count)
                return await http.get(URL(elsewhere) / APP, count)

        assert asyncio.run(asking()) == 4

    def test_a_refusal_of_one_thing_is_not_of_all(self) -> None:
        """A 401 or a 403 in JSON stops nothing: a registry refuses single repositories so."""
        hub = hub_with_tags()
        hub.disturb("", weather.unauthorized(), times=1)

        async def asking() -> int:
            async with hub.serve() as base, HttpClient() as http:
                with pytest.raises(Blocked):
                    await http.get(URL(base) / APP, count)
                return await http.get(URL(base) / APP, count)

        assert asyncio.run(asking()) == 4

    def test_a_limit_of_the_cdn_is_waited_for(self) -> None:
        """Its code 1015 means too many requests, and passes."""
        limited = reply("error code: 1015", "403 Forbidden", Retry_After="5")
        outcome, requests, seconds = ask(limited, GOOD)
        assert (outcome, requests) == (["good"], 2)
        assert 5 <= seconds <= 6


def test_waiting_shows_in_the_allowance() -> None:
    """While requests wait for their turn, the allowance tells until when."""
    clock = Clock()

    async def asking() -> None:
        full = reply('["good"]', X_RateLimit_Limit="1", X_RateLimit_Remaining="0")
        async with wire(full) as served, ClockedClient(clock) as http:
            await http.get(served.url, strings)
            waiting = asyncio.create_task(http.get(served.url, strings))
            await asyncio.sleep(0)
            known = http.allowance(served.url)
            assert known is not None
            assert known.paused_until == 60
            await waiting

    asyncio.run(asking())
