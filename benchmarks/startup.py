"""A question from the command line: the processor time of the whole process, and what it must not import."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks import searching
from benchmarks.measure import Result, at_most, in_turns, median, ratio
from benchmarks.workspace import Workspace

HEAVY = ("sqlalchemy", "aiohttp", "alembic", "rich", "tabulate")

# What the installed console script does.
_PROGRAM = "import sys; from hubindex.cli import main; sys.exit(main())"
_IMPORTED = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "


def run(workspace: Workspace) -> Iterator[Result]:
    """`hubindex search postgres --official` on the small search index."""
    location = searching.index(workspace, "sqlite", workspace.small)
    arguments = ["search", "postgres", "--official", "--db", location.target]
    what = f"hubindex search postgres --official, {workspace.small:,} repositories"
    yield from question(workspace, what, arguments)


def question(workspace: Workspace, what: str, arguments: list[str]) -> Iterator[Result]:
    """A command line against a Python that does nothing, and the heavy modules that it imports."""
    imported = subprocess.run(
        [sys.executable, "-c", _IMPORTED + _PROGRAM, *arguments],
        capture_output=True, text=True, check=True, env=_environment(),
    )  # fmt: skip
    heavy = sorted(set(HEAVY) & set(imported.stderr.split()))
    nothing, asked = in_turns(
        workspace.size(41, 3), partial(_cpu, ["-c", "pass"]), partial(_cpu, ["-c", _PROGRAM, *arguments])
    )
    yield at_most(
        f"{what}, CPU of the process",
        ratio(asked, nothing),
        5,
        f"{median(asked) * 1000:.1f} ms against {median(nothing) * 1000:.1f} ms for python -c pass; "
        f"{len(imported.stdout.splitlines())} lines",
    )
    yield at_most(
        f"of {', '.join(HEAVY)} it imports", len(heavy), 0, " ".join(heavy) or "none of them", " modules"
    )


def _cpu(arguments: list[str]) -> float:
    """User and system seconds of this Python with `arguments`."""
    program = [sys.executable, *arguments]
    silence = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    child = os.posix_spawn(sys.executable, program, _environment(), file_actions=silence)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{' '.join(program)} failed")
    return usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    """Without anybody's settings, and with compiled modules, as an installed program has them."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HUBINDEX_", "PYTHON"))}
    return {**own, "HOME": own.get("HOME", os.sep)}
