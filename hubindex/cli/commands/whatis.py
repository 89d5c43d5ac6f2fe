"""`hubindex whatis`: every tag that has a digest, or ever had it."""

from contextlib import closing

import click

from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, format_option, no_trunc_option, note, write
from hubindex.cli.output.facts import optional_moment
from hubindex.cli.output.spans import gap_pairs, since_cell, until_cell
from hubindex.cli.output.tables import Format, Row, Table
from hubindex.cli.settings import settings
from hubindex.index.database.opening import open_reader
from hubindex.index.questions.whatis import Holding
from hubindex.index.questions.whatis import whatis as find

_TABLE = Table(
    {
        "Name": "NAME",
        "Tag": "TAG",
        "Digest": "DIGEST",
        "Index": "INDEX",
        "Platform": "PLATFORM",
        "Certainty": "CERTAINTY",
        "Since": "SINCE",
        "SinceEarliest": "SINCE EARLIEST",
        "Until": "UNTIL",
        "UntilLatest": "UNTIL LATEST",
        "LastSeen": "LAST SEEN",
        "PushedAt": "PUSHED",
        "Gaps": "GAPS",
        "Note": "NOTE",
    },
    (),
    "*hubindex.Holding",
)
_FOR_PEOPLE = Table(
    {**_TABLE.headers, "Name": "REPOSITORY:TAG", "Platform": "AS"},
    ("Name", "Platform", "Since", "Until", "Certainty"),
    "*hubindex.Holding",
)


@click.command(cls=Command)
@click.argument("digest")
@format_option
@no_trunc_option
@common_options
def whatis(digest: str, template: str, no_trunc: bool) -> None:
    """Tell which tags have a digest, or ever had it.

    DIGEST is that of an image index, an image, or one platform's image; the first 8 or more of its hexadecimal
    digits are enough. AS says what it is to the tag: what the tag itself points to ('tag'), or its image for a
    platform.
    """
    people = template in {"", "table"}
    output = Format(template, _FOR_PEOPLE if people else _TABLE)
    with closing(open_reader(settings().location)) as reader, reader.snapshot():
        found = find(reader, digest)
    if people:
        write(output.lines(_cells(holding, truncate=not no_trunc) for holding in found))
    else:
        write(output.lines(map(_row, found)))
    whole = found[0].digest
    if not digest.lower().endswith(whole.partition(":")[2]):
        note(f"hubindex: the whole digest is {whole}")


def _row(holding: Holding) -> Row:
    return {
        "Name": holding.repository,
        "Tag": holding.tag,
        "Digest": holding.digest,
        "Index": holding.index_digest,
        "Platform": holding.platform,
        "Certainty": holding.certainty,
        "Since": optional_moment(holding.since),
        "SinceEarliest": optional_moment(holding.since_earliest),
        "Until": optional_moment(holding.until),
        "UntilLatest": optional_moment(holding.until_latest),
        "LastSeen": optional_moment(holding.last_seen_at),
        "PushedAt": optional_moment(holding.pushed_at),
        "Gaps": gap_pairs(holding.gaps),
        "Note": holding.note or None,
    }


def _cells(holding: Holding, *, truncate: bool) -> Row:
    return {
        **_row(holding),
        "Name": f"{holding.repository}:{holding.tag}",
        "Platform": holding.platform or "tag",
        "Since": since_cell(holding.since, holding.since_earliest, holding.pushed_at, truncate=truncate),
        "Until": until_cell(holding.until, holding.until_latest, holding.last_seen_at, truncate=truncate),
    }
