"""Requests to a registry are signed as it asks for, and passwords go only where they belong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import pytest
from yarl import URL

from hubindex.errors import Blocked, NotFound, RateLimited, SignInRefused, SourceError, UnreadableAnswer
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.auth.registry_signer import RegistryAccess, RegistrySigner
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Response
from hubindex.sources.registry.client import Registry
from tests.fakehub import FakeHub
from tests.fakehub.weather import answer
from tests.sources.clock import Clock
from tests.sources.wire import Wire, reply, wire

USER, SECRET = "ada", "dckr_pat_s3cret"
CREDENTIALS = Credentials(USER, SECRET, "~/.docker/config.json")
START = 1_790_000_000
ACME, WEB = "acme/app", "acme/web"
BEARER = 'Bearer realm="{}",service="s",scope="repository:acme/app:pull"'
NAMES = '{"name":"acme/app","tags":["a"]}'


def make_hub() -> FakeHub:
    hub = FakeHub()
    for path in (ACME, WEB):
        hub.add_repository(path).push("a", "b")
    hub.users[USER] = SECRET
    hub.clock = lambda: START
    return hub


def ask(
    hub: FakeHub, question: Callable[[Registry], Awaitable[object]], credentials: Credentials | None = None
) -> object:
    async def asking() -> object:
        async with hub.serve() as url, HttpClient(timer=Clock().timer) as http:
            return await question(Registry(http, url, credentials=credentials))

    return asyncio.run(asking())


async def outcome(question: Awaitable[object]) -> object:
    """An answer, or the error in its place."""
    try:
        return await question
    except SourceError as error:
        return error


def kinds(hub: FakeHub) -> list[str]:
    """What was asked, without queries: `token`, or the path below `/v2/acme`."""
    return [path.partition("?")[0].removeprefix("/v2/acme").lstrip("/") for path in hub.paths()]


def test_an_anonymous_token() -> None:
    """401, a token for the scope that was named, and the answer."""
    hub = make_hub()
    ask(hub, lambda registry: registry.tag(ACME, "a"))
    assert kinds(hub) == ["app/manifests/a", "token", "app/manifests/a"]
    assert hub.paths()[1] == "/token?service=registry.fake&scope=repository:acme/app:pull"
    assert "Authorization" not in hub.requests[1].headers


def test_a_token_is_kept_for_its_repository() -> None:
    """A second question needs none, and another repository has its own without another 401."""
    hub = make_hub()

    async def questions(registry: Registry) -> None:
        await registry.tag(ACME, "a")
        await registry.tag(ACME, "b")
        await registry.tag(WEB, "a")

    ask(hub, questions)
    assert kinds(hub)[2:] == ["app/manifests/a", "app/manifests/b", "token", "web/manifests/a"]


def test_tasks_share_a_token() -> None:
    """However many ask at once, one token is fetched for a repository."""
    hub = make_hub()

    async def crowd(registry: Registry) -> None:
        await registry.tag(WEB, "a")
        await asyncio.gather(*(registry.tag(ACME, "a") for _ in range(20)))

    ask(hub, crowd)
    assert kinds(hub).count("token") == 2


def test_a_crowd_at_the_first_question() -> None:
    """Each may meet the first 401, and yet one token does for all."""
    hub = make_hub()

    async def crowd(registry: Registry) -> None:
        await asyncio.gather(*(registry.tag(ACME, "a") for _ in range(8)))

    ask(hub, crowd)
    assert kinds(hub).count("token") == 1


def test_no_sign_in_where_none_is_asked_for() -> None:
    """An open registry gets neither a token nor a password."""
    hub = make_hub()
    hub.registry.sign_in = "none"
    ask(hub, lambda registry: registry.tag(ACME, "a"), CREDENTIALS)
    assert [sorted(each.headers).count("Authorization") for each in hub.requests] == [0]


def test_the_realm_gets_the_password_of_its_own_registry() -> None:
    """Credentials go to the realm as Basic, and the registry itself sees only the token."""
    hub = make_hub()
    ask(hub, lambda registry: registry.tag(ACME, "a"), CREDENTIALS)
    sent = [each.headers.get("Authorization", "").partition(" ")[0] for each in hub.requests]
    assert sent == ["", "Basic", "Bearer"]


def test_a_refused_password_is_not_sent_again() -> None:
    """The next question fails without asking."""
    hub = make_hub()
    hub.users[USER] = "another"

    async def insist(registry: Registry) -> list[object]:
        return [await outcome(registry.tag(ACME, "a")), await outcome(registry.tag(WEB, "a"))]

    found = ask(hub, insist, CREDENTIALS)
    assert isinstance(found, list)
    assert [type(error) for error in found] == [SignInRefused] * 2
    assert kinds(hub) == ["app/manifests/a", "token"]
    assert "~/.docker/config.json" in str(found[0])
    assert SECRET not in str(found[0])


class TestBasic:
    """A registry that wants a password with every request."""

    def test_the_password_is_sent_when_asked_for(self) -> None:
        """401 once, and from then on Basic at once."""
        hub = make_hub()
        hub.registry.sign_in = "basic"

        async def questions(registry: Registry) -> None:
            await registry.tag(ACME, "a")
            await registry.tag(WEB, "a")

        ask(hub, questions, CREDENTIALS)
        assert kinds(hub) == ["app/manifests/a", "app/manifests/a", "web/manifests/a"]

    def test_a_crowd_at_the_first_question(self) -> None:
        """Each may meet the first 401, and none takes it for a refused password."""
        hub = make_hub()
        hub.registry.sign_in = "basic"

        async def crowd(registry: Registry) -> list[object]:
            return list(await asyncio.gather(*(registry.tag(ACME, "a") for _ in range(8))))

        found = ask(hub, crowd, CREDENTIALS)
        assert isinstance(found, list)
        assert None not in found

    def test_a_wrong_password_is_sent_once(self) -> None:
        """The second 401 ends it."""
        hub = make_hub()
        hub.registry.sign_in = "basic"
        hub.users[USER] = "another"

        async def insist(registry: Registry) -> list[object]:
            return [await outcome(registry.tag(ACME, "a")), await outcome(registry.tag(WEB, "a"))]

        found = ask(hub, insist, CREDENTIALS)
        assert isinstance(found, list)
        assert [type(error) for error in found] == [SignInRefused] * 2
        sent = [each for each in hub.requests if "Authorization" in each.headers]
        assert len(sent) == 1

    def test_without_a_password_it_is_blocked(self) -> None:
        """There is nothing to send, and it is not asked again."""
        hub = make_hub()
        hub.registry.sign_in = "basic"
        with pytest.raises(Blocked):
            ask(hub, lambda registry: registry.tag(ACME, "a"))
        assert len(hub.requests) == 1


class Talk:
    """A server that gives fixed answers to one question, and another one that a realm leads to."""

    def __init__(self, *answers: str, elsewhere: str = "{}") -> None:
        self.answers = answers
        self.said_elsewhere = elsewhere
        self.elsewhere: list[str] = []

    def ask(self) -> Wire:
        """The server, after it was asked for a list of tags."""

        async def asking() -> Wire:
            async with wire(reply(self.said_elsewhere)) as other, wire(*self._replies(other.url)) as served:
                async with HttpClient(tries=1) as http:
                    registry = Registry(http, str(served.url), credentials=CREDENTIALS)
                    try:
                        await registry.tag_names(ACME)
                    finally:
                        self.elsewhere = other.heads
                return served

        return asyncio.run(asking())

    def _replies(self, other: URL) -> Sequence[bytes]:
        address = str(other.with_host("localhost"))
        return [
            reply("{}", "401 Unauthorized", WWW_Authenticate=each.replace("OTHER", address))
            if each.startswith(("Bearer", "Basic"))
            else reply(each)
            for each in self.answers
        ]


@pytest.mark.parametrize(
    "realm",
    [
        "http://auth.acme.example/token",
        "https://10.0.0.7/token",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/token",
        f"https://a/{SECRET}\x7f",
    ],
)
def test_a_realm_that_is_not_trusted_is_not_asked(realm: str) -> None:
    """A registry cannot send its client to an address inside somebody's network."""
    talk = Talk(BEARER.format(realm))
    with pytest.raises(Blocked, match="untrusted address") as caught:
        talk.ask()
    assert str(caught.value).isprintable()


