"""`hubindex show`: one repository, or one image."""

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_references,
    format_option,
    no_trunc_option,
    platform_option,
    write,
)
from hubindex.cli.output.listing import one
from hubindex.cli.settings import settings
from hubindex.index.handle import Index
from hubindex.kinds import ATTACHED
from hubindex.platform import Platform
from hubindex.reference import Reference


@click.command(cls=Command)
@click.argument("reference", metavar="REPO[:TAG]", shell_complete=complete_references)
@platform_option
@format_option
@no_trunc_option
@common_options
def show(reference: str, platform: str | None, template: str, no_trunc: bool) -> None:
    """Show what the index knows of a repository, or of one image.

    'mongo' is the repository: counts, its newest tag, and what 'latest' is. 'mongo:7' or 'mongo@sha256:…' is an
    image: platforms, how it is started, layers, sizes, and what it is based on, as far as its contents are in the
    index. All is as of the last crawl. Tags that attach a signature, an attestation, an SBOM or the like to an
    image are counted apart.
    """
    asked = pasted.read(reference)
    wanted = None if platform is None else Platform.parse(platform)
    if pasted.is_page(reference) and asked.digest is None:
        asked = Reference(asked.registry, asked.repository)
    if asked.tag is None and asked.digest is None:
        _show_repository(asked, wanted, template, truncate=not no_trunc)
    else:
        _show_image(asked, wanted, template, truncate=not no_trunc)


def _show_repository(asked: Reference, platform: Platform | None, template: str, *, truncate: bool) -> None:
    from hubindex.views.images import content_lines, image_row
    from hubindex.views.repositories import REPOSITORY_TABLE, repository_lines, repository_row

    with Index.open(settings().location) as index, index.snapshot():
        facts = index.repository(asked)
        found = index.tags(asked)
        tags = [tag for tag in found if tag.kind not in ATTACHED]
        chosen = next((tag for tag in tags if tag.name == "latest"), tags[0] if tags else None)
        image = None
        if chosen is not None and chosen.digest is not None:
            image = index.image(facts.reference._replace(tag=chosen.name), platform)
    attached, now = len(found) - len(tags), moment.now()
    people = repository_lines(facts, tags, attached, now, truncate=truncate)
    if image is not None and image.contents is not None:
        people.append(("Contents", f"of {image.reference.tag}{f', {image.platform}' if image.platform else ''}"))
        people += [(f"  {label}", value) for label, value in content_lines(facts, image, now, truncate=truncate)]
    row = {**repository_row(facts, tags, attached), "Image": None if image is None else image_row(image)}
    write(one(template, REPOSITORY_TABLE, row, people))


def _show_image(asked: Reference, platform: Platform | None, template: str, *, truncate: bool) -> None:
    from hubindex.views.images import IMAGE_TABLE, image_lines, image_row

    with Index.open(settings().location) as index, index.snapshot():
        facts = index.repository(asked)
        image = index.image(asked, platform)
    people = image_lines(facts, image, moment.now(), truncate=truncate)
    write(one(template, IMAGE_TABLE, image_row(image), people))
