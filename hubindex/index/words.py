"""How text becomes searchable words and popularity becomes an order: the same for both engines.

Words are runs of letters and digits, folded: case and accents do not matter. The search index is written and
asked through these functions only, never through a tokenizer of a database.
"""

import re

from hubindex.reference import short_name

MAX_WORD = 64
MAX_TERM = 500
MAX_STARS = (1 << 20) - 1

_ASCII_WORD = r"[a-z0-9]+"
_WORD = r"[^\W_]+"


def fold(text: str) -> list[str]:
    """The words of a text in their order, folded and cut to 64 characters: `Café-Día` -> `cafe`, `dia`."""
    if text.isascii():
        found = re.findall(_ASCII_WORD, text.lower())
    else:
        import unicodedata

        decomposed = unicodedata.normalize("NFKD", text.casefold())
        bare = "".join(character for character in decomposed if not unicodedata.combining(character))
        found = re.findall(_WORD, bare.casefold())
    return [word[:MAX_WORD] for word in found]


def normal_term(term: str) -> str:
    """A search term without what does not matter: trimmed, lower case, without `library/`, safe to store."""
    safe = term.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return " ".join(safe.split()).lower().removeprefix("library/")


def term_key(term: str) -> str:
    """What a search term is remembered by: its beginning, because PostgreSQL indexes no text of any length."""
    return normal_term(term)[:MAX_TERM]


def rank(star_count: int, pull_count: int, repository_id: int) -> int:
    """A 63-bit number that sorts repositories by falling stars, then falling pulls (to 3 %), then identity.

    It is the rowid of the full-text table, so that its natural order is the order of the answer.
    """
    return (
        ((MAX_STARS - min(max(star_count, 0), MAX_STARS)) << 43)
        | ((2047 - _logarithm(pull_count)) << 32)
        | repository_id
    )


def first_rank_below(star_count: int) -> int:
    """Every repository with at least `star_count` stars has a rank below this 63-bit number."""
    return min((MAX_STARS + 1 - min(max(star_count, 0), MAX_STARS)) << 43, (1 << 63) - 1)


def same_popularity(rank_a: int, rank_b: int) -> bool:
    """Whether two ranks differ in the repository only."""
    return rank_a >> 32 == rank_b >> 32


def tier(star_count: int, pull_count: int) -> int:
    """A class of popularity from 0 to 84: powers of two of stars, and of pulls where there are no stars."""
    if star_count > 0:
        return 64 + min(star_count, MAX_STARS).bit_length()
    return max(pull_count, 0).bit_length()


def _logarithm(number: int) -> int:
    """A floating-point-like logarithm in 11 bits: exponent and five bits of mantissa; exact below 64."""
    bits = max(number, 0).bit_length()
    if bits == 0:
        return 0
    return (bits << 5) | ((number << 5 >> (bits - 1)) & 31)


class Document:
    """What the search index holds of one repository, derived from its row and from nothing else."""

    __slots__ = ("description", "flags", "name", "rank", "tier")

    def __init__(
        self,
        repository_id: int,
        name: str,
        description: str,
        *,
        star_count: int,
        pull_count: int,
        is_official: bool,
        is_automated: bool,
    ) -> None:
        self.rank = rank(star_count, pull_count, repository_id)
        self.tier = tier(star_count, pull_count)
        self.name = fold(short_name(name))
        self.description = fold(description)
        self.flags = ["all", namespace_flag(name.partition("/")[0] if "/" in name else "")]
        if is_official:
            self.flags.append("official")
        if is_automated:
            self.flags.append("automated")

    def words(self) -> set[str]:
        """The distinct words of name and description."""
        return {*self.name, *self.description}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and all(
            getattr(self, slot) == getattr(other, slot) for slot in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]


def namespace_flag(namespace: str) -> str:
    """The flag that repositories of a namespace carry."""
    return f"ns/{namespace}"
