"""The stand-in Hub keeps the habits of the real one: tags, repositories, search."""

import asyncio

import aiohttp
import msgspec
import pytest

from tests.fakehub import FakeHub, FakeTag, load_rows
from tests.fakehub.asking import LEGACY_TAGS, TAGS, Listing, ask, get, hub_with_tags, listing, row, values
from tests.fakehub.sample import SearchRow


class TestPushing:
    """What a push makes of tags and digests."""

    def test_same_content_same_digests(self) -> None:
        """The same content has the same digests in any repository, at any time."""
        hub = FakeHub()
        one = hub.add_repository("acme/one").push("a", at="2024-01-01T00:00:00Z", content="x")
        two = hub.add_repository("acme/two").push("b", at="2025-01-01T00:00:00Z", content="x")
        other = hub.repositories["acme/two"].push("c", content="y")
        assert one.digest == two.digest != other.digest

    def test_index_digest_is_none_of_the_images(self) -> None:
        """A multi-platform tag's digest equals none of its images' digests."""
        tag = FakeHub().add_repository("acme/app").push("a", attestations=True)
        assert tag.images
        assert len(tag.images) == 4
        assert tag.digest not in [image.digest for image in tag.images]
        assert [image.os for image in tag.images] == ["linux", "unknown"] * 2

    def test_single_platform(self) -> None:
        """A one-platform tag has its image's digest, and the config's media type."""
        tag = FakeHub().add_repository("acme/app").push("a", platforms=["windows/amd64:10.0.17763.1"])
        assert tag.images
        assert tag.digest == tag.images[0].digest
        assert tag.media_type == "application/vnd.docker.container.image.v1+json"
        assert (tag.images[0].os, tag.images[0].os_version) == ("windows", "10.0.17763.1")

    def test_platforms_move_alone(self) -> None:
        """A push can change one platform's image and leave the other's."""
        app = FakeHub().add_repository("acme/app")
        old = app.push("a", platforms={"linux/amd64": "one", "linux/arm64/v8": "one"})
        new = app.push("a", platforms={"linux/amd64": "two", "linux/arm64/v8": "one"})
        assert old.images
        assert new.images
        assert old.digest != new.digest
        assert [old.images[i].digest == new.images[i].digest for i in (0, 1)] == [False, True]

    def test_moving_keeps_the_id(self) -> None:
        """A tag that moves comes first in the list and keeps its id; several names are aliases."""
        app = FakeHub().add_repository("acme/app")
        first = app.push("latest", "1", "1.0", at="2024-01-01T00:00:00Z")
        app.push("old", at="2024-01-02T00:00:00Z")
        again = app.push("latest", "2", at="2024-01-03T00:00:00Z")
        assert [tag.name for tag in app.tags] == ["latest", "2", "old", "1", "1.0"]
        assert again.id == first.id
        assert len({tag.id for tag in app.tags}) == 5
        assert app.tag("1").digest == app.tag("1.0").digest == first.digest != again.digest
        assert app.last_updated == "2024-01-03T00:00:00Z"

    def test_delete(self) -> None:
        """A deleted tag is gone."""
        hub = hub_with_tags(2)
        hub.repositories["acme/app"].delete("t01")
        assert values(hub, TAGS, "name") == ["t00"]
        assert get(hub, TAGS + "/t01").status == 404


