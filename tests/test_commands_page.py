"""`docs/commands.md` is what the program says of itself; `python -m tests.test_commands_page` writes it anew."""

from collections.abc import Iterator
from pathlib import Path

import click

from hubindex.cli import hubindex

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"

_HEAD = """# Command reference

Written by the program itself: `make docs` writes it anew, and a test keeps it true.
"""


def commands(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    """Each command with its help text, the groups before what is in them."""
    context = command.make_context(name, ["--help"], parent=parent, resilient_parsing=True)
    context.terminal_width = 100
    context.max_content_width = 100
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from commands(found, context, child)


def page() -> str:
    """The whole page."""
    parts = [
        f"## {path}\n\n```text\n{help_text}\n```\n" for path, help_text in commands(hubindex, None, "hubindex")
    ]
    return "\n".join([_HEAD, *parts])


def test_the_command_reference_is_what_the_program_says() -> None:
    """Nobody can change an option and forget the page."""
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
