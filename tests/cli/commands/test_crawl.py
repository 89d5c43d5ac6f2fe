"""`hubindex crawl`: what it prints, how it ends, and what an interruption leaves."""

import asyncio
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from hubindex.cli.output import progress as progress_module
from hubindex.cli.output.progress import Display
from hubindex.crawl.plan import Progress
from hubindex.index.database.location import Location
from hubindex.sources.http.client import HttpClient
from tests.cli.conftest import Call
from tests.cli.running import environment, start
from tests.crawl.crawling import hub_of, names, shut, tag_names
from tests.fakehub import FakeHub, Proceed
from tests.fakehub.weather import challenge, not_found, server_error, too_many
from tests.index.building import problems, rows

SUMMARY = re.compile(
    r" +seen +new +changed\n"
    r"repositories +([\d,]+) +([\d,]+) +([\d,]+)\n"
    r"tags +([\d,]+) +([\d,]+) +([\d,]+)\n"
    r"([\d,]+) requests?, ([\d,]+) failures?, [\d.]+ seconds\n"
)

PATIENCE = 30
"""Seconds to wait for something that has to happen soon."""


def numbered(count: int) -> list[str]:
    return [f"acme/app-{number:02}" for number in range(count)]


def counted(out: str) -> list[str]:
    """The numbers of a summary: repositories and tags seen, new and changed; requests, failures."""
    match = SUMMARY.fullmatch(out)
    assert match, out
    return list(match.groups())


@pytest.fixture
def db(tmp_path: Path) -> str:
    """Where an index could be."""
    return str(tmp_path / "index.db")


# Output


def test_a_crawl_ends_with_a_summary(location: Location, call: Call) -> None:
    """On stdout: repositories and tags, new and changed, requests and failures."""
    hub = hub_of(numbered(12), tag_count=2)
    with hub.running() as url:
        outcome = call("--db", location.target, "crawl", "app", "--hub-url", url)
    assert (outcome.code, outcome.err) == (0, "")
    assert counted(outcome.out) == ["12", "12", "0", "24", "24", "0", "13", "0"]


def test_a_second_crawl_counts_what_changed(location: Location, call: Call) -> None:
    """A moved tag, a new one, a repository with another number of stars."""
    hub = hub_of(numbered(12), tag_count=2)
    with hub.running() as url:
        call("--db", location.target, "crawl", "app", "--hub-url", url)
        hub.repositories["acme/app-03"].push("t0", at="2024-06-01T00:00:00Z", content="moved")
        hub.repositories["acme/app-04"].push("t9", at="2024-06-01T00:00:00Z")
        hub.repositories["acme/app-05"].star_count = 7
        outcome = call("--db", location.target, "crawl", "app", "--hub-url", url)
    assert counted(outcome.out) == ["12", "0", "1", "25", "1", "1", "13", "0"]


def test_quiet_is_silent(db: str, call: Call) -> None:
    """`-q` prints nothing at all when all went well."""
    with hub_of(numbered(3)).running() as url:
        assert call("--db", db, "-q", "crawl", "app", "--namespace", "nosuch", "--hub-url", url) == (0, "", "")


