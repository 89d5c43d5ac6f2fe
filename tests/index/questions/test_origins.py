"""What images are made of, by what their builders wrote and what the index knows: as real images have it."""

import hashlib
import json
from typing import Any

import pytest

from hubindex.contents import Contents, Descriptor, ImageConfig, chain_ids
from hubindex.digests import digest_text
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.index.questions.images import ImageFacts
from hubindex.index.writing.ingest import Ingest
from hubindex.kinds import Kind
from hubindex.records import PlatformImage, Repository, Tag, TagPage
from hubindex.reference import DEFAULT_REGISTRY

AT = 1_700_000_000_000
NAME, DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def image(*layers: str, content: str = "", **config: object) -> Contents:
    """An image with these layers."""
    own = ImageConfig(diff_ids=tuple(map(sha, layers)), **config)  # type: ignore[arg-type]
    digest = sha(f"manifest {layers} {content} {sorted(config.items())!r}")
    packed = tuple(Descriptor(sha(f"packed {layer}"), None, 10) for layer in layers)
    return Contents(
        digest=digest, media_type="application/vnd.oci.image.manifest.v1+json", kind=Kind.IMAGE,
        images=(PlatformImage("linux/amd64", digest, 7),),
        config=Descriptor(sha(f"config {digest.hex()}"), None, 3),
        layers=packed, image=own,
    )  # fmt: skip


def told(location: Location, tags: dict[str, Contents]) -> None:
    """Let an index know tags of Docker Hub, or of other registries, with their contents."""
    ingest = Ingest(location)
    with ingest.transaction() as batch:
        batch.contents.store(tags.values())
        for name, contents in tags.items():
            repository, _, tag = name.rpartition(":")
            host, slash, path = repository.partition("/")
            host, path = (host, path) if slash and ("." in host or ":" in host) else (DEFAULT_REGISTRY, repository)
            (stored,) = batch.repositories([Repository(name=path)], AT, host)
            page = TagPage(tags=(contents.described(Tag(name=tag)),), count=1, more=False, observed_at=AT)
            batch.tag_page(stored.repository_id, page)
    ingest.close()


def shown(location: Location, name: str) -> ImageFacts:
    with Index.open(location) as index:
        return index.image(name)


def test_the_longest_beginning_that_is_a_whole_image(location: Location) -> None:
    """Is the base image, by its most specific name; the system is that of the first image of a system below."""
    alpine = image("alpine root")
    told(location, {
        "library/alpine:latest": alpine, "library/alpine:3.18": alpine, "library/alpine:3.18.12": alpine,
        "library/python:3.12-alpine": image("alpine root", "python"),
        "acme/other:1": image("alpine root", "other"),
        "acme/app:1": image("alpine root", "python", "app"),
    })  # fmt: skip
    origins = shown(location, "acme/app:1").origins
    assert origins.image is not None
    assert origins.system is not None
    assert origins.image.value == "python:3.12-alpine"
    assert "its lowest 2 layers" in origins.image.source
    assert (origins.system.value, origins.system.source) == ("alpine 3.18.12", "based on alpine:3.18.12")
    below = shown(location, "python:3.12-alpine").origins
    assert below.image is not None
    assert below.image.value == "alpine:3.18.12"
    assert set(below.also) == {"3.18", "latest"}


def test_official_images_give_their_names_first(location: Location) -> None:
    """A copy in another registry has the same layers."""
    debian = image("debian root")
    told(location, {
        "registry.example/mirror/debian:bookworm": debian,
        "library/debian:bookworm-slim": debian,
        "zzz/debian:1": debian,
        "acme/app:1": image("debian root", "app"),
    })  # fmt: skip
    origins = shown(location, "acme/app:1").origins
    assert origins.image is not None
    assert origins.image.value == "debian:bookworm-slim"
    assert origins.system is not None
    assert origins.system.value == "debian 12"


def test_an_image_with_the_same_layers_is_a_base_only_if_its_history_is_shorter(location: Location) -> None:
    """Then nothing but settings came on top; a twin is no base."""
    base = image("root", history=("ADD root",))
    told(location, {
        "library/alpine:3": base,
        "acme/app:1": image("root", content="app", history=("ADD root", "ENV A=b")),
        "acme/twin:1": image("root", content="twin", history=("ADD root",)),
    })  # fmt: skip
    assert shown(location, "acme/app:1").origins.image is not None
    assert shown(location, "acme/twin:1").origins.image is None
    assert shown(location, "alpine:3").origins.image is None


def test_the_builders_word_comes_first(location: Location) -> None:
    """In annotations or labels; the layers are another matter."""
    said = {NAME: "docker.io/library/debian:12", DIGEST: digest_text(sha("x"))}
    told(location, {
        "library/alpine:3": image("root"),
        "acme/app:1": image("root", "app", labels=said),
        "acme/bad:1": image("root", "bad", labels={NAME: "NOT A NAME", DIGEST: "sha256:zz"}),
    })  # fmt: skip
    origins = shown(location, "acme/app:1").origins
    assert origins.image is not None
    assert origins.image.value == f"debian:12@{digest_text(sha('x'))}"
    assert origins.system is not None
    assert origins.system.value == "debian 12"
    bad = shown(location, "acme/bad:1").origins
    assert bad.image is not None
    assert bad.image.value == "alpine:3"


