"""The routes of the stand-in Hub. They read the hub and never change it."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from tests.fakehub.data import FakeRepository, FakeTag, moment_key
from tests.fakehub.hub import Hub, Route
from tests.fakehub.rows import (
    JSON,
    Row,
    layered_image_row,
    repository_detail,
    repository_row,
    search_row,
    tag_row,
    v1_search_row,
)

T = TypeVar("T", FakeRepository, FakeTag)

LARGEST_PAGE = 100
CANARY = "library/hello-world"
OFFSET_TOO_LARGE = "pagination offset too large for anonymous requests; sign in to page further"

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "&<>\u2028\u2029"}


def encode(value: JSON) -> bytes:
    """JSON as the Hub writes it: compact UTF-8 with `&`, `<` and `>` escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES).encode()


def json_response(value: JSON, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    return web.Response(body=encode(value), status=status, content_type="application/json", headers=headers)


def error(status: int, message: str) -> web.Response:
    """An error of the repositories service."""
    return json_response({"message": message, "errinfo": {}}, status=status)


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page cut from a list, and its place in it."""

    items: Sequence[T]
    number: int
    size: int
    count: int

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.number * self.size >= self.count


class Routes:
    """The handlers, each for one kind of address."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def table(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """The handler of each path; every path is answered with and without a slash at its end."""
        table: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = {
            "/v1/search": self.v1_search,
            "/v2/search/repositories": self.search,
        }
        for names, one in (
            ("/v2/namespaces/{namespace}/repositories", "/v2/namespaces/{namespace}/repositories/{name}"),
            ("/v2/repositories/{namespace}", "/v2/repositories/{namespace}/{name}"),
        ):
            table[names] = self.repositories
            table[one] = self.repository
            table[one + "/tags"] = self.tags
            table[one + "/tags/{tag}"] = self.tag
            table[one + "/tags/{tag}/images"] = self.images
        return table

    async def sign_in(self, request: web.Request) -> web.Response:
        """`POST /v2/auth/token`: a token of ten minutes for a user name and a secret."""
        try:
            asked = json.loads(await request.read())
            user, secret = asked["identifier"], asked["secret"]
        except (ValueError, KeyError, TypeError):
            return json_response({"message": "bad request", "errinfo": {}}, status=400)
        if not isinstance(user, str) or not isinstance(secret, str) or self._hub.users.get(user) != secret:
            return json_response({"detail": "Incorrect authentication credentials"}, status=401)
        return json_response({"access_token": self._hub.token(user)})

    async def search(self, request: web.Request) -> web.Response:
        """`/v2/search/repositories/`: filters, ordering, and "" where there is no next."""
        found = self._hub.search(request.query.get("query", ""))
        official, automated = _flag(request, "is_official"), _flag(request, "is_automated")
        if official is not None:
            found = [each for each in found if each.is_official is official]
        if automated is not None:
            found = [each for each in found if each.is_automated is automated]
        match request.query.get("ordering"):
            case "-pull_count":
                found = sorted(found, key=lambda each: -each.pull_count)
            case "-star_count":
                found = sorted(found, key=lambda each: -each.star_count)
            case _:
                pass
        page = self._page(request, "search", found)
        if isinstance(page, web.Response):
            return page
        return _listing(request, page, [search_row(each) for each in page.items], nothing="")

    async def v1_search(self, request: web.Request) -> web.Response:
        """`/v1/search` of index.docker.io: its own envelope."""
        query = request.query.get("q", "")
        page = self._page(request, "v1", self._hub.search(query), size_key="n", default_size=25)
        if isinstance(page, web.Response):
            return page
        return json_response(
            {
                "num_pages": -(-page.count // page.size),
                "num_results": page.count,
                "page_size": page.size,
                "page": page.number,
                "query": query,
                "results": [v1_search_row(each) for each in page.items],
            }
        )

    async def repositories(self, request: web.Request) -> web.Response:
        """The repositories of a namespace; an unknown one has none."""
        ordering = request.query.get("ordering", "pull_count")
        part = request.query.get("name", "")
        found = [
            each
            for each in self._hub.repositories.values()
            if each.namespace == request.match_info["namespace"] and part in each.name
        ]
        keys: dict[str, Callable[[FakeRepository], str | int | tuple[str, str]]] = {
            "name": lambda each: each.name,
            "last_updated": lambda each: moment_key(each.last_updated),
            "pull_count": lambda each: each.pull_count,
        }
        key = keys.get(ordering.removeprefix("-"))
        if key is None:
            fields: Row = {"ordering": [f"'{ordering}' is not a valid ordering value"]}
            return json_response({"fields": fields, "text": "Invalid ordering value"}, status=400)
        found.sort(key=key, reverse=not ordering.startswith("-"))
        page = self._page(request, "repositories", found)
        if isinstance(page, web.Response):
            return page
        return _listing(request, page, [repository_row(each) for each in page.items])

    async def repository(self, request: web.Request) -> web.Response:
        """One repository. The canary is there for all who want to know whether the Hub sees them."""
        repository = self._repository(request)
        if repository is None and self._hub.has_canary and _path(request) == CANARY:
            repository = FakeRepository(CANARY, 1, "Hello World! (an example of minimal Dockerization)")
        if repository is None:
            return error(404, "object not found")
        return json_response(repository_detail(repository))

    async def tags(self, request: web.Request) -> web.Response:
        """The tags of a repository; `ordering` has an inverted sign."""
        repository = self._repository(request)
        if repository is None:
            return error(404, "object not found")
        found = [each for each in repository.tags if _wanted(request, each)]
        match request.query.get("ordering", ""):
            case "name":
                found.sort(key=lambda each: each.name, reverse=True)
            case "-name":
                found.sort(key=lambda each: each.name)
            case "-last_updated":
                found.reverse()
                found.sort(key=lambda each: moment_key(each.pushed_at))
            case _:
                found.sort(key=lambda each: moment_key(each.pushed_at), reverse=True)
        page = self._page(request, "tags", found)
        if isinstance(page, web.Response):
            return page
        return _listing(request, page, [tag_row(repository, each) for each in page.items])

    async def tag(self, request: web.Request) -> web.Response:
        """One tag, as in the list."""
        repository, tag = self._tag(request)
        if repository is None or tag is None:
            return error(404, "object not found")
        return json_response(tag_row(repository, tag))

    async def images(self, request: web.Request) -> web.Response:
        """The images of one tag with their layers: a bare array."""
        _, tag = self._tag(request)
        if tag is None:
            return error(404, "object not found")
        return json_response([layered_image_row(image, era=tag.era) for image in tag.images or ()])

    async def nothing(self, request: web.Request) -> web.Response:
        """Any other address."""
        return json_response({"message": "404: Page Not Found"}, status=404)

    def _repository(self, request: web.Request) -> FakeRepository | None:
        return self._hub.repositories.get(_path(request))

    def _tag(self, request: web.Request) -> tuple[FakeRepository | None, FakeTag | None]:
        repository = self._repository(request)
        tags = repository.tags if repository else []
        return repository, next((each for each in tags if each.name == request.match_info["tag"]), None)

    def _page(
        self,
        request: web.Request,
        route: Route,
        found: Sequence[T],
        *,
        size_key: str = "page_size",
        default_size: int = 10,
    ) -> Page[T] | web.Response:
        """The page asked for, or the error that is answered in its place."""
        number = _positive(request.query.get("page"), 1)
        size = min(_positive(request.query.get(size_key), default_size), LARGEST_PAGE)
        size = self._hub.forced_page_size or size
        offset = (number - 1) * size
        cap = self._hub.offset_caps[route]
        if self._hub.account(request) is None and cap is not None and offset >= cap:
            return error(403, OFFSET_TOO_LARGE)
        if number > 1 and offset >= len(found) and self._hub.beyond_end[route] == 404:
            return error(404, "object not found")
        return Page(found[offset : offset + size], number, size, len(found))


def _listing(
    request: web.Request, page: Page[T], rows: Sequence[Row], *, nothing: str | None = None
) -> web.Response:
    """The envelope of a list; `nothing` stands where there is no next or previous page."""
    before = page.number > 1
    return json_response(
        {
            "count": page.count,
            "next": nothing if page.is_last else _address(request, page.number + 1),
            "previous": _address(request, page.number - 1) if before else nothing,
            "results": rows,
        }
    )


def _address(request: web.Request, page: int) -> str:
    """The address of another page, in the style of the request, its parameters sorted."""
    query = {**request.query, "page": str(page)}
    return f"{request.scheme}://{request.host}{request.rel_url.raw_path}?{urlencode(sorted(query.items()))}"


def _path(request: web.Request) -> str:
    """The full path of the repository that an address names."""
    return "{namespace}/{name}".format_map(request.match_info)


def _positive(text: str | None, default: int) -> int:
    """A number from a query. What the Hub does with a bad one is not known; here it is not there."""
    return int(text) if text and text.isdecimal() and int(text) > 0 else default


def _flag(request: web.Request, key: str) -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get(request.query.get(key, "").lower())


def _wanted(request: web.Request, tag: FakeTag) -> bool:
    images = tag.images or ()
    architecture, os = request.query.get("architecture"), request.query.get("os")
    return (
        request.query.get("name", "") in tag.name
        and (architecture is None or any(image.architecture == architecture for image in images))
        and (os is None or any(image.os == os for image in images))
    )
