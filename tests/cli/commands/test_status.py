"""`hubindex status`: what the index holds."""

import json

from hubindex.crawl.plan import Plan
from hubindex.index.database.engine import open_engine
from hubindex.index.database.location import Location
from hubindex.moment import from_rfc3339
from tests.citus import install_stand_in
from tests.cli.conftest import Call
from tests.crawl.crawling import crawl, hub_of
from tests.fakehub import sample_hub
from tests.fakehub.weather import not_found, server_error


def test_people_read_a_listing(sample: str, call: Call) -> None:
    """Counts, and how fresh they are."""
    outcome = call("--db", sample, "status")
    hub = sample_hub()
    tags = sum(len(repository.tags) for repository in hub.repositories.values())
    shown = {label: value.strip() for label, value in (line.split(":", 1) for line in outcome.out.splitlines())}
    assert shown["Repositories"] == str(len(hub.repositories))
    assert shown["Tags"] == str(tags)
    assert shown["Search terms"] == "1"
    assert "Of these" not in shown
    assert outcome.err == ""


def test_json_has_real_numbers(sample: str, call: Call) -> None:
    """And RFC 3339 times."""
    row = json.loads(call("--db", sample, "status", "--format", "json").out)
    assert row["Repositories"] == len(sample_hub().repositories)
    assert (row["WithoutTags"], row["Incomplete"], row["GoneTags"], row["ClosedSpans"]) == (0, 0, 0, 0)
    assert row["Sweeps"] == row["Repositories"]
    oldest, newest = from_rfc3339(row["Oldest"]), from_rfc3339(row["Newest"])
    assert oldest is not None
    assert newest is not None
    assert oldest <= newest
    assert row["Newest"].endswith("Z")


def test_a_template_is_filled_in(sample: str, call: Call) -> None:
    """As everywhere."""
    out = call("--db", sample, "status", "--format", "{{.Repositories}}/{{.Terms}}").out
    assert out == f"{len(sample_hub().repositories)}/1\n"


def test_what_is_unfinished_is_told(location: Location, call: Call) -> None:
    """Repositories without tags, with a broken walk, missing at the source; tags that are gone."""
    hub = hub_of(["acme/bare", "acme/broken", "acme/missing", "acme/whole"], tag_count=150)
    crawl(hub, location, Plan(repositories=["acme/missing", "acme/whole"]))
    crawl(hub, location, Plan(repositories=["acme/bare"], tags=False))
    hub.repositories["acme/whole"].delete("t7")
    hub.disturb("broken/tags.*page=2", server_error())
    hub.disturb("repositories/missing$", not_found())
    crawl(hub, location, Plan(repositories=["acme/broken", "acme/missing", "acme/whole"]))
    row = json.loads(call("--db", location.target, "status", "--format", "json").out)
    assert (row["WithoutTags"], row["Incomplete"], row["Missing"], row["GoneTags"]) == (1, 1, 1, 1)
    out = call("--db", location.target, "status").out
    for words in ("1 without tags", "1 with an incomplete last walk", "1 missing at the source", "and 1 gone"):
        assert words in out


def test_no_password_is_shown(sample_postgresql: str, call: Call) -> None:
    """The index is named without what opens it."""
    db = sample_postgresql.replace("postgres:@", "postgres:s3cret@")
    for template in ("table", "json"):
        outcome = call("--db", db, "status", "--format", template)
        assert outcome.code == 0
        assert "postgresql://postgres@" in outcome.out
        assert "s3cret" not in outcome.out


def test_an_empty_index_has_no_answer(empty: str, call: Call) -> None:
    """And says how to fill it."""
    outcome = call("--db", empty, "status")
    assert outcome.code == 3
    assert "hubindex crawl TERM" in outcome.complaint


def test_whether_an_index_is_distributed_is_told(sample: str, call: Call) -> None:
    """Nothing is: JSON says so, and people are told where it could be."""
    row = json.loads(call("--db", sample, "status", "--format", "json").out)
    assert (row["Distributed"], row["Shards"], row["Nodes"], row["NotDistributed"]) == (False, 0, [], [])
    lines = call("--db", sample, "status").out.splitlines()
    told = [line.split() for line in lines if "istributed" in line]
    assert told == ([["Distributed:", "no"]] if sample.startswith("postgresql") else [])


def test_a_distributed_index_tells_its_shards_and_nodes(postgresql_url: str, call: Call) -> None:
    """And the tables that should be distributed and are not."""
    install_stand_in(postgresql_url)
    location = Location.parse(postgresql_url)
    crawl(hub_of(["acme/whole"]), location, Plan(repositories=["acme/whole"]))
    call("--db", postgresql_url, "db", "distribute", "--shards", "8")
    engine = open_engine(location)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM pg_dist_partition WHERE logicalrelid = 'sweep'::regclass")
    engine.dispose()
    row = json.loads(call("--db", postgresql_url, "status", "--format", "json").out)
    assert (row["Distributed"], row["Shards"], row["NotDistributed"]) == (True, 8, ["sweep"])
    assert row["Nodes"] == ["worker-1:5432", "worker-2:5432"]
    out = call("--db", postgresql_url, "status").out
    assert "8 shards on 2 nodes: worker-1:5432 (4), worker-2:5432 (4)\n" in out
    assert "table sweep is not distributed" in out
