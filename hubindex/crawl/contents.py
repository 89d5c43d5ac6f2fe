"""What tags point to, read from a registry once for each digest: manifests and configurations."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hubindex.contents import Contents
from hubindex.crawl.commands import KnownContents, StoreContents, Undescribed
from hubindex.crawl.context import CrawlContext
from hubindex.errors import NotFound, SourceError, UnreadableAnswer
from hubindex.records import Tag
from hubindex.sources.registry.client import Registry


class ContentReader:
    """Reads the contents of the repository `name`, number `repository_id`, that the index does not have."""

    def __init__(self, context: CrawlContext, registry: Registry, repository_id: int, name: str) -> None:
        self._context = context
        self._registry = registry
        self._repository_id = repository_id
        self._name = name

    async def describe(self, tags: Sequence[Tag]) -> tuple[list[Tag], SourceError | None]:
        """The tags with what they point to, and what failed, if something did that fails for others as well.

        What was read is left to the writer. What cannot be read by itself is warned of and left as it is.
        """
        digests = list(dict.fromkeys(tag.digest for tag in tags if tag.digest is not None))
        lacking = await self._context.writer.write(Undescribed(self._repository_id, digests)) if digests else {}
        known = {digest: contents for digest, contents in lacking.items() if contents is not None}
        found, error = await self._read([digest for digest, contents in lacking.items() if contents is None])
        indexes = [contents for contents in found.values() if contents.is_index]
        members, failed = await self._members(indexes)
        error = error or failed
        for index in indexes:
            if error is not None and not all(image.digest in members for image in index.images):
                del found[index.digest]  # it is read again with its members
            else:
                found[index.digest] = _with_sizes(index, members)
        await self._store(contents for contents in found.values() if contents.is_index)
        known |= found
        described = [
            known[tag.digest].described(tag) if tag.digest is not None and tag.digest in known else tag
            for tag in tags
        ]
        return described, error

    async def read(self, digests: Sequence[bytes]) -> SourceError | None:
        """Read and store the contents of some images; returns what failed for others as well."""
        return (await self._read(digests))[1]

    async def _members(self, indexes: Iterable[Contents]) -> tuple[dict[bytes, Contents], SourceError | None]:
        """The images of some indexes."""
        wanted = list(dict.fromkeys(image.digest for index in indexes for image in index.images))
        if not wanted:
            return {}, None
        known = await self._context.writer.write(KnownContents(wanted))
        found, error = await self._read([digest for digest in wanted if digest not in known])
        return known | found, error

    async def _read(self, digests: Sequence[bytes]) -> tuple[dict[bytes, Contents], SourceError | None]:
        """The contents of some manifests; those of images are stored."""
        answers = await asyncio.gather(*map(self._one, digests), return_exceptions=True)
        found: dict[bytes, Contents] = {}
        error: SourceError | None = None
        for digest, answer in zip(digests, answers, strict=True):
            if isinstance(answer, Contents):
                found[digest] = answer
                if answer.problem is not None:
                    self._warn(digest, answer.problem)
            elif isinstance(answer, NotFound | UnreadableAnswer):
                self._warn(digest, str(answer))
            elif isinstance(answer, SourceError):
                error = error or answer
            else:
                raise answer
        await self._store(contents for contents in found.values() if not contents.is_index)
        return found, error

    async def _one(self, digest: bytes) -> Contents:
        contents = await self._registry.contents(self._name, digest)
        self._context.progress.manifests += 1
        return contents

    async def _store(self, several: Iterable[Contents]) -> None:
        if contents := list(several):
            await self._context.leave(StoreContents(contents), lambda _: None)

    def _warn(self, digest: bytes, why: str) -> None:
        self._context.warn(f"{self._name}: the contents of {digest.hex()[:12]} are not known: {why}")


def _with_sizes(index: Contents, members: Mapping[bytes, Contents]) -> Contents:
    """An index with the sizes of its images, as far as known."""
    images = tuple(
        msgspec.structs.replace(image, size=members[image.digest].size) if image.digest in members else image
        for image in index.images
    )
    return msgspec.structs.replace(index, images=images)
