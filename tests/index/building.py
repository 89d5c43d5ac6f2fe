"""Small worlds to be written into an index, and a look at its rows behind everybody's back."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.database.revisions import REVISIONS
from hubindex.index.handle import Index
from hubindex.index.questions.history import State, history
from hubindex.index.questions.repositories import TagFacts, repository
from hubindex.index.questions.repositories import tags as tags_of
from hubindex.index.questions.search import Query, search
from hubindex.index.writing.ingest import Ingest
from hubindex.index.writing.walks import PageOutcome, Walk
from hubindex.platform import Platform
from hubindex.records import PlatformImage, Repository, Tag, TagPage
from hubindex.reference import Reference

Row = tuple[Any, ...]

HISTORY = ("tag", "span", "digest", "digest_prefix", "platform", "media_type")
"""The tables that an unchanged crawl must leave alone."""

HOUR = 3600 * 1000

MONGO = Reference("docker.io", "library/mongo")


def digest(number: int) -> bytes:
    """A digest that is nobody else's."""
    return number.to_bytes(4, "big") * 8


def text(number: int) -> str:
    """The same as it is written."""
    return f"sha256:{digest(number).hex()}"


def image(platform: str, number: int, size: int | None = 100) -> PlatformImage:
    """A platform image."""
    return PlatformImage(platform, digest(number), size)


def tag(name: str, number: int | None, pushed_at: int | None = None, *images: PlatformImage) -> Tag:
    """A tag that points to `digest(number)`; None: its row has no digest."""
    return Tag(name=name, digest=None if number is None else digest(number), pushed_at=pushed_at, images=images)


def page(tags: Iterable[Tag], observed_at: int) -> TagPage:
    """The only page of a list."""
    found = tuple(tags)
    return TagPage(tags=found, count=len(found), more=False, observed_at=observed_at)


def add(ingest: Ingest, *names: str, seen_at: int = 1) -> list[int]:
    """Repositories without anything; returns their numbers."""
    with ingest.transaction() as batch:
        return [
            stored.repository_id
            for stored in batch.repositories([Repository(name=name) for name in names], seen_at)
        ]


def crawl(
    ingest: Ingest,
    repository_id: int,
    at: int,
    *tags: Tag,
    problem: str | None = None,
    oldest_push: int | None = None,
    started_at: int | None = None,
) -> tuple[PageOutcome, int]:
    """A walk that sees `tags` on one page at `at`; returns the page's outcome, and how many tags were gone."""
    walk = Walk(
        repository_id,
        at if started_at is None else started_at,
        at,
        {seen.name for seen in tags},
        problem=problem,
        newest_push=max((seen.pushed_at for seen in tags if seen.pushed_at is not None), default=None),
        oldest_push=oldest_push,
    )
    with ingest.transaction() as batch:
        return batch.tag_page(repository_id, page(tags, at)), batch.finish_walk(walk)


def problems(location: Location) -> list[str]:
    """What `hubindex db check` would find."""
    with Index.open(location) as index:
        return index.check()


Stretch = tuple[int | str | None, int, int, int | None]


def past(reader: Reader, name: str, platform: str | None = None) -> list[Stretch]:
    """All that a tag of `library/mongo` was, newest first.

    A number made by `digest()` (`gone`, or None without a digest), from when to when for certain, and the latest
    possible end.
    """
    wanted = None if platform is None else Platform.parse(platform)
    found = []
    for answer in history(reader, MONGO._replace(tag=name), wanted):
        number: int | str | None = "gone" if answer.state is State.GONE else None
        if answer.digest is not None:
            number = int(answer.digest.partition(":")[2][:8], 16)
        assert answer.since is not None
        assert answer.last_seen_at is not None
        found.append((number, answer.since, answer.last_seen_at, answer.until_latest))
    return found


def now(reader: Reader) -> list[TagFacts]:
    """The tags of `library/mongo` as of the last look, newest first."""
    return tags_of(reader, repository(reader, MONGO))


def names_found(reader: Reader, term: str) -> list[str]:
    """The paths of the repositories that a search finds."""
    return [found.reference.repository for found in search(reader, Query(term))]


def rows(location: Location, statement: str, *, change: bool = False) -> list[Row]:
    """What a statement answers on a connection of its own; `change` commits what it did instead."""
    if location.dialect == "sqlite":
        lite = sqlite3.connect(location.target)
        try:
            cursor = lite.execute(statement)
            found = [] if change else cursor.fetchall()
            lite.commit()
        finally:
            lite.close()
        return [tuple(row) for row in found]
    import psycopg

    with psycopg.connect(location.target) as connection:
        answer = connection.execute(statement.encode())
        return [] if change else [tuple(row) for row in answer.fetchall()]


def contents(location: Location, tables: Iterable[str] = HISTORY) -> dict[str, list[Row]]:
    """All rows of the tables; on PostgreSQL with the transaction that wrote each."""
    extra = ", xmin::text" if location.dialect == "postgresql" else ""
    return {name: sorted(rows(location, f"SELECT *{extra} FROM {name}"), key=repr) for name in tables}


SPANS = """
SELECT t.name, d.digest, s.pushed_at, s.first_seen_at, s.last_seen_at, s.gone_at
FROM span s
JOIN tag t ON t.repository_id = s.repository_id AND t.tag_id = s.tag_id
LEFT JOIN digest d ON d.repository_id = s.repository_id AND d.digest_id = s.digest_id
ORDER BY s.repository_id, s.tag_id, s.number
"""


def spans(location: Location) -> list[Row]:
    """The closed spans in the order in which they were written: name, digest number and the four times."""
    return [(name, int.from_bytes(bytes(raw)[:4], "big"), *times) for name, raw, *times in rows(location, SPANS)]


_UNDONE = {
    "0002": ("DROP TABLE change", "ALTER TABLE digest DROP COLUMN tags"),
    "0003": ("DROP TABLE job", "DROP TABLE seed"),
    "0004": ("ALTER TABLE tag DROP COLUMN seen_at",),
    "0006": ("DROP TABLE digest_tags",),
    "0007": ("DROP TABLE content_part", "DROP TABLE content"),
    "0008": ("DROP TABLE report", "DROP TABLE import_mark", "DROP TABLE witness"),
    "0005": ("ALTER TABLE digest DROP COLUMN kind", "ALTER TABLE repository DROP COLUMN kinds"),
}


def go_back(location: Location, revision: str) -> None:
    """Make an index what it was at an older revision of the schema."""
    for number in reversed(REVISIONS):
        if number > revision:
            for statement in _UNDONE[number]:
                rows(location, statement, change=True)
    rows(location, f"UPDATE alembic_version SET version_num = '{revision}'", change=True)
