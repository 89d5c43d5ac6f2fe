"""How a crawl shows its progress: a live line on a terminal, otherwise a line a minute, nothing with `-q`."""

import json
import logging
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
from yarl import URL

from hubindex.cli.output.tabwriter import visible
from hubindex.crawl.plan import Progress
from hubindex.moment import to_rfc3339, wall
from hubindex.sources.http.client import HttpClient
from hubindex.views.ages import duration

LINE_SECONDS = 60.0
MAX_WARNINGS = 1000
_ENOUGH_TO_FORETELL = 10
_LOOK_SECONDS = 1.0
_LONG_WAIT = 5.0


class Display:
    """Shows a crawl on stderr from `show` until the context ends; `progress` is None until then.

    `verbose` writes a line for each request; `log_format` is `text`, or `json` for an object a line, without a
    live line.
    """

    def __init__(self, *, quiet: bool, verbose: bool = False, log_format: str = "text") -> None:
        self.progress: Progress | None = None
        self._http: HttpClient | None = None
        self._hub_url = URL()
        self._quiet = quiet
        self._is_json = log_format == "json"
        self._began = monotonic()
        self._warnings = 0
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._ended = threading.Event()
        self._handler = _RequestLog(self) if verbose and not quiet else None

    def __enter__(self) -> Self:
        if self._handler is not None:
            self._handler.attach()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._handler is not None:
            self._handler.detach()
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress, http: HttpClient, hub_url: str) -> None:
        """Begin to show `progress`, or show another one."""
        is_first = self.progress is None
        self.progress, self._http, self._hub_url = progress, http, URL(hub_url)
        if self._quiet or not is_first:
            return
        if self._console.is_terminal and not self._is_json:
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
        if self._quiet or self._warnings > MAX_WARNINGS:
            return
        self.say("warning", text)
        if self._warnings == MAX_WARNINGS:
            self.say("warning", "no more warnings are shown")

    def paused(self, seconds: int) -> None:
        """The source refused further requests."""
        self.warn(f"going on in {duration(seconds * 1000)}")

    def say(self, level: str, text: str, **facts: object) -> None:
        """One line on stderr; in JSON with facts."""
        if self._is_json:
            at = to_rfc3339(wall())
            line = json.dumps({"time": at, "level": level, "message": text, **facts}, ensure_ascii=True)
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
        else:
            self._console.print(f"hubindex: {visible(text)}", soft_wrap=True)

    def line(self) -> str:
        """How far the crawl has come, what the Hub allows, and how long it may take."""
        progress, requests = self.progress or Progress(), self._http.requests if self._http else 0
        parts = [
            f"{progress.done:,} of {max(progress.found, progress.done):,} repositories",
            f"{progress.tags:,} tags",
            _many(requests, "request"),
            _many(progress.failures, "failure"),
            f"{self._seconds():.0f} s",
            *self._allowance(),
        ]
        if (rest := self._rest()) is not None:
            parts.append(f"{duration(round(rest * 1000))} to go")
        return ", ".join(parts)

    def summary(self) -> Iterator[str]:
        """What the crawl did, as a small table and a line."""
        progress, requests = self.progress or Progress(), self._http.requests if self._http else 0
        rows = [
            ("repositories", progress.found, progress.new_repositories, progress.changed_repositories),
            ("tags", progress.tags, progress.new_tags, progress.changed_tags),
        ]
        yield from tabulate(rows, ("", "seen", "new", "changed"), tablefmt="plain", intfmt=",").splitlines()
        counts = [_many(requests, "request"), _many(progress.failures, "failure")]
        if progress.manifests:
            counts.insert(1, _many(progress.manifests, "manifest"))
        if progress.missing:
            counts.append(f"{progress.missing:,} not found")
        if progress.stale_tags:
            counts.append(_many(progress.stale_tags, "stale answer"))
        yield f"{', '.join(counts)}, {self._seconds():.1f} seconds"

    def _seconds(self) -> float:
        return monotonic() - self._began

    def _allowance(self) -> Iterator[str]:
        found = self._http.allowance(self._hub_url) if self._http else None
        if found is None:
            return
        if found.limit is not None and found.remaining is not None:
            yield f"{found.remaining:,} of {found.limit:,} requests a minute left"
        if found.paused_until is not None and (wait := found.paused_until - monotonic()) > 0:
            yield f"waiting {wait:.0f} s for Docker Hub"

    def _rest(self) -> float | None:
        """Seconds to go, by the pace so far; None as long as there is none."""
        progress = self.progress or Progress()
        left = progress.found - progress.done
        if progress.done < _ENOUGH_TO_FORETELL or left <= 0:
            return None
        return self._seconds() / progress.done * left

    def _render(self, spinner: Spinner) -> Text:
        frame = spinner.render(self._console.get_time())
        return Text(f"{frame} {self.line()}", no_wrap=True, overflow="ellipsis")

    def _write_lines(self) -> None:
        next_line, told_until = monotonic() + LINE_SECONDS, 0.0
        while not self._ended.wait(min(LINE_SECONDS, _LOOK_SECONDS)):
            now, paused_until = monotonic(), self._paused_until()
            if paused_until > max(now + _LONG_WAIT, told_until):
                told_until = paused_until + _LONG_WAIT
                self.say("info", f"waiting {paused_until - now:.0f} s, as Docker Hub allows no more requests now")
            if now >= next_line:
                next_line = now + LINE_SECONDS
                progress = self.progress or Progress()
                self.say("info", self.line(), done=progress.done, found=progress.found, tags=progress.tags)

    def _paused_until(self) -> float:
        found = self._http.allowance(self._hub_url) if self._http else None
        return 0.0 if found is None or found.paused_until is None else found.paused_until


class _RequestLog(logging.Handler):
    """Passes on what the HTTP client writes down of each request."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self._display = display
        self._logger = logging.getLogger("hubindex.http")

    def attach(self) -> None:
        """Begin to listen."""
        self._logger.addHandler(self)
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False

    def detach(self) -> None:
        """Leave everything as it was."""
        self._logger.removeHandler(self)
        self._logger.setLevel(logging.NOTSET)
        self._logger.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Write a request's line."""
        self._display.say("info", record.getMessage(), **getattr(record, "request", {}))


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
