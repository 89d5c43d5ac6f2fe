"""The state of an index: its fields, and what people are told of it."""

import re

from hubindex.index.database.distribution import Distribution
from hubindex.index.database.location import Location
from hubindex.index.questions.repositories import Status
from hubindex.index.questions.work import Work
from hubindex.views.ages import age, duration
from hubindex.views.cells import optional_moment
from hubindex.views.table import Row, Table

STATUS_TABLE = Table(
    {
        "Index": "INDEX",
        "Repositories": "REPOSITORIES",
        "WithoutTags": "WITHOUT TAGS",
        "Incomplete": "INCOMPLETE",
        "Missing": "MISSING",
        "GoneRepositories": "GONE REPOSITORIES",
        "Tags": "TAGS",
        "GoneTags": "GONE TAGS",
        "ClosedSpans": "CLOSED SPANS",
        "Digests": "DIGESTS",
        "Sweeps": "SWEEPS",
        "Terms": "TERMS",
        "Oldest": "OLDEST",
        "Newest": "NEWEST",
        "Due": "DUE",
        "Unfinished": "UNFINISHED",
        "Fetching": "FETCHING",
        "Failing": "FAILING",
        "Failures": "FAILURES",
        "FirstDue": "FIRST DUE",
        "Distributed": "DISTRIBUTED",
        "Shards": "SHARDS",
        "Nodes": "NODES",
        "NotDistributed": "NOT DISTRIBUTED",
    },
    ("Index", "Repositories", "Tags", "Digests", "Newest"),
    "*hubindex.Status",
)


def status_row(location: Location, counts: Status, todo: Work, spread: Distribution | None) -> Row:
    """The fields of an index's state."""
    return {
        "Index": location.label,
        "Repositories": counts.repositories,
        "WithoutTags": counts.without_tags,
        "Incomplete": counts.incomplete,
        "Missing": counts.missing,
        "GoneRepositories": counts.gone_repositories,
        "Tags": counts.tags,
        "GoneTags": counts.gone_tags,
        "ClosedSpans": counts.closed_spans,
        "Digests": counts.digests,
        "Sweeps": counts.sweeps,
        "Terms": counts.terms,
        "Oldest": optional_moment(counts.oldest_at),
        "Newest": optional_moment(counts.newest_at),
        "Due": todo.due_visits + todo.due_seeds,
        "Unfinished": todo.asked,
        "Fetching": todo.leased,
        "Failing": sum(todo.failures.values()),
        "Failures": {failure_name(kind): number for kind, number in todo.failures.items()},
        "FirstDue": optional_moment(todo.first_due_at),
        "Distributed": spread is not None,
        "Shards": spread.shards if spread else 0,
        "Nodes": [node.name for node in spread.nodes] if spread else [],
        "NotDistributed": list(spread.missing) if spread else [],
    }


def status_lines(
    location: Location, counts: Status, todo: Work, spread: Distribution | None, now: int
) -> list[tuple[str, object]]:
    """The same for people: labels and values, in their order; values may be empty."""
    return [*_people(location.label, counts, todo, now), *_where(location.dialect, spread)]


def failure_name(kind: str) -> str:
    """`rate limited` for `RateLimited`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def _people(label: str, counts: Status, todo: Work, now: int) -> list[tuple[str, object]]:
    unfinished = (
        (counts.without_tags, "without tags"),
        (counts.incomplete, "with an incomplete last walk"),
        (counts.missing, "missing at the source"),
    )
    return [
        ("Index", label),
        (
            "Repositories",
            f"{counts.repositories:,}"
            + (f" and {counts.gone_repositories:,} gone" if counts.gone_repositories else ""),
        ),
        ("", None),
        *(("Of these", f"{number:,} {what}") for number, what in unfinished if number),
        ("Search terms", f"{counts.terms:,}"),
        ("Tags", f"{counts.tags:,}" + (f" and {counts.gone_tags:,} gone" if counts.gone_tags else "")),
        ("Closed spans", f"{counts.closed_spans:,}"),
        ("Digests", f"{counts.digests:,}"),
        ("Sweeps", f"{counts.sweeps:,}"),
        ("Oldest answer", age(counts.oldest_at, now)),
        ("Newest answer", age(counts.newest_at, now)),
        ("Due", _due(todo, now)),
        ("Unfinished", f"{todo.asked:,}: 'hubindex crawl' goes on with them" if todo.asked else None),
        ("Being fetched", f"{todo.leased:,}" if todo.leased else None),
        ("Failed", ", ".join(f"{number:,} {failure_name(kind)}" for kind, number in todo.failures.items())),
    ]


def _where(dialect: str, spread: Distribution | None) -> list[tuple[str, object]]:
    if dialect != "postgresql":
        return []
    if spread is None:
        return [("Distributed", "no")]
    return [("Distributed", extent(spread)), *(("Misplaced", problem) for problem in spread.problems)]


def _due(todo: Work, now: int) -> str | None:
    if todo.first_due_at is None:
        return None
    if todo.first_due_at > now:
        return f"nothing, the first in {duration(todo.first_due_at - now)}"
    parts = [(todo.due_visits, "repositories"), (todo.due_seeds, "searches and lists")]
    return ", ".join(f"{number:,} {what}" for number, what in parts if number)


def extent(found: Distribution) -> str:
    """`32 shards on 2 nodes: worker-1:5432 (16), worker-2:5432 (16)`."""
    where = ", ".join(f"{node.name} ({node.shards})" for node in found.nodes)
    return f"{_count(found.shards, 'shard')} on {_count(len(found.nodes), 'node')}: {where}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
