"""A history for the stand-in Hub: what happened when, and what every tag pointed to at any moment.

    timeline = Timeline([Push(1_700_000_000_000, "acme/app", ("1.0", "latest"), {"linux/amd64": "one"})])
    timeline.advance(hub, 1_700_000_000_000)          # now the hub shows it
    timeline.truth("acme/app", "latest", 1_700_000_000_000)

Moments are UTC milliseconds. The truth is kept apart from the hub, which may show less: a repository that has
vanished, no push times, or those of a clock that goes wrong.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple, TypeAlias

from tests.fakehub.data import BOTH, FakeImage, FakeRepository, FakeTag
from tests.fakehub.hub import Hub

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Push(NamedTuple):
    """One image or index goes under some tags. Equal `contents`, `build` and `attestations`: equal digests.

    `contents` has a content for each platform; another `build` of the same contents is another index of the same
    images.
    """

    at: int
    repository: str
    tags: tuple[str, ...]
    contents: Mapping[str, str]
    build: str = ""
    attestations: bool = False


class Deletion(NamedTuple):
    """A tag is deleted, if it is there."""

    at: int
    repository: str
    tag: str


class Vanishing(NamedTuple):
    """The Hub answers 404 for a repository from now on. Its tags stay as they are, and may move, unless `lost`."""

    at: int
    repository: str
    lost: bool = False


class Return(NamedTuple):
    """The Hub shows a repository again."""

    at: int
    repository: str


Event: TypeAlias = Push | Deletion | Vanishing | Return
Change: TypeAlias = tuple[int, str | None]


class Timeline:
    """Events in order, and the truth that comes of them.

    The Hub shows no push times for the repositories of `undated`, and for those of `skew` such that are so many
    milliseconds later than they were.
    """

    def __init__(
        self, events: Iterable[Event], *, undated: Collection[str] = (), skew: Mapping[str, int] = {}
    ) -> None:
        self.events = sorted(events, key=lambda event: event.at)
        self._undated = undated
        self._skew = skew
        self._happened = 0
        self._shown: dict[str, FakeRepository] = {}
        self._states: dict[tuple[str, str], list[tuple[int, FakeTag | None]]] = {}
        self._changes: dict[tuple[str, str, str | None], list[Change]] = {}
        whole: dict[str, FakeRepository] = {}
        for event in self.events:
            repository = whole.setdefault(event.repository, FakeRepository(event.repository, 0))
            before = {tag.name: tag for tag in repository.tags}
            self._change(repository, event)
            after = {tag.name: tag for tag in repository.tags}
            for name in before.keys() | after.keys():
                if before.get(name) is not after.get(name):
                    self._states.setdefault((event.repository, name), []).append((event.at, after.get(name)))

    def advance(self, hub: Hub, moment: int) -> None:
        """Let everything up to a moment happen to a hub, always the same one; time does not go back."""
        while self._happened < len(self.events) and self.events[self._happened].at <= moment:
            event = self.events[self._happened]
            self._happened += 1
            path = event.repository
            if path not in self._shown:
                self._shown[path] = hub.add_repository(path)
            if isinstance(event, Vanishing):
                hub.repositories.pop(path, None)
            elif isinstance(event, Return):
                hub.repositories[path] = self._shown[path]
            self._change(self._shown[path], event)

    def truth(self, repository: str, tag: str, at: int, platform: str | None = None) -> str | None:
        """The digest that a tag pointed to at a moment, or that of its image for a platform; None: it had none."""
        changes = self.changes(repository, tag, platform)
        number = bisect_right(changes, at, key=_moment)
        return changes[number - 1][1] if number else None

    def changes(self, repository: str, tag: str, platform: str | None = None) -> Sequence[Change]:
        """When the truth about a tag changed, and what it was from then on."""
        key = (repository, tag, platform)
        if key not in self._changes:
            told: list[Change] = []
            for at, state in self._states[repository, tag]:
                digest = _digest(state, platform)
                if told and told[-1][0] == at:
                    told.pop()
                if digest != (told[-1][1] if told else None):
                    told.append((at, digest))
            self._changes[key] = told
        return self._changes[key]

    def tags(self, repository: str) -> list[str]:
        """All tags that a repository ever had, by name."""
        return sorted(name for path, name in self._states if path == repository)

    def _change(self, repository: FakeRepository, event: Event) -> None:
        """Let an event happen to the tags of its repository."""
        match event:
            case Push(at, path, tags, contents, build, attestations):
                pushed_at = None if path in self._undated else wire_time(at + self._skew.get(path, 0))
                repository.push(*tags, at=pushed_at, platforms=contents, content=build, attestations=attestations)
            case Deletion(tag=name):
                repository.tags = [tag for tag in repository.tags if tag.name != name]
            case Vanishing(lost=True):
                repository.tags = []
            case _:
                pass


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a repository lives, for `draw`.

    `tags` of it move, the first of them the most often; `settled` ones (`old-0`, …) hardly do. Its builds are for
    all `platforms`, or with `gaps` now and then for fewer.
    """

    path: str
    tags: Sequence[str]
    settled: int = 0
    platforms: Sequence[str] = BOTH
    attestations: bool = False
    gaps: bool = False


