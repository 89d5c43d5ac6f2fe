"""hubindex: search Docker Hub offline, and know which image a tag pointed to.

`Index` opens an index for questions. A `Query` is a search, a `Seed` what a crawl is told to fetch, a `Reference`
names a repository or a tag, a `Platform` an operating system and an architecture. The answers are `Found`,
`RepositoryFacts`, `TagFacts`, `ImageFacts` (with `Contents`, `ImageConfig` and `Origins`), `Answer`, `Change`,
`Holding`, `Status`, `Work`, `Estimate` and `Distribution`; a `Certainty` says how sure one is, a `State` what a
tag was. `errors` holds everything that is raised on purpose. All of it is loaded on first use: the command line
starts without.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubindex import errors
    from hubindex.certainty import Certainty
    from hubindex.contents import Contents, ImageConfig
    from hubindex.index.database.distribution import Distribution
    from hubindex.index.handle import Index
    from hubindex.index.questions.changes import Change
    from hubindex.index.questions.history import Answer, State
    from hubindex.index.questions.images import ImageFacts
    from hubindex.index.questions.origins import Origin, Origins
    from hubindex.index.questions.repositories import RepositoryFacts, Status, TagFacts
    from hubindex.index.questions.search import Found, Query
    from hubindex.index.questions.whatis import Holding
    from hubindex.index.questions.work import Estimate, Work
    from hubindex.index.seeds import Seed
    from hubindex.platform import Platform
    from hubindex.reference import Reference

__version__ = "0.1.0"

__all__ = [
    "Answer", "Certainty", "Change", "Contents", "Distribution", "Estimate", "Found", "Holding", "ImageConfig",
    "ImageFacts", "Index", "Origin", "Origins", "Platform", "Query", "Reference", "RepositoryFacts", "Seed",
    "State", "Status", "TagFacts", "Work", "__version__", "errors",
]  # fmt: skip

_HOMES = {
    "Answer": "hubindex.index.questions.history",
    "Certainty": "hubindex.certainty",
    "Change": "hubindex.index.questions.changes",
    "Contents": "hubindex.contents",
    "Distribution": "hubindex.index.database.distribution",
    "Estimate": "hubindex.index.questions.work",
    "Found": "hubindex.index.questions.search",
    "Holding": "hubindex.index.questions.whatis",
    "ImageConfig": "hubindex.contents",
    "ImageFacts": "hubindex.index.questions.images",
    "Index": "hubindex.index.handle",
    "Origin": "hubindex.index.questions.origins",
    "Origins": "hubindex.index.questions.origins",
    "Platform": "hubindex.platform",
    "Query": "hubindex.index.questions.search",
    "Reference": "hubindex.reference",
    "RepositoryFacts": "hubindex.index.questions.repositories",
    "Seed": "hubindex.index.seeds",
    "State": "hubindex.index.questions.history",
    "Status": "hubindex.index.questions.repositories",
    "TagFacts": "hubindex.index.questions.repositories",
    "Work": "hubindex.index.questions.work",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "errors":
        return import_module("hubindex.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hubindex' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *globals()]
