"""The registry on the stand-in Hub's server: challenges, tokens, lists of tags, and manifests.

What a repository of the Hub holds is there, and what `hub.registry.only_here` adds.
"""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from tests.fakehub.accounts import REGISTRY_LIFE, basic, bearer
from tests.fakehub.data import IMAGE_CONFIG, OCI_INDEX, digest_of
from tests.fakehub.hub import Hub
from tests.fakehub.rows import JSON

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
SERVICE = "registry.fake"

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Manifest(NamedTuple):
    """What a tag points to."""

    digest: str
    media_type: str


def is_registry(request: web.Request) -> bool:
    """Whether a request is for the registry, or for the realm where its tokens are."""
    handler = request.match_info.handler
    return isinstance(getattr(handler, "__self__", None), RegistryRoutes)


class RegistryRoutes:
    """The handlers. They come after the Hub's own, whose paths a repository's name could spell."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def table(self) -> dict[str, Handler]:
        """The handler of each path."""
        return {
            "/token": self.token,
            "/v2/": self.version,
            "/v2/{name:.+}/tags/list": self.tags,
            "/v2/{name:.+}/manifests/{reference}": self.manifest,
        }

    async def token(self, request: web.Request) -> web.Response:
        """A token for one scope; who shows no password gets an anonymous one."""
        shown = basic(request.headers.get("Authorization", ""))
        if shown is not None and self._hub.users.get(shown[0]) != shown[1]:
            return _json({"details": "incorrect username or password"}, status=401)
        token = self._hub.registry.tokens.issue(
            shown[0] if shown else None,
            now=self._hub.clock(),
            life=REGISTRY_LIFE,
            scope=request.query.get("scope", ""),
        )
        return _json({"token": token, "access_token": token, "expires_in": REGISTRY_LIFE})

    async def version(self, request: web.Request) -> web.Response:
        """`/v2/`: whether this is a registry, and what it asks for."""
        return self._challenge(request, None) or _json({})

    async def tags(self, request: web.Request) -> web.Response:
        """The names of a repository's tags: all of them, or `n` a page."""
        name = request.match_info["name"]
        if refused := self._challenge(request, name):
            return refused
        held = self._held(name)
        if held is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        habits, size = self._hub.registry, request.query.get("n")
        if size is None or habits.ignores_n:
            return _names(name, list(held) if habits.ignores_n else sorted(held))
        if not size.isdecimal() or (habits.largest_page is not None and int(size) > habits.largest_page):
            return _error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
        last = base64.urlsafe_b64decode(request.query.get("last", "")).decode()
        left = sorted(each for each in held if each > last)
        page = left[: int(size)]
        response = _names(name, page)
        if len(page) < len(left):
            query = urlencode({"last": base64.urlsafe_b64encode(page[-1].encode()).decode(), "n": size})
            origin = f"{request.scheme}://{request.host}" if habits.link == "absolute" else ""
            response.headers["Link"] = f'<{origin}{request.path}?{query}>; rel="next"'
        return response

    async def manifest(self, request: web.Request) -> web.Response:
        """HEAD or GET a manifest by tag or by digest."""
        name, reference = request.match_info["name"], request.match_info["reference"]
        if refused := self._challenge(request, name):
            return refused
        held = self._held(name) or {}
        found = held.get(reference) or next((each for each in held.values() if each.digest == reference), None)
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        accepted = [each.partition(";")[0].strip() for each in request.headers.get("Accept", "").split(",")]
        if found.media_type not in accepted:
            if "oci" in found.media_type:
                return _error(404, "MANIFEST_UNKNOWN", "OCI index found, but accept header does not support it")
            found = Manifest(digest_of(f"schema 1 {found.digest}"), SCHEMA_1)  # converted, with another digest
        body = json.dumps({"schemaVersion": 2, "mediaType": found.media_type}).encode()
        headers = {
            "Content-Type": found.media_type,
            "Docker-Content-Digest": found.digest,
            "Etag": f'"{found.digest}"',
            "ratelimit-limit": "100;w=21600",
            "ratelimit-remaining": "0;w=21600",
        }
        return web.Response(body=body, headers=_version() | headers)

    def _held(self, name: str) -> dict[str, Manifest] | None:
        """The tags of a repository, the last pushed first; `None`: there is no such repository."""
        only_here = self._hub.registry.only_here.get(name)
        repository = self._hub.repositories.get(name)
        if only_here is None and repository is None:
            return None
        held = {each: Manifest(digest, OCI_INDEX) for each, digest in (only_here or {}).items()}
        for tag in repository.tags if repository else ():
            media_type = DOCKER_MANIFEST if tag.media_type in {None, IMAGE_CONFIG} else tag.media_type or ""
            held[tag.name] = Manifest(tag.digest or digest_of(f"{name}:{tag.name}"), media_type)
        return held

    def _challenge(self, request: web.Request, name: str | None) -> web.Response | None:
        """The 401 for a caller who has not signed in as he should, or to whom a repository is not shown."""
        habits, authorization = self._hub.registry, request.headers.get("Authorization", "")
        if habits.sign_in == "none":
            return None
        if habits.sign_in == "basic":
            shown = basic(authorization)
            known = shown is not None and self._hub.users.get(shown[0]) == shown[1]
            return None if known else _unauthorized('Basic realm="fake"')
        scope = f"repository:{name}:pull" if name else ""
        realm = habits.realm or f"{request.scheme}://{request.host}/token"
        challenge = f'Bearer realm="{realm}",service="{SERVICE}"' + (f',scope="{scope}"' if scope else "")
        token = bearer(authorization)
        if token is None:
            return _unauthorized(challenge)
        grant = habits.tokens.grant(token, now=self._hub.clock())
        if grant is None:
            return _unauthorized(challenge + ',error="invalid_token"')
        if name and (grant.scope != scope or self._held(name) is None):
            return _unauthorized(challenge + ',error="insufficient_scope"')
        return None


def _names(name: str, tags: list[str]) -> web.Response:
    return _json({"name": name, "tags": tags or None})


def _unauthorized(challenge: str) -> web.Response:
    response = _error(401, "UNAUTHORIZED", "authentication required")
    response.headers["WWW-Authenticate"] = challenge
    return response


def _error(status: int, code: str, message: str) -> web.Response:
    return _json({"errors": [{"code": code, "message": message, "detail": {}}]}, status=status)


def _json(value: JSON, *, status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(value, separators=(",", ":")).encode(),
        status=status,
        headers=_version() | {"Content-Type": "application/json"},
    )


def _version() -> dict[str, str]:
    return {"Docker-Distribution-Api-Version": "registry/2.0"}
