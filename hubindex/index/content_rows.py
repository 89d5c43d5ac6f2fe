"""How the contents of images are kept: packed, and found by the beginnings of digests."""

import struct
import zlib
from collections.abc import Iterable

import msgspec

from hubindex.contents import Contents, chain_ids
from hubindex.errors import StorageError
from hubindex.index.database.reader import Reader

_first_32_bits = struct.Struct(">i").unpack_from
_first_64_bits = struct.Struct(">q").unpack_from
_MAX_DOCUMENT = 64 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Contents)


def prefix(digest: bytes) -> int:
    """The first 32 bits of a raw digest, signed."""
    return int(_first_32_bits(digest)[0])


def chain_number(chain_id: bytes) -> int:
    """The first 64 bits of a chain ID, signed."""
    return int(_first_64_bits(chain_id)[0])


def chain_of(contents: Contents) -> bytes | None:
    """What identifies the file system of an image; None for what is no image, or has no layers."""
    if contents.image is None or not contents.image.diff_ids:
        return None
    return chain_ids(contents.image.diff_ids)[-1]


def parts_of(contents: Contents) -> set[bytes]:
    """The digests of the configuration (the image ID) and of the layers, packed and unpacked."""
    parts = {layer.digest for layer in contents.layers}
    if contents.config is not None and contents.image is not None:
        parts.add(contents.config.digest)
    if contents.image is not None:
        parts.update(contents.image.diff_ids)
    return parts


def packed(contents: Contents) -> bytes:
    """For the database."""
    return zlib.compress(_encoder.encode(contents), 6)


def unpacked(document: bytes) -> Contents:
    """What was packed. Raises `StorageError` for anything else."""
    try:
        inflater = zlib.decompressobj()
        return _decoder.decode(inflater.decompress(document, _MAX_DOCUMENT))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise StorageError("the index holds contents of an image that cannot be read") from error


def contents_of(reader: Reader, digests: Iterable[bytes]) -> dict[bytes, Contents]:
    """The contents of manifests, as far as the index has them."""
    wanted = set(digests)
    rows = reader.query("contents", "by_prefix", prefixes=sorted(map(prefix, wanted)))
    return {bytes(digest): unpacked(bytes(document)) for digest, document in rows if bytes(digest) in wanted}
