"""`hubindex crawl`: fill or refresh the index."""

import asyncio
import logging
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from hubindex.cli.options import common_options, settings, write
from hubindex.errors import IncompleteCrawl, WrongUsage
from hubindex.reference import DEFAULT_REGISTRY, Reference

if TYPE_CHECKING:
    from hubindex.crawl.plan import Plan, Progress


@click.command()
@click.argument("terms", metavar="[TERM]...", nargs=-1)
@click.option(
    "--repo", "repositories", metavar="NAME", multiple=True, help="A repository: 'mongo', 'bitnami/redis'."
)
@click.option("--namespace", "namespaces", metavar="NS", multiple=True, help="All repositories of a namespace.")
@click.option("--official", is_flag=True, help="All official images: --namespace library.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Results to take of each TERM."
)
@click.option("--no-tags", is_flag=True, help="Leave the tags of the repositories alone.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="Repositories to fetch at the same time.",
)
@click.option(
    "--hub-url",
    metavar="URL",
    default="https://hub.docker.com",
    show_default=True,
    envvar="HUBINDEX_HUB_URL",
    help="Where Docker Hub is; plain http for a loopback host only.",
)
@common_options
def crawl(
    terms: tuple[str, ...],
    repositories: tuple[str, ...],
    namespaces: tuple[str, ...],
    official: bool,
    limit: int,
    no_tags: bool,
    concurrency: int,
    hub_url: str,
) -> int:
    """Fetch repositories and their tags from Docker Hub into the index.

    Each TERM is searched for, as 'docker search' would, and each repository found is stored with all its tags.
    The first Ctrl-C stops the crawl and keeps what is complete.
    """
    from hubindex.crawl.plan import Plan
    from hubindex.sources.hub_rows import is_namespace

    if not (terms or repositories or namespaces or official):
        raise WrongUsage("nothing to crawl: name a TERM, --repo, --namespace or --official")
    if not all(term.strip() for term in terms):
        raise WrongUsage("a TERM to crawl cannot be empty")
    for namespace in namespaces:
        if not is_namespace(namespace):
            raise WrongUsage(f"{namespace[:80]!r} is not a namespace of Docker Hub")
    plan = Plan(
        terms=tuple(dict.fromkeys(terms)),
        repositories=tuple(dict.fromkeys(map(_hub_path, repositories))),
        namespaces=tuple(dict.fromkeys((*namespaces, *(["library"] if official else ())))),
        limit=limit,
        tags=not no_tags,
        concurrency=concurrency,
    )
    if not settings().verbose:
        logging.basicConfig(handlers=[logging.NullHandler()])  # what libraries say beside the error that we tell
    try:
        return asyncio.run(_crawl(plan, hub_url))
    except KeyboardInterrupt:
        raise click.Abort(
            "interrupted: what is complete is stored; run the same command again to fetch the rest"
        ) from None


def _hub_path(name: str) -> str:
    reference = Reference.parse_repository(name)
    if reference.registry != DEFAULT_REGISTRY:
        raise WrongUsage(f"{reference.familiar_name}: only repositories of Docker Hub can be crawled")
    if reference.repository.count("/") != 1:
        raise WrongUsage(f"{reference.familiar_name}: a repository of Docker Hub is NAME or NAMESPACE/NAME")
    return reference.repository


async def _crawl(plan: "Plan", hub_url: str) -> int:
    from hubindex.cli.progress import Display
    from hubindex.crawl.crawler import Crawler
    from hubindex.crawl.writer import Writer
    from hubindex.sources.http import HttpClient
    from hubindex.sources.hub import DockerHub

    interrupted = False
    with Display(quiet=settings().quiet) as display:
        async with HttpClient(connections=plan.concurrency) as http:
            hub = DockerHub(http, hub_url)
            _cancel_on(signal.SIGTERM)
            try:
                async with Writer(settings().location) as writer:
                    crawler = Crawler(hub, writer, plan, display.warn)
                    display.show(crawler.progress, http)
                    await crawler.run()
            except asyncio.CancelledError:  # Ctrl-C: what was accepted is written by now
                interrupted = True
    if display.progress is not None and display.progress.answers and not settings().quiet:
        write(display.summary())
    if interrupted or display.progress is None:
        raise KeyboardInterrupt
    return _check(display.progress)


def _cancel_on(number: signal.Signals) -> None:
    """End as with Ctrl-C on another signal too, where the platform can."""
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _check(progress: "Progress") -> int:
    """0 for a whole crawl. Raises the first error if nothing at all was answered, else `IncompleteCrawl`."""
    if progress.first_error is None:
        return 0
    if not progress.answers:
        raise progress.first_error
    what = "stopped early" if progress.stopped else "incomplete"
    plural = "s" if progress.failures > 1 else ""
    raise IncompleteCrawl(
        f"crawl {what}: {progress.failures} failure{plural}, the first: {progress.first_error}: "
        "what arrived is stored; run the same command again to fetch the rest"
    )
