"""`hubindex resolve`: the one digest that a tag pointed to at a moment."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from hubindex import moment
from hubindex.cli.options import common_options, format_option, note, platform_option, settings, write
from hubindex.errors import NoAnswer, WrongUsage
from hubindex.index.history import CONFIRMED, INFERRED, UNCERTAIN, Answer
from hubindex.index.history import resolve as find
from hubindex.index.reader import open_reader
from hubindex.moment import Moment, parse_age, parse_moment
from hubindex.platform import Platform
from hubindex.reference import Reference

if TYPE_CHECKING:
    from hubindex.cli.output import Format
    from hubindex.index.changes import Change


@click.command()
@click.argument("reference", metavar="REPO[:TAG]")
@click.option(
    "--at",
    "when",
    metavar="WHEN",
    help="The moment: a UTC date (its end), a time, an age such as 7d, yesterday.  [default: now]",
)
@click.option(
    "--min-age",
    metavar="AGE",
    help="The newest digest that has been behind the tag for at least that long, such as 7d: --at AGE.",
)
@platform_option
@click.option("--strict", is_flag=True, help="Only a confirmed answer counts.")
@format_option
@common_options
def resolve(
    reference: str, when: str | None, min_age: str | None, platform: str | None, strict: bool, template: str
) -> None:
    """Tell which digest a tag pointed to, and how sure that is.

    The digest goes to stdout as 'mongo@sha256:…', the certainty to stderr. Without TAG it is 'latest'.
    """
    tag = _parse(reference)
    output = None if template in {"", "table"} else _format(template)
    asked = _moment(when, min_age)
    wanted = None if platform is None else Platform.parse(platform)
    try:
        answer, changes = _find(tag, asked, wanted)
        _check(answer, changes, asked, strict=strict)
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


class _Refusal(Exception):
    """There is no answer that counts; `answer` is what JSON says instead of one."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


def _parse(text: str) -> Reference:
    reference = Reference.parse(text)
    if reference.digest is not None:
        raise WrongUsage(
            f"{reference.familiar} names a digest already: 'hubindex whatis {reference.digest}' tells who has it"
        )
    return reference.with_default_tag()


def _format(template: str) -> "Format":
    from hubindex.cli.output import Format
    from hubindex.cli.spans import SPAN_TABLE

    return Format(template, SPAN_TABLE)


def _write(output: "Format", answer: Answer) -> None:
    from hubindex.cli.spans import span_row

    write(output.lines([span_row(answer)]))


def _moment(when: str | None, min_age: str | None) -> Moment:
    now = moment.now()
    if min_age is not None:
        if when is not None:
            raise WrongUsage("--at and --min-age both name the moment: give one of them")
        parse_age(min_age)
        return parse_moment(min_age, now)
    return parse_moment("now" if when is None else when, now)


def _find(tag: Reference, asked: Moment, platform: Platform | None) -> "tuple[Answer, list[Change]]":
    """The answer, and the changes of a day that was asked for. Raises `_Refusal` if the index does not know."""
    try:
        with closing(open_reader(settings().location)) as reader, reader.snapshot():
            answer = find(reader, tag, asked.at, platform)
            if asked.day is None:
                return answer, []
            from hubindex.index.changes import tag_moves_between

            return answer, tag_moves_between(reader, tag, platform, *asked.day)
    except NoAnswer as error:
        nothing = Answer(tag, None, None if platform is None else str(platform), UNCERTAIN, note=str(error))
        raise _Refusal(str(error), nothing) from error


def _check(answer: Answer, changes: list["Change"], asked: Moment, *, strict: bool) -> None:
    """Raise `_Refusal` unless the answer counts."""
    if answer.digest is not None and (answer.certainty == CONFIRMED or not strict):
        return
    from hubindex.cli.sentences import day_sentence, named, sentence

    if answer.digest is None:
        moved = day_sentence(changes, asked.day) if asked.day else ""
        at = moment.to_rfc3339(asked.at)
        message = f"no digest for {named(answer)} at {at}: {answer.note}{moved and '; '}{moved}"
        raise _Refusal(message, answer)
    why = f"not confirmed, as --strict wants: {answer.certainty}: {sentence(answer, asked.at, answer.digest)}"
    raise _Refusal(why, answer._replace(digest=None, certainty=INFERRED, note=why))


def _tell(answer: Answer, changes: list["Change"], asked: Moment) -> None:
    from hubindex.cli.sentences import day_sentence, sentence

    note(f"hubindex: {answer.certainty}: {sentence(answer, asked.at)}")
    if asked.day and changes:
        note(f"hubindex: {day_sentence(changes, asked.day)}")
