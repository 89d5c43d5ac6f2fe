"""Flags take a value, as docker's do."""

import click
import pytest

from hubindex import cli
from hubindex.cli.flags import Command, Group
from tests.cli.conftest import Call
from tests.cli.story import short
from tests.index.building import text as whole

VALUES = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


@pytest.mark.parametrize("value", VALUES)
def test_a_flag_takes_the_values_of_docker(story_sqlite: str, call: Call, value: str) -> None:
    """Those that Go reads as true and false."""
    out = call("--db", story_sqlite, "history", "mongo:7", f"--no-trunc={value}").out
    assert (whole(2) in out) == VALUES[value]
    assert short(2) in out


def test_the_last_one_counts(story_sqlite: str, call: Call) -> None:
    """As in docker, with or without a value."""
    for flags, is_whole in ((["--no-trunc", "--no-trunc=false"], False), (["--no-trunc=0", "--no-trunc"], True)):
        assert (whole(2) in call("--db", story_sqlite, "history", "mongo:7", *flags).out) == is_whole


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("flag", ["--quiet=true", "-q=1", "-q", "--quiet"])
def test_global_flags_take_them_too(story_sqlite: str, call: Call, flag: str, *, before: bool) -> None:
    """Before and after the command's name."""
    command = (flag, "resolve", "mongo") if before else ("resolve", "mongo", flag)
    assert call("--db", story_sqlite, *command).err == ""
    assert call("--db", story_sqlite, *(part.replace("1", "0").replace("true", "f") for part in command)).code == 0


def test_a_flag_turned_off_is_stronger_than_the_environment(
    story_sqlite: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stands."""
    monkeypatch.setenv("HUBINDEX_QUIET", "1")
    monkeypatch.setenv("HUBINDEX_HISTORY_NO_TRUNC", "1")
    assert call("--db", story_sqlite, "resolve", "mongo").err == ""
    assert call("--db", story_sqlite, "resolve", "mongo", "--quiet=false").err != ""
    assert call("--db", story_sqlite, "--quiet=false", "resolve", "mongo").err != ""
    assert whole(2) in call("--db", story_sqlite, "history", "mongo:7").out
    assert whole(2) not in call("--db", story_sqlite, "history", "mongo:7", "--no-trunc=false").out


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "search --official=x mongo",
            'invalid argument "x" for "--official" flag: strconv.ParseBool: parsing "x": invalid syntax '
            "(see 'hubindex search --help')",
        ),
        (
            "search mongo -q=",
            'invalid argument "" for "-q, --quiet" flag: strconv.ParseBool: parsing "": invalid syntax '
            "(see 'hubindex search --help')",
        ),
        (
            "--verbose=yes status",
            'invalid argument "yes" for "-v, --verbose" flag: strconv.ParseBool: parsing "yes": invalid syntax '
            "(see 'hubindex --help')",
        ),
    ],
)
def test_another_value_is_refused_in_the_words_of_docker(call: Call, line: str, complaint: str) -> None:
    """One line, and wrong usage."""
    outcome = call(*line.split())
    assert (outcome.code, outcome.complaint) == (2, complaint)


def test_a_flag_eats_no_argument(story_sqlite: str, call: Call) -> None:
    """What follows it is an argument, also `false`; what follows an option is its value, also a flag's."""
    assert "mongo" in call("--db", story_sqlite, "search", "--official=false", "mongo").out
    assert call("--db", story_sqlite, "search", "--no-trunc", "false").code == 0
    assert call("--db", story_sqlite, "show", "mongo", "--format", "--no-trunc=true").out == "--no-trunc=true\n"
    assert call("--db", story_sqlite, "search", "--", "--official=x").code == 0


def test_every_command_has_such_flags() -> None:
    """Nobody can add one that has not."""
    group = cli.hubindex
    assert isinstance(group, Group)
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert isinstance(command, Command), name
        if isinstance(command, click.Group):
            assert all(isinstance(each, Command) for each in command.commands.values()), name
