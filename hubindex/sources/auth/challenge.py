"""What a registry's 401 asks for (`WWW-Authenticate`), and which addresses it may name.

    Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/ubuntu:pull"
    Basic realm="basic-realm"

The syntax is that of RFC 9110, section 11; the meaning of a Bearer challenge is in the distribution project's
"Token Authentication Specification". A registry may name any address as the realm, so there is a rule.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from yarl import URL

from hubindex import docker_hub
from hubindex.sources.http.address import is_loopback, is_public
from hubindex.sources.http.headers import joined

_DOCKER_REGISTRY: Final = URL(docker_hub.REGISTRY_URL)
_DOCKER_REALM: Final = URL(docker_hub.AUTH_URL)
_MAX_HEADER = 16 * 1024
_MAX_PARAMETER = 2048
_DOMAIN_DOTS = 2  # a.b.example is below b.example, and b.example is a domain itself
_PIECE = re.compile(
    r"""(?P<name>[A-Za-z0-9_-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))"""
    r"|(?P<scheme>[A-Za-z0-9_-]+)",
    re.ASCII,
)


class Bearer(NamedTuple):
    """Ask the realm for a token. `service` and `scope` may be empty."""

    realm: str
    service: str
    scope: str
    is_insufficient: bool = False


class Basic(NamedTuple):
    """Send the user name and the password."""


def read_challenge(headers: Mapping[str, str]) -> Bearer | Basic | None:
    """The challenge of a 401 that can be met, a Bearer before a Basic one; `None`: there is none."""
    basic = None
    for scheme, parameters in _challenges(joined(headers, "WWW-Authenticate", _MAX_HEADER)):
        realm = parameters.get("realm", "")
        if scheme == "bearer" and realm:
            return Bearer(
                realm,
                parameters.get("service", ""),
                parameters.get("scope", ""),
                parameters.get("error") == "insufficient_scope",
            )
        if scheme == "basic":
            basic = Basic()
    return basic


def realm_url(realm: str, registry: URL) -> URL | None:
    """The address of a realm from which tokens may be fetched, else `None`.

    It is https; or http on a loopback host, if the registry itself is such a one, or at the very host and port of
    a registry that speaks plain HTTP. It is no private address that is not the registry's own host.
    """
    try:
        url = URL(realm)
        host, port = url.host, url.port
    except ValueError:
        return None
    if not host or not port or url.user is not None or url.password is not None or not realm.isprintable():
        return None
    url = url.with_fragment(None)
    if url.scheme == "https":
        own = host == registry.host or (is_loopback(host) and is_loopback(registry.host or ""))
        return url if own or is_public(host) else None
    if url.scheme == "http" and registry.scheme == "http":
        is_own = is_loopback(host) and is_loopback(registry.host or "")
        return url if is_own or url.origin() == registry.origin() else None
    return None


def may_have_credentials(realm: URL, registry: URL) -> bool:
    """Whether a realm may see the registry's user name and password.

    Only on the registry's own host, or over HTTPS on one of the same domain, as GitLab's is
    (`registry.gitlab.example` names `gitlab.example`), and not over plain HTTP to another machine. Docker Hub's is
    https://auth.docker.io.
    """
    if registry.origin() == _DOCKER_REGISTRY:
        return realm.origin() == _DOCKER_REALM
    if realm.scheme != "https":
        return realm.host == registry.host and is_loopback(realm.host or "")
    return _is_same_domain(realm.host or "", registry.host or "")


def _is_same_domain(one: str, other: str) -> bool:
    """Whether two hosts are the same, one is below the other, or both are directly below one domain."""
    if one == other:
        return True
    if not ("." in one and "." in other and is_public(one) and is_public(other)) or not (
        one[-1:].isalpha() and other[-1:].isalpha()
    ):
        return False  # addresses and names of this network have no domain
    domains = {host if host.count(".") < _DOMAIN_DOTS else host.partition(".")[2] for host in (one, other)}
    return len(domains) == 1 or one.endswith(f".{other}") or other.endswith(f".{one}")


def _challenges(text: str) -> list[tuple[str, dict[str, str]]]:
    """Each scheme, in lower case, with its parameters."""
    found: list[tuple[str, dict[str, str]]] = []
    for piece in _PIECE.finditer(text):
        if piece["scheme"]:
            found.append((piece["scheme"].lower(), {}))
        elif found:
            value = piece["bare"] or re.sub(r"\\(.)", r"\1", piece["quoted"] or "")
            if len(value) <= _MAX_PARAMETER:
                found[-1][1].setdefault(piece["name"].lower(), value)
    return found
