"""`hubindex logout`: forget the sign-in at a registry."""

import os

import click

from hubindex import docker_hub
from hubindex.cli.commands.login import registry_host
from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, write
from hubindex.reference import DEFAULT_REGISTRY


@click.command(cls=Command)
@click.argument("host", metavar="[HOST[:PORT]]", default=docker_hub.NAME)
@common_options
def logout(host: str) -> None:
    """Forget the sign-in at a registry, by default Docker Hub's, as 'docker logout' does.

    It is removed from docker's configuration, and from the credential helper that this names.
    """
    from hubindex.sources.auth.login import forget, key_of

    registry = registry_host(host)
    shown = key_of(registry) if registry == DEFAULT_REGISTRY else registry
    if forget(registry, os.environ):
        write([f"Removing login credentials for {shown}"])
    else:
        write([f"Not logged in to {shown}"])
