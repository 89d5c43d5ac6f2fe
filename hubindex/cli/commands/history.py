"""`hubindex history`: all that a tag was, or all that changed in a repository."""

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import (
    common_options,
    complete_references,
    format_option,
    no_trunc_option,
    note,
    platform_option,
    write,
)
from hubindex.cli.output.ages import duration
from hubindex.cli.output.facts import last_look, some
from hubindex.cli.output.spans import (
    CHANGE_HEADERS,
    SPAN_HEADERS,
    change_cells,
    change_row,
    digest_cell,
    gap_pairs,
    since_cell,
    span_row,
    until_cell,
)
from hubindex.cli.output.tables import Format, Row, Table
from hubindex.cli.settings import settings
from hubindex.errors import NoAnswer, WrongUsage
from hubindex.index.database.opening import open_reader
from hubindex.index.questions.changes import moves
from hubindex.index.questions.history import Answer, State
from hubindex.index.questions.history import history as find
from hubindex.index.questions.repositories import RepositoryFacts, repository
from hubindex.moment import parse_moment
from hubindex.platform import Platform
from hubindex.reference import Reference, short_name

_SPANS = Table({**SPAN_HEADERS, "Gaps": "GAPS", "Aliases": "ALIASES", "Age": "AGE"}, (), "*hubindex.Span")
_SPANS_FOR_PEOPLE = Table(
    {**_SPANS.headers, "Aliases": "CALLED"},
    ("Digest", "Since", "Until", "Certainty", "Gaps", "Aliases", "Age"),
    "*hubindex.Span",
)
_CHANGES = Table(CHANGE_HEADERS, (), "*hubindex.Change")
_CHANGES_FOR_PEOPLE = Table(
    {**CHANGE_HEADERS, "Since": "WHEN"}, ("Since", "Tag", "Change", "Old", "New"), "*hubindex.Change"
)
_FOREVER = 1 << 62


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
    last: int = _FOREVER


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
    people = template in {"", "table"}
    output = Format(template, _CHANGES_FOR_PEOPLE if people else _CHANGES)
    with closing(open_reader(settings().location)) as reader, reader.snapshot():
        known = moves(reader, asked)
        found = [change for change in known if change.happened_in(*window)]
        if people and not found:
            _tell_nothing(repository(reader, asked), len(known))
    if people:
        return output.lines(change_cells(change, truncate=truncate) for change in found)
    return output.lines(map(change_row, found))


def _tell_nothing(facts: RepositoryFacts, known: int) -> None:
    """Why the table has a header alone."""
    name = short_name(facts.name)
    what = "no tag is known to have moved"
    if known:
        what += f" in that time, {known:,} changes are known in all"
    note(f"hubindex: {name}: {what}; {last_look(facts, moment.now())}")


def _spans(
    asked: Reference, platform: Platform | None, window: _Window, template: str, *, truncate: bool
) -> Iterator[str]:
    people = template in {"", "table"}
    output = Format(template, _SPANS_FOR_PEOPLE if people else _SPANS)
    with closing(open_reader(settings().location)) as reader, reader.snapshot():
        known = find(reader, asked, platform)
    found = [answer for answer in known if _overlaps(answer, window)]
    if not found:
        first = moment.to_rfc3339(known[-1].since or 0)
        raise NoAnswer(f"the first evidence about {asked.familiar} is of {first}, later than that")
    if people:
        return output.lines(_cells(answer, truncate=truncate) for answer in found)
    return output.lines(map(_row, found))


def _overlaps(answer: Answer, window: _Window) -> bool:
    """Whether the tag was, or may have been, that in the window."""
    assert answer.since is not None
    start = answer.since
    if answer.since_earliest is not None and answer.pushed_at != start:
        start = answer.since_earliest
    if answer.until is None:
        return start <= window.last
    end = _FOREVER if answer.until_latest is None else max(answer.until, answer.until_latest - 1)
    return start <= window.last and end >= window.first


def _row(answer: Answer) -> Row:
    after = answer.replaced_after
    return {
        **span_row(answer),
        "Gaps": gap_pairs(answer.gaps),
        "Aliases": list(answer.aliases),
        "Age": None if after is None else after // 1000,
    }


def _cells(answer: Answer, *, truncate: bool) -> Row:
    after = answer.replaced_after
    return {
        **span_row(answer),
        "Digest": digest_cell(answer.digest, truncate=truncate) or _ABSENCES[answer.state],
        "Since": since_cell(answer.since, answer.since_earliest, answer.pushed_at, truncate=truncate),
        "Until": until_cell(answer.until, answer.until_latest, _seen(answer), truncate=truncate),
        "Gaps": len(answer.gaps) or "",
        "Aliases": some(answer.aliases) if truncate else list(answer.aliases),
        "Age": "" if after is None else duration(after),
    }


def _seen(answer: Answer) -> int | None:
    """The last sight of what is there; nobody sees what is gone."""
    return None if answer.state is State.GONE else answer.last_seen_at


_ABSENCES = {State.GONE: "(gone)", State.NO_IMAGE: "(no image)", State.UNREAD: "(unknown)"}
"""What stands in the place of a digest."""
