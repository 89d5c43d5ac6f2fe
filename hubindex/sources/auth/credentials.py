"""Whose user name and token a host gets: the environment first, then docker's own configuration, then Podman's.

Docker keeps what `docker login` was told in `config.json`, in the folder that `DOCKER_CONFIG` names or else in
`~/.docker`: a helper program for one host (`credHelpers`), one for all (`credsStore`), or the pair itself in
base64 (`auths`). See docker/cli, `cli/config/configfile/file.go`, and docker/docker-credential-helpers for the
protocol of the programs. Podman's `auth.json` has the same format (`containers-auth.json(5)`); it is the file that
`REGISTRY_AUTH_FILE` names, or `containers/auth.json` in `XDG_RUNTIME_DIR` or the user's configuration.

A secret is for the host that it was found for. It is in no message: a warning names places, never contents.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import msgspec
from msgspec import Struct
from yarl import URL

from hubindex import docker_hub, errors
from hubindex.sources.auth import credential_helper
from hubindex.text import quote, shown

USER_VARIABLE: Final = "HUBINDEX_HUB_USER"
TOKEN_VARIABLE: Final = "HUBINDEX_HUB_TOKEN"  # noqa: S105

Warn: TypeAlias = Callable[[str], object]
T = TypeVar("T")

_DOCKER_ORIGINS = (URL(docker_hub.HUB_URL), URL(docker_hub.REGISTRY_URL))
DOCKER_KEYS: Final = (
    docker_hub.LEGACY_LOGIN,
    docker_hub.LEGACY_HOST,
    docker_hub.NAME,
    docker_hub.REGISTRY_HOST,
    docker_hub.HUB_HOST,
)
_IDENTITY_TOKEN = "an identity token is not used, because it cannot sign in; log in with an access token"  # noqa: S105
_TOKEN_USER = "<token>"  # noqa: S105  # what docker calls the user of an identity token
_MAX_CONFIG = 1024 * 1024
_MAX_LENGTH = 16 * 1024
is_helper_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII).fullmatch


class Secret(Enum):
    """What a secret is."""

    PASSWORD = "password"  # noqa: S105
    """A password or an access token, which is used with the user name."""
    IDENTITY_TOKEN = "identity token"  # noqa: S105
    """What a registry's realm gives tokens for, without a user name (OAuth2's refresh token)."""
    REGISTRY_TOKEN = "registry token"  # noqa: S105
    """What requests to the registry are signed with as it is."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password or access token; `origin` says where they were found, for messages.

    Instead of a password it can be another `kind` of secret; the user name is empty then.
    """

    user: str
    secret: str = field(repr=False)
    origin: str
    kind: Secret = Secret.PASSWORD

    @classmethod
    def given(cls, user: str, secret: str) -> "Credentials":
        """What a person typed. Raises `WrongUsage` for what can be no user name or no password."""
        if not _is_user(user):
            raise errors.WrongUsage("that is not a user name: it is empty or long, or has a colon")
        if not _is_secret(secret):
            raise errors.WrongUsage("that is not a password: it is empty or long, or has control characters")
        return cls(user, secret, "the command line")

    def basic(self) -> str:
        """The value of an `Authorization` header of the scheme Basic (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


class _Entry(Struct):
    auth: str | None = None
    username: str | None = None
    password: str | None = None
    identitytoken: str | None = None
    registrytoken: str | None = None


class _Config(Struct):
    auths: dict[str, _Entry | None] | None = None
    creds_store: str | None = msgspec.field(name="credsStore", default=None)
    cred_helpers: dict[str, str] | None = msgspec.field(name="credHelpers", default=None)


class _Unusable(Exception):
    """Something that is there, but cannot be used; its text is the warning."""


def _ignore(warning: str) -> None:
    pass


def hub_credentials(
    hub_url: URL,
    environ: Mapping[str, str],
    warn: Warn = _ignore,
    *,
    helper_seconds: float = credential_helper.SECONDS,
) -> Credentials | None:
    """Who signs in at the Docker Hub API at `hub_url`; `None`: nobody.

    `HUBINDEX_HUB_USER` and `HUBINDEX_HUB_TOKEN` are for whatever host was named. Docker's own log-in is for
    https://hub.docker.com; another host gets what `docker login` has for that very host. `warn` is called with
    one line for each thing that is there and cannot be used. `helper_seconds` is how long a credential helper
    may take. Raises `WrongUsage` if only one of the two variables is set.
    """
    found = _from_environment(environ) or _from_files(hub_url, environ, warn, helper_seconds)
    if found is not None and found.kind is not Secret.PASSWORD:
        warn(f"{found.origin}: {_IDENTITY_TOKEN}")
        return None
    return found


def registry_credentials(
    registry_url: URL,
    environ: Mapping[str, str],
    warn: Warn = _ignore,
    *,
    helper_seconds: float = credential_helper.SECONDS,
) -> Credentials | None:
    """Who signs in at the registry at `registry_url`, by docker's configuration or Podman's; `None`: nobody.

    Docker's own log-in is for https://registry-1.docker.io. The environment's user is the Hub API's, which may
    be another host, and is not asked here. `warn` and `helper_seconds` are as in `hub_credentials`.
    """
    return _from_files(registry_url, environ, warn, helper_seconds)


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    user, token = environ.get(USER_VARIABLE, "").strip(), environ.get(TOKEN_VARIABLE, "").strip()
    if not user and not token:
        return None
    if not user or not token:
        missing, given = (USER_VARIABLE, TOKEN_VARIABLE) if token else (TOKEN_VARIABLE, USER_VARIABLE)
        raise errors.WrongUsage(f"{given} is set, but {missing} is not; set both, or neither")
    if not _is_user(user) or not _is_secret(token):
        raise errors.WrongUsage(f"{USER_VARIABLE} and {TOKEN_VARIABLE} are not a user name and a token")
    return Credentials(user, token, USER_VARIABLE)


def _from_files(url: URL, environ: Mapping[str, str], warn: Warn, helper_seconds: float) -> Credentials | None:
    keys: Sequence[str] = DOCKER_KEYS if url.origin() in _DOCKER_ORIGINS else (_host(url),)
    files = ((config_file(environ), False), *((file, True) for file in _podman_files(environ)))
    for (path, name), is_podmans in files:
        try:
            config = _read(path, name) if path else None
        except _Unusable as unusable:
            warn(str(unusable))
            continue
        if config is not None and is_podmans:
            config = _for_hosts(config)
        found = None if config is None else _from_config(config, name, keys, environ, warn, helper_seconds)
        if found is not None:
            return found
    return None


def _from_config(
    config: _Config, name: str, keys: Sequence[str], environ: Mapping[str, str], warn: Warn, helper_seconds: float
) -> Credentials | None:
    for helper, asked_for in _helpers(config, keys):
        try:
            found = _from_helper(helper, asked_for, environ, helper_seconds)
        except _Unusable as unusable:
            warn(f"{name}: {unusable}")
            continue
        if found is not None:
            return found
    try:
        return _from_auths(config, keys, name)
    except _Unusable as unusable:
        warn(f"{name}: {unusable}")
        return None


def _for_hosts(config: _Config) -> _Config:
    """Without what Podman keeps for a namespace or a repository: the secret of one is not for its neighbours."""

    def of_hosts(keys: Mapping[str, T] | None) -> dict[str, T]:
        return {key: value for key, value in (keys or {}).items() if "://" in key or "/" not in key}

    return msgspec.structs.replace(
        config, auths=of_hosts(config.auths), cred_helpers=of_hosts(config.cred_helpers)
    )


def config_file(environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Where docker's configuration file would be, and its name for messages."""
    if folder := environ.get("DOCKER_CONFIG"):
        path = Path(folder) / "config.json"
        return path, shown(str(path), 200)
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / ".docker" / "config.json" if home else None, "~/.docker/config.json"


def _podman_files(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named), shown(named, 200)
        return
    home = environ.get("HOME")
    own = environ.get("XDG_CONFIG_HOME") or (str(Path(home) / ".config") if home else None)
    for folder in (environ.get("XDG_RUNTIME_DIR"), own):
        if folder:
            path = Path(folder) / "containers" / "auth.json"
            yield path, shown(str(path), 200)


def _read(path: Path, name: str) -> _Config | None:
    """The configuration; `None`: there is no such file."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            body = file.read(_MAX_CONFIG + 1)
    except (OSError, ValueError) as error:
        raise _Unusable(f"{name} is not used: it cannot be read") from error
    if len(body) > _MAX_CONFIG:
        raise _Unusable(f"{name} is not used: it is larger than {_MAX_CONFIG:,} bytes")
    try:
        return msgspec.json.decode(body, type=_Config)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _Unusable(f"{name} is not used: it is not a configuration of docker") from None


def _helpers(config: _Config, keys: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The helper programs to ask, each with the hosts to ask it for."""
    helpers = {normal(key): helper for key, helper in (config.cred_helpers or {}).items()}
    own: dict[str, list[str]] = {}
    for key in keys:
        if helper := helpers.get(normal(key)):
            own.setdefault(helper, []).append(key)
    yield from own.items()
    if config.creds_store:
        yield config.creds_store, keys


def _from_helper(
    helper: str, keys: Sequence[str], environ: Mapping[str, str], seconds: float
) -> Credentials | None:
    if not is_helper_name(helper):
        raise _Unusable(f"{quote(helper)} is not the name of a credential helper")
    program = f"docker-credential-{helper}"
    safe = {name: value for name, value in environ.items() if name != TOKEN_VARIABLE}
    for key in keys:
        try:
            answer = credential_helper.ask(program, key, safe, seconds)
        except credential_helper.Failed as failed:
            raise _Unusable(f"{program} is not used: {failed}") from failed
        if answer is not None:
            return _checked(answer.user, answer.secret, program)
    return None


def _from_auths(config: _Config, keys: Sequence[str], name: str) -> Credentials | None:
    entries = {normal(key): entry for key, entry in reversed((config.auths or {}).items()) if entry}
    for key in keys:
        entry = entries.get(normal(key))
        if entry is None:
            continue
        if entry.auth:
            user, secret = _unpacked(entry.auth)
        else:
            user, secret = entry.username or "", entry.password or ""
        for token, kind in (
            (entry.registrytoken, Secret.REGISTRY_TOKEN),
            (entry.identitytoken, Secret.IDENTITY_TOKEN),
        ):
            if token:
                return _checked("", token, name, kind)
        if secret:
            return _checked(user, secret, name)
    return None


def _unpacked(auth: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(auth, validate=True).decode()
    except ValueError:
        raise _Unusable("an `auth` that is not base64 is not used") from None
    user, colon, secret = text.partition(":")
    if not colon:
        raise _Unusable("an `auth` without a user name and a password is not used")
    return user, secret.rstrip("\0")


def _checked(user: str, secret: str, origin: str, kind: Secret = Secret.PASSWORD) -> Credentials:
    if user == _TOKEN_USER:
        user, kind = "", Secret.IDENTITY_TOKEN
    is_named = _is_user(user) or kind is not Secret.PASSWORD
    if not is_named or not _is_secret(secret):
        raise _Unusable(f"what {origin} has is not a user name and a password")
    return Credentials(user, secret, origin, kind)


def _is_user(text: str) -> bool:
    return 0 < len(text) <= 255 and text.isprintable() and ":" not in text


def _is_secret(text: str) -> bool:
    return 0 < len(text) <= _MAX_LENGTH and text.isprintable()


def normal(key: str) -> str:
    """A key of docker's as a host with its port: `https://index.docker.io/v1/` is `index.docker.io`."""
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0].lower()


def _host(url: URL) -> str:
    return url.host_port_subcomponent or ""
