"""Manifests and configurations: all that the specifications have, and whatever else comes."""

import hashlib
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.contents import Contents, ImageConfig
from hubindex.kinds import Kind
from hubindex.records import PlatformImage
from hubindex.sources.registry.manifests import has_image_config, read_config, read_manifest

INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
RAW_A, RAW_B = bytes.fromhex("a" * 64), bytes.fromhex("b" * 64)


def read(document: object, content_type: str | None = OCI, algorithm: str = "sha256") -> Contents:
    body = json.dumps(document).encode()
    return read_manifest(body, hashlib.new(algorithm, body).digest(), content_type)


def member(digest: str = A, platform: object = None, **more: object) -> dict[str, object]:
    said = {"mediaType": OCI, "digest": digest, "size": 7, **more}
    return said if platform is None else {**said, "platform": platform}


def manifest(config_type: str = CONFIG, **more: object) -> dict[str, object]:
    config = {"mediaType": config_type, "digest": A, "size": 70}
    layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": B, "size": 700}]
    return {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": layers, **more}


@pytest.mark.parametrize("its_type", [INDEX, LIST])
@pytest.mark.parametrize("is_told", [True, False])
def test_an_index(its_type: str, is_told: bool) -> None:
    """Its images by platform; attestations are counted apart. Docker's list is one too, also without a type."""
    amd64, arm = {"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm", "variant": "v7"}
    windows = {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"}
    unknown = {"os": "unknown", "architecture": "unknown"}
    document: dict[str, object] = {"schemaVersion": 2, "manifests": [
        member(B, arm), member(A, amd64), member(A, windows),
        member(B, unknown, annotations={"vnd.docker.reference.type": "attestation-manifest"}),
    ]}  # fmt: skip
    found = read({**document, "mediaType": its_type} if is_told else document, its_type)
    assert found.images == (
        PlatformImage("linux/amd64", RAW_A, None),
        PlatformImage("linux/arm/v7", RAW_B, None),
        PlatformImage("windows/amd64:10.0.17763.1", RAW_A, None),
    )
    assert (found.kind, found.media_type, found.attestations) == (Kind.IMAGE, its_type, (RAW_B,))
    assert found.is_index


@pytest.mark.parametrize("its_type", [OCI, DOCKER])
def test_a_manifest(its_type: str) -> None:
    """With the size of what has to be fetched for it."""
    found = read(manifest(mediaType=its_type), its_type)
    assert found.config is not None
    assert (found.config.digest, found.layers[0].digest, found.size) == (RAW_A, RAW_B, 770)
    assert (found.kind, found.is_index, has_image_config(found)) == (Kind.IMAGE, False, True)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (manifest("application/vnd.cncf.helm.config.v1+json"), Kind.HELM_CHART),
        (manifest(EMPTY, artifactType="application/vnd.example+json"), Kind.ARTIFACT),
        (manifest(EMPTY, artifactType="application/vnd.docker.ai.model.config.v0.1+json"), Kind.MODEL),
        (manifest("application/vnd.wasm.config.v0+json"), Kind.WASM),
        (manifest("application/vnd.dev.cosign.artifact.sig.v1+json"), Kind.ARTIFACT),
        (manifest(artifactType="application/spdx+json"), Kind.ARTIFACT),
    ],
)
def test_what_is_no_image(document: object, kind: Kind) -> None:
    """Has its kind, by its artifact type or that of its configuration, and no platforms."""
    found = read(document)
    assert (found.kind, found.images) == (kind, ())


def test_what_it_belongs_to() -> None:
    """The subject of a signature or an SBOM (OCI 1.1)."""
    found = read(manifest(EMPTY, artifactType="application/spdx+json", subject=member(B)))
    assert (found.subject, found.artifact_type) == (RAW_B, "application/spdx+json")


def test_sha512() -> None:
    """Checked with its own algorithm."""
    body = json.dumps(manifest(config_type=CONFIG, annotations={"a": "b", "c": 5})).encode()
    found = read_manifest(body, hashlib.sha512(body).digest(), OCI)
    assert (len(found.digest), found.annotations) == (64, {"a": "b"})
    with pytest.raises(msgspec.ValidationError):
        read_manifest(body + b" ", hashlib.sha512(body).digest(), OCI)


def test_schema_1_is_told_apart() -> None:
    """Politely: it is an image, whose contents are not read."""
    found = read({"schemaVersion": 1, "fsLayers": [], "history": []}, "application/json")
    assert (found.kind, found.images) == (Kind.IMAGE, ())
    assert "schema 1" in (found.problem or "")


def test_the_configuration_of_an_image() -> None:
    """All that people ask of it."""
    document = {
        "created": "2026-11-01T10:00:00.5Z", "os": "linux", "architecture": "arm64", "variant": "v8",
        "config": {
            "User": "app", "WorkingDir": "/srv", "Entrypoint": ["/bin/app"], "Cmd": "serve now",
            "ExposedPorts": {"8080/tcp": {}, "443/tcp": {}, "x": {}}, "Volumes": {"/data": {}},
            "Env": ["A=b"], "Labels": {"l": "m", "n": 5}, "StopSignal": "SIGINT",
        },
        "rootfs": {"type": "layers", "diff_ids": [A, B]},
        "history": [{"created_by": "ADD x", "comment": "buildkit"}, {"empty_layer": True}],
    }  # fmt: skip
    body = json.dumps(document).encode()
    at = round(datetime(2026, 11, 1, 10, 0, 0, 500_000, tzinfo=UTC).timestamp() * 1000)
    assert read_config(body, hashlib.sha256(body).digest()) == ImageConfig(
        created_at=at, platform="linux/arm64/v8", entrypoint=("/bin/app",), command=("serve now",), user="app",
        working_dir="/srv", stop_signal="SIGINT", ports=("443/tcp", "8080/tcp", "x"), volumes=("/data",),
        env=("A=b",), labels={"l": "m"}, diff_ids=(RAW_A, RAW_B), history=("ADD x buildkit", ""),
    )  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b'{"os": 5}', b"\xff", b'{"os": "a b", "architecture": "c"}'])
def test_a_configuration_that_is_not_understood(body: bytes) -> None:
    """Is none; nothing is raised for what will never be one."""
    assert read_config(body, hashlib.sha256(body).digest()) is None


def test_long_text_is_cut() -> None:
    """A label of a million letters, a hundred thousand variables."""
    document = {"config": {"Labels": {"a": "x" * 10**6}, "Env": [f"A{n}=b" for n in range(10**5)]}}
    body = json.dumps(document).encode()
    found = read_config(body, hashlib.sha256(body).digest())
    assert found is not None
    assert (len(found.labels["a"]), len(found.env)) == (4000, 500)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([A, B, OCI, INDEX, CONFIG]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            "manifests", "config", "layers", "mediaType", "digest", "size", "platform", "os", "architecture",
            "rootfs", "diff_ids", "history", "created", "Env", "Labels", "annotations", "subject", "artifactType",
            "fsLayers",
        ]),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(_json)
def test_whatever_comes(document: object) -> None:
    """Is read, or has a problem; the size of what is kept is bounded."""
    body = json.dumps(document).encode()
    digest = hashlib.sha256(body).digest()
    assert read_manifest(body, digest, OCI).digest == digest
    read_config(body, digest)
