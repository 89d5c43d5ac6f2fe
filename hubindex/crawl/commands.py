"""What a crawl asks of the writer: values that say what to do with a batch, and what to answer.

A command has all that it needs in itself, and the writer remembers what it has to (leases, and the pages of walks
under way): so a command can be run again after a fault, and can be sent to another process.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from hubindex.contents import Contents
from hubindex.index.seeds import Seed
from hubindex.index.writing.frontier import LATEST, Job, Owner, Pending, next_visit
from hubindex.index.writing.ingest import GONE_AFTER, Absence, Batch
from hubindex.index.writing.repositories import Stored
from hubindex.index.writing.walks import PageOutcome, StoredPages, Walk
from hubindex.records import Repository, Tag, TagPage, TagPeriod

T_co = TypeVar("T_co", covariant=True)


class Command(Protocol[T_co]):
    """Something to do in a transaction."""

    def run(self, batch: Batch) -> T_co:
        """Do it, and answer. It counts once the transaction is committed."""
        ...


# The crawl


class Begun(NamedTuple):
    """How a crawl begins: the number under which it asked, what it has claimed, and what was found unfinished.

    `left` is what is to be done of the plan, or due; `next_due_at` is when the next job is due.
    """

    asked_by: int | None
    jobs: list[Job]
    left: Pending
    unfinished: Pending
    next_due_at: int | None


class Begin(NamedTuple):
    """Write down what is planned, and claim the first `at_most` jobs of it; without seeds, look at what is due.

    What was not done since `fresh_since` is due. `is_wanted_now`: what failed is due as well.
    """

    owner: Owner
    seeds: Sequence[Seed]
    at_most: int
    now: int
    wall: int
    fresh_since: int | None
    is_wanted_now: bool

    def run(self, batch: Batch) -> Begun:
        """Ask for the seeds, or for whatever is due."""
        frontier, now = batch.frontier, self.now
        frontier.release_dead(self.owner, now)
        unfinished = frontier.unfinished(now, self.wall)
        if self.seeds:
            asked_by, left = frontier.ask(self.seeds, now)
            # At once, so that nobody takes it for left behind.
            jobs = Claim(self.owner.name, self.at_most, now, self.wall, asked_by, self.fresh_since).run(batch)
            return Begun(asked_by, jobs, left, unfinished, None)
        if self.fresh_since is not None:
            frontier.pull_forward(now, self.fresh_since)
        if self.is_wanted_now:
            frontier.retry(now)
        return Begun(None, [], frontier.due(now), unfinished, frontier.next_due(now))


class Claim(NamedTuple):
    """Lease `at_most` jobs that a crawl asked for, or that are due; not if they were done since `fresh_since`."""

    owner: str
    at_most: int
    now: int
    wall: int
    asked_by: int | None
    fresh_since: int | None

    def run(self, batch: Batch) -> list[Job]:
        """The jobs; the writer knows that they are the owner's until they end."""
        return batch.frontier.claim(self.owner, self.at_most, self.now, self.wall, self.asked_by, self.fresh_since)


class RenewLeases(NamedTuple):
    """Keep what is claimed and not done."""

    owner: str
    wall: int

    def run(self, batch: Batch) -> None:
        """Lease it for a while from now on."""
        batch.frontier.renew(self.owner, self.wall)


class ReleaseLeases(NamedTuple):
    """The end of a crawl: give back what was claimed and not done."""

    owner: str
    asked_by: int | None

    def run(self, batch: Batch) -> int:
        """How much of what the crawl asked for has failed."""
        batch.frontier.release(self.owner)
        return 0 if self.asked_by is None else batch.frontier.failed(self.asked_by)


class IsMoreToCome(NamedTuple):
    """Whether others are at work of which more may come: what a crawl asked for, or what somebody lists."""

    asked_by: int | None
    now: int
    wall: int

    def run(self, batch: Batch) -> bool:
        """True if it is worth waiting."""
        if self.asked_by is not None:
            return bool(batch.frontier.pending(self.asked_by, self.now))
        return batch.frontier.is_growing(self.now, self.wall)


