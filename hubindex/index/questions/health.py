"""Whether an index is sound: its schema, its pages, where its tables stand, and rows that must not contradict."""

from hubindex.errors import StorageError
from hubindex.index.database import sql
from hubindex.index.database.distribution import distribution
from hubindex.index.database.engine import open_looking_engine
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import differences
from hubindex.index.database.reader import Reader, storage_errors
from hubindex.index.evidence.judge import Sweeps
from hubindex.index.evidence.timeline import PERIOD
from hubindex.index.questions.archive import Archive

_ROWS_AT_A_TIME = 1000


def check(location: Location, reader: Reader) -> list[str]:
    """What is wrong with the index, a line each; empty if it is sound. Nothing stored is trusted.

    Raises `StorageError`.
    """
    problems = []
    with reader.snapshot():
        for name in sql.load("health", location.dialect):
            ((count,),) = reader.query("health", name, period=PERIOD)
            if count:
                problems.append(f"{count:,} {name.replace('_', ' ')}")
        if count := _unnamed_tags(reader):
            problems.append(f"{count:,} tags that their shared digest does not name")
        if count := _unreadable_contents(reader):
            problems.append(f"{count:,} contents of images that cannot be read, or are kept under another digest")
        spread = distribution(reader)
    engine = open_looking_engine(location)
    try:
        with storage_errors(location.label), engine.connect() as connection:
            problems += [f"schema: {difference}" for difference in differences(connection)]
    finally:
        engine.dispose()
    return problems + (spread.problems if spread else [])


def _unreadable_contents(reader: Reader) -> int:
    """How many rows of contents are not what they should be; looked at a few at a time."""
    from hubindex.index.content_rows import prefix, unpacked

    count, last = 0, (-(2**31), b"")
    while True:
        rows = reader.query("contents", "after", prefix=last[0], digest=last[1], limit=_ROWS_AT_A_TIME)
        for its_prefix, digest, document in rows:
            last = its_prefix, bytes(digest)
            try:
                is_sound = unpacked(bytes(document)).digest == last[1] and prefix(last[1]) == its_prefix
            except StorageError:
                is_sound = False
            count += not is_sound
        if len(rows) < _ROWS_AT_A_TIME:
            return count


def _unnamed_tags(reader: Reader) -> int:
    """How many tags are not named by a digest that very many share."""
    count = 0
    for repository_id, digest_id in reader.query("history", "shared_digests"):
        archive = Archive(reader, repository_id, Sweeps(None, None, None))
        names = set(archive.digests([digest_id])[digest_id].tags)
        tags = reader.query("history", "tags_with_digest", repository_id=repository_id, digest_id=digest_id)
        count += sum(name not in names for (name,) in tags)
    return count
