"""`hubindex show`: one repository."""

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, complete_repositories, format_option, no_trunc_option, write
from hubindex.cli.output.listing import one
from hubindex.cli.settings import settings
from hubindex.index.handle import Index
from hubindex.kinds import ATTACHED
from hubindex.views.repositories import REPOSITORY_TABLE, repository_lines, repository_row


@click.command(cls=Command)
@click.argument("repository", metavar="REPO", shell_complete=complete_repositories)
@format_option
@no_trunc_option
@common_options
def show(repository: str, template: str, no_trunc: bool) -> None:
    """Show what the index knows of a repository: counts, its newest tag, and what 'latest' is.

    The state shown is that of the last crawl of the repository. Tags that attach a signature, an attestation, an
    SBOM or the like to an image are counted apart.
    """
    reference = pasted.read_repository(repository)
    with Index.open(settings().location) as index, index.snapshot():
        facts = index.repository(reference)
        found = index.tags(reference)
    tags = [tag for tag in found if tag.kind not in ATTACHED]
    attached = len(found) - len(tags)
    people = repository_lines(facts, tags, attached, moment.now(), truncate=not no_trunc)
    write(one(template, REPOSITORY_TABLE, repository_row(facts, tags, attached), people))
