"""Platform images, packed."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.index.platforms import KEY_SIZE, pack, set_key, unpack

numbers = st.integers(1, 2**31 - 1)
images = st.lists(st.tuples(st.text(max_size=12), st.binary(min_size=32, max_size=32)), max_size=6)


@given(st.lists(st.tuples(numbers, numbers)))
def test_unpacking_gives_what_was_packed(pairs: list[tuple[int, int]]) -> None:
    """Pairs survive in their order, also the same one twice."""
    assert unpack(pack(pairs)) == pairs


def test_small_numbers_take_a_byte() -> None:
    """Numbers below 128 are one byte each."""
    assert pack([(1, 127), (2, 128)]) == bytes([1, 127, 2, 128, 1])


def test_half_a_pair_is_refused() -> None:
    """Packed bytes with an odd count of numbers are damage, not an image."""
    with pytest.raises(ValueError, match="zip"):
        unpack(b"\x01\x02\x03")


@given(images, st.randoms())
def test_the_key_of_a_set_does_not_depend_on_order(
    members: list[tuple[str, bytes]],
    random: Random,
) -> None:
    """The same platform images in another order are the same set."""
    shuffled = list(members)
    random.shuffle(shuffled)
    assert set_key(shuffled) == set_key(members)
    assert len(set_key(members)) == KEY_SIZE


@given(images, images)
def test_other_sets_have_other_keys(first: list[tuple[str, bytes]], second: list[tuple[str, bytes]]) -> None:
    """Two sets that differ in a platform or a digest have different keys."""
    assert (set_key(first) == set_key(second)) == (sorted(first) == sorted(second))
