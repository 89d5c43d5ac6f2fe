"""What people do with a registry of their own, step by step, with the real `docker-registry`."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

from tests.cli.conftest import Call
from tests.registry_server import PROGRAM, SECRET, USER, Server

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="the program docker-registry is not installed")

TOOLS = {
    "created": "2026-11-01T10:00:00Z",
    "config": {
        "Entrypoint": ["/bin/devenv"],
        "Cmd": ["--shell", "a b"],
        "ExposedPorts": {"8080/tcp": {}, "443/tcp": {}},
        "User": "dev",
        "Env": ["PATH=/bin", "PYTHON_VERSION=3.12.4", "SECRET=x"],
        "Labels": {"org.opencontainers.image.source": "https://git.example/devenv"},
    },
}


class Secure:
    """Certificates for a registry over TLS, of an authority that nobody knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.certificate = self.written(self.authority.issue_cert("127.0.0.1"), "server")
        self.authority_file = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(self.authority_file)
        self.certs_dir = folder / "certs.d"

    def written(self, leaf: trustme.LeafCert, name: str) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        certificate, key = self.folder / f"{name}.cert", self.folder / f"{name}.key"
        leaf.private_key_pem.write_to_path(key)
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return certificate, key

    def trusted(self, host: str) -> str:
        """The `certs.d` in which the authority is trusted for a host."""
        folder = self.certs_dir / host
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.authority_file, folder / "ca.crt")
        return str(self.certs_dir)


@pytest.fixture
def secure(tmp_path: Path) -> Secure:
    """For `Server(tls=…)`."""
    return Secure(tmp_path)


def test_the_story_of_an_image(server: Server, call: Call, tmp_path: Path) -> None:
    """Pushed, crawled, pushed again, asked about, verified, and removed."""
    db, name = str(tmp_path / "index.db"), f"{server.host}/devenv"
    first = server.push_image("devenv", "latest", "1.0", layers=[b"base", b"tools"], config=TOOLS)
    crawled = call("--db", db, "crawl", "--registry", server.host)
    assert crawled.code == 0, crawled
    assert "1 manifest" in crawled.out
    assert call("--db", db, "resolve", name).out == f"{name}@{first}\n"

    shown = call("--db", db, "show", f"{name}:1.0", "--format", "json")
    image = json.loads(shown.out)
    assert image["Aliases"] == ["latest"]
    assert image["Entrypoint"] == ["/bin/devenv"]
    assert image["Command"] == ["--shell", "a b"]
    assert image["Ports"] == ["443/tcp", "8080/tcp"]
    assert image["User"] == "dev"
    assert image["Versions"] == ["PYTHON_VERSION=3.12.4"]
    assert image["Source"] == "https://git.example/devenv"
    assert image["Created"] == "2026-11-01T10:00:00Z"
    assert len(image["Layers"]) == 2
    assert image["Size"] > sum(layer["Size"] for layer in image["Layers"])
    assert image["Runtime"] == {"Value": "Python 3.12.4", "Source": "environment: PYTHON_VERSION"}
    people = call("--db", db, "show", f"{name}:1.0").out
    assert "says its builder" in people
    assert "--shell 'a b'" in people

    same = call("--db", db, "verify", name)
    assert same.code == 0
    assert "is the same set of bits as when it was last seen" in same.out
    assert "the hash of its manifest" in same.out

    second = server.push_image("devenv", "latest", layers=[b"base", b"new tools"], config=TOOLS)
    moved = call("--db", db, "verify", name)
    assert moved.code == 1
    assert f"has moved: from {first}, last seen" in moved.out
    assert second in moved.out
    assert call("--db", db, "resolve", name).out == f"{name}@{first}\n"  # nothing was written

    assert call("--db", db, "crawl", "--repo", name).code == 0
    assert call("--db", db, "resolve", name).out == f"{name}@{second}\n"
    history = call("--db", db, "history", f"{name}:latest", "--format", "{{.Digest}}").out
    assert history.split() == [second, first]
    again = call("--db", db, "crawl", "--registry", server.host)
    assert "manifest" not in again.out

    server.delete("devenv", second)
    gone = call("--db", db, "verify", name)
    assert (gone.code, "is gone" in gone.out) == (3, True)
    assert call("--db", db, "verify", f"{name}:1.0").code == 0
    assert call("--db", db, "crawl", "--repo", name).code == 0
    assert call("--db", db, "resolve", name).code == 3
    assert call("--db", db, "db", "check").code == 0


