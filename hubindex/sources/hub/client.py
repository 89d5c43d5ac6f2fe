"""Docker Hub's API: searches, repositories and tags as records.

Page URLs are made here; a `next` in an answer tells that there is more, and is never followed.
"""

from collections.abc import Callable
from typing import Literal, TypeVar
from urllib import parse

from yarl import URL

from hubindex import docker_hub, errors, moment
from hubindex.records import Repository, RepositoryPage, TagPage
from hubindex.sources.http.address import validate_base_url
from hubindex.sources.http.client import HttpClient, Signer
from hubindex.sources.http.failures import Response
from hubindex.sources.hub import rows
from hubindex.sources.hub.names import OFFICIAL_NAMESPACE, is_namespace, is_repository
from hubindex.text import quote, storable

T = TypeVar("T")

_MAX_TERM = 1000

RepositoryOrdering = Literal["name", "-name", "last_updated", "-last_updated", "pull_count", "-pull_count"]
SearchOrdering = Literal["-pull_count", "-star_count"]


class DockerHub:
    """Docker Hub behind an open `HttpClient`.

    `base_url` is https, or http on a loopback host (else `WrongUsage`). `clock` gives the present in
    milliseconds. `observed_at` of an answer is the time at which its request was sent: what it says was true
    at some time between then and its arrival, so a tag is never claimed to have been there for too long.
    Every request is signed if there is a `signer`: who has signed in is shown more pages, and may ask more often.

    Every method raises the `SourceError`s of `HttpClient.get`, and `InvalidReference` for a name that no
    repository of Docker Hub can have. Greatest `page_size`: 100, above which the Hub cuts it silently.
    """

    def __init__(
        self,
        http: HttpClient,
        base_url: str = docker_hub.HUB_URL,
        clock: Callable[[], int] = moment.now,
        signer: Signer | None = None,
    ) -> None:
        self._http = http
        self._signer = signer
        self._base = str(validate_base_url(base_url, "--hub-url")).rstrip("/")
        self._clock = clock

    async def search_page(
        self,
        term: str,
        page: int,
        page_size: int = 100,
        *,
        ordering: SearchOrdering | None = None,
        official: bool = False,
    ) -> RepositoryPage:
        """The repositories that match any text, best first or in `ordering`; pages count from 1.

        A minus sign means highest first here, unlike in the Hub's other lists. `official` asks for official
        images only.
        A leading `library/` is left away, because the Hub finds nothing with it. `count` is a hint: it has
        been capped at 10,000. A page beyond the end is empty.
        """
        query = storable(term.removeprefix(f"{OFFICIAL_NAMESPACE}/"), _MAX_TERM)
        more: dict[str, str] = {"ordering": ordering} if ordering else {}
        if official:
            more["is_official"] = "true"
        url = self._url("search", "repositories", "", query=query, page=page, page_size=page_size, **more)
        return await self._repository_page(url, page, lambda body, sent_at: rows.search_page(body, term, sent_at))

    async def namespace_page(
        self, namespace: str, page: int, page_size: int = 100, ordering: RepositoryOrdering = "last_updated"
    ) -> RepositoryPage:
        """The public image repositories of a namespace, by default the last pushed first.

        The Hub's sign is inverted: `last_updated` is newest first, `-name` is A to Z. A namespace that does
        not exist answers like an empty one. A page beyond the end is empty.
        """
        if not is_namespace(namespace):
            raise errors.InvalidReference(f"{quote(namespace)} is not a namespace of Docker Hub")
        url = self._url("namespaces", namespace, "repositories", page=page, page_size=page_size, ordering=ordering)
        return await self._repository_page(
            url, page, lambda body, sent_at: rows.namespace_page(body, namespace, sent_at)
        )

    async def repository(self, name: str) -> Repository:
        """One repository by its full name (`library/mongo`); `NotFound`: missing, private, or a fault."""
        namespace, repository = _split(name)
        url = self._url("namespaces", namespace, "repositories", repository)
        return await self._get(url, lambda answer: rows.repository(answer.body, name))

    async def tag_page(self, name: str, page: int, page_size: int = 100) -> TagPage:
        """The tags of a repository, last pushed first.

        A page after the first that the Hub does not have (404) is empty, with `more` false and `count`
        `None`. It means the end of the list or a fault: compare the rows seen with the other pages' `count`.
        """
        namespace, repository = _split(name)
        url = self._url(
            "namespaces",
            namespace,
            "repositories",
            repository,
            "tags",
            page=page,
            page_size=page_size,
            ordering="last_updated",
        )
        asked_at = self._clock()
        try:
            return await self._get(url, lambda answer: rows.tag_page(answer.body, name, answer.sent_at))
        except errors.NotFound:
            if page == 1:
                raise
            return TagPage(tags=(), count=None, more=False, observed_at=asked_at)

    async def _repository_page(
        self, url: URL, page: int, decode: Callable[[bytes, int], RepositoryPage]
    ) -> RepositoryPage:
        asked_at = self._clock()
        try:
            return await self._get(url, lambda answer: decode(answer.body, answer.sent_at))
        except errors.NotFound:
            if page == 1:
                raise
            return RepositoryPage(repositories=(), count=None, more=False, observed_at=asked_at)

    async def _get(self, url: URL, decode: Callable[[Response], T]) -> T:
        return await self._http.get(url, decode, clock=self._clock, signer=self._signer)

    def _url(self, *path: str, **query: str | int) -> URL:
        escaped = "/".join(parse.quote(part, safe="") for part in path)
        return URL(f"{self._base}/v2/{escaped}", encoded=True).with_query(query)


def _split(name: str) -> tuple[str, str]:
    if not is_repository(name):
        raise errors.InvalidReference(f"{quote(name)} is not a repository of Docker Hub")
    namespace, _, repository = name.partition("/")
    return namespace, repository
