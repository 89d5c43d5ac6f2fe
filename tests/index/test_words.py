"""How text becomes words and popularity an order."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.index.words import (
    MAX_STARS,
    MAX_WORD,
    Document,
    first_rank_below,
    fold,
    normal_term,
    rank,
    same_popularity,
    tier,
)

stars = st.integers(0, 2 * MAX_STARS)
pulls = st.integers(0, 2**63 - 1)
identities = st.integers(1, 2**31 - 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Apache Thrift", ["apache", "thrift"]),
        ("spark-thrift_server/v1.2", ["spark", "thrift", "server", "v1", "2"]),
        ("Café-Día", ["cafe", "dia"]),
        ("CAFE\N{COMBINING ACUTE ACCENT}", ["cafe"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ΣΊΣΥΦΟΣ", ["σισυφοσ"]),
        ("İstanbul", ["istanbul"]),
        ("ﬁle ２０２４ ℡", ["file", "2024", "tel"]),
        ("数据库 データ", ["数据库", "テータ"]),
        ("🐳docker🐳 👩‍👩‍👧", ["docker"]),
        ("a\0b\tc\nd", ["a", "b", "c", "d"]),
        ("_-./:*\"'()&|!", []),
        ("half \ud800 pair", ["half", "pair"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    """Words are runs of letters and digits; case, accents and compatibility forms do not matter."""
    assert fold(text) == words


def test_long_words_are_cut() -> None:
    """A word keeps its first 64 characters."""
    assert fold("x" * 200 + " é" * 1) == ["x" * MAX_WORD, "e"]


def test_folding_is_idempotent_for_every_character() -> None:
    """What was folded once folds to itself, so that terms and texts meet in the same word."""
    for first in range(0, sys.maxunicode, 4096):
        words = fold(" ".join(map(chr, range(first, min(first + 4096, sys.maxunicode + 1)))))
        assert fold(" ".join(words)) == words


@given(st.text())
def test_words_hold_letters_and_digits_only(text: str) -> None:
    """No folded word is empty, long, or has a character that could be syntax to a database."""
    for word in fold(text):
        assert 0 < len(word) <= MAX_WORD
        assert word.isalnum()


@given(st.text())
def test_a_term_has_the_words_of_its_text(text: str) -> None:
    """Making a term normal loses no word of it, apart from `library/` in front."""
    if not normal_term(text + "x").startswith("library/") and "library/" not in text.lower():
        assert fold(normal_term(text)) == fold(text.replace("\0", ""))


@pytest.mark.parametrize(
    ("term", "normal"),
    [
        ("Mongo", "mongo"),
        ("  two \t words\n", "two words"),
        ("library/mongo", "mongo"),
        ("LIBRARY/Mongo", "mongo"),
        ("library/library/mongo", "library/mongo"),
        ("library/", ""),
        ("a\0b", "ab"),
        ("a\ud800b", "a?b"),
    ],
)
def test_normal_terms(term: str, normal: str) -> None:
    """A term is remembered trimmed, in lower case, without one `library/` in front, and safe to store."""
    assert normal_term(term) == normal


@given(stars, pulls, identities, stars, pulls, identities)
def test_rank_sorts_by_stars_then_pulls(s1: int, p1: int, i1: int, s2: int, p2: int, i2: int) -> None:
    """Whoever has more stars, or as many stars and more pulls, never has the greater rank unless they are tied."""
    first, second = rank(s1, p1, i1), rank(s2, p2, i2)
    if min(s1, MAX_STARS) != min(s2, MAX_STARS):
        assert (first < second) == (s1 > s2)
    elif p1 != p2 and not same_popularity(first, second):
        assert (first < second) == (p1 > p2)


@given(pulls)
def test_rank_knows_pulls_to_three_percent(count: int) -> None:
    """Ranks tell apart pull counts that differ by more than 1/32, and small ones exactly."""
    more = count + max(1, count // 31 + 1)
    assert not same_popularity(rank(0, count, 1), rank(0, more, 1))


@given(stars, pulls, identities)
def test_rank_holds_the_repository(star_count: int, pull_count: int, repository_id: int) -> None:
    """A rank is a positive 63-bit number with the repository's own number in it."""
    number = rank(star_count, pull_count, repository_id)
    assert 0 < number < 2**63
    assert number & 0xFFFFFFFF == repository_id


@given(st.integers(0, MAX_STARS), pulls, identities, st.integers(-5, MAX_STARS))
def test_a_number_of_stars_is_a_bound_of_rank(
    star_count: int, pull_count: int, repository_id: int, least: int
) -> None:
    """`first_rank_below(n)` separates repositories with at least n stars from the others."""
    assert (rank(star_count, pull_count, repository_id) < first_rank_below(least)) == (star_count >= least)
    assert first_rank_below(least) < 2**63


@given(stars, pulls, stars, pulls)
def test_tiers_rise_with_rank(s1: int, p1: int, s2: int, p2: int) -> None:
    """All repositories of a higher tier rank before all of a lower one."""
    if tier(s1, p1) > tier(s2, p2):
        assert rank(s1, p1, 2**31 - 1) < rank(s2, p2, 1)


@given(st.integers(-(2**31), 2**31), st.integers(-(2**63), 2**63 - 1))
def test_tiers_are_few(star_count: int, pull_count: int) -> None:
    """A tier is a number from 0 to 84, whatever the counts."""
    assert 0 <= tier(star_count, pull_count) <= 84


def test_a_document_holds_words_flags_and_popularity() -> None:
    """A document is derived from the repository's row alone; `library/` is a namespace, not a word."""
    document = Document(
        7, "library/mongo", "A Mongo DB", star_count=3, pull_count=5, is_official=True, is_automated=False
    )
    assert document.words() == {"mongo", "a", "db"}
    assert document.flags == ["all", "ns/library", "official"]
    assert document.rank & 0xFFFFFFFF == 7
    again = Document(
        7, "library/mongo", "A Mongo DB", star_count=4, pull_count=5, is_official=True, is_automated=False
    )
    assert document != again
