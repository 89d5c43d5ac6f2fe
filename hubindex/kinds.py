"""What a tag or a repository holds: an image, a Helm chart, a model; or something that belongs to an image.

A registry keeps more than images. Docker Hub names what a tag holds by `content_type` and by the media type of its
config. Signatures, attestations and SBOMs have no content type of their own: clients push them under a tag whose
name is the digest of the image that they belong to.
"""

import re
from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import Final

UNKNOWN_PLATFORM: Final = "unknown/unknown"
"""The platform of what is no platform image, where a source lists it like one."""

UNKNOWN: Final = "unknown"
"""The kind of what no source has told the kind of."""


class Kind(IntEnum):
    """What a tag holds, by the number that the index stores; the larger number says more of the same content."""

    IMAGE = 1
    ARTIFACT = 2
    HELM_CHART = 3
    MODEL = 4
    PLUGIN = 5
    WASM = 6
    VOLUME = 7
    COMPOSE = 8


_TEXTS = {
    Kind.IMAGE: "image",
    Kind.ARTIFACT: "artifact",
    Kind.HELM_CHART: "helm chart",
    Kind.MODEL: "model",
    Kind.PLUGIN: "plugin",
    Kind.WASM: "wasm",
    Kind.VOLUME: "volume",
    Kind.COMPOSE: "compose",
}
IMAGE: Final = _TEXTS[Kind.IMAGE]

_CONTENT_TYPES = {
    "image": Kind.IMAGE,
    "helm": Kind.HELM_CHART,
    "model": Kind.MODEL,
    "plugin": Kind.PLUGIN,
    "wasm": Kind.WASM,
    "volume": Kind.VOLUME,
    "compose": Kind.COMPOSE,
}
"""Docker Hub's `content_type`; it has `unrecognized` for whatever else there is."""

_MEDIA_TYPES = (
    ("application/vnd.cncf.helm.", Kind.HELM_CHART),
    ("application/vnd.docker.ai.", Kind.MODEL),
    ("application/vnd.cncf.model.", Kind.MODEL),
    ("application/vnd.docker.plugin.", Kind.PLUGIN),
    ("application/vnd.docker.volume.", Kind.VOLUME),
    ("application/vnd.docker.compose.", Kind.COMPOSE),
    ("application/vnd.docker.container.image.", Kind.IMAGE),
    ("application/vnd.oci.image.config.", Kind.IMAGE),
    ("application/vnd.docker.distribution.manifest.list.", Kind.IMAGE),
    ("application/vnd.docker.distribution.manifest.v1+", Kind.IMAGE),
)
"""Beginnings of media types. Those of a plain manifest or of an OCI index may hold anything and are not here."""

# cosign's tags (SIGNATURE_SPEC.md, ATTESTATION_SPEC.md, SBOM_SPEC.md), and the "referrers tag schema" of the OCI
# distribution specification 1.1, which cuts the digits after 64.
_ATTACHED_NAME = r"(?:sha256-[0-9a-f]{64}|sha(?:384|512)-[0-9a-f]{64,118})(?:\.(.+))?"
_SUFFIXES = {None: "referrers", "sig": "signature", "att": "attestation", "sbom": "sbom"}
_ATTACHMENT = "attachment"
_SAID = 1 << 14  # in the number for a repository's kinds: as the source said, before any of its tags was seen
ATTACHED = frozenset({*_SUFFIXES.values(), _ATTACHMENT})
"""The kinds of what belongs to an image, told by the name of its tag."""


def of_content(
    content_type: str | None, media_type: str | None = None, *, has_platforms: bool = False
) -> Kind | None:
    """What a source says that a tag holds; None: it does not say.

    `has_platforms` tells that it lists images for known platforms, as rows did long before they had types.
    """
    by_media = _of_media_type(media_type)
    by_content = _CONTENT_TYPES.get(content_type, Kind.ARTIFACT) if content_type else None
    if by_content in {None, Kind.ARTIFACT, Kind.IMAGE} and by_media is not None:
        return by_media
    if by_content in {None, Kind.ARTIFACT} and has_platforms:
        return Kind.IMAGE
    return by_content


