"""A registry's own API (OCI distribution, "Registry v2"): names of tags, and what each points to.

It knows neither times nor descriptions, but every tag, also where Docker Hub's API shows only the first pages.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Literal, TypeVar
from urllib import parse

import msgspec
from yarl import URL

from hubindex import docker_hub, errors, kinds, moment
from hubindex.contents import Contents, Descriptor, ImageConfig
from hubindex.digests import digest_bytes, digest_text
from hubindex.records import PlatformImage, RepositoryNames, Tag, TagHistory, TagNames, TagPeriod
from hubindex.reference import is_repository, is_tag
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.auth.registry_signer import RegistryAccess, RegistrySigner
from hubindex.sources.http.address import validate_base_url, where
from hubindex.sources.http.client import HttpClient, Signer
from hubindex.sources.http.failures import Refusal, Response
from hubindex.sources.http.rate_headers import Pulls, pulls
from hubindex.sources.http.transport import Sink
from hubindex.sources.media_type import media_type
from hubindex.sources.registry import histories
from hubindex.sources.registry.lists import ListWalk, read_catalog, read_tags, resolved
from hubindex.sources.registry.manifests import (
    ACCEPT,
    MAX_CONFIG,
    MAX_MANIFEST,
    has_image_config,
    read_config,
    read_manifest,
)
from hubindex.text import quote, shown

T = TypeVar("T")

_PAGE_SIZE = 1000
_MAX_REFUSED = 3
_LOOKED = frozenset({200, 304, 405})
_NO_CATALOG = frozenset({401, 403, 404, 405, 501})


class Registry:
    """A registry behind an open `HttpClient`.

    `base_url` is https, or http where the client trusts in that (else `WrongUsage`); `clock` gives the present in
    milliseconds. Requests are signed as the registry asks for, with `credentials` or anonymously, unless a
    `signer` signs them all.

    `pulls` is the allowance of manifests that the registry named last.

    Every method raises the `SourceError`s of `HttpClient.get`, `SignInRefused`, and `InvalidReference` for a name
    that no repository can have. A repository that the registry does not show to this caller is `NotFound`: Docker
    Hub says 401 both for a private one and for one that does not exist.
    """

    def __init__(
        self,
        http: HttpClient,
        base_url: str = docker_hub.REGISTRY_URL,
        clock: Callable[[], int] = moment.now,
        signer: Signer | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self._http = http
        self._base = str(validate_base_url(base_url, "--registry-url", http.trust.may_be_plain)).rstrip("/")
        self._clock = clock
        self._signer = signer
        self._access = RegistryAccess(http, base_url, credentials)
        self.pulls: Pulls | None = None
        self._refused_histories = 0
        self._tells_history = False
        self._has_tag_histories: bool | None = None
        self._probing = asyncio.Lock()

    async def repository_names(self) -> AsyncIterator[RepositoryNames]:
        """The names of all repositories, page by page, as far as the registry lists them to this caller.

        A list that ends early says so in the warnings of its last page. Raises `Forbidden` if there is none to be
        had: many registries list nothing, or only to administrators.
        """
        walk = ListWalk("the catalog", "registry:catalog:*", read_catalog, is_repository)
        url = URL(f"{self._base}/v2/_catalog", encoded=True)
        try:
            async for _ in self._pages(url, walk):
                yield walk.take()
        except (errors.NotFound, errors.Blocked, errors.UnreadableAnswer) as error:
            if walk.has_begun or _status(error) not in _NO_CATALOG:
                raise
            raise errors.Forbidden(
                f"{where(url)}: the registry does not list its repositories to this caller ({_status(error)}): "
                "name them with --repo, or sign in with 'hubindex login'"
            ) from error

    async def exists(self, name: str) -> bool:
        """Whether the registry shows a repository to this caller."""
        url = self._url(name, "tags", "list").with_query(n=1)
        try:
            await self._get(_pull(name), name, url, lambda answer: answer)
        except errors.NotFound:
            return False
        except errors.UnreadableAnswer as error:
            if _status(error) != 400:
                raise
        return True

    async def tag_names(self, name: str) -> TagNames:
        """The names of all tags of a repository (`library/mongo`)."""
        walk = ListWalk(name, _pull(name), read_tags, is_tag)
        async for _ in self._pages(self._url(name, "tags", "list"), walk):
            pass
        return walk.result()

    async def _pages(self, url: URL, walk: ListWalk) -> AsyncIterator[None]:
        """Ask for the pages of a list one after the other, and add each to the walk."""
        try:
            following = await self._page(url.with_query(n=_PAGE_SIZE), walk)
        except errors.UnreadableAnswer as error:
            if _status(error) != 400:  # some servers refuse an `n` that is larger than they like
                raise
            following = await self._page(url, walk)
        yield
        while following is not None and walk.goes_on():
            try:
                following = await self._page(following, walk)
            except (errors.NotFound, errors.PaginationRefused) as error:
                walk.doubt(f"ended early: {error}")
                following = None
            yield

    async def tag(self, name: str, tag: str) -> Tag | None:
        """What a tag points to: its digest and media type. `None`: the registry has no such tag (any more).

        Asking is not a pull: only GET is counted as one.
        """
        if not is_tag(tag):
            raise errors.InvalidReference(f"{quote(tag)} is not a tag")
        return (await self.look(name, tag))[1]

    async def look(self, name: str, tag: str, known: bytes | None = None) -> tuple[int, Tag | None]:
        """As `tag`, and when the request was sent that was answered, in ms. `tag` may also be a digest.

        If the tag points to the digest that is `known`, many registries answer in fewer bytes; then the record
        has nothing else.
        """
        if not is_tag(tag) and digest_bytes(tag) is None:
            raise errors.InvalidReference(f"{quote(tag)} is not a tag")
        url = self._url(name, "manifests", tag)
        asked_at = self._clock()
        conditional = {"If-None-Match": f'"{digest_text(known)}"'} if known else {}
        try:
            answer = await self._get(
                _pull(name), name, url, lambda answer: answer, method="HEAD", statuses=_LOOKED,
                headers={"Accept": ACCEPT, **conditional},
            )  # fmt: skip
        except errors.NotFound as error:
            if _status(error) == 404:
                return asked_at, None
            raise
        if answer.status == 304:
            return answer.sent_at, Tag(name=tag, digest=known)
        said = answer.headers.get("Docker-Content-Digest")
        if not said:
            return await self._read_digest(name, tag, url)
        digest = digest_bytes(said)
        if digest is None:
            raise errors.UnreadableAnswer(
                f"{name}:{tag}: the registry tells a digest that is none ({shown(said, 80)})"
            )
        its_type = media_type(_content_type(answer))
        kind = kinds.of_content(None, its_type)
        return answer.sent_at, Tag(name=tag, digest=digest, media_type=its_type, kind=kind)

    async def _read_digest(self, name: str, tag: str, url: URL) -> tuple[int, Tag | None]:
        """As `look`, at a registry that knows no HEAD or tells no digest: that of the bytes of the manifest."""
        accept = {"Accept": ACCEPT}
        try:
            answer = await self._get(
                _pull(name), name, url, lambda answer: answer, headers=accept, max_body=MAX_MANIFEST
            )
        except errors.NotFound as error:
            if _status(error) == 404:
                return self._clock(), None
            raise
        contents = read_manifest(answer.body, hashlib.sha256(answer.body).digest(), _content_type(answer))
        if contents.problem is not None and contents.kind is None:
            raise errors.UnreadableAnswer(f"{name}:{tag}: {contents.problem}")
        found = Tag(name=tag, digest=contents.digest, media_type=contents.media_type, kind=contents.kind)
        return answer.sent_at, found

    async def has_tag_histories(self, name: str, tag: str) -> bool:
        """Whether the registry tells the past of single tags. Asked once."""
        async with self._probing:
            if self._has_tag_histories is None:
                answer = await self._probe(self._chainguard(name, tag), RegistrySigner(self._access, _pull(name)))
                self._has_tag_histories = answer is not None and histories.is_chainguards(answer)
            return self._has_tag_histories

    async def _probe(self, url: URL, signer: Signer | None) -> Response | None:
        """What a registry answers; None if it does not, which is no failure: it may lack what is asked for."""
        try:
            return await self._http.get(
                url, lambda answer: answer, clock=self._clock, signer=signer, statuses=histories.PROBED
            )
        except errors.BudgetSpent:
            raise
        except errors.SourceError:
            return None

    async def history(self, name: str) -> TagHistory | None:
        """The past of all tags of a repository, by the registry's own word; None if it does not tell that.

        It is asked without signing in, and not again after it has said so a few times.
        """
        first = await self._first_of_history(name)
        if first is None:
            return None
        pages = [first]
        while pages[-1].more and len(pages) < histories.MAX_PAGES:

            def read(answer: Response) -> histories.QuayPage:
                return histories.read_quay(answer, name)

            page = await self._http.get(self._quay(name, len(pages) + 1), read, clock=self._clock)
            if page.more and set(page.periods) <= {each for known in pages for each in known.periods}:
                break  # it repeats itself
            pages.append(page)
        return histories.merged(pages, name, is_whole=not pages[-1].more)

    async def tells_history(self, name: str) -> bool:
        """Whether there would be a `history` of this repository."""
        return await self._first_of_history(name) is not None

    async def _first_of_history(self, name: str) -> "histories.QuayPage | None":
        if not self._tells_history:
            async with self._probing:  # the others wait for what one finds out
                if not self._tells_history:
                    return await self._ask_for_history(name)
        return await self._ask_for_history(name)

    async def _ask_for_history(self, name: str) -> "histories.QuayPage | None":
        if self._refused_histories >= _MAX_REFUSED:
            return None
        answer = await self._probe(self._quay(name, 1), None)
        if answer is not None and histories.is_quays(answer):
            self._tells_history = True
            return histories.read_quay(answer, name)
        if not self._tells_history:
            is_of_this_one = answer is not None and histories.refuses_one(answer)
            self._refused_histories += 1 if is_of_this_one else _MAX_REFUSED
        return None

    def _quay(self, name: str, page: int) -> URL:
        url = URL(f"{self._base}/api/v1/repository/{name}/tag/", encoded=True)
        return url.with_query(limit=histories.PAGE_SIZE, page=page, onlyActiveTags="false")

    async def tag_history(self, name: str, tag: str) -> TagHistory:
        """The past of a tag, by the registry's own word."""
        found: dict[tuple[int, bytes], TagPeriod] = {}
        warnings: tuple[str, ...] = ()
        start: int | None = None
        observed_at: int | None = None

        def read(answer: Response) -> TagHistory:
            return histories.read_chainguard(answer, name, tag)

        while True:
            url = self._chainguard(name, tag)
            if start is not None:
                url = url.with_query(start=moment.to_rfc3339(start))
            page = await self._get(_pull(name), name, url, read)
            observed_at = page.observed_at if observed_at is None else observed_at
            before = len(found)
            found.update({(each.started_at, each.digest): each for each in page.periods})
            warnings += page.warnings
            if len(page.periods) < histories.MAX_ENTRIES or len(found) == before:
                break
            start = page.periods[-1].started_at
        moves = sorted(found)
        ends = [at for at, _ in moves[1:]] + [None]
        periods = tuple(
            TagPeriod(name=tag, digest=digest, started_at=at, ended_at=end)
            for (at, digest), end in zip(moves, ends, strict=False)
        )
        return TagHistory(periods=periods, observed_at=observed_at, complete=not warnings, warnings=warnings)

    def _chainguard(self, name: str, tag: str) -> URL:
        return self._url(name, "_chainguard", "history", tag)

    async def contents(self, name: str, digest: bytes) -> Contents:
        """The manifest of a digest, checked against it, with the configuration of an image.

        Of an index the members are not asked for. Raises `UnreadableAnswer` for what has another digest.
        """
        url = self._url(name, "manifests", digest_text(digest))

        def read(answer: Response) -> Contents:
            self.pulls = pulls(answer.headers) or self.pulls
            return read_manifest(answer.body, digest, _content_type(answer))

        accept = {"Accept": ACCEPT}
        found = await self._get(_pull(name), name, url, read, headers=accept, max_body=MAX_MANIFEST)
        if not has_image_config(found) or found.config is None:
            return found
        config = await self._config(name, found.config.digest)
        if config is None:
            return msgspec.structs.replace(found, problem="its configuration is not understood")
        platform = config.platform or kinds.UNKNOWN_PLATFORM
        found = msgspec.structs.replace(found, image=config)
        return msgspec.structs.replace(found, images=(PlatformImage(platform, digest, found.size),))

    async def verify_blob(self, name: str, blob: Descriptor, advance: Callable[[int], None]) -> int:
        """Read a blob of any size and compare it with its digest and size; returns how many bytes it has.

        `advance` is told how many bytes came, negative if they have to be read again. Raises `UnreadableAnswer` if
        it is not what it should be.
        """
        url = self._url(name, "blobs", digest_text(blob.digest))
        sinks: list[_HashSink] = []

        def begin() -> _HashSink:
            if sinks:
                advance(-sinks[-1].size)
            sinks.append(_HashSink(digest_text(blob.digest).partition(":")[0], advance))
            return sinks[-1]

        def read(_answer: Response) -> int:
            sink = sinks[-1]
            if sink.hash.digest() != blob.digest:
                raise msgspec.ValidationError("it is not what its digest says")
            if blob.size is not None and sink.size != blob.size:
                raise msgspec.ValidationError(f"it has {sink.size:,} bytes, not {blob.size:,}")
            return sink.size

        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        return await self._get(_pull(name), name, url, read, headers=headers, may_leave=True, sink=begin)

    async def _config(self, name: str, digest: bytes) -> ImageConfig | None:
        url = self._url(name, "blobs", digest_text(digest))

        def read(answer: Response) -> ImageConfig | None:
            return read_config(answer.body, digest)

        accept = {"Accept": "*/*"}
        return await self._get(_pull(name), name, url, read, headers=accept, max_body=MAX_CONFIG, may_leave=True)

    async def _page(self, url: URL, walk: ListWalk) -> URL | None:
        """Ask for one page and add it to the walk; the address of the next page, if there is one."""
        page = await self._get(walk.scope, walk.name, url, walk.read)
        walk.add(page)
        if page.link is None:
            return None
        following = resolved(url, page.link)
        if following is None:
            walk.doubt(f"ended early: the next page is at another server or nowhere ({shown(page.link)})")
        elif not walk.is_new(following):
            walk.doubt("ended early: the list repeats itself")
            return None
        return following

    async def _get(
        self,
        scope: str,
        name: str,
        url: URL,
        decode: Callable[[Response], T],
        *,
        method: Literal["GET", "HEAD"] = "GET",
        headers: Mapping[str, str] | None = None,
        statuses: frozenset[int] = frozenset({200}),
        max_body: int | None = None,
        may_leave: bool = False,
        sink: Callable[[], Sink] | None = None,
    ) -> T:
        signer = self._signer or RegistrySigner(self._access, scope)
        try:
            return await self._http.get(
                url, decode, clock=self._clock, method=method, headers=headers, signer=signer, statuses=statuses,
                max_body=max_body, may_leave=may_leave, sink=sink,
            )  # fmt: skip
        except errors.Blocked as error:
            refusal = error.__cause__
            if not isinstance(refusal, Refusal) or refusal.status != 401:
                raise
            verdict = self._access.verdict(name, refusal)
            if verdict is None:
                raise
            raise verdict from refusal

    def _url(self, name: str, *path: str) -> URL:
        if not is_repository(name):
            raise errors.InvalidReference(f"{quote(name)} is not a repository")
        escaped = "/".join(parse.quote(part, safe=":") for part in path)
        return URL(f"{self._base}/v2/{name}/{escaped}", encoded=True)


class _HashSink:
    """Hashes what comes."""

    def __init__(self, algorithm: str, advance: Callable[[int], None]) -> None:
        self.hash = hashlib.new(algorithm)
        self.size = 0
        self._advance = advance

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.hash.update(piece)
        self.size += len(piece)
        self._advance(len(piece))


def _content_type(answer: Response) -> str:
    """What the server calls the body, without parameters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _pull(name: str) -> str:
    """The scope of what is asked about a repository."""
    return f"repository:{name}:pull"


def _status(error: errors.SourceError) -> int | None:
    return error.__cause__.status if isinstance(error.__cause__, Refusal) else None
