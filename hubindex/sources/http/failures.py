"""What an attempt that failed means: which error a caller gets, and whether to try again.

An attempt fails without a whole answer, with a status other than 200, or with a body that is not what was asked
for. What a server says about it reaches a message only neutralised and cut.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import aiohttp
import msgspec
from yarl import URL

from hubindex import errors
from hubindex.sources.http import tls_failures
from hubindex.sources.http.address import where
from hubindex.text import shown

MAX_ERROR_BODY = 16 * 1024
_PAGINATION_REFUSED = b"pagination offset too large"
_CDN_REFUSES = re.compile(rb"\s*error code: 1\d\d\d\s*", re.IGNORECASE)
_CDN_LIMITS = b"1015"
_WANTS_TLS = b"Client sent an HTTP request to an HTTPS server"  # Go's net/http
_CHALLENGES = (b"just a moment", b"challenge-platform", b"attention required! | cloudflare")


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer: `body` is unpacked, `sent_at` the moment (ms) at which the request was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_at: int


class Next(Enum):
    """What to do after a failed attempt."""

    RAISE = "raise"  # trying again would not help
    RETRY = "retry"  # a fault that may pass
    WAIT = "wait"  # too many requests
    STOP = "stop"  # the source refused further requests


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: the error for the caller, what to do next, and the answer, if a whole one came."""

    error: errors.SourceError
    next: Next
    answer: Response | None = None


class Refusal(Exception):
    """What a server refused with: the `__cause__` of the error raised for an answer other than 200.

    `status` and `headers` (case-insensitive) tell how long to wait, or how to sign in.
    """

    def __init__(self, answer: Response) -> None:
        super().__init__(f"HTTP status {answer.status}")
        self.status = answer.status
        self.headers = answer.headers

    @property
    def is_json(self) -> bool:
        """Whether the service itself refused: a CDN in front of it sends HTML or plain text."""
        return "json" in self.headers.get("Content-Type", "")


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


def _is_challenge(answer: Response) -> bool:
    """Whether this is the CDN's page that asks a browser to prove itself, or turns it away, instead of an answer.

    Cloudflare marks its challenges with a header; the pages themselves were seen 2026-08.
    """
    if answer.headers.get("cf-mitigated", "").lower() == "challenge":
        return True
    start = answer.body[:MAX_ERROR_BODY].lower()
    return _is_html(start) and any(words in start for words in _CHALLENGES)


def _is_html(body: bytes) -> bool:
    return body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def refused(url: URL, answer: Response) -> Failure:
    """What an answer with a status other than 200 means; its error has a `Refusal` as its `__cause__`."""
    error, next_step = _refusal(url, answer)
    error.__cause__ = Refusal(answer)
    return Failure(error, next_step, answer)


def _refusal(url: URL, answer: Response) -> tuple[errors.SourceError, Next]:
    status, place = answer.status, where(url)
    words = _server_words(answer.body)
    said = f"{status}: {words}" if words else f"{status}"
    cdn_refuses = status == 403 and _CDN_REFUSES.fullmatch(answer.body)
    if _is_challenge(answer):
        return _challenged(place), Next.STOP
    if status == 404 and (_is_html(answer.body) or b"Page Not Found" in answer.body):
        # The route is gone, or a proxy answered: it says nothing about what was asked for.
        return errors.UnreadableAnswer(f"{place}: there is no such page on the server ({said})"), Next.RAISE
    if status == 404:
        return errors.NotFound(f"{place}: not found ({said})"), Next.RAISE
    if status == 429 or (cdn_refuses and _CDN_LIMITS in answer.body):
        return errors.RateLimited(f"{place}: too many requests ({said}); try again later"), Next.WAIT
    if status == 403 and _PAGINATION_REFUSED in answer.body:
        return errors.PaginationRefused(f"{place}: no further pages for this caller ({said})"), Next.RAISE
    if cdn_refuses:
        blocked = f"{place}: the server's CDN refuses this client ({said}); try again later"
        return errors.Blocked(blocked), Next.STOP
    if status == 400 and _WANTS_TLS in answer.body:
        return errors.UnreadableAnswer(f"{place}: the server speaks HTTPS, and was asked over HTTP"), Next.RAISE
    if status in (401, 403):
        return errors.Forbidden(f"{place}: access refused ({said})"), Next.RAISE
    if status >= 500 or status == 408:
        return errors.Unreachable(f"{place}: the server failed ({said}); try again later"), Next.RETRY
    # A method that exists was refused for hours during an incident (seen 2022-07-18).
    unexpected = errors.UnreadableAnswer(f"{place}: an unexpected answer ({said})")
    return unexpected, Next.RETRY if status == 405 else Next.RAISE


def _challenged(place: str) -> errors.Blocked:
    return errors.Blocked(
        f"{place}: the server's CDN asks for a browser (a challenge page came instead of data); try again later"
    )


def unreadable(url: URL, answer: Response, error: Exception) -> Failure:
    """What an answer with status 200 means that is not what it should be."""
    place = where(url)
    if _is_challenge(answer):
        return Failure(_challenged(place), Next.STOP, answer)
    if _is_html(answer.body):
        what = errors.UnreadableAnswer(f"{place}: an HTML page came instead of data")
    else:
        why = "nested too deeply" if isinstance(error, RecursionError) else shown(str(error))
        what = errors.UnreadableAnswer(f"{place}: the answer is not understood ({why})")
    what.__cause__ = error
    return Failure(what, Next.RETRY, answer)


def oversized(url: URL, limit: int) -> Failure:
    """What an answer of more than `limit` bytes means."""
    return Failure(errors.UnreadableAnswer(f"{where(url)}: the answer is larger than {limit:,} bytes"), Next.RAISE)


class InterimOnly(aiohttp.ClientConnectionError):
    """A server sent interim answers (statuses 1xx), and no answer after a few of them."""


def broken_off(url: URL, error: Exception, timeout: aiohttp.ClientTimeout) -> Failure:
    """What a request without a whole, well-formed HTTP answer means."""
    place, next_step = where(url), Next.RETRY
    if (why := tls_failures.explained(url, error)) is not None:
        return _failed(errors.Unreachable(f"{place}: {why}"), Next.RAISE, error)
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
            next_step = Next.RETRY if error.status >= 500 else Next.RAISE
        case aiohttp.ClientSSLError():
            why = "no secure connection (TLS) with the server"
        case aiohttp.ClientConnectorDNSError():
            why = "the host name is not known"
        case aiohttp.ClientConnectorError():
            why = f"no connection ({os.strerror(error.errno) if error.errno else 'refused'})"
        case aiohttp.ClientPayloadError():
            why = "the answer was cut short or damaged on the way"
        case aiohttp.InvalidURL():
            return _failed(errors.UnreadableAnswer(f"{place}: not a URL that can be asked for"), Next.RAISE, error)
        case aiohttp.ClientResponseError():
            return _failed(
                errors.UnreadableAnswer(f"{place}: the answer is not well-formed HTTP"), Next.RETRY, error
            )
        case InterimOnly():
            why = str(error)
        case _:
            why = "the connection broke off"
    return _failed(errors.Unreachable(f"{place}: {why}"), next_step, error)


def _failed(error: errors.SourceError, next_step: Next, cause: Exception) -> Failure:
    if not isinstance(cause, aiohttp.ClientResponseError):  # whose `repr` shows the token of the request
        error.__cause__ = cause
    return Failure(error, next_step)