def test_a_password_is_not_for_another_host() -> None:
    """A realm on another host gives an anonymous token, if it gives one."""
    talk = Talk(BEARER.format("OTHER/token"))
    with pytest.raises(UnreadableAnswer):  # it answers {}
        talk.ask()
    [head] = talk.elsewhere
    assert head.startswith("GET /token?")
    assert "Authorization" not in head


def test_a_password_that_was_held_back_is_mentioned() -> None:
    """Whoever has a password and finds nothing is told that it was not used."""
    refusal = 'Bearer realm="OTHER/token",error="insufficient_scope"'
    talk = Talk(refusal, refusal, elsewhere='{"token":"x"}')
    with pytest.raises(NotFound, match=r"the password was not sent to localhost:[0-9]+") as caught:
        talk.ask()
    assert SECRET not in str(caught.value)


def test_the_scope_is_the_registrys_own_word() -> None:
    """Where a registry calls a repository otherwise, its name for it is what the token is for."""

    async def asking() -> list[str]:
        async with wire(reply('{"token":"x"}')) as realm:
            challenge = f'Bearer realm="{realm.url}/token",scope="repository:proxy/acme/app:pull"'
            refusal = reply("{}", "401 Unauthorized", WWW_Authenticate=challenge)
            async with wire(refusal, reply(NAMES)) as served, HttpClient(tries=1) as http:
                await Registry(http, str(served.url)).tag_names(ACME)
            return realm.heads

    [head] = asyncio.run(asking())
    assert head.startswith("GET /token?scope=repository:proxy/acme/app:pull HTTP/1.1")


