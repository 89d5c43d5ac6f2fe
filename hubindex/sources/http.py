"""The one HTTP client: every request that hubindex sends goes through `HttpClient`.

    answer = await client.get(url, decode)

`get` is the place for what surrounds an attempt (pacing, retries, back-off); `_attempt` is one try, including
redirects; `_send` is one request on the wire. A server is not believed: the size of its headers and of its
unpacked body is limited, it cannot send the client to another origin, its cookies are dropped, and its words
reach a message only neutralised and cut.
"""

import ipaddress
import os
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias, TypeVar

import aiohttp
import msgspec
from yarl import URL

from hubindex import __version__, errors, moment
from hubindex.sources.foreign_text import shown
from hubindex.sources.pace import SYSTEM, Allowance, Timer

__all__ = ["Allowance", "Answer", "HttpClient", "Refusal", "Signer", "Timer", "validate_base_url"]

T = TypeVar("T")
Method: TypeAlias = Literal["GET", "HEAD", "POST"]

USER_AGENT = f"hubindex/{__version__} (Docker Hub index; Python aiohttp)"
_MIB = 1024 * 1024
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HEADER_LINE = 16 * 1024
_MAX_HEADERS = 128
_MAX_ERROR_BODY = 16 * 1024
_PAGINATION_REFUSED = b"pagination offset too large"


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer: `body` is unpacked, `sent_at` the moment (ms) at which the request was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_at: int


class Refusal(Exception):
    """What a server refused with: the `__cause__` of the error raised for an answer other than 200.

    `status` and `headers` (case-insensitive) tell how long to wait, or how to sign in.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP status {answer.status}")
        self.status = answer.status
        self.headers = answer.headers


class Signer(Protocol):
    """How requests to one host are signed.

    `account` is whose allowance the requests use, `None` if nobody's in particular; it is never logged.
    """

    @property
    def account(self) -> str | None:
        """The account, as far as requests are counted by it."""

    async def headers(self) -> Mapping[str, str]:
        """The headers that sign a request: `{"Authorization": "Bearer …"}`. May ask for a token first."""

    async def refused(self, answer: Answer) -> bool:
        """The server said 401: renew what can be renewed. Whether it makes sense to ask once more."""


@dataclass(frozen=True, slots=True, repr=False)  # it may hold a password
class _Request:
    """What is asked, apart from where."""

    method: Method
    headers: Mapping[str, str]
    json: object
    clock: Callable[[], int]

    def signed(self, headers: Mapping[str, str]) -> "_Request":
        return replace(self, headers={**self.headers, **headers})


class HttpClient:
    """A session of HTTP requests; use it as an async context manager.

    `connections` limits simultaneous connections, `max_body` the bytes of an unpacked body. Timeouts are in
    seconds: to connect, between two pieces of an answer, and for a whole answer. A proxy named in the
    environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) is used, except for loopback hosts. `requests`
    counts the requests sent.
    """

    def __init__(
        self,
        *,
        connections: int = 8,
        max_body: int = 32 * _MIB,
        connect_timeout: float = 10,
        read_timeout: float = 30,
        total_timeout: float = 120,
        tries: int = 6,
        budget: int | None = None,
        window: float = 60,
        timer: Timer = SYSTEM,
    ) -> None:
        self.requests = 0
        self._connections = connections
        self._max_body = max_body
        self._timeout = aiohttp.ClientTimeout(
            total=total_timeout, sock_connect=connect_timeout, sock_read=read_timeout
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # No trust_env: it would also send passwords from ~/.netrc, which nobody asked for.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            },
            max_line_size=_MAX_HEADER_LINE,
            max_field_size=_MAX_HEADER_LINE,
            max_headers=_MAX_HEADERS,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def allowance(self, url: URL) -> Allowance | None:
        """What is known of the allowance at the URL's host; `None`: nothing."""
        return None

    async def get(
        self,
        url: URL,
        decode: Callable[[Answer], T],
        *,
        clock: Callable[[], int] = moment.now,
        method: Method = "GET",
        headers: Mapping[str, str] | None = None,
        json: object = None,
        signer: Signer | None = None,
    ) -> T:
        """Ask for `url` and return what `decode` makes of the answer, which has status 200 and is whole.

        `decode` may raise msgspec's `DecodeError`; `clock` gives the present in ms; `json` is the body of a
        POST. Raises `NotFound` (404), `RateLimited` (429), `PaginationRefused` and `Blocked` (401, 403,
        challenge pages), `Unreachable` (no whole answer, 5xx), `BudgetSpent` and `UnreadableAnswer` (anything
        else). An error about a status other than 200 has a `Refusal` as its `__cause__`.
        """
        content_type = {} if json is None else {"Content-Type": "application/json"}
        request = _Request(method, {**content_type, **(headers or {})}, json, clock)
        answer = await self._attempt(url, request.signed(await signer.headers()) if signer else request)
        if answer.status == 401 and signer and await signer.refused(answer):
            answer = await self._attempt(url, request.signed(await signer.headers()))
        if answer.status != 200:
            raise _refused(url, answer) from Refusal(answer)
        try:
            return decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _unreadable(url, answer.body, error) from error

    async def _attempt(self, url: URL, request: _Request) -> Answer:
        """One attempt at a whole answer; redirects within the origin are followed, except for a POST."""
        target = url
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._send(target, request)
            if answer.status not in _REDIRECTS or request.method == "POST":
                return answer
            target = _redirected(target, answer.headers.get("Location", ""))
        raise errors.UnreadableAnswer(f"{_where(url)}: more than {_MAX_REDIRECTS} redirects")

    async def _send(self, url: URL, request: _Request) -> Answer:
        """Send one request and read one answer."""
        if self._session is None:
            raise RuntimeError("HttpClient is used outside of its context")
        proxy = _proxy_for(url)
        self.requests += 1
        sent_at = request.clock()
        try:
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=None if request.json is None else msgspec.json.encode(request.json),
                allow_redirects=False,
                proxy=proxy,
            ) as response:
                if response.status == 200:
                    body = await self._whole_body(url, response)
                else:
                    body = await _beginning(response)
                return Answer(response.status, response.headers, body, sent_at)
        except (aiohttp.ClientError, OSError) as error:
            raise _transport_error(url, error, self._timeout) from error

    async def _whole_body(self, url: URL, response: aiohttp.ClientResponse) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > self._max_body:
                response.close()
                raise errors.UnreadableAnswer(f"{_where(url)}: the answer is larger than {self._max_body:,} bytes")
            pieces.append(piece)
        return b"".join(pieces)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """As much of an error's body as tells what is wrong; a body cut short does not hide the status."""
    body = b""
    with suppress(aiohttp.ClientError, OSError):
        async for piece in response.content.iter_any():
            body += piece
            if len(body) >= _MAX_ERROR_BODY:
                response.close()
                break
    return body[:_MAX_ERROR_BODY]


