"""`hubindex crawl`: fill or refresh the index."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

from hubindex import moment, pasted
from hubindex.cli import INTERRUPTED
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_repositories,
    note,
    registry_options,
    write,
)
from hubindex.cli.settings import settings
from hubindex.errors import HubindexError, IncompleteCrawl, WrongUsage
from hubindex.reference import DEFAULT_REGISTRY, Reference
from hubindex.text import quote
from hubindex.views.ages import duration

if TYPE_CHECKING:
    from hubindex.crawl.connections import Network
    from hubindex.crawl.plan import Plan, Progress

_ANONYMOUS_A_MINUTE = 180  # Docker Hub's API, by address; 600 for an account (seen 2021 to 2026)


def _age(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    return None if value is None else moment.parse_age(value)


@click.command(cls=Command)
@click.argument("terms", metavar="[TERM]...", nargs=-1)
@click.option(
    "--repo",
    "repositories",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_repositories,
    help="A repository: 'mongo', 'bitnami/redis', 'localhost:5000/devenv'.",
)
@click.option("--namespace", "namespaces", metavar="NS", multiple=True, help="All repositories of a namespace.")
@click.option("--official", is_flag=True, help="All official images: --namespace library.")
@click.option(
    "--registry", "registries", metavar="HOST[:PORT]", multiple=True,
    help="All repositories that a registry lists: 'localhost:5000', 'registry.example'.",
)  # fmt: skip
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="Results to take of each TERM.",
)
@click.option("--no-tags", is_flag=True, help="Leave the tags of the repositories alone.")
@click.option(
    "--max-age", metavar="AGE", callback=_age,
    help="Leave alone what was looked at within AGE (36h, 7d, 3w), and look at all that was not.",
)  # fmt: skip
@click.option("--budget", type=click.IntRange(min=1), metavar="N", help="Send N requests at most, then stop.")
@click.option(
    "--full", is_flag=True, help="Read each list of tags to its end, even where nothing seems to be new."
)
@click.option("--watch", is_flag=True, help="Keep running; re-crawl repositories as they fall due.")
@click.option("--enqueue", is_flag=True, help="Only write down what is to be fetched, for crawls that watch.")
@click.option("--dry-run", is_flag=True, help="Only tell how many requests it would take; ask nobody.")
@click.option(
    "--heads", type=click.IntRange(min=0), default=1000, show_default=True,
    help="Digests to ask of the registry, for each repository whose tags Docker Hub does not list to the end.",
)  # fmt: skip
@click.option("--no-head", is_flag=True, help="Ask the registry for no digests: --heads 0.")
@click.option(
    "--configs", is_flag=True,
    help="From Docker Hub too, read what images hold and are based on. Each counts as a pull: see --pulls.",
)  # fmt: skip
@click.option(
    "--pulls", type=click.IntRange(min=0), default=50, show_default=True, metavar="N",
    help="With --configs: pulls at most, ten of each repository, and no more than half of what Docker Hub allows.",
)  # fmt: skip
@click.option(
    "--no-configs", is_flag=True, help="Ask other registries for digests only, not for what images hold."
)
@click.option(
    "--no-history", is_flag=True, help="Look at the tags of registries that tell their own history, too."
)
@click.option(
    "--concurrency", type=click.IntRange(1, 256), default=8, show_default=True,
    help="Repositories to fetch at the same time.",
)  # fmt: skip
@registry_options
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="How progress, warnings and (with -v) requests are written to stderr.",
)  # fmt: skip
@common_options
def crawl(
    terms: tuple[str, ...],
    repositories: tuple[str, ...],
    namespaces: tuple[str, ...],
    official: bool,
    registries: tuple[str, ...],
    limit: int,
    no_tags: bool,
    max_age: int | None,
    budget: int | None,
    full: bool,
    watch: bool,
    enqueue: bool,
    dry_run: bool,
    heads: int,
    no_head: bool,
    configs: bool,
    pulls: int,
    no_configs: bool,
    no_history: bool,
    concurrency: int,
    tries: int,
    anonymous: bool,
    hub_url: str,
    registry_url: str | None,
    insecure_registries: tuple[str, ...],
    certs_dir: str | None,
    log_format: str,
) -> int:
    """Fetch repositories and their tags from Docker Hub, or from any registry, into the index.

    Each TERM is searched for, as 'docker search' would, and each repository found is stored with all its tags.
    With nothing named, whatever an earlier crawl left unfinished is fetched, and whatever is due: a repository is
    looked at again after a quarter of the time that it has not changed, at least six hours and at most four weeks.

    HUBINDEX_HUB_USER and HUBINDEX_HUB_TOKEN (an access token) sign in, or else what 'docker login' keeps. Ctrl-C
    stops the crawl and keeps what is complete; 'hubindex crawl' goes on with the rest.
    """
    from hubindex.crawl.plan import Plan
    from hubindex.sources.hub.names import is_namespace

    if not all(term.strip() for term in terms):
        raise WrongUsage("a TERM to crawl cannot be empty")
    for namespace in namespaces:
        if not is_namespace(namespace):
            raise WrongUsage(f"{quote(namespace)} is not a namespace of Docker Hub")
    plan = Plan(
        terms=tuple(dict.fromkeys(terms)),
        repositories=tuple(dict.fromkeys(map(_seed_name, repositories))),
        namespaces=tuple(dict.fromkeys((*namespaces, *(["library"] if official else ())))),
        registries=tuple(dict.fromkeys(map(_registry_host, registries))),
        limit=limit,
        tags=not no_tags,
        concurrency=concurrency,
        max_age=max_age,
        heads=0 if no_head else heads,
        contents=not no_configs,
        history=not no_history,
        pulls=pulls if configs else 0,
        full=full,
        watch=watch,
    )
    if configs and no_configs:
        raise WrongUsage("--configs and --no-configs exclude each other")
    if watch and plan.seeds():
        raise WrongUsage("--watch goes on with whatever is due: name nothing, and use --enqueue to give it more")
    if not plan.seeds() and not watch and not settings().location.exists:
        raise WrongUsage("nothing to crawl: name a TERM, --repo, --namespace, --registry or --official")
    if dry_run:
        write(_estimated(plan))
        return 0
    if enqueue:
        return _enqueue(plan)
    _log_quietly()
    from hubindex.crawl.connections import Network

    network = Network(hub_url, registry_url, anonymous, tries, budget, insecure_registries, certs_dir)
    try:
        return asyncio.run(_crawl(plan, network, log_format))
    except KeyboardInterrupt:
        if watch:
            return 0
        told = "interrupted: what is complete is stored; 'hubindex crawl' goes on with the rest"
        if log_format == "text":
            raise click.Abort(told) from None
        return _complain_in_json(told, INTERRUPTED)
    except HubindexError as error:
        if log_format == "text":
            raise
        return _complain_in_json(str(error), error.exit_code)


def _complain_in_json(message: str, code: int) -> int:
    from hubindex.cli.output.progress import Display

    Display(quiet=False, log_format="json").say("error", message)
    return code


def _registry_host(host: str) -> str:
    reference = Reference.parse_repository(f"{host.rstrip('/')}/name")
    if reference.registry == DEFAULT_REGISTRY or reference.repository != "name":
        raise WrongUsage(
            f"--registry {quote(host)}: write the host of a registry, as 'localhost:5000' or 'registry.example'; "
            "what Docker Hub has is found with TERM, --namespace and --official"
        )
    return reference.registry


def _seed_name(name: str) -> str:
    reference = pasted.read_repository(name)
    if reference.registry != DEFAULT_REGISTRY:
        return reference.name
    if reference.repository.count("/") != 1:
        raise WrongUsage(f"{reference.familiar_name}: a repository of Docker Hub is NAME or NAMESPACE/NAME")
    return reference.repository


def _log_quietly() -> None:
    """Libraries have nothing to say beside the errors that we tell."""
    if not settings().verbose:
        logging.basicConfig(handlers=[logging.NullHandler()])


def _enqueue(plan: "Plan") -> int:
    from hubindex.index.writing.ingest import Ingest

    seeds = plan.seeds()
    if not seeds:
        raise WrongUsage("nothing to enqueue: name a TERM, --repo, --namespace, --registry or --official")
    with closing(Ingest(settings().location)) as ingest, ingest.transaction() as batch:
        batch.frontier.ask(seeds, moment.now())
    note(f"{len(seeds):,} to do: 'hubindex crawl' or 'hubindex crawl --watch' does it")
    return 0


def _estimated(plan: "Plan") -> Iterator[str]:
    """How many requests the plan takes, by what is known now."""
    from tabulate import tabulate

    from hubindex.index.handle import Index
    from hubindex.index.questions.work import estimate, total

    location, now = settings().location, moment.now()
    if location.exists:
        with Index.open(location) as index:
            parts = index.estimate(plan.seeds(), now, plan.fresh_since(now))
    else:
        parts = estimate(None, plan.seeds(), now)
    everything = total(parts)
    rows = [(f"{'≥ ' if part.is_least else ''}{part.requests:,}", part.what) for part in (*parts, everything)]
    yield from tabulate(rows, ("requests", "for"), tablefmt="plain", colalign=("right", "left")).splitlines()
    if everything.requests > _ANONYMOUS_A_MINUTE:
        time = duration(everything.requests * 60_000 // _ANONYMOUS_A_MINUTE)
        yield f"About {time} without signing in, at {_ANONYMOUS_A_MINUTE} requests a minute."


async def _crawl(plan: "Plan", network: "Network", log_format: str) -> int:
    from hubindex.cli.output.progress import Display
    from hubindex.crawl.session import CrawlSession

    _cancel_on(signal.SIGTERM)
    interrupted = False
    with Display(quiet=settings().quiet, verbose=settings().verbose, log_format=log_format) as display:
        try:
            await CrawlSession(plan, network, settings().location, display, os.environ).run()
        except asyncio.CancelledError:  # Ctrl-C: what was accepted is written by now
            interrupted = True
    progress = display.progress
    if progress is not None and progress.answers and not settings().quiet:
        write(display.summary())
    if interrupted or progress is None:
        raise KeyboardInterrupt
    return _check(progress)


def _cancel_on(number: signal.Signals) -> None:
    """End as with Ctrl-C on another signal too, where the platform can."""
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _check(progress: "Progress") -> int:
    """0 for a whole crawl. Raises the first error if nothing at all was answered, else `IncompleteCrawl`.

    That a repository is not there is an answer, and no failure.
    """
    rest = "what arrived is stored; 'hubindex crawl' goes on with the rest"
    if progress.is_spent:
        raise IncompleteCrawl(f"crawl stopped early: the budget of requests is spent: {rest}")
    if progress.first_error is None:
        return 0
    if not progress.answers:
        raise progress.first_error
    what = "stopped early" if progress.stopped else "incomplete"
    plural = "s" if progress.failures > 1 else ""
    raise IncompleteCrawl(
        f"crawl {what}: {progress.failures} failure{plural}, the first: {progress.first_error}: {rest}"
    )
