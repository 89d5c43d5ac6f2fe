"""Words of a Go template.

The grammar is that of Go's text/template (1.24, with which docker's client is built).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .gofmt import quote

SPACES = " \t\r\n"
LEFT, RIGHT = "{{", "}}"
KEYWORDS = frozenset(
    {".", "block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with"}
)


class Token(NamedTuple):
    """One word: its kind, where it begins (characters from the start), its text as written, and its line."""

    kind: str
    position: int
    text: str
    line: int

    def __str__(self) -> str:
        """The token as Go names it in a message."""
        if self.kind == "EOF":
            return "EOF"
        if self.kind == "error":
            return self.text
        if self.kind in KEYWORDS:
            return f"<{self.text}>"
        return f"{quote(self.text[:10])}..." if len(self.text) > 10 else quote(self.text)


_RIGHT_DELIMITER = re.compile(rf"(?:[{SPACES}]-)?\}}\}}")
_COMMENT = re.compile(rf"(?:-[{SPACES}])?/\*")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)"
)
_QUOTED = {
    '"': (re.compile(r'"(?:[^"\\\n]|\\[^\n])*"'), "string", "unterminated quoted string"),
    "`": (re.compile(r"`[^`]*`"), "string", "unterminated raw quoted string"),
    "'": (re.compile(r"'(?:[^'\\\n]|\\[^\n])*'"), "char", "unterminated character constant"),
}
_SIGNS = {"=": "assign", ":=": "declare", "|": "pipe", "(": "(", ")": ")"}


class LexError(Exception):
    """The text holds something that is no word of a template; its message is Go's."""


def tokens(text: str) -> Iterator[Token]:
    """The words of `text` in order; the last one is of kind `EOF` or `error`.

    Kinds: `text`, `{{`, `}}`, `space`, `identifier`, `field`, `variable`, `bool`, `string`, `char`, `number`,
    `assign`, `declare`, `pipe`, `(`, `)`, `mark` (any other sign), and each of `KEYWORDS`.
    """
    return _Lexer(text).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.line = 1
        self.depth = 0

    def run(self) -> Iterator[Token]:
        while True:
            left = self.text.find(LEFT, self.position)
            end = left if left >= 0 else len(self.text)
            trimmed = end
            if left >= 0 and _is_trim_marker(self.text, left + 2):
                trimmed = self.position + len(self.text[self.position : end].rstrip(SPACES))
            if trimmed > self.position:
                yield self.token("text", trimmed)
            self.skip(end)
            if left < 0:
                yield self.token("EOF", end)
                return
            try:
                if not self.comment():
                    yield from self.action()
            except LexError as error:
                yield Token("error", self.position, str(error), self.line)
                return

    def token(self, kind: str, end: int) -> Token:
        made = Token(kind, self.position, self.text[self.position : end], self.line)
        self.skip(end)
        return made

    def skip(self, end: int) -> None:
        self.line += self.text.count("\n", self.position, end)
        self.position = end

    def skip_right_delimiter(self, end: int) -> None:
        """Go past a `}}` that ends at `end`, and past the blanks after it if it was ` -}}`."""
        trims = self.text[self.position] != "}"
        self.skip(end)
        if trims:
            rest = self.text[end:]
            self.skip(len(self.text) - len(rest.lstrip(SPACES)))

    def comment(self) -> bool:
        """Skip `{{/* … */}}` if one stands here."""
        opening = _COMMENT.match(self.text, self.position + len(LEFT))
        if not opening:
            return False
        closing = self.text.find("*/", opening.end())
        if closing < 0:
            raise LexError("unclosed comment")
        right = _RIGHT_DELIMITER.match(self.text, closing + 2)
        if not right:
            raise LexError("comment ends before closing delimiter")
        self.skip(closing + 2)
        self.skip_right_delimiter(right.end())
        return True

    def action(self) -> Iterator[Token]:
        yield self.token("{{", self.position + len(LEFT))
        if _is_trim_marker(self.text, self.position):
            self.skip(self.position + 2)
        self.depth = 0
        while True:
            right = _RIGHT_DELIMITER.match(self.text, self.position)
            if right:
                if self.depth:
                    raise LexError("unclosed left paren")
                yield Token("}}", right.end() - 2, RIGHT, self.line)
                self.skip_right_delimiter(right.end())
                return
            yield self.word()

    def word(self) -> Token:
        """The next word inside an action."""
        text, start = self.text, self.position
        if start >= len(text):
            raise LexError("unclosed action")
        first = text[start]
        if first in SPACES:
            return self.token("space", self.end_of_spaces())
        if first in _QUOTED:
            pattern, kind, message = _QUOTED[first]
            found = pattern.match(text, start)
            if not found:
                raise LexError(message)
            return self.token(kind, found.end())
        numeral = first in _DIGITS or first in "+-" or (first == "." and text[start + 1 : start + 2] in _DIGITS)
        if numeral:
            return self.number()
        if first in "$." or _is_word(first):
            return self.name()
        return self.sign(first)

    def end_of_spaces(self) -> int:
        """Where a run of blanks ends; the last one belongs to a ` -}}` that follows."""
        end = self.position
        while end < len(self.text) and self.text[end] in SPACES:
            end += 1
        return end - 1 if self.text.startswith("-}}", end) else end

    def sign(self, first: str) -> Token:
        if first == ":":
            if not self.text.startswith(":=", self.position):
                raise LexError("expected :=")
            first = ":="
        if first == "(":
            self.depth += 1
        if first == ")":
            self.depth -= 1
            if self.depth < 0:
                raise LexError("unexpected right paren")
        if not (first.isascii() and first.isprintable()):
            raise LexError(f"unrecognized character in action: {code_point(first)}")
        return self.token(_SIGNS.get(first, "mark"), self.position + len(first))

    def name(self) -> Token:
        """An identifier, a keyword, `.`, `.Field`, `$` or `$variable`."""
        start = self.position
        end = start + 1
        while end < len(self.text) and _is_word(self.text[end]):
            end += 1
        following = self.text[end : end + 1]
        if following and following not in SPACES + ".,|:)(" and not self.text.startswith(RIGHT, end):
            raise LexError(f"bad character {code_point(following)}")
        word = self.text[start:end]
        if word in KEYWORDS:
            kind = word
        elif word in ("true", "false"):
            kind = "bool"
        else:
            kind = {"$": "variable", ".": "field"}.get(word[0], "identifier")
        return self.token(kind, end)

    def number(self) -> Token:
        found = _NUMBER.match(self.text, self.position)
        end = found.end() if found else self.position
        if end < len(self.text) and _is_word(self.text[end]):
            raise LexError(f"bad number syntax: {quote(self.text[self.position : end + 1])}")
        return self.token("number", end)


_DIGITS = frozenset("0123456789")


def _is_word(character: str) -> bool:
    """A letter, a decimal digit or `_`, as in Go's identifiers."""
    return character == "_" or character.isalpha() or character.isdecimal()


def _is_trim_marker(text: str, position: int) -> bool:
    return text.startswith("-", position) and text[position + 1 : position + 2] in (*SPACES,)


def code_point(character: str) -> str:
    """A character as Go's `%#U` prints it: `U+0041 'A'`."""
    name = f"U+{ord(character):04X}"
    return f"{name} '{character}'" if character.isprintable() else name
