"""The HTTP client, against servers on loopback that behave badly on purpose."""

import asyncio
import gzip
import ssl
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from yarl import URL

from hubindex import __version__
from hubindex.errors import (
    Blocked,
    Forbidden,
    NotFound,
    PaginationRefused,
    RateLimited,
    SourceError,
    Unreachable,
    UnreadableAnswer,
    WrongUsage,
)
from hubindex.sources.http.address import validate_base_url
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.failures import Refusal, Response
from tests.sources.clock import Clock
from tests.sources.wire import HOLD, Wire, reply, wire

CHALLENGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
GREETING = '{"greeting": "hello"}'


class Greeting(msgspec.Struct):
    """The answer of the tests' server."""

    greeting: str


def greeting(answer: Response) -> str:
    return msgspec.json.decode(answer.body, type=Greeting).greeting


def ask(*answers: bytes, path: str = "/v2/x?page=2", client: HttpClient | None = None) -> tuple[str, Wire]:
    """What the client makes of `answers`, and the server that gave them."""

    async def asking() -> tuple[str, Wire]:
        async with wire(*answers) as served, client or HttpClient(tries=1) as http:
            return await http.get(served.url.join(URL(path)), greeting), served

    return asyncio.run(asking())


def failure(*answers: bytes, client: HttpClient | None = None, path: str = "/v2/x?page=2") -> SourceError:
    """The error that `answers` lead to; its message is one short line of printable text."""
    with pytest.raises(SourceError) as caught:
        ask(*answers, client=client, path=path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    assert "127.0.0.1" in message
    assert "page=2" not in message
    return caught.value


def gunzipped(body: bytes) -> bytes:
    return reply(gzip.compress(body, mtime=0), Content_Encoding="gzip")


def test_an_answer_is_decoded_and_the_request_is_counted() -> None:
    """The decoder gets the whole body, the headers, and the time at which the request was sent."""
    seen: list[Response] = []

    async def asking() -> int:
        async with wire(reply(GREETING, X_RateLimit_Remaining="17")) as served, HttpClient(tries=1) as http:
            await http.get(served.url, seen.append, clock=lambda: 1234)
            return http.requests

    assert asyncio.run(asking()) == 1
    assert (seen[0].status, seen[0].body, seen[0].sent_at) == (200, GREETING.encode(), 1234)
    assert seen[0].headers["x-ratelimit-remaining"] == "17"


def test_the_client_says_who_it_is_and_sends_nothing_else() -> None:
    """The request names hubindex, asks for JSON, and offers only encodings that can be unpacked."""
    _, served = ask(reply(GREETING))
    lines = served.heads[0].splitlines()
    assert lines[0] == "GET /v2/x?page=2 HTTP/1.1"
    assert sorted(lines[2:-1]) == [
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        f"User-Agent: hubindex/{__version__} (container image index; Python aiohttp)",
    ]


def test_passwords_in_netrc_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.netrc` with an entry for the server is not used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    _, served = ask(reply(GREETING))
    assert "Authorization" not in served.heads[0]


def test_cookies_are_not_kept() -> None:
    """A cookie that one answer sets is not sent with the next request."""

    async def asking() -> str:
        async with wire(reply(GREETING, Set_Cookie="a=b; Path=/")) as served, HttpClient(tries=1) as http:
            await http.get(served.url, greeting)
            await http.get(served.url, greeting)
            return served.heads[1]

    assert "cookie" not in asyncio.run(asking()).lower()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(GREETING.encode(), mtime=0)),
        ("deflate", zlib.compress(GREETING.encode())),
        ("identity", GREETING.encode()),
    ],
)
def test_compressed_answers_are_unpacked(encoding: str, body: bytes) -> None:
    """Gzip and deflate are accepted."""
    assert ask(reply(body, Content_Encoding=encoding))[0] == "hello"


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        ("404 Not Found", '{"message":"object not found"}', NotFound, "404: object not found"),
        ("404 Not Found", '{"message":"404: Page Not Found"}', UnreadableAnswer, "no such page on the server"),
        ("404 Not Found", "<!DOCTYPE html><title>404</title>", UnreadableAnswer, "no such page on the server"),
        ("404 Not Found", "", NotFound, "not found (404)"),
        ("429 Too Many", '{"detail":"Rate limit exceeded"}', RateLimited, "429: Rate limit exceeded"),
        ("429 Too Many", "", RateLimited, "too many requests"),
        (
            "403 Forbidden",
            '{"message":"pagination offset too large for anonymous requests; sign in to page further"}',
            PaginationRefused,
            "sign in to page further",
        ),
        ("403 Forbidden", "error code: 1010", Blocked, "CDN refuses this client (403: error code: 1010)"),
        ("403 Forbidden", CHALLENGE, Blocked, "challenge page"),
        ("503 Unavailable", CHALLENGE, Blocked, "challenge page"),
        ("200 OK", CHALLENGE, Blocked, "challenge page"),
        ("403 Forbidden", '{"message":"denied"}', Forbidden, "access refused (403: denied)"),
        ("401 Unauthorized", '{"detail":"Incorrect credentials"}', Forbidden, "401: Incorrect credentials"),
        ("400 Bad", '{"fields":{},"text":"Invalid ordering value"}', UnreadableAnswer, "Invalid ordering"),
        ("405 Not Allowed", "", UnreadableAnswer, "unexpected answer (405)"),
        ("410 Gone", "", UnreadableAnswer, "unexpected answer (410)"),
        ("204 No Content", "", UnreadableAnswer, "unexpected answer (204)"),
        ("304 Not Modified", "", UnreadableAnswer, "unexpected answer (304)"),
        ("408 Timeout", "", Unreachable, "server failed (408)"),
        ("500 Error", '{"message":"pq: canceling statement"}', Unreachable, "500: pq: canceling statement"),
        ("502 Bad Gateway", "<html>no</html>", Unreachable, "server failed (502)"),
        ("503 Unavailable", "", Unreachable, "server failed (503)"),
    ],
)
def test_every_status_has_its_error(status: str, body: str, kind: type[SourceError], words: str) -> None:
    """The error says what the server answered, in its own words where there are some."""
    error = failure(reply(body, status))
    assert type(error) is kind
    assert words in str(error)


def test_an_error_carries_the_status_and_headers() -> None:
    """What is needed to wait or to sign in is found at the error's cause."""
    error = failure(reply("", "429 Too Many Requests", Retry_After="60"))
    assert isinstance(error.__cause__, Refusal)
    assert error.__cause__.status == 429
    assert error.__cause__.headers["retry-after"] == "60"


def test_a_server_cannot_write_on_the_terminal() -> None:
    """Control characters of a server's message are made visible, and its length is cut."""
    error = failure(reply(r'{"message":"\u001b[31mred\nline\u202e' + "x" * 5000 + '"}', "500 Error"))
    assert r"\x1b[31mred\nline\u202ex" in str(error)
    error = failure(reply(b"\x1b[2J\xff\x00" + b"y" * 5000, "500 Error"))
    assert r"\x1b[2J" in str(error)


def test_an_error_whose_body_is_cut_short_is_still_that_error() -> None:
    """The status counts, even if the body promises more than comes, or never ends."""
    short = b"HTTP/1.1 429 Too Many\r\nContent-Length: 100\r\n\r\n{"
    assert type(failure(short)) is RateLimited
    endless = b"HTTP/1.1 404 Not Found\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100_000 + HOLD
    assert type(failure(endless)) is NotFound
    silent = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n" + HOLD
    assert type(failure(silent, client=HttpClient(read_timeout=0.05, tries=1))) is NotFound


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + GREETING.encode(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n" + GREETING.encode() + b"\r\n",
        reply(gzip.compress(GREETING.encode())[:10], Content_Encoding="gzip")[:-5],
        reply(b"no gzip", Content_Encoding="gzip"),
        reply(b"no deflate", Content_Encoding="deflate"),
    ],
    ids=["nothing", "cut short", "chunks without end", "cut gzip", "bad gzip", "bad deflate"],
)
def test_what_does_not_arrive_whole_is_not_used(answer: bytes) -> None:
    """A body that is cut short or damaged is `Unreachable`, even if its beginning could be decoded."""
    assert type(failure(answer)) is Unreachable


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not understood"),
        (b'{"greeting": "hel', "not understood"),
        (b'{"greeting": 1}', "Expected `str`"),
        (b"[]", "Expected `object`"),
        (b"gone fishing", "not understood"),
        (b'{"greeting": "\xff"}', "not understood"),
        (b"\n <!doctype HTML><p>maintenance", "an HTML page"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_not_the_expected_json_is_unreadable(body: bytes, words: str) -> None:
    """A whole answer of another shape is `UnreadableAnswer`, and says why."""
    error = failure(reply(body))
    assert type(error) is UnreadableAnswer
    assert words in str(error)


def test_an_encoding_that_was_not_offered_is_no_data() -> None:
    """An answer packed in a way that nobody offered to unpack is an error."""
    assert isinstance(failure(reply(b"\x00\x01", Content_Encoding="br")), Unreachable | UnreadableAnswer)
    assert isinstance(failure(reply(b"\x00\x01", Content_Encoding="lzma")), UnreadableAnswer)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b'{"a":"' + b"x" * 10_000 + b'"}'),
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 10_000 + HOLD,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n" + HOLD,
        gunzipped(b"[" + b" " * 10_000_000 + b"]"),
        reply(zlib.compress(b" " * 10_000_000), Content_Encoding="deflate"),
    ],
    ids=["large", "larger still", "chunks", "gzip bomb", "deflate bomb"],
)
def test_the_unpacked_size_is_limited(answer: bytes) -> None:
    """Reading stops at the limit, however the bytes are packed."""
    error = failure(answer, client=HttpClient(max_body=4000, tries=1))
    assert type(error) is UnreadableAnswer
    assert "larger than 4,000 bytes" in str(error)


def test_a_body_of_exactly_the_limit_is_read() -> None:
    """The limit itself is allowed."""
    assert ask(reply(GREETING), client=HttpClient(max_body=len(GREETING)))[0] == "hello"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"K" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(1000)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ],
    ids=["long header", "long status line", "many headers", "bad header", "no HTTP"],
)
def test_headers_are_limited(head: bytes) -> None:
    """An answer whose head is too large, or no HTTP, is `UnreadableAnswer`."""
    assert type(failure(head)) is UnreadableAnswer


def test_a_header_of_ordinary_size_passes() -> None:
    """Content security policies can be long."""
    assert ask(reply(GREETING, Content_Security_Policy="x" * 12_000))[0] == "hello"


@pytest.mark.parametrize(
    ("answer", "client", "words"),
    [
        (HOLD, HttpClient(read_timeout=0.05, tries=1), "nothing came for 0.05 s"),
        (reply(GREETING)[:-3] + HOLD, HttpClient(read_timeout=0.05, tries=1), "nothing came for 0.05 s"),
        (HOLD, HttpClient(total_timeout=0.05, tries=1), "no whole answer within 0.05 s"),
        (reply(GREETING)[:-3] + HOLD, HttpClient(total_timeout=0.05, tries=1), "no whole answer within 0.05 s"),
    ],
)
def test_silence_ends_in_time(answer: bytes, client: HttpClient, words: str) -> None:
    """A server that says nothing, or stops half-way, is `Unreachable` after the time allowed."""
    error = failure(answer, client=client)
    assert type(error) is Unreachable
    assert words in str(error)


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    """A refused connection is one short line."""

    async def asking() -> None:
        async with wire(b"") as served:
            url = served.url
        async with HttpClient(tries=1) as http:
            await http.get(url, greeting)

    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1:\d+/: no connection \(.*\)$"):
        asyncio.run(asking())


def test_a_host_that_is_not_known_is_unreachable() -> None:
    """A name that cannot exist is one short line."""

    async def asking() -> None:
        async with HttpClient(tries=1) as http:
            await http.get(URL("https://hub.docker.invalid/v2/x"), greeting)

    with pytest.raises(Unreachable, match=r"^hub\.docker\.invalid/v2/x: "):
        asyncio.run(asking())


def test_no_tls_is_unreachable() -> None:
    """A server that does not speak TLS where https was asked for."""

    async def asking() -> None:
        async with wire(reply(GREETING)) as served, HttpClient(tries=1) as http:
            await http.get(served.url.with_scheme("https"), greeting)

    with pytest.raises(Unreachable, match="no secure connection"):
        asyncio.run(asking())


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("location", ["/v2/x/?page=2", "x/?page=2"])
def test_redirects_on_the_same_server_are_followed(status: str, location: str) -> None:
    """As in 2017, when a missing slash gave a redirect to the path with the slash."""
    text, served = ask(reply("<html>moved</html>", status, Location=location), reply(GREETING))
    assert text == "hello"
    assert served.heads[1].startswith("GET /v2/x/?page=2 HTTP/1.1")


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/v2/x",
        "//evil.example/v2/x",
        "http://127.0.0.1:1/v2/x",
        "https://127.0.0.1/v2/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://[broken",
        "",
    ],
)
def test_redirects_elsewhere_are_not_followed(location: str) -> None:
    """Another scheme, host or port, or no address at all, ends the request."""
    client = HttpClient(tries=1)
    error = failure(reply("", "302 Found", Location=location), client=client)
    assert type(error) is UnreadableAnswer
    assert "redirect" in str(error)
    assert client.requests == 1


def test_a_circle_of_redirects_ends() -> None:
    """At most five redirects are followed, and each is a request that counts."""
    client = HttpClient(tries=1)
    assert "more than 5 redirects" in str(failure(reply("", "302 Found", Location="/v2/x"), client=client))
    assert client.requests == 6


def test_a_redirect_brings_no_credentials() -> None:
    """A user name in the address of a redirect is not sent."""

    async def asking() -> list[str]:
        async with wire(b"") as served, HttpClient(tries=1) as http:
            target = served.url.with_user("me").with_password("secret") / "there"
            served.answers[:] = [reply("", "302 Found", Location=str(target)), reply(GREETING)]
            await http.get(served.url, greeting)
            return served.heads

    _, second = asyncio.run(asking())
    assert second.startswith("GET /there HTTP/1.1")
    assert "Authorization" not in second


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go to the proxy that the environment names, with its password, except for excluded hosts."""

    async def asking() -> list[str]:
        async with wire(reply(GREETING)) as served, HttpClient(tries=1) as http:
            monkeypatch.setenv("http_proxy", str(served.url.with_user("me").with_password("pw")))
            monkeypatch.setenv("no_proxy", "excluded.invalid")
            assert await http.get(URL("http://hub.example/v2/x"), greeting) == "hello"
            assert await http.get(served.url / "direct", greeting) == "hello"
            with pytest.raises(Unreachable):
                await http.get(URL("http://excluded.invalid/"), greeting)
            return served.heads

    first, second = asyncio.run(asking())
    assert first.startswith("GET http://hub.example/v2/x HTTP/1.1")
    assert "Proxy-Authorization: Basic " in first
    assert second.startswith("GET /direct HTTP/1.1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [(reply("", "407 Who are you"), "the proxy named in the environment refused (407)"), (b"", "")],
)
def test_a_proxy_that_refuses_is_unreachable(answer: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names neither the proxy's address nor its password."""

    async def asking() -> None:
        async with wire(answer) as served, HttpClient(tries=1) as http:
            monkeypatch.setenv("https_proxy", str(served.url.with_user("me").with_password("sesame")))
            await http.get(URL("https://hub.example/v2/x"), greeting)

    with pytest.raises(Unreachable) as caught:
        asyncio.run(asking())
    assert words in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://localhost:1080", "http://", "http://[broken"])
def test_a_proxy_of_another_kind_is_wrong_usage(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only http and https proxies can be used."""
    monkeypatch.setenv("https_proxy", proxy)

    async def asking() -> None:
        async with HttpClient(tries=1) as http:
            await http.get(URL("https://hub.example/v2/x"), greeting)

    with pytest.raises(WrongUsage, match="not an http or https URL"):
        asyncio.run(asking())


def test_a_certificate_that_nobody_knows_is_refused() -> None:
    """The server's certificate has to be signed by an authority of this machine."""
    trustme = pytest.importorskip("trustme")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)

    async def asking() -> None:
        async with wire(reply(GREETING), tls=tls) as served, HttpClient(tries=1) as http:
            await http.get(served.url.with_scheme("https"), greeting)

    with pytest.raises(Unreachable, match="certificate is not accepted"):
        asyncio.run(asking())


def test_a_client_is_used_inside_its_context() -> None:
    """Outside of it there is no session."""
    with pytest.raises(RuntimeError):
        asyncio.run(HttpClient().get(URL("http://localhost"), greeting))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://hub.docker.com", "https://hub.docker.com/"),
        ("https://hub.docker.com/", "https://hub.docker.com/"),
        ("https://mirror.example:8443/hub/", "https://mirror.example:8443/hub"),
        ("http://localhost:8080", "http://localhost:8080/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("http://127.8.9.10", "http://127.8.9.10/"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
    ],
)
def test_base_urls(text: str, url: str) -> None:
    """https, or http on a loopback host."""
    assert validate_base_url(text, "--hub-url") == URL(url)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://example.com", "'http://example.com': plain http is only accepted for a loopback host"),
        ("http://10.0.0.1", "plain http"),
        ("http://0.0.0.0", "plain http"),
        ("http://localhost.example", "plain http"),
        ("http://[::2]", "plain http"),
        ("hub.docker.com", "not a URL"),
        ("", "not a URL"),
        ("https://", "not a URL"),
        ("https:///v2", "not a URL"),
        ("ftp://localhost", "not a URL"),
        ("https://hub.docker.com:port", "not a URL"),
        ("https://hub.docker.com:99999", "not a URL"),
        ("https://hub docker.com", "not a URL"),
        ("https://hub.docker.com/\x1b[31m\n", r"'https://hub.docker.com/\x1b[31m\n': not a URL"),
        ("https://[broken", "not a URL"),
        ("https://hub.docker.com?page=1", "a query or a fragment"),
        ("https://hub.docker.com/#", "a query or a fragment"),
        ("https://me:sesame@hub.docker.com", "a user name or a password"),
        ("https://me@hub.docker.com", "a user name or a password"),
    ],
)
def test_what_is_no_base_url(text: str, why: str) -> None:
    """The message names the option and the reason in one line, and never a password."""
    with pytest.raises(WrongUsage) as caught:
        validate_base_url(text, "--hub-url")
    message = str(caught.value)
    assert message.startswith("--hub-url")
    assert why in message
    assert message.isprintable()
    assert "sesame" not in message


@dataclass
class Badge:
    """A signer whose token is renewed after each 401, at most `renewals` times."""

    renewals: int = 1
    account: str | None = "me"
    refusals: list[int] = field(default_factory=list)

    async def headers(self) -> dict[str, str]:
        """A token that tells how often it was renewed."""
        return {"Authorization": f"Bearer token-{len(self.refusals)}"}

    async def refused(self, answer: Response) -> bool:
        """Renew the token, if it may be."""
        self.refusals.append(answer.status)
        return len(self.refusals) <= self.renewals


def sign_in(*answers: bytes, badge: Badge) -> list[str]:
    """The heads of the requests that are sent with a badge."""

    async def asking() -> list[str]:
        async with wire(*answers) as served, HttpClient(tries=1) as http:
            assert await http.get(served.url / "v2", greeting, signer=badge) == "hello"
            return served.heads

    return asyncio.run(asking())


def test_a_signer_signs_each_request() -> None:
    """The signer's headers are sent."""
    (head,) = sign_in(reply(GREETING), badge=Badge())
    assert "Authorization: Bearer token-0" in head


def test_a_token_that_is_refused_is_renewed() -> None:
    """After a 401 the signer is told, and the request is signed anew."""
    badge = Badge()
    _, second = sign_in(reply("", "401 Unauthorized"), reply(GREETING), badge=badge)
    assert "Authorization: Bearer token-1" in second
    assert badge.refusals == [401]


@pytest.mark.parametrize(("renewals", "requests"), [(0, 1), (9, 2)])
def test_a_request_is_refused_once_or_twice_and_no_more(renewals: int, requests: int) -> None:
    """A signer that cannot renew, or whose new token is refused too, ends in `Blocked`."""
    badge = Badge(renewals)
    client = HttpClient(tries=1)

    async def asking() -> None:
        async with wire(reply("", "401 Unauthorized")) as served, client as http:
            await http.get(served.url, greeting, signer=badge)

    with pytest.raises(Blocked):
        asyncio.run(asking())
    assert (client.requests, badge.refusals) == (requests, [401])


def test_a_question_can_be_posted() -> None:
    """A body is sent as JSON, with the headers of the caller."""

    async def asking() -> str:
        async with wire(reply(GREETING)) as served, HttpClient(tries=1) as http:
            question = {"identifier": "me"}
            await http.get(served.url, greeting, method="POST", json=question, headers={"Accept": "*/*"})
            return served.heads[0]

    head, _, body = asyncio.run(asking()).partition("\r\n\r\n")
    assert head.startswith("POST / HTTP/1.1")
    assert {"Content-Type: application/json", "Accept: */*"} <= set(head.splitlines())
    assert body == '{"identifier":"me"}'


def test_a_head_request_gives_headers_alone() -> None:
    """A HEAD answer has no body, whatever its Content-Length says."""

    async def asking() -> Response:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nDocker-Content-Digest: sha256:0\r\n\r\n"
        async with wire(answer) as served, HttpClient(tries=1) as http:
            return await http.get(served.url, lambda answer: answer, method="HEAD")

    answer = asyncio.run(asking())
    assert (answer.body, answer.headers["Docker-Content-Digest"]) == (b"", "sha256:0")


# Interim answers.

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("interim", [EARLY, CONTINUE, b"HTTP/1.1 199 Whatever\r\n\r\n"])
def test_a_few_interim_answers_are_waited_through(interim: bytes) -> None:
    """The answer comes behind them."""
    assert ask(interim * 8 + reply(GREETING))[0] == "hello"


@pytest.mark.parametrize("interim", [EARLY, CONTINUE])
def test_interim_answers_without_end_are_a_fault(interim: bytes) -> None:
    """It is told after a few of them, whatever the server goes on to send."""
    error = failure(interim * 50_000 + HOLD)
    assert isinstance(error, Unreachable)
    assert "interim" in str(error)
    assert isinstance(failure(interim * 9 + reply(GREETING)), Unreachable)


def test_a_fault_of_interim_answers_is_tried_again() -> None:
    """Like any other."""
    client = HttpClient(tries=2, timer=Clock().timer)
    assert ask(EARLY * 100 + HOLD, reply(GREETING), client=client)[0] == "hello"


def test_another_protocol_is_no_answer() -> None:
    """101 switches to one that nobody asked for."""
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert isinstance(failure(switching + HOLD), Unreachable)
