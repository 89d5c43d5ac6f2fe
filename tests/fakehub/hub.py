"""The state of a stand-in Hub: repositories, searches, habits, weather, and what has arrived."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from aiohttp import web

from tests.fakehub.accounts import HUB_LIFE, TokenBook, bearer
from tests.fakehub.data import FakeRepository
from tests.fakehub.limits import RateLimits, Wait

Route = Literal["search", "v1", "repositories", "tags"]
Proceed: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault: TypeAlias = Callable[[web.Request, Proceed], Awaitable[web.StreamResponse]]


class Arrival(NamedTuple):
    """A request as it came in; the headers' names match in any case."""

    method: str
    path_qs: str
    headers: Mapping[str, str]


def _no_caps() -> dict[Route, int | None]:
    return {"search": None, "v1": None, "repositories": None, "tags": None}


def _beyond_end() -> dict[Route, int]:
    return {"search": 200, "v1": 200, "repositories": 404, "tags": 404}


@dataclass
class RegistryHabits:
    """How the registry on the stand-in's server behaves.

    `sign_in`: what its 401 asks for: a token (as Docker Hub's), a password, or nothing at all.
    `only_here`: by full path, tags that the Hub's API does not list: their names with their digests.
    `link`: whether a `Link` header names the next page with a host or without.
    `largest_page`: the greatest `n`, above which the answer is 400; `None`: any.
    `ignores_n`: every answer has all tags, in no order, as distribution 2.8 does it.
    `realm`: where tokens are to be fetched, in place of `/token` on the same server.
    """

    sign_in: Literal["bearer", "basic", "none"] = "bearer"
    only_here: dict[str, dict[str, str]] = field(default_factory=dict)
    link: Literal["absolute", "relative"] = "absolute"
    largest_page: int | None = 1000
    ignores_n: bool = False
    realm: str | None = None
    tokens: TokenBook = field(default_factory=TokenBook)


