"""What a registry said when it was asked whether it still has what is known."""

from enum import Enum
from typing import NamedTuple

from hubindex.reference import Reference


class Verdict(Enum):
    """What became of a tag."""

    SAME = "same"
    MOVED = "moved"
    GONE = "gone"


class Verification(NamedTuple):
    """What a registry said of a reference at a moment, in ms.

    `known` is the digest that it was compared with, `digest` what the registry has now. `platform` is that of the
    image of `known` in the index that the tag points to, if it is one.
    """

    reference: Reference
    verdict: Verdict
    known: str
    digest: str | None
    asked_at: int
    platform: str | None = None


class DeepVerification(NamedTuple):
    """What came of reading everything behind a digest: how many manifests, and blobs of how many bytes.

    `problems` says, a line each, what is missing or not what its digest says.
    """

    manifests: int
    blobs: int
    size: int
    problems: tuple[str, ...]
