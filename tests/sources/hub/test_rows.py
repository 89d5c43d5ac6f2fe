"""Docker Hub's answers as records: rows of every age, and of every kind of nonsense."""

import json
from collections.abc import Mapping
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.kinds import Kind
from hubindex.records import PlatformImage, Repository, RepositoryPage, Tag, TagPage
from hubindex.sources.hub import rows as hub_rows
from tests.fakehub import FakeHub
from tests.fakehub.data import FakeImage, FakeTag, digest_of
from tests.fakehub.sample import sample_hub
from tests.sources.hub.asking import NOW, ask

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
LIST_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json"


def raw(digest: str) -> bytes:
    return bytes.fromhex(digest.partition(":")[2])


def image(architecture: object = "amd64", digest: object = A, **more: object) -> dict[str, object]:
    return {"architecture": architecture, "os": "linux", "digest": digest, "size": 1} | more


def listed(*rows: object, **envelope: object) -> bytes:
    return json.dumps({"count": len(rows), "next": None, "results": rows} | envelope).encode()


def tags(*rows: object, **envelope: object) -> TagPage:
    return hub_rows.tag_page(listed(*rows, **envelope), "acme/web", NOW)


def tag(**row: object) -> Tag:
    """The tag of a row that nothing is wrong with."""
    page = tags({"name": "1.0"} | row)
    assert page.warnings == ()
    return page.tags[0]


def found(*rows: object) -> RepositoryPage:
    return hub_rows.search_page(listed(*rows), "web", NOW)


def repositories(*rows: object) -> RepositoryPage:
    return hub_rows.namespace_page(listed(*rows), "acme", NOW)