class TestTags:
    """Lists of tags."""

    @pytest.mark.parametrize("path", [TAGS, TAGS + "/", LEGACY_TAGS, LEGACY_TAGS.rstrip("/")])
    def test_both_paths_with_and_without_slash(self, path: str) -> None:
        """Both families of paths answer, with a trailing slash and without."""
        assert values(hub_with_tags(), path, "name") == ["t02", "t01", "t00"]

    @pytest.mark.parametrize(
        ("ordering", "names"),
        [
            ("", ["t02", "t01", "t00"]),
            ("?ordering=last_updated", ["t02", "t01", "t00"]),
            ("?ordering=-last_updated", ["t00", "t01", "t02"]),
            ("?ordering=-name", ["t00", "t01", "t02"]),
            ("?ordering=name", ["t02", "t01", "t00"]),
        ],
    )
    def test_ordering_has_an_inverted_sign(self, ordering: str, names: list[str]) -> None:
        """`last_updated` is newest first, and that is the default; `-name` is A to Z."""
        assert values(hub_with_tags(), TAGS + ordering, "name") == names

    def test_page_size(self) -> None:
        """A page has 10 rows unless asked otherwise, and never more than 100."""
        hub = hub_with_tags(120)
        assert len(listing(hub, TAGS).results) == 10
        assert len(listing(hub, TAGS + "?page_size=100").results) == 100
        assert len(listing(hub, TAGS + "?page_size=500").results) == 100
        assert len(listing(hub, TAGS + "?page_size=100&page=2").results) == 20

    def test_page_size_ignored(self) -> None:
        """In 2023 a fault made the Hub send 25 rows whatever was asked."""
        hub = hub_with_tags(30)
        hub.forced_page_size = 25
        assert len(listing(hub, TAGS + "?page_size=100").results) == 25
        assert len(listing(hub, TAGS + "?page_size=100&page=2").results) == 5

    def test_next_and_previous(self) -> None:
        """`next` is absolute, on the host that was asked, in the request's style, parameters kept and sorted."""

        async def asking() -> tuple[str, bytes, Listing]:
            async with hub_with_tags(5).serve() as url, aiohttp.ClientSession() as session:
                async with session.get(f"{url}{LEGACY_TAGS}?page_size=2&page=2&odd=1") as response:
                    body = await response.read()
                return url, body, msgspec.json.decode(body, type=Listing)

        url, body, page = asyncio.run(asking())
        assert page.next == f"{url}{LEGACY_TAGS}?odd=1&page=3&page_size=2"
        assert page.previous == f"{url}{LEGACY_TAGS}?odd=1&page=1&page_size=2"
        assert rb"?odd=1\u0026page=3\u0026page_size=2" in body

    def test_ends_are_null(self) -> None:
        """There is no next on the last page, and no previous on the first: null."""
        page = listing(hub_with_tags(), TAGS)
        assert (page.count, page.next, page.previous) == (3, None, None)

    def test_beyond_the_end(self) -> None:
        """A page beyond the end is 404; the first page of nothing is not. The real answer is not recorded."""
        hub = hub_with_tags()
        hub.add_repository("acme/empty")
        assert get(hub, TAGS + "?page=2").status == 404
        assert listing(hub, "/v2/repositories/acme/empty/tags").count == 0
        hub.beyond_end["tags"] = 200
        assert listing(hub, TAGS + "?page=2").results == []

    def test_filters(self) -> None:
        """`name` is part of the tag's name; `architecture` and `os` are an image's."""
        hub = hub_with_tags()
        hub.repositories["acme/app"].push("win", platforms=["windows/amd64"], at="2025-01-01T00:00:00Z")
        assert values(hub, TAGS + "?name=02", "name") == ["t02"]
        assert values(hub, TAGS + "?os=windows", "name") == ["win"]
        assert values(hub, TAGS + "?architecture=arm64&name=t0", "name") == ["t02", "t01", "t00"]

    def test_fractions_do_not_disturb_the_order(self) -> None:
        """Times have 0 to 9 digits of fraction, and null is the oldest."""
        app = (hub := FakeHub()).add_repository("acme/app")
        for name, fraction in (("b", ".5"), ("c", ".123456789"), ("a", ".51"), ("d", "")):
            app.push(name, at=f"2024-03-01T12:00:00{fraction}Z")
        app.push("e", at=None)
        assert values(hub, TAGS, "name") == ["a", "b", "c", "d", "e"]

    def test_one_tag_is_as_in_the_list(self) -> None:
        """`/tags/{tag}` is the same object alone."""
        hub = hub_with_tags()
        assert row(hub, TAGS + "/t01") == listing(hub, TAGS).results[1]

    def test_images_of_a_tag(self) -> None:
        """`/tags/{tag}/images` is a bare array with layers; features are null, empty layers have no digest."""
        answer = get(hub_with_tags(), TAGS + "/t01/images")
        images = msgspec.json.decode(answer.body, type=list[dict[str, object]])
        assert [image["architecture"] for image in images] == ["amd64", "arm64"]
        assert [image["features"] for image in images] == [None, None]
        layers = msgspec.convert(images[0]["layers"], type=list[dict[str, object]])
        assert [sorted(layer) for layer in layers] == [
            ["digest", "instruction", "size"],
            ["instruction", "size"],
        ]

    @pytest.mark.parametrize(
        ("era", "new", "gone"),
        [
            (2016, {"id", "last_updated", "image_id", "v2"}, {"images", "last_updater_username", "digest"}),
            (2018, {"images", "image_id"}, {"last_updater_username", "tag_status"}),
            (2019, {"last_updater_username", "image_id"}, {"tag_status", "media_type"}),
            (2022, {"tag_status", "tag_last_pushed", "tag_last_pulled", "media_type"}, {"image_id", "digest"}),
            (2023, {"digest", "tag_last_pushed", "content_type"}, {"image_id"}),
            (2026, {"digest", "tag_last_pushed", "content_type"}, {"image_id"}),
        ],
    )
    def test_eras(self, era: int, new: set[str], gone: set[str]) -> None:
        """Rows have the keys of their age."""
        (hub := FakeHub()).add_repository("acme/app").push("a", era=era)
        keys = set(row(hub, TAGS + "/a"))
        assert new <= keys
        assert not gone & keys

    @pytest.mark.parametrize(
        ("era", "digest", "features", "pushed"),
        [(2018, False, None, False), (2019, True, "", False), (2022, True, "", True)],
    )
    def test_eras_of_images(self, era: int, digest: bool, features: str | None, pushed: bool) -> None:
        """Images got a digest in 2019, and a status and times by 2022."""
        (hub := FakeHub()).add_repository("acme/app").push("a", era=era)
        image = msgspec.convert(row(hub, TAGS + "/a")["images"], type=list[dict[str, object]])[0]
        assert ("digest" in image) is digest
        assert image["features"] == features
        assert ("last_pushed" in image) is ("status" in image) is pushed

    def test_gaps(self) -> None:
        """A tag may lack `digest` or `images`, have no images, and have null dates."""
        hub = FakeHub()
        hub.add_repository("acme/app").tags = [FakeTag("a", 1, images=None), FakeTag("b", 2)]
        without, empty = listing(hub, TAGS).results
        assert not {"digest", "images", "media_type"} & set(without)
        assert empty["images"] == []
        assert empty["last_updated"] is empty["tag_last_pushed"] is None


