"""What a tag or a repository holds, as told by its name, its content type and its media type."""

import pytest

from hubindex import kinds
from hubindex.kinds import Kind

HEX = "0123456789abcdef" * 4
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"sha256-{HEX}.sig", "signature"),
        (f"sha256-{HEX}.att", "attestation"),
        (f"sha256-{HEX}.sbom", "sbom"),
        (f"sha256-{HEX}", "referrers"),
        (f"sha512-{HEX}", "referrers"),
        (f"sha384-{HEX}{HEX[:32]}.sig", "signature"),
        (f"sha256-{HEX}.dockerfile", "attachment"),
        (f"sha256-{HEX}.image-locations.imgpkg", "attachment"),
        ("sha256-0123.sig", None),
        (f"sha256-{HEX[1:]}", None),
        (f"sha256-{HEX}0", None),
        (f"sha256-{HEX.upper()}.sig", None),
        (f"sha256-{HEX}-sig", None),
        (f"sha256-{HEX}.", None),
        (f"v1-sha256-{HEX}.sig", None),
        ("1.27.sig", None),
        ("latest", None),
        ("", None),
    ],
)
def test_what_belongs_to_an_image_is_told_by_its_name(name: str, expected: str | None) -> None:
    """The digest of the image with a dash, and a suffix or none; nothing that only resembles it."""
    assert kinds.attached(name) == expected
    assert expected is None or expected in kinds.ATTACHED


@pytest.mark.parametrize(
    ("content_type", "media_type", "has_platforms", "expected"),
    [
        ("image", OCI_INDEX, True, Kind.IMAGE),
        ("image", None, False, Kind.IMAGE),
        (None, None, True, Kind.IMAGE),
        (None, "application/vnd.docker.container.image.v1+json", False, Kind.IMAGE),
        (None, None, False, None),
        ("", "", False, None),
        (None, OCI_MANIFEST, False, None),
        (None, OCI_INDEX, False, None),
        ("helm", OCI_MANIFEST, False, Kind.HELM_CHART),
        ("helm", None, True, Kind.HELM_CHART),
        (None, "application/vnd.cncf.helm.config.v1+json", False, Kind.HELM_CHART),
        ("image", "application/vnd.cncf.helm.config.v1+json", False, Kind.HELM_CHART),
        ("model", None, False, Kind.MODEL),
        ("unrecognized", "application/vnd.docker.ai.model.config.v0.2+json", False, Kind.MODEL),
        (None, "application/vnd.cncf.model.config.v1+json", False, Kind.MODEL),
        ("plugin", "application/vnd.docker.plugin.v1+json", True, Kind.PLUGIN),
        (None, "application/vnd.wasm.config.v0+json", False, Kind.WASM),
        ("wasm", None, False, Kind.WASM),
        ("volume", None, False, Kind.VOLUME),
        ("compose", None, False, Kind.COMPOSE),
        ("unrecognized", "application/octet-stream", False, Kind.ARTIFACT),
        ("unrecognized", "application/octet-stream", True, Kind.IMAGE),
        ("something new", None, False, Kind.ARTIFACT),
    ],
)
def test_what_a_source_says(
    content_type: str | None, media_type: str | None, has_platforms: bool, expected: Kind | None
) -> None:
    """A media type that is known says more than `image` or `unrecognized`; platforms make an image of the rest."""
    assert kinds.of_content(content_type, media_type, has_platforms=has_platforms) == expected


def test_what_a_repository_is_said_to_hold() -> None:
    """All of its types together; a type that is only `image` says nothing, since charts have it too."""
    assert kinds.of_repository("image", None, None) == frozenset()
    assert kinds.of_repository(None, ["helm", "image"], []) == {Kind.HELM_CHART, Kind.IMAGE}
    assert kinds.of_repository("plugin", [], None) == {Kind.PLUGIN}
    assert kinds.of_repository("docker engine plugin", None, None) == {Kind.PLUGIN}
    assert kinds.of_repository(None, ["unrecognized"], ["application/vnd.docker.ai.x"]) == {
        Kind.ARTIFACT,
        Kind.MODEL,
    }


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ((), "unknown"),
        ((Kind.IMAGE,), "image"),
        ((Kind.HELM_CHART, Kind.IMAGE), "helm chart, image"),
        ((Kind.ARTIFACT,), "artifact"),
        ((Kind.ARTIFACT, Kind.IMAGE), "image"),
    ],
)
def test_the_kinds_of_a_repository_are_named(held: tuple[Kind, ...], expected: str) -> None:
    """The most special first; an artifact only if there is nothing else; what is official is an image."""
    assert kinds.of_mask(kinds.mask(held)) == expected
    assert kinds.of_mask(None, is_official=True) == "image"


def test_images_named_by_their_digests_are_images() -> None:
    """Tools that copy images name some so; what is listed for a known platform is no list of referrers."""
    assert kinds.of_tag(f"sha256-{HEX}", Kind.IMAGE, ["linux/amd64"]) == "image"
    assert kinds.of_tag(f"sha256-{HEX}.imgpkg", None, ["linux/amd64"]) == "image"
    assert kinds.of_tag(f"sha256-{HEX}", None, ["unknown/unknown"]) == "referrers"
    assert kinds.of_tag(f"sha256-{HEX}.sig", Kind.IMAGE, ["linux/amd64"]) == "signature"


def test_tags_know_better_than_the_source_s_word_for_the_whole() -> None:
    """Which counts the images that signatures are wrapped in; kinds seen in tags are added to each other."""
    said = kinds.said_of_repository({Kind.HELM_CHART, Kind.IMAGE}, None)
    assert kinds.of_mask(said) == "helm chart, image"
    assert kinds.said_of_repository((), said) == said
    seen = kinds.seen_in_tags([("1", Kind.HELM_CHART), (f"sha256-{HEX}.sig", Kind.IMAGE), ("2", None)], said)
    assert kinds.of_mask(seen) == "helm chart"
    assert kinds.said_of_repository({Kind.IMAGE}, seen) == seen
    assert kinds.of_mask(kinds.seen_in_tags([("3", Kind.MODEL)], seen)) == "model, helm chart"
    assert kinds.seen_in_tags([("2", None)], said) == said
