"""Seeds: what somebody asked a crawl for, as the frontier keeps it."""

from typing import NamedTuple

from hubindex.reference import DEFAULT_REGISTRY, Reference

TERM, NAMESPACE, REPOSITORY, CATALOG = "term", "namespace", "repository", "catalog"
"""The kinds of seeds: a search and a namespace of Docker Hub, a repository, and all that a registry has."""


class Seed(NamedTuple):
    """Something to list: `wanted` results of a term (0: all there are), visited if `with_tags`.

    `name` is a term, a namespace, the host of a registry, or a repository: its path on Docker Hub
    (`library/mongo`), or host and path (`localhost:5000/devenv`).
    """

    kind: str
    name: str
    wanted: int = 0
    with_tags: bool = True


def registry_of(kind: str, name: str) -> str:
    """The host of the registry that a seed is about."""
    if kind == CATALOG:
        return name
    return Reference.parse_repository(name).registry if kind == REPOSITORY else DEFAULT_REGISTRY
