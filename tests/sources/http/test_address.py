"""Which hosts are this machine, and which are of the open Internet."""

import asyncio
import ssl

import pytest
import trustme
from yarl import URL

from hubindex.errors import WrongUsage
from hubindex.sources.http.address import is_loopback, is_public, speaks_tls, validate_base_url


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.9.8.7",
        "::1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "::ffff:127.0.0.1",
    ],
)
def test_loopback_in_every_spelling(host: str) -> None:
    """Whatever connects to this machine: a server there may be asked by plain http, and is not public."""
    assert is_loopback(host)
    assert not is_public(host)
    name = f"[{host}]" if ":" in host else host
    assert validate_base_url(f"http://{name}:5000", "--registry-url").port == 5000


@pytest.mark.parametrize(
    "host", ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "10.1", "1", "8.8.8.8"]
)
def test_other_hosts(host: str) -> None:
    """A name that begins like this machine's is another host."""
    assert not is_loopback(host)
    if host:
        with pytest.raises(WrongUsage):
            validate_base_url(f"http://{host}", "--registry-url")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("example.com", True), ("8.8.8.8", True), ("10.1", False), ("0xa9fea9fe", False), ("a.internal", False)],
)
def test_public_hosts(host: str, expected: bool) -> None:
    """Names, and addresses of the open Internet in any spelling; not those of a private network."""
    assert is_public(host) is expected


@pytest.mark.parametrize(("is_secure", "expected"), [(True, True), (False, False)])
def test_a_registry_on_this_machine_is_asked_in_plain_only_if_it_speaks_no_tls(
    *, is_secure: bool, expected: bool
) -> None:
    """Whatever its certificate is worth: that is found out when something is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("elsewhere.example").configure_cert(context)

    async def story() -> bool:
        async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(close, "127.0.0.1", 0, ssl=context if is_secure else None)
        async with server:
            return await speaks_tls(URL(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"), seconds=5)

    assert asyncio.run(story()) is expected
