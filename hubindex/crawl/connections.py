"""The way to the servers: where they are, who signs, and over what they are asked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from yarl import URL

from hubindex import docker_hub
from hubindex.errors import SignInRefused
from hubindex.reference import DEFAULT_REGISTRY
from hubindex.sources.auth.credentials import USER_VARIABLE, hub_credentials, registry_credentials
from hubindex.sources.auth.hub_signer import HubSigner
from hubindex.sources.http.address import is_loopback, speaks_tls, validate_base_url
from hubindex.sources.http.client import HttpClient
from hubindex.sources.http.trust import Trust, default_certs_dirs
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry


class Network(NamedTuple):
    """Where and how to ask.

    `registry_url` is where the registry behind the Hub is. None stands for Docker's own behind Docker Hub, and for
    none behind another Hub. `tries`: how often a request that fails is sent, `budget`: how many may be sent.
    `insecure_registries` and `certs_dir` are as in `Trust`; without the folder it is those of docker and Podman.
    """

    hub_url: str = docker_hub.HUB_URL
    registry_url: str | None = None
    anonymous: bool = False
    tries: int = 6
    budget: int | None = None
    insecure_registries: Sequence[str] = ()
    certs_dir: str | None = None

    def client(self, connections: int, environ: Mapping[str, str]) -> HttpClient:
        """A client with so many connections at once, not yet open. Raises `WrongUsage`."""
        dirs = default_certs_dirs(environ) if self.certs_dir is None else (Path(self.certs_dir),)
        trust = Trust(dirs, self.insecure_registries)
        return HttpClient(connections=connections, tries=self.tries, budget=self.budget, trust=trust)


class Connections:
    """Opens the sources behind an `HttpClient`.

    `environ` is where user names and tokens are looked for; `warn` is told in one line of what cannot be used.
    """

    def __init__(
        self, network: Network, http: HttpClient, environ: Mapping[str, str], warn: Callable[[str], None]
    ) -> None:
        self._network = network
        self._http = http
        self._environ = environ
        self._warn = warn

    async def hub(self) -> DockerHub:
        """Docker Hub, signed in if there is a user. Raises `WrongUsage`, `SignInRefused`."""
        return DockerHub(self._http, self._network.hub_url, signer=await self._signer())

    async def registry(self, host: str) -> Registry | None:
        """The registry at a host, as references have it; None if there is none behind the Hub.

        It is asked over TLS. One on this machine, or that was named as insecure, is asked over plain HTTP if it
        speaks no TLS.
        """
        url = await self.registry_address(host)
        return None if url is None else self._registry_at(url)

    async def registry_address(self, host: str) -> URL | None:
        """Where that registry is."""
        if host == DEFAULT_REGISTRY:
            return self._hub_registry_address()
        url = URL(f"https://{host}")
        if self._http.trust.may_be_plain(url) and not await speaks_tls(url):
            url = URL(f"http://{host}")
        return url

    def hub_registry(self) -> Registry | None:
        """The registry behind the Hub. Docker's own is not that of another Hub."""
        url = self._hub_registry_address()
        return None if url is None else self._registry_at(url)

    def require_safe(self, url: URL) -> None:
        """Raise `SignInRefused` where a password would go over plain HTTP to another machine."""
        if url.scheme == "http" and not is_loopback(url.host or ""):
            raise SignInRefused(f"{url.host_port_subcomponent}: no password is sent over plain HTTP")

    def _hub_registry_address(self) -> URL | None:
        network = self._network
        is_docker_hub = network.hub_url.rstrip("/") == docker_hub.HUB_URL
        url = network.registry_url or (docker_hub.REGISTRY_URL if is_docker_hub else None)
        return None if url is None else validate_base_url(url, "--registry-url")

    def _registry_at(self, base: URL) -> Registry:
        found = None
        if not self._network.anonymous:
            found = registry_credentials(base, self._environ, self._warn)
        if found is not None:
            try:
                self.require_safe(base)
            except SignInRefused as error:
                self._warn(str(error))
                found = None
        return Registry(self._http, str(base), credentials=found)

    async def _signer(self) -> HubSigner | None:
        """Who signs requests to the Hub. If the Hub refuses what docker keeps, the crawl goes on without."""
        network = self._network
        url = validate_base_url(network.hub_url, "--hub-url")
        if network.anonymous:
            return None
        credentials = await asyncio.to_thread(hub_credentials, url, self._environ, self._warn)
        if credentials is None:
            return None
        signer = HubSigner(self._http, network.hub_url, credentials)
        try:
            await signer.sign_in()
        except SignInRefused as error:
            if USER_VARIABLE in credentials.origin:
                raise
            self._warn(f"{error}: going on without signing in")
            return None
        return signer
