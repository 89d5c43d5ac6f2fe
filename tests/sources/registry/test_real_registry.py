"""The registry source against a real registry: the program `docker-registry` of the distribution project.

Skipped where the program is not installed (Debian: `docker-registry`; for passwords also `apache2-utils`).
"""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubindex.errors import Blocked, NotFound, SignInRefused
from hubindex.kinds import Kind
from hubindex.records import Tag
from hubindex.sources.registry.client import Registry
from tests.registry_server import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, PROGRAM, SECRET, USER, Server

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="the program docker-registry is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An open registry."""
    running = Server(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def closed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry that wants a password."""
    htpasswd = shutil.which("htpasswd")
    if htpasswd is None:
        pytest.skip("the program htpasswd is not installed")
    folder = tmp_path_factory.mktemp("closed-registry")
    passwords = folder / "htpasswd"
    subprocess.run([htpasswd, "-cbBC", "5", str(passwords), USER, SECRET], check=True, capture_output=True)
    running = Server(folder, passwords)
    yield running
    running.stop()


@pytest.mark.parametrize("media_type", [OCI_INDEX, OCI_MANIFEST, DOCKER_MANIFEST])
def test_a_tag(server: Server, media_type: str) -> None:
    """The digest of what was pushed, and its type: with too narrow an Accept it would be 404."""
    digest = server.push("acme/types", media_type, "a")
    found = server.ask(lambda registry: registry.tag("acme/types", "a"))
    assert found == Tag(name="a", digest=bytes.fromhex(digest[7:]), media_type=media_type)


def test_names(server: Server) -> None:
    """All of them, in whatever order and however the pages go."""
    tags = [f"t{number}" for number in range(30)]
    server.push("acme/deep/er/app", OCI_INDEX, *tags)
    found = server.ask(lambda registry: registry.tag_names("acme/deep/er/app"))
    assert sorted(found.names) == sorted(tags)
    assert (found.complete, found.warnings) == (True, ())


def test_after_the_last_tag_was_deleted(server: Server) -> None:
    """The list is empty and complete, and the tag is not there."""
    digest = server.push("acme/emptied", OCI_INDEX, "a", "b")
    server.delete("acme/emptied", digest)
    found = server.ask(lambda registry: registry.tag_names("acme/emptied"))
    assert (found.names, found.complete) == ((), True)
    assert server.ask(lambda registry: registry.tag("acme/emptied", "a")) is None


def test_what_is_not_there(server: Server) -> None:
    """An unknown repository is not found, an unknown tag is none."""
    with pytest.raises(NotFound):
        server.ask(lambda registry: registry.tag_names("acme/none"))
    assert server.ask(lambda registry: registry.tag("acme/none", "a")) is None


def test_with_a_password(closed_server: Server) -> None:
    """Basic, because the registry asks for it."""
    digest = closed_server.push("acme/app", OCI_INDEX, "a")
    found = closed_server.ask(lambda registry: registry.tag("acme/app", "a"), SECRET)
    assert found is not None
    assert found.digest == bytes.fromhex(digest[7:])
    assert closed_server.ask(lambda registry: registry.tag_names("acme/app"), SECRET).names == ("a",)


def test_with_a_wrong_password(closed_server: Server) -> None:
    """It is refused."""
    with pytest.raises(SignInRefused):
        closed_server.ask(lambda registry: registry.tag("acme/app", "a"), "wrong")


def test_without_a_password(closed_server: Server) -> None:
    """The registry is closed."""
    with pytest.raises(Blocked):
        closed_server.ask(lambda registry: registry.tag("acme/app", "a"))


def test_what_skopeo_copied(server: Server, tmp_path: Path) -> None:
    """An image that another program wrote, with all of its digests."""
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        pytest.skip("the program skopeo is not installed")
    first = server.push_image("acme/source", "1", layers=[b"one", b"two"], config={"config": {"Cmd": ["sh"]}})
    source, target = f"docker://{server.host}/acme/source:1", f"docker://{server.host}/acme/copied:2"
    options = ["--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2"]
    subprocess.run([skopeo, "copy", "--quiet", *options, source, target], check=True, capture_output=True)
    tag = server.ask(lambda registry: registry.tag("acme/copied", "2"))
    assert tag is not None
    assert tag.digest is not None
    assert tag.digest.hex() != first.removeprefix("sha256:")
    digest = tag.digest
    found = server.ask(lambda registry: registry.contents("acme/copied", digest))
    assert (found.media_type, found.kind, len(found.layers)) == (DOCKER_MANIFEST, Kind.IMAGE, 2)
    assert found.image is not None
    assert found.image.command == ("sh",)
    assert [image.platform for image in found.images] == ["linux/amd64"]


def test_a_catalog_of_a_thousand_repositories(server: Server) -> None:
    """All of them, however many pages that takes."""
    names = [f"many/app-{number:04}" for number in range(1000)]

    async def push() -> None:
        async with server.session() as session:
            index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
            slots = asyncio.Semaphore(16)

            async def one(name: str) -> None:
                async with slots:
                    await server.upload(session, name, b"x")  # it is listed when it has a blob
                    await server.put(session, name, index, "latest")

            await asyncio.gather(*map(one, names))

    async def listed(registry: Registry) -> list[str]:
        return [name async for page in registry.repository_names() for name in page.names]

    asyncio.run(push())
    found = server.ask(listed)
    assert [name for name in sorted(found) if name.startswith("many/")] == names