class TestRepositories:
    """One repository, and the repositories of a namespace."""

    def hub(self) -> FakeHub:
        """Three repositories in one namespace."""
        hub = FakeHub()
        for name, pulls, year in (("b", 20, 2024), ("a", 10, 2023), ("c", 30, 2022)):
            repository = hub.add_repository(f"acme/{name}", pull_count=pulls)
            repository.push("latest", at=f"{year}-01-01T00:00:00Z")
        return hub

    @pytest.mark.parametrize(
        ("ordering", "names"),
        [
            ("", "cba"),
            ("?ordering=pull_count", "cba"),
            ("?ordering=-pull_count", "abc"),
            ("?ordering=last_updated", "bac"),
            ("?ordering=-last_updated", "cab"),
            ("?ordering=name", "cba"),
            ("?ordering=-name", "abc"),
        ],
    )
    @pytest.mark.parametrize("path", ["/v2/namespaces/acme/repositories", "/v2/repositories/acme/"])
    def test_ordering(self, path: str, ordering: str, names: str) -> None:
        """The sign is inverted here too; without `ordering` the most pulled come first."""
        assert values(self.hub(), path + ordering, "name") == list(names)

    def test_bad_ordering(self) -> None:
        """A bad `ordering` is 400."""
        answer = get(self.hub(), "/v2/repositories/acme/?ordering=stars")
        assert answer.status == 400
        assert b'"text":"Invalid ordering value"' in answer.body

    def test_unknown_namespace(self) -> None:
        """A namespace that does not exist has an empty list, with status 200."""
        assert listing(FakeHub(), "/v2/repositories/nobody/") == Listing(0, None, None, [])

    def test_beyond_the_end(self) -> None:
        """A page after the first with nothing on it is 404, even in an unknown namespace."""
        answers = ask(self.hub(), "/v2/repositories/acme/?page=2", "/v2/repositories/nobody/?page=2")
        assert [answer.status for answer in answers] == [404, 404]

    def test_eras(self) -> None:
        """Rows have the keys of their age: user and is_automated once, categories and storage_size now."""
        hub = FakeHub()
        for era in (2015, 2019, 2025):
            hub.add_repository(f"acme/{era}", pull_count=era, era=era)
        new, middle, old = (set(each) for each in listing(hub, "/v2/repositories/acme").results)
        assert {"user", "is_automated", "can_edit"} <= old & middle
        assert not {"user", "is_automated", "can_edit"} & new
        assert {"categories", "storage_size", "last_modified", "date_registered"} <= new - middle
        assert "repository_type" in middle - old

    def test_one_repository(self) -> None:
        """The detail has more: the full description (or not even its key), and stackbrew for library."""
        hub = FakeHub()
        hub.add_repository("library/a", full_description="# A", pull_count=13_000_000_000)
        hub.add_repository("library/b", full_description=None)
        a = row(hub, "/v2/namespaces/library/repositories/a")
        assert (a["full_description"], a["hub_user"], a["affiliation"]) == ("# A", "stackbrew", None)
        assert a["pull_count"] == 13_000_000_000
        assert "full_description" not in row(hub, "/v2/repositories/library/b/")

    def test_never_pushed(self) -> None:
        """A repository that was never pushed to has status 0 and no last update."""
        (hub := FakeHub()).add_repository("acme/new")
        new = row(hub, "/v2/repositories/acme/new/")
        assert (new["status"], new["last_updated"]) == (0, None)

    @pytest.mark.parametrize("path", ["", "/tags", "/tags/latest", "/tags/latest/images"])
    def test_missing(self, path: str) -> None:
        """What does not exist is 404, "object not found"."""
        answer = get(FakeHub(), "/v2/namespaces/acme/repositories/none" + path)
        assert answer.status == 404
        assert answer.body == b'{"message":"object not found","errinfo":{}}'


