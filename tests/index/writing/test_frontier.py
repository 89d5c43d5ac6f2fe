"""The frontier: who fetches what, and when."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.index.database import sql
from hubindex.index.database.location import Location
from hubindex.index.seeds import NAMESPACE, REPOSITORY, TERM, Seed
from hubindex.index.writing.frontier import LATEST, LEASE, SOONEST, Job, Owner, Pending, next_visit
from hubindex.index.writing.ingest import Ingest
from tests.index.building import HOUR, add, rows

NOW = 1_790_000_000_000
MINUTE, DAY = HOUR // 60, 24 * HOUR
ME, YOU = "here 1 aa", "there 2 bb"
MONGO = Seed(REPOSITORY, "library/mongo")
APP = Seed(TERM, "app", 100)
ACME = Seed(NAMESPACE, "acme")


def ask(ingest: Ingest, *seeds: Seed, now: int = NOW) -> tuple[int, Pending]:
    with ingest.transaction() as batch:
        return batch.frontier.ask(seeds, now)


def visit(
    ingest: Ingest, *ids: int, asked_by: int | None = None, now: int = NOW, fresh_since: int | None = None
) -> None:
    with ingest.transaction() as batch:
        batch.frontier.visit(ids, asked_by, now, fresh_since)


def claim(
    ingest: Ingest,
    owner: str = ME,
    *,
    count: int = 100,
    now: int = NOW,
    wall: int = NOW,
    asked_by: int | None = None,
    fresh_since: int | None = None,
) -> list[Job]:
    with ingest.transaction() as batch:
        return batch.frontier.claim(owner, count, now, wall, asked_by, fresh_since)


def finish(ingest: Ingest, job: Job, now: int = NOW, due_at: int = NOW + DAY) -> None:
    with ingest.transaction() as batch:
        batch.frontier.finish(job, now, due_at)


def fail(ingest: Ingest, job: Job, now: int = NOW, failure: str = "Unreachable", error: str = "oh") -> None:
    with ingest.transaction() as batch:
        batch.frontier.fail(job, now, failure, error)


def pending(ingest: Ingest, asked_by: int, now: int = NOW) -> Pending:
    with ingest.transaction() as batch:
        return batch.frontier.pending(asked_by, now)


def due(ingest: Ingest, now: int = NOW) -> Pending:
    with ingest.transaction() as batch:
        return batch.frontier.due(now)


def the(jobs: Sequence[Job]) -> Job:
    """The only one."""
    [job] = jobs
    return job


def ids(jobs: Sequence[Job]) -> list[int]:
    """The repositories to be visited, in the order of the jobs."""
    return [job.repository_id for job in jobs]


# Asking for seeds


def test_what_is_asked_for_is_claimed_as_it_was_asked(ingest: Ingest) -> None:
    """Kind, name, number of results, and whether the repositories found are to be visited."""
    crawl, left = ask(ingest, APP, ACME, Seed(REPOSITORY, "acme/x", 0, with_tags=False))
    jobs = claim(ingest, asked_by=crawl)
    assert not left
    assert {job.seed for job in jobs} == {APP, ACME, Seed(REPOSITORY, "acme/x", 0, with_tags=False)}
    assert {(job.name, job.asked_by, job.repository_id, job.tries) for job in jobs} == {
        ("app", crawl, 0, 0),
        ("acme", crawl, 0, 0),
        ("acme/x", crawl, 0, 0),
    }


def test_an_unfinished_crawl_of_the_same_is_gone_on_with(ingest: Ingest) -> None:
    """It keeps its number, and tells what is left."""
    crawl, _ = ask(ingest, APP, ACME)
    job = claim(ingest, asked_by=crawl, count=1)[0]
    visit(ingest, *add(ingest, "acme/a", "acme/b"), asked_by=crawl)
    finish(ingest, job)
    assert ask(ingest, ACME, APP, now=NOW + HOUR) == (crawl, Pending(2, 1))


def test_an_unfinished_crawl_is_forgotten_after_a_day(ingest: Ingest) -> None:
    """Then all is asked for anew."""
    crawl, _ = ask(ingest, APP)
    other, left = ask(ingest, APP, now=NOW + DAY)
    assert other != crawl
    assert left == Pending(0, 0)
    assert [job.seed for job in claim(ingest, now=NOW + DAY, asked_by=other)] == [APP]


def test_a_finished_crawl_is_not_gone_on_with(ingest: Ingest) -> None:
    """Whoever asks again wants to know again."""
    crawl, _ = ask(ingest, APP)
    finish(ingest, the(claim(ingest, asked_by=crawl)))
    other, left = ask(ingest, APP, now=NOW + 1)
    assert other != crawl
    assert not left
    assert pending(ingest, other, NOW + 1) == Pending(0, 1)


@pytest.mark.parametrize(
    "seeds",
    [[APP], [APP, ACME, MONGO], [APP, MONGO], [APP, ACME._replace(name="zoe")]],
    ids=["fewer", "more", "others", "another name"],
)
def test_a_crawl_of_other_seeds_is_another_crawl(ingest: Ingest, seeds: list[Seed]) -> None:
    """Only the very same is gone on with."""
    crawl, _ = ask(ingest, APP, ACME)
    other, left = ask(ingest, *seeds, now=NOW + 1)
    assert other != crawl
    assert not left
    assert pending(ingest, other, NOW + 1) == Pending(0, len(seeds))


@pytest.mark.parametrize("seed", [APP._replace(wanted=200), APP._replace(with_tags=False)])
def test_a_crawl_of_more_or_less_of_the_same_term_is_another_crawl(ingest: Ingest, seed: Seed) -> None:
    """Two hundred results are not the hundred of before."""
    crawl, _ = ask(ingest, APP)
    finish(ingest, the(claim(ingest, asked_by=crawl)))
    visit(ingest, *add(ingest, "acme/a"), asked_by=crawl)
    other, _ = ask(ingest, seed, now=NOW + 1)
    assert [job.seed for job in claim(ingest, now=NOW + 1, asked_by=other)] == [seed]


def test_names_of_two_kinds_are_two_seeds(ingest: Ingest) -> None:
    """The term acme and the namespace acme."""
    crawl, _ = ask(ingest, ACME, Seed(TERM, "acme", 5))
    assert pending(ingest, crawl) == Pending(0, 2)


def test_a_crawl_that_has_only_failures_left_begins_anew(ingest: Ingest) -> None:
    """Who asks again does not want to wait until they are tried by themselves."""
    crawl, _ = ask(ingest, APP)
    fail(ingest, the(claim(ingest, asked_by=crawl)))
    other, _ = ask(ingest, APP, now=NOW + 1)
    assert [job.seed for job in claim(ingest, now=NOW + 1, asked_by=other)] == [APP]


# Visits


def test_a_visit_is_planned_once_for_a_crawl(ingest: Ingest) -> None:
    """A repository that a second term finds when it has been visited is not visited again."""
    number = add(ingest, "acme/a")[0]
    crawl, _ = ask(ingest, APP)
    visit(ingest, number, asked_by=crawl)
    job = next(job for job in claim(ingest, asked_by=crawl) if job.seed is None)
    finish(ingest, job)
    visit(ingest, number, asked_by=crawl)
    assert pending(ingest, crawl).visits == 0


def test_another_crawl_plans_it_again(ingest: Ingest) -> None:
    """However lately it was visited."""
    number = add(ingest, "acme/a")[0]
    visit(ingest, number, asked_by=1)
    finish(ingest, the(claim(ingest, asked_by=1)))
    visit(ingest, number, asked_by=2, now=NOW + 1)
    assert ids(claim(ingest, asked_by=2, now=NOW + 1)) == [number]


def test_a_visit_that_is_fresh_enough_is_not_planned(ingest: Ingest) -> None:
    """With a greatest age: done at that moment or later."""
    number = add(ingest, "acme/a")[0]
    visit(ingest, number)
    finish(ingest, the(claim(ingest)), now=NOW)
    visit(ingest, number, asked_by=5, now=NOW + HOUR, fresh_since=NOW)
    assert pending(ingest, 5, NOW + HOUR) == Pending(0, 0)
    visit(ingest, number, asked_by=5, now=NOW + HOUR, fresh_since=NOW + 1)
    assert pending(ingest, 5, NOW + HOUR) == Pending(1, 0)


def test_a_refresh_plans_new_repositories_only(ingest: Ingest) -> None:
    """One that is known keeps its time."""
    old, new = add(ingest, "acme/old", "acme/new")
    visit(ingest, old)
    finish(ingest, the(claim(ingest)), due_at=NOW + 3 * DAY)
    visit(ingest, old, new, now=NOW + HOUR)
    assert ids(claim(ingest, now=NOW + HOUR)) == [new]
    assert ids(claim(ingest, now=NOW + 3 * DAY)) == [old]


@pytest.mark.parametrize(
    ("swept", "walked", "problem", "told"),
    [
        (None, None, None, (False, True)),
        (NOW - DAY, NOW - DAY, None, (True, True)),
        (NOW - DAY, NOW, None, (True, True)),
        (NOW - DAY, NOW - DAY, "some digests were not asked for", (True, False)),
        (NOW - DAY, NOW, "page 2: broke off", (False, False)),
        (None, NOW, "page 2: broke off", (False, False)),
        (NOW - 28 * DAY, NOW, None, (False, True)),
    ],
    ids=["never", "swept", "looked at since", "with a omission", "broke off since", "broke off", "long ago"],
)
def test_a_job_tells_what_the_last_walks_were_worth(
    ingest: Ingest, location: Location, swept: int | None, walked: int | None, problem: str | None,
    told: tuple[bool, bool],
) -> None:  # fmt: skip
    """Whether the repository was swept lately and nothing failed since, and whether nothing is left to be said."""
    number = add(ingest, "acme/a")[0]
    for column, value in (("swept_at", swept), ("walked_at", walked), ("walk_problem", problem)):
        if value is not None:
            rows(location, f"UPDATE repository SET {column} = {value!r}", change=True)
    visit(ingest, number)
    job = the(claim(ingest))
    assert (job.is_swept, job.is_whole) == told


# Claims and leases


def test_those_that_are_due_longest_are_claimed_first(ingest: Ingest) -> None:
    """As many as wanted, and none before its time."""
    numbers = add(ingest, *(f"acme/{letter}" for letter in "abcd"))
    for number, late in zip(numbers, (2, 3, 1, -1), strict=True):
        visit(ingest, number, now=NOW - late * MINUTE)
    assert ids(claim(ingest, count=2)) == [numbers[1], numbers[0]]
    assert ids(claim(ingest, count=2)) == [numbers[2]]


def test_a_crawl_claims_what_it_asked_for_alone(ingest: Ingest) -> None:
    """Whatever else is due; a crawl of nothing in particular claims everything."""
    mine, yours, nobodys = add(ingest, "acme/a", "acme/b", "acme/c")
    visit(ingest, mine, asked_by=1)
    visit(ingest, yours, asked_by=2)
    visit(ingest, nobodys)
    assert ids(claim(ingest, asked_by=1)) == [mine]
    assert sorted(ids(claim(ingest))) == [yours, nobodys]


def test_what_was_done_lately_is_left_although_it_is_due(ingest: Ingest) -> None:
    """With a greatest age."""
    old, fresh, new = add(ingest, "acme/old", "acme/fresh", "acme/new")
    visit(ingest, old, fresh)
    first, second = claim(ingest)
    finish(ingest, first, now=NOW, due_at=NOW + 1)
    finish(ingest, second, now=NOW + HOUR, due_at=NOW + 1)
    visit(ingest, new)
    found = ids(claim(ingest, now=NOW + 2 * HOUR, fresh_since=NOW + HOUR))
    assert sorted(found) == sorted([first.repository_id, new])


def test_a_lease_holds_until_it_expires(ingest: Ingest) -> None:
    """Then somebody else may have the job."""
    number = add(ingest, "acme/a")[0]
    visit(ingest, number)
    assert ids(claim(ingest, ME, wall=NOW)) == [number]
    assert claim(ingest, YOU, wall=NOW + LEASE - 1) == []
    assert ids(claim(ingest, YOU, wall=NOW + LEASE)) == [number]


def test_a_renewed_lease_holds_longer(ingest: Ingest) -> None:
    """By its whole length from the moment of the renewal."""
    visit(ingest, *add(ingest, "acme/a"))
    claim(ingest)
    with ingest.transaction() as batch:
        batch.frontier.renew(ME, NOW + MINUTE)
    assert claim(ingest, YOU, wall=NOW + LEASE) == []
    assert len(claim(ingest, YOU, wall=NOW + LEASE + MINUTE)) == 1


def test_a_lost_lease_cannot_be_renewed_or_given_back(ingest: Ingest, location: Location) -> None:
    """Who slept too long leaves alone what is somebody else's by now."""
    visit(ingest, *add(ingest, "acme/a"))
    claim(ingest, ME)
    with closing(Ingest(location)) as other:
        claim(other, YOU, wall=NOW + LEASE)
    with ingest.transaction() as batch:
        batch.frontier.renew(ME, NOW + DAY)
        batch.frontier.release(ME)
    assert claim(ingest, ME, wall=NOW + 2 * LEASE - 1) == []
    assert len(claim(ingest, ME, wall=NOW + 2 * LEASE)) == 1


