"""What all commands share: help, wrong usage, the environment, closed pipes, tracebacks."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hubindex import __version__
from hubindex.cli import COMMANDS
from hubindex.index.database import reader
from tests.cli.conftest import Call, Program
from tests.cli.running import environment
from tests.index.building import text as whole

EVERY_COMMAND: Sequence[Sequence[str]] = (
    (),
    *((name,) for name in COMMANDS),
    ("db", "upgrade"),
    ("db", "current"),
    ("db", "check"),
    ("db", "distribute"),
)


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_every_command_has_help(call: Call, command: Sequence[str], option: str) -> None:
    """On stdout, with a usage line and its options; it needs no index."""
    outcome = call(*command, option)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(" ".join(["Usage: hubindex", *command]))
    assert "--db URL|PATH" in outcome.out


def test_the_version_is_told(call: Call) -> None:
    """One line."""
    assert call("--version") == (0, f"hubindex {__version__}\n", "")


@pytest.mark.parametrize("command", [(), ("db",)])
def test_a_group_without_a_command_shows_its_help(call: Call, command: Sequence[str]) -> None:
    """In lines that can be read; that was wrong usage all the same."""
    outcome = call(*command)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: hubindex")
    assert outcome.err.count("\n") > 10


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("nosuch", 2, "No such command 'nosuch'"),
        ("--nosuch", 2, "No such option '--nosuch'"),
        ("--db", 2, "requires an argument"),
        ("db nosuch", 2, "No such command 'nosuch'"),
        ("db upgrade x", 2, "unexpected extra argument"),
        ("search", 2, "Missing argument 'TERM'"),
        ("search a b", 2, "unexpected extra argument"),
        ("search a --nosuch", 2, "No such option '--nosuch'"),
        ("search a --limit x", 2, "--limit"),
        ("search a --limit -1", 2, "--limit"),
        ("search a --limit 1.5", 2, "--limit"),
        ("search a --limit", 2, "requires an argument"),
        ("search a --sort age", 2, "--sort"),
        ("search a --filter stars", 2, "expected name=value"),
        ("search a --filter bogus=1", 1, "invalid filter 'bogus'"),
        ("search a --format {{", 1, "template parsing error"),
        ("search a --db mysql://host/x", 2, "unknown kind of index 'mysql'"),
        ("search a --db sqlite://x", 2, "sqlite:///"),
        ("search a --db /", 1, "is a folder"),
        ("show", 2, "Missing argument 'REPO[:TAG]'"),
        ("show Mongo", 2, "image reference"),
        ("show mongo:7 --platform x", 2, "'x'"),
        ("show mongo --format {{", 1, "template parsing error"),
        ("tags", 2, "Missing argument 'REPO'"),
        ("tags a//b", 2, "image reference"),
        ("tags mongo --limit 0", 2, "--limit"),
        ("tags mongo --sort age", 2, "--sort"),
        ("tags mongo --format {{.Nosuch}}", 1, "can't evaluate field Nosuch"),
        ("tags mongo --at tomorrow", 2, "'tomorrow' is not a time"),
        ("tags mongo --at 2999-01-01", 2, "in the future"),
        ("resolve", 2, "Missing argument 'REPO[:TAG]'"),
        ("resolve mongo --at 2999-01-01", 2, "in the future"),
        ("resolve mongo --format {{", 1, "template parsing error"),
        ("history", 2, "Missing argument 'REPO[:TAG]'"),
        ("history mongo --on 7d", 2, "--on wants a whole day"),
        ("history mongo --format {{", 1, "template parsing error"),
        ("whatis", 2, "Missing argument 'DIGEST'"),
        ("whatis mongo", 2, "is not a digest"),
        ("whatis 01234567 --format {{", 1, "template parsing error"),
        ("diff", 2, "FROM and TO are wanted"),
        ("diff now now --format {{", 1, "template parsing error"),
        ("status x", 2, "unexpected extra argument"),
        ("status --format {{Nosuch}}", 1, "template parsing error"),
        ("crawl --enqueue", 2, "nothing to enqueue"),
        ("crawl x --watch", 2, "--watch goes on with whatever is due"),
        ("crawl x --max-age 5m", 2, "minutes or months"),
        ("crawl x --budget 0", 2, "--budget"),
        ("crawl x --heads -1", 2, "--heads"),
        ("crawl x --registry-url http://example.com", 2, "plain http is only accepted for a loopback host"),
        ("crawl x --limit 0", 2, "--limit"),
        ("crawl x --concurrency 0", 2, "--concurrency"),
        ("crawl x --concurrency 1000", 2, "--concurrency"),
        ("crawl --repo Mongo", 2, "image reference"),
        ("crawl --repo mongo:7", 2, "it names a tag"),
        ("crawl --registry docker.io", 2, "write the host of a registry"),
        ("crawl --registry ghcr.io/a/b", 2, "write the host of a registry"),
        ("crawl --registry https://ghcr.io", 2, "leave out everything up to '://'"),
        ("crawl --watch --registry localhost:5000", 2, "--watch goes on with whatever is due"),
        ("crawl --repo a/b/c", 2, "NAME or NAMESPACE/NAME"),
        ("crawl --namespace a/b", 2, "'a/b' is not a namespace"),
        ("crawl --namespace ACME", 2, "'ACME' is not a namespace"),
        ("crawl x --hub-url http://example.com", 2, "plain http is only accepted for a loopback host"),
        ("crawl x --hub-url example.com", 2, "not a URL"),
        ("crawl x --hub-url ftp://example.com", 2, "not a URL"),
        ("crawl x --hub-url https://u:pw@example.com", 2, "not accepted"),
        ("crawl x --hub-url https://example.com/?a=b", 2, "not accepted"),
    ],
)
def test_wrong_input_is_told_in_one_line(sample_sqlite: str, call: Call, line: str, code: int, words: str) -> None:
    """On stderr, and nothing on stdout; wrong usage exits 2."""
    outcome = call("--db", sample_sqlite, *line.split())
    assert outcome.code == code
    assert words in outcome.complaint


@pytest.mark.parametrize("arguments", [("crawl", ""), ("crawl", " "), ("crawl", "x", ""), ("crawl", "--repo", "")])
def test_nothing_is_no_name(call: Call, tmp_path: Path, arguments: Sequence[str]) -> None:
    """An empty term would be a search for everything, and was surely a variable that is not set."""
    outcome = call("--db", str(tmp_path / "index.db"), *arguments)
    assert outcome.code == 2
    assert "empty" in outcome.complaint


@pytest.mark.parametrize(
    "arguments", [("--namespace", "a/b"), ("--hub-url", "http://example.com"), ("--limit", "x")]
)
def test_a_wrong_crawl_creates_no_index(call: Call, tmp_path: Path, arguments: Sequence[str]) -> None:
    """What is wrong is told before anything is done."""
    call("--db", str(tmp_path / "index.db"), "crawl", "x", "--repo", "mongo", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_hostile_input_is_not_printed_as_it_is(call: Call) -> None:
    """What is repeated in a message cannot act on a terminal."""
    for arguments in (("\x1b[31m",), ("show", "\x1b[31m"), ("crawl", "x", "--hub-url", "http://\x1b[31m")):
        assert "\x1b" not in call(*arguments).complaint


# The environment


def test_options_can_be_set_in_the_environment(
    sample_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index, and every option of a command under the command's name."""
    monkeypatch.setenv("HUBINDEX_DB", sample_sqlite)
    monkeypatch.setenv("HUBINDEX_SEARCH_LIMIT", "2")
    monkeypatch.setenv("HUBINDEX_SEARCH_FORMAT", "{{.Name}}")
    assert call("search", "thrift").out == "thrift\nacme/thrift\n"


