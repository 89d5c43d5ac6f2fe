"""Questions about the past, on an index with three crawls of history behind it."""

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from benchmarks import histories
from benchmarks.corpus import DAY, NOW
from benchmarks.measure import Result, at_most, in_turns, information, median, ratio, wall
from benchmarks.startup import question
from benchmarks.workspace import Workspace
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader, connect_sqlite
from hubindex.index.platforms import digest_text
from hubindex.index.questions.changes import diff
from hubindex.index.questions.history import resolve, tags_at
from hubindex.index.questions.repositories import repository
from hubindex.index.questions.whatis import whatis
from hubindex.index.writing.ingest import Ingest
from hubindex.moment import to_rfc3339
from hubindex.reference import Reference

_CRAWLS = 3
_SPAN = 60 * DAY  # from the first crawl to the last


class _Sample(NamedTuple):
    """Random tags of an index, for look-ups by primary key and for questions, and random digests."""

    keys: list[tuple[int, str]]
    questions: list[tuple[Reference, int]]
    digest_keys: list[tuple[int, int]]
    digests: list[str]


def run(workspace: Workspace) -> Iterator[Result]:
    """A million tags with 1.66 spans each, on SQLite."""
    large = _index(workspace, workspace.size(49_000, 60))
    small = _index(workspace, workspace.size(4_900, 6))
    connection: Any = connect_sqlite(large.target)  # for the floor, and for looking behind the program's back
    with closing(connection), closing(open_reader(large)) as many, closing(open_reader(small)) as few:
        tags = connection.execute("SELECT count(*) FROM tag").fetchone()[0]
        yield from _one_tag(workspace, connection, many, tags)
        name, tag = _of_size(connection, 20)
        arguments = ["resolve", f"{name}:{tag}", "--at", to_rfc3339(NOW + DAY), "--db", large.target]
        yield from question(workspace, f"hubindex resolve --at, {tags:,} tags", arguments)
        yield from _all_tags(workspace, connection, many)
        yield from _differences(workspace, many, few)


def _index(workspace: Workspace, repositories: int) -> Location:
    def build(location: Location) -> None:
        ingest = Ingest(location)
        for crawl in histories.parts(repositories, _CRAWLS):
            histories.write(ingest, crawl)
        ingest.close()

    return workspace.kept("sqlite", f"history_{repositories}", build)


def _one_tag(workspace: Workspace, connection: Any, reader: Reader, tags: int) -> Iterator[Result]:
    """Single questions against look-ups of single rows, each time others, in one process."""
    sample = _sample(connection, workspace.size(4_000, 20))
    rounds = workspace.size(25, 2)
    actions: Sequence[Callable[[], object]] = (
        partial(_look_up, connection, "SELECT * FROM tag WHERE repository_id = ? AND name = ?", sample.keys),
        partial(_resolve, reader, sample.questions),
        partial(_look_up, connection, "SELECT * FROM digest WHERE repository_id = ? AND digest_id = ?",
                sample.digest_keys),
        partial(_whatis, reader, sample.digests),
    )  # fmt: skip
    in_turns(2, *(partial(wall, action) for action in actions))  # fills the caches
    row, answer, digest_row, holders = in_turns(rounds, *(partial(wall, action) for action in actions))
    count = len(sample.keys)
    yield at_most(
        f"resolve --at, inside the process, {tags:,} tags, against a row by its primary key",
        ratio(answer, row), 3, f"{_us(answer, count)} against {_us(row, count)}",
    )  # fmt: skip
    yield at_most(
        f"whatis with a full digest, {tags:,} tags, against a row by its primary key",
        ratio(holders, digest_row), 10, f"{_us(holders, count)} against {_us(digest_row, count)}",
    )  # fmt: skip


