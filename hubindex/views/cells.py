"""Values as people read them: sizes, digests cut short, bounds of time, names of the same thing."""

from collections.abc import Sequence

from hubindex.index.questions.repositories import least_specific_first
from hubindex.moment import to_rfc3339


def optional_moment(moment: int | None) -> str | None:
    """RFC 3339, or None."""
    return None if moment is None else to_rfc3339(moment)


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


def gap_pairs(gaps: Sequence[tuple[int, int]]) -> list[list[str]]:
    """The stretches for which nobody can vouch, for JSON and templates."""
    return [[to_rfc3339(first), to_rfc3339(last)] for first, last in gaps]


def since_cell(since: int | None, earliest: int | None, pushed_at: int | None, *, truncate: bool) -> str:
    """When something began: one time if it is known from a push, or else the earliest and the latest."""
    return bounds_cell(None if since == pushed_at else earliest, since, truncate=truncate)


def until_cell(until: int | None, latest: int | None, last_seen_at: int | None, *, truncate: bool) -> str:
    """When something ended, or, while it lasts, when it was last seen."""
    if until is None:
        seen = bounds_cell(None, last_seen_at, truncate=truncate)
        return f"last seen {seen}" if seen else ""
    if latest is None:  # nothing else was seen since: it may have lasted longer
        return f"{bounds_cell(until, None, truncate=truncate)} …"
    return bounds_cell(until, latest, truncate=truncate)


def bounds_cell(first: int | None, last: int | None, *, truncate: bool) -> str:
    """`2024-07-31T02:44:09Z`, or two such times if they differ; milliseconds only if not to be truncated."""
    shown = [to_rfc3339(at - at % 1000 if truncate else at) for at in (first, last) if at is not None]
    return " … ".join(dict.fromkeys(shown))


def digest_cell(digest: str | None, *, truncate: bool) -> str:
    """A digest, shortened to what can be told apart if it is to be truncated; empty if unknown."""
    return short_digest(digest) if truncate else digest or ""


def equal_names(names: Sequence[str], most: int | None = None) -> str:
    """`latest = 7 = 7.0 = 7.0.12`: names of the same thing; more than `most` are counted."""
    ordered = least_specific_first(names)
    more = len(ordered[:0] if most is None else ordered[most:])
    return " = ".join(ordered[:most]) + (f", +{more}" if more else "")


def some(names: Sequence[str], most: int = 3) -> list[str]:
    """The first names, and `+N` for the others."""
    more = len(names) - most
    return [*names[:most], *([f"+{more}"] if more > 0 else [])]
