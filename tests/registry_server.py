"""A real registry: the program `docker-registry` of the distribution project (Debian: `docker-registry`)."""

import asyncio
import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import aiohttp

from hubindex.sources.auth.credentials import Credentials
from hubindex.sources.http.client import HttpClient
from hubindex.sources.registry.client import Registry

T = TypeVar("T")
PROGRAM = shutil.which("docker-registry")

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

    @property
    def host(self) -> str:
        """As references have it."""
        return self.url.removeprefix("http://")

    def push(self, name: str, media_type: str, *tags: str, content: str = "") -> str:
        """Push a manifest of this type under each of `tags`; its digest. Another `content` has another digest."""
        return asyncio.run(self._push(name, media_type, tags, content))

    async def _push(self, name: str, media_type: str, tags: tuple[str, ...], content: str) -> str:
        async with aiohttp.ClientSession(headers=self.headers) as session:
            manifest: dict[str, object] = {"schemaVersion": 2, "mediaType": media_type}
            if media_type == OCI_INDEX:
                manifest["manifests"] = []
                manifest["annotations"] = {"content": content}
            else:
                kind = "docker.container.image" if "docker" in media_type else "oci.image.config"
                config = await self.upload(session, name, f"{name} {media_type} {content}".encode())
                manifest["config"] = config | {"mediaType": f"application/vnd.{kind}.v1+json"}
                manifest["layers"] = []
            body = json.dumps(manifest).encode()
            for tag in tags:
                url = f"{self.url}/v2/{name}/manifests/{tag}"
                async with session.put(url, data=body, headers={"Content-Type": media_type}) as response:
                    assert response.status == 201, await response.text()
            return f"sha256:{hashlib.sha256(body).hexdigest()}"

    async def upload(self, session: aiohttp.ClientSession, name: str, blob: bytes) -> dict[str, object]:
        """Push a blob; its descriptor without a media type."""
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
