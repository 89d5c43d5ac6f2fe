"""What the stand-in Hub holds: repositories, their tags and images, plain and mutable.

Times are the texts that go on the wire (`2024-03-01T12:00:00.123456Z`, 0 to 9 digits), so that a test
decides every digit of them; `None` is sent as null.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGE_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"

ARTIFACTS = {
    "helm": "application/vnd.cncf.helm.config.v1+json",
    "model": "application/vnd.docker.ai.model.config.v0.1+json",
    "plugin": "application/vnd.docker.plugin.v1+json",
    "wasm": "application/vnd.wasm.config.v0+json",
    "unrecognized": "application/octet-stream",
}
"""The `media_type` of what is no image, by `content_type`."""

BOTH = ("linux/amd64", "linux/arm64/v8")


def digest_of(text: str) -> str:
    """The `sha256:…` digest of a text: the same text always has the same digest."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def moment_key(moment: str | None) -> tuple[str, str]:
    """Something to sort wire times by, whatever their number of digits; null is the oldest."""
    if moment is None:
        return ("", "")
    seconds, _, fraction = moment.removesuffix("Z").partition(".")
    return (seconds, fraction.ljust(9, "0"))


@dataclass
class FakeImage:
    """One member of a tag's `images`. An `unknown`/`unknown` one is an attestation."""

    architecture: str = "amd64"
    os: str = "linux"
    variant: str | None = None
    os_version: str | None = None
    digest: str | None = None
    size: int = 30_000_000
    status: str = "active"
    last_pushed: str | None = None
    last_pulled: str | None = None

    @classmethod
    def of(cls, platform: str, *, content: str, pushed_at: str | None = None) -> "FakeImage":
        """The image with this content for `os/architecture[/variant][:os.version]`."""
        path, _, os_version = platform.partition(":")
        os, architecture, variant = (*path.split("/"), None)[:3]
        digest = digest_of(f"image {platform} {content}")
        return cls(
            architecture=architecture or "",
            os=os or "",
            variant=variant,
            os_version=os_version or None,
            digest=digest,
            size=5_000_000 + int(digest[-7:], 16),
            last_pushed=pushed_at,
        )

    @classmethod
    def attestation(cls, subject: "FakeImage", *, content: str) -> "FakeImage":
        """The attestation manifest that a build tool puts beside an image."""
        return cls(
            architecture="unknown",
            os="unknown",
            digest=digest_of(f"attestation {subject.digest} {content}"),
            size=4_000_000,
            last_pushed=subject.last_pushed,
        )


@dataclass
class FakeTag:
    """A tag. `era` decides which keys its row has: 2016, 2018, 2019, 2022, 2023 or 2026.

    `content_type` is `image`, `helm`, `model`, `plugin`, `wasm`, `volume`, `compose` or `unrecognized`. `images`
    of `None` leaves the key out, a `digest` of `None` likewise. `id` never changes.
    """

    name: str
    id: int
    digest: str | None = None
    media_type: str | None = None
    content_type: str | None = "image"
    images: list[FakeImage] | None = field(default_factory=list)
    full_size: int = 0
    pushed_at: str | None = None
    pulled_at: str | None = None
    status: str = "active"
    era: int = 2026