# The end of a job


class Failure(NamedTuple):
    """Why a job failed: the kind of the error, and what it said."""

    kind: str
    text: str


class EndJob(NamedTuple):
    """A job is done, has failed, or is given back because the crawl was stopped."""

    job: Job
    owner: str
    now: int
    failure: Failure | None = None
    is_given_back: bool = False

    def run(self, batch: Batch) -> None:
        """Write into the frontier when it is due again."""
        frontier, job = batch.frontier, self.job
        if self.is_given_back:
            frontier.release(self.owner, job.key)
        elif self.failure is not None:
            frontier.fail(job, self.now, *self.failure)
        elif job.seed is not None:
            frontier.finish_seed(job, self.now)
        else:
            frontier.finish(job, self.now, next_visit(self.now, batch.changed_at(job.repository_id)))


class EndMissing(NamedTuple):
    """The source says, and keeps saying, that there is no repository of that path, asked for at `asked_at`."""

    job: Job
    path: str
    asked_at: int
    now: int

    def run(self, batch: Batch) -> Absence:
        """What the repository is to the index now; the job is done."""
        absence = batch.repository_missing(self.path, self.asked_at, self.job.registry)
        if absence is Absence.MISSING:
            batch.frontier.finish(self.job, self.now, self.now + GONE_AFTER)
        elif absence is Absence.UNKNOWN and self.job.seed is not None:
            batch.frontier.forget(self.job)  # a slip of the pen, most likely
        else:
            batch.frontier.finish(self.job, self.now, self.now + LATEST)
        return absence


# Lists of repositories


class Visits(NamedTuple):
    """Let repositories be visited, for a crawl or when they are due, unless they were since `fresh_since`."""

    asked_by: int | None
    now: int
    fresh_since: int | None


class StoreRepositories(NamedTuple):
    """Store what a list shows, and let it be visited."""

    registry: str
    records: Sequence[Repository]
    seen_at: int
    visits: Visits | None

    def run(self, batch: Batch) -> list[Stored]:
        """What became of each record."""
        stored = batch.repositories(self.records, self.seen_at, self.registry)
        if self.visits is not None:
            batch.frontier.visit([each.repository_id for each in stored], *self.visits)
        return stored


class StoreResults(NamedTuple):
    """Remember in which order the source returned repositories for a term; `is_whole`: these are all."""

    term: str
    repository_ids: Sequence[int]
    crawled_at: int
    is_whole: bool

    def run(self, batch: Batch) -> None:
        """Replace what was known of these places."""
        batch.search_results(self.term, self.repository_ids, self.crawled_at, whole=self.is_whole)


# Walks over tags


class FinishWalk(NamedTuple):
    """Store what walk `number` proves, after all of its `pages`, and end the job of the visit."""

    number: int
    walk: Walk
    pages: int
    end: EndJob | None

    def run(self, batch: Batch) -> int:
        """How many tags are gone. If a page could not be stored, the job is left for later."""
        number = self.walk.repository_id
        stored = _stored(batch, number, self.number)
        gone = batch.finish_walk(stored.proven(self.walk, self.pages))
        batch.walks.forget(number)
        if self.end is not None and stored.pages == self.pages:
            self.end.run(batch)
        return gone


class StoredPage(NamedTuple):
    """What became of a page of tags, and whether the walk has ended with it."""

    outcome: PageOutcome
    is_end: bool


