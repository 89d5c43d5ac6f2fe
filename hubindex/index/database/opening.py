"""Opening an index for questions: an older one is migrated first."""

from hubindex.errors import NoAnswer
from hubindex.index.database.location import Location
from hubindex.index.database.reader import EMPTY, FILL, Reader, connect, revision_of
from hubindex.index.database.revisions import HEAD


def open_reader(location: Location, *, migrate: bool = True) -> Reader:
    """Open an existing index for reading; an older one is migrated first, or refused without `migrate`.

    Raises `NoAnswer` where there is no index yet, `NewerIndex` and `StorageError`.
    """
    if not location.exists:
        raise NoAnswer(f"there is no index at {location.label} yet: {FILL}")
    connection = connect(location)
    revision = None
    try:
        revision = revision_of(connection, location)
    finally:
        if revision != HEAD:
            connection.close()
    if revision == HEAD:
        return Reader(location, connection)
    if revision is None:
        raise NoAnswer(EMPTY)
    if not migrate:
        raise NoAnswer(f"{location.label}: the index is of an older hubindex: 'hubindex db upgrade' migrates it")
    from hubindex.index.database.migrate import upgrade  # takes time to load

    upgrade(location)
    return Reader(location, connect(location))
