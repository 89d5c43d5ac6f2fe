"""Small worlds to be written into an index, and a look at its rows behind everybody's back."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from hubindex.index.database.location import Location
from hubindex.index.database.revisions import REVISIONS
from hubindex.index.handle import Index
from hubindex.index.writing.ingest import Ingest
from hubindex.index.writing.walks import PageOutcome, Walk
from hubindex.records import PlatformImage, Repository, Tag, TagPage

Row = tuple[Any, ...]

HISTORY = ("tag", "span", "digest", "digest_prefix", "platform", "media_type")
"""The tables that an unchanged crawl must leave alone."""

HOUR = 3600 * 1000


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

TAGS = """
SELECT t.name, d.digest, t.pushed_at, t.first_seen_at, t.last_seen_at, t.gone_at
FROM tag t
LEFT JOIN digest d ON d.repository_id = t.repository_id AND d.digest_id = t.digest_id
ORDER BY t.repository_id, t.name
"""


def spans(location: Location) -> list[Row]:
    """The closed spans in the order in which they were written: name, digest number and the four times."""
    return [_with_number(row) for row in rows(location, SPANS)]


def tags(location: Location) -> list[Row]:
    """The tags by name, with the open span of each; columns as in `spans`."""
    return [_with_number(row) for row in rows(location, TAGS)]


def _with_number(row: Row) -> Row:
    """A digest made by `digest()` is its number again; the key of a platform set is `key`."""
    content = row[1]
    if content is None:
        number: int | str | None = None
    else:
        number = "key" if len(bytes(content)) == 16 else int.from_bytes(bytes(content)[:4], "big")
    return row[0], number, *row[2:]


_UNDONE = {
    "0002": ("DROP TABLE change", "ALTER TABLE digest DROP COLUMN tags"),
    "0003": ("DROP TABLE job", "DROP TABLE seed"),
    "0004": ("ALTER TABLE tag DROP COLUMN seen_at",),
    "0006": ("DROP TABLE digest_tags",),
    "0005": ("ALTER TABLE digest DROP COLUMN kind", "ALTER TABLE repository DROP COLUMN kinds"),
}


def go_back(location: Location, revision: str) -> None:
    """Make an index what it was at an older revision of the schema."""
    for number in reversed(REVISIONS):
        if number > revision:
            for statement in _UNDONE[number]:
                rows(location, statement, change=True)
    rows(location, f"UPDATE alembic_version SET version_num = '{revision}'", change=True)
