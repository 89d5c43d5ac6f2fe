"""How Go prints values: fmt's `Sprint`, `Sprintf` and `%q`.

Strings of a template are Python strings in which a byte that is not part of a character (half of one, cut off by
`slice` or `truncate`) is a surrogate as made by `surrogateescape`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite, isnan

MAX_TEXT = 1 << 20
"""The longest text that one function may make, in characters: `printf "%9999999d"` must not eat the memory."""

_TOO_LARGE = 1_000_000  # Go's own bound of a width or precision


class FormatError(Exception):
    """A function cannot give a result; the message is what Go says."""


class Record:
    """What `.` is in a row: named fields, and `document`, the object that `{{json .}}` prints."""

    __slots__ = ("document", "fields", "type_name")

    def __init__(self, fields: Mapping[str, object], document: Mapping[str, object], type_name: str) -> None:
        self.fields = fields
        self.document = document
        self.type_name = type_name


def type_name(value: object) -> str:
    """The name of the Go type that `value` would have."""
    if value is None:
        return "<nil>"
    if isinstance(value, Record):
        return value.type_name
    if isinstance(value, list):
        return "[]string" if value and all(isinstance(item, str) for item in value) else "[]interface {}"
    names: dict[type, str] = {str: "string", bool: "bool", int: "int", float: "float64"}
    return names.get(type(value), "map[string]interface {}")


def to_bytes(text: str) -> bytes:
    """The UTF-8 of `text`, single bytes restored."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", text).encode("utf-8", "surrogateescape")


def from_bytes(raw: bytes) -> str:
    """The text of `raw`; bytes that are not UTF-8 are kept as surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def concatenate(parts: Iterable[str], separator: str = "") -> str:
    """The parts as one text. Raises FormatError as soon as that is longer than `MAX_TEXT`."""
    taken: list[str] = []
    length = 0
    for part in parts:
        length += len(part) + len(separator)
        if length > MAX_TEXT:
            raise FormatError("the text grows too long")
        taken.append(part)
    return separator.join(taken)


_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\"}


def _quote_character(character: str, mark: str) -> str:
    code = ord(character)
    if character == mark:
        return "\\" + mark
    if code in _ESCAPES:
        return _ESCAPES[code]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote(text: str, mark: str = '"') -> str:
    """`text` as a Go literal, as strconv.Quote writes it."""
    return mark + "".join(_quote_character(character, mark) for character in text) + mark


def show(value: object) -> str:
    """`value` as fmt's `%v` prints it."""
    return _formatted(value, "v", _Flags())


def sprint(values: Sequence[object]) -> str:
    """fmt.Sprint: a blank between two neighbours of which neither is a string."""

    def parts() -> Iterator[str]:
        for index, value in enumerate(values):
            if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
                yield " "
            yield show(value)

    return concatenate(parts())


def sprintln(values: Sequence[object]) -> str:
    """fmt.Sprintln: a blank between all, and a newline."""
    return concatenate(map(show, values), " ") + "\n"


def sprintf(pattern: str, values: Sequence[object]) -> str:
    """fmt.Sprintf, with its remarks about wrong use such as `%!d(string=x)` in the text."""
    return _Printf(pattern, values).run()


class _Flags:
    """What stands between `%` and the verb."""

    __slots__ = ("minus", "plus", "precision", "sharp", "space", "width", "zero")

    def __init__(self) -> None:
        self.plus = self.minus = self.sharp = self.space = self.zero = False
        self.width: int | None = None
        self.precision: int | None = None

    def pad(self, text: str) -> str:
        if self.width is None:
            return text
        if self.minus:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if self.zero else " ")

    def pad_number(self, sign: str, digits: str) -> str:
        """Pad between sign and digits if zeros are wanted."""
        if self.zero and not self.minus and self.width is not None:
            return sign + digits.rjust(self.width - len(sign), "0")
        return self.pad(sign + digits)

    def sign(self, negative: bool) -> str:
        return "-" if negative else "+" if self.plus else " " if self.space else ""


_FLAG_NAMES = {"+": "plus", "-": "minus", "#": "sharp", " ": "space", "0": "zero"}


