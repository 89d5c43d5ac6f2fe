"""`hubindex tags`: the tags of a repository."""

import json
from collections.abc import Sequence

import pytest

from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from tests.cli.conftest import Call
from tests.crawl.crawling import crawl, hub_of
from tests.fakehub.weather import server_error

MONGO = ["8.0.0-rc20", "7", "7.0", "7.0.12", "latest", "6", "6.0", "6.0.16"]


def names(call: Call, db: str, *options: str) -> list[str]:
    outcome = call("--db", db, "tags", *options, "--format", "{{.Name}}")
    assert outcome.code == 0, outcome.err
    return outcome.out.splitlines()


def test_people_read_a_table(sample: str, call: Call) -> None:
    """Newest push first, with short digests, sizes, ages, some platforms, and the names of the same image."""
    outcome = call("--db", sample, "tags", "mongo")
    header, first, second, *_ = outcome.out.splitlines()
    assert header.split() == ["TAG", "DIGEST", "SIZE", "PUSHED", "PLATFORMS"]
    assert first.startswith("8.0.0-rc20                  sha256:")
    assert "linux/amd64, linux/arm64/v8, windows/amd64:10.0.17763.6659, +1" in first
    assert second.startswith("latest = 7 = 7.0 = 7.0.12   sha256:")
    assert outcome.err == ""


def test_the_newest_push_comes_first(sample: str, call: Call) -> None:
    """Tags of one push by name."""
    assert names(call, sample, "mongo") == MONGO


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", MONGO),
        ("oldest", ["6", "6.0", "6.0.16", "7", "7.0", "7.0.12", "latest", "8.0.0-rc20"]),
        ("name", ["6", "6.0", "6.0.16", "7", "7.0", "7.0.12", "8.0.0-rc20", "latest"]),
        ("size", ["6", "6.0", "6.0.16", "8.0.0-rc20", "7", "7.0", "7.0.12", "latest"]),
    ],
)
def test_every_order_can_be_asked_for(sample: str, call: Call, sort: str, expected: Sequence[str]) -> None:
    """`--sort`."""
    assert names(call, sample, "mongo", "--sort", sort) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("7*", ["7", "7.0", "7.0.12"]),
        ("*.0.*", ["8.0.0-rc20", "7.0.12", "6.0.16"]),
        ("7.?", ["7.0"]),
        ("[67]", ["7", "6"]),
        ("LATEST", []),
        ("latest", ["latest"]),
        ("nosuch*", []),
        ("[", []),
        ("", []),
    ],
)
def test_tags_are_chosen_by_a_glob(sample: str, call: Call, pattern: str, expected: Sequence[str]) -> None:
    """`--match`, against the whole name; case matters, as it does in tags."""
    assert names(call, sample, "mongo", "--match", pattern) == expected


def test_the_limit_applies_after_order_and_choice(sample: str, call: Call) -> None:
    """The first two of what would have been printed."""
    assert names(call, sample, "mongo", "--match", "[67]*", "--sort", "oldest", "--limit", "2") == ["6", "6.0"]


def test_all_tags_are_printed_by_default(sample: str, call: Call) -> None:
    """However many."""
    assert len(names(call, sample, "acme/nightly")) == 366


def test_json_has_real_types(sample: str, call: Call) -> None:
    """Whole digests, bytes, RFC 3339 times, and lists."""
    lines = call("--db", sample, "tags", "mongo", "--format", "json").out.splitlines()
    rows = {row["Name"]: row for row in map(json.loads, lines)}
    seven = rows["7"]
    assert list(seven) == [
        "Name", "Digest", "MediaType", "Platforms", "Size", "PushedAt", "FirstSeen", "LastSeen",
        "Aliases", "Certainty", "Kind",
    ]  # fmt: skip
    assert len(seven["Digest"]) == len("sha256:") + 64
    assert isinstance(seven["Size"], int)
    assert seven["PushedAt"] == "2024-07-31T02:44:09.167Z"
    assert seven["Aliases"] == ["7.0.12", "7.0", "latest"]
    assert len(seven["Platforms"]) == 4
    assert seven["Certainty"] == "confirmed"


