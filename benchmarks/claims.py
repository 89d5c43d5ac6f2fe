"""How fast jobs are claimed from the frontier, in transactions of their own, as a crawl that claims does."""

from collections.abc import Iterator
from contextlib import closing

from benchmarks.corpus import DAY
from benchmarks.frontiers import fill
from benchmarks.measure import Result, information, median, wall
from benchmarks.workspace import ENGINES, Workspace
from hubindex import moment
from hubindex.index.writing.frontier import Job, Owner
from hubindex.index.writing.ingest import Ingest

_AT_A_TIME = (8, 64)
_OWNER = Owner().name


def run(workspace: Workspace) -> Iterator[Result]:
    """Claim a part of what is due, then say that it is done."""
    due, rounds = workspace.size(100_000, 500), workspace.size(200, 3)
    for engine in ENGINES:
        location = workspace.empty(engine, "claims")
        fill(location, due)
        for count in _AT_A_TIME:
            with closing(Ingest(location)) as ingest:
                measured = [_claim_and_finish(ingest, count) for _ in range(rounds)]
            claimed, finished = (median(seconds) for seconds in zip(*measured, strict=True))
            yield information(
                f"claims a second where {due:,} are due, {count} at a time, {engine}",
                count / claimed,
                f"{claimed * 1000:.2f} ms to claim them, {finished * 1000:.2f} ms to say that they are done",
                "/s",
            )


def _claim_and_finish(ingest: Ingest, count: int) -> tuple[float, float]:
    """Seconds for the one and for the other."""
    now, jobs = moment.now(), list[Job]()
    claimed = wall(lambda: jobs.extend(_claim(ingest, count, now)))
    if len(jobs) != count:
        raise RuntimeError(f"{len(jobs)} of {count} jobs were claimed")
    return claimed, wall(lambda: _finish(ingest, jobs, now))


def _claim(ingest: Ingest, count: int, now: int) -> list[Job]:
    with ingest.transaction() as batch:
        return batch.frontier.claim(_OWNER, count, now, now, None)


def _finish(ingest: Ingest, jobs: list[Job], now: int) -> None:
    with ingest.transaction() as batch:
        for job in jobs:
            batch.frontier.finish(job, now, now + DAY)
