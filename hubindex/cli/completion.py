"""`hubindex completion`: what completes command lines on Tab, and the answers to its questions."""

import os
import re
import sys
from contextlib import closing, suppress

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, settings, write
from hubindex.index.reader import find_revision, open_reader
from hubindex.index.revisions import HEAD
from hubindex.reference import DEFAULT_REGISTRY, Reference, short_name

VARIABLE = "_HUBINDEX_COMPLETE"
"""What the scripts set when they ask: `bash_complete`, …"""

_MOST = 100
_BASH = """\
_hubindex_completion() {
    local answer kind value line word prefix
    line="${COMP_LINE:0:COMP_POINT}"
    word="${line##*[[:space:]]}"
    COMPREPLY=()
    answer="$(env COMP_WORDS="$line" %(complete_var)s=bash_complete "$1" 2>/dev/null)"
    # Bash takes a word apart at its colons, and replaces the last part only.
    prefix=""
    if [[ "$COMP_WORDBREAKS" == *:* && "$word" == *:* ]]; then
        prefix="${word%%"${word##*:}"}"
    fi
    while IFS=',' read -r kind value; do
        case "$kind" in
            dir) COMPREPLY=(); compopt -o dirnames ;;
            file) COMPREPLY=(); compopt -o default ;;
            plain)
                COMPREPLY+=("${value#"$prefix"}")
                if [[ "$value" == */ ]]; then compopt -o nospace; fi ;;
        esac
    done <<<"$answer"
}
complete -o nosort -F _hubindex_completion %(prog_name)s
"""


class _Bash(BashComplete):
    """As click's, with words that have colons in them."""

    source_template = _BASH

    def source(self) -> str:
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_WORDS", "")
        words = split_arg_string(line)
        if not words or line[-1:].isspace():
            return words[1:], ""
        return words[1:-1], words[-1]


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@common_options
def completion(shell: str) -> None:
    """Print the script that completes hubindex on Tab: commands, options, and names from the index.

    \b
    bash:  eval "$(hubindex completion bash)"       in ~/.bashrc
    zsh:   eval "$(hubindex completion zsh)"        in ~/.zshrc
    fish:  hubindex completion fish | source        in ~/.config/fish/config.fish
    """  # noqa: D301 - click wants a real backspace
    write(_complete(shell, click.get_current_context().find_root().command).source().splitlines())


def answer(command: click.Command) -> None:
    """Answer the question of a script; whatever goes wrong, there is nothing to complete."""
    with suppress(Exception):
        shell = os.environ[VARIABLE].removesuffix("_complete")
        sys.stdout.write(_complete(shell, command).complete() + "\n")


def _complete(shell: str, command: click.Command) -> ShellComplete:
    return _SHELLS[shell](command, {}, "hubindex", VARIABLE)


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
