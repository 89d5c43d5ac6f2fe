"""Which tokens are sent."""

import msgspec
import pytest

from hubindex.sources.auth import tokens


@pytest.mark.parametrize("token", ["x", "a.b-c_d~e+f/g==", "x" * 14 * 1024])
def test_a_token(token: str) -> None:
    """Printable ASCII that fits into a header line."""
    assert tokens.checked(token) == token


@pytest.mark.parametrize("token", [None, "", "a b", "a\nb", "é", "\0", "x" * (14 * 1024 + 1)])
def test_what_is_no_token(token: str | None) -> None:
    """None of these can be sent in a header."""
    with pytest.raises(msgspec.ValidationError):
        tokens.checked(token)
