"""Ten months of a Hub, crawled now and then in all weathers: what the index says of the past, against the truth.

The truth is that of `tests/fakehub/timeline.py`, and what could be known of it is what a witness on the wire saw:
neither shares any code with hubindex.
"""

import itertools
import json
import math
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import psycopg
import pytest
from aiohttp import web

from hubindex.crawl.plan import Plan
from hubindex.errors import NoAnswer
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.questions.changes import Change
from hubindex.index.questions.history import Answer
from tests.cli.running import Outcome, start
from tests.crawl.crawling import crawl
from tests.fakehub import FakeHub, Proceed, weather
from tests.fakehub.data import BOTH
from tests.fakehub.rows import JSON
from tests.fakehub.timeline import (
    Deletion,
    Event,
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

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = from_wire_time("2025-01-07T00:00:00.000Z")
END = START + 300 * DAY

VERSIONS = ("latest", "2", "2.1", "2.1.0", "edge", "1", "1.9", "1.9.3", "nightly", "slim")
ALL_PLATFORMS = (*BOTH, "linux/arm/v7")
WEB, BIG, SILENT, MANY, AHEAD, BEHIND, HIDDEN, LOST = (
    f"acme/{name}" for name in ("web", "big", "silent", "many", "ahead", "behind", "hidden", "lost")
)
REPOSITORIES = (
    Habits(path=WEB, tags=VERSIONS, platforms=BOTH[:1]),
    Habits(path=BIG, tags=VERSIONS, settled=104),
    Habits(path=SILENT, tags=VERSIONS[:7]),
    Habits(path=MANY, tags=VERSIONS[:8], platforms=ALL_PLATFORMS, attestations=True, gaps=True),
    Habits(path=AHEAD, tags=VERSIONS[:6]),
    Habits(path=BEHIND, tags=VERSIONS[:6]),
    Habits(path=HIDDEN, tags=VERSIONS[:5]),
    Habits(path=LOST, tags=VERSIONS[:5]),
)
PATHS = [habits.path for habits in REPOSITORIES]
SKEW = {AHEAD: 7 * MINUTE, BEHIND: -7 * MINUTE}
"""By how much the Hub's push times are wrong, in milliseconds."""

LONGEST_CRAWL = 20 * MINUTE
GONE_AFTER = 4 * HOUR
"""From the first 404 for a repository to one that makes it gone, with all its tags (docs/time.md)."""


class Clock:
    """A clock that goes on by `step` with each answer of the Hub: what is sent now is answered now."""

    def __init__(self) -> None:
        self.now = self.step = 0

    def __call__(self) -> int:
        """The present, in milliseconds."""
        return self.now


class Sight(NamedTuple):
    """A row that the crawler got; the crawl began at `begun`, and had asked for it by `latest`."""

    repository: str
    tag: str
    digest: str
    pushed_at: int | None
    begun: int
    latest: int


@dataclass
class World:
    """A Hub in time, and whoever looks at it.

    `swept` are the fair crawls, which read every list to its end, by moment and repository, `stale` the crawls
    that were answered as of an earlier moment. `absences` are runs of 404 answers for a repository that no other
    answer interrupts: when the first and the last of them were asked for.
    """

    random: Random
    timeline: Timeline
    clock: Clock = field(default_factory=Clock)
    hub: FakeHub = field(default_factory=lambda: FakeHub(rate_limit=1_000_000))
    sights: list[Sight] = field(default_factory=list)
    swept: list[tuple[int, str]] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    absences: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _is_absent: dict[str, bool] = field(default_factory=dict)
    _begun: int = 0

    def crawl(self, location: Location, at: int, weather_now: str) -> None:
        """Crawl in one of the kinds of weather of `WEATHERS`."""
        if weather_now == "stale":
            self._crawl_stale(location, at)
            return
        self._begun = self.clock.now = at
        self.clock.step = {"fair": 0, "busy": 20_000}.get(weather_now, 100)
        self.timeline.advance(self.hub, at)
        self.hub.faults = [self._witness]
        self.hub.offset_caps["tags"] = self.hub.forced_page_size = None
        if weather_now == "storm":
            for wrong in self.random.sample(self._storms(), self.random.randint(1, 2)):
                wrong()
        paths = [BIG] if weather_now == "busy" else PATHS
        before = len(self.sights)
        crawl(self.hub, location, Plan(repositories=paths, full=weather_now == "fair"), self.clock)
        assert self.clock.now <= at + LONGEST_CRAWL
        if weather_now == "fair":
            seen = {sight.repository for sight in self.sights[before:]}
            self.swept += [(at, path) for path in paths if path in seen]

    def _crawl_stale(self, location: Location, at: int) -> None:
        """Crawl what a replica shows that stayed behind at one of the fair crawls before the last one."""
        hub = FakeHub(rate_limit=1_000_000)
        swept = sorted({moment for moment, _ in self.swept if moment < at})[:-1]
        timeline_of(self.timeline.events).advance(hub, self.random.choice(swept))
        self.clock.now, self.clock.step = at, 0
        self.stale.append(at)
        crawl(hub, location, Plan(repositories=STALE_PATHS, full=True), self.clock)

    async def _witness(self, request: web.Request, proceed: Proceed) -> web.StreamResponse:
        """Let the world go on to the present, write down what was answered, and let time go on."""
        self.timeline.advance(self.hub, self.clock.now)
        response = await proceed(request)
        self._look(request, response)
        self.clock.now += self.clock.step
        return response

    def _look(self, request: web.Request, response: web.StreamResponse) -> None:
        found = re.search(r"/namespaces/(\w+)/repositories/(\w+)", request.path)
        if found is None or not isinstance(response, web.Response):
            return
        path = "/".join(found.groups())
        if response.status == 404:
            runs = self.absences.setdefault(path, [])
            first = runs.pop()[0] if self._is_absent.get(path) else self.clock.now
            runs.append((first, self.clock.now))
            self._is_absent[path] = True
        elif response.status == 200 and isinstance(response.body, bytes):
            with suppress(ValueError):
                self._write_down(path, json.loads(response.body).get("results", ()))
                self._is_absent[path] = False

    def _write_down(self, path: str, rows: Sequence[Mapping[str, str]]) -> None:
        for row in rows:
            pushed_at = row["tag_last_pushed"] and from_wire_time(row["tag_last_pushed"])
            self.sights.append(
                Sight(path, row["name"], row["digest"], pushed_at or None, self._begun, self.clock.now)
            )

    def _storms(self) -> Sequence[Callable[[], object]]:
        """What can go wrong in a crawl."""
        hub, number = self.hub, self.random.randint(0, 6)
        repository = self.random.choice((WEB, BIG, BIG, MANY, AHEAD, HIDDEN)).replace("/", "/repositories/")
        tags, later = f"{repository}/tags", f"{repository}/tags.*page=[23]"

        def lose_rows(page: dict[str, JSON]) -> None:
            assert isinstance(page["results"], list)
            del page["results"][:: number + 2]

        def show_none(page: dict[str, JSON]) -> None:
            page.update(count=0, next=None, results=[])

        return (
            lambda: hub.offset_caps.update({"tags": 100}),
            lambda: setattr(hub, "forced_page_size", 37),
            lambda: hub.disturb(later, weather.unavailable()),
            lambda: hub.disturb(later, weather.cut_short),
            lambda: hub.disturb(later, weather.counts(115, 114)),
            lambda: hub.disturb(tags, weather.counts(1000)),
            lambda: hub.disturb(tags, weather.hang_up),
            lambda: hub.disturb(tags, weather.garbage()),
            lambda: hub.disturb(tags, weather.not_found()),
            lambda: hub.disturb(repository, weather.not_found()),
            lambda: hub.disturb(tags, weather.rewritten(lose_rows)),
            lambda: hub.disturb(tags, weather.rewritten(show_none)),
            lambda: hub.disturb("/tags", weather.fingerprint_refused(), after=number),
            lambda: hub.disturb("/tags", weather.server_error(), after=number),
        )


WEATHERS = ["fair"] * 9 + ["ticking"] * 4 + ["storm"] * 8 + ["busy"] * 4
"""Of each crawl: nothing goes wrong and no time passes; time passes; all sorts of faults; tags move meanwhile.

Some of the fair ones are followed by one that is `stale`: what it is told is older than what is known.
"""

STALE_CRAWLS = 4
STALE_PATHS = [path for path in PATHS if path not in {SILENT, HIDDEN, LOST}]
"""Without push times, and where the whole repository was gone, nobody can tell that an answer is stale."""


def timeline_of(events: Sequence[Event]) -> Timeline:
    """What the Hub shows of events."""
    return Timeline(events, undated=[SILENT], skew=SKEW)


def draw_world(random: Random) -> tuple[World, list[tuple[int, str]]]:
    """A world, and when it is crawled in what weather."""
    weathers = random.sample(WEATHERS, len(WEATHERS))
    crawls = []
    at = START
    for weather_now in weathers:
        at += random.choice((random.randint(1, 6) * HOUR, random.randint(2, 30) * DAY)) + random.randrange(DAY)
        crawls.append((at, weather_now))
    fair = [at for at, weather_now in crawls if weather_now == "fair"]
    stale = [at + 10 * MINUTE for at in random.sample(fair[2:], STALE_CRAWLS)]
    crawls = sorted([*crawls, *((at, "stale") for at in stale)])
    busy = [at for at, weather_now in crawls if weather_now == "busy"]
    slow = [at for at, weather_now in crawls if weather_now in {"ticking", "storm"}]
    events: list[Event] = []
    for habits in REPOSITORIES:
        moments = [START - (number + 1) * DAY - random.randrange(DAY) for number in range(habits.settled)]
        moments += draw_moments(random, 70, START, END, near=[at for at, _ in crawls], reach=10 * MINUTE)
        if habits.path == BIG:  # while its pages are fetched
            moments += [random.randint(at, at + 2 * MINUTE) for at in busy for _ in range(4)]
        moments = [at for at in moments if not any(begun <= at <= begun + LONGEST_CRAWL for begun in slow)]
        # What moves between a look and a stale answer of before it could not be told from what did not move.
        moments = [at for at in moments if not any(begun - 10 * MINUTE <= at <= begun for begun in stale)]
        events += draw(random, habits, moments)
    for path, lost in ((HIDDEN, False), (LOST, True)):
        for at, _ in random.sample(crawls, 2):
            events += [Vanishing(at - HOUR, path, lost), Return(at + random.randint(1, 15 * 24) * HOUR, path)]
    return World(random, timeline_of(events)), crawls


class Held(NamedTuple):
    """That a tag had a digest, as its own or for a platform, and from when to when."""

    repository: str
    tag: str
    platform: str | None
    certainty: str
    since: int | None
    since_earliest: int | None
    until: int | None
    until_latest: int | None
    last_seen_at: int | None
    pushed_at: int | None


class Question(NamedTuple):
    """What a tag was at a moment, perhaps for a platform."""

    repository: str
    tag: str
    at: int
    platform: str | None = None


@dataclass
class Replay:
    """A world that has been crawled, and the index that came of it."""

    world: World
    index: Index
    crawls: Sequence[int]
    _answers: dict[Question, Answer | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timeline = self.world.timeline
        self.sights: dict[tuple[str, str], list[Sight]] = {}
        for sight in self.world.sights:
            self.sights.setdefault((sight.repository, sight.tag), []).append(sight)

    def ask(self, question: Question) -> Answer | None:
        """What the index answers; None if it does not know the tag."""
        if question not in self._answers:
            path, tag, at, platform = question
            try:
                self._answers[question] = self.index.resolve(f"{path}:{tag}", at, platform)
            except NoAnswer:
                self._answers[question] = None
        return self._answers[question]

    def tags(self, repository: str) -> list[str]:
        """The tags that a repository ever had, and of those that hardly moved only a few."""
        found = self.timeline.tags(repository)
        return [tag for number, tag in enumerate(found) if tag in VERSIONS or number % 10 == 0]

    def first_evidence(self, repository: str, tag: str) -> tuple[int, int] | None:
        """From when on something was known of a tag: at the earliest and at the latest. None: it was not seen."""
        sights = self.sights.get((repository, tag))
        if not sights:
            return None
        pushed_at, begun, latest = sights[0][-3:]
        return (begun, latest) if pushed_at is None else (min(begun, pushed_at), min(latest, pushed_at))

    def is_right(self, question: Question, digest: str | None) -> bool:
        """Whether a digest is the true answer, or soon will be where the Hub's clock is behind."""
        path, tag, at, platform = question
        changes = self.timeline.changes(path, tag, platform)
        soon = [told for when, told in changes if at < when <= at + _behind(path)]
        return digest in {self.timeline.truth(path, tag, at, platform), *soon}

    def check(self, question: Question) -> str:
        """Hold an answer against the truth; returns what it was."""
        evidence = self.first_evidence(question.repository, question.tag)
        answer = self.ask(question)
        if answer is None or evidence is None:
            assert (answer, evidence) == (None, None), question
            return "never seen"
        if question.at < evidence[0]:
            assert (answer.certainty, answer.digest) == ("unknown", None), (question, answer)
            assert "first evidence" in answer.note
            return "before"
        if answer.digest is not None:
            assert answer.certainty in {"confirmed", "inferred"}, (question, answer)
            if answer.certainty == "confirmed":
                assert self.is_right(question, answer.digest), (question, answer)
                self._check_bounds(question, answer)
                return "confirmed"
            return "inferred" if self.is_right(question, answer.digest) else "inferred and wrong"
        assert answer.certainty == "unknown", (question, answer)
        return self._check_nothing(question, answer, evidence)

    def _check_nothing(self, question: Question, answer: Answer, evidence: tuple[int, int]) -> str:
        """Whether it is right that there is no digest, and the reason true."""
        path, tag, at, platform = question
        if "gone" in answer.note and answer.since in self.world.stale:
            return "gone by a stale list"
        if "gone" in answer.note:  # it was seen before, and when a walk did not find it, it was not there
            assert answer.since is not None, (question, answer)
            assert self.sights[path, tag][0].begun < answer.since <= at, (question, answer)
            changes = self.timeline.changes(path, tag)
            before = self.timeline.truth(path, tag, answer.since - LONGEST_CRAWL)
            during = [told for when, told in changes if answer.since - LONGEST_CRAWL < when <= answer.since]
            absent = any(first < answer.since <= last for first, last in self.absences(path))
            assert absent or None in {before, *during}, (question, answer)
            return "gone"
        if "no image" in answer.note:
            assert platform is not None
            whole = self.ask(question._replace(platform=None))
            assert whole is not None
            assert whole.digest is not None
            if whole.certainty == "confirmed":
                assert self.is_right(question, None), (question, answer)
            return "no image"
        assert "first evidence" in answer.note, (question, answer)
        assert evidence[0] <= at < evidence[1], (question, answer)
        return "before"

    def _check_bounds(self, question: Question, answer: Answer) -> None:
        """The true beginning and end lie within the bounds, and what is told of pushes and sights is so."""
        path, tag, _, platform = question
        since, last_seen_at, behind = answer.since, answer.last_seen_at, _behind(path)
        assert since is not None, (question, answer)
        assert last_seen_at is not None, (question, answer)
        assert since <= last_seen_at, (question, answer)
        earliest = 0 if answer.since_earliest is None else answer.since_earliest
        stretches = self._stretches(question, answer.digest)
        assert any(earliest <= begin <= since + behind and since < end for begin, end in stretches), (
            question,
            answer,
        )
        is_false = answer.until_latest in self.world.stale  # a list of before the tag was there
        latest = math.inf if answer.until_latest is None or is_false else answer.until_latest + behind
        assert any(begin <= last_seen_at + behind and last_seen_at < end <= latest for begin, end in stretches), (
            question,
            answer,
        )
        if answer.until is not None:
            assert answer.until == last_seen_at, (question, answer)
        assert last_seen_at in self.world.stale or any(
            sight.begun <= last_seen_at <= sight.latest and (platform or sight.digest == answer.digest)
            for sight in self.sights[path, tag]
        ), (question, answer)
        if answer.pushed_at is not None:
            assert answer.pushed_at - SKEW.get(path, 0) in self._pushes(path, tag), (question, answer)
        assert (answer.pushed_at is None) == (path == SILENT), (question, answer)

    def _stretches(self, question: Question, digest: str | None) -> list[tuple[int, float]]:
        """From when to when (exclusive) the tag truly pointed to a digest; also as those see it who met a 404."""
        path, tag, _, platform = question
        changes = self.timeline.changes(path, tag, platform)
        ends = [*(at for at, _ in changes[1:]), math.inf]
        whole = [(at, end) for (at, told), end in zip(changes, ends, strict=True) if told == digest]
        absences = self.absences(path)
        return [
            (begin, end)
            for first, last in whole
            for begin in (first, *(shown for _, shown in absences if first < shown < last))
            for end in (last, *(gone for gone, _ in absences if begin < gone < last))
        ]

    def absences(self, path: str) -> list[tuple[int, int]]:
        """From when to when a repository answered 404, long enough to be gone, whatever its tags did meanwhile."""
        runs = self.world.absences.get(path, ())
        return [(first, last) for first, last in runs if last - first >= GONE_AFTER]

    def _pushes(self, path: str, tag: str) -> set[int]:
        pushes = (event for event in self.timeline.events if isinstance(event, Push) and event.repository == path)
        return {push.at for push in pushes if tag in push.tags}


def _behind(path: str) -> int:
    """How long the Hub's clock makes pushes of a repository too early."""
    return max(0, -SKEW.get(path, 0))


def questions(replay: Replay, random: Random, number: int) -> Iterator[Question]:
    """Of any time, but most often of times at which something happened, was seen, or was just not yet so."""
    for _ in range(number):
        habits = random.choice(REPOSITORIES)
        tags = replay.timeline.tags(habits.path)
        tag = random.choice(tags if random.random() < 0.2 else [tag for tag in tags if tag in VERSIONS])
        platform = random.choice(habits.platforms) if random.random() < 0.4 else None
        changes = replay.timeline.changes(habits.path, tag)
        match random.randrange(4):
            case 0:
                at = random.choice(changes)[0] + random.randint(-1, 1)
            case 1:
                at = random.choice(replay.crawls) + random.randint(-1, 1)
            case _:
                at = random.randint(START - 30 * DAY, END + 30 * DAY)
        yield Question(habits.path, tag, at, platform)


@pytest.fixture(scope="module", params=itertools.product(("sqlite", "postgresql"), range(3)), ids=str)
def replay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """Each world on each engine."""
    engine, seed = request.param
    if engine == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        target = str(shutil.copy(template, tmp_path_factory.mktemp("replay") / "index.db"))
    else:
        server, template = map(request.getfixturevalue, ("postgresql_server", "postgresql_template"))
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE replay_{seed} TEMPLATE {template}".encode())
        head, question, query = server.partition("?")
        target = f"{head.rpartition('/')[0]}/replay_{seed}{question}{query}"
    world, crawls = draw_world(Random(seed))
    for at, weather_now in crawls:
        world.crawl(Location.parse(target), at, weather_now)
    with Index.open(target) as index:
        yield Replay(world, index, [at for at, _ in crawls])


def test_resolve(replay: Replay) -> None:
    """What is confirmed is true, a wrong guess is inferred, and what nobody could know is unknown."""
    kinds = Counter(replay.check(question) for question in questions(replay, Random(1), 1000))
    assert kinds["confirmed"] > 250, kinds
    assert kinds["inferred"] > 50, kinds
    assert kinds["inferred and wrong"] > 50, kinds
    assert kinds["before"] > 50, kinds
    assert kinds["gone"] > 20, kinds


def test_resolve_where_a_platform_has_no_image(replay: Replay) -> None:
    """While a tag's content is none for the platform there is no answer, or an inferred one."""
    kinds: Counter[str] = Counter()
    for tag in replay.tags(MANY):
        changes = replay.timeline.changes(MANY, tag)
        for (begin, told), (end, _) in itertools.pairwise([*changes, (END, None)]):
            for platform in ALL_PLATFORMS if told else ():
                if replay.timeline.truth(MANY, tag, begin, platform) is None:
                    for at in (begin, (begin + end) // 2, end - 1):
                        kinds[replay.check(Question(MANY, tag, at, platform))] += 1
    assert kinds["no image"] > 50, kinds
    assert kinds["inferred and wrong"] > 10, kinds
    assert kinds["confirmed"] + kinds["inferred"] == 0, kinds


def test_resolve_at_a_sweep(replay: Replay) -> None:
    """As of a look at everything every answer is confirmed and right, or there was nothing to be seen."""
    kinds: Counter[str] = Counter()
    for at, path in replay.world.swept:
        for tag in replay.tags(path):
            platform = BOTH[0] if path == MANY else None
            for question in {Question(path, tag, at), Question(path, tag, at, platform)}:
                truth, answer = replay.timeline.truth(*question), replay.ask(question)
                kind = replay.check(question)
                kinds[kind] += 1
                if truth is None and kind == "confirmed":  # a push that the Hub dates too early
                    assert answer is not None
                    assert _behind(path), (question, answer)
                    assert replay.is_right(question, answer.digest), (question, answer)
                elif truth is None:
                    assert kind in {"before", "gone", "no image", "never seen"}, (question, answer)
                elif answer is not None and "lacked" in answer.note:  # as a stale list told
                    assert (answer.certainty, answer.digest) == ("inferred", truth), (question, answer)
                else:
                    assert answer is not None, question
                    assert (answer.certainty, answer.digest) == ("confirmed", truth), (question, answer)
    assert kinds["confirmed"] > 300, kinds
    assert kinds["gone"] > 5, kinds


def test_resolve_what_a_look_proves(replay: Replay) -> None:
    """From the push that any look shows until that look the answer is confirmed: no evidence is left unused.

    It makes no difference whether the walk went to its end, broke off, or ended early. Without a push time the
    look proves its own moment.
    """
    random = Random(2)
    asked: Counter[str] = Counter()
    for path, tag, digest, pushed_at, at, latest in random.sample(replay.world.sights, 1500):
        since = at if pushed_at is None else pushed_at
        absent = any(since < last < at for _, last in replay.absences(path))
        if since > at or path == BEHIND or absent or (pushed_at is None and latest != at):
            continue
        question = Question(path, tag, random.choice((since, random.randint(since, at))))
        answer = replay.ask(question)
        assert answer is not None
        is_contradicted = "lacked" in answer.note
        certainty = "inferred" if is_contradicted else "confirmed"
        assert (answer.certainty, answer.digest) == (certainty, digest), (question, answer)
        asked["contradicted" if is_contradicted else "undated" if pushed_at is None else "dated"] += 1
    assert asked["dated"] > 600, asked
    assert asked["undated"] > 10, asked
    assert asked["contradicted"] < 60, asked


def test_resolve_after_a_stale_answer(replay: Replay) -> None:
    """While a stale answer is the newest, the digest of before is the answer, and no more than inferred."""
    kinds: Counter[str] = Counter()
    for at in replay.world.stale:
        for path in STALE_PATHS:
            for tag in replay.tags(path):
                answer = replay.ask(Question(path, tag, at))
                if answer is not None and "older than what had been seen" in answer.note:
                    truth = replay.timeline.truth(path, tag, at)
                    kinds["right" if answer.digest == truth else "gone since"] += 1
                    assert answer.certainty == "inferred", (path, tag, at, answer)
                    assert truth in {answer.digest, None}, (path, tag, at, answer)
    assert kinds["right"] > 20, kinds


def test_tags_at(replay: Replay) -> None:
    """A list of tags says of each what `resolve` says, and leaves out those of which there is nothing to say."""
    random = Random(3)
    listed = 0
    for path in PATHS * 5:
        at = random.choice((random.randint(START - 30 * DAY, END), random.choice(replay.crawls)))
        try:
            found = {tag.name: (tag.digest, tag.certainty) for tag in replay.index.tags(path, at)}
        except NoAnswer:
            found = {}
        answers = {tag: replay.ask(Question(path, tag, at)) for tag in replay.timeline.tags(path)}
        told = {tag: (a.digest, a.certainty) for tag, a in answers.items() if a is not None and a.digest}
        assert found == told, (path, at)
        for tag in found:
            replay.check(Question(path, tag, at))
        listed += len(found)
    assert listed > 300


def test_diff(replay: Replay) -> None:
    """A diff has exactly the tags whose two answers differ; where it is confirmed, both are true."""
    random = Random(4)
    certainties: Counter[str] = Counter()
    for _ in range(5):
        start, end = sorted(
            random.choice((random.randint(START, END), random.choice(replay.crawls))) for _ in "12"
        )
        whole = replay.index.diff(start, end)
        changes = [change for path in sorted(PATHS) for change in replay.index.diff(start, end, path)]
        assert whole == changes
        assert sorted(_states(change) for change in changes) == sorted(_differences(replay, start, end))
        for change in changes:
            certainties[change.certainty] += 1
            if change.certainty == "confirmed":
                old, new = (
                    Question(change.reference.familiar_name, change.reference.tag or "", at) for at in (start, end)
                )
                assert replay.is_right(old, change.old), change
                assert replay.is_right(new, change.new), change
    assert certainties["confirmed"] > 5, certainties
    assert certainties["inferred"] > 20, certainties


def _states(change: Change) -> tuple[str, ...]:
    kind = "removed" if change.new is None else "added" if change.old is None else "moved"
    assert change.change == kind, change
    return change.reference.familiar_name, change.reference.tag or "", change.old or "", change.new or ""


def _differences(replay: Replay, start: int, end: int) -> Iterator[tuple[str, ...]]:
    """Repository, tag and both digests of each tag whose answers differ, as `resolve` tells them."""
    for path in PATHS:
        for tag in replay.timeline.tags(path):
            answers = (replay.ask(Question(path, tag, at)) for at in (start, end))
            old, new = ((answer and answer.digest) or "" for answer in answers)
            if old != new:
                yield path, tag, old, new


def test_moves(replay: Replay) -> None:
    """Each move that is told of has happened between its bounds."""
    told = 0
    for path in PATHS:
        for change in replay.index.moves(path):
            after = Question(path, change.reference.tag or "", change.since)
            if change.new is not None:
                assert replay.is_right(after, change.new), change
            if change.old is not None and change.since_earliest is not None:
                assert replay.is_right(after._replace(at=change.since_earliest), change.old), change
            told += 1
    assert told > 200


def test_whatis(replay: Replay) -> None:
    """Those who have a digest or had it are those whose history says so, for the tag itself or for a platform."""
    told: dict[str, list[Held]] = {}
    for path, tag in replay.sights:
        # The only image of a tag is the tag's own.
        for platform in (None,) if path == WEB else (None, *ALL_PLATFORMS):
            for answer in replay.index.history(f"{path}:{tag}", platform):
                if answer.digest is not None:
                    bounds = (getattr(answer, name) for name in Held._fields[3:])
                    told.setdefault(answer.digest, []).append(Held(path, tag, platform, *bounds))
    assert len(told) > 200
    for digest, expected in told.items():
        found = [
            Held(
                each.reference.familiar_name, each.reference.tag or "",
                *(getattr(each, name) for name in Held._fields[2:]),
            )
            for each in replay.index.whatis(digest)
        ]  # fmt: skip
        assert sorted(found, key=str) == sorted(expected, key=str), digest


DEMO = "library/demo"
FIRST, SECOND, THIRD = {BOTH[0]: "1", BOTH[1]: "1"}, {BOTH[0]: "1", BOTH[1]: "2"}, {BOTH[0]: "3", BOTH[1]: "3"}


def test_command_line(tmp_path: Path) -> None:
    """Crawls and questions of processes whose clock is set from outside: what they print is true."""
    timeline = Timeline([
        Push(_day(1), DEMO, ("latest", "1"), FIRST),
        Push(_day(20), DEMO, ("latest",), SECOND),
        Push(_day(40), DEMO, ("latest",), THIRD),
        Deletion(_day(60), DEMO, "1"),
        Vanishing(_day(65), DEMO),
        Return(_day(75), DEMO),
        Push(_day(80), DEMO, ("latest",), FIRST),
    ])  # fmt: skip
    hub, db = FakeHub(), f"--db={tmp_path / 'index.db'}"
    with hub.running() as url:
        for day in (10, 30, 50, 70, 90):
            timeline.advance(hub, _day(day))
            crawled = _ended(_started(_day(day), "crawl", db, "--repo=demo", f"--hub-url={url}"))
            assert crawled.code == 0, crawled
    asked = [
        ("latest", _day(1) - 1, None, "unknown"),
        ("latest", _day(1), None, "confirmed"),
        ("latest", _day(15), None, "inferred"),
        ("latest", _day(20) - 1, None, "inferred"),
        ("latest", _day(20), None, "confirmed"),
        ("latest", _day(25), BOTH[0], "confirmed"),
        ("latest", _day(45), BOTH[1], "confirmed"),
        ("latest", _day(70), None, "inferred"),
        ("latest", _day(85), None, "confirmed"),
        ("1", _day(55), None, "inferred"),
        ("1", _day(95), None, "unknown"),
    ]
    running = [
        _started(
            _day(99), "resolve", db, f"demo:{tag}", f"--at={wire_time(at)}", "--format=json",
            *([] if platform is None else [f"--platform={platform}"]),
        )
        for tag, at, platform, _ in asked
    ]  # fmt: skip
    for (tag, at, platform, certainty), process in zip(asked, running, strict=True):
        outcome = _ended(process)
        answer = json.loads(outcome.out)
        assert answer["Certainty"] == certainty, (tag, at, outcome)
        assert outcome.code == (3 if certainty == "unknown" else 0), (tag, at, outcome)
        assert answer["Digest"] == timeline.truth(DEMO, tag, at, platform), (tag, at, outcome)
        assert answer["Reference"] == f"demo:{tag}"


def _day(number: int) -> int:
    return START + number * DAY + 123


def _started(now: int, *arguments: str) -> "subprocess.Popen[str]":
    return start(*arguments, env={"HUBINDEX_NOW": wire_time(now)})


def _ended(process: "subprocess.Popen[str]") -> Outcome:
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, out, err)
