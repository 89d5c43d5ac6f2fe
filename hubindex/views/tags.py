"""Tags of a repository: their fields, and the cells of tables for people."""

from collections.abc import Iterable, Sequence

from hubindex.index.questions.repositories import TagFacts
from hubindex.kinds import IMAGE, UNKNOWN
from hubindex.moment import to_rfc3339
from hubindex.views.ages import age
from hubindex.views.cells import equal_names, optional_moment, short_digest, size, some
from hubindex.views.table import Row, Table

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


def grouped(found: list[TagFacts]) -> Iterable[list[TagFacts]]:
    """Tags with one digest together, where the first of them stands."""
    groups: dict[object, list[TagFacts]] = {}
    for tag in found:
        groups.setdefault(tag.digest or (tag.name,), []).append(tag)
    return groups.values()
