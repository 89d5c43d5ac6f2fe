"""`hubindex diff`: the tags that were added, moved and removed between two moments."""

from collections.abc import Sequence

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, complete_repositories, format_option, no_trunc_option, write
from hubindex.cli.output.tables import Format
from hubindex.cli.settings import settings
from hubindex.errors import WrongUsage
from hubindex.index.handle import Index
from hubindex.moment import parse_moment
from hubindex.reference import Reference
from hubindex.views.changes import DIFF_TABLE, change_cells, change_row, with_repository


@click.command(cls=Command)
@click.argument("arguments", metavar="[REPO] FROM TO", nargs=-1, shell_complete=complete_repositories)
@format_option
@no_trunc_option
@common_options
def diff(arguments: Sequence[str], template: str, no_trunc: bool) -> None:
    """List how the tags of a repository, or of the whole index, differ between two moments.

    FROM and TO are UTC dates (their ends), times, ages such as 7d, yesterday or now. What changed and changed back
    in between is no difference.
    """
    reference, start, end = _parse(arguments)
    output = Format(template, DIFF_TABLE)
    with Index.open(settings().location) as index:
        found = index.diff(start, end, reference)
    if template in {"", "table"}:
        cells = (change_cells(change, truncate=not no_trunc) for change in found)
        write(output.lines(cells if reference else map(with_repository, found, cells)))
    else:
        write(output.lines(map(change_row, found)))


def _parse(arguments: Sequence[str]) -> tuple[Reference | None, int, int]:
    if len(arguments) not in {2, 3}:
        context = click.get_current_context()
        raise click.UsageError(f"FROM and TO are wanted, or REPO, FROM and TO: got {len(arguments)}", context)
    *repository, first, last = arguments
    reference = pasted.read_repository(repository[0]) if repository else None
    now = moment.now()
    start, end = parse_moment(first, now).at, parse_moment(last, now).at
    if start > end:
        raise WrongUsage("FROM is later than TO: name the earlier moment first")
    return reference, start, end
