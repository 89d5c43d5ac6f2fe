"""The numbers of digests: each digest of a repository has one, and so have the platforms and media types."""

import struct

from hubindex.index.database.engine import Transaction
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import digest as digest_table
from hubindex.index.database.schema import digest_prefix
from hubindex.index.database.sql import Parameters
from hubindex.index.digest_names import DigestNames, split
from hubindex.index.platforms import pack, set_key
from hubindex.index.writing.known import KnownDigest, RepositoryState
from hubindex.index.writing.walks import PageOutcome
from hubindex.records import PlatformImage, Tag

_MAX_REMEMBERED = 10_000

_first_32_bits = struct.Struct(">i").unpack_from


class Numbers:
    """The numbers of platforms and media types, remembered between transactions."""

    def __init__(self) -> None:
        self.platforms: dict[str, int] = {}
        self._media_types: dict[str, int] = {}

    def platform(self, tx: Transaction, name: str) -> int:
        """The number of a platform name, given out on first use."""
        number = self.platforms.get(name)
        if number is None:
            if len(self.platforms) >= _MAX_REMEMBERED:
                self.platforms.clear()
            number = self.platforms[name] = _number(tx, "platform", name)
        return number

    def media_type(self, tx: Transaction, name: str | None) -> int | None:
        """The number of a media type, given out on first use."""
        if name is None:
            return None
        number = self._media_types.get(name)
        if number is None:
            if len(self._media_types) >= _MAX_REMEMBERED:
                self._media_types.clear()
            number = self._media_types[name] = _number(tx, "media_type", name)
        return number

    def forget(self) -> None:
        """After a rollback: numbers given out in it are void."""
        self.platforms.clear()
        self._media_types.clear()


