"""The filters of `docker search`, as docker 24 and 25 read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.errors import InvalidFilter, WrongUsage
from hubindex.index.questions.filters import Filters, parse_filters


@pytest.mark.parametrize(
    ("texts", "filters"),
    [
        ([], Filters()),
        ([""], Filters()),
        (["  "], Filters()),
        (["stars=3"], Filters(stars=3)),
        ([" STARS =4"], Filters(stars=4)),
        (["stars= 5 "], Filters(stars=5)),
        (["stars=+4"], Filters(stars=4)),
        (["stars=04"], Filters(stars=4)),
        (["stars=0"], Filters(stars=0)),
        (["stars=-5"], Filters(stars=0)),
        (["stars=-0"], Filters(stars=0)),
        (["stars=1", "stars=10", "stars=4"], Filters(stars=10)),
        (["stars=-7", "stars=-5"], Filters(stars=0)),
        (["stars=9223372036854775807"], Filters(stars=2**63 - 1)),
        (["stars=-9223372036854775808"], Filters(stars=0)),
        (["stars=" + "0" * 100 + "7"], Filters(stars=7)),
        (["is-official=true"], Filters(official=True)),
        (["is-official=1"], Filters(official=True)),
        (["is-official=false"], Filters(official=False)),
        (["is-official=0"], Filters(official=False)),
        (["is-official=true", "is-official=1"], Filters(official=True)),
        (["is-official=true", "is-official=bogus"], Filters(official=True)),
        (["is-official=bogus", "is-official=0"], Filters(official=False)),
        (["Is-Official = true"], Filters(official=True)),
        (["is-automated=true"], Filters(automated=True)),
        (["is-automated=0"], Filters(automated=False)),
        (["is-official=true", "stars=3", "is-automated=false"], Filters(3, official=True, automated=False)),
    ],
)
def test_filters_that_docker_takes(texts: list[str], filters: Filters) -> None:
    """Names in any case, blanks around both sides, Go's whole numbers, several values of one name."""
    assert parse_filters(texts) == filters


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["bogus=1"], "invalid filter 'bogus'"),
        (["=x"], "invalid filter ''"),
        (["="], "invalid filter ''"),
        (["is-official=True"], "invalid filter 'is-official=[True]'"),
        (["is-official="], "invalid filter 'is-official=[]'"),
        (["is-official=yes"], "invalid filter 'is-official=[yes]'"),
        (["is-official=true=1"], "invalid filter 'is-official=[true=1]'"),
        (["is-official=true", "is-official=false"], "invalid filter 'is-official=[true false]'"),
        (["is-automated=TRUE"], "invalid filter 'is-automated=[TRUE]'"),
        (["stars=a"], "invalid filter 'stars=a'"),
        (["stars="], "invalid filter 'stars='"),
        (["stars=0x4"], "invalid filter 'stars=0x4'"),
        (["stars=1_0"], "invalid filter 'stars=1_0'"),
        (["stars=1.5"], "invalid filter 'stars=1.5'"),
        (["stars=1 0"], "invalid filter 'stars=1 0'"),
        (["stars=+"], "invalid filter 'stars=+'"),
        (["stars=--1"], "invalid filter 'stars=--1'"),
        (["stars=٣"], "invalid filter 'stars=٣'"),
        (["stars=²"], "invalid filter 'stars=²'"),
        (["stars=9223372036854775808"], "invalid filter 'stars=9223372036854775808'"),
        (["stars=-9223372036854775809"], "invalid filter 'stars=-9223372036854775809'"),
        (["stars=3", "stars=x"], "invalid filter 'stars=x'"),
    ],
)
def test_filters_that_docker_refuses(texts: list[str], message: str) -> None:
    """The message begins with docker's words, and the exit code is docker's 1."""
    with pytest.raises(InvalidFilter) as error:
        parse_filters(texts)
    assert str(error.value).startswith(message)
    assert error.value.exit_code == 1


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["stars=a", "is-official=x", "is-automated=x", "bogus=1"], "bogus"),
        (["stars=a", "is-official=x", "is-automated=x"], "is-automated"),
        (["stars=a", "is-official=x"], "is-official"),
    ],
)
def test_the_first_fault_in_dockers_order_is_named(texts: list[str], named: str) -> None:
    """The daemon checks unknown names, then is-automated, is-official and stars."""
    with pytest.raises(InvalidFilter, match=f"invalid filter '{named}"):
        parse_filters(texts)


@pytest.mark.parametrize("text", ["stars", "is-official", "x y"])
def test_a_filter_without_equals_is_wrong_usage(text: str) -> None:
    """A filter that is no `name=value` ends with exit code 2 and docker's words."""
    with pytest.raises(WrongUsage) as error:
        parse_filters([text])
    assert str(error.value) == (
        f'invalid argument "{text}" for "-f, --filter" flag: bad format of filter (expected name=value)'
    )
    assert error.value.exit_code == 2


@given(st.lists(st.text(), max_size=3))
def test_any_text_is_safe(texts: list[str]) -> None:
    """Every text is a filter or a one-line, printable error."""
    message = ""
    try:
        parse_filters(texts)
    except (InvalidFilter, WrongUsage) as error:
        message = str(error)
    assert message.isprintable()


def test_a_very_long_number_is_refused_shortly() -> None:
    """Digits without end are refused at once, and not repeated in full."""
    with pytest.raises(InvalidFilter) as error:
        parse_filters(["stars=" + "9" * 100_000])
    assert len(str(error.value)) < 200
