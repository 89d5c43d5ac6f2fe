"""Docker Hub's rows, of every age, as records.

Facts about the rows are from observed answers of the Docker Hub API. Every field may be absent or null. What
a record cannot hold (text without bounds, counts beyond 64 bits, names that no reference can have) does not
get past this module.
"""

import msgspec
from msgspec import Raw, Struct

from hubindex import kinds
from hubindex.digests import digest_bytes
from hubindex.kinds import Kind
from hubindex.moment import from_rfc3339
from hubindex.records import PlatformImage, Repository, RepositoryPage, Tag, TagPage
from hubindex.reference import is_tag
from hubindex.sources.complaints import Complaints
from hubindex.sources.hub.envelope import PageDecoder, Row, RowDecoder
from hubindex.sources.hub.names import OFFICIAL_NAMESPACE, is_repository
from hubindex.sources.media_type import media_type
from hubindex.sources.platform_name import ATTESTATION, platform_name
from hubindex.text import quote, storable

_MAX_DESCRIPTION = 4000
_MAX_IMAGES = 1000
_MAX_COUNT = 2**63


class _SearchRow(Row):
    name: str = msgspec.field(name="repo_name", default="")
    short_description: str | None = None
    star_count: int | str | None = None
    pull_count: int | str | None = None
    is_automated: bool | None = None
    is_official: bool | None = None


class _RepositoryRow(Row):
    namespace: str | None = None
    repository_type: str | None = None
    is_private: bool | None = None
    description: str | None = None
    star_count: int | str | None = None
    pull_count: int | str | None = None
    is_automated: bool | None = None
    last_updated: str | None = None
    date_registered: str | None = None
    content_types: list[str] | None = None
    media_types: list[str] | None = None


class _TagRow(Row):
    digest: str | None = None
    media_type: str | None = None
    content_type: str | None = None
    full_size: int | str | None = None
    tag_last_pushed: str | None = None
    last_updated: str | None = None
    images: Raw = Raw(b"null")


class _ImageRow(Struct, gc=False):
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = None
    digest: str | None = None
    size: int | str | None = None


_search_pages = PageDecoder(_SearchRow)
_repository_pages = PageDecoder(_RepositoryRow)
_repositories = RowDecoder(_RepositoryRow)
_tag_pages = PageDecoder(_TagRow)
_image_lists = msgspec.json.Decoder(list[_ImageRow] | None)


def search_page(body: bytes, term: str, observed_at: int) -> RepositoryPage:
    """A page of search results. An official image has a bare name here: `nginx` is `library/nginx`.

    Raises `msgspec.DecodeError` if the body is no list of rows.
    """
    complaints = Complaints(f"search {quote(term, 60)}")
    page = _search_pages.decode(body, complaints)
    found = []
    for position, row in enumerate(page.rows):
        name = row.name if "/" in row.name else f"{OFFICIAL_NAMESPACE}/{row.name}"
        if not is_repository(name):
            complaints.add(position, row.name, "left out, because its name is not a repository name")
            continue
        found.append(
            Repository(
                name=name,
                description=_description(row.short_description),
                star_count=_count(row.star_count),
                pull_count=_count(row.pull_count),
                is_official=row.is_official,
                is_automated=row.is_automated,
            )
        )
    return RepositoryPage(
        repositories=tuple(found),
        count=page.count,
        more=page.more,
        observed_at=observed_at,
        warnings=complaints.warnings(),
    )


def namespace_page(body: bytes, namespace: str, observed_at: int) -> RepositoryPage:
    """A page of a namespace's repositories, without private ones.

    Raises `msgspec.DecodeError` if the body is no list of rows.
    """
    complaints = Complaints(f"repositories of {namespace}")
    page = _repository_pages.decode(body, complaints)
    found = []
    for position, row in enumerate(page.rows):
        if row.is_private:
            continue
        name = f"{row.namespace or namespace}/{row.name}"
        if not is_repository(name):
            complaints.add(position, row.name, "left out, because its name is not a repository name")
        elif row.namespace and row.namespace != namespace:
            complaints.add(position, name, "left out, because it is in another namespace")
        else:
            found.append(_repository(name, row))
    return RepositoryPage(
        repositories=tuple(found),
        count=page.count,
        more=page.more,
        observed_at=observed_at,
        warnings=complaints.warnings(),
    )


def repository(body: bytes, name: str) -> Repository:
    """The repository `name`. Raises `msgspec.DecodeError` if the body describes another one or none."""
    row = _repositories.decode(body, Complaints(name))
    said = f"{row.namespace or name.partition('/')[0]}/{row.name}"
    if said != name:
        raise msgspec.ValidationError(f"describes {quote(said)}" if row.name else "no repository")
    return _repository(name, row)


def _repository(name: str, row: _RepositoryRow) -> Repository:
    return Repository(
        name=name,
        description=_description(row.description),
        star_count=_count(row.star_count),
        pull_count=_count(row.pull_count),
        is_official=name.startswith(f"{OFFICIAL_NAMESPACE}/"),
        is_automated=row.is_automated,
        updated_at=_moment(row.last_updated),
        registered_at=_moment(row.date_registered),
        kinds=kinds.of_repository(row.repository_type, row.content_types, row.media_types),
    )


