"""How facts about repositories and tags look: fields, columns, and words for people."""

from collections.abc import Iterator, Sequence

from hubindex.cli.output.ages import age
from hubindex.cli.output.tables import Format, Row, Table
from hubindex.cli.output.tabwriter import visible
from hubindex.index.questions.repositories import RepositoryFacts, TagFacts, least_specific_first
from hubindex.kinds import IMAGE, UNKNOWN
from hubindex.moment import to_rfc3339
from hubindex.reference import short_name


def optional_moment(moment: int | None) -> str | None:
    """RFC 3339, or None."""
    return None if moment is None else to_rfc3339(moment)


def last_look(facts: RepositoryFacts, now: int) -> str:
    """`its tags were looked at last 2 days ago, at 2024-03-04T04:00:00Z`, or how to do that."""
    name = short_name(facts.name)
    if facts.walked_at is None:
        return f"its tags are not in the index: fetch them with 'hubindex crawl --repo {name}'"
    at = facts.looked_at or facts.walked_at
    return f"its tags were looked at last {age(at, now)}, at {to_rfc3339(at - at % 1000)}"


def size(number: int | None) -> str:
    """`117.1 MB`, in powers of ten as docker writes sizes; empty if unknown."""
    if number is None:
        return ""
    import humanize

    return str(humanize.naturalsize(number, format="%.1f"))


def short_digest(digest: str | None) -> str:
    """`sha256:` and twelve digits, as docker shortens; empty if unknown."""
    if digest is None:
        return ""
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{digits[:12]}"


def listing(rows: list[tuple[str, object]]) -> Iterator[str]:
    """`Name:  value` lines for one thing; empty values are left out."""
    shown = [(label, visible(str(value))) for label, value in rows if value not in {None, ""}]
    width = max((len(label) for label, _ in shown), default=0) + 1
    for label, value in shown:
        yield f"{label + ':':<{width}}  {value}"


def one(template: str, table: Table, row: Row, people: list[tuple[str, object]]) -> Iterator[str]:
    """One thing: a listing for people, or what `--format` asks for."""
    output = Format(template, table)
    return listing(people) if template in {"", "table"} else output.lines([row])


TAG_TABLE = Table(
    {
        "Name": "TAG",
        "Digest": "DIGEST",
        "MediaType": "MEDIA TYPE",
        "Platforms": "PLATFORMS",
        "Size": "SIZE",
        "PushedAt": "PUSHED",
        "FirstSeen": "FIRST SEEN",
        "LastSeen": "LAST SEEN",
        "Aliases": "ALIASES",
        "Certainty": "CERTAINTY",
        "Kind": "KIND",
    },
    ("Name", "Digest", "Size", "PushedAt", "Platforms"),
    "*hubindex.Tag",
)
"""The fields of `tags`, with their whole values."""


def tag_row(tag: TagFacts) -> Row:
    """The fields of a tag for JSON and templates."""
    return {
        "Name": tag.name,
        "Digest": tag.digest,
        "MediaType": tag.media_type,
        "Platforms": list(tag.platforms),
        "Size": tag.size,
        "PushedAt": optional_moment(tag.pushed_at),
        "FirstSeen": to_rfc3339(tag.first_seen_at),
        "LastSeen": to_rfc3339(tag.last_seen_at),
        "Aliases": list(tag.aliases),
        "Certainty": tag.certainty,
        "Kind": tag.kind,
    }


def tag_cells(tags: Sequence[TagFacts], now: int) -> Row:
    """The same for a line of a table: tags with one digest, of which the first counts for all else."""
    return {
        **tag_row(tags[0]),
        "Name": equal_names([tag.name for tag in tags], most=6),
        "Digest": short_digest(tags[0].digest),
        "Platforms": _kind_and_platforms(tags[0], some(tags[0].platforms)),
        "Size": size(tags[0].size),
        "PushedAt": age(tags[0].pushed_at, now),
    }


def whole_tag_cells(tags: Sequence[TagFacts]) -> Row:
    """The same with nothing left out."""
    platforms = _kind_and_platforms(tags[0], tags[0].platforms)
    return {**tag_row(tags[0]), "Name": equal_names([tag.name for tag in tags]), "Platforms": platforms}


def _kind_and_platforms(tag: TagFacts, platforms: Sequence[str]) -> list[str]:
    """What is no image has no platforms, or few: its kind stands in their place, or before them."""
    return [*([] if tag.kind in {IMAGE, UNKNOWN} else [tag.kind]), *platforms]


def equal_names(names: Sequence[str], most: int | None = None) -> str:
    """`latest = 7 = 7.0 = 7.0.12`: names of the same thing; more than `most` are counted."""
    ordered = least_specific_first(names)
    more = len(ordered[:0] if most is None else ordered[most:])
    return " = ".join(ordered[:most]) + (f", +{more}" if more else "")


def some(names: Sequence[str], most: int = 3) -> list[str]:
    """The first names, and `+N` for the others."""
    more = len(names) - most
    return [*names[:most], *([f"+{more}"] if more > 0 else [])]
