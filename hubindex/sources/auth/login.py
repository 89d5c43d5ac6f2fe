"""Signing in for good: whether a registry takes a user name and a password, and keeping them where docker does.

As `docker login` does it (docker/cli, `cli/command/registry/login.go` and `cli/config`): a helper program keeps
the secret if the configuration names one, else it stands in base64 in `config.json`.
"""

import base64
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hubindex import docker_hub
from hubindex.errors import CannotKeep, SignInRefused, SourceError, WrongUsage
from hubindex.sources.auth import credential_helper
from hubindex.sources.auth.credentials import DOCKER_KEYS, Credentials, Secret, config_file, is_helper_name, normal
from hubindex.sources.auth.registry_signer import RegistryAccess, RegistrySigner
from hubindex.sources.http.client import HttpClient
from hubindex.text import quote

_MAX_CONFIG = 1024 * 1024

_Config = dict[str, object]


async def check_login(http: HttpClient, base_url: str, credentials: Credentials) -> Credentials:
    """Ask a registry whether it takes a user name and a password; returns what is to be kept.

    That is an identity token if the registry's realm gives one. Raises `SignInRefused`, and the `SourceError`s of
    `HttpClient.get`.
    """
    access = RegistryAccess(http, base_url, credentials, wants_identity_token=True)
    url = access.registry / "v2/"
    try:
        await http.get(url, lambda answer: answer, signer=RegistrySigner(access))
    except SourceError as error:
        raise access.login_failure(error) from error.__cause__
    if (withheld := access.withheld()) is not None:
        raise SignInRefused(f"{url.host_port_subcomponent}: not signed in{withheld}")
    if access.identity_token is not None:
        return Credentials("", access.identity_token, credentials.origin, Secret.IDENTITY_TOKEN)
    return credentials


class Kept(NamedTuple):
    """Where a sign-in was kept: the file, or the helper program. `is_plain`: it is not encrypted."""

    where: str
    is_plain: bool


def keep(host: str, user: str, credentials: Credentials, environ: Mapping[str, str]) -> Kept:
    """Keep a sign-in for a host where docker looks for it. Raises `CannotKeep`."""
    key = key_of(host)
    secret, is_token = credentials.secret, credentials.kind is Secret.IDENTITY_TOKEN
    with _editing(environ) as (config, name):
        auths = _section(config, "auths", name)
        helper = _helper(config, key, name)
        if helper is None:
            pair = base64.b64encode(f"{user}:{'' if is_token else secret}".encode()).decode()
            auths[key] = {"auth": pair, **({"identitytoken": secret} if is_token else {})}
            return Kept(name, is_plain=True)
        program = f"docker-credential-{helper}"
        try:
            credential_helper.store(program, key, "<token>" if is_token else user, secret, environ)
        except credential_helper.Failed as failed:
            raise CannotKeep(f"{program} does not keep the sign-in: {failed}") from failed
        auths[key] = {}
        return Kept(program, is_plain=False)


def forget(host: str, environ: Mapping[str, str]) -> bool:
    """Forget the sign-in for a host; returns whether there was one. Raises `CannotKeep`."""
    keys = DOCKER_KEYS if key_of(host) == docker_hub.LEGACY_LOGIN else (key_of(host),)
    path, _ = config_file(environ)
    if path is None or not path.exists():
        return False
    found = False
    with _editing(environ) as (config, name):
        auths = _section(config, "auths", name)
        wanted = {normal(key) for key in keys}
        for key in [key for key in auths if normal(key) in wanted]:
            found = True
            del auths[key]
        helper = _helper(config, keys[0], name)
        if helper is not None:
            program = f"docker-credential-{helper}"
            with suppress(credential_helper.Failed):
                found = found or credential_helper.ask(program, keys[0], environ) is not None
            try:
                credential_helper.erase(program, keys[0], environ)
            except credential_helper.Failed as failed:
                raise CannotKeep(f"{program} does not forget the sign-in: {failed}") from failed
    return found


def key_of(host: str) -> str:
    """What docker keeps a host under: Docker Hub's is an address of old."""
    return docker_hub.LEGACY_LOGIN if normal(host) in map(normal, DOCKER_KEYS) else normal(host)


@contextmanager
def _editing(environ: Mapping[str, str]) -> Iterator[tuple[_Config, str]]:
    """Docker's configuration, and its name for messages; what was changed is written whole, or not at all.

    One process at a time edits it, as far as they all are hubindex. Other fields keep their values and their
    order.
    """
    path, name = config_file(environ)
    if path is None:
        raise WrongUsage("neither HOME nor DOCKER_CONFIG says where docker's configuration is")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = Path(os.path.realpath(path))  # what a link leads to is what docker writes as well
        with _locked(target.parent):
            config = _read(target, name)
            before = json.dumps(config)
            yield config, name
            if json.dumps(config) != before:
                _write(target, config)
    except OSError as error:
        raise CannotKeep(f"{name} cannot be written: {error.strerror or error}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time, where the system can lock a folder."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path, name: str) -> _Config:
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_CONFIG + 1)
    except FileNotFoundError:
        return {}
    if len(body) > _MAX_CONFIG:
        raise CannotKeep(f"{name} is larger than {_MAX_CONFIG:,} bytes: it is left as it is")
    try:
        config = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise CannotKeep(f"{name} is not a configuration of docker: it is left as it is")
    return config


def _write(path: Path, config: _Config) -> None:
    """Write beside it, and put it in its place: whoever reads meanwhile sees the old one or the new one."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(config, file, indent="\t", ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _section(config: _Config, section: str, name: str) -> _Config:
    found = config.setdefault(section, {})
    if found is None:
        found = config[section] = {}
    if not isinstance(found, dict):
        raise CannotKeep(f"{name} is not a configuration of docker (its {section!r}): it is left as it is")
    return found


def _helper(config: _Config, key: str, name: str) -> str | None:
    """The helper program for a key, if the configuration names one."""
    helpers = config.get("credHelpers")
    own = {normal(host): helper for host, helper in helpers.items()} if isinstance(helpers, dict) else {}
    helper = own.get(normal(key)) or config.get("credsStore")
    if not helper:
        return None
    if not isinstance(helper, str) or not is_helper_name(helper):
        raise CannotKeep(f"{name}: {quote(str(helper))} is not the name of a credential helper")
    return helper
