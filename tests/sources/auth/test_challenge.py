"""What a registry's 401 asks for, and where its realm may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from hubindex.sources.auth.challenge import Basic, Bearer, may_have_credentials, read_challenge, realm_url

DOCKER = URL("https://registry-1.docker.io")
ACME = URL("https://registry.acme.example:5000")
LOCAL = URL("http://127.0.0.1:5000")


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
            'scope="repository:library/alpine:pull"',
            Bearer("https://auth.docker.io/token", "registry.docker.io", "repository:library/alpine:pull"),
        ),
        (
            'Bearer realm="https://a/t",service="s",scope="x",error="insufficient_scope"',
            Bearer("https://a/t", "s", "x", is_insufficient=True),
        ),
        ('bearer  Realm = "https://a/t" , SERVICE=s', Bearer("https://a/t", "s", "")),
        (r'Bearer realm="https://a/\"t"', Bearer('https://a/"t', "", "")),
        ('Basic realm="basic-realm"', Basic()),
        ("Basic", Basic()),
        ('Basic realm="x", Bearer realm="https://a/t"', Bearer("https://a/t", "", "")),
        ('Negotiate, Basic realm="x"', Basic()),
        ("Bearer", None),
        ('Bearer realm=""', None),
        ("Negotiate", None),
        ("", None),
        ('realm="https://a/t"', None),
    ],
)
def test_challenges(header: str, challenge: Bearer | Basic | None) -> None:
    """The challenge that can be met is found, a Bearer before a Basic one."""
    assert read_challenge({"WWW-Authenticate": header}) == challenge


def test_several_headers() -> None:
    """Each challenge may have a header of its own, in any case."""
    headers = CIMultiDict(
        [("www-authenticate", "Basic realm=x"), ("WWW-Authenticate", "Bearer realm=https://a/t")]
    )
    assert read_challenge(headers) == Bearer("https://a/t", "", "")
    assert read_challenge(CIMultiDict()) is None


@given(st.text(max_size=200) | st.text(alphabet='Bearer Basic,="\\', max_size=200))
def test_any_header_is_safe(header: str) -> None:
    """Nothing that a server writes there is too odd."""
    read_challenge({"WWW-Authenticate": header})


@pytest.mark.parametrize(
    ("realm", "registry"),
    [
        ("https://auth.docker.io/token", DOCKER),
        ("https://auth.acme.example/token?x=1", ACME),
        ("https://registry.acme.example/token", ACME),
        ("https://8.8.8.8/token", ACME),
        ("https://10.0.0.7/token", URL("https://10.0.0.7:5000")),
        ("http://127.0.0.1:5000/token", LOCAL),
        ("http://127.0.0.1:5001/token", LOCAL),
        ("http://localhost:5001/token", LOCAL),
        ("https://127.0.0.1:5001/token", LOCAL),
    ],
)
def test_a_realm_that_may_be_asked(realm: str, registry: URL) -> None:
    """Any https address; and on a loopback host plain http, if the registry is such a one itself."""
    assert str(realm_url(realm, registry)) == realm


@pytest.mark.parametrize(
    ("realm", "registry"),
    [
        ("http://auth.docker.io/token", DOCKER),
        ("http://registry.acme.example:5000/token", ACME),
        ("http://auth.acme.example/token", LOCAL),
        ("http://127.0.0.1:5000/token", ACME),
        ("http://10.0.0.7/token", LOCAL),
        ("https://10.0.0.7/token", ACME),
        ("https://127.0.0.1/token", ACME),
        ("https://127.1/token", ACME),
        ("https://2130706433/token", ACME),
        ("https://0x7f000001/token", ACME),
        ("https://169.254.169.254/latest/meta-data", ACME),
        ("https://[::1]/token", ACME),
        ("https://[::ffff:10.0.0.7]/token", ACME),
        ("https://[fe80::1]/token", ACME),
        ("https://[fd00::1]/token", ACME),
        ("https://0.0.0.0/token", ACME),
        ("https://localhost/token", ACME),
        ("https://localhost./token", ACME),
        ("https://metadata.google.internal/token", ACME),
        ("https://user:password@auth.acme.example/token", ACME),
        ("https://10.0.0.8/token", URL("https://10.0.0.7:5000")),
        ("file:///etc/passwd", ACME),
        ("ftp://auth.acme.example/token", ACME),
        ("//auth.acme.example/token", ACME),
        ("/token", ACME),
        ("token", ACME),
        ("https://", ACME),
        ("https://auth.acme.example:99999/", ACME),
        ("https://auth.acme.example/\n", ACME),
        ("", ACME),
    ],
)
def test_a_realm_that_may_not_be_asked(realm: str, registry: URL) -> None:
    """Neither plain http on a network, nor a private address that is not the registry's own."""
    assert realm_url(realm, registry) is None


@pytest.mark.parametrize(
    ("realm", "registry", "may"),
    [
        ("https://auth.docker.io/token", DOCKER, True),
        ("https://auth.docker.io:8443/token", DOCKER, False),
        ("https://registry-1.docker.io/token", DOCKER, False),
        ("https://auth.docker.io.evil.example/token", DOCKER, False),
        ("https://auth.docker.io/token", ACME, False),
        ("https://registry.acme.example/token", ACME, True),
        ("https://acme.example/token", ACME, True),
        ("https://login.acme.example/token", ACME, True),
        ("https://acme.example.evil.example/token", ACME, False),
        ("https://evil-acme.example/token", ACME, False),
        ("https://example/token", ACME, False),
        ("https://other.example/token", URL("https://acme.example"), False),
        ("https://10.0.0.1/token", URL("https://10.0.0.2"), False),
        ("https://10.0.0.1/token", URL("https://10.0.0.1:5000"), True),
        ("http://10.0.0.1:5000/token", URL("http://10.0.0.1:5000"), False),
        ("http://127.0.0.1:5000/token", LOCAL, True),
        ("http://localhost:5000/token", LOCAL, False),
    ],
)
def test_who_may_see_a_password(realm: str, registry: URL, may: bool) -> None:
    """The registry's own host or domain, and for Docker Hub's registry the one realm that it has."""
    assert may_have_credentials(URL(realm), registry) is may
