"""Names in the index that begin as something typed does, for Tab."""

import re
from contextlib import closing, suppress

import click
from click.shell_completion import CompletionItem

from hubindex.cli.settings import settings
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import find_revision
from hubindex.index.database.revisions import HEAD
from hubindex.reference import DEFAULT_REGISTRY, Reference, short_name

_MOST = 100


def references(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Repositories whose names begin so, and behind a colon their tags."""
    name, colon, tag = begun.rpartition(":")
    if not colon:
        return repositories(_context, _parameter, begun)
    reference = Reference.parse(name)
    with suppress(Exception):
        return [CompletionItem(f"{name}:{found}") for found in _rows("complete_tags", reference, tag)]
    return []


def repositories(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Repositories whose names begin so, official images first."""
    if not re.fullmatch(r"[a-z0-9._/-]{0,255}", begun):
        return []
    with suppress(Exception):
        several = [] if "/" in begun else _rows("complete_repositories", None, f"library/{begun}")
        several += [name for name in _rows("complete_repositories", None, begun) if name not in several]
        return [CompletionItem(short_name(name)) for name in several[:_MOST] if short_name(name).startswith(begun)]
    return []


def _rows(statement: str, reference: Reference | None, begun: str) -> list[str]:
    """Names from an index that is there, and of this program's schema; it is neither made nor migrated."""
    location = settings().location
    if find_revision(location) != HEAD:
        return []
    of = {"repository": reference.repository} if reference else {}
    with closing(open_reader(location)) as reader:
        registry = reference.registry if reference else DEFAULT_REGISTRY
        rows = reader.query(
            "repositories", statement,
            registry=registry, begun=begun, last=begun + "\U0010ffff", limit=_MOST, **of,
        )  # fmt: skip
    return [str(row[0]) for row in rows]