def test_deep_verification_reads_every_blob(server: Server, call: Call, tmp_path: Path) -> None:
    """One that is damaged is named; so is one that is missing."""
    db, name = str(tmp_path / "index.db"), f"{server.host}/devenv"
    images = {
        platform: server.push_image("devenv", layers=[b"base", platform.encode()], platform=platform)
        for platform in ("linux/amd64", "linux/arm64")
    }
    server.push_index("devenv", "latest", images=images)
    assert call("--db", db, "crawl", "--repo", name).code == 0
    whole = call("--db", db, "verify", name, "--deep")
    assert whole.code == 0, whole
    assert "3 manifests and 5 blobs" in whole.out
    assert "each is what its digest says" in whole.out

    layer = json.loads(call("--db", db, "show", f"{name}:latest", "--format", "json").out)["Layers"][1]["Digest"]
    digits = layer.removeprefix("sha256:")
    stored = next(tmp_path.glob(f"store/**/blobs/sha256/{digits[:2]}/{digits}/data"))
    stored.write_bytes(b"x" * stored.stat().st_size)
    damaged = call("--db", db, "verify", name, "--deep", "--tries", "1")
    assert damaged.code == 1
    assert layer in damaged.err
    assert "not what its digest says" in damaged.err
    assert call("--db", db, "verify", name).code == 0  # the digest of the tag is what it was
    stored.unlink()
    missing = call("--db", db, "verify", name, "--deep", "--tries", "1")
    assert missing.code == 1
    assert layer in missing.err


def test_a_digest_to_compare_with(server: Server, call: Call, tmp_path: Path) -> None:
    """Given on the command line it needs no index; an image inside of an index is the same bits too."""
    db = str(tmp_path / "none.db")
    image = server.push_image("devenv", layers=[b"base"])
    index = server.push_index("devenv", "latest", images={"linux/amd64": image})
    name = f"{server.host}/devenv"
    assert call("--db", db, "verify", name, "--digest", index).code == 0
    inside = call("--db", db, "verify", name, "--digest", image)
    assert inside.code == 0
    assert "its image for linux/amd64" in inside.out
    other = "sha256:" + "0" * 64
    assert call("--db", db, "verify", name, "--digest", other).code == 1
    assert call("--db", db, "verify", f"{name}@{image}").code == 0
    assert call("--db", db, "verify", f"{name}@{other}").code == 3
    assert call("--db", db, "verify", f"{name}:nosuch", "--digest", index).code == 3
    assert call("--db", db, "verify", name, "--digest", "sha256:zz").code == 2
    assert call("--db", db, "verify", name).code == 3  # there is no index to compare with
    row = json.loads(call("--db", db, "verify", name, "--digest", other, "--format", "json").out)
    assert (row["Verdict"], row["Known"], row["Digest"]) == ("moved", other, index)


