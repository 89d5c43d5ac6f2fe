"""A distributed index answers every question as a SQLite file does: on a real cluster, where there is one."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import distribute
from tests.citus import CLUSTER, NO_CLUSTER, cluster_index, install_stand_in
from tests.cli.conftest import Call
from tests.cli.story import tell
from tests.crawl.contents import contents
from tests.crawl.crawling import at, crawl
from tests.fakehub import sample_hub
from tests.index.building import problems, rows
from tests.index.building import text as whole

QUESTIONS = (
    ("search", "mongo"),
    ("search", "acme", "--format", "json", "--no-trunc"),
    ("show", "mongo", "--format", "json"),
    ("tags", "mongo", "--format", "json"),
    ("tags", "mongo", "--at", "2024-03-05", "--format", "json"),
    ("history", "mongo:latest", "--format", "json"),
    ("history", "mongo:6", "--platform", "linux/amd64", "--format", "json"),
    ("resolve", "mongo:latest", "--at", "2024-03-05", "--format", "json"),
    ("resolve", "mongo:7", "--at", "2024-02-20", "--platform", "arm64", "--format", "json"),
    ("diff", "mongo", "2024-02-02", "2024-03-20", "--format", "json"),
    ("diff", "2024-02-02", "2024-03-20", "--format", "json"),
    ("whatis", whole(2), "--format", "json"),
    ("whatis", whole(100), "--format", "json"),
)


@pytest.fixture(
    params=["stand-in", pytest.param("cluster", marks=pytest.mark.skipif(CLUSTER is None, reason=NO_CLUSTER))]
)
def cluster(request: pytest.FixtureRequest) -> Iterator[Location]:
    """A place for an index: beside a stand-in for Citus, and on the cluster that `HUBINDEX_TEST_CITUS` names."""
    if request.param == "cluster":
        with cluster_index() as location:
            yield location
    else:
        url = request.getfixturevalue("postgresql_url")
        install_stand_in(url)
        yield Location.parse(url)


@pytest.mark.parametrize("is_filled", [False, True], ids=["before it is filled", "with its rows"])
def test_every_question_is_answered(cluster: Location, story_sqlite: str, call: Call, is_filled: bool) -> None:
    """As from a SQLite file, whether it was distributed before it was filled or with its rows."""
    if is_filled:
        tell(cluster)
    distribute(cluster, 4)
    if not is_filled:
        tell(cluster)
    assert distribute(cluster, 4)[1] == []
    for question in QUESTIONS:
        expected = call("--db", story_sqlite, *question)
        assert expected.code == 0, expected
        assert call("--db", cluster.target, *question) == expected
    before = json.loads(call("--db", story_sqlite, "status", "--format", "json").out)
    after = json.loads(call("--db", cluster.target, "status", "--format", "json").out)
    where = {"Index", "Distributed", "Shards", "Nodes"}
    assert {name: after[name] for name in after.keys() - where} == {
        name: before[name] for name in before.keys() - where
    }
    assert (after["Distributed"], after["Shards"]) == (True, 4)
    assert problems(cluster) == []


def test_crawls_go_on_when_it_is_distributed(cluster: Location, sqlite_template: Path, tmp_path: Path) -> None:
    """What was crawled before is kept, what moves later is written: all as in a SQLite file of the same crawls."""
    lite = Location.parse(str(shutil.copy(sqlite_template, tmp_path / "index.db")))
    for location in (lite, cluster):
        hub = sample_hub()
        crawl(hub, location, Plan(terms=["thrift"], namespaces=["library"]), at(0))
        if location == cluster:
            distribute(location, 4)
        for path in ("library/mongo", "library/redis"):
            hub.repositories[path].push("latest", at="2026-09-21T14:00:00Z")
        crawl(hub, location, Plan(terms=["thrift"], namespaces=["library"]), at(24))
        crawl(hub, location, Plan(terms=["thrift"], namespaces=["library"]), at(48))
    assert problems(cluster) == []
    assert rows(cluster, "SELECT count(*) FROM span") != [(0,)]
    assert contents(cluster) == contents(lite)
