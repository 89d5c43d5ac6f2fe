"""The stand-in Hub over the wire: encoding, headers, caps, bad weather, and the sample."""

import asyncio
import gzip
from collections.abc import Callable

import aiohttp
import msgspec
import pytest

from tests.fakehub import FakeHub, FakeRepository, Fault, Route, digest_of, sample_hub, weather
from tests.fakehub.asking import LEGACY_TAGS, TAGS, Listing, ask, get, hub_with_tags, listing, values


class TestCommonGround:
    """Encoding, headers, caps."""

    def test_escapes(self) -> None:
        """JSON is compact UTF-8, with `&`, `<` and `>` escaped."""
        (hub := FakeHub()).add_repository("acme/app", "a & b <c> 日本 🚀\n")
        body = get(hub, "/v2/search/repositories/?query=app").body
        assert r'"short_description":"a \u0026 b \u003cc\u003e 日本 🚀\n"'.encode() in body

    def test_gzip(self) -> None:
        """The answer is compressed for a client that accepts it, and only for one."""
        hub = hub_with_tags()
        plain = get(hub, TAGS)
        packed = ask(hub, TAGS, headers={"Accept-Encoding": "gzip, deflate"})[0]
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert b"t02" in gzip.decompress(packed.body)

    def test_rate_headers(self) -> None:
        """Every answer tells the limit, a count of the last minute that may go below zero, and a unix time."""
        hub = hub_with_tags()
        now = 1_746_136_878.9
        hub.clock, hub.rate_limit = (lambda: now), 1
        answers = ask(hub, TAGS, TAGS + "/none", TAGS)
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["0", "-1", "-2"]
        assert answers[0].headers["X-RateLimit-Limit"] == "1"
        assert answers[0].headers["X-RateLimit-Reset"] == "1746136938"
        now += 61
        assert get(hub, TAGS).headers["X-RateLimit-Remaining"] == "0"

    def test_offset_cap(self) -> None:
        """From the cap on an anonymous request gets 403; signing in lifts it."""
        hub = hub_with_tags(50)
        hub.offset_caps["tags"] = 20
        assert get(hub, f"{TAGS}?page_size=10&page=2").status == 200
        refused = get(hub, f"{TAGS}?page_size=10&page=3")
        assert refused.status == 403
        assert b"pagination offset too large for anonymous requests" in refused.body
        assert "X-RateLimit-Remaining" in refused.headers
        deep = get(hub, f"{TAGS}?page_size=10&page=3", headers={"Authorization": f"Bearer {hub.token('ada')}"})
        assert deep.status == 200

    @pytest.mark.parametrize(
        ("route", "path"),
        [
            ("search", "/v2/search/repositories/?query=app"),
            ("v1", "/v1/search?q=app"),
            ("repositories", "/v2/repositories/acme?x=1"),
        ],
    )
    def test_offset_caps_differ_by_route(self, route: Route, path: str) -> None:
        """Each list has its own cap."""
        hub = hub_with_tags()
        hub.offset_caps[route] = 0
        assert get(hub, path).status == 403
        assert get(hub, TAGS).status == 200

    def test_unknown_route(self) -> None:
        """Removed routes answer 404 in their own words."""
        assert get(FakeHub(), "/v2/nothing/here").body == b'{"message":"404: Page Not Found"}'

    def test_head(self) -> None:
        """HEAD tells whether a tag exists."""

        async def asking() -> list[int]:
            async with hub_with_tags().serve() as url, aiohttp.ClientSession() as session:
                statuses = []
                for name in ("t01", "none"):
                    async with session.head(f"{url}{TAGS}/{name}") as response:
                        statuses.append(response.status)
                return statuses

        assert asyncio.run(asking()) == [200, 404]

    def test_requests_are_written_down(self) -> None:
        """A test can read which requests came, and with which headers."""
        hub = hub_with_tags()
        get(hub, TAGS + "?page_size=2", headers={"User-Agent": "hubindex"})
        assert hub.paths() == [TAGS + "?page_size=2"]
        assert hub.requests[0].method == "GET"
        assert hub.requests[0].headers["user-agent"] == "hubindex"

    def test_running_in_a_thread(self) -> None:
        """The hub also runs beside code that is not asyncio, and a taken port is reported."""
        hub = hub_with_tags()

        async def asking(url: str) -> int:
            async with aiohttp.ClientSession() as session, session.get(url + TAGS) as response:
                return response.status

        with hub.running() as url:
            assert asyncio.run(asking(url)) == 200
            port = int(url.rpartition(":")[2])
            with pytest.raises(OSError, match="address already in use"), FakeHub().running(port):
                pass


