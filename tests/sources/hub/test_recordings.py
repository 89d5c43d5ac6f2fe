"""Recorded answers of the real Docker Hub are understood.

The folder of recordings is named by `HUBINDEX_RECORDINGS`; without it these tests are skipped.
"""

import json
import os
from pathlib import Path

import pytest

from hubindex.sources.hub import rows

RECORDINGS = Path(os.environ.get("HUBINDEX_RECORDINGS", ""))
pytestmark = pytest.mark.skipif(
    "HUBINDEX_RECORDINGS" not in os.environ, reason="HUBINDEX_RECORDINGS names no folder of recordings"
)
NOW = 1_790_000_000_000

TAG_PAGES = {
    # name: (repository, tags, tags with a digest, platform images)
    "v2-tags-library-debian-page1-2019-12.json": ("library/debian", 10, 0, 70),
    "v2-tags-jessestuart-2019-09.json": ("jessestuart/minio", 100, 75, 150),
    "v2-tags-library-ubuntu-2024-10.json": ("library/ubuntu", 1, 1, 6),
    "v2-tags-news-crawler-2024-05.json": ("somebody/brownie-atelier-news-crawler", 3, 3, 3),
    "v2-tags-xmrig2021-2022-11.json": ("xmrig2021/r2021", 1, 1, 1),
    "v2-tags-library-ubuntu-2016-01.json": ("library/ubuntu", 1, 0, 0),
    "v2-tags-library-node-empty-images-2025-08.json": ("library/node", 1, 1, 0),
}
TAG_ROWS = {
    "v2-tag-grafana-2.1.3-null-dates-2023-08.json": ("grafana/grafana", 1, 1, 1),
    "v2-tag-library-nginx-stable-perl-2025-09.json": ("library/nginx", 1, 1, 8),
}
SEARCHES = {
    "v2-search-node-2024.json": 10,
    "v2-search-nginx-2026-05.json": 3,
    "v2-search-busyking-2018-04.json": 1,
}
NAMESPACES = {
    "v2-repositories-jessestuart-2019-07.json": ("jessestuart", 25),
    "v2-namespaces-docker-repositories-docs-2025.json": ("docker", 2),
    "v2-repositories-missing-namespace-2023-11.json": ("thisrepositorydoesnotactuallyexist", 0),
}
REPOSITORIES = {
    "v2-repository-library-elixir-2018-02.json": "library/elixir",
    "v2-repository-library-nginx-2025-09.json": "library/nginx",
    "v2-repository-library-nginx-2026-04.json": "library/nginx",
    "v2-repository-ryantheallmighty-nginx-2015-12.json": "ryantheallmighty/nginx",
}
KNOWN = {*TAG_PAGES, *TAG_ROWS, *SEARCHES, *NAMESPACES, *REPOSITORIES}


def body(name: str) -> bytes:
    """A recording as it was on the wire: compact."""
    return json.dumps(json.loads((RECORDINGS / name).read_bytes()), separators=(",", ":")).encode()


@pytest.mark.parametrize("name", sorted(TAG_PAGES | TAG_ROWS))
def test_tags(name: str) -> None:
    """Every row is a tag with a time or a size, and nothing is complained about."""
    repository, count, with_digest, images = (TAG_PAGES | TAG_ROWS)[name]
    text = body(name) if name in TAG_PAGES else b'{"results":[' + body(name) + b"]}"
    page = rows.tag_page(text, repository, NOW)
    assert (page.warnings, page.unreadable) == ((), 0)
    assert len(page.tags) == count
    assert sum(tag.digest is not None for tag in page.tags) == with_digest
    assert sum(len(tag.images) for tag in page.tags) == images
    assert all(tag.size is not None for tag in page.tags)


@pytest.mark.parametrize("name", sorted(SEARCHES))
def test_searches(name: str) -> None:
    """Every row is a repository with counts."""
    page = rows.search_page(body(name), "x", NOW)
    assert page.warnings == ()
    assert len(page.repositories) == SEARCHES[name]
    for repository in page.repositories:
        assert None not in (repository.star_count, repository.pull_count, repository.is_official)
        assert repository.is_official is repository.name.startswith("library/")


@pytest.mark.parametrize("name", sorted(NAMESPACES))
def test_namespaces(name: str) -> None:
    """Every row is a repository that was pushed at some time."""
    namespace, count = NAMESPACES[name]
    page = rows.namespace_page(body(name), namespace, NOW)
    assert page.warnings == ()
    assert len(page.repositories) == count
    assert all(repository.updated_at is not None for repository in page.repositories)


@pytest.mark.parametrize("name", sorted(REPOSITORIES))
def test_repositories(name: str) -> None:
    """Descriptions of four ages are read."""
    repository = rows.repository(body(name), REPOSITORIES[name])
    assert None not in (repository.description, repository.star_count, repository.pull_count)
    assert repository.updated_at is not None


def test_every_recording_is_listed_and_whole() -> None:
    """Each file is described in the index, and is the JSON or text that its name says."""
    index = (RECORDINGS / "INDEX.md").read_text()
    names = {path.name for path in RECORDINGS.iterdir()} - {"INDEX.md"}
    assert names >= KNOWN
    for name in names:
        assert f"`{name}`" in index
        if name.endswith(".json"):
            json.loads((RECORDINGS / name).read_bytes())


def test_every_list_and_repository_is_tried() -> None:
    """No recording of a kind that is understood is forgotten here."""
    kinds = ("v2-tags-", "v2-search-", "v2-namespaces-", "v2-repositories-", "v2-repository-")
    names = {path.name for path in RECORDINGS.glob("*.json") if path.name.startswith(kinds)}
    assert names <= KNOWN
