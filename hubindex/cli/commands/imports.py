"""`hubindex import`: evidence from elsewhere."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubindex import moment
from hubindex.cli.flags import Group
from hubindex.cli.options import common_options, format_option, note, write
from hubindex.cli.settings import settings
from hubindex.errors import HubindexError, NoAnswer, WrongUsage
from hubindex.text import quote, shown

if TYPE_CHECKING:
    from hubindex.index.writing.ingest import Batch
    from hubindex.sources.files.reports import Line
    from hubindex.sources.git.repository import Commit, GitRepository

_ROWS_AT_A_TIME = 2000
_MAX_TOLD = 20
_MAX_NAME = 100


@click.group("import", cls=Group, invoke_without_command=True)
@click.option("--list", "is_list", is_flag=True, help="List who has reported something.")
@click.option("--forget", "forgotten", metavar="NAME", help="Forget a witness with all that it said.")
@format_option
@common_options
@click.pass_context
def imports(context: click.Context, is_list: bool, forgotten: str | None, template: str) -> None:
    """Take in what others have written down about the past of tags.

    It is kept as reports, each with its witness, apart from what crawls have seen, which it never changes. What a
    witness saw is 'reported'.
    """
    if context.invoked_subcommand is not None:
        if is_list or forgotten is not None:
            raise WrongUsage("--list and --forget stand alone")
        return
    if is_list and forgotten is None:
        _list(template)
    elif forgotten is not None and not is_list:
        _forget(forgotten)
    else:
        raise click.UsageError("name what to import, or --list, or --forget NAME", context)


def _list(template: str) -> None:
    from hubindex.cli.output.tables import Format
    from hubindex.index.handle import Index
    from hubindex.views.witnesses import WITNESS_TABLE, witness_row

    output = Format(template, WITNESS_TABLE)
    with Index.open(settings().location) as index:
        write(output.lines(map(witness_row, index.witnesses())))


def _forget(name: str) -> None:
    from hubindex.index.writing.ingest import Ingest

    location = settings().location
    count = None
    if location.exists:
        with closing(Ingest(location)) as ingest, ingest.transaction() as batch:
            count = batch.forget_witness(name)
    if count is None:
        raise NoAnswer(
            f"nobody called {quote(name)} has reported anything: 'hubindex import --list' lists who has"
        )
    note(f"hubindex: {count:,} reports of {shown(name)} are forgotten")


@imports.command()
@click.argument("file", metavar="FILE|-")
@click.option("--witness", metavar="NAME", help="Whose word it is.  [default: the name of the file]")
@click.option("--skip-bad", is_flag=True, help="Leave out lines that are no reports, and take the others.")
@common_options
def reports(file: str, witness: str | None, skip_bad: bool) -> int:
    """Take in reports from a file, or from stdin: NDJSON, or CSV with a head line.

    Fields: reference; digest (null: the tag was not there); 'at' (when it was seen), 'from' and 'until' (a
    stretch), or 'by' (seen at some moment up to then), as 2024-05-06T10:00:00Z; and perhaps platform, and source.
    Nothing is taken of a file in which a line is refused, unless --skip-bad is given. Taken in twice, it adds
    nothing.
    """
    from hubindex.index.writing.ingest import Ingest
    from hubindex.sources.files.reports import read_reports

    name = witness
    if name is None:
        name = "stdin" if file == "-" else Path(file).name or file
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise WrongUsage(f"--witness {quote(name)}: a name of 1 to {_MAX_NAME} printable characters is wanted")
    now = moment.now()
    with _opened(file) as lines, closing(Ingest(settings().location)) as ingest:
        try:
            with ingest.transaction() as batch:
                counts = _store(batch, name, read_reports(lines, now), now)
                if counts.refused and not skip_bad:
                    raise _NothingTaken
        except _NothingTaken:
            raise HubindexError(
                f"{counts.refused:,} lines of {shown(file)} are refused: none is taken; --skip-bad takes the rest"
            ) from None
    write([f"{counts.new:,} new, {counts.known:,} known, {counts.refused:,} refused"])
    return 0


class _NothingTaken(Exception):
    """A line was refused: the transaction is given up."""


class _Counts:
    """How many lines were what."""

    def __init__(self) -> None:
        self.new = self.known = self.refused = 0


def _store(batch: "Batch", witness: str, lines: "Iterable[Line]", now: int) -> _Counts:
    counts, rest = _Counts(), iter(lines)
    while several := list(islice(rest, _ROWS_AT_A_TIME)):
        for line in several:
            if line.report is None:
                counts.refused += 1
                if counts.refused <= _MAX_TOLD:
                    note(f"hubindex: line {line.number:,} is refused: {line.problem}")
                elif counts.refused == _MAX_TOLD + 1:
                    note("hubindex: no more refused lines are told")
        found = [line.report for line in several if line.report is not None]
        new = batch.reports(witness, found, now) if found else 0
        counts.new += new
        counts.known += len(found) - new
    return counts


@contextmanager
def _opened(file: str) -> Iterator[Iterable[str]]:
    """The lines of a file or of stdin, of bounded length each; what is no UTF-8 is kept as escapes."""
    if file == "-":
        yield _lines(sys.stdin.buffer)
        return
    try:
        with open(file, "rb") as stream:
            yield _lines(stream)
    except FileNotFoundError:
        raise WrongUsage(f"{shown(file)}: there is no such file") from None
    except IsADirectoryError:
        raise WrongUsage(f"{shown(file)}: that is a directory, and no file") from None


def _lines(stream: Iterable[bytes]) -> Iterator[str]:
    from hubindex.sources.files.reports import MAX_LINE

    read = stream.readline  # type: ignore[attr-defined]
    while line := read(MAX_LINE + 2):
        is_cut = not line.endswith(b"\n") and len(line) > MAX_LINE
        while is_cut and (more := read(MAX_LINE)) and not more.endswith(b"\n"):
            pass
        yield line.decode("utf-8", "surrogateescape")


@imports.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@common_options
def pins(paths: tuple[str, ...]) -> int:
    """Take in the references that are pinned in git repositories: 'FROM node:20@sha256:…' and the like.

    PATH is a clone, bare or not; every commit is read. Whoever pinned a tag had resolved it by the time of the
    commit: 'seen by', which bounds nothing.
    """
    from hubindex.index.writing.ingest import Ingest
    from hubindex.sources.git.pins import MAX_LINE, PATTERN, read_pins
    from hubindex.sources.git.repository import GitRepository

    new = 0
    for path in paths:
        repository, now = GitRepository(Path(path)), moment.now()
        witness = f"pins in {Path(path).resolve().name.removesuffix('.git')[:_MAX_NAME]}"
        with (
            repository.patches(PATTERN, MAX_LINE) as lines,
            closing(Ingest(settings().location)) as ingest,
            ingest.transaction() as batch,
        ):
            found = read_pins(lines, now)
            while several := list(islice(found, _ROWS_AT_A_TIME)):
                new += batch.reports(witness, several, now)
    write([f"{new:,} new pins"])
    return 0


@imports.command("repo-info")
@click.argument("clone", metavar="PATH|URL")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--since", metavar="WHEN", help="Only what was seen then or later; a date means its start.")
@common_options
def repo_info(clone: str, names: tuple[str, ...], since: str | None) -> int:
    """Take in docker-library/repo-info: what the tags of the official images were, since late 2015.

    PATH is a clone, bare or not, URL where to clone it from, without its files, into the user's cache. Without
    NAME it is all images. The next import reads new commits only. Ctrl-C keeps what is complete.
    """
    import re

    from hubindex.sources.git.repo_info import FOLDER
    from hubindex.sources.git.repository import GitRepository, protocol_of

    first = 0
    if since is not None:
        asked = moment.parse_moment(since, moment.now())
        first = asked.day[0] if asked.day else asked.at
    if re.match(r"(https|file)://", clone):
        repository = GitRepository(_cloned(clone), protocol_of(clone))
    else:
        repository = GitRepository(Path(clone))
    known = repository.names_in(FOLDER)
    if not known:
        raise HubindexError(f"{shown(clone)} is no clone of repo-info: it has no folder {FOLDER!r}")
    if missing := [name for name in names if name not in known]:
        raise NoAnswer(f"{shown(clone)} has no image {quote(missing[0])}")
    new = 0
    with _counting(len(names or known)) as count:
        for name in dict.fromkeys(names or known):
            new += _import_image(repository, name, first)
            count(name)
    write([f"{len(set(names or known)):,} images, {new:,} new reports"])
    return 0


def _import_image(repository: "GitRepository", name: str, first: int) -> int:
    """Take in the commits of one image, whole or not at all; returns how many reports were new."""
    from hubindex.index.writing.ingest import Ingest
    from hubindex.sources.git.repo_info import FOLDER, MAX_FILE, WITNESS, Records

    records, new, now = Records(name), 0, moment.now()
    subject = name if first == 0 else f"{name} since {first}"
    with closing(Ingest(settings().location)) as ingest, ingest.transaction() as batch:
        mark = batch.import_mark(WITNESS, subject)
        if mark == repository.head:
            return 0
        if mark is not None and not repository.has(mark):
            mark = None  # the history was written anew
        folder = f"{FOLDER}/{name}/"
        repository.prefetch(records.blobs(_between(repository.commits(folder, mark), first, now)))
        commits = _between(repository.commits(folder, mark), first, now)
        with repository.blobs(MAX_FILE) as blobs:
            reports = records.read(commits, blobs)
            while several := list(islice(reports, _ROWS_AT_A_TIME)):
                new += batch.reports(WITNESS, several, now)
        batch.put_import_mark(WITNESS, subject, repository.head)
    return new


def _between(commits: "Iterable[Commit]", first: int, last: int) -> "Iterator[Commit]":
    """Those of some commits that were made in a time."""
    return (commit for commit in commits if first <= commit.at <= last)


def _cloned(url: str) -> Path:
    """A clone of a repository in the user's cache."""
    from hashlib import sha256

    from platformdirs import user_cache_dir

    from hubindex.sources.git.repository import clone

    folder = Path(user_cache_dir("hubindex", appauthor=False)) / "git" / sha256(url.encode()).hexdigest()[:16]
    note(f"hubindex: fetching {shown(url, 200)} into {folder}")
    clone(url, folder)
    return folder


@contextmanager
def _counting(total: int) -> "Iterator[Callable[[str], None]]":
    """How far an import has come, with a time to go, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_shown = console.is_terminal and not settings().quiet
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task("", total=total)
        yield lambda name: progress.update(task, advance=1, description=name)