class StorePage(NamedTuple):
    """Store a page of tags of walk `number`, which began at `started_at`.

    With `end` the walk ends here if the page says nothing new and the source counts as many tags as are known.
    """

    repository_id: int
    number: int
    started_at: int
    page: TagPage
    end: FinishWalk | None = None

    def run(self, batch: Batch) -> StoredPage:
        """What became of it. Until a walk that brings news ends, it is taken for one that was interrupted."""
        repository_id = self.repository_id
        outcome = batch.tag_page(repository_id, self.page)
        before = batch.begin_walk(repository_id, self.started_at) if outcome.news else None
        stored = _stored(batch, repository_id, self.number).add(self.page, outcome, before)
        batch.walks.put(repository_id, stored)
        if self.end is None or outcome.news or not batch.has_as_many_tags(repository_id, self.page.count):
            return StoredPage(outcome, is_end=False)
        self.end.run(batch)
        return StoredPage(outcome, is_end=True)


class LeastKnown(NamedTuple):
    """Ask which of some tags are known least."""

    repository_id: int
    names: Sequence[str]

    def run(self, batch: Batch) -> list[str]:
        """The names in that order."""
        return batch.least_known(self.repository_id, self.names)


class KnownDigests(NamedTuple):
    """Ask what tags point to, as far as known."""

    repository_id: int
    names: Sequence[str]

    def run(self, batch: Batch) -> dict[str, bytes]:
        """The digests by name."""
        return batch.known_digests(self.repository_id, self.names)


class StorePeriods(NamedTuple):
    """Store what a registry tells of the past of a repository's tags, oldest first."""

    repository_id: int
    periods: Sequence[TagPeriod]

    def run(self, batch: Batch) -> PageOutcome:
        """What of it was not known."""
        return batch.tag_periods(self.repository_id, self.periods)


# Single looks at tags


class TagsWith(NamedTuple):
    """Ask for the tags of a repository, by its registry and path, that have a digest; without one, for all."""

    registry: str
    path: str
    digest: bytes | None
    most: int

    def run(self, batch: Batch) -> list[str]:
        """The names that are known, `most` at most."""
        return batch.tags_with(self.path, self.registry, self.digest, self.most)


class StoredLook(NamedTuple):
    """What became of a look: the number of the repository, 0 if it is not known, and whether it brought news."""

    repository_id: int
    is_news: bool


class StoreLook(NamedTuple):
    """Store what a look at one tag at a moment found; None: the tag is not there.

    A repository that was not known is to be visited as well.
    """

    registry: str
    path: str
    name: str
    tag: Tag | None
    at: int

    def run(self, batch: Batch) -> StoredLook:
        """What became of it."""
        if self.tag is None:
            return StoredLook(0, batch.tag_missing(self.path, self.registry, self.name, self.at))
        (stored,) = batch.repositories([Repository(name=self.path)], self.at, self.registry)
        if stored.is_new:
            batch.frontier.visit([stored.repository_id], None, self.at)
        page = TagPage(tags=(self.tag,), count=None, more=True, observed_at=self.at)
        return StoredLook(stored.repository_id, batch.tag_page(stored.repository_id, page).news > 0)


# Contents of images


class Undescribed(NamedTuple):
    """Ask which digests of a repository lack a description there."""

    repository_id: int
    digests: Sequence[bytes]

    def run(self, batch: Batch) -> dict[bytes, Contents | None]:
        """Their contents; None: these are not known."""
        return batch.contents.undescribed(self.repository_id, self.digests)


class KnownContents(NamedTuple):
    """Ask for the contents of digests, as far as known."""

    digests: Sequence[bytes]

    def run(self, batch: Batch) -> dict[bytes, Contents]:
        """The contents by digest."""
        return batch.contents.stored(self.digests)


class StoreContents(NamedTuple):
    """Keep contents of images."""

    contents: Sequence[Contents]

    def run(self, batch: Batch) -> None:
        """Each once."""
        batch.contents.store(self.contents)


def _stored(batch: Batch, repository_id: int, number: int) -> StoredPages:
    """What has been stored of a walk; another one over the same repository is over."""
    stored = batch.walks.get(repository_id)
    return stored if stored is not None and stored.number == number else StoredPages(number)