@pytest.mark.parametrize(
    ("line", "system"),
    [
        ("ADD alpine-minirootfs-3.23.5-x86_64.tar.gz / # buildkit", "alpine 3.23.5"),
        ("# debian.sh --arch 'amd64' out/ 'bookworm' '@1723420800' debuerreotype 0.15", "debian 12"),
        ("/bin/sh -c #(nop) ADD file:32ff5e7a78b8 in / from debootstrap trixie", "debian 13"),
        ("ADD ubuntu-noble-oci-amd64-root.tar.gz / # buildkit", "ubuntu 24.04"),
        ("ADD fedora-40-x86_64.tar.xz / # buildkit", "fedora 40"),
        ("ADD oraclelinux-8-slim-amd64-rootfs.tar.xz / # buildkit", "oraclelinux 8"),
        ("BusyBox 1.36.1 (glibc), Debian 12", "busybox 1.36.1"),
        ("/bin/sh -c #(nop) ADD file:32ff5e7a78b8 in / ", None),
        ("RUN echo alpine-3.18", None),
        ("COPY alpine-minirootfs.txt /", None),
        ("", None),
    ],
)
def test_the_first_lines_of_a_history(location: Location, line: str, system: str | None) -> None:
    """Name the system that they unpack, as the makers of base images write them."""
    told(location, {"acme/app:1": image("root", "app", history=(line, "CMD sh"))})
    origins = shown(location, "acme/app:1").origins
    if system is None:
        assert origins.system is None
        return
    assert origins.system is not None
    assert origins.system.value == system
    assert origins.system.source.startswith("history: ")


@pytest.mark.parametrize(
    ("config", "system"),
    [
        (
            {
                "labels": {
                    "org.opencontainers.image.ref.name": "ubuntu",
                    "org.opencontainers.image.version": "22.04",
                }
            },
            "ubuntu 22.04",
        ),
        (
            {
                "labels": {
                    "org.opencontainers.image.ref.name": "ubuntu",
                    "org.opencontainers.image.version": "1.2.3",
                }
            },
            None,
        ),
        ({"env": ("DISTTAG=f40container",)}, "fedora 40"),
        ({"env": ("DISTTAG=x",)}, None),
    ],
)
def test_what_base_images_leave_behind(location: Location, config: dict[str, Any], system: str | None) -> None:
    """Labels and variables that whatever is built on them inherits, unless they were overwritten."""
    told(location, {"acme/app:1": image("root", "app", **config)})
    found = shown(location, "acme/app:1").origins.system
    assert (found and found.value) == system


@pytest.mark.parametrize(
    ("env", "runtime"),
    [
        (("PATH=/bin", "PYTHON_VERSION=3.12.4"), "Python 3.12.4"),
        (("JAVA_VERSION=jdk-21.0.2+13",), "Java jdk-21.0.2+13"),
        (("GOLANG_VERSION=1.22.5",), "Go 1.22.5"),
        (("NODE_VERSION=22.1.0", "YARN_VERSION=1.22.22"), "Node.js 22.1.0"),
        (("PYTHON_VERSION=",), None),
        (("MY_PYTHON_VERSION=3",), None),
        ((), None),
    ],
)
def test_the_language(location: Location, env: tuple[str, ...], runtime: str | None) -> None:
    """By the variables of the official images."""
    told(location, {"acme/app:1": image("root", env=env)})
    found = shown(location, "acme/app:1").origins.runtime
    assert (found and found.value) == runtime


def test_what_is_not_known_is_unknown(location: Location) -> None:
    """Without layers, without a history."""
    told(location, {"acme/app:1": image()})
    assert tuple(shown(location, "acme/app:1").origins) == (None, (), None, None)


def test_chain_ids() -> None:
    """As the OCI image specification computes them."""
    one, two = sha("one"), sha("two")
    text = f"{digest_text(one)} {digest_text(two)}"
    assert chain_ids([one, two]) == [one, hashlib.sha256(text.encode()).digest()]
    assert chain_ids([]) == []


def test_parts_of_images_are_found(location: Location) -> None:
    """An image ID, and layers packed and unpacked; what belongs to several images belongs to each."""
    app = image("root", "app")
    told(location, {"library/alpine:3": image("root"), "acme/app:1": app, "acme/app:2": app})
    assert app.config is not None
    with Index.open(location) as index:
        found = index.whatis(digest_text(app.config.digest))
        assert [(held.reference.familiar, held.part) for held in found] == [
            ("acme/app:1", "image ID"), ("acme/app:2", "image ID"),
        ]  # fmt: skip
        assert {held.image_digest for held in found} == {digest_text(app.digest)}
        for digest, words in ((sha("packed root"), "layer"), (sha("root"), "unpacked layer")):
            held = {each.reference.familiar: each.part for each in index.whatis(digest.hex()[:12])}
            assert held == {
                "alpine:3": f"{words} 1 of 1", "acme/app:1": f"{words} 1 of 2", "acme/app:2": f"{words} 1 of 2",
            }  # fmt: skip
        assert json.dumps(index.whatis(digest_text(app.digest))[0].part) == "null"
