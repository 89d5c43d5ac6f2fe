"""Manifests and image configurations, read from the bytes whose digest was checked.

The formats are those of the OCI image specification 1.1, of Docker's "Image Manifest Version 2, Schema 2", and, to
be refused, of schema 1. Text is cut to a bounded size, and so are lists: no real image comes near.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from hubindex import kinds
from hubindex.contents import Contents, Descriptor, ImageConfig
from hubindex.digests import digest_bytes, digest_text
from hubindex.kinds import Kind
from hubindex.moment import from_rfc3339
from hubindex.records import PlatformImage
from hubindex.sources.media_type import media_type
from hubindex.sources.platform_name import ATTESTATION, platform_name
from hubindex.text import quote, shown, storable

_OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"
_INDEXES = {_OCI_INDEX, _DOCKER_LIST}
_MANIFESTS = {_OCI_MANIFEST, _DOCKER_MANIFEST}
_CONFIGS = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
_EMPTY = "application/vnd.oci.empty.v1+json"
_REFERENCE_TYPE = "vnd.docker.reference.type"

ACCEPT: Final = ", ".join((_OCI_INDEX, _DOCKER_LIST, _OCI_MANIFEST, _DOCKER_MANIFEST))
"""All four, always: a registry answers 404 for a manifest of a type that was not asked for, or converts it."""

MAX_MANIFEST: Final = 8 * 1024 * 1024
"""Registries take manifests of 4 MiB (OCI distribution specification 1.1, "Pushing Manifests")."""

MAX_CONFIG: Final = 8 * 1024 * 1024

_NOT_UNDERSTOOD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MAX_PARTS = 1000
_MAX_TEXTS = 500
_MAX_TEXT = 4000
_MAX_SIZE = 2**63


class _Platform(Struct):
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = msgspec.field(name="os.version", default=None)


class _Descriptor(Struct, rename="camel"):
    digest: str
    media_type: str | None = None
    size: int | None = None
    platform: _Platform | None = None
    annotations: dict[str, object] | None = None
    artifact_type: str | None = None


class _Manifest(Struct, rename="camel"):
    schema_version: object = None
    media_type: str | None = None
    manifests: list[_Descriptor] | None = None
    config: _Descriptor | None = None
    layers: list[_Descriptor] | None = None
    annotations: dict[str, object] | None = None
    artifact_type: str | None = None
    subject: _Descriptor | None = None
    fs_layers: object = msgspec.field(name="fsLayers", default=None)


class _Process(Struct):
    user: str | None = msgspec.field(name="User", default=None)
    ports: dict[str, object] | None = msgspec.field(name="ExposedPorts", default=None)
    env: list[str] | None = msgspec.field(name="Env", default=None)
    entrypoint: list[str] | str | None = msgspec.field(name="Entrypoint", default=None)
    command: list[str] | str | None = msgspec.field(name="Cmd", default=None)
    volumes: dict[str, object] | None = msgspec.field(name="Volumes", default=None)
    working_dir: str | None = msgspec.field(name="WorkingDir", default=None)
    labels: dict[str, object] | None = msgspec.field(name="Labels", default=None)
    stop_signal: str | None = msgspec.field(name="StopSignal", default=None)


class _RootFs(Struct):
    diff_ids: list[str] | None = None


class _Step(Struct):
    created_by: str | None = None
    comment: str | None = None


class _Config(Struct):
    created: str | None = None
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = msgspec.field(name="os.version", default=None)
    config: _Process | None = None
    rootfs: _RootFs | None = None
    history: list[_Step] | None = None


def require_digest(body: bytes, digest: bytes) -> None:
    """Raise `msgspec.ValidationError` unless these bytes have that digest."""
    text = digest_text(digest)
    algorithm = text.partition(":")[0]
    if hashlib.new(algorithm, body).digest() != digest:
        raise msgspec.ValidationError(f"it is not what the digest {text[:19]}… says")


def read_manifest(body: bytes, digest: bytes, content_type: str | None) -> Contents:
    """The manifest of that digest, without the configuration that it names.

    `content_type` is what the server called it. Raises `msgspec.ValidationError` for what does not match its
    digest. What matches, and is no manifest, will never be one: that is the `problem` of the answer.
    """
    require_digest(body, digest)
    try:
        return _read_manifest(body, digest, content_type)
    except _NOT_UNDERSTOOD as error:
        problem = f"it is not understood ({shown(str(error))})"
        return Contents(digest=digest, media_type=media_type(content_type), problem=problem)


def _read_manifest(body: bytes, digest: bytes, content_type: str | None) -> Contents:
    found = msgspec.json.decode(body, type=_Manifest)
    said = found.media_type or content_type
    if found.fs_layers is not None or (said or "").startswith(_SCHEMA_1):
        problem = "it is in the old schema 1, whose contents are not read"
        return Contents(digest=digest, media_type=media_type(said), kind=Kind.IMAGE, problem=problem)
    if found.manifests is not None and (found.layers is not None or found.config is not None):
        raise msgspec.ValidationError("it is a list of images and an image at once")
    known = _INDEXES | _MANIFESTS
    if found.media_type in known and content_type in known and found.media_type != content_type:
        raise msgspec.ValidationError(f"it is {found.media_type}, and the server says {content_type}")
    if found.manifests is not None:
        return _index(found, digest, said if said in _INDEXES else _OCI_INDEX)
    if found.config is None or found.layers is None or said in _INDEXES:
        raise msgspec.ValidationError("it is no manifest")
    return _manifest(found, digest, said if said in _MANIFESTS else _OCI_MANIFEST)


def _index(found: _Manifest, digest: bytes, its_type: str) -> Contents:
    images: dict[tuple[str, bytes], int | None] = {}
    attestations = []
    artifact_types = {found.artifact_type}
    for member in (found.manifests or ())[:_MAX_PARTS]:
        refers = _descriptor(member)
        platform = _platform_of(member)
        if platform == ATTESTATION or (member.annotations or {}).get(_REFERENCE_TYPE) is not None:
            attestations.append(refers.digest)
        elif member.platform is not None or member.artifact_type is None:
            images[platform, refers.digest] = None
        else:
            artifact_types.add(member.artifact_type)
    kind = Kind.IMAGE if images else _artifact_kind(artifact_types)
    return Contents(
        digest=digest, media_type=its_type, kind=kind,
        images=tuple(PlatformImage(platform, each, size) for (platform, each), size in sorted(images.items())),
        attestations=tuple(attestations), annotations=_texts(found.annotations),
        artifact_type=media_type(found.artifact_type),
        subject=None if found.subject is None else _descriptor(found.subject).digest,
    )  # fmt: skip


def _manifest(found: _Manifest, digest: bytes, its_type: str) -> Contents:
    assert found.config is not None
    config = _descriptor(found.config)
    is_image = config.media_type in _CONFIGS and found.artifact_type is None
    return Contents(
        digest=digest, media_type=its_type,
        kind=Kind.IMAGE if is_image else _artifact_kind({found.artifact_type or config.media_type}),
        config=config, layers=tuple(_descriptor(layer) for layer in (found.layers or ())[:_MAX_PARTS]),
        annotations=_texts(found.annotations), artifact_type=media_type(found.artifact_type),
        subject=None if found.subject is None else _descriptor(found.subject).digest,
    )  # fmt: skip


def has_image_config(contents: Contents) -> bool:
    """Whether a manifest names the configuration of an image."""
    return contents.config is not None and contents.config.media_type in _CONFIGS


def read_config(body: bytes, digest: bytes) -> ImageConfig | None:
    """The configuration of that digest; None: it is not understood. Raises as `read_manifest`."""
    require_digest(body, digest)
    try:
        return _read_config(body)
    except _NOT_UNDERSTOOD:
        return None


def _read_config(body: bytes) -> ImageConfig:
    found = msgspec.json.decode(body, type=_Config)
    process = found.config or _Process()
    layers = [digest_bytes(each) for each in (found.rootfs.diff_ids if found.rootfs else None) or ()]
    return ImageConfig(
        created_at=from_rfc3339(found.created) if found.created else None,
        platform=_platform_name(_Platform(found.os, found.architecture, found.variant, found.os_version)) or None,
        entrypoint=_list(process.entrypoint),
        command=_list(process.command),
        user=_text(process.user),
        working_dir=_text(process.working_dir),
        stop_signal=_text(process.stop_signal),
        ports=_list(sorted(process.ports or (), key=_port)),
        volumes=_list(sorted(process.volumes or ())),
        env=_list(process.env),
        labels=_texts(process.labels),
        diff_ids=() if None in layers else tuple(each for each in layers[:_MAX_PARTS] if each is not None),
        history=_list(" ".join(filter(None, (step.created_by, step.comment))) for step in found.history or ()),
    )


def _descriptor(found: _Descriptor) -> Descriptor:
    digest = digest_bytes(found.digest)
    if digest is None:
        raise msgspec.ValidationError(f"{quote(found.digest)} is not a digest")
    size = found.size if found.size is not None and 0 <= found.size < _MAX_SIZE else None
    return Descriptor(digest, media_type(found.media_type), size)


def _platform_of(member: _Descriptor) -> str:
    return _platform_name(member.platform or _Platform())


def _platform_name(said: _Platform) -> str:
    try:
        return platform_name(said.os, said.architecture, said.variant, said.os_version)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from None


def _artifact_kind(types: Iterable[str | None]) -> Kind:
    found = {kinds.of_content(None, each) for each in types if each and each != _EMPTY}
    return max((kind for kind in found if kind is not None), default=Kind.ARTIFACT)


def _port(port: str) -> tuple[int, str]:
    number = port.partition("/")[0]
    return (int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 99_999), port


def _text(text: str | None) -> str | None:
    return storable(text, _MAX_TEXT) if text else None


def _list(texts: Iterable[str] | str | None) -> tuple[str, ...]:
    several = (texts,) if isinstance(texts, str) else texts or ()
    return tuple(storable(text, _MAX_TEXT) for text, _ in zip(several, range(_MAX_TEXTS), strict=False))


def _texts(found: Mapping[str, object] | None) -> dict[str, str]:
    """Labels or annotations; a value that is no text is left out."""
    pairs = [(key, text) for key, text in (found or {}).items() if isinstance(text, str)]
    return {storable(key, 200): storable(text, _MAX_TEXT) for key, text in sorted(pairs)[:_MAX_TEXTS]}