@pytest.mark.parametrize(
    ("name", "value", "arguments", "out"),
    [
        ("HUBINDEX_SEARCH_STARS", "4", ("search", "thrift", "--format", "{{.Name}}"), "thrift\nacme/thrift\n"),
        (
            "HUBINDEX_SEARCH_FILTER",
            "stars=4 is-official=true",
            ("search", "thrift", "--format", "{{.Name}}"),
            "thrift\n",
        ),
        ("HUBINDEX_SEARCH_OFFICIAL", "1", ("search", "thrift", "--format", "{{.Name}}"), "thrift\n"),
        ("HUBINDEX_TAGS_MATCH", "7.0*", ("tags", "mongo", "--format", "{{.Name}}"), "7.0\n7.0.12\n"),
        ("HUBINDEX_SHOW_FORMAT", "{{.Name}}", ("show", "mongo"), "mongo\n"),
        ("HUBINDEX_STATUS_FORMAT", "{{.Terms}}", ("status",), "1\n"),
        ("HUBINDEX_HISTORY_FORMAT", "{{.Since}}", ("history", "mongo:7"), "2024-07-31T02:44:09.167Z\n"),
    ],
)
def test_the_name_in_the_environment_is_that_of_the_option(
    sample_sqlite: str,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    arguments: Sequence[str],
    out: str,
) -> None:
    """Nobody has to look it up: the command's name, the option's name, in capitals."""
    monkeypatch.setenv(name, value)
    assert call("--db", sample_sqlite, *arguments).out == out


