"""Stand-ins for registries that tell their own history: Quay and Chainguard, in the shapes that they document.

Time is the test's: `push` and `delete` say when, in ms. Both speak the registry's API as well.
"""

import json
from dataclasses import dataclass, field

from aiohttp import web

from hubindex.moment import to_rfc3339
from tests.registry_server import OCI_INDEX, digest_of


@dataclass
class Period:
    """A stretch in which a tag pointed to a manifest; times in ms."""

    name: str
    digest: str
    start: int
    end: int | None = None


@dataclass
class Past:
    """Repositories whose past is remembered. `asked` has the method and path of each request."""

    periods: dict[str, list[Period]] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def push(self, repository: str, tag: str, content: str, at: int) -> str:
        """Let a tag point to an empty index with that content; its digest."""
        body = json.dumps(
            {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"content": content}}
        ).encode()
        digest = digest_of(body)
        self.manifests[digest] = body
        self.delete(repository, tag, at)
        self.periods.setdefault(repository, []).append(Period(tag, digest, at))
        return digest

    def delete(self, repository: str, tag: str, at: int) -> None:
        """Let a tag be gone, if it is there."""
        for period in self.periods.get(repository, []):
            if period.name == tag and period.end is None:
                period.end = at

    def present(self, repository: str) -> dict[str, str]:
        """What its tags point to."""
        return {each.name: each.digest for each in self.periods[repository] if each.end is None}

    @property
    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        found = await self.history(request)
        return found if found is not None else self._registry(request)

    async def history(self, request: web.Request) -> web.StreamResponse | None:
        """The answer to a question about the past; None for any other."""
        raise NotImplementedError

    def _registry(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v2/")
        if path.endswith("/tags/list"):
            name = path.removesuffix("/tags/list")
            if name not in self.periods:
                return web.json_response({"errors": [{"code": "NAME_UNKNOWN"}]}, status=404)
            return web.json_response({"name": name, "tags": sorted(self.present(name))})
        name, _, tag = path.partition("/manifests/")
        digest = tag if tag in self.manifests else self.present(name).get(tag) if name in self.periods else None
        if digest is None:
            return web.Response(status=404)
        headers = {"Docker-Content-Digest": digest}
        return web.Response(body=self.manifests[digest], content_type=OCI_INDEX, headers=headers)


@dataclass
class Quay(Past):
    """Quay. `most` rows a page; rows that ended before `remembers_since` (ms) have vanished."""

    most: int = 100
    remembers_since: int = 0
    status: int = 200

    async def history(self, request: web.Request) -> web.StreamResponse | None:
        """`GET /api/v1/repository/{path}/tag/`."""
        path = request.path.removeprefix("/api/v1/repository/")
        if path == request.path:
            return None
        name = path.removesuffix("/tag/")
        if self.status != 200:
            return web.json_response({"error_type": "insufficient_scope"}, status=self.status)
        if name not in self.periods:
            return web.json_response({"error_type": "not_found"}, status=404)
        kept = [each for each in self.periods[name] if each.end is None or each.end >= self.remembers_since]
        kept.sort(key=lambda each: -each.start)
        size, page = min(int(request.query["limit"]), self.most), int(request.query["page"])
        rows = kept[(page - 1) * size : page * size]
        return web.json_response(
            {"tags": [self.row(each) for each in rows], "page": page, "has_additional": len(kept) > page * size}
        )

    def row(self, period: Period) -> dict[str, object]:
        """As Quay writes it."""
        end = {} if period.end is None else {"end_ts": period.end // 1000}
        return {
            "name": period.name, "reversion": False, "start_ts": period.start // 1000, **end,
            "manifest_digest": period.digest, "is_manifest_list": True, "size": None,
            "last_modified": "Fri, 20 Nov 2026 10:00:00 -0000",
        }  # fmt: skip


@dataclass
class Chainguard(Past):
    """Chainguard; `most` entries at once."""

    most: int = 1000

    async def history(self, request: web.Request) -> web.StreamResponse | None:
        """`GET /v2/{path}/_chainguard/history/{tag}`."""
        name, found, tag = request.path.removeprefix("/v2/").partition("/_chainguard/history/")
        if not found:
            return None
        start = request.query.get("start", "")
        moves = sorted((each.start, each.digest) for each in self.periods.get(name, ()) if each.name == tag)
        entries = [{"updateTimestamp": to_rfc3339(at), "digest": digest} for at, digest in moves]
        entries = [entry for entry in entries if entry["updateTimestamp"] >= start][: self.most]
        return web.json_response({"history": entries})
