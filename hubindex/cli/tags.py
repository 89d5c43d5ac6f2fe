"""`hubindex tags`: the tags of a repository."""

from collections.abc import Callable
from contextlib import closing

import click

from hubindex import moment
from hubindex.cli.facts import TAG_TABLE, short_tag_row, tag_row
from hubindex.cli.options import common_options, format_option, no_trunc_option, note, settings, write
from hubindex.cli.output import Format
from hubindex.errors import NoAnswer
from hubindex.index.reader import open_reader
from hubindex.index.repositories import RepositoryFacts, TagFacts
from hubindex.index.repositories import repository as find
from hubindex.index.repositories import tags as tags_of
from hubindex.reference import Reference, short_name

_SORTS: dict[str, Callable[[TagFacts], tuple[object, ...]]] = {
    "newest": lambda _: (),  # as they come
    "oldest": lambda tag: (tag.pushed_at or tag.first_seen_at, tag.name),
    "name": lambda tag: (tag.name,),
    "size": lambda tag: (-(tag.size or 0), tag.name),
}


@click.command()
@click.argument("repository", metavar="REPO")
@click.option("--match", "pattern", metavar="GLOB", help="Only tags that match: '7.*', '*-alpine'.")
@click.option("--sort", type=click.Choice(list(_SORTS)), default="newest", show_default=True, help="The order.")
@click.option("--limit", type=click.IntRange(min=1), help="Max number of tags.  [default: all]")
@format_option
@no_trunc_option
@common_options
def tags(
    repository: str, pattern: str | None, sort: str, limit: int | None, template: str, no_trunc: bool
) -> None:
    """List the tags of a repository as the last crawl saw them, newest push first.

    ALIASES are the other tags with the same digest.
    """
    reference = Reference.parse_repository(repository)
    output = Format(template, TAG_TABLE)
    with closing(open_reader(settings().location)) as reader, reader.snapshot():
        facts = find(reader, reference)
        found = tags_of(reader, facts)
    if facts.walked_at is None:
        name = short_name(facts.name)
        raise NoAnswer(f"the tags of {name} are not in the index: fetch them with 'hubindex crawl --repo {name}'")
    found = sorted(_matching(found, pattern), key=_SORTS[sort])[:limit]
    if template in {"", "table"} and not no_trunc:
        now = moment.now()
        write(output.lines(short_tag_row(tag, now) for tag in found))
    else:
        write(output.lines(map(tag_row, found)))
    _tell_gaps(facts)


def _matching(found: list[TagFacts], pattern: str | None) -> list[TagFacts]:
    if pattern is None:
        return found
    from fnmatch import translate
    from re import compile as compile_pattern

    matches = compile_pattern(translate(pattern)).match
    return [tag for tag in found if matches(tag.name)]


def _tell_gaps(facts: RepositoryFacts) -> None:
    if facts.walk_problem:
        note(f"hubindex: the last walk over these tags was incomplete: {facts.walk_problem}")
    if facts.missing_at is not None:
        note(f"hubindex: the source has answered 404 for it since {moment.to_rfc3339(facts.missing_at)}")
