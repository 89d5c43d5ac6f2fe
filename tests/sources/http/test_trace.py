"""The log of requests: what happened, and nothing that is a secret."""

import asyncio
import contextlib
import json
import logging

import pytest
from yarl import URL

from hubindex.errors import SourceError
from hubindex.sources.http.failures import Response
from tests.sources.clock import Clock, ClockedClient
from tests.sources.wire import reply, wire

SECRET = "dckr_pat_secret"


class Badge:
    """A signer with a secret."""

    account = "hushhush"

    async def headers(self) -> dict[str, str]:
        """The secret."""
        return {"Authorization": f"Bearer {SECRET}"}

    async def refused(self, answer: Response) -> bool:
        """Nothing can be renewed."""
        return False


def log(caplog: pytest.LogCaptureFixture, *answers: bytes, path: str = "/v2/x", level: int = logging.INFO) -> str:
    """The lines that are written while an answer is asked for, with a secret in every place."""
    caplog.set_level(level, "hubindex.http")

    async def asking() -> None:
        async with wire(*answers) as served, ClockedClient(Clock()) as http:
            await http.get(
                served.url.join(URL(path)),
                lambda answer: answer.body,
                method="POST",
                headers={"X-Key": SECRET},
                json={"secret": SECRET},
                signer=Badge(),
            )

    with contextlib.suppress(SourceError):
        asyncio.run(asking())
    return "\n".join(record.getMessage() for record in caplog.records if record.name == "hubindex.http")


def facts(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """The facts of each record, which can be written as JSON."""
    found = [record.__dict__["request"] for record in caplog.records if record.name == "hubindex.http"]
    assert json.loads(json.dumps(found)) == found
    return found


def test_each_attempt_is_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """A line and a dict: what was asked, what came of it, and how long it took."""
    lines = log(caplog, reply("{}", "503 No"), reply("{}"), path="/v2/x?page=2&page_size=100").splitlines()
    assert [line.partition("/v2")[2].partition(", 2 bytes")[0] for line in lines] == [
        "/x?page=2&page_size=100: 503 Unreachable",
        "/x?page=2&page_size=100: 200",
    ]
    first, second = facts(caplog)
    assert first["host"] == second["host"]
    assert str(first.pop("host")).startswith("127.0.0.1:")
    assert first == {
        "method": "POST",
        "path": "/v2/x",
        "query": "page=2&page_size=100",
        "status": 503,
        "error": "Unreachable",
        "bytes": 2,
        "seconds": 0,
        "attempt": 1,
        "waited": 0,
    }
    assert (second["status"], second["error"], second["attempt"]) == (200, None, 2)


def test_an_attempt_without_an_answer_has_no_status(caplog: pytest.LogCaptureFixture) -> None:
    """Only the kind of the error is known."""
    assert ": Unreachable, 0.000 s" in log(caplog, b"")
    assert {(each["status"], each["bytes"], each["error"]) for each in facts(caplog)} == {
        (None, None, "Unreachable")
    }


def test_pauses_are_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """How long nothing is sent, and why; the next attempt tells how long it waited."""
    lines = log(caplog, reply("", "429 Too Many", Retry_After="60"), reply("{}"))
    _, pause, attempt = facts(caplog)
    assert pause["reason"] == "too many requests"
    assert isinstance(pause["pause"], float)
    assert 60 <= pause["pause"] <= 66
    assert attempt["waited"] == pause["pause"]
    assert f"nothing is sent for {pause['pause']:.1f} s: too many requests" in lines
    assert f"attempt 2, waited {pause['pause']:.1f} s" in lines


def test_nothing_secret_is_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """No headers, no bodies, no account, and of a query only what is known to be harmless."""
    path = f"/v2/x?token={SECRET}&page=1&secret={SECRET}&service=hushhush"
    answers = [reply(f'{{"message":"{SECRET}"}}', "500 Error", X_Token=SECRET), reply(f'"{SECRET}"')]
    lines = log(caplog, *answers, path=path) + json.dumps(facts(caplog))
    assert "page=1" in lines
    assert SECRET not in lines
    assert "hushhush" not in lines


def test_what_is_written_is_one_line_of_printable_text(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a name that is searched for nor an address can write on the terminal."""
    lines = log(caplog, reply("{}"), path="/v2/%1B%5B31m?query=%1B%5B31m%0Ared" + "x" * 500)
    assert lines.isprintable()
    assert len(lines) < 400


def test_nothing_is_written_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """At the usual level there are no records."""
    assert log(caplog, reply("{}"), level=logging.WARNING) == ""
