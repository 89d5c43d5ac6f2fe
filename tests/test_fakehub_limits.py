"""The stand-in Hub's budget of requests, its latency, and the faults that strike by lot."""

import time

import pytest

from tests.fakehub import FakeHub, weather
from tests.fakehub.asking import TAGS, ask, get, hub_with_tags, row
from tests.fakehub.limits import Wait

NOW = 1_746_136_878.0  # 2025-05-01T22:01:18Z


def strict_hub(limit: int, wait: Wait = "seconds", *, signed_in: int | None = None) -> FakeHub:
    """A Hub at `NOW` that counts."""
    hub = hub_with_tags()
    hub.clock = lambda: NOW
    hub.enforce(limit, signed_in=signed_in, wait=wait)
    return hub


class TestBudget:
    """The rolling minute."""

    def test_one_too_many(self) -> None:
        """Beyond the limit there is only 429, and what remains becomes negative."""
        hub = strict_hub(2)
        answers = ask(hub, TAGS, TAGS, TAGS, TAGS)
        assert [answer.status for answer in answers] == [200, 200, 429, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "-1", "-2"]
        assert get(hub, TAGS).body == b'{"detail":"Rate limit exceeded"}'
        assert hub.limits.refused == 3

    def test_the_window_rolls(self) -> None:
        """A request leaves the window a minute after it came, and the reset tells when the oldest does."""
        hub = strict_hub(2)
        statuses, resets = [], []
        for seconds in (0, 30, 59, 61, 91, 122):
            hub.clock = lambda seconds=seconds: NOW + seconds  # type: ignore[misc]
            answer = get(hub, TAGS)
            statuses.append(answer.status)
            resets.append(int(answer.headers["X-RateLimit-Reset"]) - int(NOW))
        assert statuses == [200, 200, 429, 429, 429, 200]
        assert resets == [60, 60, 60, 90, 119, 151]

    @pytest.mark.parametrize(
        ("wait", "name", "value"),
        [
            ("seconds", "Retry-After", "60"),
            ("unix time", "Retry-After", "1746136938"),
            ("date", "Retry-After", "Thu, 01 May 2025 22:02:18 GMT"),
            ("x-retry-after", "X-Retry-After", "1746136938"),
            ("absent", "Retry-After", None),
        ],
    )
    def test_forms_of_the_wait(self, wait: Wait, name: str, value: str | None) -> None:
        """A 429 tells how long to wait in one of the forms that were seen, or not at all."""
        refused = ask(strict_hub(1, wait), TAGS, TAGS)[1]
        assert refused.headers.get(name) == value

    def test_without_rate_headers(self) -> None:
        """A 429 may tell nothing of the budget."""
        hub = strict_hub(1)
        hub.limits.has_headers = False
        assert "X-RateLimit-Remaining" not in ask(hub, TAGS, TAGS)[1].headers

    def test_each_account_has_its_own(self) -> None:
        """Strangers share the budget of their address; who signs in has another, shared by his machines."""
        hub = strict_hub(1, signed_in=3)
        badge = {"Authorization": f"Bearer {hub.token('ada')}"}
        assert [get(hub, TAGS).status for _ in range(2)] == [200, 429]
        assert [get(hub, TAGS, headers=badge).status for _ in range(4)] == [200, 200, 200, 429]
        assert get(hub, TAGS, headers=badge).headers["X-RateLimit-Limit"] == "3"

    def test_nothing_is_enforced_unless_asked_for(self) -> None:
        """Without a word the headers count down, and that is all."""
        hub = hub_with_tags()
        hub.rate_limit = 1
        assert [answer.status for answer in ask(hub, TAGS, TAGS, TAGS)] == [200] * 3


class TestByLot:
    """Faults that strike some requests."""

    def statuses(self, seed: int, paths: list[str]) -> dict[str, int]:
        """What a fifth of faults makes of each path."""
        hub = hub_with_tags()
        hub.disturb("", weather.share(0.2, weather.unavailable(), seed=seed))
        return dict(zip(paths, (answer.status for answer in ask(hub, *paths)), strict=True))

    def test_a_share(self) -> None:
        """About that share is struck: others with another seed, and the same ones in another order."""
        paths = [f"{TAGS}?x={number}" for number in range(300)]
        struck = self.statuses(1, paths)
        assert 40 < list(struck.values()).count(503) < 80
        assert self.statuses(1, paths[::-1]) == struck
        assert self.statuses(2, paths) != struck

    def test_asking_again_is_another_lot(self) -> None:
        """The same address is not struck for ever."""
        hub = hub_with_tags()
        hub.disturb("", weather.share(0.5, weather.unavailable()))
        assert {get(hub, TAGS).status for _ in range(20)} == {200, 503}

    @pytest.mark.parametrize(("part", "status"), [(0.0, 200), (1.0, 503)])
    def test_none_and_all(self, part: float, status: int) -> None:
        """Nothing of everything, and everything."""
        hub = hub_with_tags()
        hub.disturb("", weather.share(part, weather.unavailable()))
        assert {get(hub, TAGS).status for _ in range(20)} == {status}

    def test_one_poisoned_row(self) -> None:
        """One row fails every page that it is on, whatever the size of the pages."""
        hub = hub_with_tags(30)
        hub.disturb("", weather.poisoned(row=17))
        paths = [f"{TAGS}?page_size=10&page={page}" for page in (1, 2, 3)]
        sizes = [f"{TAGS}?page_size={size}" for size in (17, 18, 500)]
        assert [answer.status for answer in ask(hub, *paths)] == [200, 500, 200]
        assert [answer.status for answer in ask(hub, *sizes)] == [200, 500, 500]


def test_latency() -> None:
    """Each answer takes a while."""
    hub = hub_with_tags()
    hub.latency = 0.1
    began = time.monotonic()
    get(hub, TAGS)
    assert time.monotonic() - began >= 0.1


class TestCanary:
    """A repository that everybody knows, to tell a Hub that hides things from one that has lost them."""

    ADDRESS = "/v2/namespaces/library/repositories/hello-world"

    def test_it_answers_without_being_listed(self) -> None:
        """It is on its own address, and in no list."""
        hub = FakeHub()
        assert row(hub, self.ADDRESS)["name"] == "hello-world"
        assert b"hello-world" not in get(hub, "/v2/namespaces/library/repositories").body
        assert b"hello-world" not in get(hub, "/v2/search/repositories/?query=*").body

    def test_it_can_be_missing(self) -> None:
        """A Hub in trouble hides it as well."""
        hub = FakeHub()
        hub.has_canary = False
        assert get(hub, self.ADDRESS).status == 404

    def test_a_real_one_takes_its_place(self) -> None:
        """A repository of that path answers for itself."""
        hub = FakeHub()
        hub.add_repository("library/hello-world", star_count=7)
        hub.has_canary = False
        assert row(hub, self.ADDRESS)["star_count"] == 7