@dataclass
class _Life:
    """A repository while its events are drawn: what was built, and what each tag points to."""

    habits: Habits
    random: Random
    builds: list[Push] = field(default_factory=list)
    current: dict[str, Push] = field(default_factory=dict)

    def settle(self, at: int, tag: str) -> Event:
        """The push of a tag that will hardly move."""
        return Push(at, self.habits.path, (tag,), dict.fromkeys(self.habits.platforms, tag))

    def event(self, at: int, free: Sequence[str]) -> Event:
        """Something that happens to one or more of the tags that are free to change."""
        random = self.random
        tag = free[min(int(random.expovariate(0.3)), len(free) - 1)]
        there = self.current.get(tag)
        match random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]:
            case "release":
                return self._push(self._fresh(at), random.sample(free, min(random.randint(2, 4), len(free))))
            case "rollback" if self.builds:
                return self._push(random.choice(self.builds)._replace(at=at), [tag])
            case "repush" if there:
                return self._push(
                    there._replace(at=at), [name for name in free if self.current.get(name) is there]
                )
            case "part" if there:
                changed = dict(there.contents)
                changed[random.choice(list(changed))] = f"part {at}"
                return self._push(there._replace(at=at, contents=changed), [tag])
            case "rebuild" if there:
                return self._push(there._replace(at=at, build=f"rebuild {at}"), [tag])
            case "delete" if there:
                del self.current[tag]
                return Deletion(at, self.habits.path, tag)
            case _:
                return self._push(self._fresh(at), [tag])

    def _fresh(self, at: int) -> Push:
        """A build of something new, under no tag yet."""
        platforms = list(self.habits.platforms)
        if self.habits.gaps and self.random.random() < 0.5:
            platforms.remove(self.random.choice(platforms))
        contents = dict.fromkeys(platforms, f"{self.habits.path} {at}")
        return Push(at, self.habits.path, (), contents, attestations=self.habits.attestations)

    def _push(self, build: Push, tags: Sequence[str]) -> Push:
        push = build._replace(tags=tuple(tags))
        self.builds.append(push)
        self.current.update(dict.fromkeys(tags, push))
        return push


_WEIGHTS = {"release": 5, "move": 7, "rollback": 4, "repush": 4, "part": 3, "rebuild": 2, "delete": 3}


def draw(random: Random, habits: Habits, moments: Iterable[int]) -> list[Event]:
    """What happens to a repository at some moments, the oldest of which are for its settled tags."""
    life = _Life(habits, random)
    moments = sorted(moments)
    names = [*habits.tags, *(f"old-{number}" for number in range(habits.settled))]
    events = [life.settle(at, tag) for at, tag in zip(moments, names[len(habits.tags) :], strict=False)]
    return events + [life.event(at, names) for at in moments[habits.settled :]]


def draw_moments(
    random: Random, number: int, start: int, end: int, *, near: Sequence[int] = (), reach: int = 0
) -> list[int]:
    """Moments from `start` to `end`; of those with `near`, a third lie within `reach` of one of these."""
    found = []
    for _ in range(number):
        if near and random.random() < 1 / 3:
            found.append(random.choice(near) + random.randint(-reach, reach))
        else:
            found.append(random.randint(start, end))
    return sorted(found)


def wire_time(moment: int) -> str:
    """`1709251200123` -> `2024-03-01T00:00:00.123Z`, as the Hub writes it."""
    written = (_EPOCH + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00") + "Z"


def from_wire_time(text: str) -> int:
    """`2024-03-01T00:00:00.123Z` -> `1709251200123`."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def _moment(change: Change) -> int:
    return change[0]


def _digest(tag: FakeTag | None, platform: str | None) -> str | None:
    if tag is None:
        return None
    if platform is None:
        return tag.digest
    wanted = FakeImage.of(platform, content="")
    kind = (wanted.os, wanted.architecture, wanted.variant)
    found = [image for image in tag.images or () if (image.os, image.architecture, image.variant) == kind]
    return found[0].digest if found else None
