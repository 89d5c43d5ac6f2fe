"""What the frontier holds, and what a crawl would have to ask for; read without writing."""

from collections.abc import Iterable
from typing import NamedTuple

from hubindex.index.database.reader import Reader
from hubindex.index.words import term_key
from hubindex.moment import END_OF_TIME, wall
from hubindex.reference import DEFAULT_REGISTRY

PAGE_SIZE = 100


class Work(NamedTuple):
    """Numbers of jobs: due now, asked for by a crawl and not done, and being done.

    Those that are due are visits of repositories, or searches and lists. `failures` counts the last ones by kind.
    """

    due_visits: int
    due_seeds: int
    asked: int
    leased: int
    first_due_at: int | None
    failures: dict[str, int]


class Estimate(NamedTuple):
    """How many requests something takes, if nothing has changed since; `is_least`: it may take more."""

    what: str
    requests: int
    is_least: bool


def work(reader: Reader, now: int) -> Work:
    """What there is to do."""
    counts = reader.query("frontier", "work", now=now, wall=wall())[0]
    return Work._make((*counts, dict(reader.query("frontier", "failures"))))


def estimate_due(reader: Reader, now: int, fresh_since: int | None = None) -> list[Estimate]:
    """What a crawl of all that is due would ask for; `fresh_since`: of all that was not done since then."""
    bounds: dict[str, int] = {"now": now, "stale": fresh_since or 0, "fresh": fresh_since or END_OF_TIME}
    count, swept = reader.query("frontier", "due_visits", **bounds)[0]
    found = _visits("repositories that are due", count, swept)
    for kind, name, wanted in reader.query("frontier", "due_seeds", **bounds):
        found += estimate_seed(reader, kind, name, wanted)[:1]  # what it lists is due by itself
    return found


def estimate_seed(reader: Reader | None, kind: str, name: str, wanted: int) -> list[Estimate]:
    """What a crawl of a term, a namespace or a repository would ask for: to list it, then to visit what it lists.

    Without a reader nothing is known.
    """
    if kind == "repository":
        known, swept = _known_names(reader, name, f"{name} ")  # no name has a space, or anything before it
        listing = Estimate(f"the repository {name}", 1, is_least=False)
        expected = 1
    elif kind == "namespace":
        known, swept = _known_names(reader, f"{name}/", f"{name}0")
        pages = max(1, -(-known // PAGE_SIZE))
        listing = Estimate(f"the list of {name}", pages, is_least=not known)
        expected = known
    else:
        known, swept = (
            reader.query("frontier", "known_hits", term=term_key(name), wanted=wanted)[0] if reader else (0, 0)
        )
        listing = Estimate(f"the search for {name!r}", -(-wanted // PAGE_SIZE), is_least=False)
        expected = known or wanted
    visits = _visits(f"repositories known of {name}", known, swept)
    unknown = expected - known
    if unknown > 0 and kind == "repository":
        visits.append(Estimate("its tags", 1, is_least=True))
    elif unknown > 0:
        what = f"up to {unknown:,} repositories of {name} not known yet: each that there is takes one or more"
        visits.append(Estimate(what, 0, is_least=True))
    return [listing, *visits]


def total(estimates: Iterable[Estimate]) -> Estimate:
    """All of it."""
    several = list(estimates)
    return Estimate("in all", sum(each.requests for each in several), any(each.is_least for each in several))


def _known_names(reader: Reader | None, first: str, beyond: str) -> tuple[int, int]:
    if reader is None:
        return 0, 0
    bounds = {"first": first, "beyond": beyond}
    ((count, swept),) = reader.query("frontier", "known_names", registry=DEFAULT_REGISTRY, **bounds)
    return count, swept


def _visits(what: str, count: int, swept: int) -> list[Estimate]:
    found = [
        Estimate(what, swept, is_least=False),
        Estimate(f"{what}, not looked at to the end yet", count - swept, is_least=True),
    ]
    return [each for each in found if each.requests]