@dataclass
class FakeRepository:
    """A repository by its full path, `library/mongo`, with its tags, the last one pushed first.

    `era` decides which keys its own row has: 2015, 2019 or 2025. A `full_description` of
    `None` leaves the key out. `last_updated` follows the pushes.
    """

    path: str
    id: int
    description: str | None = ""
    full_description: str | None = ""
    star_count: int = 0
    pull_count: int = 0
    is_automated: bool = False
    is_official: bool | None = None
    repository_type: str | None = "image"
    last_updated: str | None = None
    last_modified: str | None = None
    date_registered: str | None = "2014-06-05T19:14:45Z"
    categories: list[tuple[str, str]] = field(default_factory=list)
    era: int = 2025
    tags: list[FakeTag] = field(default_factory=list)
    _tags_made: int = 0

    def __post_init__(self) -> None:
        if self.is_official is None:
            self.is_official = self.namespace == "library"

    @property
    def namespace(self) -> str:
        """`library` of `library/mongo`."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        """`mongo` of `library/mongo`."""
        return self.path.partition("/")[2]

    @property
    def search_name(self) -> str:
        """The name that search prints: without `library/`."""
        return self.path.removeprefix("library/")

    def tag(self, name: str) -> FakeTag:
        """The tag of that name, or `KeyError`."""
        for tag in self.tags:
            if tag.name == name:
                return tag
        raise KeyError(name)

    def push(
        self,
        *names: str,
        at: str | None = "2024-03-01T12:00:00.123456Z",
        platforms: Sequence[str] | Mapping[str, str] = BOTH,
        content: str | None = None,
        attestations: bool = False,
        media_type: str | None = None,
        status: str = "active",
        pulled_at: str | None = None,
        era: int = 2026,
    ) -> FakeTag:
        """Push one image or index under each of `names`, and return the tag of the first name.

        All digests come from `content` (by default: made of the first name and `at`), so that the same
        content on the same platforms has the same digests in any repository. `platforms` may instead give
        a content for each platform: then only the platforms whose content changed get a new digest.
        A single platform without attestations is a plain image: the tag has the image's digest and the
        media type of its config. A tag that exists moves and keeps its id.
        """
        if content is None:
            content = f"{self.path}:{names[0]} {at}"
        contents = platforms if isinstance(platforms, Mapping) else dict.fromkeys(platforms, content)
        images = [FakeImage.of(platform, content=text, pushed_at=at) for platform, text in contents.items()]
        full_size = next((image for image in images if image.architecture == "amd64"), images[0]).size
        if attestations:
            pairs = [(image, FakeImage.attestation(image, content=content)) for image in images]
            images = [image for pair in pairs for image in pair]
        digest, natural_type = images[0].digest, IMAGE_CONFIG
        if len(images) > 1:
            members = " ".join(f"{image.digest}" for image in images)
            digest, natural_type = digest_of(f"index {content} {members}"), OCI_INDEX
        for image in images:
            image.status, image.last_pulled = status, pulled_at
        for name in reversed(names):
            self.put(
                FakeTag(
                    name=name,
                    id=self._id_for(name),
                    digest=digest,
                    media_type=media_type or natural_type,
                    images=[replace(image) for image in images],
                    full_size=full_size,
                    pushed_at=at,
                    pulled_at=pulled_at,
                    status=status,
                    era=era,
                )
            )
        return self.tags[0]

    def push_artifact(
        self,
        name: str,
        content_type: str,
        *,
        at: str | None = "2024-03-01T12:00:00.123456Z",
        platform: str = "/",
        media_type: str | None = None,
    ) -> FakeTag:
        """Push what is no image. Its row lists one image all the same, mostly for a platform of empty texts."""
        image = FakeImage.of(platform, content=f"{self.path}:{name} {at}", pushed_at=at)
        self.put(
            FakeTag(
                name=name,
                id=self._id_for(name),
                digest=image.digest,
                media_type=media_type or ARTIFACTS[content_type],
                content_type=content_type,
                images=[image],
                full_size=image.size,
                pushed_at=at,
            )
        )
        return self.tags[0]

    def sign(self, name: str, *suffixes: str, at: str | None = "2024-03-01T13:00:00.123456Z") -> list[str]:
        """Push tags that belong to the content of a tag, as cosign does: `.sig`, `.att`, `.sbom`; "" for none.

        Returns the names. The Hub takes such things for images, by the media type of their config.
        """
        subject = self.tag(name).digest
        assert subject is not None
        names = [subject.replace(":", "-") + suffix for suffix in suffixes]
        for each in names:
            self.push_artifact(each, "image", at=at, media_type=OCI_CONFIG)
        return names

    def put(self, tag: FakeTag) -> None:
        """Put a tag first in the list, in place of one of the same name."""
        self.tags = [tag, *(other for other in self.tags if other.name != tag.name)]
        if moment_key(tag.pushed_at) > moment_key(self.last_updated):
            self.last_updated = tag.pushed_at

    def delete(self, name: str) -> None:
        """Delete a tag; `KeyError` if there is none of that name."""
        self.tags.remove(self.tag(name))

    def _id_for(self, name: str) -> int:
        for tag in self.tags:
            if tag.name == name:
                return tag.id
        self._tags_made += 1
        return self.id * 1_000_000 + self._tags_made
