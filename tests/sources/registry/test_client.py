"""A registry's lists of tags, and what its tags point to."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from hubindex.errors import (
    Blocked,
    InvalidReference,
    NotFound,
    SourceError,
    Unreachable,
    UnreadableAnswer,
    WrongUsage,
)
from hubindex.kinds import Kind
from hubindex.records import Tag, TagNames
from hubindex.sources.http.client import HttpClient
from hubindex.sources.registry.client import Registry
from hubindex.sources.registry.manifests import ACCEPT
from tests.fakehub import FakeHub, Fault, Proceed
from tests.fakehub.data import DOCKER_LIST, OCI_INDEX, digest_of
from tests.fakehub.registry import DOCKER_MANIFEST
from tests.fakehub.weather import answer
from tests.sources.wire import Wire, reply, wire

T = TypeVar("T")
NOW = 1_790_000_000_000
APP = "acme/app"
LIST = f"/v2/{APP}/tags/list"


def ask(hub: FakeHub, question: Callable[[Registry], Awaitable[T]]) -> T:
    async def asking() -> T:
        async with hub.serve() as url, HttpClient(tries=1) as http:
            return await question(Registry(http, url, clock=lambda: NOW))

    return asyncio.run(asking())


def open_hub(number: int = 3) -> FakeHub:
    """A registry that wants nobody to sign in, with `number` tags in `acme/app`."""
    hub = FakeHub()
    hub.registry.sign_in = "none"
    hub.registry.only_here[APP] = {f"t{each:05}": digest_of(f"{each}") for each in range(number)}
    return hub


def names(hub: FakeHub) -> TagNames:
    return ask(hub, lambda registry: registry.tag_names(APP))


def talk(*answers: bytes, tag: str | None = None) -> tuple[object, Wire]:
    """What comes of a list, or of a tag, from a server that writes exactly these answers."""

    async def asking() -> tuple[object, Wire]:
        async with wire(*answers) as served, HttpClient(tries=1) as http:
            registry = Registry(http, str(served.url), clock=lambda: NOW)
            question = registry.tag_names(APP) if tag is None else registry.tag(APP, tag)
            return await question, served

    return asyncio.run(asking())


def page(*tags: object, link: str | None = None, **more: object) -> bytes:
    body = json.dumps({"name": APP, "tags": tags} | more)
    return reply(body) if link is None else reply(body, Link=link)


def listed(*answers: bytes) -> TagNames:
    found, _ = talk(*answers)
    assert isinstance(found, TagNames)
    return found


class TestNames:
    """Lists of tags."""

    def test_one_page(self) -> None:
        """The names as they come, the time of the first request, and that they are all."""
        hub = open_hub()
        assert names(hub) == TagNames(names=("t00000", "t00001", "t00002"), observed_at=NOW, complete=True)
        assert hub.paths() == [f"{LIST}?n=1000"]

    def test_the_hubs_registry_lists_more_than_its_api(self) -> None:
        """With a token, tags that the Hub's API shows and such that it does not."""
        hub = FakeHub()
        hub.add_repository("library/mongo").push("7.0", "latest")
        hub.registry.only_here["library/mongo"] = {"hidden": digest_of("hidden")}
        found = ask(hub, lambda registry: registry.tag_names("library/mongo"))
        assert found.names == ("7.0", "hidden", "latest")

    @pytest.mark.parametrize("link", ["absolute", "relative"])
    def test_pages_are_followed(self, link: str) -> None:
        """A `Link` with a host or without leads to the next page, a full last page has none."""
        hub = open_hub(3000)
        hub.registry.link = "absolute" if link == "absolute" else "relative"
        found = names(hub)
        assert (len(found.names), found.complete, found.warnings) == (3000, True, ())
        assert len(hub.paths()) == 3

    def test_a_server_that_ignores_n(self) -> None:
        """Distribution 2.8 sends everything at once, in no order."""
        hub = open_hub(2500)
        hub.registry.ignores_n = True
        found = names(hub)
        assert (len(found.names), found.complete) == (2500, True)
        assert len(hub.paths()) == 1

    def test_a_server_that_refuses_n(self) -> None:
        """A 400 for `n=1000` is followed by the same question without `n`."""
        hub = open_hub(2500)
        hub.registry.largest_page = 100
        assert len(names(hub).names) == 2500
        assert hub.paths() == [f"{LIST}?n=1000", LIST]

    def test_a_repository_without_tags(self) -> None:
        """After the last tag was deleted, `tags` is null."""
        hub = open_hub(0)
        assert names(hub) == TagNames(names=(), observed_at=NOW, complete=True)

    @pytest.mark.parametrize("sign_in", ["bearer", "none"])
    def test_an_unknown_repository(self, sign_in: str) -> None:
        """Docker Hub answers 401 even with a token, an open registry 404: it is not found."""
        hub = FakeHub()
        hub.registry.sign_in = "bearer" if sign_in == "bearer" else "none"
        with pytest.raises(NotFound):
            names(hub)

    def test_an_unknown_repository_does_not_end_the_others(self) -> None:
        """After one that is not there, the next is asked for."""
        hub = FakeHub()
        hub.add_repository(APP).push("a")

        async def both(registry: Registry) -> tuple[str, ...]:
            with pytest.raises(NotFound):
                await registry.tag_names("acme/none")
            return (await registry.tag_names(APP)).names

        assert ask(hub, both) == ("a",)

    @pytest.mark.parametrize(
        "link", ["http://127.0.0.1:1/v2/", "https://elsewhere.example/", "//elsewhere/", "a b"]
    )
    def test_another_server_is_not_asked(self, link: str) -> None:
        """A `Link` to another origin ends the list, which is then not complete."""
        found, served = talk(page("a", link=f'<{link}>; rel="next"'))
        assert isinstance(found, TagNames)
        assert (found.names, found.complete) == (("a",), False)
        assert "another server" in found.warnings[0]
        assert len(served.heads) == 1

    @pytest.mark.parametrize(
        "link",
        [f'<{LIST}?last=a>; rel="prev"', "nonsense", "<>", f"<{LIST}>", f'<{LIST}?last=a>; title="rel=next"', ""],
    )
    def test_a_link_that_is_not_to_the_next_page(self, link: str) -> None:
        """Only `rel="next"` leads on."""
        found, served = talk(page("a", link=link))
        assert isinstance(found, TagNames)
        assert len(served.heads) == 1
        assert found.complete

    @pytest.mark.parametrize(
        "link",
        [
            f'<{LIST}?last=b%2F%2B&n=3>; rel="next"',
            f"<{LIST}?last=b%2F%2B&n=3>;rel=next",
            f'<x>; rel="prev", <{LIST}?last=b%2F%2B&n=3>; title="x"; REL="next last"',
            '<list?last=b%2F%2B&n=3>; rel="next"',
            '<?last=b%2F%2B&n=3>; rel="next"',
        ],
    )
    def test_links_are_understood_and_kept_as_they_are(self, link: str) -> None:
        """The forms of RFC 8288, and whatever `last` is."""
        _, served = talk(page("a", link=link), page("b"))
        assert served.heads[1].startswith(f"GET {LIST}?last=b%2F%2B&n=3 HTTP/1.1")

    @pytest.mark.parametrize("last", [1, 2])
    def test_a_list_that_repeats_itself_ends(self, last: int) -> None:
        """A page with nothing new leads nowhere, whether it names itself as the next or another."""
        found, served = talk(
            page("a", "b", link=f'<{LIST}?last=1>; rel="next"'),
            page("b", "a", link=f'<{LIST}?last={last}>; rel="next"'),
        )
        assert isinstance(found, TagNames)
        assert (found.names, found.complete) == (("a", "b"), False)
        assert "repeats itself" in found.warnings[0]
        assert len(served.heads) == 2

    def test_a_list_without_end_ends(self) -> None:
        """After two thousand pages, with a warning."""
        hub = open_hub()
        number = 0

        async def endless(request: web.Request, proceed: Proceed) -> web.StreamResponse:
            nonlocal number
            number += 1
            body = json.dumps({"name": APP, "tags": [f"t{number}"]})
            link = {"Link": f'<{LIST}?last={number}>; rel="next"'}
            return await answer(200, body, headers=link)(request, proceed)

        hub.disturb("tags/list", endless)
        found = names(hub)
        assert 2000 <= len(found.names) <= 2001
        assert not found.complete
        assert "2,000 pages" in found.warnings[0]

    @pytest.mark.parametrize("fault", [answer(404, '{"errors":[]}'), answer(403, "pagination offset too large")])
    def test_a_later_page_that_is_not_there(self, fault: Fault) -> None:
        """What was read is kept, and proves nothing about absent tags."""
        hub = open_hub(1500)
        hub.disturb("last=", fault)
        found = names(hub)
        assert (len(found.names), found.complete) == (1000, False)

    def test_a_fault_in_the_middle(self) -> None:
        """An error on a later page is an error."""
        hub = open_hub(1500)
        hub.disturb("last=", answer(503))
        with pytest.raises(Unreachable):
            names(hub)

    def test_names_that_cannot_be_are_left_out(self) -> None:
        """With a warning, and the list is not complete; the same name twice is one."""
        found = listed(page("b", "a", "b", "-x", "", "a/b", "x" * 129, 7, None, {}, "\x1b[2J", "é"))
        assert (found.names, found.complete) == (("b", "a"), False)
        assert len(found.warnings) == 9
        assert all(warning.isprintable() and len(warning) < 300 for warning in found.warnings)

    def test_warnings_are_not_without_end(self) -> None:
        """A thousand bad names are twenty lines and how many more there were."""
        assert len(listed(page(*range(1000))).warnings) == 21

    def test_a_list_of_another_repository(self) -> None:
        """A list of another repository is doubted."""
        found = listed(page("a", name="acme/other"))
        assert (found.names, found.complete) == (("a",), False)
        assert listed(page("a", name=None)).complete

    @pytest.mark.parametrize(
        "body", ["", "[]", "{}", '{"tags":7}', '{"tags":{}}', "<html>", '{"tags":["a"', "null"]
    )
    def test_an_answer_that_is_no_list(self, body: str) -> None:
        """It is an error, not an empty list."""
        with pytest.raises(UnreadableAnswer):
            listed(reply(body))

    def test_half_a_million_tags_are_enough(self) -> None:
        """A list that is longer is cut, with a warning."""
        tags = ",".join(f'"t{each:x}"' for each in range(500_001))
        found = listed(reply(f'{{"name":"{APP}","tags":[{tags}]}}'))
        assert (len(found.names), found.complete) == (500_000, False)
        assert len(found.warnings) == 1

    @pytest.mark.parametrize(
        "name", ["", "Acme/app", "acme//app", "../x", "acme/app?x", "a b", "x" * 256, "acme/é"]
    )
    def test_a_name_that_no_repository_has(self, name: str) -> None:
        """It does not get into an address."""
        hub = open_hub()
        for question in (lambda each: each.tag_names(name), lambda each: each.tag(name, "a")):
            with pytest.raises(InvalidReference):
                ask(hub, question)
        assert hub.requests == []

    @pytest.mark.parametrize("url", ["http://registry.acme.example", "ftp://x", "", "https://a:b@x"])
    def test_a_base_url_that_is_not_accepted(self, url: str) -> None:
        """The message names the option."""
        with pytest.raises(WrongUsage, match="--registry-url"):
            Registry(HttpClient(), url)


