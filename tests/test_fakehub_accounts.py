"""The stand-in Hub's accounts, its registry, and its other searches, with the habits of the real one."""

import asyncio
import base64
import json
from collections.abc import Mapping

import aiohttp
import msgspec
import pytest

from tests.fakehub import FakeHub
from tests.fakehub.asking import TAGS, Answer, get, hub_with_tags, listing, row
from tests.fakehub.data import DOCKER_LIST, OCI_INDEX, digest_of
from tests.fakehub.registry import DOCKER_MANIFEST, SCHEMA_1

START = 1_790_000_000
MANIFEST = "/v2/acme/app/manifests/t00"
SCOPE = "repository:acme/app:pull"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def send(
    hub: FakeHub, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer to one request of any method."""

    async def sending() -> Answer:
        async with (
            hub.serve() as url,
            aiohttp.request(method, url + path, data=body, headers=headers) as response,
        ):
            return Answer(response.status, response.headers, await response.read())

    return asyncio.run(sending())


def sign_in(hub: FakeHub, user: str = "ada", secret: str = "s3cret") -> Answer:
    body = json.dumps({"identifier": user, "secret": secret}).encode()
    return send(hub, "POST", "/v2/auth/token", body=body)


class TestSigningIn:
    """Tokens of the Hub."""

    def hub(self) -> FakeHub:
        """A Hub with one user, at `START`."""
        hub = hub_with_tags(50)
        hub.users["ada"] = "s3cret"
        hub.offset_caps["tags"] = 20
        hub.clock = lambda: START
        return hub

    def test_a_token_lives_ten_minutes(self) -> None:
        """It is a JWT, `exp` is 600 s after `iat`, and after that it is refused."""
        hub = self.hub()
        token = msgspec.json.decode(sign_in(hub).body, type=dict[str, str])["access_token"]
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert (claims["iat"], claims["exp"]) == (START, START + 600)
        hub.clock = lambda: START + 599
        assert get(hub, TAGS, headers=bearer(token)).status == 200
        hub.clock = lambda: START + 600
        refused = get(hub, TAGS, headers=bearer(token))
        assert (refused.status, refused.body) == (401, b'{"message":"unauthorized","errinfo":{}}')

    @pytest.mark.parametrize(("user", "secret"), [("ada", "wrong"), ("eve", "s3cret"), ("", "")])
    def test_a_wrong_password(self, user: str, secret: str) -> None:
        """401 with `detail`."""
        answer = sign_in(self.hub(), user, secret)
        assert (answer.status, answer.body) == (401, b'{"detail":"Incorrect authentication credentials"}')

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"identifier":"ada"}'])
    def test_a_malformed_sign_in(self, body: bytes) -> None:
        """400."""
        assert send(self.hub(), "POST", "/v2/auth/token", body=body).status == 400

    @pytest.mark.parametrize("scheme", ["Bearer", "JWT"])
    def test_a_user_sees_more_and_may_ask_more(self, scheme: str) -> None:
        """No offset cap, and 600 requests a minute."""
        hub = self.hub()
        path = TAGS + "?page=3"
        assert get(hub, path).status == 403
        answer = get(hub, path, headers={"Authorization": f"{scheme} {hub.token('ada')}"})
        assert answer.status == 200
        assert answer.headers["X-RateLimit-Limit"] == "600"

    def test_a_raw_access_token_is_no_bearer(self) -> None:
        """It has to be exchanged first."""
        assert get(self.hub(), TAGS, headers=bearer("s3cret")).status == 401

    def test_tokens_can_be_forgotten(self) -> None:
        """401 before its time; a new token is good again."""
        hub = self.hub()
        token = hub.token("ada")
        hub.tokens.forget()
        assert get(hub, TAGS, headers=bearer(token)).status == 401
        assert get(hub, TAGS, headers=bearer(hub.token("ada"))).status == 200


class TestRegistry:
    """The registry on the same server."""

    def hub(self, *, is_open: bool = True) -> FakeHub:
        """`acme/app` with three tags, in a registry that may want a token."""
        hub = hub_with_tags(3)
        hub.users["ada"] = "s3cret"
        if is_open:
            hub.registry.sign_in = "none"
        return hub

    def token(self, hub: FakeHub, scope: str = SCOPE, **headers: str) -> str:
        """The token for a scope."""
        answer = get(hub, f"/token?service=registry.fake&scope={scope}", headers=headers)
        assert answer.status == 200
        return str(json.loads(answer.body)["token"])

    @pytest.mark.parametrize("path", ["/v2/", "/v2/acme/app/tags/list", MANIFEST])
    def test_the_challenge(self, path: str) -> None:
        """401 names the realm on the same server, the service, and the scope of the repository."""
        answer = get(self.hub(is_open=False), path)
        challenge = answer.headers["WWW-Authenticate"]
        assert answer.status == 401
        assert challenge.startswith('Bearer realm="http://127.0.0.1:')
        assert '/token",service="registry.fake"' in challenge
        assert (f',scope="{SCOPE}"' in challenge) is (path != "/v2/")

    def test_a_token_opens_its_repository_for_five_minutes(self) -> None:
        """Another repository is `insufficient_scope`, and so is one that does not exist."""
        hub = self.hub(is_open=False)
        hub.add_repository("acme/other").push("t00")
        token = self.token(hub)
        assert get(hub, MANIFEST.replace("t00", "t01"), headers=bearer(token)).status == 404  # without Accept
        assert get(hub, "/v2/acme/app/tags/list", headers=bearer(token)).status == 200
        for name in ("acme/other", "acme/none"):
            answer = get(hub, f"/v2/{name}/tags/list", headers=bearer(token))
            assert answer.status == 401
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
        unknown = self.token(hub, "repository:acme/none:pull")
        assert get(hub, "/v2/acme/none/tags/list", headers=bearer(unknown)).status == 401
        now = hub.clock()
        hub.clock = lambda: now + 300
        answer = get(hub, "/v2/acme/app/tags/list", headers=bearer(token))
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    def test_the_realm_knows_the_users(self) -> None:
        """A wrong password gets no token, none at all gets an anonymous one."""
        hub = self.hub()
        assert self.token(hub, **basic("ada", "s3cret"))
        assert get(hub, "/token", headers=basic("ada", "wrong")).status == 401

    def test_a_password_for_every_request(self) -> None:
        """With `sign_in` set to "basic"."""
        hub = self.hub()
        hub.registry.sign_in = "basic"
        answer = get(hub, "/v2/")
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="fake"')
        assert get(hub, "/v2/", headers=basic("ada", "s3cret")).status == 200
        assert get(hub, "/v2/", headers=basic("ada", "wrong")).status == 401

    def test_names(self) -> None:
        """All of them, also what the Hub's API does not list; null if there are none."""
        hub = self.hub()
        hub.registry.only_here["acme/app"] = {"hidden": digest_of("x")}
        hub.add_repository("acme/empty")
        assert row(hub, "/v2/acme/app/tags/list") == {"name": "acme/app", "tags": ["hidden", "t00", "t01", "t02"]}
        assert row(hub, "/v2/acme/empty/tags/list") == {"name": "acme/empty", "tags": None}
        assert "hidden" not in str(listing(hub, TAGS).results)

    @pytest.mark.parametrize(("link", "start"), [("absolute", "<http://127.0.0.1:"), ("relative", "</v2/acme/")])
    def test_pages(self, link: str, start: str) -> None:
        """`n` a page and a `Link` to the next, with a `last` that tells nothing; none on the last page."""
        hub = self.hub()
        hub.registry.link = "absolute" if link == "absolute" else "relative"
        first = get(hub, "/v2/acme/app/tags/list?n=2")
        assert json.loads(first.body)["tags"] == ["t00", "t01"]
        assert first.headers["Link"].startswith(start)
        assert first.headers["Link"].endswith('&n=2>; rel="next"')
        path = first.headers["Link"].partition(">")[0].partition("/v2/")[2]
        last = get(hub, f"/v2/{path}")
        assert json.loads(last.body)["tags"] == ["t02"]
        assert "Link" not in last.headers
        assert "Link" not in get(hub, "/v2/acme/app/tags/list?n=3").headers

    def test_page_sizes(self) -> None:
        """An `n` that is too large, or no number, is 400; a server may ignore it altogether."""
        hub = self.hub()
        for size in ("1001", "x", "-1"):
            answer = get(hub, f"/v2/acme/app/tags/list?n={size}")
            assert answer.status == 400
            assert b"PAGINATION_NUMBER_INVALID" in answer.body
        hub.registry.ignores_n = True
        assert json.loads(get(hub, "/v2/acme/app/tags/list?n=1").body)["tags"] == ["t02", "t01", "t00"]

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    @pytest.mark.parametrize("by_digest", [False, True])
    def test_a_manifest(self, method: str, by_digest: bool) -> None:
        """By tag or by digest; its digest stands in two headers, and the pull limit beside."""
        hub = self.hub()
        digest = hub.repositories["acme/app"].tag("t00").digest or ""
        path = f"/v2/acme/app/manifests/{digest}" if by_digest else MANIFEST
        answer = send(hub, method, path, headers={"Accept": f"text/html, {OCI_INDEX};q=0.5"})
        assert answer.status == 200
        assert (answer.headers["Docker-Content-Digest"], answer.headers["Etag"]) == (digest, f'"{digest}"')
        assert answer.headers["Content-Type"] == OCI_INDEX
        assert answer.headers["ratelimit-remaining"] == "0;w=21600"
        assert "X-RateLimit-Limit" not in answer.headers
        assert bool(answer.body) is (method == "GET")

    @pytest.mark.parametrize(
        ("platforms", "media_type", "accept", "status", "answered"),
        [
            (["linux/amd64", "linux/arm64"], OCI_INDEX, "*/*", 404, None),
            (["linux/amd64", "linux/arm64"], DOCKER_LIST, DOCKER_LIST, 200, DOCKER_LIST),
            (["linux/amd64", "linux/arm64"], DOCKER_LIST, "*/*", 200, SCHEMA_1),
            (["linux/amd64"], None, DOCKER_MANIFEST, 200, DOCKER_MANIFEST),
            (["linux/amd64"], None, DOCKER_LIST, 200, SCHEMA_1),
        ],
    )
    def test_accept(
        self, platforms: list[str], media_type: str | None, accept: str, status: int, answered: str | None
    ) -> None:
        """OCI types that are not accepted are 404; docker's are converted, and have another digest."""
        hub = self.hub()
        tag = hub.repositories["acme/app"].push("x", platforms=platforms, media_type=media_type)
        answer = send(hub, "HEAD", "/v2/acme/app/manifests/x", headers={"Accept": accept})
        assert answer.status == status
        if answered is not None:
            assert answer.headers["Content-Type"] == answered
            assert (answer.headers["Docker-Content-Digest"] == tag.digest) is (answered != SCHEMA_1)

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/v2/acme/none/tags/list", b"NAME_UNKNOWN"),
            ("/v2/acme/none/manifests/a", b"MANIFEST_UNKNOWN"),
            ("/v2/acme/app/manifests/a", b"MANIFEST_UNKNOWN"),
        ],
    )
    def test_missing(self, path: str, code: bytes) -> None:
        """404 with the registry's own envelope."""
        answer = get(self.hub(), path)
        assert answer.status == 404
        assert code in answer.body
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"

    def test_the_hubs_own_addresses_come_first(self) -> None:
        """A tag called `list` is still a tag of the Hub."""
        hub = self.hub()
        hub.repositories["acme/app"].push("list")
        assert row(hub, "/v2/repositories/acme/app/tags/list")["name"] == "list"
        assert row(hub, TAGS + "/list")["name"] == "list"


