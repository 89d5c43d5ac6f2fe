"""Running a parsed Go template, after Go's text/template (1.24); messages are Go's."""

from collections.abc import Iterable, Mapping

from hubindex.errors import InvalidTemplate

from .functions import Function, truth
from .gofmt import MAX_TEXT, FormatError, Record, quote, show, to_bytes, type_name
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
    Located,
    Nil,
    Number,
    Operand,
    Pipe,
    String,
    Text,
    Variable,
)

MAX_STEPS = 100_000
"""How many items and commands one run may go through: `range` over a large number must come to an end."""

MAX_DEPTH = 100
"""How deep templates, control structures and parentheses may be nested while they run."""

MAX_MADE = 16 * MAX_TEXT
"""How many characters all functions of one run may make together."""


class _Missing:
    """No value is piped into the command (`None` is Go's nil)."""


_MISSING = _Missing()


class _Jumped(Exception):
    """A `break` or `continue` on its way to the `range` around it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def execute(
    text: str,
    templates: Mapping[str, Body],
    functions: Mapping[str, Function],
    dot: object,
    output: list[str],
) -> None:
    """Print the template, parsed from `text`, for `dot`: append to `output`.

    Raises InvalidTemplate with Go's message; `output` then holds what was printed before, as with Go's Execute.
    """
    _Execution(text, templates, functions, output).run(dot)


class _Execution:
    def __init__(
        self,
        text: str,
        templates: Mapping[str, Body],
        functions: Mapping[str, Function],
        output: list[str],
    ) -> None:
        self.text = text
        self.templates = templates
        self.functions = functions
        self.output = output
        self.printed = self.made = self.steps = self.depth = 0
        self.name = ""
        self.node: Located = Dot(0)  # where an error is reported
        self.variables: list[tuple[str, object]] = []

    def run(self, dot: object) -> None:
        self.variables = [("$", dot)]
        self.walk(dot, self.templates[""])

    def error(self, message: str) -> InvalidTemplate:
        before = self.text[: self.node.position]
        line = before.count("\n") + 1
        column = len(to_bytes(before[before.rfind("\n") + 1 :]))
        where = f"template: :{line}:{column}: executing {quote(self.name)} at <{self.node}>"
        return InvalidTemplate(f"template parsing error: {where}: {message}")

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.error(f"the template takes more than {MAX_STEPS} steps")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"exceeded maximum template depth ({MAX_DEPTH})")

    def print(self, text: str) -> None:
        self.printed += len(text)
        if self.printed > MAX_TEXT:
            raise self.error("the text grows too long")
        self.output.append(text)

    # Items.

    def walk(self, dot: object, body: Body) -> None:
        self.enter()
        for item in body:
            self.step()
            self.item(dot, item)
        self.depth -= 1

    def item(self, dot: object, item: Item) -> None:
        match item:
            case Text(text):
                self.print(text)
            case Action(pipe):
                value = self.pipeline(dot, pipe)
                if not pipe.variables:
                    self.print("<no value>" if value is None else show(value))
            case Branch("range"):
                self.loop(dot, item)
            case Branch():
                mark = len(self.variables)
                value = self.pipeline(dot, item.pipe)
                inner = value if item.kind == "with" and truth(value) else dot
                self.walk(inner, item.body if truth(value) else item.otherwise)
                del self.variables[mark:]
            case Invocation():
                self.invoke(dot, item)
            case Jump(kind):
                raise _Jumped(kind)

    def invoke(self, dot: object, item: Invocation) -> None:
        self.node = item
        body = self.templates.get(item.name)
        if body is None:
            raise self.error(f"template {quote(item.name)} not defined")
        inner = self.pipeline(dot, item.pipe) if item.pipe else None
        name, variables = self.name, self.variables
        self.name, self.variables = item.name, [("$", inner)]
        self.walk(inner, body)
        self.name, self.variables = name, variables

    def loop(self, dot: object, item: Branch) -> None:
        mark = len(self.variables)
        value = self.pipeline(dot, item.pipe)
        inner = len(self.variables)
        depth = self.depth
        empty = True
        for key, element in self.pairs(value, item):
            empty = False
            if item.pipe.variables:
                self.set_loop_variables(item.pipe, key, element)
            try:
                self.step()
                self.walk(element, item.body)
            except _Jumped as jump:
                self.depth = depth
                if jump.kind == "break":
                    break
            finally:
                del self.variables[inner:]
        if empty:
            self.walk(dot, item.otherwise)
        del self.variables[mark:]

    def pairs(self, value: object, item: Branch) -> Iterable[tuple[object, object]]:
        """What `range` goes over: index or key, and element."""
        match value:
            case None:
                return []
            case list():
                return enumerate(value)
            case dict():
                return [(key, value[key]) for key in sorted(value)]
            case int() if not isinstance(value, bool):
                if len(item.pipe.variables) > 1:
                    raise self.error(f"can't use {value} to iterate over more than one variable")
                return enumerate(range(value))
        raise self.error(f"range can't iterate over {show(value)}")

    def set_loop_variables(self, pipe: Pipe, key: object, element: object) -> None:
        values = (element,) if len(pipe.variables) == 1 else (key, element)
        pairs = list(zip(pipe.variables, values, strict=True))
        if pipe.assigns:
            for name, value in pairs:
                self.assign(name, value)
        else:
            self.variables[-len(pairs) :] = pairs  # where `pipeline` has put them

    def assign(self, name: str, value: object) -> None:
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                self.variables[place] = (name, value)
                return
        raise self.error(f"undefined variable: {name}")

    # Values.

    def pipeline(self, dot: object, pipe: Pipe) -> object:
        self.node = pipe
        self.enter()
        value: object = _MISSING
        for command in pipe.commands:
            value = self.command(dot, command, value)
        self.depth -= 1
        for name in pipe.variables:
            if pipe.assigns:
                self.assign(name, value)
            else:
                self.variables.append((name, value))
        return value

    def command(self, dot: object, command: Command, final: object) -> object:
        self.step()
        first = command.arguments[0]
        given = len(command.arguments) - 1 + (final is not _MISSING)
        if isinstance(first, Pipe):
            self.refuse_arguments(first, given)
            return self.pipeline(dot, first)
        self.node = first
        match first:
            case Field() | Chain() | Variable():
                return self.reference(dot, first, given)
            case Identifier(_, name):
                return self.function(dot, name, command, command.arguments[1:], final)
        self.refuse_arguments(first, given)
        if isinstance(first, Nil):
            raise self.error("nil is not a command")
        return dot if isinstance(first, Dot) else first.value

    def refuse_arguments(self, node: Operand, given: int) -> None:
        if given:
            raise self.error(f"can't give argument to non-function {node}")

    def reference(self, dot: object, node: Field | Chain | Variable, given: int) -> object:
        """The value of fields, of a chain, or of a variable and its fields."""
        match node:
            case Field(_, names):
                value = dot
            case Chain(_, inner, names):
                value = self.argument(dot, inner, "any")
            case Variable(_, name, names):
                value = self.variable(name)
                if not names:
                    self.refuse_arguments(node, given)
        for place, name in enumerate(names, 1):
            value = self.field(value, name, given if place == len(names) else 0)
        return value

    def variable(self, wanted: str) -> object:
        for name, value in reversed(self.variables):
            if name == wanted:
                return value
        raise self.error(f"undefined variable: {wanted}")

    def field(self, value: object, name: str, given: int) -> object:
        if value is None:
            return None
        if isinstance(value, Record) and name in value.fields:
            if given:
                raise self.error(f"wrong number of args for {name}: want 0 got {given}")
            return value.fields[name]
        if isinstance(value, dict):
            if given:
                raise self.error(f"{name} is not a method but has arguments")
            return value.get(name)
        raise self.error(f"can't evaluate field {name} in type {type_name(value)}")

    def function(
        self,
        dot: object,
        name: str,
        node: Command | Identifier,
        arguments: tuple[Operand, ...],
        final: object,
    ) -> object:
        """The result of a function; `final` is the value piped into it."""
        function = self.functions[name]
        self.check_count(name, function, len(arguments) + (final is not _MISSING))
        values: list[object] = []
        for place, argument in enumerate(arguments):
            value = self.argument(dot, argument, _parameter(function, place))
            if name in ("and", "or") and truth(value) is (name == "or"):
                return value
            values.append(value)
        if final is not _MISSING:
            values.append(self.checked(final, _parameter(function, len(arguments))))
        try:
            result = function.call(values)
        except FormatError as error:
            self.node = node
            raise self.error(f"error calling {name}: {error}") from None
        self.made += len(result) if isinstance(result, str | list) else 0
        if self.made > MAX_MADE:
            raise self.error("the template makes too much text")
        return result

    def check_count(self, name: str, function: Function, given: int) -> None:
        wanted = len(function.parameters)
        if given < wanted if function.rest else given != wanted:
            at_least = "at least " if function.rest else ""
            raise self.error(f"wrong number of args for {name}: want {at_least}{wanted} got {given}")

    def argument(self, dot: object, node: Operand, wanted: str) -> object:
        """The value of one argument, which must be of the Go type `wanted`."""
        self.node = node
        match node:
            case Dot():
                return self.checked(dot, wanted)
            case Nil():
                if wanted in ("string", "int"):
                    raise self.error(f"cannot assign nil to {wanted}")
                return None
            case Field() | Chain() | Variable():
                return self.checked(self.reference(dot, node, 0), wanted)
            case Pipe():
                return self.checked(self.pipeline(dot, node), wanted)
            case Identifier(_, name):
                return self.checked(self.function(dot, name, node, (), _MISSING), wanted)
        return self.constant(node, wanted)

    def constant(self, node: Bool | Number | String, wanted: str) -> object:
        if wanted == "any":
            return node.value
        if wanted == "string" and isinstance(node, String):
            return node.value
        if wanted == "int" and isinstance(node, Number) and node.integer is not None:
            return node.integer
        if wanted == "[]string":
            raise self.error(f"can't handle {node} for arg of type {wanted}")
        raise self.error(f"expected {'integer' if wanted == 'int' else wanted}; found {node}")

    def checked(self, value: object, wanted: str) -> object:
        """`value`, if it is of the Go type `wanted`."""
        match wanted:
            case "any":
                fits = True
            case "string":
                fits = isinstance(value, str)
            case "int":
                fits = isinstance(value, int) and not isinstance(value, bool)
            case _:
                fits = value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        if fits:
            return value
        if value is None:
            raise self.error(f"invalid value; expected {wanted}")
        raise self.error(f"wrong type for value; expected {wanted}; got {type_name(value)}")


def _parameter(function: Function, place: int) -> str:
    return function.parameters[place] if place < len(function.parameters) else function.rest or "any"
