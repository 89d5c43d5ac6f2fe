"""Made-up repositories that look like Docker Hub's to a search index.

Words follow Zipf's law with new ones coming up for ever (names of people and projects); four repositories in
five have no star, the others follow a power law; one or two in a thousand are official images. `COMMON` and
`ALSO_COMMON` each stand in 5 % of all repositories, and rare words begin like them, as every common word has its
derivatives.
"""

import random
from collections.abc import Iterator
from itertools import accumulate, islice

from hubindex.index.database.location import Location
from hubindex.index.words import Document
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Repository

COMMON = "server"
ALSO_COMMON = "proxy"

NOW = 1_700_000_000_000
DAY = 86_400_000

_FREQUENT = """
    docker image for the with a of and based on to app api web service test demo simple build base alpine nginx
    python node java postgres mysql redis go php django flask spring react client backend frontend worker bot
    cli tools dev debian ubuntu linux container official custom my project hello world data ml gpu cuda ci agent
"""
_CONSONANTS = (*"bcdfghjklmnprstvwz", "st", "tr", "ch")
_SYLLABLES = [consonant + vowel for consonant in _CONSONANTS for vowel in "aeiou"]
_HEAD = 30_000
_SHARE = 0.05
_OFFICIAL = 0.0015
_BATCH = 20_000


def repositories(count: int) -> Iterator[Repository]:
    """The first `count` repositories: a smaller corpus is the beginning of a larger one."""
    return islice(_endless(), count)


def build(location: Location, count: int) -> None:
    """An index of `count` repositories, written in large batches that come in the order of popularity."""
    ingest = Ingest(location)
    if location.dialect == "postgresql":
        _execute(location, "DROP INDEX repository_search_words")
    records = repositories(count)
    while batch := list(islice(records, _BATCH)):
        batch.sort(key=_rank)
        with ingest.transaction() as transaction:
            transaction.repositories(batch, NOW)
    ingest.close()
    if location.dialect == "postgresql":
        _execute(
            location,
            "SET maintenance_work_mem = '512MB'; CREATE INDEX repository_search_words "
            "ON repository_search USING gin (words)",
        )
        _execute(location, "VACUUM ANALYZE")


def _rank(record: Repository) -> int:
    return Document(
        0, "", "", star_count=record.star_count or 0, pull_count=record.pull_count or 0,
        is_official=False, is_automated=False,
    ).rank  # fmt: skip


def _execute(location: Location, statement: str) -> None:
    import psycopg

    with psycopg.connect(location.target, autocommit=True) as connection:
        connection.execute(statement.encode())


def _endless() -> Iterator[Repository]:
    rng = random.Random("corpus")
    words = _Words(rng)
    namespaces: list[str] = []
    taken: set[str] = set()
    while True:
        official = rng.random() < _OFFICIAL
        stars, pulls = _popularity(rng, official=official)
        if len(taken) % 3 == 0:
            namespaces.append(words.fresh())
        namespace = "library" if official else namespaces[int(rng.random() ** 2 * len(namespaces))]
        name = f"{namespace}/{words.name()}"
        while name in taken:
            name += f"-{words.fresh()}"
        taken.add(name)
        yield Repository(
            name=name,
            description=words.description(0.2 if official else _SHARE),
            star_count=stars,
            pull_count=pulls,
            is_official=official,
            is_automated=rng.random() < 0.05,
            updated_at=NOW - int(rng.expovariate(1 / 500) * DAY),
        )


def _popularity(rng: random.Random, *, official: bool) -> tuple[int, int]:
    if official:
        stars = int(10 ** rng.uniform(0, 4.3))
    elif rng.random() < 0.8:
        stars = 0
    else:
        stars = min(20_000, int((1 - rng.random()) ** -1.25))
    return stars, int(10 ** rng.gauss(1.8, 1.1)) * (1 + 20 * stars)


class _Words:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        head = dict.fromkeys(_FREQUENT.split())
        while len(head) < _HEAD:
            head[self._syllables()] = None
        self._head = [word for word in head if word not in {COMMON, ALSO_COMMON}]
        self._weights = list(accumulate(1 / (place + 3) for place in range(len(self._head))))
        self._drawn: Iterator[str] = iter(())

    def draw(self, count: int) -> list[str]:
        """Words by Zipf's law."""
        found = list(islice(self._drawn, count))
        if len(found) < count:
            self._drawn = iter(self._rng.choices(self._head, cum_weights=self._weights, k=50_000))
            found += islice(self._drawn, count - len(found))
        return found

    def name(self) -> str:
        """A repository's own name."""
        if self._rng.random() < 0.3:
            return f"{self.draw(1)[0]}-{self.fresh()}"
        return "-".join(self.draw(self._rng.choice((1, 2, 2, 3))))

    def fresh(self) -> str:
        """A word that hardly anything else has; some begin like a common one."""
        random_ = self._rng.random()
        if random_ < 0.005:
            return (COMMON if random_ < 0.0025 else ALSO_COMMON) + self._syllables()
        return self._syllables() + (str(int(random_ * 1000)) if random_ < 0.4 else "")

    def description(self, share: float) -> str:
        """A few words; one of the two common ones stands in `share` of all descriptions."""
        rng = self._rng
        words = [] if rng.random() < 0.35 else self.draw(min(14, int(rng.expovariate(1 / 6)) + 2))
        words += [word for word in (COMMON, ALSO_COMMON) if rng.random() < share]
        return " ".join(words).capitalize()

    def _syllables(self) -> str:
        rng = self._rng
        return "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 3, 3, 4))))