class TestWeather:
    """Faults, and what they leave alone."""

    @pytest.mark.parametrize(
        ("fault", "status", "content_type", "words"),
        [
            (weather.server_error(), 500, "application/json", b"invalid byte"),
            (weather.unavailable(), 503, "text/html", b"<html>"),
            (weather.unavailable(502), 502, "text/html", b"<html>"),
            (weather.fingerprint_refused(), 403, "text/plain", b"error code: 1010"),
            (weather.challenge(), 403, "text/html", b"Just a moment..."),
            (weather.not_found(), 404, "application/json", b"object not found"),
            (weather.unauthorized(), 401, "application/json", b"unauthorized"),
            (weather.too_many(), 429, "application/json", b'{"detail":"Rate limit exceeded"}'),
            (weather.garbage(), 200, "application/json", b"\xff"),
        ],
    )
    def test_answers(self, fault: Fault, status: int, content_type: str, words: bytes) -> None:
        """Each fault has the status, type and words of its recording."""
        hub = hub_with_tags()
        hub.disturb("/tags", fault)
        answer = get(hub, TAGS)
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith(content_type)
        assert words in answer.body

    def test_times_and_after(self) -> None:
        """A fault strikes where its pattern is, after some requests, for some times."""
        hub = hub_with_tags()
        hub.disturb(r"/tags\?page=1", weather.unavailable(), after=1, times=2)
        answers = ask(hub, *[TAGS + "?page=1", TAGS] * 4)
        assert [answer.status for answer in answers] == [200, 200, 503, 200, 503, 200, 200, 200]

    def test_faults_are_composed(self) -> None:
        """Several faults can lie over one route, the first one outermost."""
        hub = hub_with_tags()
        hub.disturb("/tags", weather.counts(7))
        hub.disturb("/tags", weather.server_error(), times=1)
        first, second = ask(hub, TAGS, TAGS, headers={"Accept-Encoding": "identity"})
        assert first.status == 500
        assert msgspec.json.decode(second.body, type=Listing).count == 7

    @pytest.mark.parametrize(
        ("fault", "header", "value"),
        [
            (weather.too_many("60"), "Retry-After", "60"),
            (weather.too_many("1746136938"), "Retry-After", "1746136938"),
            (weather.too_many("Thu, 01 May 2025 22:02:18 GMT"), "Retry-After", "Thu, 01 May 2025 22:02:18 GMT"),
            (weather.too_many("1746136938", header="X-Retry-After"), "X-Retry-After", "1746136938"),
            (weather.too_many(None), "Retry-After", None),
            (weather.too_many(rate_headers=False), "X-RateLimit-Remaining", None),
        ],
    )
    def test_too_many(self, fault: Fault, header: str, value: str | None) -> None:
        """429 names its wait as seconds, as a unix time, as a date, elsewhere, or not at all."""
        hub = hub_with_tags()
        hub.disturb("", fault)
        assert get(hub, TAGS).headers.get(header) == value

    @pytest.mark.parametrize("fault", [weather.cut_short, weather.hang_up])
    def test_lost_connections(self, fault: Fault) -> None:
        """A body can end before its Content-Length, or a connection before any answer; then all is well."""
        hub = hub_with_tags()
        hub.disturb("/tags", fault)

        async def asking() -> int:
            async with hub.serve() as url, aiohttp.ClientSession() as session:
                with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
                    async with session.get(url + TAGS) as response:
                        await response.read()
                hub.faults.clear()
                async with session.get(url + TAGS) as response:
                    return response.status

        assert asyncio.run(asking()) == 200

    def test_huge(self) -> None:
        """An answer can go on far beyond what a client wants, plain or compressed; leaving early is fine."""
        hub = hub_with_tags()
        hub.disturb("plain", weather.huge())
        hub.disturb("packed", weather.compressed_huge(1 << 22))

        async def asking() -> int:
            async with hub.serve() as url, aiohttp.ClientSession() as session:
                async with session.get(f"{url}{TAGS}?plain") as response:
                    await response.content.readexactly(1 << 20)
                async with session.get(f"{url}{TAGS}?packed") as response:
                    return len(await response.read())

        assert asyncio.run(asking()) > 1 << 22

    def test_redirects(self) -> None:
        """A redirect may lead anywhere; that of 2017 leads to the same path with a slash, query kept."""
        hub = hub_with_tags()
        hub.disturb("elsewhere", weather.redirect("https://elsewhere.example/"))
        hub.disturb("", weather.slash_wanted)
        away, slash, there = ask(hub, TAGS + "?elsewhere", TAGS + "?page=1", TAGS + "/?page=1")
        assert (away.status, away.headers["Location"]) == (302, "https://elsewhere.example/")
        assert (slash.status, slash.headers["Location"]) == (301, TAGS + "/?page=1")
        assert there.status == 200

    def test_slow(self) -> None:
        """The first byte can be late, longer than a client waits."""
        hub = hub_with_tags()
        hub.disturb("", weather.slow(600))

        async def asking() -> None:
            timeout = aiohttp.ClientTimeout(total=0.05)
            async with hub.serve() as url, aiohttp.ClientSession(timeout=timeout) as session:
                await session.get(url + TAGS)

        with pytest.raises(TimeoutError):
            asyncio.run(asking())

    def test_counts(self) -> None:
        """`count` can drift from page to page, or be stuck."""
        hub = hub_with_tags()
        hub.disturb("", weather.counts(5, 4, 10_000))
        assert [listing(hub, TAGS).count for _ in range(4)] == [5, 4, 10_000, 10_000]

    def test_next(self) -> None:
        """`next` can lead to another origin, or lose a part of its path."""
        hub = hub_with_tags(30)
        hub.disturb("abroad", weather.next_elsewhere("https://elsewhere.example"))
        hub.disturb("lost", weather.next_replaced("acme/", ""))
        assert listing(hub, TAGS + "?abroad=").next == f"https://elsewhere.example{TAGS}?abroad=&page=2"
        assert str(listing(hub, LEGACY_TAGS + "?lost=").next).endswith("/v2/repositories/app/tags/?lost=&page=2")

    @pytest.mark.parametrize(
        ("change", "second"),
        [
            (lambda app: app.push("new", at="2025-01-01T00:00:00Z"), ["t02", "t01"]),
            (lambda app: app.delete("t03"), ["t00"]),
        ],
    )
    def test_the_world_moves_between_pages(
        self, change: Callable[[FakeRepository], object], second: list[str]
    ) -> None:
        """A push during a walk repeats a row on the next page; a deletion hides one."""
        hub = hub_with_tags(4)
        app = hub.repositories["acme/app"]
        hub.disturb("page=1", weather.meanwhile(lambda: change(app)), times=1)
        assert values(hub, TAGS + "?page_size=2&page=1", "name") == ["t03", "t02"]
        assert values(hub, TAGS + "?page_size=2&page=2", "name") == second