class TestTags:
    """A tag row of any age becomes a tag."""

    def test_a_row_of_today(self) -> None:
        """An index with attestations: these are left out, the images are sorted by platform."""
        assert tag(
            digest=B,
            media_type="application/vnd.oci.image.index.v1+json",
            full_size=83_983_956,
            last_updated="2025-09-09T14:52:49.955258Z",
            tag_last_pushed="2025-09-09T14:52:50.123456789Z",
            images=[
                image(size=7),
                image("unknown", B, os="unknown"),
                image("arm", B, variant="v7", size=8),
            ],
        ) == Tag(
            name="1.0",
            digest=raw(B),
            media_type="application/vnd.oci.image.index.v1+json",
            size=83_983_956,
            pushed_at=1_757_429_570_123,
            kind=Kind.IMAGE,
            images=(PlatformImage("linux/amd64", raw(A), 7), PlatformImage("linux/arm/v7", raw(B), 8)),
        )

    def test_a_row_of_2016(self) -> None:
        """Neither images nor digests: only the time and the size are known."""
        assert tag(full_size=5, last_updated="2016-01-04T19:00:51.344198Z", image_id=None) == Tag(
            name="1.0", size=5, pushed_at=1_451_934_051_344
        )

    def test_a_list_with_an_image_without_digest_is_not_used(self) -> None:
        """As rows had them in 2018: part of a platform set would look like all of it."""
        assert tag(images=[image(digest=None), {"architecture": "arm"}]).images == ()
        assert tag(digest=B, images=[image(digest=None), image("arm")]).images == ()
        assert tag(images=[image(digest=None), image("arm")]).digest is None

    @pytest.mark.parametrize("media_type", [None, "application/vnd.docker.container.image.v1+json"])
    def test_a_single_image_is_the_tag(self, media_type: str | None) -> None:
        """A tag without a digest that has one image has that image's digest."""
        single = tag(images=[image()], media_type=media_type)
        assert single.digest == raw(A)
        assert single.images == (PlatformImage("linux/amd64", raw(A), 1),)

    @pytest.mark.parametrize(
        "row",
        [
            {"images": [image(), image("arm", B)]},
            {"images": [image(), image("unknown", B, os="unknown")]},
            {"images": [image(), image("arm", None)]},
            {"images": [image()], "media_type": LIST_TYPE},
            {"images": [image("unknown", os="unknown")]},
            {"images": []},
        ],
    )
    def test_an_index_without_a_digest_stays_without(self, row: dict[str, object]) -> None:
        """The digest of an index is in none of its images."""
        assert tag(**row).digest is None

    @pytest.mark.parametrize(
        ("parts", "platform"),
        [
            ({}, "linux/amd64"),
            ({"architecture": "arm64", "variant": "v8"}, "linux/arm64/v8"),
            ({"os": "windows", "os_version": "10.0.17763.6659"}, "windows/amd64:10.0.17763.6659"),
            ({"os": ""}, "unknown/amd64"),
            ({"os": None}, "unknown/amd64"),
            ({"architecture": ""}, "linux/unknown"),
            ({"architecture": "unknown"}, "linux/unknown"),
            ({"os": "", "architecture": None}, "unknown/unknown"),
            ({"variant": "", "os_version": ""}, "linux/amd64"),
        ],
    )
    def test_platforms(self, parts: dict[str, object], platform: str) -> None:
        """As docker prints them; what the row leaves empty is unknown, not guessed."""
        assert tag(images=[image(**parts)]).images[0].platform == platform

    def test_repeated_images_are_one(self) -> None:
        """The same platform and digest twice is one image; another digest is another."""
        assert tag(images=[image("arm", B), image(), image(), image("amd64", B)]).images == (
            PlatformImage("linux/amd64", raw(A), 1),
            PlatformImage("linux/amd64", raw(B), 1),
            PlatformImage("linux/arm", raw(B), 1),
        )

    def test_aliases_share_their_images(self) -> None:
        """Tags of one digest have the same images, which are read once."""
        first, second, third = tags(
            {"name": "a", "digest": A, "images": []},
            {"name": "b", "digest": A, "images": [image()]},
            {"name": "c", "digest": A, "images": [image(last_pulled="2025-09-09T14:52:49Z")]},
        ).tags
        assert first.images == ()
        assert len(second.images) == 1
        assert second.images is third.images

    def test_the_push_is_the_last_update_where_nothing_else_is_said(self) -> None:
        """`tag_last_pushed` counts; without it, or if it is unreadable, `last_updated`."""
        old, new = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"
        assert tag(tag_last_pushed=new, last_updated=old).pushed_at == 1_609_459_200_000
        assert tag(tag_last_pushed=None, last_updated=old).pushed_at == 1_577_836_800_000
        assert tag(tag_last_pushed="soon", last_updated=old).pushed_at == 1_577_836_800_000
        assert tag(tag_last_pushed=None, last_updated=None).pushed_at is None

    def test_digests_of_both_kinds(self) -> None:
        """sha256 and sha512."""
        assert tag(digest="sha512:" + "c" * 128).digest == b"\xcc" * 64

    @pytest.mark.parametrize(
        "digest",
        [
            "sha256:" + "a" * 63,
            "sha256:" + "a" * 65,
            "sha256:" + "g" * 64,
            "sha256:" + "a" * 62 + "  ",
            "sha512:" + "a" * 64,
            "md5:" + "a" * 32,
            "a" * 64,
            "sha256:" + "٣" * 64,
            "\x1b[31m" * 1000,
        ],
    )
    def test_what_is_no_digest(self, digest: str) -> None:
        """The tag has none, and a warning says so; an image list with one is not used."""
        page = tags({"name": "1.0", "digest": digest, "images": [image()]}, {"name": "2.0", "digest": B})
        assert [tag.digest for tag in page.tags] == [None, raw(B)]
        assert len(page.warnings) == 1
        assert page.warnings[0].startswith("tags of acme/web, row 1 (1.0): ")
        assert page.warnings[0].isprintable()
        assert page.unreadable == 0
        page = tags({"name": "1.0", "digest": B, "images": [image(), image("arm", digest)]})
        assert page.tags[0].images == ()
        assert "its images are not used" in page.warnings[0]

    @pytest.mark.parametrize(
        "images",
        [
            {},
            "none",
            [1],
            [image(7)],
            [image("am\x1bd64")],
            [image("a/b")],
            [image(variant="x" * 100)],
            [image(digest=f"sha256:{number:064x}") for number in range(1001)],
        ],
    )
    def test_images_that_are_not_understood(self, images: object) -> None:
        """Only the images are lost, all of them, and a warning says so."""
        page = tags({"name": "1.0", "digest": B, "images": images}, {"name": "2.0", "images": [image()]})
        assert page.tags[0] == Tag(name="1.0", digest=raw(B))
        assert len(page.tags[1].images) == 1
        assert len(page.warnings) == 1
        assert page.warnings[0].isprintable()

    @pytest.mark.parametrize(
        "row", [7, None, [], {}, {"name": None}, {"name": 7}, {"name": ""}, {"name": "-x"}, {"name": "a" * 129}]
    )
    def test_a_row_without_a_tag_name_is_left_out(self, row: object) -> None:
        """The others stay; the row is counted and named."""
        page = tags({"name": "1.0"}, row, {"name": "2.0"})
        assert [tag.name for tag in page.tags] == ["1.0", "2.0"]
        assert page.unreadable == 1
        assert page.warnings[-1].startswith("tags of acme/web, row 2")
        assert all(warning.isprintable() and len(warning) < 500 for warning in page.warnings)

    @pytest.mark.parametrize(
        "name", ["a\0", "a b", "a/b", "é", "<script>", "a\n", "\x1b[31m" + "x" * 5000, "\u202e"]
    )
    def test_hostile_names_stay_outside(self, name: str) -> None:
        """What no reference can name is left out, and shown neutralised."""
        page = tags({"name": name})
        assert (page.tags, page.unreadable) == ((), 1)
        assert page.warnings[0].isprintable()
        assert len(page.warnings[0]) < 300

    def test_one_odd_field_does_not_cost_the_row(self) -> None:
        """A field of an unexpected type is as if it were absent, and a warning names it."""
        page = tags(
            {"name": "1.0", "digest": 7, "full_size": [], "tag_last_pushed": {}, "media_type": 1},
            {"name": "2.0", "full_size": "77", "last_updated": "2020-01-01T00:00:00Z"},
        )
        assert page.tags == (Tag(name="1.0"), Tag(name="2.0", size=77, pushed_at=1_577_836_800_000))
        assert page.unreadable == 0
        assert page.warnings == (
            "tags of acme/web, row 1 (1.0): digest, full_size, tag_last_pushed, media_type not understood",
        )

    @pytest.mark.parametrize("size", [-1, 2**63, 10**30, "-1", "1e3", "٣", "9" * 5000, ""])
    def test_impossible_sizes(self, size: object) -> None:
        """A size below zero or beyond 64 bits is not known."""
        assert tag(full_size=size).size is None

    @pytest.mark.parametrize("media_type", ["", "a\n", "a\0", "é", "x" * 256])
    def test_impossible_media_types(self, media_type: str) -> None:
        """A media type is short printable ASCII."""
        assert tag(media_type=media_type).media_type is None

    def test_broken_unicode_costs_nothing(self) -> None:
        """Half surrogate pairs and broken UTF-8 in a field that is not used, or in a used one, are replaced."""
        rows = rb'{"name":"1.0","x":"\ud800"},{"name":"2.0","x":"\ude00\\ud800"},{"name":"3.0\ud83d"}'
        page = hub_rows.tag_page(b'{"results":[' + rows + b',{"name":"4.0\xff"}]}', "acme/web", NOW)
        assert [tag.name for tag in page.tags] == ["1.0", "2.0"]
        assert page.unreadable == 2

    def test_warnings_are_few(self) -> None:
        """A page of nonsense is described in twenty lines and a sum."""
        page = tags(*({"name": f"-{number}"} for number in range(150)))
        assert page.unreadable == 150
        assert len(page.warnings) == 21
        assert page.warnings[-1] == "tags of acme/web: 130 more of this kind"

    def test_the_sample_hub(self) -> None:
        """The stand-in's oddest list is read without a warning."""
        page = ask(sample_hub(), lambda source: source.tag_page("grafana/grafana", 1))
        assert page.warnings == ()
        by_name = {tag.name: tag for tag in page.tags}
        assert by_name["2.1.3"].images[0].platform == "unknown/amd64"
        assert by_name["no-digest"].digest == raw(digest_of("no tag digest"))
        assert by_name["images-gone"].images == ()
        assert by_name["from-2016"].pushed_at == 1_462_518_489_201

    def test_windows_versions(self) -> None:
        """The version of the operating system is part of the platform."""
        hub = FakeHub()
        old = FakeImage(os="windows", os_version="10.0.17763.1", digest=A, size=3)
        hub.add_repository("acme/web").put(FakeTag("nano", 1, digest=A, images=[old]))
        page = ask(hub, lambda source: source.tag_page("acme/web", 1))
        assert page.tags[0].images == (PlatformImage("windows/amd64:10.0.17763.1", raw(A), 3),)