def of_repository(
    repository_type: str | None, content_types: Iterable[str] | None, media_types: Iterable[str] | None
) -> frozenset[Kind]:
    """What a source says that a repository holds; empty: it does not say."""
    found = {of_content(content_type) for content_type in content_types or ()}
    found |= {_of_media_type(media_type) for media_type in media_types or ()}
    if repository_type and "plugin" in repository_type:
        found.add(Kind.PLUGIN)
    return frozenset(kind for kind in found if kind is not None)


def _of_media_type(media_type: str | None) -> Kind | None:
    if not media_type:
        return None
    for beginning, kind in _MEDIA_TYPES:
        if media_type.startswith(beginning):
            return kind
    return Kind.WASM if "wasm" in media_type else None


def attached(tag: str) -> str | None:
    """What a tag of this name attaches to an image: `signature`, `referrers`, …; None: its name is another one.

    The name is the digest of the image with `-` for `:`, and mostly a suffix: `sha256-<64 hex>.sig`.
    """
    if not tag.startswith("sha"):
        return None
    match = re.fullmatch(_ATTACHED_NAME, tag)  # compiled where it is needed: most questions have no such tag
    return None if match is None else _SUFFIXES.get(match[1], _ATTACHMENT)


def of_tag(name: str, number: int | None, platforms: Collection[str]) -> str:
    """The kind of a tag: one of `ATTACHED`, the text of a `Kind`, or `unknown`.

    `number` is the kind that is stored with its digest: None for an image with platforms, and if it is not known.
    """
    has_platforms = any(platform != UNKNOWN_PLATFORM for platform in platforms)
    by_name = attached(name)
    if by_name is not None and not (has_platforms and by_name in {"referrers", _ATTACHMENT}):
        return by_name  # some tools name images by their digests: these have platforms
    if number is None:
        return IMAGE if platforms else UNKNOWN
    return _TEXTS[Kind(number)]


def platforms_of(kind: str, platforms: Iterable[str]) -> tuple[str, ...]:
    """The platforms of a tag without the one that is none, if it holds no image."""
    return tuple(name for name in platforms if kind in {IMAGE, UNKNOWN} or name != UNKNOWN_PLATFORM)


def mask(kinds: Iterable[Kind]) -> int:
    """Several kinds as one number, a bit for each."""
    bits = 0
    for kind in kinds:
        bits |= 1 << kind - 1
    return bits


def said_of_repository(kinds: Collection[Kind], known: int | None) -> int | None:
    """The number for the kinds of a repository, of which the source said `kinds` and the index has `known`.

    What its tags hold is known better: the source counts the images in which signatures are wrapped.
    """
    if not kinds or (known is not None and not known & _SAID):
        return known
    return mask(kinds) | _SAID


def seen_in_tags(tags: Collection[tuple[str, Kind | None]], known: int | None) -> int | None:
    """The number for the kinds of a repository, of which tags were seen: (name, kind); signatures do not count."""
    before = 0 if known is None or known & _SAID else known
    told = {kind for _, kind in tags if kind is not None and not before >> kind - 1 & 1}
    if not told:  # as nearly always
        return known
    fresh = {kind for name, kind in tags if kind in told and attached(name) is None}
    return before | mask(fresh) if fresh else known


def of_mask(bits: int | None, *, is_official: bool = False) -> str:
    """The kinds of a repository, `helm chart, image`; the most special first. Official ones are images.

    An artifact of no known kind is named only if there is nothing else.
    """
    found = [kind for kind in Kind if (bits or 0) >> kind - 1 & 1]
    named = [kind for kind in found if kind is not Kind.ARTIFACT] or found
    if not named:
        return IMAGE if is_official else UNKNOWN
    return ", ".join(_TEXTS[kind] for kind in reversed(named))
