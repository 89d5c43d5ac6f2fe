"""Flags that take a value, as docker's do: `--no-trunc=true`, `--official=false`, `-q=1`."""

from collections.abc import Iterator
from itertools import islice

import click

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
_SHOWN = 80
_OFF = ".off"  # what a flag with a false value is called for the parser; nobody can type it by accident


class Command(click.Command):
    """A command whose flags take a value. Values are those of Go's `strconv.ParseBool`, as in docker."""

    def make_parser(self, ctx: click.Context) -> click.parser._OptionParser:
        """The parser of click, which also knows how each flag is turned off."""
        parser = super().make_parser(ctx)
        for flag in _flags(self, ctx):
            parser.add_option(flag, [_off(flag)], flag.name, "store_const", 0, const=False)
        return parser

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raises `click.UsageError` for a value that is neither true nor false."""
        return super().parse_args(ctx, list(_without_values(self, ctx, args)))


class Group(Command, click.Group):
    """A group whose own flags take a value, and those of its commands."""

    command_class = Command


def _flags(command: click.Command, ctx: click.Context) -> Iterator[click.Option]:
    for option in command.get_params(ctx):
        if isinstance(option, click.Option) and option.is_flag and option.name not in {"help", "version"}:
            yield option


def _off(flag: click.Option) -> str:
    return max(flag.opts, key=len) + _OFF


def _without_values(command: click.Command, ctx: click.Context, args: list[str]) -> Iterator[str]:
    """The arguments with each `--flag=value` written as click knows it."""
    flags = {name: flag for flag in _flags(command, ctx) for name in flag.opts}
    valued = {
        name for option in command.get_params(ctx)
        if isinstance(option, click.Option) and not option.is_flag and not option.count for name in option.opts
    }  # fmt: skip
    rest = iter(args)
    for argument in rest:
        if argument == "--" or (not ctx.allow_interspersed_args and not argument.startswith("-")):
            yield argument
            break
        name, equals, value = argument.partition("=")
        if equals and name in flags:
            flag = flags[name]
            yield max(flag.opts, key=len) if _is_true(flag, value, ctx) else _off(flag)
            continue
        yield argument
        if argument in valued:
            yield from islice(rest, 1)
    yield from rest


def _is_true(flag: click.Option, value: str, ctx: click.Context) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    import json

    names = ", ".join(sorted(flag.opts, key=len))
    shown = json.dumps(value[:_SHOWN], ensure_ascii=False)
    raise click.UsageError(
        f'invalid argument {shown} for "{names}" flag: strconv.ParseBool: parsing {shown}: invalid syntax', ctx
    )
