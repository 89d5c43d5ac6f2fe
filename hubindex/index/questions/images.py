"""One image: what a tag points to, and what its manifest and its configuration say."""

from typing import NamedTuple

from hubindex.contents import Contents
from hubindex.digests import digest_bytes, digest_text
from hubindex.errors import NoAnswer, WrongUsage
from hubindex.index.content_rows import contents_of
from hubindex.index.database.reader import Reader
from hubindex.index.questions.history import resolve
from hubindex.index.questions.origins import Origins, origins
from hubindex.index.questions.repositories import RepositoryFacts, TagFacts, tags
from hubindex.platform import Platform
from hubindex.reference import Reference

_DEFAULT_PLATFORM = "linux/amd64"


class ImageFacts(NamedTuple):
    """What a tag, or a digest, is.

    `tag` has the facts of the last look at the tag, None for a digest. `digest` is what the tag points to, and
    `image_digest` the image in it for `platform`. `contents` are those of that image, None where the index does
    not have them, `image_index` those of the index that it is in.
    """

    reference: Reference
    tag: TagFacts | None
    digest: str | None
    platform: str | None
    platforms: tuple[str, ...]
    image_digest: str | None
    image_index: Contents | None
    contents: Contents | None
    origins: Origins


def image(
    reader: Reader, repository: RepositoryFacts, reference: Reference, platform: Platform | None = None
) -> ImageFacts:
    """The image of a tag as of the last look at it, or of a digest.

    Of several platforms it is that of `platform`, by default linux/amd64, or else the first. Raises `NoAnswer`.
    """
    tag = None
    if reference.digest is None:
        tag = next((each for each in tags(reader, repository) if each.name == reference.tag), None)
        digest = tag.digest if tag is not None else resolve(reader, reference).digest
    else:
        digest = reference.digest
    raw = None if digest is None else digest_bytes(digest)
    outer = None if raw is None else contents_of(reader, [raw]).get(raw)
    if reference.digest is not None and outer is None:
        raise NoAnswer(f"the contents of {reference.familiar} are not in the index")
    platforms = tag.platforms if tag is not None else _platforms(outer)
    chosen = _chosen(platforms, platform, reference)
    image_digest = digest
    if chosen is not None and tag is not None:
        image_digest = _image_for(reader, reference, chosen) or digest
    elif chosen is not None and outer is not None:
        image_digest = next((digest_text(each.digest) for each in outer.images if each.platform == chosen), digest)
    inner_raw = None if image_digest is None else digest_bytes(image_digest)
    inner = outer
    if inner_raw is not None and inner_raw != raw:
        inner = contents_of(reader, [inner_raw]).get(inner_raw)
    is_index = outer is not None and outer.is_index
    known = inner if inner is not None and not inner.is_index else None
    return ImageFacts(
        reference, tag, digest, chosen, platforms, image_digest, outer if is_index else None, known,
        Origins() if known is None else origins(reader, known),
    )  # fmt: skip


def _platforms(contents: Contents | None) -> tuple[str, ...]:
    return () if contents is None else tuple(sorted({image.platform for image in contents.images}))


def _image_for(reader: Reader, reference: Reference, platform: str) -> str | None:
    """The image that the tag has for a platform of its list; None for one that has no proper name."""
    try:
        return resolve(reader, reference, None, Platform.parse(platform)).digest
    except WrongUsage:
        return None


def _chosen(platforms: tuple[str, ...], wanted: Platform | None, reference: Reference) -> str | None:
    if wanted is None:
        return _DEFAULT_PLATFORM if _DEFAULT_PLATFORM in platforms else next(iter(platforms), None)
    fitting = wanted.choose(platforms)
    if len(fitting) == 1:
        return fitting[0]
    why = f"several fit: {', '.join(fitting)}" if fitting else f"there are {', '.join(platforms) or 'none'}"
    raise NoAnswer(f"{reference.familiar} has no one image for {wanted}: {why}")
