"""Names in the index that begin as something typed does."""

import re

from hubindex.index.database.reader import Reader
from hubindex.reference import DEFAULT_REGISTRY, Reference

_BEYOND = "\U0010ffff"


def repositories(reader: Reader, begun: str, limit: int) -> list[str]:
    """Names of repositories as people write them, official images first."""
    if not re.fullmatch(r"[A-Za-z0-9._:/\[\]-]{0,255}", begun):
        return []
    host, slash, path = begun.partition("/")
    found = [] if slash else _names(reader, DEFAULT_REGISTRY, f"library/{begun}", limit)
    found += _names(reader, DEFAULT_REGISTRY, begun, limit)
    for (registry,) in reader.query("repositories", "registries"):
        if registry != DEFAULT_REGISTRY and (registry == host if slash else registry.startswith(begun)):
            found += _names(reader, registry, path, limit)
    names = dict.fromkeys(reference.familiar_name for reference in found)
    return [name for name in names if name.startswith(begun)][:limit]


def tags(reader: Reader, repository: Reference, begun: str, limit: int) -> list[str]:
    """Tags of a repository."""
    rows = reader.query(
        "repositories", "complete_tags", registry=repository.registry, repository=repository.repository,
        begun=begun, last=begun + _BEYOND, limit=limit,
    )  # fmt: skip
    return [name for (name,) in rows]


def _names(reader: Reader, registry: str, begun: str, limit: int) -> list[Reference]:
    rows = reader.query(
        "repositories", "complete_repositories",
        registry=registry, begun=begun, last=begun + _BEYOND, limit=limit,
    )  # fmt: skip
    return [Reference(registry, path) for (path,) in rows]
