"""What others say that a tag was: reports, each with a witness.

*Seen at*: the witness looked at that time, or during that stretch, and found a digest, or no tag. *Seen by*: at
some moment up to then somebody had resolved the tag to the digest, as a pin in a file shows; it bounds nothing.
"""

from typing import NamedTuple

from hubindex.reference import Reference


class Report(NamedTuple):
    """One statement of a witness. Times are UTC milliseconds; for a single moment both are the same.

    `reference` names a tag. `digest` is raw; None: the tag was not there. It is that of the image for `platform`,
    if one is given. `is_by` tells that it was seen at some moment up to `seen_until`. `source` says where exactly.
    """

    reference: Reference
    digest: bytes | None
    seen_from: int
    seen_until: int
    is_by: bool = False
    platform: str | None = None
    source: str = ""


class Witness(NamedTuple):
    """Who reported: how many statements about how many tags, and from when to when."""

    name: str
    reports: int
    tags: int
    first_at: int
    last_at: int
