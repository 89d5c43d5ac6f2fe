"""`hubindex verify`: whether a registry still has what is known."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_references,
    format_option,
    note,
    registry_options,
    write,
)
from hubindex.cli.settings import settings
from hubindex.digests import digest_bytes
from hubindex.errors import NoAnswer, WrongUsage
from hubindex.index.handle import Index
from hubindex.reference import Reference
from hubindex.text import quote
from hubindex.verdicts import DeepVerification, Verdict, Verification

if TYPE_CHECKING:
    from hubindex.crawl.connections import Network
    from hubindex.crawl.verification import Meter

_MOVED = 1
_GONE = 3
_CONNECTIONS = 8
_MAX_PROBLEMS = 20


class _Known(NamedTuple):
    """The digest to compare with: when the index saw it last, in ms; None if it was asked for."""

    digest: str
    last_seen_at: int | None = None


@click.command(cls=Command)
@click.argument("reference", metavar="REPO[:TAG|@DIGEST]", shell_complete=complete_references)
@click.option("--digest", metavar="DIGEST", help="Compare with this digest.  [default: what the index knows]")
@click.option(
    "--deep", is_flag=True,
    help="Read every manifest and every blob as well, and compare it with its digest and size; on Docker Hub the "
    "manifests count as pulls.",
)  # fmt: skip
@registry_options
@format_option
@common_options
def verify(
    reference: str,
    digest: str | None,
    deep: bool,
    anonymous: bool,
    tries: int,
    hub_url: str,
    registry_url: str | None,
    insecure_registries: tuple[str, ...],
    certs_dir: str | None,
    template: str,
) -> int:
    """Ask the registry whether a tag is still what the index knows, or what a digest says.

    One request, which is no pull. The answer is that it is the same, has moved (from, to, when it was last seen),
    or is gone; the exit code is 0, 1 or 3. Nothing is written into the index.
    """
    from hubindex.cli.output.listing import one
    from hubindex.crawl.connections import Network
    from hubindex.views.verifications import VERIFICATION_TABLE, sentences, verification_row

    asked = pasted.read(reference)
    if asked.digest is None:
        asked = asked.with_default_tag()
    known = _known(asked, digest)
    network = Network(hub_url, registry_url, anonymous, tries, None, insecure_registries, certs_dir)
    found, deeply = asyncio.run(_verify(asked, known, network, deep=deep, may_be_member=digest is not None))
    now = moment.now()
    row = verification_row(found, known.last_seen_at, deeply)
    if template in {"", "table"}:
        write(sentences(found, known.last_seen_at, deeply, now))
    else:
        write(one(template, VERIFICATION_TABLE, row, ()))
    problems = deeply.problems if deeply else ()
    for problem in problems[:_MAX_PROBLEMS]:
        note(f"hubindex: {problem}")
    if len(problems) > _MAX_PROBLEMS:
        note(f"hubindex: {len(problems) - _MAX_PROBLEMS:,} more of this kind")
    if found.digest is None:
        return _GONE
    return _MOVED if found.verdict is Verdict.MOVED or problems else 0


def _known(asked: Reference, digest: str | None) -> _Known:
    """What to compare with: as asked for, or what the index saw last. Raises `NoAnswer`, `WrongUsage`."""
    if digest is not None:
        wanted = pasted.read_digest(digest).rpartition("@")[2].lower()
        if digest_bytes(wanted) is None:
            raise WrongUsage(f"--digest {quote(digest)} is not a whole digest such as sha256:…")
        return _Known(wanted)
    if asked.digest is not None:
        return _Known(asked.digest)
    with Index.open(settings().location) as index:
        answer = index.resolve(asked)
    if answer.digest is None:
        raise NoAnswer(f"the index knows no digest of {asked.familiar}: {answer.note}: name one with --digest")
    return _Known(answer.digest, answer.last_seen_at)


async def _verify(
    asked: Reference, known: _Known, network: "Network", *, deep: bool, may_be_member: bool
) -> "tuple[Verification, DeepVerification | None]":
    from hubindex.crawl.connections import Connections
    from hubindex.crawl.verification import platform_in, verify, verify_deeply

    async with network.client(_CONNECTIONS, os.environ) as http:
        connections = Connections(network, http, os.environ, lambda text: note(f"hubindex: {text}"))
        registry = await connections.registry(asked.registry)
        if registry is None:
            raise WrongUsage("name the registry behind this Hub with --registry-url")
        found = await verify(registry, asked, known.digest)
        if found.verdict is Verdict.MOVED and may_be_member and found.digest is not None:
            platform = await platform_in(registry, asked, found.digest, known.digest)
            if platform is not None:
                found = found._replace(verdict=Verdict.SAME, platform=platform)
        if not deep or found.digest is None:
            return found, None
        with _meter() as meter:
            return found, await verify_deeply(registry, asked.repository, found.digest, meter)


@contextmanager
def _meter() -> "Iterator[Meter]":
    """How far the reading has come, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from hubindex.crawl.verification import Meter

    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    is_shown = console.is_terminal and not settings().quiet
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task("", total=None)
        yield Meter(
            lambda size: progress.update(task, total=size), lambda size: progress.update(task, advance=size)
        )
