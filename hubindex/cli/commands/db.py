"""`hubindex db`: the schema of the index and its health."""

import click

from hubindex.cli.flags import Group
from hubindex.cli.options import common_options, write
from hubindex.cli.settings import settings
from hubindex.errors import NoAnswer, StorageError
from hubindex.views.status import extent


@click.group(cls=Group)
@common_options
def db() -> None:
    """Look after the schema of the index.

    The schema is created and migrated on first use; these commands are for doing it beforehand and for looking.
    """


@db.command()
@common_options
def upgrade() -> None:
    """Create the index, or migrate it to this program's schema."""
    from hubindex.index.database.migrate import upgrade as migrate
    from hubindex.index.database.revisions import HEAD

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
    from hubindex.index.database.reader import find_revision

    location = settings().location
    revision = find_revision(location)
    if revision is None:
        raise NoAnswer(f"{location.label}: there is no index: 'hubindex db upgrade' or any crawl creates it")
    write([revision])


@db.command()
@common_options
def check() -> None:
    """Check that the schema is whole and that no rows contradict each other.

    Of an index on a Citus cluster it also tells how it is distributed, and which tables are not and should be.
    """
    from hubindex.index.handle import Index

    location = settings().location
    with Index.open(location) as index:
        problems, spread = index.check(), index.distribution()
    if not problems:
        write([f"{location.label}: sound" + (f", distributed: {extent(spread)}" if spread else "")])
        return
    write(problems)
    if spread and set(problems) <= set(spread.problems):
        remedy = "move the tables as 'hubindex db distribute' says"
    else:
        remedy = "crawl into a new index, or restore a backup"
    raise StorageError(f"{location.label}: {len(problems)} problems: {remedy}")


@db.command()
@click.option(
    "--shards",
    type=click.IntRange(1, 64_000),
    metavar="N",
    help="Shards of each table, at most as many nodes share it.  [default: the server's citus.shard_count]",
)
@common_options
def distribute(shards: int | None) -> None:
    """Distribute the index over the nodes of a Citus cluster.

    Needs PostgreSQL with the extension citus; --db names the coordinator. Tables that grow with the tags are
    divided by repository, all others stay on the coordinator. The index is created if there is none; rows move
    with their tables, which nobody can write meanwhile. Run again, it distributes what is not yet distributed.
    """
    from hubindex.index.database.migrate import distribute as spread_out

    location = settings().location
    found, added = spread_out(location, shards)
    tables = ", ".join(added or found.tables)
    write([f"{location.label}: {'distributed' if added else 'distributed already'}: {tables}", extent(found)])
