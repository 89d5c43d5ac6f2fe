"""Made-up tags that look like Docker Hub's, as records, and how they move from one crawl to the next.

A few repositories have most of the tags. Every content has 1.5 tags; two contents in three are single images, the
others image indexes of 2 to 8 platforms. With a third of the tags moving before each of two more crawls there are
about 1.66 spans and 3.2 digests a tag.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from benchmarks import corpus
from benchmarks.corpus import DAY, NOW
from hubindex.crawl.walk import WalkLog
from hubindex.crawl.writer import BATCH_ROWS
from hubindex.index.writing.ingest import Batch, Ingest
from hubindex.index.writing.repositories import Stored
from hubindex.index.writing.walks import Walk
from hubindex.records import PlatformImage, Repository, Tag, TagPage

PLATFORMS = (
    "linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "linux/ppc64le", "linux/riscv64",
    "linux/s390x",
)  # fmt: skip
CONFIG = "application/vnd.docker.container.image.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
MOVING = 0.33
PAGE = 100

Job = Callable[[Batch], object]


class _Content(NamedTuple):
    digest: bytes
    media_type: str
    size: int
    images: tuple[PlatformImage, ...]


class Walked(NamedTuple):
    """What one walk over a repository's tags brings; the walk has no repository_id yet."""

    pages: list[TagPage]
    walk: Walk


class Part(NamedTuple):
    """A page of repositories and the walks over them."""

    repositories: list[Repository]
    walks: list[Walked]


@dataclass
class _Tag:
    content: _Content
    pushed_at: int


class History:
    """A repository's tags, moving from one walk to the next."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        names = dict.fromkeys(_name(rng) for _ in range(min(2_000, int(5 * (1 - rng.random()) ** -0.85))))
        self._tags: dict[str, _Tag] = {}
        self._push(list(names), NOW - 2_000 * DAY, NOW - 100 * DAY)

    def move(self, since: int, until: int) -> None:
        """Some of the tags get new contents."""
        count = len(self._tags) * MOVING
        chosen = int(count) + (self._rng.random() < count % 1)
        self._push(self._rng.sample(list(self._tags), chosen), since, until)

    def walk(self, at: int) -> Walked:
        """All tags, newest first."""
        tags = sorted(self._tags.items(), key=lambda item: -item[1].pushed_at)
        records = [Tag(name=name, **tag.content._asdict(), pushed_at=tag.pushed_at) for name, tag in tags]
        log = WalkLog(0, at)
        pages = []
        for start in range(0, len(records), PAGE):
            page = TagPage(
                tags=tuple(records[start : start + PAGE]),
                count=len(records),
                more=start + PAGE < len(records),
                observed_at=at + 10 * start,
            )
            log.add(page)
            pages.append(page)
        return Walked(pages, log.finish(at + 10 * len(records)))

    def _push(self, names: Sequence[str], since: int, until: int) -> None:
        rest = list(names)
        while rest:
            aliases = self._rng.choices((1, 2, 3, 4), (65, 25, 5, 5))[0]
            content = _content(self._rng)
            pushed_at = self._rng.randrange(since, until)
            for name in rest[:aliases]:
                self._tags[name] = _Tag(content, pushed_at + self._rng.randrange(5_000))
            del rest[:aliases]


def parts(count: int, walks: int = 1) -> Iterator[Iterator[Part]]:
    """`walks` crawls of the same `count` repositories with their tags, thirty days apart."""
    rng = random.Random("histories")
    histories = [History(rng) for _ in range(count)]
    for number in range(walks):
        at = NOW + 30 * number * DAY
        yield _crawl(histories, at, moves=number > 0)


def _crawl(histories: list[History], at: int, *, moves: bool) -> Iterator[Part]:
    records = corpus.repositories(len(histories))
    for start in range(0, len(histories), PAGE):
        several = histories[start : start + PAGE]
        if moves:
            for history in several:
                history.move(at - 30 * DAY, at)
        yield Part([next(records) for _ in several], [history.walk(at) for history in several])


def write(ingest: Ingest, crawled: Iterable[Part]) -> int:
    """Write in transactions that end when those of a crawl would; returns how many there were."""
    jobs = _jobs(crawled)
    transactions = 0
    for job in jobs:
        transactions += 1
        with ingest.transaction() as batch:
            job(batch)
            while batch.pending < BATCH_ROWS:
                following = next(jobs, None)
                if following is None:
                    break
                following(batch)
    return transactions


def _jobs(crawled: Iterable[Part]) -> Iterator[Job]:
    for part in crawled:
        stored: list[Stored] = []
        yield partial(_store, part, stored)
        for repository, walked in zip(stored, part.walks, strict=True):
            for page in walked.pages:
                yield partial(Batch.tag_page, repository_id=repository.repository_id, page=page)
            walk = walked.walk._replace(repository_id=repository.repository_id)
            yield partial(Batch.finish_walk, walk=walk)


def _store(part: Part, stored: list[Stored], batch: Batch) -> None:
    stored += batch.repositories(part.repositories, part.walks[0].walk.started_at)


def _content(rng: random.Random) -> _Content:
    platforms = rng.choices((1, 2, 4, 6, 8), (62, 14, 6, 9, 9))[0]
    size = int(10 ** rng.uniform(6, 9))
    if platforms == 1:
        digest = rng.randbytes(32)
        return _Content(digest, CONFIG, size, (PlatformImage("linux/amd64", digest, size),))
    images = [PlatformImage(name, rng.randbytes(32), size + place) for place, name in enumerate(PLATFORMS)]
    return _Content(rng.randbytes(32), INDEX, size, tuple(images[:platforms]))


def _name(rng: random.Random) -> str:
    """About twelve bytes."""
    version = f"{rng.randrange(20)}.{rng.randrange(30)}.{rng.randrange(40)}"
    kind = rng.random()
    if kind < 0.3:
        return version
    if kind < 0.55:
        return f"{version}-{rng.choice(('alpine', 'slim', 'bookworm', 'rc1', 'alpine3.19', 'jdk17'))}"
    if kind < 0.7:
        return f"v{version}-{rng.randrange(10_000)}"
    if kind < 0.85:
        return f"{rng.choice(('main', 'sha', 'dev', 'pr'))}-{rng.randbytes(4).hex()[:7]}"
    return f"{rng.choice(('build-', 'nightly-', ''))}20{rng.randrange(18, 25)}{rng.randrange(101, 1231):04}"