def test_tls_with_certificates_in_dockers_layout(secure: Secure, call: Call, tmp_path: Path) -> None:
    """Without them the error names the remedy, and with them everything works."""
    db = str(tmp_path / "index.db")
    server = Server(tmp_path, tls=secure.certificate)
    try:
        pushed = server.push_image("devenv", "latest")
        name = f"{server.host}/devenv"
        refused = call("--db", db, "crawl", "--repo", name)
        assert refused.code == 1
        assert "certificate signed by unknown authority" in refused.complaint
        assert f"certs.d/{server.host}/ca.crt" in refused.complaint
        certs = ("--certs-dir", secure.trusted(server.host))
        assert call("--db", db, "crawl", "--registry", server.host, *certs).code == 0
        assert call("--db", db, "resolve", name).out == f"{name}@{pushed}\n"
        assert call("--db", db, "verify", name, *certs).code == 0
        assert call("--db", db, "verify", name, "--deep", *certs).code == 0
        assert call("--db", db, "verify", name, "--tries", "1").code == 1
        assert call("--db", db, "crawl", "--repo", name, "--insecure-registry", server.host).code == 0
    finally:
        server.stop()


def test_a_client_certificate(secure: Secure, call: Call, tmp_path: Path) -> None:
    """A registry that wants one says so, and gets it from the same folder."""
    db = str(tmp_path / "index.db")
    server = Server(tmp_path, tls=secure.certificate, clients=secure.authority_file)
    try:
        name = f"{server.host}/devenv"
        certs = ("--certs-dir", secure.trusted(server.host))
        refused = call("--db", db, "crawl", "--repo", name, *certs)
        assert refused.code == 1
        assert "wants a client certificate" in refused.complaint
        certificate, key = secure.written(secure.authority.issue_cert("dev@example.org"), "client")
        for file in (certificate, key):
            shutil.copy(file, secure.certs_dir / server.host / file.name)
        found = call("--db", db, "crawl", "--repo", name, *certs)
        assert (found.code, "not found on" in found.err) == (0, True)
    finally:
        server.stop()


def test_plain_http_elsewhere_has_to_be_allowed(server: Server, call: Call, tmp_path: Path) -> None:
    """An address that is not a loopback one is asked over HTTPS first; the error names the option."""
    db = str(tmp_path / "index.db")
    pushed = server.push_image("devenv", "latest")
    host = server.host.replace("127.0.0.1", "0.0.0.0")  # it leads here, and is no loopback address
    refused = call("--db", db, "crawl", "--repo", f"{host}/devenv")
    assert refused.code == 1
    assert "server gave HTTP response to HTTPS client" in refused.complaint
    assert f"--insecure-registry {host}" in refused.complaint
    allowed = call("--db", db, "crawl", "--repo", f"{host}/devenv", "--insecure-registry", host)
    assert allowed.code == 0, allowed
    assert call("--db", db, "resolve", f"{host}/devenv").out == f"{host}/devenv@{pushed}\n"


def test_the_options_in_the_environment(
    server: Server, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several registries are separated by blanks."""
    host = server.host.replace("127.0.0.1", "0.0.0.0")
    server.push_image("devenv", "latest")
    monkeypatch.setenv("HUBINDEX_INSECURE_REGISTRY", f"registry.example {host}")
    assert call("--db", str(tmp_path / "index.db"), "crawl", "--registry", host).code == 0


def test_no_password_goes_over_plain_http_to_another_machine(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even to a registry that was named as insecure; on this machine it does."""
    htpasswd = shutil.which("htpasswd")
    if htpasswd is None:
        pytest.skip("the program htpasswd is not installed")
    passwords = tmp_path / "htpasswd"
    subprocess.run([htpasswd, "-cbBC", "5", str(passwords), USER, SECRET], check=True, capture_output=True)
    server = Server(tmp_path, passwords)
    try:
        server.push_image("devenv", "latest")
        host = server.host.replace("127.0.0.1", "0.0.0.0")
        login = {"username": USER, "password": SECRET}
        config = {"auths": {host: login, server.host: login}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        db = str(tmp_path / "index.db")
        refused = call("--db", db, "crawl", "--repo", f"{host}/devenv", "--insecure-registry", host)
        assert refused.code == 1
        assert "no password is sent over plain HTTP" in refused.err
        assert SECRET not in refused.err
        assert call("--db", db, "crawl", "--repo", f"{server.host}/devenv").code == 0
    finally:
        server.stop()