@dataclass
class Hub:
    """A Docker Hub in memory. Everything may be changed while it runs, also between two pages.

    `repositories`: by full path, in the order they were added.
    `requests`: what has arrived, in order.
    `faults`: bad weather, outermost first (see `tests.fakehub.weather`).
    `offset_caps`: by route, the offset from which an anonymous list request gets 403.
    `beyond_end`: by route, the status of a page greater than one that lies beyond the end.
    `forced_page_size`: the page size of every list, whatever was asked (the fault of 2023-08).
    `users`: who can sign in, with the password or access token of each.
    `tokens`: the Hub tokens given out; `tokens.forget()` makes them unknown, long before they expire.
    `registry`: the habits of the registry on the same server.
    `rate_limit`: requests a minute in the X-RateLimit headers; `enforce` makes them count.
    `signed_in_rate_limit`: the same for a caller who has signed in.
    `rate_remaining`: what the headers say is left, if it shall not be counted.
    `limits`: how the budget of requests works, and in which form a 429 tells how long to wait.
    `latency`: seconds before each answer, counted from the arrival of the request.
    `has_canary`: whether `library/hello-world` answers on its own address without being in any list.
    """

    repositories: dict[str, FakeRepository] = field(default_factory=dict)
    requests: list[Arrival] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    offset_caps: dict[Route, int | None] = field(default_factory=_no_caps)
    beyond_end: dict[Route, int] = field(default_factory=_beyond_end)
    forced_page_size: int | None = None
    users: dict[str, str] = field(default_factory=dict)
    tokens: TokenBook = field(default_factory=TokenBook)
    registry: RegistryHabits = field(default_factory=RegistryHabits)
    rate_limit: int = 180
    signed_in_rate_limit: int = 600
    rate_remaining: int | None = None
    limits: RateLimits = field(default_factory=RateLimits)
    latency: float = 0.0
    has_canary: bool = True
    clock: Callable[[], float] = time.time
    _fixed_searches: dict[str, list[str]] = field(default_factory=dict)
    _repositories_made: int = 0

    def add_repository(
        self,
        path: str,
        description: str | None = "",
        *,
        star_count: int = 0,
        pull_count: int = 0,
        is_automated: bool = False,
        is_official: bool | None = None,
        full_description: str | None = "",
        last_updated: str | None = None,
        date_registered: str | None = "2014-06-05T19:14:45Z",
        era: int = 2025,
    ) -> FakeRepository:
        """Add a repository without tags; one of that path is replaced. Other fields: set them after."""
        self._repositories_made += 1
        repository = FakeRepository(
            path=path,
            id=self._repositories_made,
            description=description,
            full_description=full_description,
            star_count=star_count,
            pull_count=pull_count,
            is_automated=is_automated,
            is_official=is_official,
            last_updated=last_updated,
            date_registered=date_registered,
            era=era,
        )
        self.repositories[path] = repository
        return repository

    def remove_repository(self, path: str) -> None:
        """Delete a repository; `KeyError` if there is none of that path."""
        del self.repositories[path]

    def set_search(self, term: str, names: Sequence[str]) -> None:
        """Let a search for `term` answer these, in order: `mongo` or `library/mongo`, `acme/mongo`."""
        self._fixed_searches[term] = [name if "/" in name else f"library/{name}" for name in names]

    def search(self, query: str) -> list[FakeRepository]:
        """The repositories that a query finds, best match first.

        Every word of the query has to be in the name (without `library/`) or in the description. A name equal
        to the query comes first, then names that begin with it, then names that have all its words; inside
        these groups by stars, then in the order of adding. `*` or a blank matches everything.
        """
        if query in self._fixed_searches:
            names = self._fixed_searches[query]
            return [self.repositories[name] for name in names if name in self.repositories]
        if query in {"*", " "}:
            return list(self.repositories.values())
        words = query.lower().split()
        if not words:
            return []
        found = [
            repository
            for repository in self.repositories.values()
            if all(word in f"{repository.search_name} {repository.description or ''}".lower() for word in words)
        ]
        return sorted(found, key=lambda each: (_rank(each.search_name.lower(), words), -each.star_count))

    def arrived(self, request: web.Request) -> None:
        """Write down a request."""
        self.requests.append(Arrival(request.method, request.path_qs, request.headers))

    def enforce(
        self, limit: int, window: float = 60.0, *, signed_in: int | None = None, wait: Wait = "seconds"
    ) -> None:
        """From now on answer 429 to a caller of more than `limit` requests within `window` seconds.

        `signed_in` is the limit of an account, by default the same. `wait`: see `RateLimits`.
        """
        self.rate_limit, self.signed_in_rate_limit = limit, limit if signed_in is None else signed_in
        self.limits = RateLimits(window, is_enforced=True, wait=wait)

    def token(self, user: str) -> str:
        """A token of ten minutes for a user, as signing in gives it."""
        return self.tokens.issue(user, now=self.clock(), life=HUB_LIFE)

    def account(self, request: web.Request) -> str | None:
        """Who has signed in and sends this request; `None`: an anonymous caller.

        Raises `KeyError` for a token that is unknown or has expired.
        """
        token = bearer(request.headers.get("Authorization", ""))
        if token is None:
            return None
        grant = self.tokens.grant(token, now=self.clock())
        if grant is None:
            raise KeyError(token)
        return grant.user

    def rate_headers(self, account: str | None, address: str) -> dict[str, str]:
        """The X-RateLimit headers of an ordinary answer now: a rolling minute."""
        now, caller, limit = self.clock(), account or address, self._limit(account)
        counted = self.limits.remaining(caller, limit, now)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(counted if self.rate_remaining is None else self.rate_remaining),
            "X-RateLimit-Reset": str(int(self.limits.resets(caller, now))),
        }

    def too_many(self, account: str | None, address: str) -> dict[str, str] | None:
        """Count a request; the headers of its 429 if it is one too many and the budget is enforced."""
        now, caller, limit = self.clock(), account or address, self._limit(account)
        self.limits.arrived(caller, now)
        if not self.limits.is_enforced or self.limits.remaining(caller, limit, now) >= 0:
            return None
        self.limits.refused += 1
        rates = self.rate_headers(account, address) if self.limits.has_headers else {}
        return rates | self.limits.wait_header(caller, limit, now)

    def _limit(self, account: str | None) -> int:
        return self.rate_limit if account is None else self.signed_in_rate_limit

    def paths(self) -> list[str]:
        """The path and query of each request so far."""
        return [arrival.path_qs for arrival in self.requests]


def _rank(name: str, words: Sequence[str]) -> int:
    query = " ".join(words)
    if name == query:
        return 0
    if name.startswith(query):
        return 1
    return 2 if all(word in name for word in words) else 3
