"""`hubindex whatis`: every tag that has a digest, or ever had it."""

import click

from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, format_option, no_trunc_option, note, write
from hubindex.cli.output.tables import Format
from hubindex.cli.settings import settings
from hubindex.index.handle import Index
from hubindex.index.questions.whatis import MAX_IMAGES
from hubindex.views.holdings import HOLDING_TABLE, HOLDINGS_FOR_PEOPLE, holding_cells, holding_row


@click.command(cls=Command)
@click.argument("digest")
@format_option
@no_trunc_option
@common_options
def whatis(digest: str, template: str, no_trunc: bool) -> None:
    """Tell which tags have a digest, or ever had it.

    DIGEST is that of an image index, an image, or one platform's image; or, where the contents of images are
    known, an image ID (as 'docker images' prints) or the digest of a layer. The first 8 or more of its hexadecimal
    digits are enough. AS says what it is to the tag: what the tag itself points to ('tag'), its image for a
    platform, the 'image ID' or 'layer 3 of 8' of that.
    """
    people = template in {"", "table"}
    output = Format(template, HOLDINGS_FOR_PEOPLE if people else HOLDING_TABLE)
    with Index.open(settings().location) as index:
        found = index.whatis(digest)
    if people:
        write(output.lines(holding_cells(holding, truncate=not no_trunc) for holding in found))
    else:
        write(output.lines(map(holding_row, found)))
    if len({holding.image_digest for holding in found}) >= MAX_IMAGES:
        note(f"hubindex: only the first {MAX_IMAGES:,} images that have it are listed")
    whole = found[0].digest
    if not digest.lower().endswith(whole.partition(":")[2]):
        note(f"hubindex: the whole digest is {whole}")
