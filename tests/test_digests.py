"""How a digest is written."""

import pytest

from hubindex.digests import ALGORITHMS_BY_SIZE, HEX_LENGTHS, digest_bytes
from hubindex.errors import InvalidReference
from hubindex.index.platforms import digest_text
from hubindex.reference import Reference


@pytest.mark.parametrize("algorithm", HEX_LENGTHS)
def test_a_digest_of_every_algorithm(algorithm: str) -> None:
    """References, sources and the index agree on it, there and back."""
    digest = f"{algorithm}:{'0af9' * (HEX_LENGTHS[algorithm] // 4)}"
    raw = digest_bytes(digest)
    assert raw is not None
    assert ALGORITHMS_BY_SIZE[len(raw)] == algorithm
    assert digest_text(raw) == digest
    assert Reference.parse(f"web@{digest}").digest == digest


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + "A" * 64,
        "SHA256:" + "a" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256:" + "a " * 32,
        "sha256:" + "g" * 64,
        "sha256:" + "١" * 64,
        "sha256" + "a" * 64,
        "sha384:" + "a" * 64,
        "sha512:" + "a" * 64,
        "md5:" + "a" * 32,
        "a" * 64,
        ":" + "a" * 64,
    ],
)
def test_what_is_no_digest(text: str) -> None:
    """Another length, another algorithm, upper case, anything but hexadecimal digits: the same for references."""
    assert digest_bytes(text) is None
    with pytest.raises(InvalidReference):
        Reference.parse(f"web@{text}")