def test_the_hub_can_be_named_in_the_environment(db: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """HUBINDEX_HUB_URL."""
    with hub_of(numbered(3)).running() as url:
        monkeypatch.setenv("HUBINDEX_HUB_URL", url)
        assert call("--db", db, "crawl", "app").code == 0


def test_every_option_reaches_the_crawl(db: str, call: Call) -> None:
    """Terms, repositories, namespaces and official images together, without tags."""
    hub = hub_of(["acme/app", "library/mongo", "library/redis", "zoe/tool", "zoe/thing", "bitnami/redis", "x/y"])
    arguments = ("crawl", "app", "--repo", "bitnami/redis", "--repo", "mongo", "--namespace", "zoe", "--official")
    with hub.running() as url:
        outcome = call("--db", db, *arguments, "--no-tags", "--concurrency", "2", "--hub-url", url)
    assert counted(outcome.out)[:4] == ["6", "6", "0", "0"]
    assert names(Location.parse(db)) == sorted(set(hub.repositories) - {"x/y"})


def test_a_limit_is_the_number_of_results_of_each_term(db: str, call: Call) -> None:
    """`--limit`."""
    with hub_of([*numbered(9), *(f"zoe/tool-{number}" for number in range(9))]).running() as url:
        outcome = call("--db", db, "crawl", "app", "tool", "--limit", "4", "--hub-url", url)
    assert counted(outcome.out)[0] == "8"


def test_warnings_name_what_was_left_out(db: str, call: Call) -> None:
    """One line each on stderr; the crawl has succeeded."""
    with hub_of(numbered(3)).running() as url:
        outcome = call("--db", db, "crawl", "app", "--namespace", "nosuch", "--hub-url", url)
    assert outcome.code == 0
    assert outcome.err == "hubindex: nosuch: Docker Hub shows no repositories of it\n"


def test_hostile_words_of_the_server_are_neutralised(db: str, call: Call) -> None:
    """Neither a row's name nor an error's text acts on a terminal."""
    hub = hub_of(numbered(3))
    hub.set_search("app", ["acme/\x1b[31mred", "acme/app-01"])
    hub.add_repository("acme/\x1b[31mred")
    with hub.running() as url:
        outcome = call("--db", db, "crawl", "app", "--hub-url", url)
    assert "red" in outcome.err
    assert "\x1b" not in outcome.err


# Progress


def shown(display: Display, progress: Progress, lines: int, capsys: pytest.CaptureFixture[str]) -> str:
    """What a display has written on stderr once it has shown so many lines."""
    text = ""
    deadline = time.monotonic() + PATIENCE
    with display:
        display.show(progress, HttpClient(), "http://localhost")
        while text.count("\n") < lines and time.monotonic() < deadline:
            text += capsys.readouterr().err
            time.sleep(0.001)
    return text


def test_a_line_now_and_then_tells_how_far_a_crawl_has_come(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no terminal: plain lines on stderr."""
    monkeypatch.setattr(progress_module, "LINE_SECONDS", 0.001)
    text = shown(Display(quiet=False), Progress(found=1200, done=7, tags=3456, failures=1), 2, capsys)
    expected = r"hubindex: 7 of 1,200 repositories, 3,456 tags, 0 requests, 1 failure, \d+ s"
    assert re.fullmatch(expected, text.splitlines()[0])


def test_the_lines_come_once_a_minute() -> None:
    """Not so often that they fill a log."""
    assert progress_module.LINE_SECONDS == 60


def test_a_short_crawl_tells_nothing_on_its_way(db: str, call: Call) -> None:
    """Without a terminal, stderr stays empty for less than a minute."""
    with hub_of(numbered(3)).running() as url:
        assert call("--db", db, "crawl", "app", "--hub-url", url).err == ""


@contextmanager
def terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    """A terminal: its end for the program, and what reads all that the program has written to it."""
    ours, theirs = pty.openpty()

    def read() -> str:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how Linux says that nobody writes any more
                break
            if not piece:
                break
            written += piece
        return written.decode()

    try:
        yield theirs, read
    finally:
        os.close(ours)


def test_progress_on_a_terminal_leaves_stdout_alone(db: str) -> None:
    """The live line is on stderr, goes away in the end, and the summary is all there is on stdout."""
    hub = hub_of(numbered(12))
    with hub.running() as url, terminal() as (theirs, read):
        done = subprocess.run(
            [sys.executable, "-m", "hubindex", "--db", db, "crawl", "app", "--hub-url", url],
            env=environment({"TERM": "xterm"}),
            stdout=subprocess.PIPE,
            stderr=theirs,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        written = read()
    assert done.returncode == 0
    assert counted(done.stdout)[0] == "12"
    assert "repositories" in written
    assert written.endswith("\x1b[2K")  # the line is wiped


def test_progress_respects_no_color(db: str) -> None:
    """NO_COLOR: no colours on the live line."""
    with hub_of(numbered(3)).running() as url, terminal() as (theirs, read):
        subprocess.run(
            [sys.executable, "-m", "hubindex", "--db", db, "crawl", "app", "--hub-url", url],
            env=environment({"TERM": "xterm-256color", "NO_COLOR": "1"}),
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            timeout=PATIENCE,
            check=False,
        )
        written = read()
    assert not re.search("\x1b\\[[0-9;]*m", written)


def test_a_narrow_terminal_breaks_no_line(db: str) -> None:
    """The live line is cut instead."""
    with hub_of(numbered(3)).running() as url, terminal() as (theirs, read):
        subprocess.run(
            [sys.executable, "-m", "hubindex", "--db", db, "crawl", "app", "--hub-url", url],
            env=environment({"TERM": "xterm", "COLUMNS": "20"}),
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            timeout=PATIENCE,
            check=False,
        )
        written = read()
    assert "…" in written
    lines = re.split("[\r\n]", re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", written))
    assert max(map(len, lines)) <= 20


# Failures


def test_a_crawl_that_could_not_fetch_everything_exits_4(db: str, call: Call) -> None:
    """What arrived is stored; the last line says what is missing and what to do."""
    hub = hub_of(numbered(12))
    hub.disturb("app-07/tags", server_error())
    with hub.running() as url:
        outcome = call("--db", db, "crawl", "app", "--hub-url", url)
    assert outcome.code == 4
    assert counted(outcome.out)[0] == "12"
    last = outcome.err.splitlines()[-1]
    assert last.startswith("hubindex: crawl incomplete: 1 failure, the first: ")
    assert "app-07" in last
    assert "'hubindex crawl' goes on with the rest" in last
    assert len(names(Location.parse(db))) == 12


def test_a_quiet_crawl_that_fails_says_so_in_one_line(db: str, call: Call) -> None:
    """`-q` silences progress and warnings, not errors."""
    hub = hub_of(numbered(12))
    hub.disturb("app-07/tags", server_error())
    hub.disturb("app-08/tags", server_error())
    with hub.running() as url:
        outcome = call("--db", db, "-q", "crawl", "app", "--hub-url", url)
    assert outcome.code == 4
    assert "2 failures" in outcome.complaint


def test_an_unknown_repository_is_one_line(db: str, call: Call) -> None:
    """With its name, once, and nothing that was stored to speak of: an answer, and no failure."""
    with hub_of(numbered(1)).running() as url:
        outcome = call("--db", db, "crawl", "--repo", "acme/nosuch", "--hub-url", url)
        assert outcome.code == 0
        assert outcome.err.count("nosuch: not found on Docker Hub") == 1
        assert call("--db", db, "-q", "crawl", "--repo", "acme/nosuch", "--hub-url", url) == (0, "", "")


def test_a_repository_that_is_not_there_is_an_answer(db: str, call: Call) -> None:
    """A warning, whatever it is named beside; the crawl is whole."""
    with hub_of(numbered(2)).running() as url:
        for line in (("--repo", "acme/nosuch", "--repo", numbered(2)[0]), ("--repo", "acme/nosuch", "app")):
            outcome = call("--db", db, "crawl", *line, "--hub-url", url)
            assert outcome.code == 0, outcome
            assert outcome.err.count("acme/nosuch: not found on Docker Hub") == 1
            assert "1 not found" in outcome.out


def test_a_crawl_that_is_refused_says_that_it_stopped_early(db: str, call: Call) -> None:
    """Too many requests, or a page for browsers."""
    hub = hub_of(numbered(60))
    for fault in (too_many(), challenge()):
        hub.faults.clear()
        hub.disturb("/tags", fault, after=5)
        with hub.running() as url:
            outcome = call("--db", db, "-q", "crawl", "app", "--hub-url", url)
        assert outcome.code == 4
        assert outcome.complaint.startswith("crawl stopped early: ")


@pytest.mark.parametrize(
    "arguments", [("app",), ("app", "tool", "--namespace", "acme"), ("--repo", "mongo", "-q")]
)
def test_a_hub_that_cannot_be_reached_exits_1(db: str, call: Call, arguments: Sequence[str]) -> None:
    """One line, and no summary of nothing."""
    with FakeHub().running() as url:
        pass
    outcome = call("--db", db, "crawl", *arguments, "--hub-url", url)
    assert outcome.code == 1
    assert "no connection (Connection refused)" in outcome.complaint


def test_a_hub_that_answers_nothing_useful_exits_1(db: str, call: Call) -> None:
    """Every answer is an error."""
    hub = hub_of(numbered(3))
    hub.disturb("", challenge())
    with hub.running() as url:
        outcome = call("--db", db, "crawl", "app", "--hub-url", url)
    assert outcome.code == 1
    assert "challenge page" in outcome.complaint


def test_a_known_repository_that_is_not_found_is_kept(db: str, call: Call) -> None:
    """And the message says so."""
    hub = hub_of(numbered(1))
    with hub.running() as url:
        call("--db", db, "crawl", "--repo", "acme/app-00", "--hub-url", url)
        hub.disturb("app-00", not_found())
        outcome = call("--db", db, "crawl", "--repo", "acme/app-00", "--hub-url", url)
    assert "what the index knows of it stays" in outcome.err
    assert tag_names(Location.parse(db), "acme/app-00") == {"t0"}


def test_an_index_that_goes_away_is_one_line(postgresql_server: str, postgresql_url: str, tmp_path: Path) -> None:
    """Nothing else is written on stderr, by no thread and no logger."""
    hub = hub_of(numbered(60), tag_count=3)

    async def shutting(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await asyncio.to_thread(shut, postgresql_server, postgresql_url)
        return await proceed(request)

    hub.disturb("/tags", shutting, after=20, times=1)
    with hub.running() as url:
        process = start("--db", postgresql_url, "crawl", "app", "--hub-url", url)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("hubindex: the index cannot be read or written: ")
    assert err.count("\n") == 1


# Interruptions


def crawl_until_stuck(hub: FakeHub, db: str, url: str) -> "subprocess.Popen[str]":
    """A crawl of `app` in which twenty walks are over and eight more get no answer."""

    async def stick(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await asyncio.Event().wait()
        return await proceed(request)

    hub.disturb("/tags", stick, after=20)
    process = start("--db", db, "crawl", "app", "--hub-url", url)
    deadline = time.monotonic() + PATIENCE
    while len(hub.requests) < 29 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    assert len(hub.requests) == 29
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_crawl_keeps_what_is_complete(location: Location, number: signal.Signals) -> None:
    """Exit code 130, the summary, one line; a sound index; and the same command again fetches the rest."""
    hub = hub_of(numbered(40), tag_count=2)
    with hub.running() as url:
        process = crawl_until_stuck(hub, location.target, url)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert err.count("\n") == 1
        assert err.startswith("hubindex: interrupted: what is complete is stored; ")
        assert counted(out)[0] == "40"
        walked = rows(location, "SELECT count(*) FROM repository WHERE walked_at IS NOT NULL")
        assert walked == [(20,)]
        assert rows(location, "SELECT count(*) FROM tag") == [(40,)]
        assert problems(location) == []
        hub.faults.clear()
        again = start("--db", location.target, "crawl", "app", "--hub-url", url)
        out, err = again.communicate(timeout=PATIENCE)
    assert (again.returncode, err) == (
        0,
        "hubindex: going on with an earlier crawl of the same: 20 repositories left\n",
    )
    assert counted(out)[3:5] == ["40", "40"]


def test_an_interruption_while_the_index_is_locked_ends_nonetheless(tmp_path: Path, sqlite_template: Path) -> None:
    """A second Ctrl-C, for those who do not want to wait, leaves a sound index too."""
    db = str(shutil.copy(sqlite_template, tmp_path / "index.db"))
    hub = hub_of(numbered(40), tag_count=2)
    with hub.running() as url:
        process = crawl_until_stuck(hub, db, url)
        locker = sqlite3.connect(db, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        locker.execute("ROLLBACK")
        locker.close()
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert problems(Location.parse(db)) == []


def test_two_crawls_at_the_same_time_fill_one_index(location: Location) -> None:
    """Two processes, one SQLite file or one database: both finish, and everything is there once."""
    hub = hub_of(numbered(40), tag_count=30)
    with hub.running() as url:
        processes = [start("--db", location.target, "crawl", term, "--hub-url", url) for term in ("app", "acme")]
        outcomes = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outcomes
    assert [err for _, err in outcomes] == ["", ""]
    assert sum(int(counted(out)[1]) for out, _ in outcomes) == 40
    assert rows(location, "SELECT count(*) FROM tag") == [(1200,)]
    assert problems(location) == []


def test_two_crawls_may_create_one_index(tmp_path: Path) -> None:
    """The first use of both at once."""
    db = str(tmp_path / "folder" / "index.db")
    with hub_of(numbered(10)).running() as url:
        processes = [start("--db", db, "crawl", term, "--hub-url", url) for term in ("app", "acme")]
        outcomes = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outcomes
    assert problems(Location.parse(db)) == []


def test_questions_are_answered_while_a_crawl_writes(location: Location, call: Call) -> None:
    """What is committed is visible, and nobody waits for anybody."""
    hub = hub_of(numbered(40), tag_count=2)
    with hub.running() as url:
        process = crawl_until_stuck(hub, location.target, url)
        outcome = call("--db", location.target, "search", "app", "--all", "--format", "{{.Name}}")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert outcome.out.count("\n") == 40
