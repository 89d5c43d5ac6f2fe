"""`hubindex resolve`: the one digest that a tag pointed to at a moment."""

from typing import TYPE_CHECKING, NamedTuple

import click

from hubindex import moment, pasted
from hubindex.certainty import Certainty
from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, complete_references, format_option, note, platform_option, write
from hubindex.cli.settings import settings
from hubindex.errors import NoAnswer, WrongUsage
from hubindex.index.handle import Index
from hubindex.index.questions.history import Answer
from hubindex.moment import Moment, parse_age, parse_moment
from hubindex.platform import Platform
from hubindex.reference import Reference
from hubindex.views.ages import age

if TYPE_CHECKING:
    from hubindex.cli.output.tables import Format
    from hubindex.index.questions.changes import Change

_ORDER = (Certainty.CONFIRMED, Certainty.REPORTED, Certainty.INFERRED)
"""From the most certain to the least."""


@click.command(cls=Command)
@click.argument("reference", metavar="REPO[:TAG]", shell_complete=complete_references)
@click.option(
    "--at",
    "when",
    metavar="WHEN",
    help="The moment: a UTC date (its end), a time, an age such as 7d, yesterday, now.  [default: the last look]",
)
@click.option(
    "--min-age",
    metavar="AGE",
    help="The newest digest that has been behind the tag for at least that long, such as 7d: --at AGE.",
)
@click.option(
    "--max-age", metavar="AGE", help="Refuse a last look at the tag that is longer ago, such as 6h: exit code 3."
)
@platform_option
@click.option(
    "--at-least", "least", type=click.Choice([each.value for each in _ORDER]), default=_ORDER[-1].value,
    show_default=True, help="How sure the answer has to be: exit code 3 if it is less.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Only a confirmed answer counts: --at-least confirmed.")
@format_option
@common_options
def resolve(
    reference: str,
    when: str | None,
    min_age: str | None,
    max_age: str | None,
    platform: str | None,
    least: str,
    strict: bool,
    template: str,
) -> None:
    """Tell which digest a tag pointed to, and how sure that is.

    Without a moment the answer is that of the last look at the tag; '--at now' asks about this very moment, of
    which nothing can be certain. The digest goes to stdout as 'mongo@sha256:…', the certainty to stderr. Without
    TAG it is 'latest'.
    """
    tag = _parse(reference)
    output = None if template in {"", "table"} else _format(template)
    asked = _asked(when, min_age, max_age)
    wanted = None if platform is None else Platform.parse(platform)
    try:
        answer, changes = _find(tag, asked, wanted)
        _check(answer, changes, asked, Certainty.CONFIRMED if strict else Certainty(least))
    except _Refusal as refusal:
        if output is not None and output.is_json:
            _write(output, refusal.answer)
        raise NoAnswer(str(refusal)) from None
    if output is None:
        write([f"{tag.familiar_name}@{answer.digest}"])
    else:
        _write(output, answer)
    if not settings().quiet:
        _tell(answer, changes, asked)


class _Asked(NamedTuple):
    """The moment asked about, None for that of the last look, which may be `max_age` milliseconds ago at most."""

    moment: Moment | None
    now: int
    max_age: int | None = None

    @property
    def day(self) -> tuple[int, int] | None:
        """The whole day that was asked about."""
        return None if self.moment is None else self.moment.day

    def looked(self, answer: Answer) -> str:
        """How long ago the last look was, if that was asked for."""
        return "" if self.moment is not None or answer.at is None else age(answer.at, self.now)


class _Refusal(Exception):
    """There is no answer that counts; `answer` is what JSON says instead of one."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


def _parse(text: str) -> Reference:
    reference = pasted.read(text)
    if reference.digest is not None:
        raise WrongUsage(
            f"{reference.familiar} names a digest already: 'hubindex whatis {reference.digest}' tells who has it"
        )
    return reference.with_default_tag()


def _format(template: str) -> "Format":
    from hubindex.cli.output.tables import Format
    from hubindex.views.spans import SPAN_TABLE

    return Format(template, SPAN_TABLE)


def _write(output: "Format", answer: Answer) -> None:
    from hubindex.views.spans import answer_row

    write(output.lines([answer_row(answer)]))


def _asked(when: str | None, min_age: str | None, max_age: str | None) -> _Asked:
    now = moment.now()
    if when is not None and min_age is not None:
        raise WrongUsage("--at and --min-age both name the moment: give one of them")
    if max_age is not None:
        if when is not None or min_age is not None:
            raise WrongUsage("--max-age is about the last look: give it without --at and --min-age")
        return _Asked(None, now, parse_age(max_age))
    if min_age is not None:
        parse_age(min_age)
        return _Asked(parse_moment(min_age, now), now)
    return _Asked(None if when is None else parse_moment(when, now), now)


def _find(tag: Reference, asked: _Asked, platform: Platform | None) -> "tuple[Answer, list[Change]]":
    """The answer, and the changes of a day that was asked for. Raises `_Refusal` if the index does not know."""
    try:
        with Index.open(settings().location) as index, index.snapshot():
            answer = index.resolve(tag, None if asked.moment is None else asked.moment.at, platform)
            return answer, [] if asked.day is None else index.moves(tag, platform, *asked.day)[::-1]
    except NoAnswer as error:
        nothing = Answer(
            tag, None, None if platform is None else str(platform), Certainty.UNKNOWN, note=str(error)
        )
        raise _Refusal(str(error), nothing) from error


def _check(answer: Answer, changes: list["Change"], asked: _Asked, least: Certainty) -> None:
    """Raise `_Refusal` unless the answer counts."""
    at = asked.now if answer.at is None else answer.at
    is_old = asked.max_age is not None and asked.now - at > asked.max_age
    is_sure = answer.certainty in _ORDER[: _ORDER.index(least) + 1]
    if answer.digest is not None and not is_old and is_sure:
        return
    from hubindex.views.sentences import day_sentence, named, sentence

    if answer.digest is None:
        moved = day_sentence(changes, asked.day) if asked.day else ""
        when = moment.to_rfc3339(at)
        as_of = f"as of the last look, {looked}" if (looked := asked.looked(answer)) else f"at {when}"
        message = f"no digest for {named(answer)} {as_of}: {answer.note}{moved and '; '}{moved}"
        raise _Refusal(message, answer)
    if is_old:
        why = (
            f"the last look at {named(answer)} was {asked.looked(answer)}, longer ago than --max-age allows: "
            f"'hubindex crawl --repo {answer.reference.familiar_name}' looks again"
        )
    else:
        told = sentence(answer, at, answer.digest, asked.looked(answer))
        wanted = "--strict" if least == Certainty.CONFIRMED else "--at-least"
        why = f"not {least}, as {wanted} wants: {answer.certainty}: {told}"
    raise _Refusal(why, answer._replace(digest=None, certainty=Certainty.INFERRED, note=why))


def _tell(answer: Answer, changes: list["Change"], asked: _Asked) -> None:
    from hubindex.views.sentences import day_sentence, sentence

    at = asked.now if answer.at is None else answer.at
    note(f"hubindex: {answer.certainty}: {sentence(answer, at, looked=asked.looked(answer))}")
    if asked.day and changes:
        note(f"hubindex: {day_sentence(changes, asked.day)}")
