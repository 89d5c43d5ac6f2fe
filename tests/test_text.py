"""Text from outside, made safe."""

from hypothesis import given
from hypothesis import strategies as st

from hubindex.text import shown, storable

any_text = st.text(st.characters())  # surrogates as well


@given(any_text, st.integers(1, 50))
def test_shown_text_is_one_short_printable_line(text: str, limit: int) -> None:
    """Nothing reaches a terminal but printable characters; printable text is shown as it is."""
    line = shown(text, limit)
    assert line.isprintable()
    assert len(line) <= limit + 1
    if text.isprintable() and len(text) <= limit:
        assert line == text


@given(any_text, st.integers(1, 50))
def test_storable_text_is_accepted_by_every_database(text: str, limit: int) -> None:
    """No NUL, no half surrogates, no more than the limit; valid text is stored as it is."""
    stored = storable(text, limit)
    stored.encode()
    assert "\0" not in stored
    assert len(stored) <= limit
    if "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        assert stored == text[:limit]
