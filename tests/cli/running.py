"""Running the program in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple


class Outcome(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on stderr, which is all that a wrong command line prints."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("hubindex: ")
        return self.err.removeprefix("hubindex: ").removesuffix("\n")


def environment(changes: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of this process in an English UTF-8 locale, with `changes`."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100", **changes}


def start(*arguments: str, env: Mapping[str, str] = {}) -> "subprocess.Popen[str]":
    """The program, running, with pipes for stdout and stderr."""
    return subprocess.Popen(
        [sys.executable, "-m", "hubindex", *arguments],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
