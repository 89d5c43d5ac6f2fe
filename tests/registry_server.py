"""A real registry: the program `docker-registry` of the distribution project (Debian: `docker-registry`)."""

import asyncio
import gzip
import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
OCI_KINDS = (
    OCI_MANIFEST,
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
DOCKER_KINDS = (
    DOCKER_MANIFEST,
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"{tls}}}
"""
TLS = ", tls: {{certificate: {certificate}, key: {key}{authorities}}}"
AUTH = "auth: {{htpasswd: {{realm: basic-realm, path: {file}}}}}\n"


def digest_of(content: bytes) -> str:
    """`sha256:…` of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Server:
    """A running registry with an empty store.

    `passwords` is a file that htpasswd wrote, `tls` has the files of a certificate and its key; with `clients`,
    the file of an authority, it wants a client certificate. `more` is added to its configuration.
    """

    def __init__(
        self,
        folder: Path,
        passwords: Path | None = None,
        tls: tuple[Path, Path] | None = None,
        clients: Path | None = None,
        more: str = "",
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        authorities = f", clientcas: [{clients}]" if clients else ""
        secure = TLS.format(certificate=tls[0], key=tls[1], authorities=authorities) if tls else ""
        config = CONFIG.format(root=folder / "store", port=port, tls=secure) + more
        config += AUTH.format(file=passwords) if passwords else ""
        (folder / "config.yml").write_text(config)
        self.host = f"127.0.0.1:{port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
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

    def session(self) -> aiohttp.ClientSession:
        """For pushing."""
        return aiohttp.ClientSession(headers=self.headers, connector=aiohttp.TCPConnector(ssl=False))

    def push(self, name: str, media_type: str, *tags: str, content: str = "") -> str:
        """Push a manifest of this type under each of `tags`; its digest. Another `content` has another digest."""
        return asyncio.run(self._push(name, media_type, tags, content))

    async def _push(self, name: str, media_type: str, tags: tuple[str, ...], content: str) -> str:
        async with self.session() as session:
            manifest: dict[str, object] = {"schemaVersion": 2, "mediaType": media_type}
            if media_type == OCI_INDEX:
                manifest["manifests"] = []
                manifest["annotations"] = {"content": content}
            else:
                kind = "docker.container.image" if "docker" in media_type else "oci.image.config"
                document = {"os": "linux", "architecture": "amd64", "config": {"Labels": {"content": content}}}
                config = await self.upload(session, name, json.dumps(document | {"author": name}).encode())
                manifest["config"] = config | {"mediaType": f"application/vnd.{kind}.v1+json"}
                manifest["layers"] = []
            return await self.put(session, name, manifest, *tags)

    async def put(self, session: aiohttp.ClientSession, name: str, manifest: object, *references: str) -> str:
        """Push a manifest under tags, or, without any, under its digest, which is returned."""
        body = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        its_type = manifest["mediaType"] if isinstance(manifest, dict) else ""
        for reference in references or (digest,):
            url = f"{self.url}/v2/{name}/manifests/{reference}"
            async with session.put(url, data=body, headers={"Content-Type": its_type}) as response:
                assert response.status == 201, await response.text()
        return digest

    def push_image(
        self,
        name: str,
        *tags: str,
        layers: Sequence[bytes] = (b"a layer",),
        config: Mapping[str, object] | None = None,
        platform: str = "linux/amd64",
        is_docker: bool = False,
        **more: object,
    ) -> str:
        """Push an image with these unpacked layers; its digest.

        `config` are other fields of its configuration, `more` other fields of its manifest.
        """

        async def pushing() -> str:
            async with self.session() as session:
                os, architecture, *variant = platform.split("/")
                packed = [gzip.compress(layer, mtime=0) for layer in layers]
                document = {
                    "os": os,
                    "architecture": architecture,
                    **({"variant": variant[0]} if variant else {}),
                    "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
                    **(config or {}),
                }
                kinds = DOCKER_KINDS if is_docker else OCI_KINDS
                body = json.dumps(document).encode()
                manifest: dict[str, object] = {
                    "schemaVersion": 2,
                    "mediaType": kinds[0],
                    "config": await self.upload(session, name, body) | {"mediaType": kinds[1]},
                    "layers": [
                        await self.upload(session, name, layer) | {"mediaType": kinds[2]} for layer in packed
                    ],
                    **more,
                }
                return await self.put(session, name, manifest, *tags)

        return asyncio.run(pushing())

    def push_index(self, name: str, *tags: str, images: Mapping[str, str], attests: Sequence[str] = ()) -> str:
        """Push an index of images that are there, by platform; its digest. `attests`: attestations in it."""

        def member(digest: str, platform: str, **more: object) -> dict[str, object]:
            os, architecture, *variant = platform.split("/")
            said = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
            return {"mediaType": OCI_MANIFEST, "digest": digest, "size": 100, "platform": said, **more}

        async def pushing() -> str:
            async with self.session() as session:
                manifests = [member(digest, platform) for platform, digest in images.items()]
                about = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
                manifests += [member(digest, "unknown/unknown", **about) for digest in attests]
                index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
                return await self.put(session, name, index, *tags)

        return asyncio.run(pushing())

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
            async with self.session() as session, session.delete(url) as response:
                assert response.status == 202

        asyncio.run(deleting())

    def ask(self, question: Callable[[Registry], Awaitable[T]], secret: str | None = None) -> T:
        """The answer to one question."""
        credentials = Credentials(USER, secret, "a test") if secret else None

        async def asking() -> T:
            async with HttpClient(tries=1) as http:
                return await question(Registry(http, self.url, credentials=credentials))

        return asyncio.run(asking())
