"""The registry source against a real registry: the program `docker-registry` of the distribution project.

Skipped where the program is not installed (Debian: `docker-registry`; for passwords also `apache2-utils`).
"""

import asyncio
import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from hubindex.errors import Blocked, NotFound, SignInRefused
from hubindex.records import Tag
from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.http.client import HttpClient
from hubindex.sources.registry.client import Registry

T = TypeVar("T")
PROGRAM = shutil.which("docker-registry")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="the program docker-registry is not installed")

USER, SECRET = "ada", "s3cret"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
AUTH = "auth: {{htpasswd: {{realm: basic-realm, path: {file}}}}}\n"


class Server:
    """A running registry with an empty store."""

    def __init__(self, folder: Path, passwords: Path | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = CONFIG.format(root=folder / "store", port=port)
        config += AUTH.format(file=passwords) if passwords else ""
        (folder / "config.yml").write_text(config)
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": Credentials(USER, SECRET, "").basic()} if passwords else {}
        self.process = subprocess.Popen(
            [str(PROGRAM), "serve", str(folder / "config.yml")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin"},
        )
        self._wait_until_it_listens(port)

    def _wait_until_it_listens(self, port: int) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, "docker-registry has ended"
                assert time.monotonic() < deadline, "docker-registry does not listen"
                time.sleep(0.02)  # another program: there is nothing else to wait for
            else:
                return

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()

    def push(self, name: str, media_type: str, *tags: str) -> str:
        """Push a manifest of this type under each of `tags`; its digest."""
        return asyncio.run(self._push(name, media_type, tags))

    async def _push(self, name: str, media_type: str, tags: tuple[str, ...]) -> str:
        async with aiohttp.ClientSession(headers=self.headers) as session:
            manifest: dict[str, object] = {"schemaVersion": 2, "mediaType": media_type}
            if media_type == OCI_INDEX:
                manifest["manifests"] = []
            else:
                kind = "docker.container.image" if "docker" in media_type else "oci.image.config"
                config = await self._upload(session, name, f"{name} {media_type}".encode())
                manifest["config"] = config | {"mediaType": f"application/vnd.{kind}.v1+json"}
                manifest["layers"] = []
            body = json.dumps(manifest).encode()
            for tag in tags:
                url = f"{self.url}/v2/{name}/manifests/{tag}"
                async with session.put(url, data=body, headers={"Content-Type": media_type}) as response:
                    assert response.status == 201, await response.text()
            return f"sha256:{hashlib.sha256(body).hexdigest()}"

    async def _upload(self, session: aiohttp.ClientSession, name: str, blob: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        async with session.post(f"{self.url}/v2/{name}/blobs/uploads/") as response:
            location = response.headers["Location"]
        mark = "&" if "?" in location else "?"
        async with session.put(f"{location}{mark}digest={digest}", data=blob) as response:
            assert response.status == 201, await response.text()
        return {"digest": digest, "size": len(blob)}

    def delete(self, name: str, digest: str) -> None:
        """Delete a manifest, and with it every tag on it."""

        async def deleting() -> None:
            url = f"{self.url}/v2/{name}/manifests/{digest}"
            async with aiohttp.request("DELETE", url, headers=self.headers) as response:
                assert response.status == 202

        asyncio.run(deleting())

    def ask(self, question: Callable[[Registry], Awaitable[T]], secret: str | None = None) -> T:
        """The answer to one question."""
        credentials = Credentials(USER, secret, "a test") if secret else None

        async def asking() -> T:
            async with HttpClient(tries=1) as http:
                return await question(Registry(http, self.url, credentials=credentials))

        return asyncio.run(asking())


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