def refused(challenge: str) -> Response:
    """A 401 with this challenge."""
    return Response(401, {"WWW-Authenticate": challenge}, b"", 0)


class TestTokens:
    """What a realm answers."""

    @pytest.mark.parametrize(
        ("answer", "life"),
        [
            ('{"token":"x","expires_in":300}', 270),
            ('{"access_token":"x","expires_in":300}', 270),
            ('{"token":"x"}', 45),
            ('{"token":"x","expires_in":5}', 45),
            ('{"token":"x","expires_in":-5}', 45),
            ('{"token":"x","expires_in":null}', 45),
            ('{"token":"x","expires_in":1e300}', 3570),
        ],
    )
    def test_the_life_of_a_token(self, answer: str, life: int) -> None:
        """It is kept until shortly before `expires_in`, a minute if that is not said, and an hour at most."""
        now = 0

        async def asking() -> list[int]:
            nonlocal now
            asked = []
            async with wire(reply(answer)) as served, HttpClient(tries=1) as http:
                access = RegistryAccess(http, str(served.url), clock=lambda: now * 1000)
                signer = RegistrySigner(access, "x")
                refusal = refused(BEARER.format(f"{served.url}/token"))
                await signer.refused(refusal)
                for later in (0, life - 1, life):
                    now = later
                    await signer.headers()
                    asked.append(len(served.heads))
            return asked

        assert asyncio.run(asking()) == [1, 1, 2]

    @pytest.mark.parametrize(
        "body",
        [
            "{}",
            "[]",
            '{"token":""}',
            '{"token":7}',
            '{"token":"a\\nb"}',
            '{"token":"' + "x" * 20_000 + '"}',
            "<p>",
        ],
    )
    def test_an_answer_without_a_usable_token(self, body: str) -> None:
        """What cannot stand in a header is no token."""
        hub = make_hub()
        hub.disturb("^/token", answer(200, body))
        with pytest.raises(UnreadableAnswer):
            ask(hub, lambda registry: registry.tag(ACME, "a"))

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, NotFound), (403, NotFound), (404, UnreadableAnswer), (429, RateLimited), (400, UnreadableAnswer)],
    )
    def test_no_token(self, status: int, kind: type[SourceError]) -> None:
        """A realm that gives a stranger no token hides the repository; another error is no word on it."""
        hub = make_hub()
        hub.disturb("^/token", answer(status, '{"details":"no"}'))
        with pytest.raises(kind) as caught:
            ask(hub, lambda registry: registry.tag(ACME, "a"))
        assert type(caught.value) is kind

    def test_a_token_that_is_forgotten_is_fetched_anew(self) -> None:
        """401 in the middle costs one more token."""
        hub, now = make_hub(), 0

        async def asking() -> None:
            nonlocal now
            async with hub.serve() as url, HttpClient(tries=1) as http:
                access = RegistryAccess(http, url, clock=lambda: now * 1000)
                registry = Registry(http, url, signer=RegistrySigner(access, f"repository:{ACME}:pull"))
                await registry.tag(ACME, "a")
                hub.registry.tokens.forget()
                now = 60
                await asyncio.gather(*(registry.tag(ACME, "a") for _ in range(5)))

        asyncio.run(asking())
        assert kinds(hub).count("token") == 2

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 200])
    def test_the_password_is_in_no_error_and_no_log(self, status: int, caplog: pytest.LogCaptureFixture) -> None:
        """Not even when the realm repeats it."""
        caplog.set_level(logging.DEBUG)
        hub = make_hub()
        hub.disturb("^/token", answer(status, f'{{"message":"{SECRET}","token":["{SECRET}"]}}'))
        with pytest.raises(SourceError) as caught:
            ask(hub, lambda registry: registry.tag(ACME, "a"), CREDENTIALS)
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caplog.text}"
        assert CREDENTIALS.basic().removeprefix("Basic ") not in caplog.text


def test_an_account_is_known_only_with_credentials() -> None:
    """Anonymous callers share one allowance, a user has his own; neither signer shows a secret."""

    async def asking() -> list[str | None]:
        async with HttpClient() as http:
            signers = [
                RegistrySigner(RegistryAccess(http, "https://registry.acme.example", each))
                for each in (None, CREDENTIALS)
            ]
            assert SECRET not in f"{signers!r}"
            return [signer.account for signer in signers]

    assert asyncio.run(asking()) == [None, USER]
