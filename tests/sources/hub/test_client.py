"""Docker Hub's API: what is asked, and how its pages are walked."""

import asyncio
from typing import Literal

import pytest

from hubindex.errors import InvalidReference, NotFound, PaginationRefused, UnreadableAnswer, WrongUsage
from hubindex.records import Repository, RepositoryPage, TagPage
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.fakehub import FakeHub
from tests.fakehub.sample import sample_hub
from tests.fakehub.weather import compressed_huge, next_elsewhere, not_found
from tests.sources.hub.asking import NOW, ask


class TestQuestions:
    """What is asked of the Hub, and how its pages are walked."""

    def test_a_search(self) -> None:
        """Best match first; an official image's bare name is completed; the rest is as the row says."""
        hub = sample_hub()
        page = ask(hub, lambda source: source.search_page("mongo", 1))
        assert hub.paths() == ["/v2/search/repositories/?query=mongo&page=1&page_size=100"]
        assert page.repositories[0] == Repository(
            name="library/mongo",
            description="MongoDB document databases: available and easy to scale.",
            star_count=10_412,
            pull_count=4_700_000_000,
            is_official=True,
            is_automated=False,
        )
        assert page.repositories[1].name == "library/mongo-express"
        assert page.count == len(page.repositories)
        assert (page.more, page.observed_at, page.warnings) == (False, NOW, ())

    @pytest.mark.parametrize(
        ("ordering", "names"),
        [
            (None, ["library/web", "acme/web", "beta/web"]),
            ("-star_count", ["beta/web", "acme/web", "library/web"]),
            ("-pull_count", ["acme/web", "library/web", "beta/web"]),
        ],
    )
    def test_a_search_in_another_order(
        self, ordering: Literal["-pull_count", "-star_count"] | None, names: list[str]
    ) -> None:
        """The highest come first with a minus sign: here the Hub's sign is not inverted."""
        hub = FakeHub()
        for name, stars, pulls in (("library/web", 1, 20), ("acme/web", 2, 30), ("beta/web", 3, 10)):
            hub.add_repository(name, star_count=stars, pull_count=pulls)
        hub.set_search("web", ["library/web", "acme/web", "beta/web"])
        page = ask(hub, lambda source: source.search_page("web", 1, ordering=ordering))
        assert [each.name for each in page.repositories] == names

    def test_a_search_for_official_images(self) -> None:
        """Only these are asked for."""
        hub = sample_hub()
        page = ask(hub, lambda source: source.search_page("mongo", 1, ordering="-pull_count", official=True))
        query = "query=mongo&page=1&page_size=100&ordering=-pull_count&is_official=true"
        assert hub.paths() == [f"/v2/search/repositories/?{query}"]
        assert page.repositories
        assert all(each.is_official for each in page.repositories)

    @pytest.mark.parametrize("term", ["a&b=c#d?e+f%20g", "ünïcode 🚀", "../../etc", "a/b", "", "\0", "\ud800"])
    def test_any_text_can_be_searched(self, term: str) -> None:
        """A term is data: it cannot change the request."""
        hub = FakeHub()
        assert ask(hub, lambda source: source.search_page(term, 1)).repositories == ()
        assert hub.requests[0].path_qs.startswith("/v2/search/repositories/?query=")
        assert hub.requests[0].path_qs.endswith("&page=1&page_size=100")

    def test_an_official_name_is_searched_without_its_namespace(self) -> None:
        """The Hub finds nothing for `library/mongo`."""
        page = ask(sample_hub(), lambda source: source.search_page("library/mongo", 1))
        assert page.repositories[0].name == "library/mongo"

    def test_pages_follow_each_other(self) -> None:
        """`more` is true until the last page; a page beyond it is empty."""
        hub = sample_hub()

        async def walk(source: DockerHub) -> list[TagPage]:
            return [await source.tag_page("library/node", page) for page in (1, 2, 3, 4)]

        pages = ask(hub, walk)
        assert [(len(page.tags), page.more, page.count) for page in pages] == [
            (100, True, 261),
            (100, True, 261),
            (61, False, 261),
            (0, False, None),
        ]
        path = "/v2/namespaces/library/repositories/node/tags"
        assert hub.paths()[3] == f"{path}?page=4&page_size=100&ordering=last_updated"

    def test_tags_come_newest_first(self) -> None:
        """The Hub's ordering has an inverted sign."""
        page = ask(sample_hub(), lambda source: source.tag_page("library/node", 1))
        pushes = [tag.pushed_at or 0 for tag in page.tags]
        assert pushes == sorted(pushes, reverse=True)

    def test_a_namespace(self) -> None:
        """The last pushed repository first, with its times."""
        hub = sample_hub()
        page = ask(hub, lambda source: source.namespace_page("acme", 1, page_size=3))
        assert hub.paths() == ["/v2/namespaces/acme/repositories?page=1&page_size=3&ordering=last_updated"]
        assert len(page.repositories) == 3
        assert page.more
        assert page.repositories[0].name.startswith("acme/")
        assert page.repositories[0].updated_at is not None
        assert page.repositories[0].is_official is False

    def test_a_namespace_that_is_not_there_is_empty(self) -> None:
        """As the Hub answers; further pages, and pages of a search, beyond the end are empty too."""
        hub = sample_hub()

        async def questions(source: DockerHub) -> list[RepositoryPage]:
            return [
                await source.namespace_page("nobody", 1),
                await source.namespace_page("nobody", 2),
                await source.search_page("mongo", 9),
            ]

        for page in ask(hub, questions):
            assert (page.repositories, page.more) == ((), False)

    @pytest.mark.parametrize("name", ["library/nginx", "old/single", "bitnami/mongodb", "acme/never-pushed"])
    def test_one_repository(self, name: str) -> None:
        """Descriptions of every age are read."""
        hub = sample_hub()
        repository = ask(hub, lambda source: source.repository(name))
        assert repository.name == name
        assert repository.description == hub.repositories[name].description
        assert repository.pull_count == hub.repositories[name].pull_count
        assert repository.is_official is (name == "library/nginx")
        namespace, _, rest = name.partition("/")
        assert hub.paths() == [f"/v2/namespaces/{namespace}/repositories/{rest}"]

    def test_what_is_missing_is_not_found(self) -> None:
        """On the first page, and for one repository."""
        with pytest.raises(NotFound, match="acme/repositories/none/tags: not found"):
            ask(FakeHub(), lambda source: source.tag_page("acme/none", 1))
        with pytest.raises(NotFound):
            ask(FakeHub(), lambda source: source.repository("acme/none"))

    def test_a_refused_page_is_said_to_be_refused(self) -> None:
        """The cap on anonymous paging is neither a block nor the end of the list."""
        hub = sample_hub()
        hub.offset_caps["tags"] = 200
        with pytest.raises(PaginationRefused, match="sign in to page further"):
            ask(hub, lambda source: source.tag_page("library/node", 3))

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "file:///etc"])
    def test_next_is_only_a_flag(self, origin: str) -> None:
        """Wherever `next` leads, the next page is asked of the same Hub."""
        hub = sample_hub()
        hub.faults.append(next_elsewhere(origin))

        async def walk(source: DockerHub) -> list[TagPage]:
            return [await source.tag_page("library/node", page) for page in (1, 2)]

        first, second = ask(hub, walk)
        assert first.more
        assert len(second.tags) == 100
        assert len(hub.requests) == 2

    def test_a_bomb_is_refused(self) -> None:
        """An answer that unpacks to more than the limit."""
        hub = sample_hub()
        hub.faults.append(compressed_huge())
        with pytest.raises(UnreadableAnswer, match="larger than"):
            ask(hub, lambda source: source.tag_page("library/node", 1))

    def test_a_fault_in_the_middle_has_no_count(self) -> None:
        """A 404 on a later page looks like the end; `count` does not confirm it."""
        hub = sample_hub()
        hub.disturb("page=2", not_found())
        page = ask(hub, lambda source: source.tag_page("library/node", 2))
        assert (page.tags, page.more, page.count, page.observed_at) == ((), False, None, NOW)

    @pytest.mark.parametrize("name", ["nginx", "a/b/c", "../x", "a/..", "A/b", "a/b?c", "", "a/" + "b" * 254])
    def test_only_names_of_the_hub_are_asked_for(self, name: str) -> None:
        """Anything else never becomes a request."""
        hub = FakeHub()
        with pytest.raises(InvalidReference):
            ask(hub, lambda source: source.repository(name))
        with pytest.raises(InvalidReference):
            ask(hub, lambda source: source.tag_page(name, 1))
        with pytest.raises(InvalidReference):
            ask(hub, lambda source: source.namespace_page(f"{name}/", 1))
        assert hub.requests == []

    def test_the_base_url_is_checked(self) -> None:
        """Plain http is for loopback hosts."""
        with pytest.raises(WrongUsage, match="--hub-url"):
            DockerHub(HttpClient(), "http://hub.example")

    def test_a_base_url_may_have_a_path(self) -> None:
        """As a mirror behind a common host has."""
        hub = FakeHub()

        async def asking() -> None:
            async with hub.serve() as url, HttpClient() as http:
                await DockerHub(http, f"{url}/mirror/").search_page("x", 1)

        with pytest.raises(UnreadableAnswer):  # the stand-in has no such route, and says so
            asyncio.run(asking())
        assert hub.paths() == ["/mirror/v2/search/repositories/?query=x&page=1&page_size=100"]
