"""The wire: one request, and one answer of limited size, or the way in which it failed."""

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

import aiohttp
from yarl import URL

from hubindex import __version__, errors
from hubindex.sources.http import failures
from hubindex.sources.http.address import where
from hubindex.sources.http.failures import Failure, InterimOnly, Next, Response
from hubindex.sources.http.trust import Trust, UnusableCertificate

USER_AGENT: Final = f"hubindex/{__version__} (container image index; Python aiohttp)"
_MAX_HEADER_LINE = 16 * 1024
_MAX_HEADERS = 128
_MAX_INTERIM = 8


class Sink(Protocol):
    """Takes a body that is too large to be kept, piece by piece."""

    def add(self, piece: bytes) -> None:
        """Take the next piece."""


class Transport:
    """A session of connections: `connections` at most, and `max_body` bytes of an unpacked body."""

    def __init__(self, connections: int, max_body: int, timeout: aiohttp.ClientTimeout, trust: Trust) -> None:
        self._connections = connections
        self._max_body = max_body
        self._timeout = timeout
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Start the session."""
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
            middlewares=(_sent_once,),
            response_class=_Response,
        )

    async def close(self) -> None:
        """End the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def require_open(self) -> aiohttp.ClientSession:
        """The session; `RuntimeError` if there is none."""
        if self._session is None:
            raise RuntimeError("HttpClient is used outside of its context")
        return self._session

    async def send(
        self,
        url: URL,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        sent_at: int,
        proxy: URL | None,
        max_body: int | None = None,
        sink: Callable[[], Sink] | None = None,
    ) -> Response | Failure:
        """Send one request and read one answer; redirects are answers. `sent_at` is for the answer, in ms.

        A `sink` takes the body instead, however long it takes, as long as it goes on coming.
        """
        limit = self._max_body if max_body is None else min(max_body, self._max_body)
        timeout = self._timeout
        if sink is not None:
            timeout = aiohttp.ClientTimeout(sock_connect=timeout.sock_connect, sock_read=timeout.sock_read)
        try:
            context = self._trust.context(url)
        except UnusableCertificate as error:
            return Failure(errors.Unreachable(f"{where(url)}: {error}"), Next.RAISE)
        try:
            async with self.require_open().request(
                method, url, headers=headers, data=body, allow_redirects=False, proxy=proxy, timeout=timeout,
                ssl=context,
            ) as response:  # fmt: skip
                if response.status != 200:
                    return Response(response.status, response.headers, await _beginning(response), sent_at)
                if sink is not None:
                    await _drain(response, sink())
                    return Response(response.status, response.headers, b"", sent_at)
                whole = await _whole_body(response, limit)
                if whole is None:
                    return failures.oversized(url, limit)
                return Response(response.status, response.headers, whole, sent_at)
        except (aiohttp.ClientError, OSError) as error:
            return failures.broken_off(url, error, self._timeout)


class _Response(aiohttp.ClientResponse):
    """An answer that comes after a few interim ones (statuses 1xx) at most: aiohttp reads them without end."""

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Read the head of the answer. Raises `InterimOnly` if there is none to come."""
        protocol: Any = connection.protocol
        read, interim = protocol.read, itertools.count(1)

        async def read_some() -> Any:
            message, payload = await read()
            if 100 <= message.code < 200 and (message.code == 101 or next(interim) > _MAX_INTERIM):
                raise InterimOnly(f"interim answers only, the last one with status {message.code}")
            return message, payload

        protocol.read = read_some
        try:
            return await super().start(connection)
        finally:
            del protocol.read


async def _sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself, which nobody would count, after a connection broke."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError("the connection broke off") from error


async def _whole_body(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The body; `None` if it is larger than `limit` bytes."""
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > limit:
            response.close()
            return None
        pieces.append(piece)
    return b"".join(pieces)


async def _drain(response: aiohttp.ClientResponse, sink: Sink) -> None:
    async for piece in response.content.iter_any():
        sink.add(piece)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """As much of an error's body as tells what is wrong; a body cut short does not hide the status."""
    body = b""
    with suppress(aiohttp.ClientError, OSError):
        async for piece in response.content.iter_any():
            body += piece
            if len(body) >= failures.MAX_ERROR_BODY:
                response.close()
                break
    return body[: failures.MAX_ERROR_BODY]
