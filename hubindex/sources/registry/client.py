"""A registry's own API (OCI distribution, "Registry v2"): names of tags, and what each points to.

It knows neither times nor descriptions, but every tag, also where Docker Hub's API shows only the first pages.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar
from urllib import parse

import msgspec
from msgspec import Struct
from yarl import URL

from hubindex import docker_hub, errors, kinds, moment
from hubindex.contents import Contents, Descriptor, ImageConfig
from hubindex.digests import digest_bytes, digest_text
from hubindex.records import PlatformImage, RepositoryNames, Tag, TagNames
from hubindex.reference import is_repository, is_tag
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.auth.registry_signer import RegistryAccess, RegistrySigner
from hubindex.sources.complaints import Complaints
from hubindex.sources.http.address import validate_base_url, where
from hubindex.sources.http.client import HttpClient, Signer
from hubindex.sources.http.failures import Refusal, Response
from hubindex.sources.http.headers import joined
from hubindex.sources.http.transport import Sink
from hubindex.sources.media_type import media_type
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
_LOOKED = frozenset({200, 304})
_NO_CATALOG = frozenset({401, 403, 404, 405, 501})
_MAX_PAGES = 2000
_MAX_NAMES = 2_000_000
_MAX_LINK = 16 * 1024
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.IGNORECASE)


class _TagList(Struct):
    tags: list[object] | None
    name: object = None


class _Catalog(Struct):
    repositories: list[object] | None


class Registry:
    """A registry behind an open `HttpClient`.

    `base_url` is https, or http where the client trusts in that (else `WrongUsage`); `clock` gives the present in
    milliseconds. Requests are signed as the registry asks for, with `credentials` or anonymously, unless a
    `signer` signs them all.

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

    async def repository_names(self) -> AsyncIterator[RepositoryNames]:
        """The names of all repositories, page by page, as far as the registry lists them to this caller.

        A list that ends early says so in the warnings of its last page. Raises `Forbidden` if there is none to be
        had: many registries list nothing, or only to administrators.
        """
        walk = _Walk("the catalog", "registry:catalog:*", _read_catalog, is_repository)
        url = URL(f"{self._base}/v2/_catalog", encoded=True)
        try:
            async for _ in self._pages(url, walk):
                yield walk.take()
        except (errors.NotFound, errors.Blocked, errors.UnreadableAnswer) as error:
            if walk.has_begun or _status(error) not in _NO_CATALOG:
                raise
            raise errors.Forbidden(
                f"{where(url)}: the registry does not list its repositories to this caller ({_status(error)}): "
                "name them with --repo, or sign in with 'docker login'"
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
        walk = _Walk(name, _pull(name), _read_tags, is_tag)
        async for _ in self._pages(self._url(name, "tags", "list"), walk):
            pass
        return walk.result()

    async def _pages(self, url: URL, walk: "_Walk") -> AsyncIterator[None]:
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
        headers = answer.headers
        digest = digest_bytes(headers.get("Docker-Content-Digest", ""))
        if digest is None:
            raise errors.UnreadableAnswer(f"{name}:{tag}: the registry does not tell its digest")
        its_type = media_type(_content_type(answer))
        kind = kinds.of_content(None, its_type)
        return answer.sent_at, Tag(name=tag, digest=digest, media_type=its_type, kind=kind)

    async def contents(self, name: str, digest: bytes) -> Contents:
        """The manifest of a digest, checked against it, with the configuration of an image.

        Of an index the members are not asked for. Raises `UnreadableAnswer` for what has another digest.
        """
        url = self._url(name, "manifests", digest_text(digest))

        def read(answer: Response) -> Contents:
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

    async def _page(self, url: URL, walk: "_Walk") -> URL | None:
        """Ask for one page and add it to the walk; the address of the next page, if there is one."""
        page = await self._get(walk.scope, walk.name, url, walk.read)
        walk.add(page)
        if page.link is None:
            return None
        following = _resolved(url, page.link)
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


class _Page(NamedTuple):
    """One page of a list of names: whatever stood there, unchecked. `name` is what it says that it lists."""

    name: object
    names: Sequence[object]
    link: str | None
    sent_at: int


class _Walk:
    """The pages of one list, as they come in."""

    def __init__(
        self, name: str, scope: str, read: Callable[[Response], _Page], is_name: Callable[[str], bool]
    ) -> None:
        self.name = name
        self.scope = scope
        self.read = read
        self._is_name = is_name
        self._fresh: list[str] = []
        self._names: dict[str, None] = {}
        self._observed_at: int | None = None
        self._visited: set[URL] = set()
        self._has_grown = False
        self._complaints = Complaints(f"tags of {name}" if is_name is is_tag else name)

    @property
    def has_begun(self) -> bool:
        """Whether a page has come."""
        return self._observed_at is not None

    def add(self, page: _Page) -> None:
        """Take the names of a page."""
        if self._observed_at is None:
            self._observed_at = page.sent_at
        if page.name is not None and page.name != self.name:
            self.doubt(f"the answer is about another repository, {quote(str(page.name))}")
        before = len(self._names)
        for position, found in enumerate(page.names):
            if len(self._names) >= _MAX_NAMES:
                self.doubt(f"ended early: more than {_MAX_NAMES:,} names")
                break
            if isinstance(found, str) and self._is_name(found):
                if found not in self._names:
                    self._names[found] = None
                    self._fresh.append(found)
            else:
                named = found if isinstance(found, str) else ""
                what = "tag name" if self._is_name is is_tag else "repository"
                self._complaints.add(position, named, f"left out, because it is not a {what}")
        self._has_grown = len(self._names) > before

    def is_new(self, url: URL) -> bool:
        """Whether the list goes on at this address: not if it was asked for, or the last page told nothing new."""
        if not self._has_grown or url in self._visited:
            return False
        self._visited.add(url)
        return True

    def goes_on(self) -> bool:
        """Whether the list is still within bounds."""
        if len(self._visited) >= _MAX_PAGES:
            self.doubt(f"ended early: more than {_MAX_PAGES:,} pages")
            return False
        return len(self._names) < _MAX_NAMES

    def doubt(self, why: str) -> None:
        """Write down why the list proves nothing about absent tags."""
        self._complaints.add_whole(why)

    def take(self) -> RepositoryNames:
        """What has come in since it was taken last."""
        fresh, self._fresh = tuple(self._fresh), []
        warnings, self._complaints = self._complaints.warnings(), Complaints(self.name)
        return RepositoryNames(names=fresh, observed_at=self._observed_at or 0, warnings=warnings)

    def result(self) -> TagNames:
        """What came in."""
        warnings = self._complaints.warnings()
        return TagNames(
            names=tuple(self._names),
            observed_at=self._observed_at or 0,
            complete=not warnings,
            warnings=warnings,
        )


def _content_type(answer: Response) -> str:
    """What the server calls the body, without parameters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _pull(name: str) -> str:
    """The scope of what is asked about a repository."""
    return f"repository:{name}:pull"


def _read_tags(answer: Response) -> _Page:
    page = msgspec.json.decode(answer.body, type=_TagList)
    return _Page(page.name, page.tags or (), _next_link(answer), answer.sent_at)


def _read_catalog(answer: Response) -> _Page:
    page = msgspec.json.decode(answer.body, type=_Catalog)
    return _Page(None, page.repositories or (), _next_link(answer), answer.sent_at)


def _next_link(answer: Response) -> str | None:
    links = _LINK.finditer(joined(answer.headers, "Link", _MAX_LINK))
    return next((link[1] for link in links if _NEXT.search(link[2])), None)


def _resolved(source: URL, link: str) -> URL | None:
    """The address of a link in the answer of `source`; `None` if it is at another origin, or nowhere."""
    if not link or not link.isascii() or not link.isprintable() or " " in link:
        return None
    try:
        target = source.join(URL(link, encoded=True)).with_user(None).with_fragment(None)
        return target if target.origin() == source.origin() else None
    except ValueError:
        return None


def _status(error: errors.SourceError) -> int | None:
    return error.__cause__.status if isinstance(error.__cause__, Refusal) else None