def _sample(connection: sqlite3.Connection, count: int) -> _Sample:
    rng = random.Random("asking")
    tags = connection.execute(
        "SELECT t.repository_id, t.name, r.name FROM tag t JOIN repository r ON r.repository_id = t.repository_id"
    ).fetchall()
    chosen = rng.choices(tags, k=count)
    digests = connection.execute("SELECT repository_id, digest_id, digest FROM digest").fetchall()
    having = rng.choices(digests, k=count)
    return _Sample(
        [row[:2] for row in chosen],
        [(Reference("docker.io", row[2], row[1]), NOW + rng.randrange(_SPAN)) for row in chosen],
        [row[:2] for row in having],
        [digest_text(row[2]) or "" for row in having],
    )


def _look_up(connection: Any, statement: str, keys: Sequence[tuple[object, ...]]) -> None:
    for key in keys:
        connection.execute(statement, key).fetchall()


def _resolve(reader: Reader, questions: list[tuple[Reference, int]]) -> None:
    for reference, at in questions:
        resolve(reader, reference, at)


def _whatis(reader: Reader, digests: list[str]) -> None:
    for digest in digests:
        whatis(reader, digest)


def _all_tags(workspace: Workspace, connection: Any, reader: Reader) -> Iterator[Result]:
    """A repository with many tags against one with few, by the tag."""
    counts, actions = [], []
    for size in workspace.size(150, 5), workspace.size(1_500, 40):
        facts = repository(reader, Reference("docker.io", _of_size(connection, size)[0]))
        counts.append(len(tags_at(reader, facts, NOW + DAY)))
        actions.append(partial(wall, partial(tags_at, reader, facts, NOW + DAY)))
    in_turns(2, *actions)
    times = in_turns(workspace.size(31, 2), *actions)
    few, many = ([value / count for value in values] for values, count in zip(times, counts, strict=True))
    yield at_most(
        f"all tags of a repository as of a date, of {counts[1]:,} tags against {counts[0]:,}, by the tag",
        ratio(many, few), 1.5, f"{median(many) * 1e6:.1f} µs against {median(few) * 1e6:.1f} µs a tag",
    )  # fmt: skip


def _differences(workspace: Workspace, many: Reader, few: Reader) -> Iterator[Result]:
    """The same week in an index ten times as large, by the change; and a week in which nothing changed."""
    week = NOW + 40 * DAY, NOW + 47 * DAY
    quiet = NOW + 100 * DAY, NOW + 107 * DAY  # after the last crawl
    count_many, count_few = (len(diff(reader, None, *week)) for reader in (many, few))
    busy, little, nothing = in_turns(
        workspace.size(5, 2),
        partial(wall, partial(diff, many, None, *week)),
        partial(wall, partial(diff, few, None, *week)),
        partial(wall, partial(diff, many, None, *quiet)),
    )
    by_change = [value / max(count_many, 1) for value in busy], [value / max(count_few, 1) for value in little]
    yield at_most(
        "diff of the whole index over a week, ten times as large an index, by the change", ratio(*by_change), 1.5,
        f"{median(by_change[0]) * 1e6:.0f} µs against {median(by_change[1]) * 1e6:.0f} µs a change; "
        f"{count_many:,} and {count_few:,} changes",
    )  # fmt: skip
    yield information(
        "diff of the whole index over a week without a change", median(nothing) * 1e3,
        f"{median(busy) * 1e3:.0f} ms for the week of {count_many:,} changes", " ms",
    )  # fmt: skip


def _of_size(connection: Any, size: int) -> tuple[str, str]:
    """The repository with as nearly so many tags as there is, and one of its tags."""
    statement = """
        SELECT r.name, min(t.name) FROM tag t JOIN repository r ON r.repository_id = t.repository_id
        GROUP BY r.repository_id ORDER BY abs(count(*) - ?) LIMIT 1
    """
    name, tag = connection.execute(statement, (size,)).fetchone()
    return name, tag


def _us(times: list[float], count: int) -> str:
    return f"{median(times) / count * 1e6:.1f} µs"
