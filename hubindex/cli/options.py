"""What commands share: the global options, and how an answer is written."""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import click
from click.core import ParameterSource

from hubindex import docker_hub
from hubindex.cli.settings import settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., object])


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if not option.name:
        return
    # What stands on the command line before the command's name is stronger than the environment after it.
    is_typed = context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    if not value and not is_typed:
        return
    if is_typed or option.name not in vars(settings()):
        setattr(settings(), option.name, value)


def common_options(command: F) -> F:
    """`--db`, `-q` and `-v`, before or after the command's name."""
    for decorate in (
        click.option(
            "-v", "--verbose", is_flag=True, expose_value=False, callback=_remember, envvar="HUBINDEX_VERBOSE",
            help="Say more; show a traceback when something fails.",
        ),
        click.option(
            "-q", "--quiet", is_flag=True, expose_value=False, callback=_remember, envvar="HUBINDEX_QUIET",
            help="No progress, notes or warnings.",
        ),
        click.option(
            "--db", metavar="URL|PATH", expose_value=False, callback=_remember, envvar="HUBINDEX_DB",
            help="The index: a SQLite file, or postgresql://…  [default: a file in the user's data directory]",
        ),
    ):  # fmt: skip
        command = decorate(command)
    return command


def complete_references(context: click.Context, parameter: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Names and tags in the index that begin so, for Tab."""
    from hubindex.cli.names import references

    return references(context, parameter, begun)


def complete_repositories(
    context: click.Context, parameter: click.Parameter, begun: str
) -> "list[CompletionItem]":
    """Names in the index that begin so, for Tab."""
    from hubindex.cli.names import repositories

    return repositories(context, parameter, begun)


format_option = click.option(
    "--format",
    "template",
    metavar="FORMAT",
    default="table",
    help="'table', 'json' (one object a line), a Go template, or 'table TEMPLATE', as in docker.",
)


def has_header(template: str) -> bool:
    """Whether a `--format` prints a table, which has a head line also where there is nothing to show."""
    return not template or template.startswith("table")


platform_option = click.option(
    "--platform",
    metavar="OS/ARCH[/VARIANT]",
    help="Of the image for that platform: linux/amd64, arm64, linux/arm/v7.",
)

no_trunc_option = click.option("--no-trunc", is_flag=True, help="Don't truncate output.")


insecure_registry_option = click.option(
    "--insecure-registry", "insecure_registries", metavar="HOST[:PORT]", multiple=True,
    envvar="HUBINDEX_INSECURE_REGISTRY",
    help="A registry, or a network (10.0.0.0/8): certificates are not verified, and plain HTTP is allowed.",
)  # fmt: skip
certs_dir_option = click.option(
    "--certs-dir", metavar="DIR", envvar="HUBINDEX_CERTS_DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Certificates in docker's layout: DIR/HOST:PORT/ca.crt, client.cert, client.key.  [default: certs.d in "
    "/etc/docker, ~/.docker and /etc/containers]",
)  # fmt: skip
tries_option = click.option(
    "--tries", type=click.IntRange(1, 100), default=6, show_default=True,
    help="How often to send a request that fails.",
)  # fmt: skip
anonymous_option = click.option(
    "--anonymous", is_flag=True, help="Do not sign in, whatever user name and token are at hand."
)
hub_url_option = click.option(
    "--hub-url", metavar="URL", default=docker_hub.HUB_URL, show_default=True, envvar="HUBINDEX_HUB_URL",
    help="Where Docker Hub is; plain http for a loopback host only.",
)  # fmt: skip
registry_url_option = click.option(
    "--registry-url", metavar="URL", envvar="HUBINDEX_REGISTRY_URL",
    help=f"Where its registry is.  [default: {docker_hub.REGISTRY_URL}, and none for another Hub]",
)  # fmt: skip


def registry_options(command: F) -> F:
    """How registries are asked: `--anonymous`, `--tries`, `--hub-url`, `--insecure-registry` and so on."""
    for decorate in (
        certs_dir_option, insecure_registry_option, registry_url_option, hub_url_option, anonymous_option,
        tries_option,
    ):  # fmt: skip
        command = decorate(command)
    return command


def write(lines: Iterable[str]) -> None:
    """The answer, on stdout."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def note(text: str) -> None:
    """A word beside the answer, on stderr, unless `-q`."""
    if not settings().quiet:
        from hubindex.cli.output.tabwriter import visible

        sys.stderr.write(f"{visible(text)}\n")
