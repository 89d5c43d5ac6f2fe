"""From the words of a Go template to its nodes, after Go's text/template/parse (1.24); messages are Go's."""

import re
from collections.abc import Collection

from hubindex.errors import InvalidTemplate

from .gofmt import from_bytes, quote
from .lexer import Token, tokens
from .nodes import (
    Action,
    Body,
    Bool,
    Branch,
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Invocation,
    Item,
    Jump,
    Nil,
    Number,
    Operand,
    Pipe,
    String,
    Text,
    Variable,
)

MAX_DEPTH = 50
"""How deep parentheses and control structures may be nested; far below what Python's stack bears."""

_OPERANDS = frozenset({"bool", "char", ".", "field", "identifier", "number", "nil", "string", "variable", "("})
_NOT_A_COMMAND = (Bool, Dot, Nil, Number, String)


def parse(text: str, functions: Collection[str]) -> dict[str, Body]:
    """The templates in `text` by name; the text itself is named `""`, the others come from `define` and `block`.

    Raises InvalidTemplate for text that Go's parser refuses, and for nesting deeper than `MAX_DEPTH`.
    """
    parser = _Parser(text, functions)
    parser.add("", parser.main())
    return parser.templates


class _Parser:
    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.source = tokens(text)
        self.functions = functions
        self.templates: dict[str, Body] = {}
        self.words: list[Token] = []  # all words read from the source so far
        self.at = 0
        self.variables = ["$"]
        self.depth = 0
        self.range_depth = 0
        self.action_line = 0

    # Words.

    def peek(self) -> Token:
        if self.at == len(self.words):
            word = next(self.source, None)
            self.words.append(word or self.words[-1])  # EOF and errors stay the last word
        return self.words[self.at]

    def next(self) -> Token:
        word = self.peek()
        self.at += 1
        return word

    def peek_word(self) -> Token:
        """The next word that is not a blank; the blanks before it are gone."""
        while self.peek().kind == "space":
            self.at += 1
        return self.peek()

    def next_word(self) -> Token:
        word = self.peek_word()
        self.at += 1
        return word

    # Complaints.

    def error(self, message: str) -> InvalidTemplate:
        line = self.words[-1].line if self.words else 1
        return InvalidTemplate(f"template parsing error: template: :{line}: {message}")

    def unexpected(self, word: Token, context: str) -> InvalidTemplate:
        if word.kind != "error":
            return self.error(f"unexpected {word} in {context}")
        extra = ""
        if self.action_line and self.action_line != word.line:
            extra = f" in action started at :{self.action_line}"
            if word.text.endswith(" action"):
                extra = extra.removeprefix(" in action")
        return self.error(f"{word}{extra}")

    def expect(self, kind: str, context: str) -> Token:
        word = self.next_word()
        if word.kind != kind:
            raise self.unexpected(word, context)
        return word

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested too deeply (more than {MAX_DEPTH} levels)")

    # Text and actions.

    def main(self) -> Body:
        items: list[Item] = []
        while self.peek().kind != "EOF":
            start = self.at
            if self.next().kind == "{{" and self.next_word().kind == "define":
                self.definition()
                continue
            self.at = start
            item = self.item()
            if isinstance(item, str):
                raise self.error(f"unexpected {{{{{item}}}}}")
            items.append(item)
        return tuple(items)

    def add(self, name: str, body: Body) -> None:
        known = self.templates.get(name, ())
        if _is_empty(known):
            self.templates[name] = body
        elif not _is_empty(body):
            raise self.error(f"template: multiple definition of template {quote(name)}")

    def definition(self) -> None:
        name = self.expect("string", "define clause")
        self.expect("}}", "define clause")
        self.add(self.unquote(name), self.own_body("define clause"))

    def own_body(self, context: str) -> Body:
        """The body of a template of its own: it sees no variables from outside."""
        variables, range_depth = self.variables, self.range_depth
        self.variables, self.range_depth = ["$"], 0
        self.enter()
        body, end = self.body()
        if end != "end":
            raise self.error(f"unexpected {{{{{end}}}}} in {context}")
        self.depth -= 1
        self.variables, self.range_depth = variables, range_depth
        return body

    def body(self) -> tuple[Body, str]:
        """Items up to an `end` or `else`, and which it was."""
        items: list[Item] = []
        while self.peek_word().kind != "EOF":
            item = self.item()
            if isinstance(item, str):
                return tuple(items), item
            items.append(item)
        raise self.error("unexpected EOF")

    def item(self) -> Item | str:
        """A text, an action, or the word `end` or `else`."""
        word = self.next_word()
        if word.kind == "text":
            return Text(word.text)
        if word.kind != "{{":
            raise self.unexpected(word, "input")
        self.action_line = word.line
        item = self.action()
        self.action_line = 0
        return item

    def action(self) -> Item | str:
        word = self.next_word()
        match word.kind:
            case "if" | "with" | "range":
                return self.branch(word.kind)
            case "template":
                return self.invocation()
            case "block":
                return self.block()
            case "end":
                self.expect("}}", "end")
                return "end"
            case "else":
                # `{{else if` and `{{else with` leave their second word to `branch`.
                if self.peek_word().kind not in ("if", "with"):
                    self.expect("}}", "else")
                return "else"
            case "break" | "continue":
                end = self.next_word()
                if end.kind != "}}":
                    raise self.unexpected(end, f"{{{{{word.kind}}}}}")
                if not self.range_depth:
                    raise self.error(f"{{{{{word.kind}}}}} outside {{{{range}}}}")
                return Jump(word.kind)
        self.at -= 1
        return Action(self.pipeline("command", "}}"))

    def branch(self, kind: str) -> Branch:
        mark = len(self.variables)
        self.enter()
        pipe = self.pipeline(kind, "}}")
        self.range_depth += kind == "range"
        body, end = self.body()
        self.range_depth -= kind == "range"
        otherwise: Body = ()
        if end == "else":
            if kind != "range" and self.peek().kind == kind:
                self.next()
                otherwise = (self.branch(kind),)  # its `end` is ours too
            else:
                otherwise, end = self.body()
                if end != "end":
                    raise self.error(f"expected end; found {{{{{end}}}}}")
        self.depth -= 1
        del self.variables[mark:]
        return Branch(kind, pipe, body, otherwise)

    def invocation(self) -> Invocation:
        word = self.expect("string", "template clause")
        pipe = None
        if self.next_word().kind != "}}":
            self.at -= 1
            pipe = self.pipeline("template clause", "}}")
        return Invocation(word.position, self.unquote(word), word.text, pipe)

    def block(self) -> Invocation:
        word = self.expect("string", "block clause")
        name = self.unquote(word)
        pipe = self.pipeline("block clause", "}}")
        self.add(name, self.own_body("block clause"))
        return Invocation(word.position, name, word.text, pipe)

    # Pipelines.

    def pipeline(self, context: str, end: str) -> Pipe:
        position = self.peek_word().position
        variables, assigns = self.declarations(context)
        commands: list[Command] = []
        while True:
            word = self.next_word()
            if word.kind == end:
                break
            if word.kind not in _OPERANDS:
                raise self.unexpected(word, context)
            self.at -= 1
            commands.append(self.command())
        if not commands:
            raise self.error(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.arguments[0], _NOT_A_COMMAND):
                raise self.error(f"non executable command in pipeline stage {stage}")
        return Pipe(position, tuple(commands), variables, assigns)

    def declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        """`$x :=`, `$x =` or `$i, $x :=` at the beginning of a pipeline."""
        names: list[str] = []
        while self.peek_word().kind == "variable":
            start = self.at
            name = self.next().text
            sign = self.peek_word()
            if sign.kind in ("declare", "assign"):
                self.next()
                self.variables.append(name)
                return (*names, name), sign.kind == "assign"
            if sign.text != ",":
                self.at = start
                break
            self.next()
            names.append(name)
            self.variables.append(name)
            if context != "range" or len(names) > 1:
                raise self.error(f"too many declarations in {context}")
            if self.peek_word().kind not in ("variable", "}}", ")"):
                raise self.error("range can only initialize variables")
        return tuple(names), False

    def command(self) -> Command:
        position = self.peek_word().position
        arguments: list[Operand] = []
        while True:
            self.peek_word()
            operand = self.operand()
            if operand is not None:
                arguments.append(operand)
            word = self.next()
            if word.kind == "space":
                continue
            if word.kind in ("}}", ")"):
                self.at -= 1
            elif word.kind != "pipe":
                raise self.unexpected(word, "operand")
            break
        if not arguments:
            raise self.error("empty command")
        return Command(position, tuple(arguments))

    def operand(self) -> Operand | None:
        """A term and the fields chained to it."""
        node = self.term()
        if node is None or self.peek().kind != "field":
            return node
        position = self.peek().position
        names: tuple[str, ...] = ()
        while self.peek().kind == "field":
            names += (self.next().text[1:],)
        if isinstance(node, Field):
            return Field(position, node.names + names)
        if isinstance(node, Variable):
            return Variable(position, node.name, node.names + names)
        if isinstance(node, _NOT_A_COMMAND):
            raise self.error(f"unexpected . after term {quote(str(node))}")
        return Chain(position, node, names)

    def term(self) -> Operand | None:
        word = self.next_word()
        match word.kind:
            case "identifier":
                if word.text not in self.functions:
                    raise self.error(f"function {quote(word.text)} not defined")
                return Identifier(word.position, word.text)
            case ".":
                return Dot(word.position)
            case "nil":
                return Nil(word.position)
            case "variable":
                if word.text not in self.variables:
                    raise self.error(f"undefined variable {quote(word.text)}")
                return Variable(word.position, word.text, ())
            case "field":
                return Field(word.position, (word.text[1:],))
            case "bool":
                return Bool(word.position, word.text == "true")
            case "number" | "char":
                return self.number(word)
            case "string":
                return String(word.position, word.text, self.unquote(word))
            case "(":
                self.enter()
                pipe = self.pipeline("parenthesized pipeline", ")")
                self.depth -= 1
                return pipe
        self.at -= 1
        return None

    # Constants.

    def number(self, word: Token) -> Number:
        if word.kind == "char":
            value = _unescape(word.text[1:-1], "'")
            if not value:
                raise self.error("invalid syntax")
            if len(value) != 1:
                raise self.error(f"malformed character constant: {word.text}")
            return Number(word.position, word.text, ord(value), ord(value))
        number = _number(word.text)
        if number is None:
            raise self.error(f"illegal number syntax: {quote(word.text)}")
        if isinstance(number, int) and not -(2**63) <= number < 2**63:
            raise self.error(f"integer overflow: {quote(word.text)}")
        whole = int(number) if abs(number) < 2**63 and number == int(number) else None
        return Number(word.position, word.text, number, whole)

    def unquote(self, word: Token) -> str:
        """What a string constant means."""
        if word.text[0] == "`":
            return word.text[1:-1].replace("\r", "")
        value = _unescape(word.text[1:-1], '"')
        if value is None:
            raise self.error("invalid syntax")
        return value


