"""The command line: one file a command, each loaded only when it is called, so that a question starts fast."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import click

from hubindex import __version__
from hubindex.cli.flags import Group
from hubindex.cli.options import common_options
from hubindex.cli.output.tabwriter import visible
from hubindex.cli.settings import settings
from hubindex.errors import HubindexError

COMMANDS = (
    "crawl",
    "search",
    "show",
    "tags",
    "history",
    "resolve",
    "whatis",
    "diff",
    "verify",
    "import",
    "login",
    "logout",
    "status",
    "db",
    "completion",
)

_MODULES = {"import": "imports"}
"""The commands whose names are words of Python."""

INTERRUPTED = 130
_PIPE_CLOSED = 141


class _LazyGroup(Group):
    """A group whose commands are imported on demand: command `x` is `hubindex.cli.commands.x:x`."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = _MODULES.get(name, name)
        command = getattr(import_module(f"hubindex.cli.commands.{module}"), module)
        assert isinstance(command, click.Command)
        for option in command.params:
            if isinstance(option, click.Option) and not option.envvar:
                option.envvar = f"HUBINDEX_{name}_{max(option.opts, key=len)[2:]}".replace("-", "_").upper()
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
@click.version_option(__version__, message="hubindex %(version)s")
def hubindex() -> None:
    """Search Docker Hub offline, and know which image a tag pointed to.

    Every option can be set in the environment as well: HUBINDEX_DB, HUBINDEX_HUB_URL, HUBINDEX_SEARCH_LIMIT, …
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 answered, 1 error, 2 wrong usage, 3 no answer, 4 incomplete crawl."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if os.environ.get("_HUBINDEX_COMPLETE"):
        from hubindex.cli.commands.completion import answer

        answer(hubindex)
        return
    code = run(lambda: hubindex.main(arguments, "hubindex", standalone_mode=False))
    gc.freeze()  # all that is left goes with the process: nothing to collect, a tenth of a question's time
    sys.exit(code)


def run(command: Callable[[], Any]) -> int:
    """Call `command` and return the exit code; whatever goes wrong becomes one line on stderr."""
    try:
        try:
            code = command()
        finally:
            sys.stdout.flush()
    except HubindexError as error:
        return _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return error.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "hubindex"
        return _complain(f"{error.format_message()} (see '{path} --help')", 2)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort) as error:
        return _complain(str(error) or "interrupted", INTERRUPTED)
    except (BrokenPipeError, SystemExit):  # SystemExit is what click makes of it
        _close_stdout()  # whoever read our output has seen enough
        return _PIPE_CLOSED
    except OSError as error:
        _close_stdout()
        where = f": {error.filename}" if error.filename else ""
        return _complain(f"reading or writing failed: {error.strerror or error}{where}", 1)
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        return _complain(f"a fault in hubindex itself: {what}: 'hubindex -v …' shows where", 1)
    return code if isinstance(code, int) else 0


def _close_stdout() -> None:
    """Drop what was not written: Python would try, and complain, once more on exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, code: int) -> int:
    """Tell what went wrong in one line, after the traceback of the current exception if `-v` asks for it."""
    if settings().verbose and not isinstance(
        sys.exception(), click.ClickException | click.Abort | KeyboardInterrupt
    ):
        import traceback

        traceback.print_exc()
    sys.stderr.write(f"hubindex: {visible(message)}\n")
    return code
