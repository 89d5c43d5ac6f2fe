"""Who has a digest or had it, where one digest is several things at once."""

import json
from contextlib import closing

import pytest

from hubindex.certainty import Certainty
from hubindex.errors import AmbiguousDigest
from hubindex.index.database import sql
from hubindex.index.database.location import Location
from hubindex.index.database.migrate import upgrade
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.questions.history import history
from hubindex.index.questions.whatis import Holding, whatis
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Tag
from hubindex.reference import Reference
from tests.index.building import add, crawl, digest, go_back, image, page, problems, rows, tag, text

AMD = image("linux/amd64", 101)


def told(reader: Reader, number: int) -> list[tuple[str, str, str | None, str | None]]:
    """Repository, tag, platform and index digest of all holdings."""
    return [
        (h.reference.familiar_name, h.reference.tag or "", h.platform, h.index_digest)
        for h in whatis(reader, text(number))
    ]


def test_an_image_that_is_also_tagged(ingest: Ingest, reader: Reader) -> None:
    """By tag; what is the tag's own has no index around it."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, tag("all", 1, None, image("linux/amd64", 2)), tag("amd64", 2))
    assert told(reader, 2) == [("acme/app", "all", "linux/amd64", text(1)), ("acme/app", "amd64", None, None)]


def test_one_tag_may_have_a_digest_in_two_ways(ingest: Ingest, reader: Reader) -> None:
    """At one time as its own, at another in an index: its own first."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, tag("v1", 2))
    crawl(ingest, app, 20, tag("v1", 1, None, image("linux/amd64", 2)))
    assert told(reader, 2) == [("acme/app", "v1", None, None), ("acme/app", "v1", "linux/amd64", text(1))]


def test_one_image_for_two_platforms(ingest: Ingest, reader: Reader) -> None:
    """Each is told."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, tag("v1", 1, None, image("linux/arm/v7", 2), image("linux/arm/v6", 2)))
    assert [row[2] for row in told(reader, 2)] == ["linux/arm/v6", "linux/arm/v7"]


def test_an_image_outlives_the_index_around_it(ingest: Ingest, reader: Reader) -> None:
    """One stretch of time, and the index as it was last."""
    app = add(ingest, "acme/app")[0]
    for at, index in ((10, 1), (20, 3)):
        crawl(ingest, app, at, tag("v1", index, at - 5, image("linux/amd64", 2), image("linux/arm64", index + 90)))
    holding = Holding(
        Reference("docker.io", "acme/app", "v1"), text(2), text(3), "linux/amd64", Certainty.INFERRED, 5,
        None, None, None, 20, 5, gaps=((10, 15),),
    )  # fmt: skip
    assert whatis(reader, text(2)) == [holding]


def test_an_image_of_a_set_without_a_digest(ingest: Ingest, reader: Reader) -> None:
    """It is known for its platform, in no index that has a digest; the key of the set is no digest."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, tag("v1", None, None, image("linux/amd64", 2), image("linux/arm64", 3)))
    assert told(reader, 2) == [("acme/app", "v1", "linux/amd64", None)]


def test_all_that_ever_had_it(ingest: Ingest, reader: Reader) -> None:
    """In each repository, also where it was replaced, or the tag is gone."""
    first, second = add(ingest, "acme/b", "acme/a")
    crawl(ingest, first, 10, tag("moved", 2), tag("gone", 2), tag("kept", 2))
    crawl(ingest, first, 20, tag("moved", 3), tag("kept", 2))
    crawl(ingest, second, 30, tag("v1", 2))
    assert [(h.reference.familiar, h.until, h.until_latest) for h in whatis(reader, text(2))] == [
        ("acme/a:v1", None, None),
        ("acme/b:gone", 10, 20),
        ("acme/b:kept", None, None),
        ("acme/b:moved", 10, 20),
    ]


def test_a_whole_digest_is_not_the_beginning_of_a_longer_one(ingest: Ingest, reader: Reader) -> None:
    """Whoever writes 64 digits means these; less may be either."""
    longer = digest(2) + bytes(32)
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, tag("short", 2), Tag(name="long", digest=longer))
    assert [h.reference.tag for h in whatis(reader, digest(2).hex())] == ["short"]
    assert [h.reference.tag for h in whatis(reader, longer.hex())] == ["long"]
    assert [h.reference.tag for h in whatis(reader, f"sha512:{digest(2).hex()}")] == ["long"]
    with pytest.raises(AmbiguousDigest):
        whatis(reader, digest(2).hex()[:20])


def test_nothing_is_scanned(ingest: Ingest, location: Location) -> None:
    """On SQLite each table is asked by a key; only the list of names is read from end to end."""
    if location.dialect != "sqlite":
        return
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, tag("v1", 1))
    statements = sql.load("history", "sqlite")
    for name in ("has_digest", "tags_named", "tag", "platform"):
        plan = [row[3] for row in rows(location, f"EXPLAIN QUERY PLAN {_filled(statements[name])}")]
        scans = [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
        assert scans == [], (name, plan)


def _filled(statement: str) -> str:
    """With constants in the places of parameters."""
    values = {"prefix": 1, "repository_id": 1, "platform_id": 1, "names": json.dumps(["v1"])}
    values |= {"registry": "docker.io", "repository": "acme/app", "tag": "v1"}
    for name, value in values.items():
        statement = statement.replace(f":{name}", repr(value))
    return statement


def test_more_tags_than_the_row_of_a_digest_has_room_for(
    ingest: Ingest, reader: Reader, location: Location
) -> None:
    """All are found, whether they came at once or page by page, and also as an image inside an index."""
    app = add(ingest, "acme/app")[0]
    names = [f"commit-{number:030x}" for number in range(300)]
    for start in range(0, 300, 100):
        with ingest.transaction() as batch:
            batch.tag_page(app, page([tag(name, 1, 5, AMD) for name in names[start : start + 100]], 10))
    with ingest.transaction() as batch:
        batch.tag_page(app, page([tag(name, 2, 20) for name in names[:2]], 30))
        batch.tag_page(app, page([tag(name, 1, 40, AMD) for name in names[:2]], 50))
    assert rows(location, "SELECT max(length(tags)) <= 1000, count(*) FROM digest")[0][0] in {1}
    assert {held.reference.tag for held in whatis(reader, text(1))} == set(names)
    assert {held.reference.tag for held in whatis(reader, AMD.digest.hex())} == set(names)
    answers = history(reader, Reference.parse(f"acme/app:{names[5]}"))
    assert len(answers[0].aliases) == 299
    assert problems(location) == []


def test_an_older_index_keeps_the_names_of_a_shared_digest(location: Location, ingest: Ingest) -> None:
    """Long rows are cut when it is migrated."""
    app = add(ingest, "acme/app")[0]
    names = [f"commit-{number:030x}" for number in range(300)]
    with ingest.transaction() as batch:
        batch.tag_page(app, page([tag(name, 1, 5) for name in names], 10))
    ingest.close()
    go_back(location, "0005")
    rows(location, f"UPDATE digest SET tags = '{' '.join(names)}'", change=True)
    upgrade(location)
    assert problems(location) == []
    with closing(open_reader(location)) as reader:
        assert {held.reference.tag for held in whatis(reader, text(1))} == set(names)
