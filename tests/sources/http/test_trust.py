"""Certificates in docker's layout and insecure registries, against servers with certificates of their own."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from hubindex.errors import SourceError, Unreachable, UnreadableAnswer, WrongUsage
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.trust import NOTHING_SPECIAL, Trust, default_certs_dirs

HERE = "127.0.0.1"
NOW = datetime.now(UTC)


def served(certificate: trustme.LeafCert | None, trust: Trust, host: str = HERE) -> tuple[str | SourceError, int]:
    """What a client that trusts so much gets of a server with this certificate, and how many requests it sent."""

    async def hello(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="hello")

    async def story() -> tuple[str | SourceError, int]:
        context = None
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
        app = web.Application()
        app.router.add_get("/", hello)
        server = TestServer(app, host=HERE, scheme="https" if context else "http")
        await server.start_server(ssl=context)
        async with HttpClient(tries=3, trust=trust) as http:
            try:
                url = URL(f"https://{host}:{server.port}/")
                return await http.get(url, lambda answer: answer.body.decode()), http.requests
            except SourceError as error:
                return error, http.requests
            finally:
                await server.close()

    return asyncio.run(story())


def folder_of(tmp_path: Path, name: str, **files: bytes) -> Path:
    """A `certs.d` with files for one server; `_` stands for the dot in their names."""
    folder = tmp_path / "certs.d" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file.replace("_", ".")).write_bytes(content)
    return tmp_path / "certs.d"


class _AnyPort(Trust):
    """As `Trust`, for a server whose port is not known before: the folder is named by the host alone."""

    def context(self, url: URL) -> ssl.SSLContext | bool:
        """The context of the host."""
        return super().context(url.with_port(443))


@pytest.fixture
def authority() -> trustme.CA:
    """An authority that nobody knows."""
    return trustme.CA()


def test_an_authority_in_the_folder_is_trusted(tmp_path: Path, authority: trustme.CA) -> None:
    """For the server that the folder is named after."""
    trust = _AnyPort([folder_of(tmp_path, HERE, ca_crt=authority.cert_pem.bytes())])
    assert served(authority.issue_cert(HERE), trust) == ("hello", 1)


def test_the_folder_of_another_server_counts_for_nothing(tmp_path: Path, authority: trustme.CA) -> None:
    """Nor does one of another port."""
    folder = folder_of(tmp_path, "registry.example", ca_crt=authority.cert_pem.bytes())
    folder_of(tmp_path, f"{HERE}:1", ca_crt=authority.cert_pem.bytes())
    error, requests = served(authority.issue_cert(HERE), Trust([folder]))
    assert isinstance(error, Unreachable)
    assert "unknown authority" in str(error)
    assert requests == 1


def test_an_unknown_authority_is_explained_with_the_remedy(authority: trustme.CA) -> None:
    """In one line, after one request."""
    error, requests = served(authority.issue_cert(HERE), NOTHING_SPECIAL)
    assert isinstance(error, Unreachable)
    assert "certificate signed by unknown authority" in str(error)
    assert f"certs.d/{HERE}:" in str(error)
    assert "/ca.crt" in str(error)
    assert "\n" not in str(error)
    assert requests == 1


def test_a_certificate_for_another_name_is_explained(tmp_path: Path, authority: trustme.CA) -> None:
    """It says for which name it is not."""
    trust = _AnyPort([folder_of(tmp_path, HERE, ca_crt=authority.cert_pem.bytes())])
    error, _ = served(authority.issue_cert("registry.example"), trust)
    assert "it is not for 127.0.0.1" in str(error)


def test_an_expired_certificate_is_explained(tmp_path: Path, authority: trustme.CA) -> None:
    """And so is one that is not valid yet."""
    trust = _AnyPort([folder_of(tmp_path, HERE, ca_crt=authority.cert_pem.bytes())])
    error, _ = served(authority.issue_cert(HERE, not_after=NOW - timedelta(days=1)), trust)
    assert "expired" in str(error)
    late = authority.issue_cert(HERE, not_before=NOW + timedelta(days=1), not_after=NOW + timedelta(days=2))
    error, _ = served(late, trust)
    assert "not valid yet" in str(error)


def test_a_server_without_tls_is_explained(authority: trustme.CA) -> None:
    """With docker's words, and the option that allows it."""
    error, requests = served(None, NOTHING_SPECIAL)
    assert isinstance(error, Unreachable)
    assert "server gave HTTP response to HTTPS client" in str(error)
    assert f"--insecure-registry {HERE}:" in str(error)
    assert requests == 1


