"""Registries that tell their own history: it is used as their word, and nothing is asked tag by tag."""

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hubindex import moment
from hubindex.certainty import Certainty
from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from tests.crawl.crawling import DEADLINE
from tests.crawl.test_registries import Observer, crawled
from tests.history_servers import Chainguard, Past, Quay
from tests.index.building import problems

NAME = "acme/app"
DAY = 24 * 3600 * 1000


class Told:
    """A registry on this machine, crawled several times; the moments are days before now."""

    def __init__(self, past: Past, location: Location) -> None:
        self.past = past
        self.location = location
        self.port: int | None = None
        self.now = moment.now() // 1000 * 1000

    def ago(self, days: float) -> int:
        """A moment."""
        return self.now - round(days * DAY)

    def crawl(self, **plan: object) -> Observer:
        """Serve it, always on the same port."""

        async def story() -> Observer:
            async with TestServer(self.past.app, host="127.0.0.1", port=self.port) as server:
                self.port = server.port
                self.past.asked.clear()
                repositories = [f"127.0.0.1:{server.port}/{NAME}"]
                return await crawled(self.location, Plan(repositories=repositories, **plan))  # type: ignore[arg-type]

        return asyncio.run(asyncio.wait_for(story(), DEADLINE))

    @property
    def repository(self) -> str:
        """As references have it."""
        return f"127.0.0.1:{self.port}/{NAME}"

    def at(self, tag: str, when: int) -> tuple[str | None, Certainty]:
        """What the index answers for a moment."""
        with Index.open(self.location) as index:
            answer = index.resolve(f"{self.repository}:{tag}", when)
        return answer.digest, answer.certainty

    @property
    def heads(self) -> int:
        """How many tags were looked at one by one."""
        return sum(each.startswith("HEAD") for each in self.past.asked)


@pytest.fixture(params=[Quay, Chainguard])
def told(request: pytest.FixtureRequest, location: Location) -> Told:
    """Each kind of registry."""
    return Told(request.param(), location)


@pytest.fixture
def quay(location: Location) -> Told:
    """Quay."""
    return Told(Quay(), location)


def test_the_past_before_the_first_crawl_is_known(told: Told) -> None:
    """To the second, and confirmed: it is the registry's own word."""
    a = told.past.push(NAME, "latest", "a", told.ago(30))
    b = told.past.push(NAME, "latest", "b", told.ago(20))
    c = told.past.push(NAME, "latest", "c", told.ago(10))
    seen = told.crawl()
    assert seen.progress.first_error is None
    assert told.heads == 0
    confirmed = Certainty.CONFIRMED
    for days, digest in ((30, a), (25, a), (20.001, a), (20, b), (15, b), (10, c), (1, c)):
        assert told.at("latest", told.ago(days)) == (digest, confirmed), days
    with Index.open(told.location) as index:
        spans = index.history(f"{told.repository}:latest")
        assert [(each.digest, each.pushed_at) for each in spans] == [
            (c, told.ago(10)), (b, told.ago(20)), (a, told.ago(30)),
        ]  # fmt: skip
        assert all(each.gaps == () for each in spans)
    assert problems(told.location) == []


def test_the_same_crawl_again_writes_nothing(told: Told) -> None:
    """And what moved meanwhile is known exactly, however often it moved."""
    a = told.past.push(NAME, "latest", "a", told.ago(30))
    told.past.push(NAME, "stable", "a", told.ago(29))
    told.crawl()
    again = told.crawl()
    assert (again.progress.new_tags, again.progress.changed_tags, again.progress.manifests) == (0, 0, 0)
    with Index.open(told.location) as index:
        before = index.history(f"{told.repository}:latest")
    b = told.past.push(NAME, "latest", "b", moment.now() - 4000)
    c = told.past.push(NAME, "latest", "c", moment.now() - 2000)
    told.crawl()
    with Index.open(told.location) as index:
        assert [each.digest for each in index.history(f"{told.repository}:latest")] == [c, b, a]
        assert [each.digest for each in before] == [a]
    assert problems(told.location) == []


