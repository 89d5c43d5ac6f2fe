"""`docker search`, answered from the index: which repositories match a term, and in which order.

A repository matches if every word of the term is a word, or the beginning of a word, in its name or description,
or if the Hub itself returned it for exactly this term. The cost of the default order does not grow with the
number of matches (only with those of equal popularity): both engines walk the matches in the order of the answer
and stop.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hubindex.errors import NoAnswer
from hubindex.index.database.reader import EMPTY, Reader
from hubindex.index.words import (
    first_rank_below,
    fold,
    namespace_flag,
    normal_term,
    same_popularity,
    term_key,
)
from hubindex.reference import DEFAULT_REGISTRY, Reference, short_name

SORTS = ("stars", "relevance", "pulls", "updated", "name", "hub")

COMPLETIONS = 100
"""A beginning of a word stands for this many words at most: the most frequent, counted in powers of two."""

_ALL_COMPLETIONS = 800  # in one question, however many words it has
_MAX_WORDS = 200
_EVERYTHING = {"", "*"}
_NO_LIMIT = 1 << 31
_MAX_STARS = (1 << 63) - 1
_LAST_RANK = (1 << 63) - 1
_WINDOW = 100
_NAMESPACE = r"[a-z0-9._-]{1,255}"


class Query(NamedTuple):
    """A search. `stars` is the least number of stars; None for the others means that it does not matter.

    `limit` None stands for all. `sort` is one of `SORTS`.
    """

    term: str
    stars: int | None = None
    official: bool | None = None
    automated: bool | None = None
    namespace: str | None = None
    limit: int | None = 25
    sort: str = "stars"


class Found(NamedTuple):
    """A repository that matches. `position` is its place in the Hub's own answer for this term.

    `kinds` is the index's own number for what `kind` tells.
    """

    repository_id: int
    reference: Reference
    description: str
    star_count: int
    is_official: bool
    is_automated: bool
    pull_count: int
    updated_at: int | None
    kinds: int | None = None
    position: int | None = None

    @property
    def kind(self) -> str:
        """What it holds, as far as known: `image`, `helm chart`; several separated by commas, or `unknown`."""
        from hubindex.kinds import of_mask

        return of_mask(self.kinds, is_official=self.is_official)

    @property
    def order(self) -> tuple[int, float, int, str]:
        """Stars, then the Hub's position for the term, then pulls, then name."""
        position = float("inf") if self.position is None else self.position
        return -self.star_count, position, -self.pull_count, self.reference.familiar_name


def search(reader: Reader, query: Query) -> list[Found]:
    """The repositories that match, in order. Raises `NoAnswer` where the index is empty."""
    with reader.snapshot():
        if not reader.query("search", "is_filled"):
            raise NoAnswer(EMPTY)
        return _Search(reader, query).run()


class _Match(NamedTuple):
    """A row of what matches; `rank` is its place in the default order, but for close numbers of pulls."""

    rank: int
    repository_id: int
    registry_id: int
    path: str
    description: str
    star_count: int
    is_official: bool
    is_automated: bool
    pull_count: int
    updated_at: int | None
    kinds: int | None