class TestSearch:
    """Search v2 and v1."""

    def hub(self) -> FakeHub:
        """An official image and its kin."""
        hub = FakeHub()
        hub.add_repository("acme/other", "Built on mongo", star_count=99, pull_count=1)
        hub.add_repository("acme/mongo", "A & B", star_count=5, pull_count=9, is_automated=True)
        hub.add_repository("library/mongo", "Documents", star_count=50, pull_count=5)
        hub.add_repository("library/nginx", "Web")
        return hub

    def test_rows(self) -> None:
        """Official images are named bare, `repo_owner` is empty, and so are `next` and `previous` at an end."""
        page = listing(self.hub(), "/v2/search/repositories/?query=mongo")
        assert (page.count, page.next, page.previous) == (3, "", "")
        assert page.results[0] == {
            "repo_name": "mongo",
            "short_description": "Documents",
            "star_count": 50,
            "pull_count": 5,
            "repo_owner": "",
            "is_automated": False,
            "is_official": True,
        }
        assert [each["repo_name"] for each in page.results] == ["mongo", "acme/mongo", "acme/other"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("query=mongo&is_official=1", ["mongo"]),
            ("query=mongo&is_official=false", ["acme/mongo", "acme/other"]),
            ("query=mongo&is_automated=true", ["acme/mongo"]),
            ("query=mongo&ordering=-pull_count", ["acme/mongo", "mongo", "acme/other"]),
            ("query=mongo&ordering=-star_count", ["acme/other", "mongo", "acme/mongo"]),
            ("query=acme/mongo", ["acme/mongo"]),
            ("query=built+mongo", ["acme/other"]),
            ("query=library/mongo", []),
            ("query=", []),
            ("query=*", ["acme/other", "acme/mongo", "mongo", "nginx"]),
        ],
    )
    def test_queries(self, query: str, names: list[str]) -> None:
        """Filters and descending orders work; `library/mongo` finds nothing; `*` finds everything."""
        assert values(self.hub(), "/v2/search/repositories/?" + query, "repo_name") == names

    def test_paging(self) -> None:
        """Ten rows a page; nothing is beyond the end, without an error."""
        hub = FakeHub()
        for number in range(25):
            hub.add_repository(f"acme/app{number}")
        path = "/v2/search/repositories/?query=app&page="
        assert [len(listing(hub, f"{path}{page}").results) for page in (1, 2, 3, 4)] == [10, 10, 5, 0]
        assert listing(hub, path + "2").next
        assert listing(hub, path + "3").next == ""

    def test_fixed_rows(self) -> None:
        """A test can say which rows a term has, in which order."""
        hub = self.hub()
        hub.set_search("thrift", ["nginx", "acme/other"])
        assert values(hub, "/v2/search/repositories/?query=thrift", "repo_name") == ["nginx", "acme/other"]

    def test_rows_from_a_file(self) -> None:
        """Rows of a search answer become repositories with tags, found in their order."""
        hub = FakeHub()
        names = ("thrift", "evelyn/thrift", "acme/thrift-book")
        rows = [
            SearchRow(name=name, description=name, star_count=1, is_official="/" not in name, is_automated=False)
            for name in names
        ]
        load_rows(hub, "thrift", rows)
        assert values(hub, "/v2/search/repositories/?query=thrift", "repo_name") == list(names)
        assert listing(hub, "/v2/repositories/evelyn/thrift/tags").count == 2

    def test_v1(self) -> None:
        """v1 has its own envelope, `n` rows a page, 25 by default, and at most 100 without a word."""
        hub = FakeHub()
        for number in range(120):
            hub.add_repository(f"acme/app{number}", is_automated=True)
        page = row(hub, "/v1/search?q=app&page=2")
        rows = msgspec.convert(page.pop("results"), type=list[dict[str, object]])
        assert page == {"num_pages": 5, "num_results": 120, "page_size": 25, "page": 2, "query": "app"}
        assert rows[0] == {
            "name": "acme/app25",
            "description": "",
            "pull_count": 0,
            "star_count": 0,
            "is_trusted": True,
            "is_automated": True,
            "is_official": False,
        }
        assert row(hub, "/v1/search?q=app&n=150")["page_size"] == 100