class _Printf:
    """One run of Sprintf, after fmt's doPrintf."""

    def __init__(self, pattern: str, values: Sequence[object]) -> None:
        self.pattern = pattern
        self.values = values
        self.at = 0
        self.argument = 0
        self.reordered = False
        self.bad_index = False
        self.after_index = False

    def run(self) -> str:
        return concatenate(self.parts())

    def parts(self) -> Iterator[str]:
        while self.at < len(self.pattern):
            percent = self.pattern.find("%", self.at)
            if percent < 0:
                percent = len(self.pattern)
            yield self.pattern[self.at : percent]
            self.at = percent + 1
            if percent < len(self.pattern):
                yield self.directive()
        if not self.reordered and self.argument < len(self.values):
            rest = self.values[self.argument :]
            yield "%!(EXTRA " + concatenate(map(_typed, rest), ", ") + ")"

    def directive(self) -> str:
        """The text for one `%…`; `at` stands after the percent sign."""
        flags = _Flags()
        self.bad_index = self.after_index = False
        while self.peek() in _FLAG_NAMES:
            setattr(flags, _FLAG_NAMES[self.take()], True)
        remarks = ""
        self.argument_index()
        flags.width, remark = self.size("WIDTH")
        remarks += remark
        if flags.width is not None and flags.width < 0:
            flags.width, flags.minus = -flags.width, True
        if self.peek() == ".":
            self.take()
            if self.after_index:  # "%[3].2d"
                self.bad_index = True
            self.argument_index()
            precision, remark = self.size("PREC")
            remarks += remark
            flags.precision = precision or 0
            if precision is not None and precision < 0:
                flags.precision = None
                remarks += "%!(BADPREC)"
            elif remark:
                flags.precision = None
        if not self.after_index:
            self.argument_index()
        return remarks + self.verb(flags)

    def verb(self, flags: _Flags) -> str:
        if self.at >= len(self.pattern):
            return "%!(NOVERB)"
        verb = self.take()
        if verb == "%":
            return "%"
        if self.bad_index:
            return f"%!{verb}(BADINDEX)"
        if self.argument >= len(self.values):
            return f"%!{verb}(MISSING)"
        value = self.values[self.argument]
        self.argument += 1
        return _formatted(value, verb, flags)

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def size(self, name: str) -> tuple[int | None, str]:
        """A width or precision, literal or from an argument (`*`), and the remark if it is no good."""
        if self.peek() == "*":
            self.take()
            value = self.values[self.argument] if self.argument < len(self.values) else None
            self.argument = min(self.argument + 1, len(self.values))
            self.after_index = False
            if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _TOO_LARGE:
                return None, f"%!(BAD{name})"
            return value, ""
        start = self.at
        while self.peek() and self.peek() in "0123456789":
            self.take()
        digits = self.pattern[start : self.at]
        if not digits:
            return None, ""
        if self.after_index and name == "WIDTH":  # "%[3]2d"
            self.bad_index = True
        if len(digits.lstrip("0")) > 7 or int(digits) > _TOO_LARGE:
            self.at = len(self.pattern)  # as Go: the rest of the pattern is lost
            return None, ""
        return int(digits), ""

    def argument_index(self) -> None:
        """`[n]`: the next argument is the n-th."""
        if self.peek() != "[":
            return
        self.reordered = True
        close = self.pattern.find("]", self.at)
        if close < 0:
            self.bad_index = True
            self.at += 1
            return
        number = self.pattern[self.at + 1 : close]
        self.at = close + 1
        if number.isascii() and number.isdigit() and len(number) < 8 and 0 < int(number) <= len(self.values):
            self.argument = int(number) - 1
            self.after_index = True
        else:
            self.bad_index = True


def _typed(value: object) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={show(value)}"


def _bad_verb(value: object, verb: str) -> str:
    return f"%!{verb}({_typed(value)})"


def _formatted(value: object, verb: str, flags: _Flags) -> str:
    """One value under one verb."""
    if verb == "T":
        return flags.pad(type_name(value))
    if verb == "v" and flags.sharp:
        return flags.pad(_go_syntax(value))
    if value is None:
        return flags.pad("<nil>") if verb == "v" else _bad_verb(value, verb)
    if isinstance(value, list):
        return "[" + concatenate((_formatted(item, verb, flags) for item in value), " ") + "]"
    if isinstance(value, Record):
        value = value.fields
    if isinstance(value, Mapping):
        pairs = ((str(key), value[key]) for key in sorted(value, key=str))
        shown = (f"{_formatted(key, verb, flags)}:{_formatted(item, verb, flags)}" for key, item in pairs)
        return "map[" + concatenate(shown, " ") + "]"
    printer = _PRINTERS.get(type(value))
    if printer is None:
        return flags.pad(str(value))
    text = printer(value, verb, flags)
    return _bad_verb(value, verb) if text is None else text


