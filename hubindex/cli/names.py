"""Names in the index that begin as something typed does, for Tab."""

from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from hubindex.cli.settings import settings
from hubindex.index.handle import Index
from hubindex.reference import Reference


def references(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Repositories whose names begin so, and behind a colon their tags."""
    name, colon, tag = begun.rpartition(":")
    with suppress(Exception), _index() as index:  # whatever goes wrong, there is nothing to complete
        found = index.names_beginning(begun)
        if colon and not found:
            found = [f"{name}:{known}" for known in index.tags_beginning(Reference.parse(name), tag)]
        return [CompletionItem(each) for each in found]
    return []


def repositories(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Repositories whose names begin so, official images first."""
    with suppress(Exception), _index() as index:
        return [CompletionItem(name) for name in index.names_beginning(begun)]
    return []


def _index() -> Index:
    """An index that is there, and of this program's schema: it is neither made nor migrated."""
    return Index.open(settings().location, migrate=False)