def test_a_tag_that_moved_back(told: Told) -> None:
    """Each stretch is one of its own."""
    a = told.past.push(NAME, "latest", "a", told.ago(30))
    b = told.past.push(NAME, "latest", "b", told.ago(20))
    assert told.past.push(NAME, "latest", "a", told.ago(10)) == a
    told.crawl()
    told.crawl()
    with Index.open(told.location) as index:
        assert [each.digest for each in index.history(f"{told.repository}:latest")] == [a, b, a]
    assert told.at("latest", told.ago(15))[0] == b


def test_a_tag_that_was_gone_for_a_while(quay: Told) -> None:
    """It is gone between the end of one row and the beginning of the next, and after the last."""
    a = quay.past.push(NAME, "edge", "a", quay.ago(30))
    quay.past.delete(NAME, "edge", quay.ago(25))
    b = quay.past.push(NAME, "edge", "b", quay.ago(20))
    quay.past.push(NAME, "old", "a", quay.ago(30))
    quay.past.delete(NAME, "old", quay.ago(5))
    quay.past.push(NAME, "latest", "a", quay.ago(30))
    quay.crawl()
    quay.crawl()
    assert quay.at("edge", quay.ago(26))[0] == a
    assert quay.at("edge", quay.ago(22))[0] is None
    assert quay.at("edge", quay.ago(19)) == (b, Certainty.CONFIRMED)
    assert quay.at("old", quay.ago(6))[0] == a
    assert quay.at("old", quay.ago(4))[0] is None
    with Index.open(quay.location) as index:
        assert {tag.name for tag in index.tags(quay.repository)} == {"edge", "latest"}
    assert problems(quay.location) == []


def test_what_has_vanished_from_the_list_is_kept(quay: Told) -> None:
    """Absence from it proves nothing: old rows are left out after some weeks."""
    assert isinstance(quay.past, Quay)
    a = quay.past.push(NAME, "latest", "a", quay.ago(30))
    b = quay.past.push(NAME, "latest", "b", quay.ago(20))
    quay.crawl()
    quay.past.remembers_since = quay.ago(10)
    quay.crawl()
    assert quay.at("latest", quay.ago(25)) == (a, Certainty.CONFIRMED)
    assert quay.at("latest", quay.ago(15)) == (b, Certainty.CONFIRMED)
    assert problems(quay.location) == []


def test_many_pages(quay: Told) -> None:
    """Of rows, read to the end."""
    assert isinstance(quay.past, Quay)
    quay.past.most = 7
    for number in range(40):
        quay.past.push(NAME, f"t{number % 20}", str(number), quay.ago(100 - number))
    seen = quay.crawl(contents=False)
    assert seen.progress.first_error is None
    assert sum("/api/v1/" in each for each in quay.past.asked) == 1 + 6
    with Index.open(quay.location) as index:
        assert len(index.tags(quay.repository)) == 20
        assert all(len(index.history(f"{quay.repository}:t{number}")) == 2 for number in range(20))


def test_without_histories(told: Told) -> None:
    """`--no-history` looks tag by tag, and then the past is not known."""
    told.past.push(NAME, "latest", "a", told.ago(30))
    b = told.past.push(NAME, "latest", "b", told.ago(20))
    told.crawl(history=False)
    assert told.heads == 1
    assert not any("history" in each or "/api/" in each for each in told.past.asked)
    assert told.at("latest", told.ago(25))[0] is None
    told.crawl()  # what is told later fits to what was seen
    assert told.at("latest", told.ago(19)) == (b, Certainty.CONFIRMED)
    assert problems(told.location) == []


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_history_that_is_not_shown(quay: Told, status: int) -> None:
    """Is no failure: the tags are looked at one by one."""
    assert isinstance(quay.past, Quay)
    a = quay.past.push(NAME, "latest", "a", quay.ago(30))
    quay.past.status = status
    seen = quay.crawl()
    assert seen.progress.first_error is None
    assert (quay.heads, quay.at("latest", moment.now())[0]) == (1, a)


