"""The one HTTP client: every request that hubindex sends goes through `HttpClient`.

    answer = await client.get(url, decode)

`get` asks until there is an answer, or no hope of one: it signs, retries and backs off. `_try` is one attempt, let
through by the host's `Gate` (see `pace`); `_follow` goes after redirects; `_send` is one request on the wire (see
`transport`). A server is not believed: the size of its headers and of its unpacked body is limited, it cannot send
the client to another origin, its cookies are dropped, and its words reach a message only neutralised and cut (see
`failures`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Generic, Literal, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from hubindex import errors, moment
from hubindex.sources.http import failures, trace
from hubindex.sources.http.address import proxy_for, redirected, redirected_away, where
from hubindex.sources.http.failures import Failure, Next, Response
from hubindex.sources.http.pace import SYSTEM, Allowance, Gate, Permit, Timer
from hubindex.sources.http.rate_headers import named_wait
from hubindex.sources.http.transport import Sink, Transport
from hubindex.sources.http.trust import NOTHING_SPECIAL, Trust
from hubindex.text import shown

T = TypeVar("T")
Method: TypeAlias = Literal["GET", "HEAD", "POST"]

_MIB = 1024 * 1024
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_ONE_HOST = frozenset({"Authorization", "If-None-Match"})
_MAX_TRIES_UNANSWERED = 3  # of a host that never answered: whoever is offline wants to know soon
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 30.0


class Signer(Protocol):
    """How requests to one host are signed.

    `account` is whose allowance the requests use, `None` if nobody's in particular; it is never logged.
    """

    @property
    def account(self) -> str | None:
        """The account, as far as requests are counted by it."""

    async def headers(self) -> Mapping[str, str]:
        """The headers that sign a request: `{"Authorization": "Bearer …"}`. May ask for a token first."""

    async def refused(self, answer: Response) -> bool:
        """The server answered 401: renew what can be renewed. Returns whether asking once more makes sense."""


@dataclass(frozen=True, slots=True, repr=False)  # it may hold a password
class _Request(Generic[T]):
    """What is asked, and what makes something of the answer."""

    url: URL
    method: Method
    headers: Mapping[str, str]
    body: bytes | None
    clock: Callable[[], int]
    decode: Callable[[Response], T]
    statuses: frozenset[int]
    max_body: int | None
    may_leave: bool
    sink: Callable[[], Sink] | None


@dataclass(frozen=True, slots=True)
class _Decoded(Generic[T]):
    """An answer, and what the decoder made of it."""

    value: T
    answer: Response


class HttpClient:
    """A session of HTTP requests; use it as an async context manager.

    `connections` limits simultaneous connections, `max_body` the bytes of an unpacked body. Timeouts are in
    seconds: to connect, between two pieces of an answer, and for a whole answer. A proxy named in the
    environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) is used, except for loopback hosts.

    A request is tried `tries` times, but three times at most if its host has never answered; answers that ask to
    wait (429) are counted apart. `budget` is how many requests may be sent in all (`None`: any number). `window`
    is the time in seconds that the limits of servers are for; `timer` is time itself. `trust` tells which servers
    are trusted, and may speak plain HTTP. `requests` counts the requests sent, whatever became of them.
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
        trust: Trust = NOTHING_SPECIAL,
    ) -> None:
        self.requests = 0
        self.trust = trust
        self._connections = connections
        timeout = aiohttp.ClientTimeout(total=total_timeout, sock_connect=connect_timeout, sock_read=read_timeout)
        self._transport = Transport(connections, max_body, timeout, trust)
        self._tries = tries
        self._budget = budget
        self._window = window
        self._timer = timer
        self._gates: dict[tuple[URL, str | None], Gate] = {}
        self._refused: dict[URL, str] = {}  # hosts that refused further requests, and how

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for gate in self._gates.values():
            gate.close()
        await self._transport.close()

    def allowance(self, url: URL) -> Allowance | None:
        """What is known of the allowance at the URL's host, of the account used last; `None`: nothing."""
        origin = _origin(url)
        gates = [gate for (at, _), gate in self._gates.items() if at == origin]
        return max(gates, key=lambda gate: gate.last_used).allowance() if gates else None

    async def get(
        self,
        url: URL,
        decode: Callable[[Response], T],
        *,
        clock: Callable[[], int] = moment.now,
        method: Method = "GET",
        headers: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        signer: Signer | None = None,
        statuses: frozenset[int] = frozenset({200}),
        max_body: int | None = None,
        may_leave: bool = False,
        sink: Callable[[], Sink] | None = None,
    ) -> T:
        """Ask for `url` and return what `decode` makes of the answer, which has one of `statuses` and is whole.

        `decode` may raise msgspec's `DecodeError`; `clock` gives the present in ms; `json` or `form` is the body
        of a POST; `max_body` limits the bytes of an unpacked body more than the client does. With `may_leave` a
        redirect is followed to another server too (`address.redirected_away`), without what signs the request:
        only for what is checked by its digest. `sink` makes, for each attempt, what takes the pieces of a body of
        any size; the answer has no body then. Waits as long as the host asks for or seems to need, and tries again
        after faults that may pass.

        Raises `NotFound` (404), `RateLimited` (429 again and again), `PaginationRefused` and `Blocked` (401, 403,
        challenge pages), `Unreachable` (no whole answer, 5xx), `BudgetSpent` and `UnreadableAnswer` (anything
        else). An error about a status other than those has a `Refusal` as its `__cause__`.
        """
        body, content_type = None, {}
        if json is not None:
            body, content_type = msgspec.json.encode(json), {"Content-Type": "application/json"}
        elif form is not None:
            body = urlencode(form).encode()
            content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        request = _Request(
            url, method, {**content_type, **(headers or {})}, body, clock, decode, statuses,
            max_body, may_leave, sink,
        )  # fmt: skip
        gate = self._gate(url, signer)
        failed = limited = number = 0
        renewed = False
        while True:
            number += 1
            self._require_open(url)
            outcome = await self._try(gate, await _signed(request, signer), number)
            if isinstance(outcome, _Decoded):
                return outcome.value
            match outcome.next:
                case Next.WAIT:
                    limited += 1
                    if limited >= self._tries:
                        raise outcome.error
                case Next.RETRY:
                    failed += not gate.is_failing  # a request is not to blame for its host
                    most = self._tries if gate.has_answered else min(self._tries, _MAX_TRIES_UNANSWERED)
                    if failed >= most or gate.gave_up or self._tries == 1:
                        raise outcome.error
                    await self._timer.sleep(self._backoff(max(failed, 1), outcome.answer))
                case Next.STOP:
                    self._stop(url, str(outcome.error))
                    raise outcome.error
                case Next.RAISE:
                    if renewed or not await _renewed(outcome.answer, signer):
                        raise outcome.error
                    renewed = True

    async def _try(self, gate: Gate, request: _Request[T], number: int) -> _Decoded[T] | Failure:
        """One attempt, when the gate lets it through. Its outcome is told to the gate, and to the log."""
        permit = await gate.enter()
        began = self._timer.now()
        try:
            answer = await self._follow(request, permit)
            outcome = answer if isinstance(answer, Failure) else _understood(request, answer)
        except BaseException:
            gate.give_back(permit)
            raise
        seconds = self._timer.now() - began
        failed = outcome if isinstance(outcome, Failure) else None
        verdict = failed.next if failed else None
        attempt = trace.Attempt(request.method, request.url, number, permit.waited, seconds)
        trace.attempted(attempt, outcome.answer, failed.error if failed else None)
        gate.report(permit, outcome.answer, limited=verdict is Next.WAIT, failed=verdict is Next.RETRY)
        return outcome

    async def _follow(self, request: _Request[T], permit: Permit) -> Response | Failure:
        """One attempt at a whole answer; redirects within the origin are followed, except for a POST."""
        target, headers = request.url, request.headers
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._send(target, replace(request, headers=headers), permit)
            if isinstance(answer, Failure) or answer.status not in _REDIRECTS or request.method == "POST":
                return answer
            try:
                location = answer.headers.get("Location", "")
                following = (redirected_away if request.may_leave else redirected)(target, location)
                if following.origin() != target.origin():
                    headers = {name: value for name, value in headers.items() if name not in _FOR_ONE_HOST}
                target = following
            except errors.UnreadableAnswer as error:
                return Failure(error, Next.RAISE, answer)
        circle = errors.UnreadableAnswer(f"{where(request.url)}: more than {_MAX_REDIRECTS} redirects")
        return Failure(circle, Next.RAISE)

    async def _send(self, url: URL, request: _Request[T], permit: Permit) -> Response | Failure:
        """Send one request and read one answer."""
        self._transport.require_open()
        proxy = proxy_for(url)
        self._require_open(url)
        self.requests += 1
        if self.requests == self._budget:
            self._fail_waiting(self._budget_spent)
        permit.sent.append(self._timer.now())
        return await self._transport.send(
            url, request.method, request.headers, request.body, sent_at=request.clock(), proxy=proxy,
            max_body=request.max_body, sink=request.sink,
        )  # fmt: skip

    def _gate(self, url: URL, signer: Signer | None) -> Gate:
        key = (_origin(url), signer.account if signer else None)
        if key not in self._gates:
            host = shown(url.host_port_subcomponent or "")
            self._gates[key] = Gate(host, self._connections, self._window, self._timer, trace.paused)
        return self._gates[key]

    def _backoff(self, failed: int, answer: Response | None) -> float:
        """Seconds until a failed request is tried again: more each time, or what a 503 asks for."""
        growing = min(_FIRST_BACKOFF * 2.0 ** min(failed - 1, 10), _LONGEST_BACKOFF)
        wait = growing * self._timer.random.uniform(0.5, 1.0)
        asked = named_wait(answer.headers, self._timer.wall()) if answer else None
        return wait if asked is None else max(wait, asked)

    def _require_open(self, url: URL) -> None:
        """Raise if no further request may be sent, to this host or at all."""
        if message := self._refused.get(_origin(url)):
            raise errors.Blocked(message)
        if self._budget is not None and self.requests >= self._budget:
            raise self._budget_spent()

    def _budget_spent(self) -> errors.BudgetSpent:
        return errors.BudgetSpent(f"the {self._budget:,} requests that this run may send have been sent")

    def _stop(self, url: URL, message: str) -> None:
        """Send nothing more to this host."""
        origin = _origin(url)
        self._refused[origin] = message
        self._fail_waiting(lambda: errors.Blocked(message), origin)

    def _fail_waiting(self, error: Callable[[], errors.SourceError], origin: URL | None = None) -> None:
        """Let the requests that wait raise an error: those to one host, or all of them."""
        for (at, _), gate in self._gates.items():
            if origin is None or at == origin:
                gate.fail_waiting(error)


async def _signed(request: _Request[T], signer: Signer | None) -> _Request[T]:
    return replace(request, headers={**request.headers, **await signer.headers()}) if signer else request


async def _renewed(answer: Response | None, signer: Signer | None) -> bool:
    """Whether the signer was refused, and can sign anew."""
    return answer is not None and answer.status == 401 and signer is not None and await signer.refused(answer)


def _origin(url: URL) -> URL:
    try:
        return url.origin()
    except ValueError:
        raise errors.UnreadableAnswer(f"{where(url)}: not a URL that can be asked for") from None


def _understood(request: _Request[T], answer: Response) -> _Decoded[T] | Failure:
    if answer.status not in request.statuses:
        return failures.refused(request.url, answer)
    try:
        return _Decoded(request.decode(answer), answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return failures.unreadable(request.url, answer, error)
