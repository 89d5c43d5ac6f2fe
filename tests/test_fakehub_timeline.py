"""The history for the stand-in Hub: what it shows when, and that the truth is what it showed."""

from random import Random

import pytest

from tests.fakehub import FakeHub
from tests.fakehub.data import BOTH, FakeImage
from tests.fakehub.timeline import (
    Deletion,
    Habits,
    Push,
    Return,
    Timeline,
    Vanishing,
    draw,
    draw_moments,
    from_wire_time,
    wire_time,
)

APP = "acme/app"
ONE = dict.fromkeys(BOTH, "one")
TWO = dict.fromkeys(BOTH, "two")
HABITS = Habits(path=APP, tags=("latest", "1", "1.0", "nightly"), settled=3, gaps=True)


def shown(hub: FakeHub, path: str = APP) -> dict[str, str | None]:
    """The digest of each tag that the hub shows."""
    repository = hub.repositories.get(path)
    return {tag.name: tag.digest for tag in repository.tags} if repository else {}


def test_advance() -> None:
    """Events happen to the hub in their order, each once, up to and with the moment asked for."""
    hub = FakeHub()
    timeline = Timeline([Deletion(30, APP, "b"), Push(10, APP, ("a", "b"), ONE), Push(20, APP, ("a",), TWO)])
    timeline.advance(hub, 9)
    assert shown(hub) == {}
    timeline.advance(hub, 10)
    first = shown(hub)
    assert first["a"] == first["b"]
    timeline.advance(hub, 29)
    assert shown(hub)["a"] != first["a"]
    assert shown(hub)["b"] == first["b"]
    timeline.advance(hub, 30)
    assert list(shown(hub)) == ["a"]


def test_truth() -> None:
    """From the millisecond of an event on its outcome is true, and not before; a deleted tag points to nothing."""
    timeline = Timeline([Push(10, APP, ("a",), ONE), Push(20, APP, ("a",), TWO), Deletion(30, APP, "a")])
    truths = [timeline.truth(APP, "a", at) for at in (9, 10, 19, 20, 29, 30, 99)]
    assert truths[0] is None
    assert truths[1] == truths[2] != truths[3] == truths[4]
    assert truths[5:] == [None, None]
    assert timeline.changes(APP, "a") == [(10, truths[1]), (20, truths[3]), (30, None)]


def test_pushing_the_same_again_changes_nothing_but_the_push_time() -> None:
    """A re-push has the digest that was there, and a newer time."""
    hub = FakeHub()
    timeline = Timeline([Push(10, APP, ("a",), ONE), Push(20, APP, ("a",), ONE)])
    timeline.advance(hub, 20)
    assert len(timeline.changes(APP, "a")) == 1
    assert hub.repositories[APP].tag("a").pushed_at == wire_time(20)


def test_truth_of_a_platform() -> None:
    """A platform's image moves only with its own content, and is not there where no content is pushed for it."""
    amd64, arm64 = BOTH
    timeline = Timeline([
        Push(10, APP, ("a",), ONE),
        Push(20, APP, ("a",), {amd64: "one", arm64: "two"}),
        Push(30, APP, ("a",), {amd64: "one", arm64: "two"}, build="again", attestations=True),
        Push(40, APP, ("a",), {amd64: "one"}),
    ])  # fmt: skip
    assert [at for at, _ in timeline.changes(APP, "a")] == [10, 20, 30, 40]
    assert timeline.changes(APP, "a", amd64) == [(10, FakeImage.of(amd64, content="one").digest)]
    assert timeline.truth(APP, "a", 30, arm64) == FakeImage.of(arm64, content="two").digest
    assert timeline.truth(APP, "a", 40, arm64) is None


@pytest.mark.parametrize("lost", [False, True])
def test_a_repository_vanishes_and_comes_back(lost: bool) -> None:
    """The hub does not show it meanwhile; its tags are as they were, unless they are lost."""
    hub = FakeHub()
    timeline = Timeline([
        Push(10, APP, ("a", "b"), ONE),
        Vanishing(20, APP, lost=lost),
        Push(25, APP, ("a",), TWO),
        Return(30, APP),
    ])  # fmt: skip
    timeline.advance(hub, 20)
    assert APP not in hub.repositories
    timeline.advance(hub, 30)
    assert set(shown(hub)) == ({"a"} if lost else {"a", "b"})
    assert (timeline.truth(APP, "b", 20) is None) == lost
    assert timeline.truth(APP, "a", 25) == shown(hub)["a"]


def test_push_times() -> None:
    """They have milliseconds; a clock that goes wrong shifts them, and an old registry shows none."""
    hub = FakeHub()
    events = [Push(1_709_251_200_123, path, ("a",), ONE) for path in (APP, "acme/ahead", "acme/silent")]
    Timeline(events, undated=["acme/silent"], skew={"acme/ahead": 60_000}).advance(hub, 1_709_251_200_123)
    times = [repository.tag("a").pushed_at for repository in hub.repositories.values()]
    assert times == ["2024-03-01T00:00:00.123Z", "2024-03-01T00:01:00.123Z", None]
    assert from_wire_time("2024-03-01T00:00:00.123Z") == 1_709_251_200_123


@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_history_is_true_of_the_hub(seed: int) -> None:
    """At every event the hub shows what the truth says, also for a platform; the draw is repeatable."""
    moments = draw_moments(Random(seed), 60, 1000, 100_000, near=[5_000, 50_000], reach=100)
    events = draw(Random(seed), HABITS, moments)
    assert events == draw(Random(seed), HABITS, moments)
    timeline, hub = Timeline(events), FakeHub()
    for event in timeline.events:
        timeline.advance(hub, event.at)
        truth = {name: timeline.truth(APP, name, event.at) for name in timeline.tags(APP)}
        assert {name: digest for name, digest in truth.items() if digest} == shown(hub)
        for tag in hub.repositories[APP].tags:
            images = {image.architecture: image.digest for image in tag.images or ()}
            for platform in BOTH:
                digest = timeline.truth(APP, tag.name, event.at, platform)
                assert digest == images.get(platform.split("/")[1])


def test_a_drawn_history_has_everything() -> None:
    """Moves, aliases, rollbacks, re-pushes, deletions and returns come up."""
    timeline = Timeline(draw(Random(1), HABITS, range(0, 200_000, 1000)))
    pushes = [event for event in timeline.events if isinstance(event, Push)]
    changes = [timeline.changes(APP, tag) for tag in timeline.tags(APP)]
    digests = [[digest for _, digest in several if digest] for several in changes]
    assert any(len(push.tags) > 1 for push in pushes)
    assert any(timeline.truth(APP, p.tags[0], p.at - 1) == timeline.truth(APP, p.tags[0], p.at) for p in pushes)
    assert any(len(several) > len(set(several)) for several in digests)
    assert any(digest is None for several in changes for _, digest in several[:-1])