class Odd(Quay):
    """A history in which some of the rows are not what they should be, or that has no end."""

    rows: list[object]
    is_endless = False

    async def history(self, request: web.Request) -> web.StreamResponse | None:
        """The odd rows before the others."""
        answer = await super().history(request)
        if not isinstance(answer, web.Response) or answer.text is None or answer.status != 200:
            return answer
        page = json.loads(answer.text)
        return web.json_response({**page, "tags": [*self.rows, *page["tags"]], "has_additional": self.is_endless})


@pytest.mark.parametrize(
    "row",
    [
        {"name": "NO/TAG", "start_ts": 5, "manifest_digest": "sha256:" + "a" * 64},
        {"name": "x", "start_ts": 5, "manifest_digest": "sha256:zz"},
        {"name": "x", "start_ts": "5", "manifest_digest": "sha256:" + "a" * 64},
        {"name": "x", "start_ts": 10**12, "manifest_digest": "sha256:" + "a" * 64},
        {"name": "x", "start_ts": 50, "end_ts": 5, "manifest_digest": "sha256:" + "a" * 64},
        {"name": ["x"], "start_ts": True, "manifest_digest": 5},
    ],
)
def test_a_row_that_is_not_understood(location: Location, row: object) -> None:
    """It is left out with a warning, the others count, and nothing is concluded of what is missing."""
    odd = Odd()
    odd.rows = []
    told = Told(odd, location)
    a = odd.push(NAME, "latest", "a", told.ago(30))
    odd.push(NAME, "x", "x", told.ago(30))
    told.crawl()
    odd.delete(NAME, "x", told.ago(1))
    odd.periods[NAME] = [each for each in odd.periods[NAME] if each.name != "x"]
    odd.rows = [row]
    seen = told.crawl()
    assert any("history of acme/app, row 1" in warning for warning in seen.warnings)
    assert told.at("latest", told.ago(1)) == (a, Certainty.CONFIRMED)
    with Index.open(location) as index:
        assert {tag.name for tag in index.tags(told.repository)} == {"latest", "x"}
    assert problems(location) == []


def test_a_history_without_an_end(location: Location) -> None:
    """Ends where it repeats itself, and proves nothing about what is not in it."""
    odd = Odd()
    told = Told(odd, location)
    a = odd.push(NAME, "latest", "a", told.ago(30))
    odd.rows, odd.is_endless = [odd.row(odd.periods[NAME][0])], True
    seen = told.crawl()
    assert len(odd.asked) < 10
    assert seen.progress.failures == 1
    assert told.at("latest", told.ago(1))[0] == a


def test_an_expiration_to_come_is_the_present(quay: Told) -> None:
    """Quay writes it as the end of the row."""
    a = quay.past.push(NAME, "latest", "a", quay.ago(30))
    quay.past.periods[NAME][0].end = quay.ago(-10)
    quay.crawl(contents=False)
    assert quay.at("latest", quay.ago(1)) == (a, Certainty.CONFIRMED)
    with Index.open(quay.location) as index:
        assert [tag.name for tag in index.tags(quay.repository)] == ["latest"]


def test_a_long_history_of_a_tag(location: Location) -> None:
    """Is read on from its last entry."""
    told = Told(Chainguard(), location)
    for number in range(1500):
        told.past.push(NAME, "latest", str(number), told.ago(1600 - number))
    told.crawl(contents=False)
    with Index.open(location) as index:
        assert len(index.history(f"{told.repository}:latest")) == 1500


def test_one_repository_that_is_not_there(quay: Told) -> None:
    """Does not hide the history of the others, and one that only the history knows is found."""
    a = quay.past.push(NAME, "latest", "a", quay.ago(30))

    async def story() -> Observer:
        async with TestServer(quay.past.app, host="127.0.0.1") as server:
            quay.port = server.port
            host = f"127.0.0.1:{server.port}"
            return await crawled(quay.location, Plan(repositories=[f"{host}/acme/nosuch", f"{host}/{NAME}"]))

    seen = asyncio.run(asyncio.wait_for(story(), DEADLINE))
    assert (seen.progress.missing, seen.progress.failures, quay.heads) == (1, 0, 0)
    assert quay.at("latest", quay.ago(20)) == (a, Certainty.CONFIRMED)
