"""The frontier: what is to be fetched, when it is due, and which process is at it, as rows of the index.

A *job* is the visit of a repository (a look at its tags) or the listing of a seed (a search term, a namespace, a
repository by name). It is due by itself, or because a crawl was told to do it (`asked_by`, that crawl's number).
Whoever claims a job leases it for a while; a process that dies leaves leases that expire, or are taken from it at
once by another process of the same machine. Everything happens in the transaction of the `Batch` it is part of.

Leases are compared by the clocks of the machines, which have to agree to within a lease's length.
"""

import os
import secrets
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from hubindex.index.database.engine import Transaction
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import job as job_table
from hubindex.index.database.sql import Parameters
from hubindex.index.seeds import Seed, registry_of
from hubindex.index.writing.memory import Memory
from hubindex.moment import END_OF_TIME

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

LEASE = 2 * _MINUTE
"""Milliseconds that a process may be silent before others take its jobs."""

SOONEST, LATEST = 6 * _HOUR, 28 * _DAY
_CHANGES_SEEN = 4  # a repository is visited so many times in as long as it has not changed
_SEED_PERIOD = 7 * _DAY
_SWEEP_PERIOD = 28 * _DAY
_FIRST_RETRY, _LAST_RETRY = 15 * _MINUTE, _DAY
_RESUMABLE = _DAY
_MAX_SAID = 500


class Job(NamedTuple):
    """A claimed job. `name` is that of its seed, or, without one, the path in `registry` of what is to be visited.

    `asked_by` is the crawl that asked for it, if any, `tries` how often it failed in a row. `is_swept` tells that
    the repository was swept within four weeks, and that no walk since then had a problem; `is_whole` that nothing
    was left to be found out.
    """

    repository_id: int
    seed_id: int
    name: str
    registry: str
    seed: Seed | None
    asked_by: int | None
    tries: int
    is_swept: bool
    is_whole: bool

    @property
    def key(self) -> "JobKey":
        """Its primary key."""
        return JobKey(self.repository_id, self.seed_id)


class JobKey(NamedTuple):
    """The primary key of a job: one of the two is 0."""

    repository_id: int
    seed_id: int


Leases = Memory[JobKey, str]
"""Who has leased the jobs that were claimed through an `Ingest`, and are not done."""


class Pending(NamedTuple):
    """Numbers of visits and seeds that are not done."""

    visits: int
    seeds: int

    def __bool__(self) -> bool:
        return self.visits + self.seeds > 0

    def __str__(self) -> str:
        parts = [(self.visits, "repository", "repositories"), (self.seeds, "search or list", "searches or lists")]
        return " and ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in parts if number)


