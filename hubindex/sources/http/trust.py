"""Which servers are trusted, and how they are spoken to: docker's `certs.d` and its insecure registries.

    certs.d/registry.example:5000/ca.crt          an authority that is trusted for this server, beside the system's
    certs.d/registry.example:5000/client.cert     a certificate that is shown to it
    certs.d/registry.example:5000/client.key      its key

The layout and the meaning are those of docker ("Verify repository client with certificates", and the option
`insecure-registries` of dockerd), and of containers/image (`containers-certs.d(5)`).
"""

import ipaddress
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from yarl import URL

from hubindex import docker_hub
from hubindex.errors import WrongUsage
from hubindex.sources.http.address import is_loopback
from hubindex.text import quote, shown

_MAX_FILE = 1024 * 1024

_Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


class UnusableCertificate(Exception):
    """A certificate or key in a `certs.d` folder that cannot be used; the text names the file and says why."""


class Trust:
    """How servers are spoken to.

    `certs_dirs` are `certs.d` folders, of which each may be missing. `insecure` names registries, `HOST` or
    `HOST:PORT`, or networks such as `10.0.0.0/8`, whose certificates are not verified, and that may speak plain
    HTTP. Raises `WrongUsage` for what is no such name.
    """

    def __init__(self, certs_dirs: Iterable[Path] = (), insecure: Iterable[str] = ()) -> None:
        self._dirs = tuple(certs_dirs)
        self._contexts: dict[str, ssl.SSLContext | bool] = {}
        names, networks = set[str](), []
        for text in insecure:
            found = _insecure(text)
            if isinstance(found, str):
                names.add(found)
            else:
                networks.append(found)
        self._names = frozenset(names)
        self._networks: _Networks = tuple(networks)

    def is_insecure(self, url: URL) -> bool:
        """Whether a server was named as insecure. One on this machine is so only if it was named."""
        host = (url.host or "").lower()
        if self._names & {host, f"{host}:{url.port}"}:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def may_be_plain(self, url: URL) -> bool:
        """Whether a server may be spoken to over plain HTTP: on this machine, or if it was named as insecure."""
        return is_loopback(url.host or "") or self.is_insecure(url)

    def context(self, url: URL) -> ssl.SSLContext | bool:
        """What TLS with a server has to be like, as aiohttp takes it. Raises `UnusableCertificate`."""
        key = url.host_port_subcomponent or ""
        if key not in self._contexts:
            self._contexts[key] = self._made(url)
        return self._contexts[key]

    def _made(self, url: URL) -> ssl.SSLContext | bool:
        folders = [folder for folder in self._folders(url) if folder.is_dir()]
        is_insecure = self.is_insecure(url)
        if not folders and not is_insecure:
            return True
        context = ssl.create_default_context()
        if is_insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for folder in folders:
            _load(context, folder)
        return context

    def _folders(self, url: URL) -> Iterator[Path]:
        host, port = url.host_subcomponent or "", url.port
        names = [f"{host}:{port}"]
        if port == 443:
            names.append(host)
        if url.host == docker_hub.REGISTRY_HOST:
            names.append(docker_hub.NAME)
        for folder in self._dirs:
            yield from (folder / name for name in names)


NOTHING_SPECIAL: Final = Trust()
"""The authorities that the system trusts, and nothing else."""


def default_certs_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where docker and Podman look for `certs.d`."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    own = (Path(home) / ".docker" / "certs.d",) if home else ()
    return Path("/etc/docker/certs.d"), *own, Path("/etc/containers/certs.d")


def _insecure(text: str) -> str | ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A name in lower case, or a network."""
    if "/" in text and "://" not in text:
        try:
            return ipaddress.ip_network(text, strict=False)
        except ValueError:
            pass
    try:
        url = URL(f"https://{text}")
        is_name = bool(url.host) and url.path in {"", "/"} and url.user is None and "/" not in text
    except ValueError:
        is_name = False
    if not is_name or not text.isprintable() or " " in text:
        raise WrongUsage(
            f"--insecure-registry {quote(text)}: write the host of a registry, as 'registry.example:5000', or a "
            "network, as '10.0.0.0/8'"
        )
    host = (url.host or "").lower()
    return f"{host}:{url.explicit_port}" if url.explicit_port else host


def _load(context: ssl.SSLContext, folder: Path) -> None:
    """Take the certificates of a folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UnusableCertificate(f"{_named(folder)} cannot be read: {error.strerror}") from None
    for name in names:
        path, stem = folder / name, name.rpartition(".")[0]
        if name.endswith(".crt"):
            _load_authority(context, path)
        elif name.endswith(".cert"):
            if f"{stem}.key" not in names:
                raise UnusableCertificate(
                    f"{_named(path)} has no key beside it: {quote(stem + '.key')} is missing"
                )
            _load_pair(context, path, folder / f"{stem}.key")
        elif name.endswith(".key") and f"{stem}.cert" not in names:
            raise UnusableCertificate(
                f"{_named(path)} has no certificate beside it: {quote(stem + '.cert')} is missing"
            )


def _load_authority(context: ssl.SSLContext, path: Path) -> None:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE + 1)
        if len(text) > _MAX_FILE:
            raise UnusableCertificate(f"{_named(path)} is larger than {_MAX_FILE:,} bytes")
        context.load_verify_locations(cadata=text.decode("ascii"))
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            raise UnusableCertificate(f"{_named(path)} is not a certificate in the PEM format") from None
        raise UnusableCertificate(f"{_named(path)} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UnusableCertificate(f"{_named(path)} is not a certificate in the PEM format") from None


def _load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # Without a password a key that wants one would ask for it on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError:
        raise UnusableCertificate(
            f"{_named(certificate)} and {key.name} are not a certificate and its key in the PEM format"
        ) from None
    except OSError as error:
        raise UnusableCertificate(f"{_named(certificate)} cannot be read: {error.strerror}") from None


def _named(path: Path) -> str:
    return shown(str(path), 200)