class _Search:
    def __init__(self, reader: Reader, query: Query) -> None:
        self.reader = reader
        self.query = query
        self.limit = _NO_LIMIT if query.limit is None else min(query.limit, _NO_LIMIT)
        self.term = normal_term(query.term)
        self.words = list(dict.fromkeys(fold(self.term)))[:_MAX_WORDS]
        self.bound = _LAST_RANK if query.stars is None else first_rank_below(query.stars)
        self.least_stars = -_NO_LIMIT if query.stars is None else min(max(query.stars, 0), _MAX_STARS)
        self.namespace = (query.namespace or "").lower()
        self.hosts: dict[int, str] = dict(reader.query("search", "registries"))
        self.alternatives = self._alternatives()

    def run(self) -> list[Found]:
        sort = self.query.sort
        if self.limit < 1 or (self.namespace and not re.fullmatch(_NAMESPACE, self.namespace)):
            return []
        if sort == "stars":
            return self._merge(self._hits(self.limit), self._best(self.limit))
        if sort == "hub":
            hits = sorted(self._hits(_NO_LIMIT), key=lambda found: (found.position or 0, found.order))
            rest = self._best(self.limit + len(hits)) if len(hits) < self.limit else []
            known = {found.repository_id for found in hits}
            return [*hits, *(found for found in rest if found.repository_id not in known)][: self.limit]
        if sort == "relevance":
            return self._relevant()
        import heapq

        return heapq.nsmallest(self.limit, self._all(), key=_ORDERS[sort])

    def _merge(self, hits: list[Found], best: list[Found]) -> list[Found]:
        if not hits:
            return best
        known = {found.repository_id for found in hits}
        merged = [*hits, *(found for found in best if found.repository_id not in known)]
        merged.sort(key=lambda found: found.order)
        return merged[: self.limit]

    def _all(self) -> Iterator[Found]:
        hits = self._hits(_NO_LIMIT)
        yield from hits
        known = {found.repository_id for found in hits}
        for matches in self._chunks(10_000):
            yield from (self._found(*match[1:]) for match in matches if match.repository_id not in known)

    def _relevant(self) -> list[Found]:
        """Re-rank two windows of the popular: those whose name holds the words, and any."""
        window = max(_WINDOW, min(self.limit, _NO_LIMIT))
        candidates = {found.repository_id: found for found in self._best(window)}
        candidates |= {found.repository_id: found for found in self._best(window, in_name=True)}
        candidates |= {found.repository_id: found for found in self._hits(window)}
        return sorted(candidates.values(), key=self._relevance)[: self.limit]

    def _relevance(self, found: Found) -> tuple[bool, float, tuple[int, float, int, str]]:
        name = found.reference.familiar_name
        name_words = fold(name)
        score = float(max(found.star_count, 0).bit_length() + max(found.pull_count, 0).bit_length() / 4)
        score += 8 * all(any(own.startswith(word) for own in name_words) for word in self.words)
        score += 8 * (name.rpartition("/")[2] == self.term) + 4 * found.is_official
        if found.position is not None:
            score += 4 / found.position
        return name != self.term, -score, found.order

    def _found(self, repository_id: int, registry_id: int, path: str, *facts: Any) -> Found:
        return Found(repository_id, Reference(self.hosts[registry_id], path), *facts)

    def _order(self, match: _Match) -> tuple[int, int, str]:
        """Stars, then pulls, then name."""
        host = self.hosts[match.registry_id]
        name = short_name(match.path) if host == DEFAULT_REGISTRY else f"{host}/{match.path}"
        return -match.star_count, -match.pull_count, name

    def _hits(self, limit: int) -> list[Found]:
        query = self.query
        rows = self.reader.query(
            "search",
            "hits",
            term=term_key(self.term),
            stars=self.least_stars,
            official=-1 if query.official is None else int(query.official),
            automated=-1 if query.automated is None else int(query.automated),
            namespace=self.namespace,
            limit=limit,
        )
        return [self._found(*row) for row in rows]

    def _best(self, limit: int, *, in_name: bool = False) -> list[Found]:
        """The first `limit` matches in the default order, the Hub's positions left aside.

        Rank knows pulls to 3 % only: the walk goes on to the end of the last group of equal popularity, and the
        group is then put in its exact order.
        """
        best: list[_Match] = []
        for matches in self._chunks(min(2 * limit, 10_000), in_name=in_name):
            best += matches
            if len(best) > limit and not same_popularity(best[limit - 1].rank, best[-1].rank):
                break
        best.sort(key=self._order)
        return [self._found(*match[1:]) for match in best[:limit]]

    def _chunks(self, size: int, *, in_name: bool = False) -> Iterator[list["_Match"]]:
        """All matches in the order of their rank, some at a time, each chunk larger than the last."""
        if self.alternatives is None or self.bound <= 0:
            return
        for statement, words in self._questions(self.alternatives, size, in_name=in_name):
            after = -1
            while True:
                rows = self.reader.query("search", statement, **words, after=after, bound=self.bound, limit=size)
                matches = [_Match._make(row) for row in rows]
                if matches:
                    # Rank knows stars from 0 to a million only; the row knows them all.
                    yield [match for match in matches if match.star_count >= self.least_stars]
                if len(matches) < size:
                    break
                after = matches[-1].rank
                size = min(2 * size, 10_000)

    def _alternatives(self) -> list[dict[str, int]] | None:
        """For each word of the term the indexed words that it stands for, with the number of repositories each.

        None if nothing can match.
        """
        if not self.words:
            return [] if self.term in _EVERYTHING else None
        completions = min(COMPLETIONS, _ALL_COMPLETIONS // len(self.words))
        alternatives = []
        for word in self.words:
            exact = self._count(word)
            found = {word: exact} if exact else {}
            found.update(self._completions(word, completions))
            if not found:
                return None
            alternatives.append(found)
        return alternatives

    def _count(self, word: str) -> int:
        """How many repositories hold a word."""
        return sum(count for (count,) in self.reader.query("search", "exact_word", word=word))

    def _completions(self, word: str, limit: int) -> dict[str, int]:
        last = word + "\U0010ffff"
        if self.reader.dialect == "postgresql":
            return dict(self.reader.query("search", "completions", word=word, last=last, limit=limit))
        found: dict[str, int] = {}
        greatest = [frequency for (frequency,) in self.reader.query("search", "greatest_frequency")]
        for frequency in range(max(greatest, default=0), 0, -1):
            if len(found) >= limit:
                break
            rows = self.reader.query(
                "search", "completions", frequency=frequency, word=word, last=last, limit=limit - len(found)
            )
            found.update(rows)
        return found

    def _questions(
        self, alternatives: list[dict[str, int]], size: int, *, in_name: bool
    ) -> Iterator[tuple[str, dict[str, object]]]:
        """The statements to ask one after the other, with their match expressions."""
        if self.reader.dialect == "sqlite":
            yield "matches", {"match": self._fts5(alternatives, in_name=in_name)}
            return
        for tiers in self._tier_groups(alternatives, size):
            queries = self._tsqueries(tiers, alternatives, in_name=in_name)
            if queries:
                yield "matches", dict(zip(_TSQUERIES, queries, strict=True))
            else:
                yield "everything", {}

    def _flags(self) -> list[tuple[bool, str]]:
        """Each flag that a repository must have (True) or must not have."""
        flags = []
        if self.query.official is not None:
            flags.append((self.query.official, "official"))
        if self.query.automated is not None:
            flags.append((self.query.automated, "automated"))
        if self.namespace:
            flags.append((True, namespace_flag(self.namespace)))
        return flags

    def _fts5(self, alternatives: list[dict[str, int]], *, in_name: bool) -> str:
        """The match expression for SQLite. Words hold letters and digits only, so quoting them is safe."""
        columns = "name" if in_name else "{name description}"
        parts = [f"{columns} : ({' OR '.join(map(_fts5_string, words))})" for words in alternatives]
        parts += [f"flags : {_fts5_string(flag)}" for wanted, flag in self._flags() if wanted]
        expression = " AND ".join(parts) or 'flags : "all"'
        for wanted, flag in self._flags():
            if not wanted:
                expression = f"({expression}) NOT flags : {_fts5_string(flag)}"
        return expression

    def _tsqueries(self, tiers: str, alternatives: list[dict[str, int]], *, in_name: bool) -> list[str]:
        """What must match on PostgreSQL; a name's words stand there with `@`, flags with `#`.

        One condition for each word, as far as the statement has room: the index intersects conditions ten times
        faster than it evaluates one large one.
        """
        mark = "@" if in_name else ""
        parts = [tiers] if tiers else []
        parts += [f"({' | '.join(_lexeme(mark + word) for word in words)})" for words in alternatives]
        parts += [_lexeme("#" + flag) for wanted, flag in self._flags() if wanted]
        for wanted, flag in self._flags():
            if not wanted:
                parts[-1:] = [" & ".join([*parts[-1:], "!" + _lexeme("#" + flag)])]
        room = len(_TSQUERIES) - 1
        if len(parts) > room:
            parts[room:] = [" & ".join(parts[room:])]
        return parts + parts[-1:] * (len(_TSQUERIES) - len(parts))

    def _tier_groups(self, alternatives: list[dict[str, int]], size: int) -> Iterator[str]:
        """Classes of popularity, the highest first, in groups that should hold enough matches each."""
        tiers = self.reader.query("search", "tiers")
        population = sum(count for _, count in tiers) or 1
        share = 1.0
        for words in alternatives:
            share *= min(1.0, sum(words.values()) / population)
        for wanted_flag, flag in self._flags():
            flagged = self._count(f"#{flag}") / population
            share *= flagged if wanted_flag else 1 - flagged
        if share * population < 20 * size:
            yield ""  # few enough to look at all of them
            return
        wanted = size / share
        group: list[str] = []
        held = 0
        for tier, count in tiers:
            group.append(_lexeme(f"#{tier}"))
            held += count
            if held >= wanted:
                yield f"({' | '.join(group)})"
                group, held = [], 0
                wanted *= 2
        if group:
            yield f"({' | '.join(group)})"


_TSQUERIES = ("match", "second_match", "third_match", "last_match")

_ORDERS: dict[str, Callable[[Found], tuple[object, ...]]] = {
    "pulls": lambda found: (-found.pull_count, *found.order),
    "updated": lambda found: (found.updated_at is None, -(found.updated_at or 0), *found.order),
    "name": lambda found: (found.reference.familiar_name,),
}


def _fts5_string(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _lexeme(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
