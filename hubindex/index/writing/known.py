"""What a transaction knows of the tags and digests of a repository, as far as it has looked at their rows."""

from typing import NamedTuple

from hubindex.index.database.reader import Row
from hubindex.index.evidence.judge import Open, Sweeps
from hubindex.index.platforms import count
from hubindex.kinds import Kind
from hubindex.records import PlatformImage, Tag


class RepositoryRow(NamedTuple):
    """The columns of a repository that walks over its tags change."""

    last_tag_id: int
    last_digest_id: int
    swept_at: int | None
    partial_at: int | None
    partial_since: int | None
    updated_at: int | None
    missing_at: int | None
    gone_at: int | None
    walked_at: int | None
    walk_problem: str | None
    kinds: int | None


class RepositoryState:
    """A repository's own row, and what one transaction has learned and changed of its tags and digests."""

    def __init__(self, repository_id: int, row: RepositoryRow) -> None:
        self.repository_id = repository_id
        self.tags: dict[str, KnownTag] = {}
        self.digests: dict[bytes, KnownDigest] = {}
        self.loaded = row
        self.knows_all_tags = not row.last_tag_id  # it had none, so those in `tags` are all
        self.last_tag_id, self.last_digest_id = row.last_tag_id, row.last_digest_id
        self.sweeps = Sweeps(row.swept_at, row.partial_at, row.partial_since)
        self.updated_at = row.updated_at
        self.missing_at, self.gone_at = row.missing_at, row.gone_at
        self.walked_at, self.walk_problem = row.walked_at, row.walk_problem
        self.kinds = row.kinds

    def row(self) -> RepositoryRow:
        """Its row as it shall be."""
        return RepositoryRow(
            self.last_tag_id, self.last_digest_id, *self.sweeps,
            self.updated_at, self.missing_at, self.gone_at, self.walked_at, self.walk_problem,
            self.kinds,
        )  # fmt: skip


class KnownTag:
    """A tag's row with the digest of its open span; `is_stored` tells whether the database has a row of it."""

    __slots__ = ("closed_spans", "digest", "is_stored", "name", "span", "tag_id")

    def __init__(
        self, name: str, tag_id: int, span: Open, digest: "KnownDigest | None", closed_spans: int = 0
    ) -> None:
        self.name = name
        self.tag_id = tag_id
        self.span = span
        self.digest = digest
        self.closed_spans = closed_spans
        self.is_stored = False

    @classmethod
    def of_row(cls, row: Row) -> "KnownTag":
        """From a row of `tags_named` or `open_tags`."""
        name, tag_id, digest_id, pushed_at, first_seen_at, last_seen_at, gone_at, closed_spans = row[:8]
        seen_at, content, images, kind = row[8:]
        content = bytes(content) if content is not None else None
        span = Open(content, pushed_at, first_seen_at, last_seen_at, gone_at, seen_at)
        digest = None if digest_id is None else KnownDigest(digest_id, images and bytes(images), kind)
        known = cls(name, tag_id, span, digest, closed_spans)
        known.is_stored = True
        return known

    def evidence(self) -> Row:
        """The columns that observations change, in the order of the table."""
        digest_id = self.digest.digest_id if self.digest else None
        return digest_id, *self.span[1:5], self.closed_spans, self.span.seen_at

    def is_unchanged(self, tag: Tag, at: int) -> bool:
        """Whether an observation adds nothing at all; the question asked most."""
        span = self.span
        return (
            span.content == tag.digest
            and span.pushed_at == tag.pushed_at
            and span.pushed_at is not None
            and span.last_seen_at is None
            and span.gone_at is None
            and at >= span.first_seen_at
            and self.digest is not None
            and (not tag.images or self.digest.has_as_many_as(tag.images))
            and (tag.kind or 0) <= self.digest.kind
        )


class KnownDigest:
    """A digest's number in its repository, and its packed platform images and its kind (or 0) as far as known.

    `seen` are the images it was last shown with: tags that share a digest mostly share this very object. `tags`
    are the names of those that point to it, while its row is not written yet.
    """

    __slots__ = ("digest_id", "images", "kind", "seen", "tags")

    def __init__(self, digest_id: int, images: bytes | None, kind: int | None = None) -> None:
        self.digest_id = digest_id
        self.images = images
        self.kind = kind or (int(Kind.IMAGE) if images else 0)
        self.seen: tuple[PlatformImage, ...] | None = None
        self.tags: dict[str, None] | None = None

    def has_as_many_as(self, images: tuple[PlatformImage, ...]) -> bool:
        """Whether the number of its platform images is known, and that of `images`."""
        return self.images is not None and count(self.images) == len(images)

    def stored_kind(self) -> int | None:
        """Its kind as the index stores it: not for images whose platforms are known, which are nearly all."""
        return None if self.images and self.kind == Kind.IMAGE else self.kind or None
