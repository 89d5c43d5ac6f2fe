"""`hubindex login`: sign in at a registry, and keep that where docker does."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click

from hubindex import docker_hub
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    certs_dir_option,
    common_options,
    insecure_registry_option,
    note,
    registry_url_option,
    tries_option,
    write,
)
from hubindex.errors import HubindexError, WrongUsage
from hubindex.reference import DEFAULT_REGISTRY, Reference
from hubindex.text import quote

if TYPE_CHECKING:
    from hubindex.crawl.connections import Network
    from hubindex.sources.auth.credentials import Credentials

_MAX_SECRET = 16 * 1024


@click.command(cls=Command)
@click.argument("host", metavar="[HOST[:PORT]]", default=docker_hub.NAME)
@click.option("-u", "--username", metavar="USER", help="The user name.")
@click.option(
    "-p",
    "--password",
    metavar="PASSWORD",
    help="The password or access token. Others can see it: --password-stdin.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@tries_option
@registry_url_option
@insecure_registry_option
@certs_dir_option
@common_options
def login(
    host: str,
    username: str | None,
    password: str | None,
    password_stdin: bool,
    tries: int,
    registry_url: str | None,
    insecure_registries: tuple[str, ...],
    certs_dir: str | None,
) -> None:
    """Sign in at a registry, by default Docker Hub's, as 'docker login' does.

    The registry is asked first. The sign-in is then kept in docker's configuration (~/.docker/config.json, or the
    folder that DOCKER_CONFIG names), or by the credential helper that it names: docker uses what hubindex keeps,
    and the reverse.
    """
    from hubindex.crawl.connections import Network
    from hubindex.sources.auth.login import keep

    registry = registry_host(host)
    user, secret = _asked(username, password, is_piped=password_stdin)
    network = Network(
        registry_url=registry_url, tries=tries, insecure_registries=insecure_registries, certs_dir=certs_dir
    )
    checked = asyncio.run(_check(registry, user, secret, network))
    kept = keep(registry, user, checked, os.environ)
    if kept.is_plain:
        note(f"hubindex: the password is stored unencrypted in {kept.where}: a credential helper would encrypt it")
    write(["Login Succeeded"])


def registry_host(text: str) -> str:
    """The host of a registry in what was typed, which may have a scheme and a path. Raises `WrongUsage`."""
    host = text.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if host in {docker_hub.NAME, docker_hub.LEGACY_HOST, docker_hub.REGISTRY_HOST, docker_hub.HUB_HOST}:
        return DEFAULT_REGISTRY
    try:
        reference = Reference.parse_repository(f"{host}/name")
    except WrongUsage:
        reference = None
    if reference is None or reference.registry == DEFAULT_REGISTRY:
        raise WrongUsage(f"{quote(text)} is not the host of a registry, as 'registry.example' or 'localhost:5000'")
    return reference.registry


def _asked(username: str | None, password: str | None, *, is_piped: bool) -> tuple[str, str]:
    """User name and password, from the options, from stdin, or from the terminal, in docker's words."""
    if is_piped:
        if password is not None:
            raise WrongUsage("--password and --password-stdin are mutually exclusive")
        if not username:
            raise WrongUsage("Must provide --username with --password-stdin")
        text = sys.stdin.buffer.read(_MAX_SECRET + 1)
        if len(text) > _MAX_SECRET:
            raise WrongUsage(f"the password on stdin is longer than {_MAX_SECRET:,} bytes")
        try:
            password = text.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise WrongUsage("the password on stdin is not text in UTF-8") from None
    elif password is not None:
        note("hubindex: a password on the command line is insecure: use --password-stdin")
    if (not username or password is None) and not sys.stdin.isatty():
        raise HubindexError("Cannot perform an interactive login from a non TTY device")
    user = username or click.prompt("Username", err=True)
    secret = password if password is not None else click.prompt("Password", hide_input=True, err=True)
    if not secret:
        raise WrongUsage("password is empty")
    return user, secret


async def _check(host: str, user: str, secret: str, network: "Network") -> "Credentials":
    from hubindex.crawl.connections import Connections
    from hubindex.sources.auth.credentials import Credentials
    from hubindex.sources.auth.login import check_login

    async with network.client(1, os.environ) as http:
        connections = Connections(network, http, os.environ, lambda text: note(f"hubindex: {text}"))
        url = await connections.registry_address(host)
        if url is None:
            raise WrongUsage("name the registry behind this Hub with --registry-url")
        connections.require_safe(url)
        return await check_login(http, str(url), Credentials.given(user, secret))
