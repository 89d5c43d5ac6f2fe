"""Bad weather: faults that can be put over any route of the stand-in Hub.

A fault is asked before the route. It answers itself, or lets the request `proceed` and may change the answer:

    async def fault(request, proceed): ...

    hub.disturb("/tags", server_error(), times=2)            # then all is well again
    hub.disturb("page=2", too_many("60"), times=1)
    hub.disturb("/tags", meanwhile(lambda: mongo.push("8.0")), times=1)
"""

import asyncio
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping

from aiohttp import web

from tests.fakehub.hub import Fault, Proceed
from tests.fakehub.routes import LARGEST_PAGE, encode
from tests.fakehub.rows import JSON

HTML_503 = "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>\n"
CHALLENGE = '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head></html>\n'
LOG_LINE = '{"message":"error executing query: row 4711: invalid byte sequence","errinfo":{}}'


def on(pattern: str, fault: Fault, *, times: int | None = None, after: int = 0) -> Fault:
    """`fault` only where `pattern` is found in `path_qs`: after `after` such requests, `times` times."""
    seen = 0

    async def sometimes(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        nonlocal seen
        if re.search(pattern, request.path_qs):
            seen += 1
            if seen > after and (times is None or seen <= after + times):
                return await fault(request, proceed)
        return await proceed(request)

    return sometimes


def share(part: float, fault: Fault, *, seed: int = 1) -> Fault:
    """`fault` for that share of requests, 0 to 1, which the order of concurrent requests does not change.

    Whether it strikes depends on `seed`, the address, and how often this address was asked for.
    """
    asked: Counter[str] = Counter()

    async def by_lot(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        asked[request.path_qs] += 1
        lot = hashlib.sha256(f"{seed} {asked[request.path_qs]} {request.path_qs}".encode()).digest()
        if int.from_bytes(lot[:8]) < part * 2**64:
            return await fault(request, proceed)
        return await proceed(request)

    return by_lot


def poisoned(row: int) -> Fault:
    """500 for every page of a list that would have the row of that number, from 0, whatever its size."""

    async def poisoning(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        page = int(request.query.get("page", "1"))
        size = min(int(request.query.get("page_size") or request.query.get("n") or "10"), LARGEST_PAGE)
        if (page - 1) * size <= row < page * size:
            return await server_error()(request, proceed)
        return await proceed(request)

    return poisoning


def answer(
    status: int,
    body: str | bytes = b"",
    *,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Fault:
    """Always the same answer."""
    content = body.encode() if isinstance(body, str) else body

    async def answering(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        return web.Response(status=status, body=content, content_type=content_type, headers=headers)

    return answering


def server_error() -> Fault:
    """500 with an internal log line, as one poisoned row makes it."""
    return answer(500, LOG_LINE)


def unavailable(status: int = 503) -> Fault:
    """502, 503 or 504 with HTML."""
    return answer(status, HTML_503, content_type="text/html")


def fingerprint_refused() -> Fault:
    """The CDN does not like the client: 403 in plain text."""
    return answer(403, "error code: 1010", content_type="text/plain", headers={"Server": "cloudflare"})


def challenge(status: int = 403) -> Fault:
    """The CDN wants a browser: an HTML page."""
    return answer(status, CHALLENGE, content_type="text/html", headers={"Server": "cloudflare"})


def not_found() -> Fault:
    """404 for something that may well exist."""
    return answer(404, '{"message":"object not found","errinfo":{}}')


def unauthorized() -> Fault:
    """401 of the repositories service."""
    return answer(401, '{"message":"unauthorized","errinfo":{}}')


def too_many(wait: str | None = "60", *, header: str = "Retry-After", rate_headers: bool = True) -> Fault:
    """429. `wait` is the header's text: seconds, a unix time, an HTTP date; `None`: no header."""
    headers = {header: wait} if wait is not None else {}
    if rate_headers:
        headers |= {"X-RateLimit-Limit": "180", "X-RateLimit-Remaining": "0"}
    return answer(429, '{"detail":"Rate limit exceeded"}', headers=headers)


def garbage(body: str | bytes = b'{"count":1,"results":[{"na\xff') -> Fault:
    """200 with something that is not JSON, though its header says so."""
    return answer(200, body)


def redirect(location: str, status: int = 302) -> Fault:
    """A redirect to any address."""
    return answer(status, "<html>moved</html>", content_type="text/html", headers={"Location": location})


async def slash_wanted(request: web.Request, proceed: Proceed) -> web.StreamResponse:
    """A fault: 301 to the same path with a slash at its end, as in 2017."""
    if request.path.endswith("/"):
        return await proceed(request)
    location = str(request.rel_url.with_path(request.rel_url.raw_path + "/", encoded=True, keep_query=True))
    return await redirect(location, 301)(request, proceed)


async def cut_short(request: web.Request, proceed: Proceed) -> web.StreamResponse:
    """A fault: half of the true body, and the connection ends before its Content-Length."""
    response = await proceed(request)
    body = _body(response)
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


async def hang_up(request: web.Request, proceed: Proceed) -> web.StreamResponse:
    """A fault: the connection ends without any answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def huge(size: int = 1 << 30) -> Fault:
    """An answer that goes on for `size` bytes, of unknown length, or until the client has had enough."""

    async def pouring(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"count":1,"next":null,"previous":null,"results":[')
        for _ in range(size >> 16):
            await response.write(b" " * (1 << 16))
        await response.write(b"]}")
        return response

    return pouring


def compressed_huge(size: int = 1 << 27) -> Fault:
    """A small gzip answer that becomes `size` bytes."""
    body = gzip.compress(b'{"results":[' + b" " * size + b"]}", compresslevel=9)

    async def answering(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
        await response.prepare(request)
        await response.write(body)
        return response

    return answering


def slow(seconds: float) -> Fault:
    """The first byte comes late."""

    async def waiting(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await proceed(request)

    return waiting


def meanwhile(action: Callable[[], object]) -> Fault:
    """The true answer, and right after it the world changes: something is pushed or deleted."""

    async def acting(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        response = await proceed(request)
        action()
        return response

    return acting


def rewritten(change: Callable[[dict[str, JSON]], None]) -> Fault:
    """The true answer with its JSON object changed in place; errors and arrays pass as they are."""

    async def rewriting(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        response = await proceed(request)
        value = json.loads(_body(response))
        if isinstance(response, web.Response) and response.status == 200 and isinstance(value, dict):
            change(value)
            response.body = encode(value)
        return response

    return rewriting


def counts(*totals: int) -> Fault:
    """`count` is one of `totals` after the other, and stays at the last: a drifting or stuck total."""
    left = list(totals)

    def change(value: dict[str, JSON]) -> None:
        value["count"] = left.pop(0) if len(left) > 1 else left[0]

    return rewritten(change)


def next_elsewhere(origin: str) -> Fault:
    """`next` and `previous` lead to another origin, `https://elsewhere.example`."""

    def change(value: dict[str, JSON]) -> None:
        for key in ("next", "previous"):
            address = value.get(key)
            if isinstance(address, str) and address:
                value[key] = re.sub(r"^https?://[^/]+", origin, address)

    return rewritten(change)


def next_replaced(old: str, new: str) -> Fault:
    """`next` with one text replaced by another: `library/` lost, `page=2` for ever."""

    def change(value: dict[str, JSON]) -> None:
        address = value.get("next")
        if isinstance(address, str):
            value["next"] = address.replace(old, new)

    return rewritten(change)


def _body(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else None
    return bytes(body) if isinstance(body, bytes | bytearray) else b"null"
