"""The vocabulary between sources and index: what a source said, typed, without behaviour.

Times are UTC milliseconds since the epoch. Digests are raw bytes, whose number tells the
algorithm (`hubindex.digests`). `None` means that the source did not say.
"""

from msgspec import Struct

from hubindex.kinds import Kind


class Repository(Struct, frozen=True, kw_only=True):
    """A repository as one source described it.

    `name` is the path inside its registry (`library/mongo`). `updated_at` is its last push,
    `registered_at` its creation. `kinds` are what it holds, empty if the source did not say.
    """

    name: str
    description: str | None = None
    star_count: int | None = None
    pull_count: int | None = None
    is_official: bool | None = None
    is_automated: bool | None = None
    updated_at: int | None = None
    registered_at: int | None = None
    kinds: frozenset[Kind] = frozenset()


class RepositoryPage(Struct, frozen=True, kw_only=True):
    """One page of a list of repositories, in the order of the source.

    `count` is the source's own total, a hint. `more` tells whether the source says there is a next page.
    `warnings` names each row that could not be understood and was left out.
    """

    repositories: tuple[Repository, ...]
    count: int | None
    more: bool
    observed_at: int
    warnings: tuple[str, ...] = ()


class PlatformImage(Struct, frozen=True, gc=False):
    """One member of an image index, `size` in bytes, compressed.

    A platform is written as docker prints it: `linux/arm/v7`, `windows/amd64:10.0.17763.1`.
    """

    platform: str
    digest: bytes
    size: int | None


class Tag(Struct, frozen=True, kw_only=True):
    """What a source said about a tag at a moment.

    `digest` is that of the image index or of the single image manifest. `images` holds the platform images
    sorted by platform, without attestations; empty means that the source's list was absent or unreadable,
    never that there are none. `size` is the source's own figure in bytes. `pushed_at` is the registry's word
    for when the tag last moved. `kind` is what it holds, which for a signature or the like only its name tells.
    `observed_at` is when this very tag was asked for, None if that was with its page.
    """

    name: str
    digest: bytes | None = None
    media_type: str | None = None
    size: int | None = None
    pushed_at: int | None = None
    kind: Kind | None = None
    images: tuple[PlatformImage, ...] = ()
    observed_at: int | None = None


class TagPeriod(Struct, frozen=True, kw_only=True):
    """A stretch in which a tag pointed to a digest, by the registry's own word.

    `ended_at` is None for what lasted still when the registry was asked.
    """

    name: str
    digest: bytes
    started_at: int
    ended_at: int | None = None


class TagHistory(Struct, frozen=True, kw_only=True):
    """What a registry tells of the past of a repository's tags, or of one of them: by start, the oldest first.

    `observed_at` is the time of the first request. `complete` is false if a row could not be understood or the
    list did not end, as `warnings` tell: then a tag that is not in it may be there.
    """

    periods: tuple[TagPeriod, ...]
    observed_at: int
    complete: bool = True
    warnings: tuple[str, ...] = ()


class TagPage(Struct, frozen=True, kw_only=True):
    """One page of a repository's tag list; fields as in `RepositoryPage`.

    `unreadable` counts rows left out: a walk that met one proves nothing about absent tags.
    """

    tags: tuple[Tag, ...]
    count: int | None
    more: bool
    observed_at: int
    warnings: tuple[str, ...] = ()
    unreadable: int = 0


class RepositoryNames(Struct, frozen=True, kw_only=True):
    """One page of a registry's catalog: names of repositories that no page before had, as in `TagNames`."""

    names: tuple[str, ...]
    observed_at: int
    warnings: tuple[str, ...] = ()


class TagNames(Struct, frozen=True, kw_only=True):
    """The tags of a repository by name alone, as a registry lists them: distinct, in its order.

    `observed_at` is the time of the first request. `complete` is false if a page could not be trusted or a name
    was left out, as `warnings` tell: such a list proves nothing about absent tags.
    """

    names: tuple[str, ...]
    observed_at: int
    complete: bool
    warnings: tuple[str, ...] = ()
