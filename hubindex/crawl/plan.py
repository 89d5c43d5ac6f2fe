"""What a crawl shall do, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass

from hubindex.errors import SourceError
from hubindex.index.seeds import CATALOG, NAMESPACE, REPOSITORY, TERM, Seed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a crawl shall fetch.

    The first `limit` results of each of `terms`; `repositories` by path on Docker Hub (`library/mongo`), or with
    their host; all repositories of `namespaces`; all that the `registries` list; and of each of these all tags,
    unless `tags` is false. With nothing named it goes on with what was left, and looks again at what is due.

    `concurrency` jobs at a time. `max_age`: what was looked at less than so many milliseconds ago is left alone,
    and what was not is due. `heads`: how many digests of one repository may be asked of the registry, one by one,
    when Docker Hub does not list all tags; 0: none. `contents`: ask other registries for the manifests and the
    configurations of images, each once; `pulls`: how many manifests to ask of Docker Hub's registry, where each
    counts as a pull. `history`: where a registry tells its own history, ask for that. `full`: read each list of
    tags to its end. `watch`: keep running, and re-crawl repositories as they fall due.
    """

    terms: Sequence[str] = ()
    repositories: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    registries: Sequence[str] = ()
    limit: int = 100
    tags: bool = True
    concurrency: int = 8
    max_age: int | None = None
    heads: int = 1000
    full: bool = False
    watch: bool = False
    contents: bool = True
    history: bool = True
    pulls: int = 0

    def fresh_since(self, now: int) -> int | None:
        """What was looked at since then is left alone; None: nothing is."""
        return None if self.max_age is None else now - self.max_age

    def seeds(self) -> list[Seed]:
        """What is named, as the frontier knows it."""
        return [
            *(Seed(REPOSITORY, name, 0, self.tags) for name in self.repositories),
            *(Seed(TERM, term, self.limit, self.tags) for term in self.terms),
            *(Seed(NAMESPACE, namespace, 0, self.tags) for namespace in self.namespaces),
            *(Seed(CATALOG, host, 0, self.tags) for host in self.registries),
        ]


@dataclass
class Progress:
    """How far a crawl has come; changes while it runs.

    `found` and `done` count repositories, `changed_tags` those that moved, came back or vanished, `stale_tags`
    answers about a tag that are older than an earlier one, `missing` repositories that are not there, `manifests`
    those that were read. `answers` counts what the source gave, `failures` what it refused; `stopped` tells that
    the source refused further requests, or that the budget of requests is spent (`is_spent`).
    """

    found: int = 0
    done: int = 0
    new_repositories: int = 0
    changed_repositories: int = 0
    tags: int = 0
    new_tags: int = 0
    changed_tags: int = 0
    stale_tags: int = 0
    missing: int = 0
    manifests: int = 0
    answers: int = 0
    failures: int = 0
    first_error: SourceError | None = None
    stopped: bool = False
    is_spent: bool = False
