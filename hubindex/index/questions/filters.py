"""The filters of `docker search`, read as the docker daemon reads them (versions 24 and 25)."""

from collections.abc import Iterable
from typing import NamedTuple

from hubindex.errors import InvalidFilter, WrongUsage

_TRUE = {"true", "1"}
_FALSE = {"false", "0"}
_INT64 = 1 << 63


class Filters(NamedTuple):
    """What a repository must be to pass; None: it does not matter."""

    stars: int | None = None
    official: bool | None = None
    automated: bool | None = None


def parse_filters(texts: Iterable[str]) -> Filters:
    """From `name=value` texts: `stars`, `is-official`, `is-automated`; different names are ANDed.

    Of several `stars` the largest counts. Raises `WrongUsage` for a text without `=`, and `InvalidFilter` in
    docker's words for an unknown name or a value that docker refuses.
    """
    values: dict[str, list[str]] = {}
    for text in texts:
        if not text.strip():
            continue
        name, separator, value = text.strip().partition("=")
        if not separator:
            raise WrongUsage(
                f'invalid argument "{_shown(text)}" for "-f, --filter" flag: bad format of filter '
                "(expected name=value)"
            )
        values.setdefault(name.strip().lower(), []).append(value.strip())
    for name in values:
        if name not in {"stars", "is-official", "is-automated"}:
            raise InvalidFilter(f"invalid filter '{_shown(name)}'")
    automated = _boolean("is-automated", values.get("is-automated"))
    official = _boolean("is-official", values.get("is-official"))
    return Filters(_stars(values.get("stars")), official, automated)


def _boolean(name: str, values: list[str] | None) -> bool | None:
    if values is None:
        return None
    is_true = not _TRUE.isdisjoint(values)
    if is_true != _FALSE.isdisjoint(values):
        shown = " ".join(_shown(value) for value in dict.fromkeys(values))
        raise InvalidFilter(f"invalid filter '{name}=[{shown}]'")
    return is_true


def _stars(values: list[str] | None) -> int | None:
    if values is None:
        return None
    return max(0, *(_star_count(value) for value in values))


def _star_count(value: str) -> int:
    """A number as Go's strconv.Atoi takes it: an optional sign and ASCII digits, 64 bits."""
    digits = value[1:] if value[:1] in {"+", "-"} else value
    if digits.isascii() and digits.isdigit() and len(digits) < 4000:
        number = int(value)
        if -_INT64 <= number < _INT64:
            return number
    raise InvalidFilter(f"invalid filter 'stars={_shown(value)}'")


def _shown(text: str) -> str:
    """Typed text as an error message may repeat it: printable, and not too long."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return printable + ("…" if len(text) > 60 else "")