def tag_page(body: bytes, name: str, observed_at: int) -> TagPage:
    """A page of the tags of the repository `name`.

    Raises `msgspec.DecodeError` if the body is no list of rows.
    """
    complaints = Complaints(f"tags of {name}")
    page = _tag_pages.decode(body, complaints)
    reader = _TagReader(complaints)
    tags = [tag for position, row in enumerate(page.rows) if (tag := reader.tag(position, row)) is not None]
    return TagPage(
        tags=tuple(tags),
        count=page.count,
        more=page.more,
        observed_at=observed_at,
        warnings=complaints.warnings(),
        unreadable=len(page.rows) - len(tags),
    )


class _Unusable(Exception):
    """An image list that cannot be used, and why."""


class _TagReader:
    """Reads the tag rows of one page; what aliases have in common is read once."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._known: dict[str, tuple[bytes, tuple[PlatformImage, ...]]] = {}
        self._media_types: dict[str | None, str | None] = {}
        self._kinds: dict[tuple[str | None, str | None, bool], Kind | None] = {}
        self._platforms: dict[tuple[str | None, str | None, str | None, str | None], str] = {}

    def tag(self, position: int, row: _TagRow) -> Tag | None:
        """The tag of a row; without a tag name there is none."""
        if not is_tag(row.name):
            self._complaints.add(position, row.name, "left out, because its name is not a tag name")
            return None
        known = self._known.get(row.digest or "")
        digest, images = known if known else self._read_content(position, row)
        try:
            its_type = self._media_types[row.media_type]
        except KeyError:
            its_type = self._media_types[row.media_type] = media_type(row.media_type)
        return Tag(
            name=row.name,
            digest=digest,
            media_type=its_type,
            size=_count(row.full_size),
            pushed_at=_moment(row.tag_last_pushed) or _moment(row.last_updated),
            kind=self._kind(row, images),
            images=images,
        )

    def _kind(self, row: _TagRow, images: tuple[PlatformImage, ...]) -> Kind | None:
        unknown = kinds.UNKNOWN_PLATFORM  # sorted by platform: if the first and the last are so, all are
        has_platforms = bool(images) and (images[0].platform != unknown or images[-1].platform != unknown)
        told = row.content_type, row.media_type, has_platforms
        try:
            return self._kinds[told]
        except KeyError:
            kind = kinds.of_content(row.content_type, row.media_type, has_platforms=has_platforms)
            return self._kinds.setdefault(told, kind)

    def _read_content(self, position: int, row: _TagRow) -> tuple[bytes | None, tuple[PlatformImage, ...]]:
        """What the tag points to: its digest and its platform images."""
        images = self._read_images(position, row)
        if not row.digest:
            single = len(images) == 1 and _is_single(row)
            return images[0].digest if single else None, images
        digest = digest_bytes(row.digest)
        if digest is None:
            self._complaints.add(position, row.name, f"{quote(row.digest)} is not a digest")
        elif images:
            self._known[row.digest] = digest, images
        return digest, images

    def _read_images(self, position: int, row: _TagRow) -> tuple[PlatformImage, ...]:
        try:
            return self._platform_images(row.images)
        except _Unusable as unusable:
            why = str(unusable)
        except (msgspec.DecodeError, UnicodeDecodeError):
            why = "not a list of images"
        self._complaints.add(position, row.name, f"its images are not used: {why}")
        return ()

    def _platform_images(self, raw: Raw) -> tuple[PlatformImage, ...]:
        """The images of a list, sorted by platform and digest, without attestations.

        A list with an image without a digest, as rows had before 2019, or with one that is not understood is not
        used at all: the platform missing from it would look as if it had been removed.
        """
        rows = _image_lists.decode(raw) or []
        if len(rows) > _MAX_IMAGES:
            raise _Unusable(f"more than {_MAX_IMAGES:,}")
        platforms = self._platforms
        found: dict[tuple[str, bytes], int | None] = {}
        for row in rows:
            parts = (row.os, row.architecture, row.variant, row.os_version)
            platform = platforms.get(parts)
            if platform is None:
                platform = platforms[parts] = _platform(*parts)
            if platform == ATTESTATION:
                continue
            if not row.digest:
                return ()
            digest = digest_bytes(row.digest)
            if digest is None:
                raise _Unusable(f"{quote(row.digest)} is not a digest")
            found[platform, digest] = _count(row.size)
        return tuple([PlatformImage(platform, digest, size) for (platform, digest), size in sorted(found.items())])


def _is_single(row: _TagRow) -> bool:
    """Whether the row's image is all that the tag points to, so that both have one digest.

    Not if an attestation stands beside it, or if the tag is said to be an index (of one platform).
    """
    media_type = row.media_type or ""
    if "index" in media_type or "list" in media_type:
        return False
    return len(_image_lists.decode(row.images) or []) == 1


def _platform(os: str | None, architecture: str | None, variant: str | None, os_version: str | None) -> str:
    try:
        return platform_name(os, architecture, variant, os_version)
    except ValueError as error:
        raise _Unusable(str(error)) from None


def _count(value: int | str | None) -> int | None:
    """A count or a size; a negative or absurd one is not known. Some answers have it as a text of digits."""
    if type(value) is int:
        return value if 0 <= value < _MAX_COUNT else None
    if type(value) is str:
        if len(value) > 19 or not value.isascii() or not value.isdigit():
            return None
        return _count(int(value))
    return None


def _moment(text: str | None) -> int | None:
    return from_rfc3339(text) if text else None


def _description(text: str | None) -> str | None:
    return None if text is None else storable(text, _MAX_DESCRIPTION)
