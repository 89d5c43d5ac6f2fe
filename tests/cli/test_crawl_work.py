"""`hubindex crawl`: work that is planned, bounded, watched and shared, and what `status` says of it."""

import asyncio
import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from hubindex.cli.output.progress import Display
from hubindex.crawl.plan import Plan, Progress
from hubindex.index.database.location import Location
from hubindex.moment import to_rfc3339
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.cli.conftest import Call
from tests.cli.running import start
from tests.crawl.crawling import START, at, crawl, hub_of, names, numbered, tag_names
from tests.crawl.processes import wait_until
from tests.fakehub import FakeHub, Proceed
from tests.fakehub.weather import challenge, server_error
from tests.index.building import problems, rows

PATIENCE = 30
"""Seconds to wait for something that has to happen soon."""

SECRET = "dckr_pat_of-nobody"


@pytest.fixture
def db(tmp_path: Path) -> str:
    """Where an index could be."""
    return str(tmp_path / "index.db")


@pytest.fixture
def served() -> Iterator[tuple[FakeHub, str]]:
    """A Hub with three repositories that is served, and its URL."""
    hub = hub_of(numbered(3), tag_count=2)
    with hub.running() as url:
        yield hub, url


def stick(hub: FakeHub, after: int) -> None:
    """Answer no more requests for tags than so many."""

    async def sticking(request: web.Request, proceed: Proceed) -> web.StreamResponse:
        await asyncio.Event().wait()
        return await proceed(request)

    hub.disturb("/tags", sticking, after=after)


# Status


def test_status_tells_what_there_is_to_do(location: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due, unfinished, being fetched and failing, and when the first thing is due."""
    hub = hub_of(numbered(3))
    hub.disturb("app-001/tags", server_error())
    crawl(hub, location, Plan(namespaces=["acme"]), at())
    monkeypatch.setenv("HUBINDEX_NOW", to_rfc3339(START + 60_000))
    row = json.loads(call("--db", location.target, "status", "--format", "json").out)
    assert (row["Due"], row["Unfinished"], row["Fetching"], row["Failing"]) == (0, 1, 0, 1)
    assert row["Failures"] == {"unreachable": 1}
    assert row["FirstDue"] == to_rfc3339(START + 15 * 60_000)
    out = call("--db", location.target, "status").out
    assert "nothing, the first in 14 minutes" in out
    assert "1: 'hubindex crawl' goes on with them" in out
    assert "1 unreachable" in out


def test_status_counts_what_is_due(location: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repositories, and searches and lists."""
    crawl(hub_of(numbered(3)), location, Plan(namespaces=["acme"]), at())
    monkeypatch.setenv("HUBINDEX_NOW", to_rfc3339(START + 28 * 24 * 3_600_000))
    row = json.loads(call("--db", location.target, "status", "--format", "json").out)
    assert (row["Due"], row["Unfinished"], row["Failing"], row["Failures"]) == (4, 0, 0, {})
    assert "3 repositories, 1 searches and lists" in call("--db", location.target, "status").out


def test_show_and_status_tell_of_tags_beyond_the_cap(location: Location, call: Call) -> None:
    """The names are there; of some digests nobody asked."""
    hub = hub_of(["acme/app"], tag_count=30)
    hub.forced_page_size, hub.offset_caps["tags"] = 10, 20
    with hub.running() as url:
        arguments = ("crawl", "--repo", "acme/app", "--heads", "4", "--hub-url", url, "--registry-url", url)
        assert call("--db", location.target, *arguments).code == 0
    row = json.loads(call("--db", location.target, "show", "acme/app", "--format", "json").out)
    assert row["TagCount"] == 30
    assert row["Problem"] == "the digests of 6 of 30 tags were not asked for"
    assert json.loads(call("--db", location.target, "status", "--format", "json").out)["Incomplete"] == 1


def test_without_heads_the_registry_is_asked_for_names_alone(db: str, call: Call) -> None:
    """`--no-head`."""
    hub = hub_of(["acme/app"], tag_count=30)
    hub.forced_page_size, hub.offset_caps["tags"] = 10, 20
    with hub.running() as url:
        arguments = ("crawl", "--repo", "acme/app", "--no-head", "--hub-url", url, "--registry-url", url)
        assert call("--db", db, *arguments).code == 0
    assert len(tag_names(Location.parse(db), "acme/app")) == 30
    assert not any(arrival.method == "HEAD" for arrival in hub.requests)


# Estimates


def test_a_dry_run_asks_nobody(db: str, call: Call, served: tuple[FakeHub, str]) -> None:
    """And makes no index."""
    hub, url = served
    outcome = call("--db", db, "crawl", "app", "--dry-run", "--hub-url", url)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1].split() == ["≥", "1", "in", "all"]
    assert hub.requests == []
    assert not Path(db).exists()


