"""What a manifest and the configuration of an image say: platforms, layers, how it is started, what it is made of.

The fields are those of the OCI image specification 1.1 (`manifest.md`, `image-index.md`, `config.md`) and of
Docker's schema 2. Whatever stands in a configuration is its builder's claim. Times are UTC milliseconds, digests
raw bytes, sizes bytes.
"""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from hubindex.digests import digest_text
from hubindex.kinds import Kind
from hubindex.records import PlatformImage, Tag


class Descriptor(Struct, frozen=True, gc=False):
    """What a manifest says of something that it refers to. `size` is the number of its bytes."""

    digest: bytes
    media_type: str | None = None
    size: int | None = None


class ImageConfig(Struct, frozen=True, kw_only=True):
    """The configuration of an image. `created_at` is a claim, and no time of a push.

    `ports` are as in `80/tcp`, `env` as in `NAME=value`. `diff_ids` are the digests of its unpacked layers, the
    lowest first; `history` is how each step was made, empty ones too.
    """

    created_at: int | None = None
    platform: str | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str | None = None
    working_dir: str | None = None
    stop_signal: str | None = None
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    diff_ids: tuple[bytes, ...] = ()
    history: tuple[str, ...] = ()


class Contents(Struct, frozen=True, kw_only=True):
    """A manifest whose digest was checked, and what it refers to.

    `images` are the platform images of an index, or the image itself; `attestations` are members of an index that
    are about its images. `config` and `layers` are those of a manifest, `image` is the configuration where there
    is one and it was read. `problem` says why the contents are not known, if they are not.
    """

    digest: bytes
    media_type: str | None = None
    kind: Kind | None = None
    images: tuple[PlatformImage, ...] = ()
    attestations: tuple[bytes, ...] = ()
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    annotations: dict[str, str] = {}
    artifact_type: str | None = None
    subject: bytes | None = None
    image: ImageConfig | None = None
    problem: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether it is a list of images."""
        return self.config is None and any(image.digest != self.digest for image in self.images)

    @property
    def size(self) -> int | None:
        """Bytes of the configuration and all layers, as they are sent; None where one is not known.

        Of an index it is the size of its image for linux/amd64, or of the first.
        """
        if self.images and self.config is None:
            chosen = next((image for image in self.images if image.platform == "linux/amd64"), self.images[0])
            return chosen.size
        sizes = [part.size for part in (self.config, *self.layers) if part is not None]
        known = [size for size in sizes if size is not None]
        return sum(known) if sizes and len(known) == len(sizes) else None

    def described(self, tag: Tag) -> Tag:
        """A tag that points to it, with what there is to be said of it."""
        return msgspec.structs.replace(
            tag, media_type=self.media_type or tag.media_type, size=self.size, kind=self.kind or tag.kind,
            images=self.images,
        )  # fmt: skip


def chain_ids(diff_ids: Sequence[bytes]) -> list[bytes]:
    """What identifies the file system after each layer, the lowest first: the ChainID of the OCI specification."""
    found: list[bytes] = []
    for diff_id in diff_ids:
        if found:
            text = f"{digest_text(found[-1])} {digest_text(diff_id)}"
            found.append(hashlib.sha256(text.encode()).digest())
        else:
            found.append(diff_id)
    return found
