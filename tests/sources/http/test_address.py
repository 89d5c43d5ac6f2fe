"""Which hosts are this machine, and which are of the open Internet."""

import pytest

from hubindex.errors import WrongUsage
from hubindex.sources.http.address import is_loopback, is_public, validate_base_url


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