class TestEnvelopes:
    """What surrounds the rows."""

    @pytest.mark.parametrize(
        ("envelope", "more", "count"),
        [
            ({"results": []}, False, None),
            ({"count": 0}, False, 0),
            ({"count": 3, "results": None, "next": None}, False, 3),
            ({"count": 3, "results": [], "next": ""}, False, 3),
            ({"count": 3, "results": [], "next": "https://x"}, True, 3),
            ({"count": "3", "results": [], "next": "https://x"}, True, None),
            ({"count": -1, "results": []}, False, None),
            ({"count": 10**30, "results": []}, False, None),
            ({"count": None, "results": [], "next": 7}, True, None),
            ({"count": True, "results": []}, False, None),
        ],
    )
    def test_envelopes_of_every_age(self, envelope: Mapping[str, object], more: bool, count: int | None) -> None:
        """`next` absent, null or empty is the end; a count that is no number is not known."""
        page = hub_rows.tag_page(json.dumps(envelope).encode(), "acme/web", NOW)
        assert (page.tags, page.more, page.count) == ((), more, count)

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"null", b"7", b"{}", b'{"message":"ok"}', b'{"results":7}', b'{"results":[', b"{" * 50],
    )
    def test_what_is_no_list_is_an_error(self, body: bytes) -> None:
        """Never an empty page, which would look like the end."""
        for decode in (hub_rows.tag_page, hub_rows.search_page, hub_rows.namespace_page):
            with pytest.raises(msgspec.DecodeError):
                decode(body, "acme", NOW)

    def test_a_count_of_thousands_of_digits(self) -> None:
        """Costs only the count."""
        body = b'{"count":' + b"9" * 5000 + b',"results":[{"name":"1.0"}]}'
        assert hub_rows.tag_page(body, "acme/web", NOW).count is None