class TestOtherSearches:
    """Version 4, and the dead one."""

    def hub(self) -> FakeHub:
        """Three repositories that one word finds."""
        hub = FakeHub()
        for name, pulls in (("library/web", 13_000_000_000), ("acme/web", 5), ("beta/web", 40)):
            hub.add_repository(name, pull_count=pulls).push("latest")
        return hub

    def names(self, query: str) -> list[object]:
        """The names that a search finds."""
        rows = row(self.hub(), f"/api/search/v4?{query}")["results"]
        return [each["name"] for each in msgspec.convert(rows, type=list[dict[str, object]])]

    def test_a_row(self) -> None:
        """Pull counts are texts, star counts numbers; official names have their namespace."""
        answer = row(self.hub(), "/api/search/v4?query=web&badges=official")
        [found] = msgspec.convert(answer["results"], type=list[dict[str, object]])
        assert answer["total"] == 1
        assert (found["name"], found["slug"], found["badge"]) == ("library/web", "web", "official")
        assert (found["pull_count"], found["star_count"]) == ("13000000000", 0)
        assert found["architectures"] == [{"name": "amd64", "label": "amd64"}, {"name": "arm64", "label": "arm64"}]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("sort=pull_count&order=desc", ["library/web", "beta/web", "acme/web"]),
            ("sort=pull_count&order=asc", ["acme/web", "beta/web", "library/web"]),
            ("sort=pull_count&from=1&size=1", ["beta/web"]),
            ("from=3", []),
            ("badges=none&sort=pull_count", ["beta/web", "acme/web"]),
        ],
    )
    def test_orders_and_pages(self, query: str, names: list[str]) -> None:
        """Rows are counted from an offset."""
        assert self.names(f"query=web&{query}") == names

    def test_success_with_nothing(self) -> None:
        """The products' search answers 200 with an empty list, whatever is asked."""
        answer = get(self.hub(), "/api/content/v1/products/search?q=web&page=1")
        assert answer.status == 200
        assert json.loads(answer.body)["summaries"] == []
