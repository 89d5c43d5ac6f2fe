"""Docker's tables, and what text needs before it stands in one.

The layout is that of Go's text/tabwriter as docker's client uses it; widths are those of go-runewidth, which the
client asks since 23.0. Both were compared with docker 28.2. Plain ASCII, nearly all there is, costs no look at
the Unicode tables.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

MIN_WIDTH = 10
PADDING = 3


def table(rows: Sequence[Sequence[str]], min_width: int = MIN_WIDTH, padding: int = PADDING) -> Iterator[str]:
    """Lines of a table whose rows all have the same number of cells.

    A column is as wide as its widest cell and `padding`, at least `min_width`; the last one is not padded. Cells
    must hold no tabs or newlines: see `visible`.
    """
    if not rows:
        return
    widths = [
        max(min_width, max(map(cell_width, column)) + padding) for column in list(zip(*rows, strict=True))[:-1]
    ]
    for row in rows:
        padded = [cell + " " * (width - cell_width(cell)) for cell, width in zip(row[:-1], widths, strict=True)]
        yield "".join(padded) + row[-1]


def align(text: str, min_width: int = MIN_WIDTH, padding: int = PADDING) -> Iterator[str]:
    r"""Lines of free text with its tabs made columns, as Go's text/tabwriter does.

    A tab (or `\v`) ends a cell. Cells that stand in the same place of neighbouring lines make a column; a line
    without such a cell ends it, and so does a form feed, which is a line break too.
    """
    for page in text.split("\f"):
        lines = [re.split("[\t\v]", line) for line in page.split("\n")]
        widths: list[list[int]] = [[] for _ in lines]
        for column in range(max(map(len, lines)) - 1):
            for first, end in _blocks(lines, column):
                wanted = max(cell_width(lines[index][column]) for index in range(first, end)) + padding
                for index in range(first, end):
                    widths[index].append(max(min_width, wanted))
        for cells, cell_widths in zip(lines, widths, strict=True):
            padded = [c + " " * (w - cell_width(c)) for c, w in zip(cells[:-1], cell_widths, strict=True)]
            yield "".join(padded) + cells[-1]


def _blocks(lines: Sequence[Sequence[str]], column: int) -> Iterator[tuple[int, int]]:
    """The runs (first, end) of neighbouring lines in which the cell `column` ends with a tab."""
    first = None
    for index, cells in enumerate(lines):
        inside = len(cells) > column + 1
        if inside and first is None:
            first = index
        elif not inside and first is not None:
            yield first, index
            first = None
    if first is not None:
        yield first, len(lines)


def ellipsis(text: str, width: int = 45) -> str:
    """`text`, cut to `width` columns with `…` as docker's client (17.11 and later) cuts descriptions.

    Here, unlike in `cell_width`, every character counts 1, and 2 if it is East Asian wide.
    """
    if text.isascii():
        return text if len(text) <= width else text[: width - 1] + "…"
    from unicodedata import east_asian_width

    kept = columns = 0
    for index, character in enumerate(text):
        columns += 2 if _is_wide(character, east_asian_width) else 1
        if columns < width:
            kept = index + 1
        if columns > width:
            return text[:kept] + "…"
    return text


def visible(text: str) -> str:
    """`text` as it may reach a terminal: one line, and nothing in it acts.

    A newline or carriage return becomes a blank; any other C0 control character its picture (U+2400 and on), DEL
    U+2421; C1 controls, line separators, lone surrogates, and the marks that turn the direction of writing become
    U+FFFD. Joiners and variation selectors stay: emoji are made of them.
    """
    if text.isprintable():
        return text
    return text.translate(_replacements())


@cache
def _replacements() -> dict[int, int | str]:
    table: dict[int, int | str] = {code: 0x2400 + code for code in range(0x20)}
    table |= dict.fromkeys((0x0A, 0x0D), " ")
    table[0x7F] = 0x2421
    unsafe = [0x061C, 0x200E, 0x200F, 0x2028, 0x2029]
    spans = [range(0x80, 0xA0), range(0x202A, 0x202F), range(0x2066, 0x206A), range(0xD800, 0xE000)]
    return table | dict.fromkeys(unsafe, 0xFFFD) | {code: 0xFFFD for span in spans for code in span}


def cell_width(text: str) -> int:
    """The columns `text` takes on a terminal, as go-runewidth counts them for docker's tables.

    A grapheme cluster is as wide as its first character that has a width: wide characters and emoji 2, joiners and
    control characters 0, and characters of ambiguous width 2 in an East Asian locale (`ambiguous_is_wide`).
    """
    if text.isascii() and text.isprintable():
        return len(text)
    return _clusters_width(text, 2 if ambiguous_is_wide() else 1)


def _clusters_width(text: str, ambiguous: int) -> int:
    from unicodedata import category, east_asian_width

    total = 0
    previous = ""
    joined = 0  # how many regional indicators the last cluster has
    pictograph = False  # the last cluster can be continued by a joiner and a pictograph
    for character in text:
        kind = category(character)
        indicator = "\U0001f1e6" <= character <= "\U0001f1ff"
        if indicator and joined == 1 and previous >= "\U0001f1e6":
            joined = 2
        elif not (
            (previous and _continues(character, kind))
            or (previous == "\u200d" and pictograph and _is_pictograph(character, kind))
            or _continues_hangul(previous, character)
        ):
            total += _character_width(character, kind, ambiguous, east_asian_width)
            pictograph = _is_pictograph(character, kind)
            joined = 1 if indicator else 0
        previous = character
    return total


_NOT_SPACING = frozenset("\u102b\u102c\u1038\u1083\u108f\u1a61\u1a63\u1a64\uaa7b\uaa7d")
"""Marks that Unicode's GraphemeBreakProperty keeps apart though their category is Mc (the common ones)."""