def test_what_is_given_back_can_be_claimed_at_once(ingest: Ingest) -> None:
    """And it is still what it was."""
    visit(ingest, *add(ingest, "acme/a"), asked_by=3)
    jobs = claim(ingest, ME)
    with ingest.transaction() as batch:
        batch.frontier.release(ME)
    assert claim(ingest, YOU) == jobs


def test_one_job_is_given_back_and_others_are_kept(ingest: Ingest) -> None:
    """What a crawl that was stopped did not come to; what it has done is nobody's any more."""
    visit(ingest, *add(ingest, "acme/a", "acme/b", "acme/c"))
    first, second, third = claim(ingest, ME)
    finish(ingest, third)
    with ingest.transaction() as batch:
        batch.frontier.release(ME, first.key)
    assert claim(ingest, YOU) == [first]
    with ingest.transaction() as batch:
        batch.frontier.renew(ME, NOW + MINUTE)
    assert claim(ingest, YOU, wall=NOW + LEASE) == [first]
    assert second in claim(ingest, YOU, wall=NOW + LEASE + MINUTE)


def test_a_claim_that_was_rolled_back_is_nobody_s(ingest: Ingest) -> None:
    """The writer forgets it with the transaction: there is nothing to renew, or to give back."""
    visit(ingest, *add(ingest, "acme/a"))
    with suppress(ZeroDivisionError), ingest.transaction() as batch:
        batch.frontier.claim(ME, 1, NOW, NOW, None)
        raise ZeroDivisionError
    (job,) = claim(ingest, YOU)
    with ingest.transaction() as batch:
        batch.frontier.release(ME)
    assert claim(ingest, ME) == []
    assert claim(ingest, ME, wall=NOW + LEASE) == [job]


