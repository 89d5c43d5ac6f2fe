"""`hubindex history`: all that a tag was, or all that changed in a repository."""

from collections.abc import Iterator
from typing import NamedTuple

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_references,
    format_option,
    has_header,
    no_trunc_option,
    note,
    platform_option,
    write,
)
from hubindex.cli.output.tables import Format
from hubindex.cli.settings import settings
from hubindex.errors import WrongUsage
from hubindex.index.handle import Index
from hubindex.index.questions.repositories import RepositoryFacts
from hubindex.moment import END_OF_TIME, parse_moment
from hubindex.platform import Platform
from hubindex.reference import Reference


@click.command(cls=Command)
@click.argument("reference", metavar="REPO[:TAG]", shell_complete=complete_references)
@platform_option
@click.option(
    "--since", metavar="WHEN", help="Only what lasted until then or began later; a date means its start."
)
@click.option("--until", metavar="WHEN", help="Only what was there then or before; a date means its end.")
@click.option("--on", "day", metavar="DATE", help="Only what was there on that UTC day: 2024-03-01, yesterday.")
@format_option
@no_trunc_option
@common_options
def history(
    reference: str,
    platform: str | None,
    since: str | None,
    until: str | None,
    day: str | None,
    template: str,
    no_trunc: bool,
) -> None:
    """List every digest a tag has pointed to, or all changes of the tags of a repository, newest first.

    'mongo:latest' is a tag, 'mongo' the whole repository. Two times in one cell are the earliest and the latest
    that is possible. GAPS counts the stretches in between for which nobody can vouch. CALLED are the other tags
    with the same content at that time, AGE is how long it lasted.
    """
    asked = pasted.read(reference)
    if asked.digest is not None:
        raise WrongUsage(
            f"{asked.familiar} names a digest: 'hubindex whatis {asked.digest}' tells who has or had it"
        )
    wanted = None if platform is None else Platform.parse(platform)
    if wanted is not None and asked.tag is None:
        raise WrongUsage(f"--platform needs a tag, as in {asked.familiar_name}:latest")
    window = _window(since, until, day)
    if asked.tag is None:
        lines = _changes(asked, window, template, truncate=not no_trunc)
    else:
        lines = _spans(asked, wanted, window, template, truncate=not no_trunc)
    write(lines)


class _Window(NamedTuple):
    """The first and the last millisecond of what is asked about."""

    first: int = 0
    last: int = END_OF_TIME


def _window(since: str | None, until: str | None, day: str | None) -> _Window:
    now = moment.now()
    if day is not None:
        if since is not None or until is not None:
            raise WrongUsage("--on names a whole day: give it without --since and --until")
        asked = parse_moment(day, now).day
        if asked is None:
            raise WrongUsage("--on wants a whole day: write 2024-03-01, yesterday or today")
        return _Window(*asked)
    window = _Window()
    if since is not None:
        start = parse_moment(since, now)
        window = window._replace(first=start.day[0] if start.day else start.at)
    if until is not None:
        window = window._replace(last=parse_moment(until, now).at)
    if window.first > window.last:
        raise WrongUsage("--since is later than --until")
    return window


def _changes(asked: Reference, window: _Window, template: str, *, truncate: bool) -> Iterator[str]:
    from hubindex.views.changes import MOVES_FOR_PEOPLE, MOVES_TABLE, change_cells, change_row

    people = template in {"", "table"}
    output = Format(template, MOVES_FOR_PEOPLE if people else MOVES_TABLE)
    with Index.open(settings().location) as index, index.snapshot():
        found = index.moves(asked, since=window.first, until=window.last)
        if has_header(template) and not found:
            _tell_nothing(index.repository(asked), len(index.moves(asked)))
    if people:
        return output.lines(change_cells(change, truncate=truncate) for change in found)
    return output.lines(map(change_row, found))


def _tell_nothing(facts: RepositoryFacts, known: int) -> None:
    """Why the table has a header alone."""
    from hubindex.views.repositories import last_look

    what = "no tag is known to have moved"
    if known:
        what += f" in that time, {known:,} changes are known in all"
    note(f"hubindex: {facts.reference.familiar_name}: {what}; {last_look(facts, moment.now())}")


def _spans(
    asked: Reference, platform: Platform | None, window: _Window, template: str, *, truncate: bool
) -> Iterator[str]:
    from hubindex.views.spans import HISTORY_FOR_PEOPLE, HISTORY_TABLE, history_cells, history_row

    people = template in {"", "table"}
    output = Format(template, HISTORY_FOR_PEOPLE if people else HISTORY_TABLE)
    with Index.open(settings().location) as index:
        found = index.history(asked, platform, window.first, window.last)
    if people:
        return output.lines(history_cells(answer, truncate=truncate) for answer in found)
    return output.lines(map(history_row, found))
