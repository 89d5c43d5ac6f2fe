"""What Tab completes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hubindex.index.database.location import Location
from tests.cli.conftest import Call
from tests.cli.running import environment
from tests.index.building import go_back

BASH = """\
hubindex() { "$PYTHON" -m hubindex "$@"; }
env() { while [[ "$1" == *=* ]]; do export "${1%%=*}=${1#*=}"; shift; done; "$@"; }
compopt() { :; }
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
source /dev/stdin <<<"$(hubindex completion bash)"
COMP_LINE="$1"
COMP_POINT=${#1}
COMPREPLY=()
_hubindex_completion hubindex
printf '%s\\n' "${COMPREPLY[@]}"
"""

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(tmp_path: Path) -> Complete:
    """A real bash, asked what completes a line; nothing may be said on stderr."""

    def completing(line: str, db: str = "") -> list[str]:
        done = subprocess.run(
            ["bash", "--norc", "-c", BASH, "bash", line],
            env=environment({"HUBINDEX_DB": db or str(tmp_path / "none.db"), "PYTHON": sys.executable}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return completing


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hubindex re", ["resolve"]),
        ("hubindex db ch", ["check"]),
        ("hubindex completion ", ["bash", "zsh", "fish"]),
        ("hubindex search --sort n", ["name"]),
        ("hubindex search --so", ["--sort"]),
        ("hubindex resolve mon", ["mongo"]),
        ("hubindex resolve mongo:7", ["7", "7.0", "7.0.5", "7.0.6"]),
        ("hubindex history mongo:7.0.", ["7.0.5", "7.0.6"]),
        ("hubindex show acme/w", ["acme/web"]),
        ("hubindex tags a", ["acme/unseen", "acme/web"]),
        ("hubindex diff ac", ["acme/unseen", "acme/web"]),
        ("hubindex crawl --repo mon", ["mongo"]),
        ("hubindex search mon", ["mongo"]),
        ("hubindex -q resolve --strict mon", ["mongo"]),
        ("hubindex resolve nosuch:", []),
        ("hubindex resolve 'x;:", []),
        ("hubindex resolve $(date)", []),
    ],
)
def test_a_real_bash_completes(complete: Complete, story: str, line: str, expected: list[str]) -> None:
    """Commands, options, their values, and names in the index; of a tag what stands behind the colon."""
    assert complete(line, story) == expected


def test_the_index_that_is_named_is_asked(complete: Complete, story_sqlite: str) -> None:
    """By `--db` on the line."""
    assert complete(f"hubindex --db {story_sqlite} resolve mon") == ["mongo"]


def test_without_an_index_nothing_is_said_or_made(complete: Complete, tmp_path: Path) -> None:
    """Nor is one made, or migrated."""
    path = tmp_path / "none.db"
    assert complete("hubindex resolve mon", str(path)) == []
    assert not path.exists()
    path.write_bytes(b"nonsense" * 100)
    assert complete("hubindex resolve mon", str(path)) == []
    assert complete("hubindex resolve mon", "postgresql://u@127.0.0.1:1/x") == []
    assert complete("hubindex re", str(path)) == ["resolve"]


def test_an_older_index_is_left_as_it_is(complete: Complete, location: Location, call: Call) -> None:
    """A Tab migrates nothing."""
    assert call("--db", location.target, "db", "upgrade").code == 0
    go_back(location, "0005")
    assert complete("hubindex resolve mon", location.target) == []
    assert call("--db", location.target, "db", "current").out == "0005\n"


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "complete -o nosort"), ("zsh", "compdef"), ("fish", "complete")]
)
def test_each_shell_has_a_script(call: Call, shell: str, words: str) -> None:
    """That asks the program itself."""
    outcome = call("completion", shell)
    assert outcome.code == 0
    assert words in outcome.out
    assert "_HUBINDEX_COMPLETE" in outcome.out
    assert call("completion", "tcsh").code == 2


def test_completing_imports_nothing_heavy(story_sqlite: str) -> None:
    """It has to be quick."""
    code = (
        "import sys\nfrom hubindex import cli\ncli.main([])\n"
        "heavy = {'sqlalchemy', 'aiohttp', 'alembic', 'rich', 'tabulate', 'msgspec'}\n"
        "sys.stderr.write(str(sorted(heavy & set(sys.modules))))"
    )
    asked = {
        "_HUBINDEX_COMPLETE": "bash_complete",
        "COMP_WORDS": "hubindex resolve mongo:7",
        "HUBINDEX_DB": story_sqlite,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == "[]"
    assert "plain,mongo:7.0.6" in done.stdout.split(os.linesep)
