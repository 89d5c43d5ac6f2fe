"""Digests of content: the algorithms that exist, and how a digest is written (`sha256:` and lower-case digits).

The algorithms and the spelling are those of opencontainers/go-digest.
"""

from typing import Final

HEX_LENGTHS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
"""Each algorithm with the number of hexadecimal digits of its digests."""

ALGORITHMS_BY_SIZE: Final = {length // 2: algorithm for algorithm, length in HEX_LENGTHS.items()}
"""Each size of a raw digest, in bytes, with its algorithm."""


def digest_bytes(text: str) -> bytes | None:
    """The raw bytes of a digest such as `sha256:…`; `None` if the text is not exactly one."""
    algorithm, _, digits = text.partition(":")
    if len(digits) != HEX_LENGTHS.get(algorithm):
        return None
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        return None
    return raw if raw.hex() == digits else None  # fromhex accepts spaces and upper case


def digest_text(raw: bytes) -> str:
    """`sha256:…`: a raw digest as it is written. Raises `KeyError` if no algorithm has digests of that size."""
    return f"{ALGORITHMS_BY_SIZE[len(raw)]}:{raw.hex()}"