def test_an_open_transaction_hides_what_it_claims(postgresql_url: str) -> None:
    """On PostgreSQL nobody waits for a claim that is not committed yet, and nobody gets the same."""
    location = Location.parse(postgresql_url)
    with closing(Ingest(location)) as one, closing(Ingest(location)) as other:
        numbers = add(one, *(f"acme/{letter}" for letter in "abcd"))
        visit(one, *numbers)
        with one.transaction() as batch:
            mine = batch.frontier.claim(ME, 3, NOW, NOW, None)
            yours = claim(other, YOU)
        assert len(mine) == 3
        assert sorted(ids(mine) + ids(yours)) == numbers


@pytest.mark.parametrize("asked_by", [None, 7])
def test_claimers_never_get_the_same_job(ingest: Ingest, location: Location, asked_by: int | None) -> None:
    """Four threads with a connection each claim until nothing is left."""
    numbers = add(ingest, *(f"acme/app-{number}" for number in range(120)))
    visit(ingest, *numbers, asked_by=asked_by)

    def take(owner: str) -> list[int]:
        found: list[int] = []
        with closing(Ingest(location)) as own:
            while jobs := claim(own, owner, count=5, asked_by=asked_by):
                found += ids(jobs)
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, [f"thread {number} x" for number in range(4)]))
    together = [number for found in taken for number in found]
    assert len(together) == len(set(together))
    # A claim that meets only rows that others hold at this moment comes back empty, and the thread leaves.
    assert set(together) | set(ids(claim(ingest, asked_by=asked_by))) == set(numbers)


