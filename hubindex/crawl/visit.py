"""The visit of a repository: as few requests as tell what its tags are now."""

from hubindex.crawl.context import CrawlContext
from hubindex.crawl.hub_visit import HubVisitor
from hubindex.crawl.registry_visit import RegistryVisitor
from hubindex.errors import SourceError
from hubindex.index.writing.frontier import Job


class Visitor:
    """Visits repositories, each in the way of its registry: reads their tags, and leaves them to the writer."""

    def __init__(self, context: CrawlContext) -> None:
        self._context = context
        self._hub = HubVisitor(context)
        self._registry = RegistryVisitor(context)

    async def visit(self, job: Job) -> None:
        """Visit the repository of a job. Raises `StorageError`."""
        context = self._context
        try:
            source = await context.sources.of(job.registry)
        except SourceError as error:
            context.failed(error, job.registry)
            await self._registry.give_up(job, error)
            return
        if source.hub is not None:
            await self._hub.visit(job, source)
        else:
            assert source.registry is not None
            await self._registry.visit(job, source.registry)