class TestRepositories:
    """Rows of searches and of namespaces, and descriptions of one repository."""

    def test_search_rows_are_tolerated(self) -> None:
        """Text counts, nulls and absent keys; what is absent is not known."""
        page = found({"repo_name": "acme/web", "pull_count": "12916987208", "star_count": None})
        assert page.repositories == (Repository(name="acme/web", pull_count=12_916_987_208),)
        page = found({"repo_name": "acme/web", "is_official": "yes", "short_description": "x"})
        assert page.repositories == (Repository(name="acme/web", description="x"),)
        assert page.warnings == ("search 'web', row 1 (acme/web): is_official not understood",)

    @pytest.mark.parametrize(
        "name",
        ["", "Acme/web", "a/b/c", "acme/", "/web", "acme/web\n", "a" * 250 + "/" + "b" * 10, "a/<b>", "é/b"],
    )
    def test_impossible_names_are_left_out(self, name: str) -> None:
        """The others stay, and a warning names the row."""
        page = found({"repo_name": name}, {"repo_name": "nginx"})
        assert [repository.name for repository in page.repositories] == ["library/nginx"]
        assert page.warnings[0].startswith("search 'web', row 1")
        assert page.warnings[0].isprintable()

    def test_descriptions_can_be_stored(self) -> None:
        """At most 4,000 characters, no NUL, no half surrogates; otherwise as they are."""
        body = rb'{"results":[{"repo_name":"a/b","short_description":"x\u0000y\ud800z \u001b[31m \ud83d\ude80"}]}'
        page = hub_rows.search_page(body, "x", NOW)
        assert page.repositories[0].description == "xy\ufffdz \x1b[31m 🚀"
        page = found({"repo_name": "a/b", "short_description": "🚀" * 5000})
        assert page.repositories[0].description == "🚀" * 4000

    def test_private_repositories_are_skipped(self) -> None:
        """Without a warning."""
        page = repositories(
            {"name": "a", "namespace": "acme", "repository_type": None},
            {"name": "b", "namespace": "acme", "is_private": True},
            {"name": "c", "namespace": "acme", "repository_type": "plugin"},
            {"name": "d", "namespace": None, "repository_type": "image", "is_private": False},
        )
        assert [repository.name for repository in page.repositories] == ["acme/a", "acme/c", "acme/d"]
        assert page.warnings == ()

    def test_what_repositories_hold(self) -> None:
        """Their content types and media types; plugins by their type. What is no list of texts is left aside."""
        page = repositories(
            {"name": "a", "namespace": "acme", "content_types": ["helm"], "repository_type": "image"},
            {
                "name": "b",
                "namespace": "acme",
                "media_types": ["application/vnd.docker.ai.model.config.v0.1+json"],
            },
            {"name": "c", "namespace": "acme", "repository_type": "plugin", "content_types": None},
            {"name": "d", "namespace": "acme", "content_types": [5], "media_types": "x"},
            {"name": "e", "namespace": "acme", "content_types": ["", "\x1b[31m" * 9999]},
        )
        assert [set(repository.kinds) for repository in page.repositories] == [
            {Kind.HELM_CHART}, {Kind.MODEL}, {Kind.PLUGIN}, set(), {Kind.ARTIFACT},
        ]  # fmt: skip
        assert page.warnings == ("repositories of acme, row 4 (d): content_types, media_types not understood",)

    @pytest.mark.parametrize(
        ("content_type", "kind"),
        [
            ("helm", Kind.HELM_CHART),
            ("image", Kind.IMAGE),
            ("x" * 100_000, Kind.ARTIFACT),
            ("\x1b[31m", Kind.ARTIFACT),
            ("", None),
            (None, None),
            (5, None),
            (["helm"], None),
            ({"helm": 1}, None),
        ],
    )
    def test_what_tags_hold(self, content_type: object, kind: Kind | None) -> None:
        """A content type of another sort is left aside, an unknown one is one of no known kind."""
        row = {"name": "1", "digest": f"sha256:{'a' * 64}", "content_type": content_type, "images": []}
        page = hub_rows.tag_page(json.dumps({"count": 1, "results": [row]}).encode(), "acme/a", NOW)
        assert [tag.kind for tag in page.tags] == [kind]
        assert len(page.warnings) == (content_type is not None and not isinstance(content_type, str))

    def test_rows_of_another_namespace_are_left_out(self) -> None:
        """A namespace speaks for itself only."""
        page = repositories({"name": "nginx", "namespace": "library"}, {"name": "a", "namespace": "acme"})
        assert [repository.name for repository in page.repositories] == ["acme/a"]
        assert "another namespace" in page.warnings[0]

    def test_times_and_counts(self) -> None:
        """Of the last push and of the creation; 0 to 9 digits; never pushed is null."""
        page = repositories(
            {"name": "a", "last_updated": "2026-04-08T04:52:59.85304Z", "date_registered": "2014-06-05T19:14:45Z"},
            {"name": "b", "last_updated": None, "pull_count": -1, "star_count": 2**70},
        )
        a, b = page.repositories
        assert (a.updated_at, a.registered_at) == (1_775_623_979_853, 1_401_995_685_000)
        assert (b.updated_at, b.registered_at, b.pull_count, b.star_count) == (None, None, None, None)

    @pytest.mark.parametrize(
        "body",
        [
            b"[]",
            b"{}",
            b'{"message":"ok"}',
            b'{"name":"api","namespace":"acme"}',
            b'{"name":"web","namespace":"library"}',
            b'{"name":7}',
        ],
    )
    def test_one_repository_must_be_the_one_asked_for(self, body: bytes) -> None:
        """An answer about nothing, or about another repository, is not understood."""
        with pytest.raises(msgspec.DecodeError):
            hub_rows.repository(body, "acme/web")

    def test_one_repository_with_odd_fields(self) -> None:
        """A field that is not understood is not known."""
        body = b'{"name":"web","star_count":{},"pull_count":"7","description":null}'
        assert hub_rows.repository(body, "acme/web") == Repository(
            name="acme/web", pull_count=7, is_official=False
        )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = ("name", "digest", "images", "full_size", "tag_last_pushed", "media_type", "repo_name", "namespace")
rows = json_values | st.dictionaries(st.sampled_from(KEYS), json_values | st.just([image()]))


@given(st.lists(rows, max_size=5), json_values, json_values)
def test_no_page_of_json_is_too_odd(page: list[object], count: object, following: object) -> None:
    """Any list of any rows gives a page: each row is in it, or is counted and complained about."""
    body = json.dumps({"results": page, "count": count, "next": following}).encode()
    found_tags = hub_rows.tag_page(body, "acme/web", NOW)
    assert len(found_tags.tags) + found_tags.unreadable == len(page)
    assert not found_tags.unreadable or found_tags.warnings
    for found_page in (hub_rows.search_page(body, "x", NOW), hub_rows.namespace_page(body, "acme", NOW)):
        assert len(found_page.repositories) <= len(page)


@given(st.binary(max_size=200))
def test_any_bytes_are_safe(body: bytes) -> None:
    """Bytes are a page, or `DecodeError`."""
    with suppress(msgspec.DecodeError):
        hub_rows.tag_page(b'{"results":[{"name":"' + body + b'"}]}', "acme/web", NOW)