class DigestWriter:
    """Gives numbers to the contents that tags bring, and gathers their rows; `flush` writes them."""

    def __init__(self, tx: Transaction, numbers: Numbers) -> None:
        self._tx = tx
        self._numbers = numbers
        self._digests: list[tuple[Row, KnownDigest]] = []
        self._prefixes: list[Row] = []
        self._described: list[Parameters] = []
        self._kinds: list[Parameters] = []
        self._names = DigestNames(tx)

    @property
    def pending(self) -> int:
        """How many rows wait."""
        return len(self._digests) + len(self._prefixes)

    def flush(self) -> None:
        """Write what was gathered."""
        self._insert()
        self._tx.insert(digest_prefix, self._prefixes)
        self._tx.run("describe_digest", *self._described)
        self._names.flush()
        self._tx.run("name_digest_kind", *self._kinds)
        for _, digest in self._digests:
            digest.tags = None
        self._digests, self._prefixes, self._described, self._kinds = [], [], [], []

    def _insert(self) -> None:
        rows, pieces = [], []
        for row, known in self._digests:
            names, others = split(known.tags or ())
            rows.append((*row, names or None, known.stored_kind()))
            if others:
                pieces.append((row[0], row[1], others))
        self._tx.insert(digest_table, rows)
        for repository_id, digest_id, others in pieces:
            self._names.add_piece(repository_id, digest_id, others)

    def load(self, state: RepositoryState, tags: list[Tag]) -> None:
        """Look at the rows of the contents of some tags, so that they are known."""
        if not state.last_digest_id:
            return
        wanted = {tag.digest for tag in tags if tag.digest}
        for images in {id(tag.images): tag.images for tag in tags}.values():  # aliases share theirs
            wanted.update([image.digest for image in images])
        wanted.update(content_key(tag.images) for tag in tags if tag.digest is None and tag.images)
        prefixes = sorted({_prefix(digest) for digest in wanted if digest not in state.digests})
        if not prefixes:
            return
        rows = self._tx.query("digests_by_prefix", repository_id=state.repository_id, prefixes=prefixes)
        for content, digest_id, images, kind in rows:
            state.digests.setdefault(bytes(content), KnownDigest(digest_id, images and bytes(images), kind))

    def number(
        self, state: RepositoryState, content: bytes | None, tag: Tag, outcome: PageOutcome
    ) -> KnownDigest | None:
        """The content with its number, given out if it is new; platform images not known before are added."""
        if content is None:
            return None
        known = state.digests.get(content)
        if known is None:
            known = self._new_digest(state, content)
            row = self._describe(state, known, tag)
            self._digests.append(((state.repository_id, known.digest_id, content, *row), known))
            self._prefixes.append((_prefix(content), state.repository_id, known.digest_id, 0))
        elif known.images is None and tag.images:
            media_type_id, size, packed = self._describe(state, known, tag)
            self._described.append(
                {
                    "repository_id": state.repository_id,
                    "digest_id": known.digest_id,
                    "media_type_id": media_type_id,
                    "size": size,
                    "images": packed,
                    "kind": known.stored_kind(),
                }
            )
        elif tag.images and tag.images is not known.seen and tag.digest == content:
            known.seen = tag.images
            if self.packed(state, tag.images) != known.images:
                outcome.warnings.append(
                    f"tag {tag.name}: a known digest was shown with other platform images: kept what was known"
                )
        if tag.kind is not None and tag.kind > known.kind and tag.digest in {None, content}:
            known.kind = int(tag.kind)
            outcome.news += 1
            self._kinds.append(
                {"repository_id": state.repository_id, "digest_id": known.digest_id, "kind": known.kind}
            )
        return known

    def _describe(self, state: RepositoryState, known: KnownDigest, tag: Tag) -> Row:
        """Media type, size and packed images of a tag's digest; images not known before get their numbers."""
        known.seen = tag.images
        known.images = self._images(state, known, tag.images) if tag.images else None
        known.kind = max(known.kind, int(tag.kind or 0))
        return self._numbers.media_type(self._tx, tag.media_type), tag.size, known.images

    def _images(self, state: RepositoryState, index: KnownDigest, images: tuple[PlatformImage, ...]) -> bytes:
        repository_id, index_id, digests = state.repository_id, index.digest_id, state.digests
        platforms, pairs, members = self._numbers.platforms, [], set()
        for image in images:
            digest = image.digest
            known = digests.get(digest)
            if known is None:
                known = self._new_digest(state, digest)
                self._digests.append(((repository_id, known.digest_id, digest, None, image.size, None), known))
            digest_id = known.digest_id
            if digest_id != index_id and digest_id not in members:
                members.add(digest_id)
                self._prefixes.append((_prefix(digest), repository_id, digest_id, index_id))
            platform_id = platforms.get(image.platform) or self._numbers.platform(self._tx, image.platform)
            pairs.append((platform_id, digest_id))
        return pack(pairs)

    def _new_digest(self, state: RepositoryState, content: bytes) -> KnownDigest:
        state.last_digest_id += 1
        known = state.digests[content] = KnownDigest(state.last_digest_id, None)
        known.tags = {}
        return known

    def packed(self, state: RepositoryState, images: tuple[PlatformImage, ...]) -> bytes | None:
        """The packed form of images that are all known already, else None."""
        pairs = []
        for image in images:
            known = state.digests.get(image.digest)
            if known is None:
                return None
            pairs.append((self._numbers.platform(self._tx, image.platform), known.digest_id))
        return pack(pairs)

    def hold(self, state: RepositoryState, digest: KnownDigest | None, name: str) -> None:
        """Remember with a digest that a tag points or pointed to it."""
        if digest is None:
            return
        if digest.tags is None:
            self._names.add(state.repository_id, digest.digest_id, name)
        else:
            digest.tags[name] = None


def content_key(images: tuple[PlatformImage, ...]) -> bytes:
    """What platform images are kept under while the digest of their index is not known."""
    return set_key((image.platform, image.digest) for image in images)


def _prefix(content: bytes) -> int:
    return int(_first_32_bits(content)[0])


def _number(tx: Transaction, kind: str, name: str) -> int:
    tx.run(f"add_{kind}", {"name": name})
    return int(tx.value(f"{kind}_id", name=name))