@pytest.mark.parametrize("named", [HERE, "127.0.0.0/8"])
def test_an_insecure_registry_is_not_verified(authority: trustme.CA, named: str) -> None:
    """Whatever its certificate says."""
    certificate = authority.issue_cert("elsewhere.example")
    assert served(certificate, Trust(insecure=[named])) == ("hello", 1)


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("ca_crt", b"no certificate", "ca.crt is not a certificate"),
        ("ca_crt", b"\xff\xfe", "ca.crt is not a certificate"),
        ("ca_crt", b"x" * (1024 * 1024 + 1), "ca.crt is larger than"),
        ("client_cert", b"x", "'client.key' is missing"),
        ("client_key", b"x", "'client.cert' is missing"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, authority: trustme.CA, file: str, content: bytes, told: str
) -> None:
    """Nothing is sent then."""
    folder = folder_of(tmp_path, HERE, **{file: content})
    error, requests = served(authority.issue_cert(HERE), _AnyPort([folder]))
    assert told in str(error)
    assert "\n" not in str(error)
    assert requests <= 1


def test_a_key_that_is_none_is_named(tmp_path: Path, authority: trustme.CA) -> None:
    """With its certificate; nobody is asked for a password."""
    folder = folder_of(tmp_path, HERE, client_cert=b"x", client_key=b"y")
    error, _ = served(authority.issue_cert(HERE), _AnyPort([folder]))
    assert "are not a certificate and its key" in str(error)


@pytest.mark.parametrize(
    ("named", "url", "expected"),
    [
        ("registry.example:5000", "https://registry.example:5000", True),
        ("registry.example:5000", "https://registry.example", False),
        ("Registry.Example", "https://registry.example:5000", True),
        ("registry.example", "https://other.example", False),
        ("10.0.0.0/8", "https://10.1.2.3:5000", True),
        ("10.0.0.0/8", "https://11.1.2.3:5000", False),
        ("10.0.0.0/8", "https://registry.example", False),
        ("[::1]:5000", "https://[::1]:5000", True),
        ("fd00::/8", "https://[fd00::1]:5000", True),
        ("registry.example:443", "https://registry.example", True),
    ],
)
def test_which_registries_are_insecure(named: str, url: str, *, expected: bool) -> None:
    """By host, by host and port, or by network."""
    assert Trust(insecure=[named]).is_insecure(URL(url)) is expected


@pytest.mark.parametrize(
    "name", ["", "http://registry.example", "a b", "registry.example/name", "10.0.0.0/99", "\n"]
)
def test_what_is_no_registry_is_refused(name: str) -> None:
    """As wrong usage."""
    with pytest.raises(WrongUsage):
        Trust(insecure=[name])


def test_where_certificates_are_looked_for() -> None:
    """Docker's folders, the user's, and Podman's."""
    assert [str(path) for path in default_certs_dirs({"HOME": "/home/ada"})] == [
        "/etc/docker/certs.d", "/home/ada/.docker/certs.d", "/etc/containers/certs.d",
    ]  # fmt: skip


def test_a_server_that_wants_https_is_recognised() -> None:
    """It was asked over plain HTTP, and says so with a status."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=400, text="Client sent an HTTP request to an HTTPS server.\n")

    async def story() -> None:
        app = web.Application()
        app.router.add_get("/", refuse)
        async with TestServer(app) as server, HttpClient(tries=1) as http:
            await http.get(URL(f"http://127.0.0.1:{server.port}/"), lambda answer: answer.body)

    with pytest.raises(UnreadableAnswer, match="speaks HTTPS"):
        asyncio.run(story())
