"""The Hub's other searches: version 4, and the dead one that answers "nothing" with success."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fakehub.data import FakeRepository
from tests.fakehub.hub import Hub
from tests.fakehub.routes import json_response
from tests.fakehub.rows import Row

LARGEST_SIZE = 100


class CatalogRoutes:
    """The handlers. The bodies of version 4 are made after its clients: none was recorded."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def table(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """The handler of each path."""
        return {"/api/search/v4": self.search, "/api/content/v1/products/search": self.products}

    async def search(self, request: web.Request) -> web.Response:
        """`/api/search/v4`: rows from an offset, with pull counts that are texts."""
        query = request.query
        found = self._hub.search(query.get("query", ""))
        if badges := query.get("badges"):
            found = [each for each in found if _badge(each) in badges.split(",")]
        descending = query.get("order", "desc") == "desc"
        match query.get("sort"):
            case "pull_count":
                found = sorted(found, key=lambda each: each.pull_count, reverse=descending)
            case "updated_at":
                found = sorted(found, key=lambda each: each.last_updated or "", reverse=descending)
            case _:
                pass
        start, size = (int(query.get(key, default)) for key, default in (("from", "0"), ("size", "25")))
        rows = [_row(each) for each in found[start : start + min(size, LARGEST_SIZE)]]
        return json_response({"total": len(found), "results": rows})

    async def products(self, request: web.Request) -> web.Response:
        """The products' search, dead since 2024-12: whatever is asked, an empty list with status 200."""
        return json_response(
            {"count": 0, "next": "", "page": 1, "page_size": 25, "previous": "", "summaries": []},
        )


def _badge(repository: FakeRepository) -> str:
    return "official" if repository.is_official else "none"


def _row(repository: FakeRepository) -> Row:
    images = repository.tags[0].images if repository.tags else None
    systems = sorted({image.os for image in images or () if image.os != "unknown"})
    architectures = sorted({image.architecture for image in images or () if image.os != "unknown"})
    return {
        "id": repository.search_name,
        "name": repository.path,
        "slug": repository.search_name,
        "type": "image",
        "publisher": {"id": repository.namespace, "name": repository.namespace},
        "created_at": repository.date_registered,
        "updated_at": repository.last_updated,
        "short_description": repository.description,
        "badge": _badge(repository),
        "star_count": repository.star_count,
        "pull_count": str(repository.pull_count),
        "operating_systems": [{"name": name, "label": name.title()} for name in systems],
        "architectures": [{"name": name, "label": name} for name in architectures],
        "logo_url": {},
        "extension_reviewed": False,
        "categories": [{"slug": slug, "name": name} for name, slug in repository.categories],
        "archived": False,
    }
