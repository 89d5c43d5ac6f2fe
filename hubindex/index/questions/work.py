"""What the frontier holds, and what a crawl would have to ask for; read without writing."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hubindex.index.database.reader import Reader
from hubindex.index.seeds import CATALOG, NAMESPACE, REPOSITORY, Seed, registry_of
from hubindex.index.words import term_key
from hubindex.moment import END_OF_TIME, wall
from hubindex.reference import DEFAULT_REGISTRY, Reference

PAGE_SIZE = 100
_CATALOG_SIZE = 1000


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
    (counts,) = reader.query("frontier", "work", now=now, wall=wall())
    return Work._make((*counts, dict(reader.query("frontier", "failures"))))


def estimate(
    reader: Reader | None, seeds: Sequence[Seed], now: int, fresh_since: int | None = None
) -> list[Estimate]:
    """What a crawl of some seeds would ask for, or, without any, a crawl of whatever is due.

    What was done since `fresh_since` is left alone. Without a reader nothing is known.
    """
    if seeds or reader is None:
        return [part for seed in seeds for part in _estimate_one(reader, seed)]
    return _estimate_due(reader, now, fresh_since)


def _estimate_due(reader: Reader, now: int, fresh_since: int | None = None) -> list[Estimate]:
    """What a crawl of all that is due would ask for; `fresh_since`: of all that was not done since then."""
    bounds: dict[str, int] = {"now": now, "stale": fresh_since or 0, "fresh": fresh_since or END_OF_TIME}
    ((count, swept),) = reader.query("frontier", "due_visits", **bounds)
    found = _visits("repositories that are due", count, swept)
    for kind, name, wanted in reader.query("frontier", "due_seeds", **bounds):
        found += _estimate_one(reader, Seed(kind, name, wanted, with_tags=False))  # what it lists is due by itself
    return found


def _estimate_one(reader: Reader | None, seed: Seed) -> list[Estimate]:
    """What it takes to list a seed, and then to visit what it lists."""
    kind, name, wanted, with_tags = seed
    if kind == REPOSITORY:
        reference = Reference.parse_repository(name)
        path = reference.repository
        known, swept = _known_names(reader, path, f"{path} ", reference.registry)  # no name has a space
        listing = Estimate(f"the repository {name}", 1, is_least=False)
        expected = 1
    elif kind == NAMESPACE:
        known, swept = _known_names(reader, f"{name}/", f"{name}0")
        pages = max(1, -(-known // PAGE_SIZE))
        listing = Estimate(f"the list of {name}", pages, is_least=not known)
        expected = known
    elif kind == CATALOG:
        known, swept = _known_names(reader, "", "~", name)
        listing = Estimate(f"the list of {name}", max(1, -(-known // _CATALOG_SIZE)), is_least=not known)
        expected = known
    else:
        known, swept = _known_hits(reader, name, wanted)
        listing = Estimate(f"the search for {name!r}", -(-wanted // PAGE_SIZE), is_least=False)
        expected = known or wanted
    if not with_tags:
        return [listing]
    if kind in {REPOSITORY, CATALOG} and registry_of(kind, name) != DEFAULT_REGISTRY:
        tags = f"the tags of {known:,} repositories known of {name}: one for each repository, and one for each tag"
        return [listing, *([Estimate(tags, known, is_least=True)] if known else [])]
    visits = _visits(f"repositories known of {name}", known, swept)
    unknown = expected - known
    if unknown > 0 and kind == REPOSITORY:
        visits.append(Estimate("its tags", 1, is_least=True))
    elif unknown > 0:
        what = f"up to {unknown:,} repositories of {name} not known yet: each that there is takes one or more"
        visits.append(Estimate(what, 0, is_least=True))
    return [listing, *visits]


def total(estimates: Iterable[Estimate]) -> Estimate:
    """All of it."""
    several = list(estimates)
    return Estimate("in all", sum(each.requests for each in several), any(each.is_least for each in several))


def _known_hits(reader: Reader | None, term: str, wanted: int) -> tuple[int, int]:
    if reader is None:
        return 0, 0
    ((count, swept),) = reader.query("frontier", "known_hits", term=term_key(term), wanted=wanted)
    return count, swept


def _known_names(
    reader: Reader | None, first: str, beyond: str, registry: str = DEFAULT_REGISTRY
) -> tuple[int, int]:
    if reader is None:
        return 0, 0
    bounds = {"first": first, "beyond": beyond}
    ((count, swept),) = reader.query("frontier", "known_names", registry=registry, **bounds)
    return count, swept


def _visits(what: str, count: int, swept: int) -> list[Estimate]:
    found = [
        Estimate(what, swept, is_least=False),
        Estimate(f"{what}, not looked at to the end yet", count - swept, is_least=True),
    ]
    return [each for each in found if each.requests]