# Processes that died


@contextmanager
def process() -> Iterator[str]:
    """Another process on this machine, alive until the end; yields its name as an owner of leases."""
    script = (
        "import sys; from hubindex.index.writing.frontier import Owner; "
        "print(Owner().name, flush=True); sys.stdin.read()"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with started as running:
        assert running.stdout is not None
        yield running.stdout.readline().strip()


def release_dead(ingest: Ingest) -> None:
    with ingest.transaction() as batch:
        batch.frontier.release_dead(Owner(), NOW)


def test_the_leases_of_a_dead_process_are_taken_from_it(ingest: Ingest) -> None:
    """At once if it was on this machine; not while it lives."""
    number = add(ingest, "acme/a")[0]
    visit(ingest, number)
    with process() as name:
        claim(ingest, name)
        release_dead(ingest)
        assert claim(ingest) == []
    release_dead(ingest)
    assert ids(claim(ingest)) == [number]


def test_the_leases_of_another_machine_are_its_own(ingest: Ingest) -> None:
    """Nobody can tell from here whether its processes live."""
    visit(ingest, *add(ingest, "acme/a"))
    with process() as name:
        pass
    claim(ingest, "elsewhere " + name.partition(" ")[2])
    release_dead(ingest)
    assert claim(ingest) == []


def test_an_owner_of_our_own_number_is_dead_if_it_is_none_of_ours() -> None:
    """A container that was started again gives its process the same number; a second crawl in here is alive."""
    ours, other = Owner(), Owner()
    assert not ours.is_dead(other.name)
    assert ours.is_dead(f"{ours.name.rpartition(' ')[0]} 0123abcd")


def test_nobody_is_dead_to_himself() -> None:
    """We run."""
    owner = Owner()
    assert not owner.is_dead(owner.name)


@pytest.mark.parametrize("name", ["", "x", "here", "here there", ME, "a b c d e f", " ", "here pid:[1] 12x3 aa"])
def test_an_owner_of_another_kind_is_not_dead(name: str) -> None:
    """Whatever its name looks like."""
    assert not Owner().is_dead(name)


# Done and failed


def test_what_is_done_is_due_again_when_it_was_told(ingest: Ingest) -> None:
    """And by itself: the crawl that asked for it has it."""
    number = add(ingest, "acme/a")[0]
    visit(ingest, number, asked_by=9)
    finish(ingest, the(claim(ingest)), due_at=NOW + 5 * HOUR)
    assert pending(ingest, 9, NOW + 5 * HOUR) == Pending(0, 0)
    assert claim(ingest, now=NOW + 5 * HOUR - 1) == []
    job = the(claim(ingest, now=NOW + 5 * HOUR))
    assert (job.repository_id, job.asked_by) == (number, None)


def test_a_seed_is_listed_again_after_a_week(ingest: Ingest) -> None:
    """By itself."""
    ask(ingest, APP)
    job = the(claim(ingest))
    with ingest.transaction() as batch:
        batch.frontier.finish_seed(job, NOW)
    assert claim(ingest, now=NOW + 7 * DAY - 1) == []
    assert the(claim(ingest, now=NOW + 7 * DAY)).seed == APP


def test_failures_wait_longer_each_time(ingest: Ingest) -> None:
    """A quarter of an hour, twice as long after each, and at most a day."""
    visit(ingest, *add(ingest, "acme/a"))
    now, waits = NOW, []
    for _ in range(10):
        job = the(claim(ingest, now=now, wall=now))
        fail(ingest, job, now)
        with ingest.transaction() as batch:
            due_at = batch.frontier.next_due(now)
        assert due_at is not None
        waits.append((due_at - now) // MINUTE)
        now = due_at
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440]


def test_a_thing_that_fails_for_ever_can_fail_once_more(ingest: Ingest, location: Location) -> None:
    """The count of failures is kept within its column."""
    visit(ingest, *add(ingest, "acme/a"))
    job = the(claim(ingest))
    fail(ingest, job._replace(tries=1_000_000))
    [(tries, wait)] = rows(location, f"SELECT tries, due_at - {NOW} FROM job")
    assert (tries, wait) == (10_000, DAY)


def test_a_success_forgets_the_failures(ingest: Ingest, location: Location) -> None:
    """The next failure waits a quarter of an hour again."""
    visit(ingest, *add(ingest, "acme/a"))
    fail(ingest, the(claim(ingest)))
    finish(ingest, the(claim(ingest, now=NOW + HOUR)), due_at=NOW + HOUR)
    assert rows(location, "SELECT tries, failure, error FROM job") == [(0, None, None)]
    assert the(claim(ingest, now=NOW + HOUR)).tries == 0


def test_what_was_said_of_a_failure_is_cut(ingest: Ingest, location: Location) -> None:
    """However much a server had to say."""
    visit(ingest, *add(ingest, "acme/a"))
    fail(ingest, the(claim(ingest)), failure="Blocked", error="x" * 100_000)
    assert rows(location, "SELECT failure, error FROM job") == [("Blocked", "x" * 500)]


def test_a_failure_gives_the_job_back(ingest: Ingest, location: Location) -> None:
    """Nobody is at it until it is due."""
    visit(ingest, *add(ingest, "acme/a"), asked_by=4)
    fail(ingest, the(claim(ingest)))
    assert rows(location, "SELECT leased_by, leased_until, asked_by FROM job") == [(None, None, 4)]
    assert ids(claim(ingest, YOU, now=NOW + HOUR)) == [1]


def test_what_a_crawl_failed_to_get_can_be_tried_at_once(ingest: Ingest) -> None:
    """What failed by itself waits for its time."""
    asked, alone = add(ingest, "acme/asked", "acme/alone")
    visit(ingest, asked, asked_by=1)
    visit(ingest, alone)
    for job in claim(ingest):
        fail(ingest, job)
    with ingest.transaction() as batch:
        batch.frontier.retry(NOW + 1)
    job = the(claim(ingest, now=NOW + 1))
    assert (job.repository_id, job.asked_by, job.tries) == (asked, 1, 1)


# Counting


def test_what_was_not_done_lately_is_pulled_forward(ingest: Ingest) -> None:
    """What was done at that moment or later keeps its time; so does what was never done."""
    old, fresh, failing = add(ingest, "acme/old", "acme/fresh", "acme/failing")
    visit(ingest, old, fresh, failing)
    for job in claim(ingest):
        if job.repository_id == failing:
            fail(ingest, job, NOW + HOUR)
        else:
            finish(ingest, job, NOW + (0 if job.repository_id == old else HOUR), NOW + 9 * DAY)
    with ingest.transaction() as batch:
        batch.frontier.pull_forward(NOW + HOUR, NOW + HOUR)
    assert ids(claim(ingest, now=NOW + HOUR)) == [old]


def test_pending_counts_what_a_crawl_has_not_got(ingest: Ingest) -> None:
    """Also what others are at; failures wait for later."""
    crawl, _ = ask(ingest, APP, ACME)
    visit(ingest, *add(ingest, "acme/a", "acme/b", "acme/c"), asked_by=crawl)
    jobs = claim(ingest, asked_by=crawl)
    assert pending(ingest, crawl) == Pending(3, 2)
    visits = [job for job in jobs if job.seed is None]
    finish(ingest, visits[0])
    fail(ingest, visits[1])
    assert pending(ingest, crawl) == Pending(1, 2)
    assert pending(ingest, crawl, NOW + HOUR) == Pending(2, 2)


def test_unfinished_is_what_a_crawl_wanted_and_nobody_is_at(ingest: Ingest) -> None:
    """What is due by itself, and what a crawl wants that is still at something, is not unfinished."""
    asked, busy, alone = add(ingest, "acme/a", "acme/b", "acme/c")
    visit(ingest, busy, asked_by=1)
    claim(ingest, asked_by=1)
    visit(ingest, asked, asked_by=1)
    visit(ingest, alone)
    ask(ingest, APP)
    with ingest.transaction() as batch:
        assert batch.frontier.unfinished(NOW, NOW) == Pending(0, 1)
        assert batch.frontier.unfinished(NOW, NOW + LEASE) == Pending(2, 1)


def test_due_counts_everything_that_is_due(ingest: Ingest) -> None:
    """Whoever asked for it."""
    visit(ingest, *add(ingest, "acme/a", "acme/b"))
    visit(ingest, 1, asked_by=1)
    ask(ingest, APP)
    assert due(ingest) == Pending(2, 1)
    assert due(ingest, NOW - 1) == Pending(0, 0)


def test_the_next_due_is_the_first_that_is_not_due_yet(ingest: Ingest) -> None:
    """None if there is nothing to come."""
    visit(ingest, *add(ingest, "acme/a", "acme/b", "acme/c"))
    first, second, _ = claim(ingest)
    finish(ingest, first, due_at=NOW + 2 * DAY)
    finish(ingest, second, due_at=NOW + DAY)
    with ingest.transaction() as batch:
        assert batch.frontier.next_due(NOW) == NOW + DAY
        assert batch.frontier.next_due(NOW + 2 * DAY) is None


@pytest.mark.parametrize(
    ("pending", "words"),
    [
        (Pending(1, 0), "1 repository"),
        (Pending(0, 1), "1 search or list"),
        (Pending(1200, 2), "1,200 repositories and 2 searches or lists"),
    ],
)
def test_what_is_left_is_said_in_words(pending: Pending, words: str) -> None:
    """With nouns in the right number, and nothing about what is not left."""
    assert str(pending) == words


# When to come back

moments = st.integers(0, 4_000_000_000_000)


@given(moments, st.none() | moments)
def test_a_visit_comes_within_hours_to_weeks(now: int, changed_at: int | None) -> None:
    """Whatever is known of changes, also if they lie in the future."""
    assert SOONEST <= next_visit(now, changed_at) - now <= LATEST


@given(moments, moments, moments)
def test_what_has_rested_longer_is_visited_later(now: int, one: int, other: int) -> None:
    """Never the other way round."""
    assert next_visit(now, min(one, other)) >= next_visit(now, max(one, other))


@given(moments, st.integers(4 * SOONEST, 4 * LATEST))
def test_in_between_it_is_a_quarter_of_the_rest(now: int, rested: int) -> None:
    """So that a repository is looked at four times in as long as it has not changed."""
    assert next_visit(now, now - rested) - now == rested // 4


def test_nothing_known_of_changes_means_a_week() -> None:
    """As of a repository that nobody has pushed to."""
    assert next_visit(NOW, None) == NOW + 7 * DAY


# Statements


def test_sqlite_locks_no_rows() -> None:
    """What is said to PostgreSQL alone is left out of every statement, and nothing else is."""
    for family in ("frontier", "ingest"):
        lite, postgresql = sql.load(family, "sqlite"), sql.load(family, "postgresql")
        assert not any("FOR UPDATE" in statement for statement in lite.values())
        locking = {name for name, statement in postgresql.items() if "FOR UPDATE" in statement}
        assert locking == ({"claim_due", "claim_asked"} if family == "frontier" else {"lock_repository"})
    assert sql.load("frontier", "sqlite")["claim_due"].endswith("LIMIT :count")
    assert sql.load("ingest", "sqlite")["lock_repository"].endswith("WHERE repository_id = :repository_id")


def test_a_crawl_of_which_only_failures_are_left_is_begun_anew(ingest: Ingest) -> None:
    """Otherwise one repository that always fails would keep all others from being looked at again."""
    first, _ = ask(ingest, APP)
    (job,) = claim(ingest, asked_by=first)
    fail(ingest, job)
    second, left = ask(ingest, APP, now=NOW + HOUR)
    assert (second == first, bool(left)) == (False, False)


def test_what_is_asked_for_anew_while_it_is_done_is_done_again(ingest: Ingest) -> None:
    """The one who asked later may want more than the one who is at it."""
    first, _ = ask(ingest, APP)
    (job,) = claim(ingest, asked_by=first)
    second, _ = ask(ingest, APP._replace(wanted=1000))
    finish(ingest, job)
    assert pending(ingest, second) == Pending(0, 1)
    assert [job.asked_by for job in claim(ingest, "another")] == [second]
