"""`hubindex search`: docker search, offline."""

import click

from hubindex import pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_repositories,
    format_option,
    has_header,
    no_trunc_option,
    note,
    write,
)
from hubindex.cli.output.tables import Format
from hubindex.cli.output.tabwriter import ellipsis
from hubindex.cli.settings import settings
from hubindex.index.handle import Index
from hubindex.index.questions.filters import parse_filters
from hubindex.index.questions.search import SORTS, Query
from hubindex.reference import DEFAULT_REGISTRY
from hubindex.text import quote
from hubindex.views.search import found_row, found_row_with_kind, search_table

_DEFAULT_LIMIT = 25
_LONGEST = 100


@click.command(cls=Command)
@click.argument("term", shell_complete=complete_repositories)
@click.option(
    "-f",
    "--filter",
    "filters",
    metavar="FILTER",
    multiple=True,
    help="stars=N, is-official=true|false or is-automated=true|false; filters apply before the limit.",
)
@click.option("--official", is_flag=True, help="Official images only: -f is-official=true.")
@click.option("--automated", is_flag=True, help="Automated builds only: -f is-automated=true.")
@click.option("--stars", metavar="N", help="At least N stars: -f stars=N.")
@click.option("--namespace", metavar="NS", help="Repositories of one namespace only ('library': official images).")
@click.option("--sort", type=click.Choice(SORTS), default="stars", show_default=True, help="The order of results.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=_DEFAULT_LIMIT, show_default=True, help="Max number of results."
)
@click.option("--all", "everything", is_flag=True, help="All results, whatever the limit.")
@format_option
@no_trunc_option
@common_options
def search(
    term: str,
    filters: tuple[str, ...],
    official: bool,
    automated: bool,
    stars: str | None,
    namespace: str | None,
    sort: str,
    limit: int,
    everything: bool,
    template: str,
    no_trunc: bool,
) -> None:
    """Search the index for repositories, as 'docker search' searches Docker Hub.

    A repository matches if every word of TERM is a word, or the beginning of a word, in its name or description,
    or if Docker Hub returned it when TERM was crawled. '*' stands for everything.
    """
    shortcuts = (
        *(["is-official=true"] if official else ()),
        *(["is-automated=true"] if automated else ()),
        *([f"stars={stars}"] if stars is not None else ()),
    )
    wanted = parse_filters((*filters, *shortcuts))
    output = Format(template, search_table(str if no_trunc else ellipsis))
    if pasted.is_reference(term):
        reference = pasted.read(term)
        term = reference.familiar_name if reference.registry == DEFAULT_REGISTRY else reference.repository
        if not output.is_json:
            note(f"hubindex: searching for {quote(term)}")
    query = Query(
        term,
        stars=wanted.stars,
        official=wanted.official,
        automated=wanted.automated,
        namespace=namespace,
        limit=None if everything else limit or _DEFAULT_LIMIT,
        sort=sort,
    )
    is_table = template in {"", "table"}
    with Index.open(settings().location) as index:
        found = index.search(query)
        told = _nothing_found(index, query) if has_header(template) and not found and not settings().quiet else ""
    write(output.lines(map(found_row if is_table or output.is_json else found_row_with_kind, found)))
    if told:
        note(f"hubindex: {told}")


def _nothing_found(index: Index, query: Query) -> str:
    """What a person may have meant, and what to do."""
    from shlex import quote as shell_quote

    term = query.term.strip()
    plain = Query(query.term, limit=1)
    if query._replace(limit=1, sort=plain.sort) != plain and index.search(plain):
        return f"the filters leave nothing of what is found for {quote(term)}"
    names = index.nearest_names(term)
    similar = f"; similar names: {', '.join(names)}" if names else ""
    ask = f"; 'hubindex crawl {shell_quote(term)}' asks Docker Hub" if 0 < len(term) <= _LONGEST else ""
    return f"nothing is found for {quote(term)}{similar}{ask}"