def test_a_dry_run_knows_what_the_index_knows(location: Location, call: Call, served: tuple[FakeHub, str]) -> None:
    """As many requests as the crawl then takes, if nothing changed."""
    hub, url = served
    call("--db", location.target, "crawl", "--namespace", "acme", "--hub-url", url)
    hub.requests.clear()
    for plan, expected in ((("--namespace", "acme"), 4), (("--repo", "acme/app-001"), 2)):
        out = call("--db", location.target, "crawl", *plan, "--dry-run", "--hub-url", url).out
        assert out.splitlines()[-1].split() == [str(expected), "in", "all"]
        assert hub.requests == []
        call("--db", location.target, "crawl", *plan, "--hub-url", url)
        assert len(hub.requests) == expected
        hub.requests.clear()


def test_a_dry_run_of_what_is_due(location: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing named."""
    crawl(hub_of(numbered(3)), location, Plan(namespaces=["acme"]), at())
    monkeypatch.setenv("HUBINDEX_NOW", to_rfc3339(START + 28 * 24 * 3_600_000))
    out = call("--db", location.target, "crawl", "--dry-run").out
    assert out.splitlines()[-1].split() == ["4", "in", "all"]


def test_a_dry_run_tells_how_long_a_large_crawl_takes(db: str, call: Call) -> None:
    """For those who do not sign in."""
    out = call("--db", db, "crawl", "app", "--limit", "162000", "--dry-run").out
    assert out.splitlines()[-1] == "About 9 minutes without signing in, at 180 requests a minute."


# Planning


def test_what_is_enqueued_is_fetched_later(location: Location, call: Call, served: tuple[FakeHub, str]) -> None:
    """`--enqueue` asks nobody; `hubindex crawl` does it, and says that it was left."""
    hub, url = served
    outcome = call(
        "--db", location.target, "crawl", "app", "--repo", "acme/app-001", "--enqueue", "--hub-url", url
    )
    assert outcome == (0, "", "2 to do: 'hubindex crawl' or 'hubindex crawl --watch' does it\n")
    assert hub.requests == []
    outcome = call("--db", location.target, "crawl", "--hub-url", url)
    assert outcome.code == 0
    assert outcome.err == "hubindex: earlier crawls left 2 searches or lists unfinished: going on with them\n"
    assert names(location) == numbered(3)


@pytest.mark.parametrize("arguments", [("--enqueue",), ("--watch", "app"), ("--watch", "--repo", "mongo"), ()])
def test_plans_that_make_no_sense_are_refused(db: str, call: Call, arguments: tuple[str, ...]) -> None:
    """Nothing to enqueue, something named to watch, nothing at all: in one line."""
    outcome = call("--db", db, "crawl", *arguments)
    assert outcome.code == 2
    assert outcome.complaint


def test_a_budget_is_never_exceeded_and_loses_nothing(location: Location, call: Call) -> None:
    """Exit code 4; the next crawls go on, and in the end all is there."""
    hub = hub_of(numbered(9), tag_count=2)
    arguments = ("--db", location.target, "crawl", "--budget", "4", "--hub-url")
    with hub.running() as url:
        outcome = call(*arguments, url, "app")
        assert outcome.code == 4
        assert "the budget of requests is spent" in outcome.err.splitlines()[-1]
        assert len(hub.requests) == 4
        assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]
        assert [call(*arguments, url).code for _ in range(2)] == [4, 0]
        assert len(hub.requests) == 10
    assert all(tag_names(location, name) == {"t0", "t1"} for name in numbered(9))
    assert rows(location, "SELECT count(*) FROM job WHERE tries > 0 OR asked_by IS NOT NULL") == [(0,)]


# Sight


def test_each_request_is_a_line_if_wanted(db: str, call: Call, served: tuple[FakeHub, str]) -> None:
    """`-v`: method, place, status."""
    hub, url = served
    outcome = call("--db", db, "-v", "crawl", "app", "--hub-url", url)
    lines = outcome.err.splitlines()
    assert len(lines) == len(hub.requests) == 4
    assert all(line.startswith(f"hubindex: GET {url.removeprefix('http://')}/v2/") for line in lines)
    assert all(": 200, " in line for line in lines)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_has_a_secret(
    db: str, call: Call, served: tuple[FakeHub, str], monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    """Neither the user's token nor the one that the Hub gave for it."""
    hub, url = served
    hub.users["nobody"] = SECRET
    monkeypatch.setenv("HUBINDEX_HUB_USER", "nobody")
    monkeypatch.setenv("HUBINDEX_HUB_TOKEN", SECRET)
    outcome = call("--db", db, "-v", "crawl", "app", "--log-format", log_format, "--hub-url", url)
    assert outcome.code == 0
    assert "/v2/auth/token" in outcome.err
    given = {arrival.headers["Authorization"].partition(" ")[2] for arrival in hub.requests[1:]}
    assert not any(secret in outcome.err + outcome.out for secret in (SECRET, *given))


def test_every_line_of_a_json_log_is_json(db: str, call: Call, served: tuple[FakeHub, str]) -> None:
    """Requests with their facts, and warnings."""
    _, url = served
    arguments = ("crawl", "app", "--namespace", "nosuch", "--log-format", "json", "--hub-url", url)
    outcome = call("--db", db, "-v", *arguments)
    lines = [json.loads(line) for line in outcome.err.splitlines()]
    assert {line["level"] for line in lines} == {"info", "warning"}
    assert all(line["time"].endswith("Z") and line["message"] for line in lines)
    requests = [line for line in lines if "method" in line]
    assert {(line["method"], line["status"]) for line in requests} == {("GET", 200)}
    assert "nosuch: Docker Hub shows no repositories of it" in {line["message"] for line in lines}


@pytest.mark.parametrize(
    ("pattern", "level", "code"),
    [("app-001/tags", "warning", 4), ("", "error", 1)],
    ids=["something", "everything"],
)
def test_a_crawl_that_fails_ends_with_json_too(
    db: str, call: Call, served: tuple[FakeHub, str], pattern: str, level: str, code: int
) -> None:
    """What reads the log understands the last line as well."""
    hub, url = served
    hub.disturb(pattern, server_error())
    outcome = call("--db", db, "crawl", "app", "--tries", "1", "--log-format", "json", "--hub-url", url)
    lines = [json.loads(line) for line in outcome.err.splitlines()]
    assert outcome.code == code
    assert lines[0]["level"] == level
    assert lines[-1]["level"] == "error"
    assert "the server failed" in lines[-1]["message"]


def test_an_interrupted_crawl_ends_with_json_too(db: str) -> None:
    """Exit code 130, as ever."""
    hub = hub_of(numbered(3))
    stick(hub, after=0)
    with hub.running() as url:
        process = start("--db", db, "crawl", "app", "--log-format", "json", "--hub-url", url)
        wait_until(lambda: len(hub.requests) == 4, process=process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    [line] = map(json.loads, err.splitlines())
    assert (process.returncode, line["level"]) == (130, "error")
    assert line["message"].startswith("interrupted: ")


def test_the_progress_tells_what_the_hub_allows(served: tuple[FakeHub, str]) -> None:
    """Requests of this minute that are left, as the Hub said last."""
    hub, url = served
    hub.rate_limit = 180

    async def line() -> str:
        async with HttpClient() as http:
            await DockerHub(http, url).search_page("app", 1)
            with Display(quiet=True) as display:
                display.show(Progress(), http, url)
                assert http.allowance(URL(url)) is not None
                return display.line()

    assert "179 of 180 requests a minute left" in asyncio.run(line())


def test_the_progress_tells_how_long_it_may_take() -> None:
    """By the pace so far, once there is one."""
    with Display(quiet=True) as display:
        display.show(Progress(found=1000, done=500), HttpClient(), "http://localhost")
        assert display.line().endswith("to go")
    with Display(quiet=True) as display:
        display.show(Progress(found=1000, done=9), HttpClient(), "http://localhost")
        assert "to go" not in display.line()


# Signing in


def authorized(hub: FakeHub) -> list[bool]:
    """For each request whether it was signed."""
    return ["Authorization" in arrival.headers for arrival in hub.requests]


def test_who_signs_in_is_shown_all(
    db: str, call: Call, served: tuple[FakeHub, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the environment's user and token; what is capped for others is not for him."""
    hub, url = served
    hub.users["nobody"] = SECRET
    hub.offset_caps["tags"] = 0
    monkeypatch.setenv("HUBINDEX_HUB_USER", "nobody")
    monkeypatch.setenv("HUBINDEX_HUB_TOKEN", SECRET)
    assert call("--db", db, "crawl", "app", "--hub-url", url).code == 0
    assert authorized(hub) == [False, True, True, True, True]
    assert tag_names(Location.parse(db), "acme/app-001") == {"t0", "t1"}


def test_who_wants_to_stay_anonymous_does(
    db: str, call: Call, served: tuple[FakeHub, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--anonymous`, whatever is at hand."""
    hub, url = served
    monkeypatch.setenv("HUBINDEX_HUB_USER", "nobody")
    monkeypatch.setenv("HUBINDEX_HUB_TOKEN", SECRET)
    assert call("--db", db, "crawl", "app", "--anonymous", "--hub-url", url).code == 0
    assert not any(authorized(hub))


def test_a_sign_in_that_is_refused_ends_the_crawl(
    db: str, call: Call, served: tuple[FakeHub, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line without the secret, after one request: another one could lock the user out."""
    hub, url = served
    monkeypatch.setenv("HUBINDEX_HUB_USER", "nobody")
    monkeypatch.setenv("HUBINDEX_HUB_TOKEN", SECRET)
    outcome = call("--db", db, "crawl", "app", "--hub-url", url)
    assert outcome.code == 1
    assert "HUBINDEX_HUB_USER" in outcome.complaint
    assert SECRET not in outcome.err
    assert len(hub.requests) == 1


def test_half_a_sign_in_is_wrong_usage(db: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a token."""
    monkeypatch.setenv("HUBINDEX_HUB_USER", "nobody")
    outcome = call("--db", db, "crawl", "app", "--hub-url", "http://localhost:1")
    assert outcome.code == 2
    assert "HUBINDEX_HUB_TOKEN is not" in outcome.complaint


def test_a_docker_login_that_is_refused_is_left(
    db: str, call: Call, served: tuple[FakeHub, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A warning, and the crawl goes on without: nobody asked for it by name."""
    hub, url = served
    pair = base64.b64encode(f"nobody:{SECRET}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {url.removeprefix("http://"): {"auth": pair}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    outcome = call("--db", db, "crawl", "app", "--hub-url", url)
    assert outcome.code == 0
    assert outcome.err.count("\n") == 1
    assert "going on without signing in" in outcome.err
    assert SECRET not in outcome.err
    assert pair not in outcome.err
    assert names(Location.parse(db)) == numbered(3)
    assert [arrival.method for arrival in hub.requests] == ["POST", "GET", "GET", "GET", "GET"]


# Processes


def test_a_watching_crawl_does_what_is_enqueued_and_ends_on_sigterm(location: Location, call: Call) -> None:
    """With exit code 0: that is how it is meant to end. What it was at is given back."""
    hub = hub_of(numbered(12), tag_count=2)
    stick(hub, after=5)
    with hub.running() as url:
        call("--db", location.target, "crawl", "app", "--enqueue")
        process = start("--db", location.target, "crawl", "--watch", "--concurrency", "3", "--hub-url", url)
        wait_until(lambda: len(hub.requests) == 9, process=process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "12" in out
    assert rows(location, "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]
    assert rows(location, "SELECT count(*) FROM repository WHERE walked_at IS NOT NULL") == [(5,)]
    assert problems(location) == []


def test_a_watching_crawl_outlives_a_hub_that_refuses_it(db: str, call: Call) -> None:
    """It says when it goes on, asks nothing until then, and can be ended."""
    hub = hub_of(numbered(3))
    hub.disturb("", challenge())
    with hub.running() as url:
        call("--db", db, "crawl", "app", "--enqueue")
        process = start("--db", db, "crawl", "--watch", "--hub-url", url)
        assert process.stderr is not None
        said = ""
        while "going on in" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        asked = len(hub.requests)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert said.endswith("hubindex: going on in 15 minutes\n")
    assert len(hub.requests) == asked
    assert rows(Location.parse(db), "SELECT count(*) FROM job WHERE leased_by IS NOT NULL") == [(0,)]


def test_a_killed_crawl_is_gone_on_with_at_once(location: Location) -> None:
    """Its leases are not waited for, and what was stored is not fetched again."""
    hub = hub_of(numbered(12), tag_count=2)
    stick(hub, after=5)
    with hub.running() as url:
        process = start("--db", location.target, "crawl", "app", "--concurrency", "3", "--hub-url", url)
        wait_until(lambda: len(hub.requests) == 9, process=process)
        wait_until(lambda: rows(location, "SELECT count(*) FROM tag") == [(10,)], process=process)
        process.kill()
        process.communicate(timeout=PATIENCE)
        hub.faults.clear()
        hub.requests.clear()
        again = start("--db", location.target, "crawl", "app", "--hub-url", url)
        _, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    assert err == "hubindex: going on with an earlier crawl of the same: 7 repositories left\n"
    assert len(hub.requests) == 7
    assert all(tag_names(location, name) == {"t0", "t1"} for name in numbered(12))
    assert problems(location) == []


def test_two_processes_share_what_is_due(location: Location) -> None:
    """No repository is fetched twice, and all are fetched."""
    hub = hub_of(numbered(40))
    crawl(hub, location, Plan(namespaces=["acme"], tags=False), at())
    crawl(hub, location, Plan(repositories=numbered(40)), at())
    hub.requests.clear()
    later = {"HUBINDEX_NOW": to_rfc3339(START + 6 * 24 * 3_600_000)}
    with hub.running() as url:
        arguments = ("--db", location.target, "crawl", "--max-age", "1d", "--concurrency", "2", "--hub-url", url)
        processes = [start(*arguments, env=later) for _ in range(2)]
        outcomes = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outcomes
    visits = [path for path in hub.paths() if "/tags" in path]
    assert len(visits) == len(set(visits)) == 40
    assert problems(location) == []