def validate_base_url(text: str, what: str) -> URL:
    """The base URL that a person gave for a server, without a trailing slash.

    `https` is required; plain `http` is accepted for a loopback host. Credentials, a query and a fragment are
    refused. `what` names the option in the message of `WrongUsage`.
    """
    named = f"{what} {shown(text)!r}" if "@" not in text else what  # never print a password
    try:
        url = URL(text)
        host, port = url.host, url.explicit_port
    except ValueError:
        raise errors.WrongUsage(f"{named}: not a URL") from None
    if url.scheme not in ("http", "https") or not host or port == 0 or not text.isprintable() or " " in text:
        raise errors.WrongUsage(f"{named}: not a URL of the form https://host")
    if url.user is not None or url.password is not None:
        raise errors.WrongUsage(f"{what}: a URL with a user name or a password is not accepted")
    if "?" in text or "#" in text:
        raise errors.WrongUsage(f"{named}: a URL with a query or a fragment is not accepted")
    if url.scheme == "http" and not _is_loopback(host):
        raise errors.WrongUsage(f"{named}: plain http is only accepted for a loopback host")
    return url.with_path(url.raw_path.rstrip("/"), encoded=True)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxy_for(url: URL) -> URL | None:
    """The proxy that the environment names for this URL, if any."""
    host = url.host or ""
    if _is_loopback(host):
        return None
    proxies = urllib.request.getproxies()
    text = proxies.get(url.scheme) or proxies.get("all")
    if not text or urllib.request.proxy_bypass(host):
        return None
    try:
        proxy = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        proxy = URL()
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise errors.WrongUsage(
            f"the proxy that the environment names for {url.scheme} is not an http or https URL"
        )
    return proxy


def _redirected(source: URL, location: str) -> URL:
    """Where a redirect leads; only the same scheme, host and port are followed."""
    try:
        target = source.join(URL(location)) if location else None
        same = target is not None and target.origin() == source.origin()
    except ValueError:
        target, same = None, False
    if target is None:
        raise errors.UnreadableAnswer(f"{_where(source)}: a redirect that leads nowhere")
    if not same:
        raise errors.UnreadableAnswer(
            f"{_where(source)}: a redirect to another server ({shown(target.host or '')}) is not followed"
        )
    return target.with_user(None).with_fragment(None)


