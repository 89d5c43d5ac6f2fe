"""How a crawl shows its progress: a live line on a terminal, otherwise a line a minute, nothing with `-q`."""

import sys
import threading
from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text
from tabulate import tabulate

from hubindex.cli.tabwriter import visible
from hubindex.crawl.plan import Progress
from hubindex.sources.http import HttpClient

LINE_SECONDS = 60.0
MOST_WARNINGS = 1000


class Display:
    """Shows a crawl on stderr from `show` until the context ends; `progress` is None until then."""

    def __init__(self, *, quiet: bool) -> None:
        self.progress: Progress | None = None
        self._http: HttpClient | None = None
        self._quiet = quiet
        self._began = monotonic()
        self._warnings = 0
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress, http: HttpClient) -> None:
        """Begin to show `progress`."""
        self.progress, self._http = progress, http
        if self._quiet:
            return
        if self._console.is_terminal:
            spinner = Spinner("dots")
            self._live = Live(
                spinner, console=self._console, transient=True, refresh_per_second=8, redirect_stdout=False,
                get_renderable=lambda: self._render(spinner),
            )  # fmt: skip
            self._live.start()
        else:
            threading.Thread(target=self._write_lines, name="hubindex-progress", daemon=True).start()

    def warn(self, text: str) -> None:
        """One line about something left out."""
        self._warnings += 1
        if self._quiet or self._warnings > MOST_WARNINGS:
            return
        self._console.print(f"hubindex: {visible(text)}", soft_wrap=True)
        if self._warnings == MOST_WARNINGS:
            self._console.print("hubindex: no more warnings are shown")

    def line(self) -> str:
        """How far the crawl has come."""
        progress, requests = self.progress or Progress(), self._http.requests if self._http else 0
        return (
            f"{progress.done:,} of {progress.found:,} repositories, {progress.tags:,} tags, "
            f"{_many(requests, 'request')}, {_many(progress.failures, 'failure')}, {self._seconds():.0f} s"
        )

    def summary(self) -> Iterator[str]:
        """What the crawl did, as a small table and a line."""
        progress, requests = self.progress or Progress(), self._http.requests if self._http else 0
        rows = [
            ("repositories", progress.found, progress.new_repositories, progress.changed_repositories),
            ("tags", progress.tags, progress.new_tags, progress.changed_tags),
        ]
        yield from tabulate(rows, ("", "seen", "new", "changed"), tablefmt="plain", intfmt=",").splitlines()
        yield f"{_many(requests, 'request')}, {_many(progress.failures, 'failure')}, {self._seconds():.1f} seconds"

    def _seconds(self) -> float:
        return monotonic() - self._began

    def _render(self, spinner: Spinner) -> Text:
        frame = spinner.render(self._console.get_time())
        return Text(f"{frame} {self.line()}", no_wrap=True, overflow="ellipsis")

    def _write_lines(self) -> None:
        while not self._ended.wait(LINE_SECONDS):
            sys.stderr.write(f"hubindex: {self.line()}\n")
            sys.stderr.flush()


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
