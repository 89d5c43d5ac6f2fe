"""Whether a registry still has what is known: the digest of a tag now, and, if wanted, every byte behind it."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from hubindex.contents import Contents, Descriptor
from hubindex.digests import digest_bytes, digest_text
from hubindex.errors import NoAnswer, NotFound, UnreadableAnswer
from hubindex.reference import Reference
from hubindex.sources.registry.client import Registry
from hubindex.verdicts import DeepVerification, Verdict, Verification

_BLOBS_AT_A_TIME = 4


async def verify(registry: Registry, reference: Reference, known: str) -> Verification:
    """Ask a registry what a tag, or else a digest, is now, and compare with the digest `known`.

    Raises `SourceError`.
    """
    asked = reference.tag if reference.tag is not None else known
    at, tag = await registry.look(reference.repository, asked)
    if tag is None or tag.digest is None:
        return Verification(reference, Verdict.GONE, known, None, at)
    digest = digest_text(tag.digest)
    if digest == known:
        return Verification(reference, Verdict.SAME, known, digest, at)
    return Verification(reference, Verdict.MOVED, known, digest, at)


async def platform_in(registry: Registry, reference: Reference, digest: str, image: str) -> str | None:
    """For which platform an image is in the index of this digest; None: it is not. Costs a pull at most."""
    raw, wanted = digest_bytes(digest), digest_bytes(image)
    if raw is None or wanted is None:
        return None
    contents = await registry.contents(reference.repository, raw)
    return next((each.platform for each in contents.images if each.digest == wanted and wanted != raw), None)


class Meter(NamedTuple):
    """Who is told how much has to be read, and how much was: bytes, negative if some have to be read again."""

    expect: Callable[[int], None]
    advance: Callable[[int], None]


async def verify_deeply(registry: Registry, repository: str, digest: str, meter: Meter) -> DeepVerification:
    """Read all manifests and blobs behind a digest, and compare each with its digest and size.

    Raises `SourceError` for what says nothing about the contents: no connection, no access.
    """
    raw = digest_bytes(digest)
    if raw is None:
        raise NoAnswer(f"{digest} is not a digest")
    problems: list[str] = []
    first = await _contents(registry, repository, raw, "", problems)
    members: list[Contents] = []
    if first is not None and first.is_index:
        named = [(image.digest, f" for {image.platform}") for image in first.images]
        named += [(attestation, " of an attestation") for attestation in first.attestations]
        found = [await _contents(registry, repository, each, what, problems) for each, what in named]
        members = [contents for contents in found if contents is not None]
    manifests = [contents for contents in (first, *members) if contents is not None]
    blobs: dict[bytes, Descriptor] = {}
    for contents in manifests:
        parts = (contents.config, *contents.layers)
        blobs.update((part.digest, part) for part in parts if part is not None)
    meter.expect(sum(blob.size or 0 for blob in blobs.values()))
    slots = asyncio.Semaphore(_BLOBS_AT_A_TIME)

    async def read(blob: Descriptor) -> int:
        async with slots:
            try:
                return await registry.verify_blob(repository, blob, meter.advance)
            except (NotFound, UnreadableAnswer) as error:
                problems.append(f"the blob {digest_text(blob.digest)}: {error}")
                return 0

    sizes = await asyncio.gather(*(read(blob) for blob in blobs.values()))
    return DeepVerification(len(manifests), len(blobs), sum(sizes), tuple(problems))


async def _contents(
    registry: Registry, repository: str, digest: bytes, what: str, problems: list[str]
) -> Contents | None:
    """A manifest; what is wrong with it is a problem."""
    try:
        contents = await registry.contents(repository, digest)
    except (NotFound, UnreadableAnswer) as error:
        problems.append(f"the manifest {digest_text(digest)}{what}: {error}")
        return None
    if contents.problem is not None:
        problems.append(f"the manifest {digest_text(digest)}{what}: {contents.problem}")
    return contents