def _where(url: URL) -> str:
    """Host and path: enough to find the request, without what a query may hold."""
    return shown(f"{url.host_port_subcomponent or ''}{url.raw_path}", 200)


def _server_words(body: bytes) -> str:
    """The reason that a server gave, for a message: Docker Hub uses `message`, `detail` or `text`."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        for key in ("message", "detail", "text"):
            if key in fields:
                return shown(msgspec.json.decode(fields[key], type=str))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    text = body.decode("utf-8", "replace").strip()
    return "" if text.startswith(("<", "{", "[")) else shown(text)


def _is_challenge(body: bytes) -> bool:
    """Whether this is the CDN's page that asks a browser to prove itself, instead of an answer."""
    start = body[:_MAX_ERROR_BODY].lower()
    return _is_html(start) and (b"just a moment" in start or b"challenge-platform" in start)


def _is_html(body: bytes) -> bool:
    return body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _refused(url: URL, answer: Answer) -> errors.SourceError:
    """The error for an answer with a status other than 200."""
    status, where = answer.status, _where(url)
    words = _server_words(answer.body)
    said = f"{status}: {words}" if words else f"{status}"
    if _is_challenge(answer.body):
        return _challenged(where)
    if status == 404 and (_is_html(answer.body) or b"Page Not Found" in answer.body):
        # The route is gone, or a proxy answered: it says nothing about what was asked for.
        return errors.UnreadableAnswer(f"{where}: there is no such page on the server ({said})")
    if status == 404:
        return errors.NotFound(f"{where}: not found ({said})")
    if status == 429:
        return errors.RateLimited(f"{where}: too many requests ({said}); try again later")
    if status == 403 and _PAGINATION_REFUSED in answer.body:
        return errors.PaginationRefused(f"{where}: no further pages for this caller ({said})")
    if status in (401, 403):
        if "error code:" in words:
            return errors.Blocked(f"{where}: the server's CDN refuses this client ({said}); try again later")
        return errors.Blocked(f"{where}: access refused ({said})")
    if status >= 500 or status == 408:
        return errors.Unreachable(f"{where}: the server failed ({said}); try again later")
    return errors.UnreadableAnswer(f"{where}: an unexpected answer ({said})")


def _challenged(where: str) -> errors.Blocked:
    return errors.Blocked(
        f"{where}: the server's CDN wants to see a browser (a challenge page came instead of data); "
        "try again later"
    )


def _unreadable(url: URL, body: bytes, error: Exception) -> errors.SourceError:
    """The error for an answer with status 200 that is not what it should be."""
    where = _where(url)
    if _is_challenge(body):
        return _challenged(where)
    if _is_html(body):
        return errors.UnreadableAnswer(f"{where}: an HTML page came instead of data")
    why = "nested too deeply" if isinstance(error, RecursionError) else shown(str(error))
    return errors.UnreadableAnswer(f"{where}: the answer is not understood ({why})")


def _transport_error(url: URL, error: Exception, timeout: aiohttp.ClientTimeout) -> errors.SourceError:
    """The error for a request without a whole, well-formed HTTP answer."""
    where = _where(url)
    match error:
        case aiohttp.ConnectionTimeoutError():
            why = f"no connection within {timeout.sock_connect:g} s"
        case aiohttp.SocketTimeoutError():
            why = f"nothing came for {timeout.sock_read:g} s"
        case TimeoutError():
            why = f"no whole answer within {timeout.total:g} s"
        case aiohttp.ClientProxyConnectionError():
            why = "the proxy named in the environment cannot be reached"
        case aiohttp.ClientHttpProxyError():
            why = f"the proxy named in the environment refused ({error.status})"
        case aiohttp.ClientConnectorCertificateError():
            why = "the server's certificate is not accepted"
        case aiohttp.ClientSSLError():
            why = "no secure connection (TLS) with the server"
        case aiohttp.ClientConnectorDNSError():
            why = "the host name is not known"
        case aiohttp.ClientConnectorError():
            why = f"no connection ({os.strerror(error.errno) if error.errno else 'refused'})"
        case aiohttp.ClientPayloadError():
            why = "the answer was cut short or damaged on the way"
        case aiohttp.ClientResponseError():
            return errors.UnreadableAnswer(f"{where}: the answer is not well-formed HTTP")
        case aiohttp.InvalidURL():
            return errors.UnreadableAnswer(f"{where}: not a URL that can be asked for")
        case _:
            why = "the connection broke off"
    return errors.Unreachable(f"{where}: {why}")
