"""What `docs/operations.md` shows can be used as it stands: files parse, and the program knows the commands."""

import re
import shlex
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from hubindex import __version__
from hubindex.cli import hubindex
from hubindex.index.database.schema import coordinator_tables, distributed_tables

CHECKOUT = Path(__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")

WORKER = ["crawl", "--watch", "--log-format", "json"]


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"(?<=```{language}\n).*?(?=```)", PAGE, re.DOTALL)


def documents() -> list[dict[str, Any]]:
    """All YAML documents of the page."""
    return [document for block in blocks("yaml") for document in yaml.safe_load_all(block)]


def units() -> list[RawConfigParser]:
    """All systemd units of the page."""
    found = []
    for block in blocks("ini"):
        unit = RawConfigParser(strict=True, delimiters=("=",))
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string(block)
        found.append(unit)
    return found


def commands() -> list[str]:
    """Every `hubindex …` that is typed, or started by a unit."""
    typed = re.findall(r"`(?:\S+/)?hubindex ([^`{]+)`", PAGE)
    started = re.findall(r"^ExecStart=\S+/hubindex (.+)$", PAGE, re.MULTILINE)
    return sorted({*typed, *started})


def test_the_compose_file_runs_ten_workers() -> None:
    """Ten replicas of a worker that waits for a healthy database."""
    services = documents()[0]["services"]
    assert services["worker"]["command"] == WORKER
    assert services["worker"]["deploy"] == {"replicas": 10}
    assert set(services["worker"]["depends_on"]) <= set(services)


def test_the_kubernetes_manifest_has_a_secret_and_ten_workers() -> None:
    """The Deployment takes its environment from the Secret beside it, and its labels fit each other."""
    secret, deployment = documents()[1:]
    spec = deployment["spec"]
    worker = spec["template"]["spec"]["containers"][0]
    assert (secret["kind"], deployment["kind"], spec["replicas"]) == ("Secret", "Deployment", 10)
    assert worker["args"] == WORKER
    assert worker["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


def test_the_units_say_what_they_start_and_when() -> None:
    """A service that a timer starts, and a template of workers."""
    service, timer, worker = units()
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"] == "hourly"
    assert worker["Service"]["ExecStart"].split()[1:] == WORKER


@pytest.mark.parametrize("line", commands())
def test_the_program_knows_each_command(line: str) -> None:
    """Commands and options of the page exist."""
    command: click.Command = hubindex
    context = click.Context(command, **command.context_settings)
    words = shlex.split(line)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    command.make_parser(context).parse_args(words)


def test_all_examples_use_the_image_that_is_built() -> None:
    """By the tag of `docker build`, which is that of this version."""
    built = re.findall(r"docker build -t (\S+)", PAGE)
    compose, _, deployment = documents()
    used = [compose["services"]["worker"]["image"]]
    used += [container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]]
    used += re.findall(r"docker run .*?(hubindex:\d\S*)", PAGE)
    assert built == [f"hubindex:{__version__}"]
    assert set(used) == set(built)


def test_the_whole_hub_takes_what_a_tag_takes() -> None:
    """The bytes a tag that were measured are told once, and the size of the whole Hub follows from them."""
    measured = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    lite = re.search(r"takes (\d+) bytes of a SQLite file", measured)
    postgresql = re.search(r"on PostgreSQL (\d+)\.", measured)
    whole = re.search(
        r"(\d+) GB in PostgreSQL, (\d+) GB in SQLite: 300 million times the (\d+) and (\d+) bytes", PAGE
    )
    assert lite
    assert postgresql
    assert whole
    assert whole.groups()[2:] == (postgresql[1], lite[1])
    assert int(whole[1]) == pytest.approx(300e6 * int(postgresql[1]) / 1e9, rel=0.01)
    assert int(whole[2]) == pytest.approx(300e6 * int(lite[1]) / 1e9, rel=0.01)


def test_the_page_names_every_table_once() -> None:
    """Each table of the index stands in one row of where it is in a cluster."""
    section = PAGE.partition("## More than one database machine")[2]
    first, *others = [
        set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in section.splitlines() if row.startswith("| `")
    ]
    assert first - {"repository_id"} == {table.name for table in distributed_tables()}
    assert set.union(*others) == {table.name for table in coordinator_tables()}
