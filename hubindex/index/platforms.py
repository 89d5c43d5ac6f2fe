"""The platform images of an image index, packed into a few bytes: pairs of numbers, seven bits a byte (LEB128)."""

from collections.abc import Iterable, Sequence

from hubindex.digests import ALGORITHMS_BY_SIZE

Pairs = Sequence[tuple[int, int]]

KEY_SIZE = 16

_CONTINUED = bytes(range(128, 256))  # bytes that are not the last one of their number


def pack(pairs: Iterable[tuple[int, int]]) -> bytes:
    """(platform_id, digest_id) of each image, in order; both are positive."""
    packed = bytearray()
    for pair in pairs:
        for number in pair:
            rest = number
            while rest > 127:
                packed.append(rest & 127 | 128)
                rest >>= 7
            packed.append(rest)
    return bytes(packed)


def unpack(packed: bytes) -> list[tuple[int, int]]:
    """What `pack` was given."""
    numbers: list[int] = []
    number = shift = 0
    for byte in packed:
        number |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            numbers.append(number)
            number = shift = 0
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def count(packed: bytes) -> int:
    """How many pairs there are."""
    return len(packed.translate(None, _CONTINUED)) // 2


def set_key(images: Iterable[tuple[str, bytes]]) -> bytes:
    """What stands for a platform set whose index digest is unknown: 16 bytes, so that no digest looks like it.

    `images` are (platform, digest), in any order.
    """
    from hashlib import blake2b  # questions do not need it: OpenSSL takes a twentieth of their time to load

    state = blake2b(digest_size=KEY_SIZE)
    for platform, digest in sorted(images):
        state.update(platform.encode() + b"\0" + digest + b"\0")
    return state.digest()


def digest_text(raw: bytes | None) -> str | None:
    """`sha256:…` for raw bytes; None for none, and for the key of a platform set, which is no digest."""
    if raw is None or len(raw) == KEY_SIZE:
        return None
    return f"{ALGORITHMS_BY_SIZE[len(raw)]}:{raw.hex()}"
