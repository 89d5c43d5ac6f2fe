"""Names like a term that nothing matches: one letter is wrong, or the term stands inside of them."""

import string
from collections.abc import Iterator

from hubindex.index.database.reader import Reader
from hubindex.index.questions.search import Found, Query, search
from hubindex.index.words import fold

_LETTERS = string.ascii_lowercase + string.digits
_SHORTEST, _LONGEST = 3, 32
_FREQUENT_WORDS = 20_000
_WORDS = 5
_NAMES = 5


def nearest_names(reader: Reader, term: str) -> list[str]:
    """Names of repositories that a person may have meant, the popular ones first; a few at most.

    A word of the term that the index does not know is compared with those it knows: with each that is one letter
    away, and with the most frequent ones that contain it. The work is bounded whatever the size of the index.
    """
    words = list(dict.fromkeys(fold(term)))
    unknown = [word for word in words if not reader.query("search", "exact_word", word=word)]
    wrong = next((word for word in unknown if _SHORTEST <= len(word) <= _LONGEST), None)
    if wrong is None:
        return []
    found: dict[str, Found] = {}
    for known in _similar_words(reader, wrong):
        corrected = " ".join(known if word == wrong else word for word in words)
        for repository in search(reader, Query(corrected, limit=_NAMES, sort="relevance")):
            name = repository.reference.familiar_name
            if known in name:
                found[name] = repository
    return sorted(found, key=lambda name: found[name].order)[:_NAMES]


def _similar_words(reader: Reader, word: str) -> list[str]:
    """Words of the index that are like one, the most frequent first."""
    counts: dict[str, int] = dict(reader.query("search", "known_words", words=sorted(set(_one_letter_away(word)))))
    frequent = reader.query("search", "frequent_words", limit=_FREQUENT_WORDS)
    counts.update((known, count) for known, count in frequent if word in known)
    return sorted(counts, key=lambda known: (-counts[known], known))[:_WORDS]


def _one_letter_away(word: str) -> Iterator[str]:
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in _LETTERS)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in _LETTERS)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
