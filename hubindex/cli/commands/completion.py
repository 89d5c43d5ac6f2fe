"""`hubindex completion`: what completes command lines on Tab, and the answers to its questions."""

import os
import sys
from contextlib import suppress

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, write

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
