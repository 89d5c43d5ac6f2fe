"""Processes that crawl, forked from one that has imported everything already, so that many can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_PRELOADED = [
    "tests.crawl.processes",
    "hubindex.cli.commands.crawl",
    "hubindex.cli.output.progress",
    "hubindex.crawl.crawler",
    "hubindex.index.database.migrate",
    "hubindex.sources.auth.hub_signer",
    "hubindex.sources.auth.credentials",
    "hubindex.sources.registry.client",
    "logging.config",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
]

_context = get_context("forkserver")
_context.set_forkserver_preload(_PRELOADED)

PATIENCE = 30
"""Seconds after which a process counts as hanging."""


class Crawling:
    """`hubindex ARGUMENTS` in a process of its own; `code` is what it ended with, negative for a signal."""

    def __init__(self, process: ForkServerProcess, stderr: Path) -> None:
        self._process = process
        self._stderr = stderr

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    def kill(self) -> int:
        """End it as a power cut would, and return its code: it may have ended by itself meanwhile."""
        self._process.kill()
        return self.code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    @property
    def code(self) -> int:
        """The exit code, waited for."""
        self._process.join(PATIENCE)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
            raise AssertionError(f"it does not end: {self.err}")
        return code

    @property
    def out(self) -> str:
        """What it has written on stdout."""
        return self._stderr.with_suffix(".out").read_text()

    @property
    def err(self) -> str:
        """What it has written on stderr so far."""
        return self._stderr.read_text()


def crawling(
    *arguments: str, stderr: Path, now: str | None = None, constants: Mapping[str, float] = {}
) -> Crawling:
    """Start the program on a given day; `constants` of its modules, by their whole names, can be shortened."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBINDEX_")}
    if now is not None:
        environment["HUBINDEX_NOW"] = now
    process = _context.Process(
        target=_run, args=(arguments, str(stderr), environment, dict(constants)), daemon=True
    )
    process.start()
    return Crawling(process, stderr)


def _run(
    arguments: tuple[str, ...], stderr: str, environment: Mapping[str, str], constants: Mapping[str, float]
) -> None:
    from hubindex import cli

    os.environ.clear()
    os.environ.update(environment)
    for name, value in constants.items():
        module, _, constant = name.rpartition(".")
        assert hasattr(import_module(module), constant)
        setattr(import_module(module), constant, value)
    with open(stderr, "a", buffering=1) as err, open(Path(stderr).with_suffix(".out"), "w") as out:
        sys.stdout, sys.stderr = out, err
        cli.main(list(arguments))


def wait_until(
    is_so: Callable[[], bool],
    what: str = "it does not happen",
    process: "subprocess.Popen[str] | None" = None,
) -> None:
    """Wait for something that happens soon, and while a process runs."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        assert process is None or process.poll() is None, what
        time.sleep(0.002)