@pytest.mark.parametrize("name", ["HUBINDEX_VERSION", "HUBINDEX_HELP", "HUBINDEX_SEARCH_TERM", "HUBINDEX_HOME"])
def test_other_names_in_the_environment_mean_nothing(
    sample_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A Dockerfile may well set HUBINDEX_VERSION."""
    monkeypatch.setenv(name, "0.1.0")
    assert call("--db", sample_sqlite, "search", "--format", "{{.Name}}", "evelyn").out == "evelyn/thrift-book\n"
    assert call("--db", sample_sqlite, "search").code == 2


def test_the_command_line_is_stronger_than_the_environment(
    sample_sqlite: str, empty: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the command's name and after it."""
    monkeypatch.setenv("HUBINDEX_DB", empty)
    monkeypatch.setenv("HUBINDEX_SEARCH_LIMIT", "2")
    options = ("--format", "{{.Name}}", "--limit", "1")
    assert call("--db", sample_sqlite, "search", "thrift", *options).out == "thrift\n"
    assert call("search", "thrift", *options, "--db", sample_sqlite).out == "thrift\n"


def test_global_options_may_stand_anywhere(sample_sqlite: str, empty: str, call: Call) -> None:
    """The one nearest to the command counts."""
    assert call("--db", empty, "search", "--db", sample_sqlite, "thrift").code == 0


def test_a_wrong_option_in_the_environment_is_wrong_usage(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the command line."""
    monkeypatch.setenv("HUBINDEX_SEARCH_LIMIT", "many")
    outcome = call("search", "thrift")
    assert outcome.code == 2
    assert "--limit" in outcome.complaint


# Tracebacks


def test_a_traceback_is_shown_on_demand(sample_sqlite: str, call: Call) -> None:
    """`-v`: before the same line, and with the same exit code."""
    outcome = call("--db", sample_sqlite, "-v", "show", "nosuch")
    assert outcome.code == 3
    assert outcome.err.startswith("Traceback (most recent call last):\n")
    assert outcome.err.endswith(
        "\nhubindex: nosuch is not in the index: fetch it with 'hubindex crawl --repo nosuch'\n"
    )


def test_wrong_usage_needs_no_traceback(call: Call) -> None:
    """Nobody wants to see click from inside."""
    assert call("-v", "search").complaint.startswith("Missing argument 'TERM'")


def test_a_fault_of_our_own_is_one_line_too(
    sample_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That says how to see more."""

    def faulty(*_: object) -> None:
        raise LookupError("what nobody\nthought of")

    monkeypatch.setattr(reader.Reader, "query", faulty)
    outcome = call("--db", sample_sqlite, "search", "thrift")
    assert outcome.code == 1
    assert outcome.complaint == "a fault in hubindex itself: LookupError: what nobody: 'hubindex -v …' shows where"


# Pipes and terminals


def _shell(line: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell line in which `"$@"` is the program with these arguments; the exit code is the program's."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "bash", sys.executable, "-m", "hubindex", *arguments],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "question",
    [("tags", "acme/nightly"), ("diff", "acme/nightly", "2000-01-01", "now")],
    ids=lambda words: words[0],
)
def test_a_pipe_that_closes_early_is_no_fault(sample_sqlite: str, question: Sequence[str]) -> None:
    """`| head -1`: quiet, with the exit code of a closed pipe or, where all was written before, of success."""
    arguments = ("--db", sample_sqlite, *question, "--format", "{{.Name}} " + "x" * 1000)
    done = _shell('"$@" | head -1', *arguments)
    assert done.returncode == 141
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_pipe_that_closes_before_the_first_line_is_no_fault(sample_sqlite: str) -> None:
    """Nothing is complained of when the last buffer is written either."""
    done = _shell('"$@" | true', "--db", sample_sqlite, "search", "thrift")
    assert done.returncode in {0, 141}
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_answer_that_cannot_be_written_is_told(sample_sqlite: str) -> None:
    """A full disk: one line, exit code 1."""
    done = _shell('"$@" > /dev/full', "--db", sample_sqlite, "search", "thrift")
    assert done.returncode == 1
    assert done.stderr == "hubindex: reading or writing failed: No space left on device\n"


def test_closed_streams_are_no_fault(sample_sqlite: str) -> None:
    """The exit code is all that some callers want to know."""
    done = _shell('"$@" >&- 2>&-', "--db", sample_sqlite, "search", "thrift")
    assert (done.returncode, done.stderr) == (0, "")
    assert _shell('"$@" >&- 2>&-', "nosuch").returncode == 2


def test_a_terminal_that_knows_no_unicode_is_no_fault(sample_sqlite: str, program: Program) -> None:
    """What it cannot show becomes a question mark."""
    outcome = program("--db", sample_sqlite, "search", "thrift", env={"PYTHONIOENCODING": "ascii"})
    assert (outcome.code, outcome.err) == (0, "")
    assert "fluxlab/thrift-proxy   Thrift ? HTTP proxy ?" in outcome.out


@pytest.mark.parametrize(
    "question",
    [
        ("search", "thrift"),
        ("tags", "mongo"),
        ("tags", "mongo", "--at", "2024-08-01"),
        ("show", "mongo"),
        ("history", "mongo:7"),
        ("resolve", "mongo"),
        ("diff", "mongo", "2000-01-01", "now"),
        ("status",),
    ],
)
def test_answers_do_not_depend_on_the_terminal(
    sample_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch, question: Sequence[str]
) -> None:
    """A narrow one breaks lines itself; colours there are none."""
    answers = set()
    for columns, name, value in (("20", "NO_COLOR", "1"), ("200", "FORCE_COLOR", "1")):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv(name, value)
        answers.add(call("--db", sample_sqlite, *question).out)
    assert len(answers) == 1
    assert "\x1b" not in answers.pop()


def test_the_module_is_the_program(program: Program) -> None:
    """`python -m hubindex`."""
    assert program("--version") == (0, f"hubindex {__version__}\n", "")


def test_exit_codes_reach_the_shell(sample_sqlite: str, program: Program) -> None:
    """Of a question without an answer, for one."""
    assert program("--db", sample_sqlite, "show", "nosuch").code == 3


# Start-up

_QUESTIONS: Mapping[str, Sequence[str]] = {
    "resolve": ("resolve", "mongo"),
    "resolve with a platform": ("resolve", "mongo:7", "--platform", "arm64"),
    "resolve on a day": ("resolve", "mongo", "--at", "2024-03-01"),
    "history of a tag": ("history", "mongo:latest"),
    "history of a repository": ("history", "mongo"),
    "tags of a moment": ("tags", "mongo", "--at", "2024-03-01"),
    "whatis": ("whatis", whole(2)),
    "diff": ("diff", "2024-02-01", "now"),
}
_HEAVY = ("sqlalchemy", "aiohttp", "alembic", "rich", "tabulate", "dataclasses", "platformdirs")


def _loaded(code: str) -> set[str]:
    """The modules that are loaded after some code, which exits with 0."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def _asking(db: str, question: Sequence[str]) -> str:
    return (
        "from hubindex import cli\n"
        f"arguments = {['--db', db, *question]!r}\n"
        "assert cli.run(lambda: cli.hubindex.main(arguments, 'hubindex', standalone_mode=False)) == 0"
    )


@pytest.mark.parametrize("question", _QUESTIONS)
def test_a_question_about_the_past_imports_nothing_heavy(story_sqlite: str, question: str) -> None:
    """It would take longer to start than to answer."""
    assert not _loaded(_asking(story_sqlite, _QUESTIONS[question])) & {*_HEAVY}


def test_nothing_is_imported_for_resolve_that_it_does_not_need(story_sqlite: str) -> None:
    """Scripts ask it by the hundred: no JSON, no tables, no templates, no other questions."""
    loaded = _loaded(_asking(story_sqlite, ("resolve", "mongo:7", "--at", "2024-03-05T00:00")))
    assert not loaded & {
        "json",
        "humanize",
        "unicodedata",
        "hubindex.index.questions.changes",
        "hubindex.index.questions.search",
    }
    ours = {name.removeprefix("hubindex.") for name in loaded if name.startswith(("hubindex.cli.", "hubindex.v"))}
    assert ours == {
        "cli.commands", "cli.commands.resolve", "cli.flags", "cli.options", "cli.output", "cli.output.tabwriter",
        "cli.settings", "views", "views.ages", "views.sentences",
    }  # fmt: skip


def test_search_does_not_pay_for_the_past(sample_sqlite: str) -> None:
    """Each command loads its own."""
    loaded = _loaded(_asking(sample_sqlite, ("search", "thrift")))
    assert not loaded & {
        "hubindex.index.questions.history",
        "hubindex.index.evidence.timeline",
        "hubindex.platform",
    }
