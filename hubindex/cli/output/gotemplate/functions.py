"""The functions of a template: Go's built-ins and docker's own (templates/templates.go of docker's client)."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import quote_plus

from ..jsontext import dumps, dumps_row
from .gofmt import (
    MAX_TEXT,
    FormatError,
    Record,
    concatenate,
    from_bytes,
    show,
    sprint,
    sprintf,
    sprintln,
    to_bytes,
    type_name,
)


class Function(NamedTuple):
    """What a function takes (Go's type names; `rest` for any number more) and what it does.

    `call` gets the checked arguments and raises FormatError with Go's words if it cannot answer.
    """

    parameters: tuple[str, ...]
    rest: str | None
    call: Callable[[list[object]], object]


def truth(value: object) -> bool:
    """Whether `if` takes the value for true: not zero, not empty, not nil."""
    return True if isinstance(value, Record) else bool(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# Texts. The types in `parameters` have been checked, so `str(x)` below is only for the type checker.


def _split(arguments: list[object]) -> object:
    text, separator = str(arguments[0]), str(arguments[1])
    return text.split(separator) if separator else list(text)


def _join(arguments: list[object]) -> object:
    texts, separator = arguments
    return concatenate(map(str, texts) if isinstance(texts, list) else (), str(separator))


def _each(change: Callable[[str], str]) -> Callable[[list[object]], object]:
    """A function that maps characters one to one, as Go does (`ß` has no upper case of one character)."""

    def call(arguments: list[object]) -> object:
        changed = ((character, change(character)) for character in str(arguments[0]))
        return "".join(new if len(new) == 1 else old for old, new in changed)

    return call


def _title(arguments: list[object]) -> object:
    """strings.Title: the first letter of each word in title case, the others untouched."""

    def first(found: re.Match[str]) -> str:
        letter = found[0].title()
        return letter if len(letter) == 1 else found[0]

    return re.sub(r"(?<!\w)\w", first, str(arguments[0]))


def _pad(arguments: list[object]) -> object:
    text, before, after = arguments
    if not isinstance(text, str) or not isinstance(before, int) or not isinstance(after, int) or not text:
        return text
    if before < 0 or after < 0:
        raise FormatError("strings: negative Repeat count")
    if before + after > MAX_TEXT:
        raise FormatError("the text grows too long")
    return concatenate([" " * before, text, " " * after])


def _truncate(arguments: list[object]) -> object:
    """Cut to a number of bytes, through a character if need be."""
    text, length = str(arguments[0]), arguments[1]
    if not isinstance(length, int) or length < 0:
        raise FormatError(f"runtime error: slice bounds out of range [:{length}]")
    raw = to_bytes(text)
    return text if len(raw) < length else from_bytes(raw[:length])


def _json(arguments: list[object]) -> object:
    value = arguments[0]
    return dumps_row(value.document) if isinstance(value, Record) else dumps(value)


# Lists, maps and their parts.


def _len(arguments: list[object]) -> object:
    value = arguments[0]
    if isinstance(value, str):
        return len(to_bytes(value))
    if isinstance(value, list | dict):
        return len(value)
    if value is None:
        raise FormatError("reflect: call of reflect.Value.Type on zero Value")
    raise FormatError(f"len of type {_bare_type(value)}")


def _bare_type(value: object) -> str:
    return type_name(value).removeprefix("*")


def _position(index: object, length: int) -> int:
    """An index that must lie in 0 … length."""
    if index is None:
        raise FormatError("cannot index slice/array with nil")
    if not isinstance(index, int) or isinstance(index, bool):
        raise FormatError(f"cannot index slice/array with type {type_name(index)}")
    if not 0 <= index <= length:
        raise FormatError(f"index out of range: {index}")
    return index


def _index(arguments: list[object]) -> object:
    value, *indices = arguments
    if value is None:
        raise FormatError("index of untyped nil")
    for index in indices:
        if value is None:
            raise FormatError("index of nil pointer")
        if isinstance(value, dict):
            if not isinstance(index, str):
                wrong = "value is nil" if index is None else f"value has type {type_name(index)}"
                raise FormatError(f"{wrong}; should be {'of type ' if index is None else ''}string")
            value = value.get(index)
        elif isinstance(value, str | list):
            items = to_bytes(value) if isinstance(value, str) else value
            place = _position(index, len(items))
            if place == len(items):
                raise FormatError(f"index out of range: {place}")
            value = items[place]
        else:
            raise FormatError(f"can't index item of type {_bare_type(value)}")
    return value


def _slice(arguments: list[object]) -> object:
    value, *indices = arguments
    if value is None:
        raise FormatError("slice of untyped nil")
    if len(indices) > 3:
        raise FormatError(f"too many slice indexes: {len(indices)}")
    if not isinstance(value, str | list):
        raise FormatError(f"can't slice item of type {_bare_type(value)}")
    if isinstance(value, str) and len(indices) == 3:
        raise FormatError("cannot 3-index slice a string")
    items = to_bytes(value) if isinstance(value, str) else value
    bounds = [_position(index, len(items)) for index in indices]
    for low, high in pairwise(bounds):
        if low > high:
            raise FormatError(f"invalid slice index: {low} > {high}")
    cut = items[slice(*bounds[:2])] if len(bounds) > 1 else items[bounds[0] if bounds else 0 :]
    return from_bytes(cut) if isinstance(cut, bytes) else cut


# Comparisons: only between values of one kind.


def _kind(value: object) -> str:
    return type_name(value) if isinstance(value, str | int | float) else ""


def _eq(arguments: list[object]) -> object:
    first, *others = arguments
    if not others:
        raise FormatError("missing argument for comparison")
    for other in others:
        if _kind(first) != _kind(other):
            if first is not None and other is not None:
                raise FormatError("incompatible types for comparison")
        elif first is not None and other is not None and not _kind(first):
            raise FormatError(f"non-comparable type {show(first)}: {type_name(first)}")
        elif first == other:
            return True
    return False


def _less(first: object, second: object) -> bool:
    if not _kind(first) or not _kind(second):
        raise FormatError("invalid type for comparison")
    if _kind(first) != _kind(second):
        raise FormatError("incompatible types for comparison")
    if isinstance(first, str) and isinstance(second, str):
        return to_bytes(first) < to_bytes(second)
    if isinstance(first, bool) or not isinstance(first, int | float) or not isinstance(second, int | float):
        raise FormatError("invalid type for comparison")
    return first < second


def _call(arguments: list[object]) -> object:
    if arguments[0] is None:
        raise FormatError("call of nil")
    raise FormatError(f"non-function of type {_bare_type(arguments[0])}")


# Escapes of the text of all arguments.

_HTML = {0: "\ufffd", 34: "&#34;", 39: "&#39;", 38: "&amp;", 60: "&lt;", 62: "&gt;"}
_JS = {92: "\\\\", 39: "\\'", 34: '\\"', 60: "\\u003C", 62: "\\u003E", 38: "\\u0026", 61: "\\u003D"}


def _plain(arguments: list[object]) -> str:
    """The arguments as text, as an action prints them."""
    return sprint(["<no value>" if value is None else value for value in arguments])


def _html(arguments: list[object]) -> object:
    return concatenate([_plain(arguments).translate(_HTML)])


def _js(arguments: list[object]) -> object:
    def escape(character: str) -> str:
        code = ord(character)
        if code in _JS:
            return _JS[code]
        return character if character.isprintable() or code == 0x7F else f"\\u{code:04X}"

    return concatenate([escape(character) for character in _plain(arguments)])


def _urlquery(arguments: list[object]) -> object:
    return concatenate([quote_plus(to_bytes(_plain(arguments)), safe="~")])


FUNCTIONS: Mapping[str, Function] = {
    # `and` and `or` are evaluated by the executor, which stops at the first argument that decides.
    "and": Function(("any",), "any", lambda a: a[-1]),
    "or": Function(("any",), "any", lambda a: a[-1]),
    "not": Function(("any",), None, lambda a: not truth(a[0])),
    "len": Function(("any",), None, _len),
    "index": Function(("any",), "any", _index),
    "slice": Function(("any",), "any", _slice),
    "print": Function((), "any", sprint),
    "println": Function((), "any", sprintln),
    "printf": Function(("string",), "any", lambda a: sprintf(str(a[0]), a[1:])),
    "html": Function((), "any", _html),
    "js": Function((), "any", _js),
    "urlquery": Function((), "any", _urlquery),
    "call": Function(("any",), "any", _call),
    "eq": Function(("any",), "any", _eq),
    "ne": Function(("any", "any"), None, lambda a: not _eq(a)),
    "lt": Function(("any", "any"), None, lambda a: _less(a[0], a[1])),
    "le": Function(("any", "any"), None, lambda a: _less(a[0], a[1]) or _eq(a)),
    "gt": Function(("any", "any"), None, lambda a: not (_less(a[0], a[1]) or _eq(a))),
    "ge": Function(("any", "any"), None, lambda a: not _less(a[0], a[1])),
    "json": Function(("any",), None, _json),
    "split": Function(("string", "string"), None, _split),
    "join": Function(("[]string", "string"), None, _join),
    "title": Function(("string",), None, _title),
    "lower": Function(("string",), None, _each(str.lower)),
    "upper": Function(("string",), None, _each(str.upper)),
    "pad": Function(("string", "int", "int"), None, _pad),
    "truncate": Function(("string", "int"), None, _truncate),
}


def _name(arguments: list[object]) -> object:
    return arguments[0]


HEADER_FUNCTIONS: Mapping[str, Function] = {
    **FUNCTIONS,
    **dict.fromkeys(("json", "title", "lower", "upper"), Function(("string",), None, _name)),
    **dict.fromkeys(("split", "join"), Function(("string", "string"), None, _name)),
    "truncate": Function(("string", "int"), None, _name),
}
"""The same in the line of column names, which docker's own functions leave as they are."""
