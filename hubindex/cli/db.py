"""`hubindex db`: the schema of the index and its health."""

import click

from hubindex.cli.options import common_options, settings, write
from hubindex.errors import NoAnswer, StorageError


@click.group()
@common_options
def db() -> None:
    """Look after the schema of the index.

    The schema is created and migrated on first use; these commands are for doing it beforehand and for looking.
    """


@db.command()
@common_options
def upgrade() -> None:
    """Create the index, or migrate it to this program's schema."""
    from hubindex.index.migrate import upgrade as migrate
    from hubindex.index.revisions import HEAD

    location = settings().location
    before = migrate(location)
    if before == HEAD:
        write([f"{location.label}: schema {HEAD}, up to date"])
    else:
        write([f"{location.label}: schema {HEAD}, " + (f"migrated from {before}" if before else "created")])


@db.command()
@common_options
def current() -> None:
    """Print the schema revision of the index."""
    from hubindex.index.reader import find_revision

    location = settings().location
    revision = find_revision(location)
    if revision is None:
        raise NoAnswer(f"{location.label}: there is no index: 'hubindex db upgrade' or any crawl creates it")
    write([revision])


@db.command()
@common_options
def check() -> None:
    """Check that the schema is whole and that no rows contradict each other."""
    from hubindex.index.health import check as find

    location = settings().location
    problems = find(location)
    if not problems:
        write([f"{location.label}: sound"])
        return
    write(problems)
    raise StorageError(f"{location.label}: {len(problems)} problems: crawl into a new index, or restore a backup")