def _go_syntax(value: object) -> str:
    """`%#v`."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return f"{type_name(value)}{{" + concatenate(map(_go_syntax, value), ", ") + "}"
    if isinstance(value, Record):
        value = value.fields
    if isinstance(value, Mapping):
        pairs = (f"{quote(str(key))}:{_go_syntax(value[key])}" for key in sorted(value, key=str))
        return "map[string]interface {}{" + concatenate(pairs, ", ") + "}"
    return show(value)


def _print_bool(value: object, verb: str, flags: _Flags) -> str | None:
    return flags.pad("true" if value else "false") if verb in ("t", "v") else None


def _print_string(value: object, verb: str, flags: _Flags) -> str | None:
    text = str(value)
    if verb in ("s", "v"):
        return flags.pad(text[: flags.precision])
    if verb == "q":
        text = text[: flags.precision]
        plain = flags.sharp and "`" not in text and text.replace("\t", " ").isprintable()
        return flags.pad(f"`{text}`" if plain else quote(text))
    if verb in ("x", "X"):
        return flags.pad(_hex_string(to_bytes(text)[: flags.precision], verb, flags))
    return None


def _hex_string(raw: bytes, verb: str, flags: _Flags) -> str:
    prefix = f"0{verb}" if flags.sharp else ""
    digits = raw.hex(" ") if flags.space and raw else raw.hex()
    if verb == "X":
        digits = digits.upper()
    if flags.space and raw:
        return " ".join(prefix + pair for pair in digits.split(" "))
    return prefix + digits if raw else ""


_BASES = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}


def _print_int(value: object, verb: str, flags: _Flags) -> str | None:
    number = value if isinstance(value, int) else 0
    if verb in _BASES:
        digits = format(abs(number), _BASES[verb])
        if flags.precision is not None:
            digits = "" if flags.precision == 0 and number == 0 else digits.rjust(flags.precision, "0")
            flags.zero = False
        elif flags.zero and not flags.minus and flags.width is not None:
            digits = digits.rjust(flags.width - len(flags.sign(number < 0)), "0")
        prefix = "0o" if verb == "O" else _PREFIXES.get(verb, "") if flags.sharp else ""
        if prefix == "0" and digits.startswith("0"):
            prefix = ""
        return flags.pad(flags.sign(number < 0) + prefix + digits)
    if verb not in ("c", "q", "U"):
        return None
    character = chr(number) if 0 <= number <= 0x10FFFF and not 0xD800 <= number < 0xE000 else "\ufffd"
    if verb == "c":
        return flags.pad(character)
    if verb == "q":
        return flags.pad(quote(character, "'"))
    shown = f" '{character}'" if flags.sharp and character.isprintable() else ""
    return flags.pad(f"U+{number & 0xFFFFFFFFFFFFFFFF:04X}{shown}")


def _print_float(value: object, verb: str, flags: _Flags) -> str | None:
    number = value if isinstance(value, float) else 0.0
    if verb not in ("v", "e", "E", "f", "F", "g", "G"):
        return None
    if not isfinite(number):
        flags.zero = False
        text = "NaN" if isnan(number) else "Inf"
        return flags.pad((flags.sign(number < 0) or ("+" if text == "Inf" else "")) + text)
    style = {"v": "g", "F": "f"}.get(verb, verb)
    precision = flags.precision
    if precision is None and style in "gG":
        digits = _shortest(abs(number))
        digits = digits.upper() if style == "G" else digits
    else:
        digits = format(abs(number), f".{6 if precision is None else precision}{style}")
    return flags.pad_number(flags.sign(str(number).startswith("-")), digits)


def _shortest(number: float) -> str:
    """The fewest digits that name this number; an exponent below -4 and from 6 on, as fmt's `%v`."""
    if number and not 1e-4 <= number < 1e6:
        mantissa, exponent = _decimal(number)
        point = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
        return f"{mantissa[0]}{point}e{exponent:+03d}"
    return repr(number).removesuffix(".0")


def _decimal(number: float) -> tuple[str, int]:
    mantissa, exponent = format(number, "e").split("e")
    for precision in range(18):
        mantissa, exponent = format(number, f".{precision}e").split("e")
        if float(f"{mantissa}e{exponent}") == number:
            break
    return mantissa.replace(".", ""), int(exponent)


_PRINTERS: dict[type, Callable[[object, str, _Flags], str | None]] = {
    bool: _print_bool,
    str: _print_string,
    int: _print_int,
    float: _print_float,
}
