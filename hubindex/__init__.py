"""hubindex: search Docker Hub offline, and know which image a tag pointed to.

`Index` opens an index for questions, a `Query` is a search, `Reference` parses image references, and `errors`
holds everything that is raised on purpose. They are loaded on first use: the command line starts without them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubindex import errors
    from hubindex.index.handle import Index
    from hubindex.index.questions.search import Query
    from hubindex.reference import Reference

__version__ = "0.1.0"

__all__ = ["Index", "Query", "Reference", "__version__", "errors"]

_HOMES = {
    "Index": "hubindex.index.handle",
    "Query": "hubindex.index.questions.search",
    "Reference": "hubindex.reference",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "errors":
        return import_module("hubindex.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hubindex' has no attribute {name!r}")