class TestTag:
    """What a tag points to."""

    def test_an_index(self) -> None:
        """A HEAD that accepts all four types gives the digest and the type."""
        hub = open_hub()
        found = ask(hub, lambda registry: registry.tag(APP, "t00001"))
        assert found == Tag(name="t00001", digest=bytes.fromhex(digest_of("1")[7:]), media_type=OCI_INDEX)
        [request] = hub.requests
        assert (request.method, request.path_qs) == ("HEAD", f"/v2/{APP}/manifests/t00001")
        assert request.headers["Accept"] == ACCEPT

    @pytest.mark.parametrize(
        ("platforms", "media_type", "expected"),
        [
            (["linux/amd64"], None, DOCKER_MANIFEST),
            (["linux/amd64", "linux/arm64"], None, OCI_INDEX),
            (["linux/amd64", "linux/arm64"], DOCKER_LIST, DOCKER_LIST),
        ],
    )
    def test_the_registry_and_the_hub_agree(
        self, platforms: list[str], media_type: str | None, expected: str
    ) -> None:
        """The digest is the one that the Hub's API tells, never that of a converted manifest."""
        hub = FakeHub()
        pushed = hub.add_repository(APP).push("a", platforms=platforms, media_type=media_type)
        found = ask(hub, lambda registry: registry.tag(APP, "a"))
        assert found is not None
        assert found.digest is not None
        assert f"sha256:{found.digest.hex()}" == pushed.digest
        assert found.media_type == expected

    @pytest.mark.parametrize("repository", [APP, "acme/none"])
    def test_a_tag_that_is_not_there(self, repository: str) -> None:
        """404 is no tag."""
        assert ask(open_hub(), lambda registry: registry.tag(repository, "gone")) is None

    def test_a_repository_that_is_not_shown(self) -> None:
        """401 in spite of a token is no word on the tag."""
        with pytest.raises(NotFound):
            ask(FakeHub(), lambda registry: registry.tag("acme/none", "a"))

    def test_pull_limits_are_not_for_heads(self) -> None:
        """`ratelimit-remaining: 0` counts pulls, and does not slow the questions down."""
        hub = open_hub(40)

        async def all_tags(registry: Registry) -> int:
            tags = [f"t{number:05}" for number in range(40)]
            found = await asyncio.gather(*(registry.tag(APP, tag) for tag in tags))
            return len([tag for tag in found if tag is not None])

        assert ask(hub, all_tags) == 40

    @pytest.mark.parametrize(
        "digest", ["x", "sha256:zz", "sha256:" + "g" * 64, "sha256:" + "a" * 63, "md5:" + "a" * 32]
    )
    def test_with_a_digest_that_is_none_it_is_not_understood(self, digest: str) -> None:
        """A HEAD with an invalid `Docker-Content-Digest` says nothing."""
        with pytest.raises(UnreadableAnswer):
            talk(reply("", Docker_Content_Digest=digest), tag="a")

    @pytest.mark.parametrize("head", [reply(""), reply("", "405 Method Not Allowed")])
    def test_without_a_digest_it_is_that_of_the_manifest(self, head: bytes) -> None:
        """Where a registry tells none, or knows no HEAD: the bytes have to be a manifest."""
        manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
        found, _ = talk(head, reply(manifest, Content_Type=OCI_INDEX), tag="a")
        digest = hashlib.sha256(manifest.encode()).digest()
        assert found == Tag(name="a", digest=digest, media_type=OCI_INDEX, kind=Kind.ARTIFACT)
        for body in ("", "<html>", "{}"):
            with pytest.raises(UnreadableAnswer):
                talk(head, reply(body), tag="a")

    def test_a_sha512_digest(self) -> None:
        """It has 64 bytes; the type's parameters and case do not matter; an odd type is none."""
        headers = {"Docker_Content_Digest": "sha512:" + "ab" * 64}
        found, _ = talk(reply("", **headers, Content_Type=f"{OCI_INDEX.upper()}; charset=utf-8"), tag="a")
        assert found == Tag(name="a", digest=b"\xab" * 64, media_type=OCI_INDEX)
        found, _ = talk(reply("", **headers, Content_Type="x" * 300), tag="a")
        assert found == Tag(name="a", digest=b"\xab" * 64)

    @pytest.mark.parametrize("tag", ["", "a/b", "..", "-a", "a b", "x" * 129, "é", "a?x", "sha256:" + "a" * 64])
    def test_a_name_that_no_tag_has(self, tag: str) -> None:
        """It does not get into an address."""
        hub = open_hub()
        with pytest.raises(InvalidReference):
            ask(hub, lambda registry: registry.tag(APP, tag))
        assert hub.requests == []

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, Blocked), (403, Blocked), (500, Unreachable), (400, UnreadableAnswer)]
    )
    def test_other_errors(self, status: int, kind: type[SourceError]) -> None:
        """They are what they are everywhere; a 401 that asks for nothing is a closed door."""
        hub = open_hub()
        hub.disturb("manifests", answer(status))
        with pytest.raises(kind):
            ask(hub, lambda registry: registry.tag(APP, "t00001"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=8), json_values)
def test_no_list_of_json_is_too_odd(tags: list[object], name: object) -> None:
    """Any list of anything gives names, and a warning for each thing that is none."""
    found = listed(page(*tags, name=name))
    assert len(found.names) <= len(tags)
    assert found.complete == (not found.warnings)
