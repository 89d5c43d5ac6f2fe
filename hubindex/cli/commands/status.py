"""`hubindex status`: what the index holds."""

import click

from hubindex import moment
from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, format_option, write
from hubindex.cli.output.listing import one
from hubindex.cli.settings import settings
from hubindex.index.handle import Index
from hubindex.views.status import STATUS_TABLE, status_lines, status_row


@click.command(cls=Command)
@format_option
@common_options
def status(template: str) -> None:
    """Show what the index holds, how fresh it is, and what is unfinished."""
    now = moment.now()
    with Index.open(settings().location) as index, index.snapshot():
        state = index.status(), index.work(now), index.distribution()
    location = index.location
    write(one(template, STATUS_TABLE, status_row(location, *state), status_lines(location, *state, now)))
