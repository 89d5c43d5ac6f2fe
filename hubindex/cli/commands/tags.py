"""`hubindex tags`: the tags of a repository."""

from collections.abc import Callable

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_repositories,
    format_option,
    has_header,
    no_trunc_option,
    note,
    write,
)
from hubindex.cli.output.tables import Format
from hubindex.cli.settings import settings
from hubindex.errors import NoAnswer
from hubindex.index.handle import Index
from hubindex.index.questions.repositories import RepositoryFacts, TagFacts
from hubindex.kinds import ATTACHED
from hubindex.moment import parse_moment
from hubindex.text import quote
from hubindex.views.tags import TAG_TABLE, grouped, tag_cells, tag_row, whole_tag_cells

_SORTS: dict[str, Callable[[TagFacts], tuple[object, ...]]] = {
    "newest": lambda _: (),  # as they come
    "oldest": lambda tag: (tag.pushed_at or tag.first_seen_at, tag.name),
    "name": lambda tag: (tag.name,),
    "size": lambda tag: (-(tag.size or 0), tag.name),
}


@click.command(cls=Command)
@click.argument("repository", metavar="REPO", shell_complete=complete_repositories)
@click.option(
    "--at",
    "when",
    metavar="WHEN",
    help="The tags of that moment: a UTC date (its end), a time, an age such as 7d.  [default: the last look]",
)
@click.option("--match", "pattern", metavar="GLOB", help="Only tags that match: '7.*', '*-alpine'.")
@click.option("--sort", type=click.Choice(list(_SORTS)), default="newest", show_default=True, help="The order.")
@click.option("--limit", type=click.IntRange(min=1), help="Max number of tags.  [default: all]")
@click.option(
    "--all", "everything", is_flag=True, help="In the table, signatures, attestations, SBOMs and the like too."
)
@format_option
@no_trunc_option
@common_options
def tags(
    repository: str,
    when: str | None,
    pattern: str | None,
    sort: str,
    limit: int | None,
    everything: bool,
    template: str,
    no_trunc: bool,
) -> None:
    """List the tags of a repository as the last crawl saw them, or as they were; newest push first.

    In the table, tags with the same digest share a row: 'latest = 7 = 7.0 = 7.0.12'. Tags that attach a signature,
    an attestation, an SBOM or the like to an image ('sha256-….sig') are left out of it, unless nothing else
    matches; templates and JSON have all tags.
    """
    reference = pasted.read_repository(repository)
    output = Format(template, TAG_TABLE)
    now = moment.now()
    at = None if when is None else parse_moment(when, now).at
    with Index.open(settings().location) as index, index.snapshot():
        facts = index.repository(reference)
        found = index.tags(reference, at)
        if facts.walked_at is None and not found:  # what others report of a moment is an answer, too
            name = facts.reference.familiar_name
            raise NoAnswer(
                f"the tags of {name} are not in the index: fetch them with 'hubindex crawl --repo {name}'"
            )
        whole_at = None if at is None or at == now else index.first_whole_look(reference)
    count = len(found)
    found = _matching(found, pattern)
    is_table = template in {"", "table"}
    left_out = 0
    if is_table and not everything:
        found, left_out = _versions(found)
    found = sorted(found, key=_SORTS[sort])[:limit]
    if not is_table:
        write(output.lines(map(tag_row, found)))
    elif no_trunc:
        write(output.lines(map(whole_tag_cells, grouped(found))))
    else:
        write(output.lines(tag_cells(group, now) for group in grouped(found)))
    if has_header(template) and not found:
        _tell_nothing(facts, count, pattern, now)
    if left_out:
        _tell_left_out(left_out)
    if at is not None and at != now:
        _tell_moment(at, whole_at)
    _tell_gaps(facts, at)


def _tell_nothing(facts: RepositoryFacts, count: int, pattern: str | None, now: int) -> None:
    """Why the table has a header alone."""
    from hubindex.views.repositories import last_look

    name = facts.reference.familiar_name
    what = f"none of its {count:,} tags matches {quote(pattern)}" if pattern and count else "it has no tags"
    note(f"hubindex: {name}: {what}; {last_look(facts, now)}")


def _matching(found: list[TagFacts], pattern: str | None) -> list[TagFacts]:
    if pattern is None:
        return found
    from fnmatch import translate
    from re import compile as compile_pattern

    matches = compile_pattern(translate(pattern)).match
    return [tag for tag in found if matches(tag.name)]


def _versions(found: list[TagFacts]) -> tuple[list[TagFacts], int]:
    """The tags without those that attach something to an image, if any are left; and how many these are."""
    versions = [tag for tag in found if tag.kind not in ATTACHED]
    return (versions, len(found) - len(versions)) if versions else (found, 0)


def _tell_left_out(count: int) -> None:
    if count == 1:
        note("hubindex: 1 signature, attestation or SBOM is left out: --all shows it")
    else:
        note(f"hubindex: {count:,} signatures, attestations and SBOMs are left out: --all shows them")


def _tell_moment(at: int, whole_at: int | None) -> None:
    """How much of a moment is known."""
    said = f"hubindex: as of {moment.to_rfc3339(at)}"
    if whole_at is None:
        said += ": no look at these tags was complete: those that had moved or gone before it are not known"
    elif at < whole_at:
        said += (
            f": the first complete look at these tags was at {moment.to_rfc3339(whole_at)}: "
            "what had moved or gone before that is not known"
        )
    note(said)


def _tell_gaps(facts: RepositoryFacts, at: int | None) -> None:
    """What the last look lacks; a moment before it does not lack it."""
    if facts.walk_problem and (at is None or at >= (facts.walked_at or 0)):
        note(f"hubindex: the last walk over these tags was incomplete: {facts.walk_problem}")
    if facts.missing_at is not None and (at is None or at >= facts.missing_at):
        note(f"hubindex: the source has answered 404 for it since {moment.to_rfc3339(facts.missing_at)}")