def test_what_is_not_known_is_null(sample: str, call: Call) -> None:
    """A tag of 2016 had no digest, and some have no push time."""
    lines = call("--db", sample, "tags", "grafana/grafana", "--format", "json").out.splitlines()
    rows = {row["Name"]: row for row in map(json.loads, lines)}
    assert (rows["from-2016"]["Digest"], rows["from-2016"]["Certainty"]) == (None, "unknown")
    assert rows["no-images-key"]["PushedAt"] is None
    assert rows["no-images-key"]["Platforms"] == []


def test_the_table_is_whole_on_demand(sample_sqlite: str, call: Call) -> None:
    """`--no-trunc` prints whole digests, all platforms, bytes and times."""
    out = call("--db", sample_sqlite, "tags", "mongo", "--no-trunc", "--limit", "1").out
    assert "windows/amd64:10.0.20348.2966" in out
    assert "2024-08-20T17:00:00Z" in out


def test_templates_have_the_whole_values(sample: str, call: Call) -> None:
    """Lists can be counted and joined."""
    template = '{{.Name}} {{.Size}} {{len .Platforms}} {{join .Aliases "+"}}'
    out = call("--db", sample, "tags", "acme/web", "--match", "stable", "--format", template).out
    name, size, platforms, aliases = out.split()
    assert (name, platforms, aliases) == ("stable", "2", "1.4.0+1.4")
    assert int(size) > 1_000_000


def test_a_table_template_has_a_header(sample_sqlite: str, call: Call) -> None:
    """As everywhere."""
    arguments = ("tags", "mongo", "--limit", "1", "--format", r"table {{.Name}}\t{{.Certainty}}")
    assert call("--db", sample_sqlite, *arguments).out == "TAG          CERTAINTY\n8.0.0-rc20   confirmed\n"


def test_an_unknown_repository_has_no_answer(sample: str, call: Call) -> None:
    """And says how to get it."""
    outcome = call("--db", sample, "tags", "nosuch")
    assert outcome.code == 3
    assert outcome.complaint == "nosuch is not in the index: fetch it with 'hubindex crawl --repo nosuch'"


def test_tags_that_were_never_crawled_are_no_answer(location: Location, call: Call) -> None:
    """They are not the same as no tags."""
    crawl(hub_of(["acme/app"]), location, Plan(repositories=["acme/app"], tags=False))
    outcome = call("--db", location.target, "tags", "acme/app")
    assert outcome.code == 3
    assert outcome.complaint == (
        "the tags of acme/app are not in the index: fetch them with 'hubindex crawl --repo acme/app'"
    )


def test_a_repository_without_tags_is_a_header_alone(sample: str, call: Call) -> None:
    """That is the answer."""
    outcome = call("--db", sample, "tags", "acme/never-pushed")
    assert (outcome.code, outcome.out.count("\n")) == (0, 1)
    assert ": it has no tags; its tags were looked at last " in outcome.err


@pytest.fixture
def broken(location: Location) -> str:
    """`--db` for an index in which a walk over 150 tags broke off after the first page."""
    hub = hub_of(["acme/app"], tag_count=150)
    hub.disturb("/tags.*page=2", server_error())
    crawl(hub, location, Plan(repositories=["acme/app"]))
    return location.target


def test_an_incomplete_walk_is_noted_beside_the_answer(broken: str, call: Call) -> None:
    """On stderr: the answer itself is not touched."""
    outcome = call("--db", broken, "tags", "acme/app", "--format", "{{.Name}}")
    assert (outcome.code, outcome.out.count("\n")) == (0, 100)
    assert outcome.err.startswith("hubindex: the last walk over these tags was incomplete: page 2: ")
    assert outcome.err.count("\n") == 1


def test_notes_can_be_silenced(broken: str, call: Call) -> None:
    """`-q`."""
    assert call("--db", broken, "-q", "tags", "acme/app").err == ""