class TestSample:
    """The sample hub, which people try things on."""

    def test_is_always_the_same(self) -> None:
        """Two samples are equal."""
        assert sample_hub().repositories == sample_hub().repositories

    def test_has_every_oddity(self) -> None:
        """It has rows of each age, gaps, attestations, aliases, long lists, and text of every kind."""
        repositories = sample_hub().repositories
        tags = [tag for repository in repositories.values() for tag in repository.tags]
        images = [image for tag in tags for image in tag.images or ()]
        assert len(repositories) > 40
        assert {tag.era for tag in tags} == {2016, 2018, 2019, 2022, 2023, 2026}
        assert {repository.era for repository in repositories.values()} == {2015, 2019, 2025}
        assert any(len(repository.tags) > 250 for repository in repositories.values())
        assert any(tag.images == [] for tag in tags)
        assert any(tag.images is None for tag in tags)
        assert {None, "", "unknown", "windows"} <= {image.os for image in images} | {None}
        assert max(repository.pull_count for repository in repositories.values()) > 13_000_000_000
        mongo = repositories["library/mongo"]
        assert len({mongo.tag(name).digest for name in ("latest", "7", "7.0", "7.0.12")}) == 1
        assert mongo.tag("latest").digest != digest_of("mongo 7.0.12")

    def test_answers_for_each_repository(self) -> None:
        """Every repository, tag list and search row can be served."""
        hub = sample_hub()
        paths = [f"/v2/repositories/{path}{end}" for path in hub.repositories for end in ("/", "/tags/")]
        statuses = {answer.status for answer in ask(hub, *paths, "/v2/search/repositories/?query=*")}
        assert statuses == {200}
