"""Signing in at the Hub: one token for all tasks, renewed early, and once after a 401."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from hubindex.errors import (
    Blocked,
    BudgetSpent,
    PaginationRefused,
    SignInRefused,
    SourceError,
    Unreachable,
    UnreadableAnswer,
)
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.auth.hub_signer import HubSigner
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.fakehub import FakeHub, Fault
from tests.fakehub.asking import hub_with_tags
from tests.fakehub.weather import answer, challenge, redirect, unauthorized
from tests.sources.clock import Clock
from tests.sources.wire import Wire, reply, wire

T = TypeVar("T")
USER, SECRET = "ada", "dckr_pat_s3cret"
CREDENTIALS = Credentials(USER, SECRET, "HUBINDEX_HUB_USER")
SIGN_IN = "/v2/auth/token"
START = 1_790_000_000


class Story:
    """A stand-in Hub with one user and 30 tags, of which strangers see ten; and a clock for both sides."""

    def __init__(self, *, tries: int = 6, budget: int | None = None) -> None:
        self.now = START
        self.tries, self.budget = tries, budget
        self.hub: FakeHub = hub_with_tags(30)
        self.hub.users[USER] = SECRET
        self.hub.offset_caps["tags"] = 10
        self.hub.clock = lambda: self.now

    def tell(self, story: Callable[[DockerHub, HubSigner], Awaitable[T]]) -> T:
        """Play a story with an open client that signs in as `USER`."""

        async def telling() -> T:
            client = HttpClient(tries=self.tries, budget=self.budget, timer=Clock().timer)
            async with self.hub.serve() as url, client as http:
                signer = HubSigner(http, url, CREDENTIALS, clock=lambda: self.now * 1000)
                return await story(DockerHub(http, url, signer=signer), signer)

        return asyncio.run(telling())

    @property
    def sign_ins(self) -> int:
        """How often somebody signed in."""
        return self.hub.paths().count(SIGN_IN)

    @property
    def tokens(self) -> list[str]:
        """The tokens of the requests in their order, as a, b, ..."""
        sent = [each.headers["Authorization"] for each in self.hub.requests if "Authorization" in each.headers]
        letters = {token: chr(ord("a") + number) for number, token in enumerate(dict.fromkeys(sent))}
        return [letters[token] for token in sent]


async def outcome(question: Awaitable[object]) -> object:
    """An answer, or the error in its place."""
    try:
        return await question
    except SourceError as error:
        return error


async def deep(hub: DockerHub, _: HubSigner | None = None) -> str:
    """The first name on a page that strangers do not see."""
    page = await hub.tag_page("acme/app", 3, page_size=10)
    return page.tags[0].name


def test_signing_in_lifts_the_offset_cap() -> None:
    """A stranger is refused the page, a user gets it."""
    story = Story()

    async def anonymous() -> str:
        async with story.hub.serve() as url, HttpClient(tries=1) as http:
            return await deep(DockerHub(http, url))

    with pytest.raises(PaginationRefused):
        asyncio.run(anonymous())
    assert story.tell(deep) == "t09"


def test_every_question_is_signed() -> None:
    """Searches, lists of repositories, one repository and tags: all with the token of one sign-in."""
    story = Story()

    async def ask_all(hub: DockerHub, _: HubSigner) -> None:
        await hub.search_page("app", 1)
        await hub.namespace_page("acme", 1)
        await hub.repository("acme/app")
        await hub.tag_page("acme/app", 1)

    story.tell(ask_all)
    assert story.tokens == ["a"] * 4
    assert story.sign_ins == 1


def test_tasks_share_one_sign_in() -> None:
    """However many ask at once, there is one sign-in."""
    story = Story()

    async def crowd(hub: DockerHub, _: HubSigner) -> None:
        await asyncio.gather(*(deep(hub) for _ in range(20)))

    story.tell(crowd)
    assert story.sign_ins == 1
    assert story.tokens == ["a"] * 20


def test_a_token_is_renewed_a_minute_before_its_end() -> None:
    """Ten minutes it lives; nine it is used. Nobody ever sees a 401."""
    story = Story()

    async def wait(hub: DockerHub, _: HubSigner) -> None:
        for later in (0, 539, 1, 100):
            story.now += later
            await asyncio.gather(deep(hub), deep(hub))

    story.tell(wait)
    assert story.tokens == ["a", "a", "a", "a", "b", "b", "b", "b"]
    assert story.sign_ins == 2


def test_after_a_401_the_token_is_renewed_once_for_all_tasks() -> None:
    """A token that the Hub has forgotten costs one more sign-in, and every task succeeds."""
    story = Story()

    async def forget(hub: DockerHub, _: HubSigner) -> None:
        await deep(hub)
        story.hub.tokens.forget()
        story.now += 60
        await asyncio.gather(*(deep(hub) for _ in range(8)))

    story.tell(forget)
    assert story.sign_ins == 2
    assert story.tokens.count("b") == 8


def test_a_new_token_that_is_refused_is_not_renewed_again_and_again() -> None:
    """A Hub that says 401 to everything is asked twice, and was signed in to once."""
    story = Story()
    story.hub.disturb("/tags", unauthorized())
    with pytest.raises(Blocked):
        story.tell(deep)
    assert story.sign_ins == 1
    assert len(story.tokens) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_sign_in_is_not_tried_again(status: int) -> None:
    """Failed sign-ins lock the user name: the next question, and the next, fail without asking."""
    story = Story()
    story.hub.disturb(SIGN_IN, answer(status, '{"detail":"Incorrect authentication credentials"}'))

    async def insist(hub: DockerHub, signer: HubSigner) -> list[object]:
        crowd = await asyncio.gather(*(outcome(deep(hub)) for _ in range(5)))
        return [*crowd, await outcome(signer.sign_in()), await outcome(deep(hub))]

    found = story.tell(insist)
    assert [type(error) for error in found] == [SignInRefused] * 7
    assert story.hub.paths() == [SIGN_IN]
    assert "HUBINDEX_HUB_USER" in str(found[0])


def test_a_renewal_that_is_refused_ends_signing_in() -> None:
    """A password that was changed meanwhile is not sent twice."""
    story = Story()

    async def change(hub: DockerHub, _: HubSigner) -> list[object]:
        await deep(hub)
        story.hub.users[USER] = "another"
        story.now += 600
        return await asyncio.gather(*(outcome(deep(hub)) for _ in range(3)))

    assert [type(error) for error in story.tell(change)] == [SignInRefused] * 3
    assert story.sign_ins == 2


def test_a_challenge_page_is_not_a_refused_sign_in() -> None:
    """The CDN that wants a browser says nothing about the password."""
    story = Story()
    story.hub.disturb(SIGN_IN, challenge())
    with pytest.raises(Blocked):
        story.tell(deep)


def test_a_fault_while_signing_in_can_pass() -> None:
    """After a 503 that lasted too long the next question signs in."""
    story = Story(tries=1)
    story.hub.disturb(SIGN_IN, answer(503, "{}"), times=1)

    async def twice(hub: DockerHub, signer: HubSigner) -> str:
        with pytest.raises(Unreachable):
            await signer.sign_in()
        return await deep(hub)

    assert story.tell(twice) == "t09"


def test_a_short_fault_while_signing_in_is_waited_for() -> None:
    """Two 503 and a 429 are no reason to give up: nobody was refused."""
    story = Story()
    story.hub.disturb(SIGN_IN, answer(503, "{}"), times=2)
    story.hub.disturb(SIGN_IN, answer(429, "{}", headers={"Retry-After": "60"}), times=1)
    assert story.tell(deep) == "t09"
    assert story.sign_ins == 4


def test_signing_in_counts_as_requests() -> None:
    """A budget of two is a sign-in and a question."""
    story = Story(budget=2)

    async def insist(hub: DockerHub, _: HubSigner) -> list[object]:
        return [await outcome(deep(hub)), await outcome(deep(hub))]

    found = story.tell(insist)
    assert found[0] == "t09"
    assert type(found[1]) is BudgetSpent
    assert len(story.hub.requests) == 2


def test_the_account_is_the_user() -> None:
    """Requests are paced by it."""

    async def account(_: DockerHub, signer: HubSigner) -> str:
        return signer.account

    assert Story().tell(account) == USER


def test_a_task_that_is_cancelled_leaves_signing_in_to_the_next() -> None:
    """Cancelling the task that signs in does not hang those that wait for it."""
    story = Story()

    async def cancel(hub: DockerHub, _: HubSigner) -> list[str]:
        tasks = [asyncio.create_task(deep(hub)) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return [each for each in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(each, str)]

    assert story.tell(cancel) == ["t09"] * 3


def jwt(claims: str) -> str:
    return f"h.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.s"


def signed(*answers: bytes, later: float = 0) -> Wire:
    """A server that gives these answers to the sign-in, and to a second one `later` seconds after it."""
    now = 0.0

    async def asking() -> Wire:
        nonlocal now
        async with wire(*answers) as served, HttpClient(tries=1) as http:
            signer = HubSigner(http, str(served.url), CREDENTIALS, clock=lambda: round(now * 1000))
            await signer.sign_in()
            now = later
            await signer.headers()
            return served

    return asyncio.run(asking())


@pytest.mark.parametrize(
    ("claims", "life"),
    [
        ('{"exp":1600,"iat":1000}', 540),
        ('{"exp":1600.5,"iat":1000.5}', 540),
        ('{"exp":1020,"iat":1000}', 10),
        ('{"exp":1e30,"iat":0}', 86_340),
        ('{"exp":1000,"iat":1600}', 240),
        ('{"exp":"soon"}', 240),
        ("[]", 240),
        ("\xff", 240),
    ],
)
def test_the_life_of_a_token(claims: str, life: int) -> None:
    """From `iat` to `exp`, whatever the two clocks say; a token that does not tell is believed five minutes."""
    token = reply(f'{{"access_token":"{jwt(claims)}"}}')
    assert len(signed(token, later=life - 1).heads) == 1
    assert len(signed(token, later=life).heads) == 2


def test_the_sign_in_is_a_post() -> None:
    """User name and secret are in the body, not in the address."""
    head = signed(reply('{"access_token":"x"}')).heads[0]
    assert head.startswith("POST /v2/auth/token HTTP/1.1\r\n")
    assert head.endswith(f'\r\n\r\n{{"identifier":"{USER}","secret":"{SECRET}"}}')


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"access_token":null}',
        '{"access_token":""}',
        '{"access_token":"a\\r\\nX-Evil: 1"}',
        '{"access_token":"a b"}',
        '{"access_token":"é"}',
        '{"access_token":"' + "x" * 20_000 + '"}',
    ],
)
def test_an_answer_without_a_usable_token(body: str) -> None:
    """What cannot stand in a header is no token."""
    with pytest.raises(UnreadableAnswer):
        signed(reply(body))


ECHO = f'{{"detail":"{SECRET} is wrong","access_token":7,"message":"{SECRET}"}}'


@pytest.mark.parametrize(
    "fault",
    [
        answer(400, ECHO),
        answer(401, ECHO),
        answer(403, ECHO),
        answer(403, SECRET, content_type="text/plain"),
        answer(404, ECHO),
        answer(429, ECHO),
        answer(500, ECHO),
        answer(200, ECHO),
        answer(200, f"{SECRET}{{"),
        redirect("https://elsewhere.example/v2/auth/token"),
        redirect("/v2/elsewhere"),
    ],
)
def test_the_secret_is_in_no_error_and_no_log(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    """Not even when the server repeats it; and a redirect does not take it along."""
    caplog.set_level(logging.DEBUG)
    story = Story()
    story.hub.disturb(SIGN_IN, fault)

    async def sign_in(hub: DockerHub, signer: HubSigner) -> str:
        with pytest.raises(SourceError) as caught:
            await signer.sign_in()
        with pytest.raises(SourceError):
            await deep(hub)
        return f"{signer!r} {caught.value!r} {caught.value} {caught.value.__cause__!r}"

    assert SECRET not in story.tell(sign_in)
    assert SECRET not in caplog.text
    assert all(SECRET not in each.path_qs and SECRET not in str(each.headers) for each in story.hub.requests)


def test_tokens_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is the token that was given for it, nor the name of the user."""
    caplog.set_level(logging.DEBUG)
    story = Story()
    story.tell(deep)
    token = next(each.headers["Authorization"] for each in story.hub.requests if "Authorization" in each.headers)
    told = caplog.text + "".join(
        str(vars(record)) for record in caplog.records if record.name.startswith("hubindex")
    )
    assert token.removeprefix("Bearer ") not in told
    assert f"'{USER}'" not in told


def test_a_token_does_not_leave_its_host() -> None:
    """A redirect to another server is not followed, with a token even less."""

    async def asking() -> list[str]:
        async with wire(reply("{}")) as elsewhere, HttpClient(tries=1) as http:
            story = Story()
            story.hub.disturb("/tags", redirect(f"{elsewhere.url}/tags"))
            async with story.hub.serve() as url:
                signer = HubSigner(http, url, CREDENTIALS)
                with pytest.raises(UnreadableAnswer):
                    await deep(DockerHub(http, url, signer=signer))
            return elsewhere.heads

    assert asyncio.run(asking()) == []
