"""JSON of a server that is not quite JSON."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hubindex.sources.hub.envelope import well_formed

any_text = st.text(st.characters())  # surrogates as well


@given(any_text)
def test_well_formed_json_can_be_decoded(text: str) -> None:
    """Half surrogates become U+FFFD; whole pairs and all else stay."""
    decoded = msgspec.json.decode(well_formed(json.dumps(text).encode()), type=str)
    assert decoded == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@given(st.binary())
def test_well_formed_is_utf_8(body: bytes) -> None:
    """Whatever bytes came."""
    well_formed(body).decode()