class Owner:
    """A crawl that leases jobs: its machine, the number of its process, and a word that no other crawl has."""

    _here: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        self._living = self._here  # a copy of it when it is sent to another process
        self._place = f"{socket.gethostname()[:100]} {_process_space()}"
        self._process = os.getpid()
        self.name = f"{self._place} {self._process} {secrets.token_hex(4)}"
        self._here.add(self.name)

    def is_dead(self, other: str) -> bool:
        """Whether another owner is known to run no more: it was on this machine, and its process is not there.

        A container that was started again may well give the same number to another process.
        """
        place, _, rest = other.rpartition(" ")[0].rpartition(" ")
        if other in self._living or place != self._place or not rest.isdigit() or os.name != "posix":
            return False
        if int(rest) == self._process:
            return True
        try:
            os.kill(int(rest), 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        return False


class Frontier:
    """The jobs of an index, within one transaction. Times are UTC milliseconds; `wall` is the machine's clock."""

    def __init__(self, tx: Transaction, leases: Leases) -> None:
        self._tx = tx
        self._leases = leases
        self._finished: list[Parameters] = []

    def ask(self, seeds: Sequence[Seed], now: int) -> tuple[int, Pending]:
        """Let a crawl ask for seeds; returns its number, and what is left if an earlier one is gone on with.

        That is done if it was asked for the very same within a day, and did not come to its end.
        """
        rows = [row for seed in seeds for row in self._named(seed)]
        crawls = {asked_by for _, asked_by in rows}
        crawl = crawls.pop() if len(crawls) == 1 else None
        if crawl is not None and self._seeds_of(crawl) == set(seeds):
            ((visits, listed, oldest),) = self._query("pending", asked_by=crawl, now=now)
            if oldest is not None and oldest > now - _RESUMABLE:
                return crawl, Pending(visits, listed)
        crawl = secrets.randbits(48) + 1
        for seed in seeds:
            self._run("add_seed", seed._asdict())
            ((number, _),) = self._named(seed)
            self._run("ask_seed", {"seed_id": number, "due_at": now, "asked_by": crawl})
        return crawl, Pending(0, 0)

    def visit(self, ids: Iterable[int], asked_by: int | None, now: int, fresh_since: int | None = None) -> None:
        """Let repositories be visited: for a crawl, unless they were since `fresh_since`; else only if new."""
        rows: list[Parameters] = [{"repository_id": number, "due_at": now} for number in ids]
        if asked_by is None:
            self._run("add_visit", *rows)
            return
        fresh = END_OF_TIME if fresh_since is None else fresh_since
        self._run("ask_visit", *({**row, "asked_by": asked_by, "fresh_since": fresh} for row in rows))

    def claim(
        self, owner: str, count: int, now: int, wall: int, asked_by: int | None, fresh_since: int | None = None
    ) -> list[Job]:
        """Lease up to `count` due jobs, those of a crawl or any; those done since `fresh_since` are left."""
        bounds: Parameters = {"count": count, "now": now, "wall": wall, "sweep_since": now - _SWEEP_PERIOD}
        if asked_by is None:
            fresh = END_OF_TIME if fresh_since is None else fresh_since
            rows = self._query("claim_due", **bounds, fresh_since=fresh)
        else:
            rows = self._query("claim_asked", **bounds, asked_by=asked_by)
        jobs = []
        for repository_id, seed_id, name, registry, kind, wanted, with_tags, asked, tries, *known in rows:
            seed = Seed(kind, name, wanted, bool(with_tags)) if seed_id else None
            host = registry or registry_of(kind, name)
            jobs.append(Job(repository_id, seed_id, name, host, seed, asked, tries, *map(bool, known)))
        leases = [(owner, wall + LEASE, *job.key) for job in jobs]
        self._tx.update(job_table, ("leased_by", "leased_until"), leases)
        for job in jobs:
            self._leases.put(job.key, owner)
        return jobs

    def renew(self, owner: str, wall: int) -> None:
        """Keep what an owner has claimed and not done yet."""
        until: Parameters = {"leased_by": owner, "leased_until": wall + LEASE}
        self._run("renew_job", *({**key._asdict(), **until} for key in self._leased_by(owner)))

    def release(self, owner: str, key: JobKey | None = None) -> None:
        """Give back a job that was not done, or all that the owner has."""
        keys = self._leased_by(owner) if key is None else [key]
        self._run("release_job", *({**each._asdict(), "leased_by": owner} for each in keys))
        for each in keys:
            self._leases.forget(each)

    def _leased_by(self, owner: str) -> list[JobKey]:
        return [key for key, leased_by in self._leases.items() if leased_by == owner]

    def release_dead(self, owner: Owner, now: int) -> None:
        """Take back what processes leased that are known to be dead."""
        names = [row[0] for row in self._query("owners", now=now)]
        self._run("release_owner", *({"leased_by": name, "now": now} for name in names if owner.is_dead(name)))

    def finish(self, job: Job, now: int, due_at: int) -> None:
        """A job succeeded, and is due again at a moment."""
        self._leases.forget(job.key)
        self._finished.append(
            {**job.key._asdict(), "asked_by": job.asked_by or 0, "done_at": now, "due_at": due_at}
        )

    def finish_seed(self, job: Job, now: int) -> None:
        """A seed was listed; it is again after a week."""
        self.finish(job, now, now + _SEED_PERIOD)

    def forget(self, job: Job) -> None:
        """A seed turned out to be nothing: nobody is to look for it again."""
        self._leases.forget(job.key)
        self._run("forget_job", job.key._asdict())
        self._run("forget_seed", {"seed_id": job.seed_id})

    def fail(self, job: Job, now: int, failure: str, error: str) -> None:
        """A job failed; it is tried again later, each time after twice as long, at most after a day."""
        wait = min(_FIRST_RETRY << min(job.tries, 10), _LAST_RETRY)
        values: Parameters = {"tries": min(job.tries + 1, 10_000), "failure": failure, "error": error[:_MAX_SAID]}
        self._leases.forget(job.key)
        self._run("fail_job", {**job.key._asdict(), **values, "due_at": now + wait})

    def retry(self, now: int) -> None:
        """Let all that a crawl was told to do, and failed, be due."""
        self._run("retry", {"now": now})

    def pull_forward(self, now: int, fresh_since: int) -> None:
        """Let all be due that was not done since a moment."""
        self._run("pull_forward", {"now": now, "fresh_since": fresh_since})

    def pending(self, asked_by: int, now: int) -> Pending:
        """What a crawl asked for and nobody has done yet; failures wait for later."""
        ((visits, seeds, _),) = self._query("pending", asked_by=asked_by, now=now)
        return Pending(visits, seeds)

    def failed(self, asked_by: int) -> int:
        """How many jobs that a crawl asked for have failed and wait for later."""
        return int(self._value("failed_for", asked_by=asked_by))

    def due(self, now: int) -> Pending:
        """What is due, whoever asked for it."""
        return Pending(*self._query("due", now=now)[0])

    def unfinished(self, now: int, wall: int) -> Pending:
        """What crawls were told to do that run no more."""
        return Pending(*self._query("unfinished", now=now, wall=wall)[0])

    def is_growing(self, now: int, wall: int) -> bool:
        """Whether somebody is listing a seed, which will bring more to do."""
        return bool(self._value("being_listed", now=now, wall=wall))

    def next_due(self, now: int) -> int | None:
        """When the next job is due."""
        due_at: int | None = self._value("next_due", now=now)
        return due_at

    def _seeds_of(self, crawl: int) -> set[Seed]:
        rows = self._query("seeds_of_crawl", crawl=crawl)
        return {Seed(kind, name, wanted, bool(with_tags)) for kind, name, wanted, with_tags in rows}

    def flush(self) -> None:
        """Write what waits: jobs that succeeded are written together, or before anything else of jobs is."""
        finished, self._finished = self._finished, []
        if self._tx.run("finish_job", *finished) < len(finished):
            again = [{key: row[key] for key in ("repository_id", "seed_id", "asked_by")} for row in finished]
            self._tx.run("release_asked_again", *again)

    def _query(self, name: str, /, **parameters: object) -> Sequence[Row]:
        self.flush()
        return self._tx.query(name, **parameters)

    def _value(self, name: str, /, **parameters: object) -> Any:
        self.flush()
        return self._tx.value(name, **parameters)

    def _run(self, name: str, *rows: Parameters) -> None:
        self.flush()
        self._tx.run(name, *rows)

    def _named(self, seed: Seed) -> Sequence[tuple[int, int | None]]:
        return self._query("seed", kind=seed.kind, name=seed.name)


def next_visit(now: int, changed_at: int | None) -> int:
    """When to look at a repository again: after a quarter of the time that it has not changed, as far as known.

    That is six hours to four weeks: what changes daily is visited every six hours, what has rested for four months
    every four weeks. One of which no push is known is visited every week.
    """
    if changed_at is None:
        return now + _SEED_PERIOD
    rested = now - changed_at
    return now + min(max(rested // _CHANGES_SEEN, SOONEST), LATEST)


def _process_space() -> str:
    """What tells apart the processes of two containers that share a host name, where the system says it."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid").replace(" ", "")
    return "-"
