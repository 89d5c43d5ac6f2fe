"""What a registry reports is confirmed by asking it, against a real registry."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from hubindex import moment
from hubindex.crawl.context import CrawlContext
from hubindex.crawl.looks import Confirmer
from hubindex.crawl.plan import Plan
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.errors import UnreadableAnswer
from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from hubindex.sources.registry.client import Registry
from hubindex.sources.registry.notifications import Look, read_report
from tests.crawl.crawling import tag_names
from tests.crawl.test_registries import run
from tests.index.building import problems
from tests.registry_server import OCI_INDEX, OCI_MANIFEST, Server

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def event(action: str, repository: str = "devenv", **target: object) -> dict[str, object]:
    """As the distribution project writes it."""
    target = {"mediaType": OCI_MANIFEST, "repository": repository, "size": 7, "length": 7, **target}
    return {"id": "1", "timestamp": "2026-11-20T10:00:00Z", "action": action, "target": target, "actor": {}}


def report(*events: object) -> bytes:
    return json.dumps({"events": events}).encode()


def test_pushes_and_deletions_ask_for_looks() -> None:
    """Each once; pulls, and events about layers, ask for none."""
    body = report(
        event("push", tag="latest", digest=A),
        event("push", tag="latest", digest=A),
        event("pull", tag="latest", digest=A),
        event("push", digest=B, mediaType="application/vnd.oci.image.layer.v1.tar+gzip"),
        event("push", digest=B, mediaType="application/octet-stream"),
        event("push", "team/app", digest=B, mediaType=OCI_INDEX),
        event("delete", digest=A, mediaType=None),
        event("delete", tag="1.0", mediaType=None),
    )
    found = read_report(body)
    assert found.warnings == ()
    assert found.looks == (
        Look("devenv", "latest", bytes.fromhex("a" * 64), is_deletion=False),
        Look("team/app", None, bytes.fromhex("b" * 64), is_deletion=False),
        Look("devenv", None, bytes.fromhex("a" * 64), is_deletion=True),
        Look("devenv", "1.0", None, is_deletion=True),
    )


@pytest.mark.parametrize(
    "bad",
    [
        event("push", "NO!", tag="latest"),
        event("push", tag="no/tag"),
        event("push", digest="sha256:zz"),
        event("push"),
        5,
        {"action": "push", "target": {"repository": 5}},
    ],
)
def test_an_event_that_is_not_understood_is_left_out(bad: object) -> None:
    """With a warning; the others count."""
    found = read_report(report(bad, event("push", tag="latest")))
    assert [look.tag for look in found.looks] == ["latest"]
    assert len(found.warnings) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"events": 5}', b"\xff"])
def test_what_is_no_report_is_refused(body: bytes) -> None:
    """With one kind of error."""
    with pytest.raises(UnreadableAnswer):
        read_report(body)


# A real registry


def confirm(server: Server, location: Location, *events: object) -> int:
    """How many tags were looked at because of a report."""

    async def confirming() -> int:
        warnings: list[str] = []
        async with HttpClient(tries=1) as http, Writer(location, warnings.append) as writer:
            registry = Registry(http, server.url)
            context = CrawlContext(Sources(DockerHub(http)), writer, Plan(), warnings.append, moment.now)
            count = await Confirmer(context, server.host, registry).confirm(read_report(report(*events)).looks)
        assert warnings == []
        return count

    return asyncio.run(confirming())


def digests(location: Location, repository: str) -> dict[str, str | None]:
    with Index.open(location) as index:
        return {tag.name: tag.digest for tag in index.tags(repository)}


def test_a_push_is_confirmed_by_one_look(server: Server, location: Location) -> None:
    """Only the tag that was named is asked for; its platforms are read."""
    name = f"{server.host}/devenv"
    first = server.push_image("devenv", "latest", "1.0")
    run(location, repositories=[name])
    second = server.push_image("devenv", "latest", layers=[b"new"])
    assert confirm(server, location, event("push", tag="latest", digest=second)) == 1
    assert digests(location, name) == {"latest": second, "1.0": first}
    with Index.open(location) as index:
        assert index.resolve(f"{name}:latest", platform="linux/amd64").digest == second
        assert [answer.digest for answer in index.history(f"{name}:latest")] == [second, first]
    assert problems(location) == []


def test_a_report_is_believed_in_nothing(server: Server, location: Location) -> None:
    """What it says that is not so changes nothing."""
    name = f"{server.host}/devenv"
    first = server.push_image("devenv", "latest")
    run(location, repositories=[name])
    lies: Sequence[object] = [
        event("push", tag="latest", digest=B),
        event("delete", tag="latest", digest=A),
        event("push", tag="never", digest=B),
        event("delete", "other", digest=B),
    ]
    assert confirm(server, location, *lies) == 2
    assert digests(location, name) == {"latest": first}
    assert problems(location) == []


def test_a_deletion_by_digest_takes_all_its_tags(server: Server, location: Location) -> None:
    """The report names the digest alone."""
    name = f"{server.host}/devenv"
    first = server.push_image("devenv", "latest", "1.0")
    second = server.push_image("devenv", "2.0", layers=[b"new"])
    run(location, repositories=[name])
    server.delete("devenv", first)
    assert confirm(server, location, event("delete", digest=first, mediaType=None)) == 2
    assert tag_names(location, name) == {"2.0"}
    assert digests(location, name) == {"2.0": second}
    with Index.open(location) as index:
        assert index.resolve(f"{name}:1.0").digest is None
    assert problems(location) == []


def test_a_push_without_a_tag_asks_for_all_tags(server: Server, location: Location) -> None:
    """Those that are known, and those that are listed."""
    name = f"{server.host}/devenv"
    server.push_image("devenv", "latest", "1.0")
    run(location, repositories=[name])
    second = server.push_image("devenv", "latest", "2.0", layers=[b"new"])
    assert confirm(server, location, event("push", digest=second)) == 3
    assert tag_names(location, name) == {"latest", "1.0", "2.0"}
    assert digests(location, name)["2.0"] == digests(location, name)["latest"] == second


def test_a_repository_that_was_not_known_is_visited_later(server: Server, location: Location) -> None:
    """The tag is known at once, the others when somebody crawls what is due."""
    server.push_image("fresh", "latest", "1.0")
    assert confirm(server, location, event("push", "fresh", tag="latest")) == 1
    with Index.open(location) as index:
        assert index.resolve(f"{server.host}/fresh:latest").digest is not None
    run(location)
    assert tag_names(location, f"{server.host}/fresh") == {"latest", "1.0"}
    assert problems(location) == []