def _continues(character: str, kind: str) -> bool:
    """Whether a character joins the grapheme cluster before it (Extend, SpacingMark, ZWJ)."""
    if kind[0] == "M":
        return character not in _NOT_SPACING
    return (
        character in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, in the flags of regions
    )


def _continues_hangul(previous: str, character: str) -> bool:
    """Whether two conjoining letters (jamo) stand in one syllable."""
    if "\u1100" <= character <= "\u115f" or "\uac00" <= character <= "\ud7a3":
        return "\u1100" <= previous <= "\u115f"
    if "\u1160" <= character <= "\u11ff":
        return "\u1100" <= previous <= "\u11ff" or "\uac00" <= previous <= "\ud7a3"
    return False


def _is_pictograph(character: str, kind: str) -> bool:
    """Nearly Unicode's Extended_Pictographic, for which the standard library has no table."""
    if kind not in ("So", "Sm", "Po", "Cn"):
        return False
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return False
    return character in "©®" or "\u203c" <= character <= "\u3299" or "\U0001f000" <= character <= "\U0001faff"


def _is_wide(character: str, east_asian_width: Callable[[str], str]) -> bool:
    if east_asian_width(character) in "WF":
        # Python 3.11 calls every character F that is not assigned yet; Unicode plans only some to be wide.
        assigned = character.isprintable() or character == "\u3000"
        planned = "\U00020000" <= character <= "\U0003fffd" or "\U0001fa70" <= character <= "\U0001faff"
        return assigned or planned
    return False


def _character_width(character: str, kind: str, ambiguous: int, east_asian_width: Callable[[str], str]) -> int:
    """The width of the first character of a cluster."""
    if kind in ("Cc", "Zl", "Zp", "Mn", "Me"):
        return 0
    if kind == "Cf":
        shown = character not in "\u00ad\u070f\u180e\ufeff" and not "\u200b" <= character <= "\u202e"
        return 0 if not shown or "\u206a" <= character <= "\u206f" or "\ufff9" <= character <= "\ufffb" else 1
    if _is_wide(character, east_asian_width):
        return 2
    return ambiguous if east_asian_width(character) == "A" else 1


_WIDE_CHARSETS = frozenset(
    ("utf-8", "utf8", "jis", "eucjp", "euckr", "euccn", "sjis", "big5", "gbk", "gb2312")
) | {"cp932", "cp51932", "cp936", "cp949", "cp950"}


@cache
def ambiguous_is_wide() -> bool:
    """Whether characters of ambiguous width (`é`, `…`, Greek, box drawing) take 2 columns here.

    go-runewidth's rule: RUNEWIDTH_EASTASIAN=1 says yes and another value no. Otherwise the locale (LC_ALL,
    LC_CTYPE or LANG) must name an East Asian character set, or UTF-8 with the language ja, ko or zh.
    """
    forced = os.environ.get("RUNEWIDTH_EASTASIAN", "")
    if forced:
        return forced == "1"
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    found = re.match(r"[a-z]{2,3}(?:_[A-Z]{2})?\.(.+)", locale)
    charset = (found[1] if found else locale).lower()
    if locale.startswith(("C.", "C-")) or charset.endswith("@cjk_narrow"):
        return False
    charset = charset.partition("@")[0]
    return charset in _WIDE_CHARSETS and (charset[0] != "u" or locale.startswith(("ja", "ko", "zh")))