def _is_empty(body: Body) -> bool:
    """Nothing but blanks."""
    return all(isinstance(item, Text) and not item.text.strip() for item in body)


_TOO_LARGE = 2**64


def _number(text: str) -> int | float | None:
    """A number constant as Go reads it: base prefixes, a leading 0 for octal, `_` between digits."""
    try:
        if re.fullmatch(r"[+-]?0[0-7_]+", text):
            return int(text.replace("0", "0o0", 1), 0)
        if not re.fullmatch(r"[+-]?0[xX].*[.pP].*", text):
            return int(text, 0)
    except ValueError:
        pass
    try:
        number = float.fromhex(text) if re.match(r"[+-]?0[xX]", text) else float(text)
    except (ValueError, OverflowError):
        return None
    fractional = re.search("[.pP]" if "x" in text.lower() else "[.eE]", text)
    if not fractional:
        return _TOO_LARGE  # digits that are no whole number, `08`: Go complains of overflow
    return number if abs(number) != float("inf") and "_" not in text else None


_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_ESCAPE = re.compile(
    r"\\(?:(?P<simple>[abfnrtv\\'\"])|(?P<octal>[0-7]{3})|x(?P<byte>[0-9a-fA-F]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"
)


def _unescape(text: str, mark: str) -> str | None:
    """The text that a quoted constant names; None if an escape is not Go's."""
    parts: list[str] = []
    at = 0
    while (backslash := text.find("\\", at)) >= 0:
        parts.append(text[at:backslash])
        found = _ESCAPE.match(text, backslash)
        value = _escaped(found, mark) if found else None
        if found is None or value is None:
            return None
        parts.append(value)
        at = found.end()
    parts.append(text[at:])
    return "".join(parts)


def _escaped(found: re.Match[str], mark: str) -> str | None:
    if simple := found["simple"]:
        return chr(_SIMPLE[simple]) if simple in _SIMPLE else simple if simple == mark else None
    if number := found["octal"] or found["byte"]:
        code = int(number, 8 if found["octal"] else 16)
        if code > 0xFF:
            return None
        return chr(code) if mark == "'" else from_bytes(bytes([code]))
    code = int(found["short"] or found["long"], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else None
