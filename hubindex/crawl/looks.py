"""Single looks at tags, outside of visits: what a registry reported is confirmed by asking it."""

from collections.abc import Iterable

import msgspec

from hubindex.crawl.commands import StoreLook, TagsWith
from hubindex.crawl.contents import ContentReader
from hubindex.crawl.context import CrawlContext
from hubindex.errors import NotFound
from hubindex.sources.registry.client import Registry
from hubindex.sources.registry.notifications import Look

_MAX_NAMES = 1000


class Confirmer:
    """Confirms reports about the repositories of the registry at `host`.

    Each tag that a report is about takes a HEAD, and what is new there its contents. A tag that is not there is
    gone. A report is believed in nothing.
    """

    def __init__(self, context: CrawlContext, host: str, registry: Registry) -> None:
        self._context = context
        self._host = host
        self._registry = registry

    async def confirm(self, looks: Iterable[Look]) -> int:
        """Make some looks, each tag once; returns how many tags were looked at.

        A push without a tag asks for all tags of its repository that the index knows, and a deletion without one
        for those that have the digest. Raises `SourceError` and `StorageError`; looks made before are kept.
        """
        wanted: dict[tuple[str, str], None] = {}
        for look in looks:
            for tag in await self._tags(look):
                wanted[look.repository, tag] = None
        for repository, tag in wanted:
            await self._look(repository, tag)
        return len(wanted)

    async def _tags(self, look: Look) -> list[str]:
        if look.tag is not None:
            return [look.tag]
        digest = look.digest if look.is_deletion else None
        known = await self._context.writer.write(TagsWith(self._host, look.repository, digest, _MAX_NAMES))
        if look.is_deletion:
            return known
        try:
            listed = (await self._registry.tag_names(look.repository)).names
        except NotFound:
            listed = ()
        return list(dict.fromkeys((*known, *listed)))[:_MAX_NAMES]

    async def _look(self, repository: str, name: str) -> None:
        at, tag = await self._registry.look(repository, name)
        stored = await self._context.writer.write(StoreLook(self._host, repository, name, tag, at))
        if tag is None or not stored.is_news or not self._context.plan.contents:
            return
        reader = ContentReader(self._context, self._registry, stored.repository_id, repository)
        seen = msgspec.structs.replace(tag, observed_at=at)
        (described,), error = await reader.describe([seen])
        if described is not seen:
            await self._context.writer.write(StoreLook(self._host, repository, name, described, at))
        if error is not None:
            raise error
