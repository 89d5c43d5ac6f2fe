"""`hubindex show`: one repository."""

import json

import pytest

from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from tests.cli.conftest import Call
from tests.crawl.crawling import crawl, hub_of
from tests.fakehub import sample_hub
from tests.fakehub.weather import not_found, server_error


def test_people_read_a_listing(sample: str, call: Call) -> None:
    """What it is, how many like it, and what `latest` is."""
    outcome = call("--db", sample, "show", "mongo")
    lines = dict(line.split(":", 1) for line in outcome.out.splitlines())
    shown = {label: value.strip() for label, value in lines.items()}
    assert shown["Name"] == "mongo"
    assert shown["Kind"] == "official image"
    assert (shown["Stars"], shown["Pulls"], shown["Tags"]) == ("10,412", "4,700,000,000", "8")
    assert shown["Registered"].startswith("2014-06-05T19:14:45Z, ")
    assert shown["Newest tag"].startswith("8.0.0-rc20 (2024-08-20T17:00:00Z, ")
    assert shown["Latest"].startswith("latest = 7 = 7.0 = 7.0.12, sha256:")
    assert shown["Platforms"].startswith("linux/amd64, linux/arm64/v8, windows/amd64:10.0.17763.6659")
    assert outcome.err == ""


def test_the_digest_is_short_unless_asked_for_whole(sample_sqlite: str, call: Call) -> None:
    """`--no-trunc`."""
    short = call("--db", sample_sqlite, "show", "mongo").out
    whole = call("--db", sample_sqlite, "show", "mongo", "--no-trunc").out
    digest = json.loads(call("--db", sample_sqlite, "show", "mongo", "--format", "json").out)["Latest"]
    assert digest in whole
    assert digest not in short
    assert digest[:19] in short


def test_json_has_real_types(sample: str, call: Call) -> None:
    """Numbers, booleans, lists and nulls."""
    row = json.loads(call("--db", sample, "show", "library/mongo", "--format", "json").out)
    assert (row["Name"], row["StarCount"], row["IsOfficial"], row["TagCount"]) == ("mongo", 10412, True, 8)
    assert row["LatestAliases"] == ["7", "7.0", "7.0.12"]
    assert (row["Problem"], row["MissingSince"]) == (None, None)


def test_a_template_is_filled_in(sample: str, call: Call) -> None:
    """With docker-style names."""
    out = call("--db", sample, "show", "mongo", "--format", "{{.Name}} {{.TagCount}} {{.IsOfficial}}").out
    assert out == "mongo 8 true\n"


def test_a_table_template_has_a_header(sample_sqlite: str, call: Call) -> None:
    """As everywhere."""
    out = call("--db", sample_sqlite, "show", "mongo", "--format", r"table {{.Name}}\t{{.TagCount}}").out
    assert out == "NAME      TAGS\nmongo     8\n"


@pytest.mark.parametrize("name", ["mongo", "library/mongo", "docker.io/mongo", "index.docker.io/library/mongo"])
def test_a_repository_may_be_named_as_in_docker(sample_sqlite: str, call: Call, name: str) -> None:
    """All forms of a reference that mean it."""
    assert call("--db", sample_sqlite, "show", name, "--format", "{{.Name}}").out == "mongo\n"


def test_hostile_text_is_neutralised(sample: str, call: Call) -> None:
    """A description cannot act on a terminal."""
    for template in ("table", "json", "{{.Description}}"):
        out = call("--db", sample, "show", "mallory/thrift-xss", "--format", template).out
        assert not any(character in out for character in "\x1b\x07\u202e")


def test_an_unknown_repository_has_no_answer(sample: str, call: Call) -> None:
    """And says how to get it."""
    outcome = call("--db", sample, "show", "acme/nosuch")
    assert outcome.code == 3
    assert outcome.complaint == (
        "acme/nosuch is not in the index: fetch it with 'hubindex crawl --repo acme/nosuch'"
    )


def test_an_empty_index_has_no_answer(empty: str, call: Call) -> None:
    """And says how to fill it."""
    outcome = call("--db", empty, "show", "mongo")
    assert outcome.code == 3
    assert "hubindex crawl" in outcome.complaint


def test_a_repository_without_crawled_tags_says_so(location: Location, call: Call) -> None:
    """Zero tags and unknown tags are different things."""
    crawl(hub_of(["acme/app"]), location, Plan(repositories=["acme/app"], tags=False))
    assert "not crawled: hubindex crawl --repo acme/app" in call("--db", location.target, "show", "acme/app").out
    assert (
        json.loads(call("--db", location.target, "show", "acme/app", "--format", "json").out)["TagCount"] is None
    )


def test_a_repository_without_tags_has_none(sample: str, call: Call) -> None:
    """Nothing was ever pushed."""
    row = json.loads(call("--db", sample, "show", "acme/never-pushed", "--format", "json").out)
    assert (row["TagCount"], row["NewestTag"], row["Latest"]) == (0, None, None)


def test_an_incomplete_walk_is_told(location: Location, call: Call) -> None:
    """With its reason."""
    hub = hub_of(["acme/app"], tag_count=150)
    hub.disturb("/tags.*page=2", server_error())
    crawl(hub, location, Plan(repositories=["acme/app"]))
    assert "Last walk:    incomplete: page 2: " in call("--db", location.target, "show", "acme/app").out


def test_a_missing_repository_is_told(location: Location, call: Call) -> None:
    """Since when the source answers 404."""
    hub = sample_hub()
    crawl(hub, location, Plan(repositories=["acme/web"]))
    hub.disturb("repositories/web$", not_found())
    crawl(hub, location, Plan(repositories=["acme/web"]))
    assert "Missing since:" in call("--db", location.target, "show", "acme/web").out


@pytest.mark.parametrize(
    "name",
    [
        "https://hub.docker.com/_/mongo",
        "https://hub.docker.com/r/library/mongo/tags?page=2",
        f"https://hub.docker.com/layers/library/mongo/7/images/sha256-{'ab' * 32}",
        "docker://mongo",
        "registry-1.docker.io/library/mongo",
    ],
)
def test_a_pasted_name_is_understood(story: str, call: Call, name: str) -> None:
    """Wherever a repository or a reference is asked for."""
    for command in (("show", name), ("tags", name), ("history", name), ("diff", name, "2024-02-05", "2024-03-05")):
        assert call("--db", story, *command).code == 0, command
    assert call("--db", story, "resolve", name).out.startswith("mongo@sha256:")
    with Index.open(story) as index:
        assert index.repository(name).reference.repository == "library/mongo"
        assert index.resolve(name).reference.familiar_name == "mongo"
