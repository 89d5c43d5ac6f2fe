"""What a Go template is made of.

Every node prints itself as Go does in its messages; `position` counts characters of the template.
"""

from typing import NamedTuple, TypeAlias


class Dot(NamedTuple):
    """`.`, the cursor."""

    position: int

    def __str__(self) -> str:
        return "."


class Nil(NamedTuple):
    """The constant `nil`."""

    position: int

    def __str__(self) -> str:
        return "nil"


class Bool(NamedTuple):
    """`true` or `false`."""

    position: int
    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


class Number(NamedTuple):
    """A number or character constant; `integer` is its value where a whole number is wanted (`2.0` is one too)."""

    position: int
    text: str
    value: int | float
    integer: int | None

    def __str__(self) -> str:
        return self.text


class String(NamedTuple):
    """A string constant: as written, and what it means."""

    position: int
    quoted: str
    value: str

    def __str__(self) -> str:
        return self.quoted


class Field(NamedTuple):
    """`.Name` or `.Name.Part`."""

    position: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(NamedTuple):
    """`$`, `$x` or `$x.Name`."""

    position: int
    name: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


class Identifier(NamedTuple):
    """The name of a function."""

    position: int
    name: str

    def __str__(self) -> str:
        return self.name


class Chain(NamedTuple):
    """`(…).Name`: fields of what a function or a parenthesis gives."""

    position: int
    node: "Operand"
    names: tuple[str, ...]

    def __str__(self) -> str:
        return _operand(self.node) + "".join(f".{name}" for name in self.names)


class Command(NamedTuple):
    """An operand, or a function and its arguments."""

    position: int
    arguments: tuple["Operand", ...]

    def __str__(self) -> str:
        return " ".join(map(_operand, self.arguments))


class Pipe(NamedTuple):
    """Commands joined by `|`, and the variables that take the result (`:=`, or `=` if `assigns`)."""

    position: int
    commands: tuple[Command, ...]
    variables: tuple[str, ...]
    assigns: bool

    def __str__(self) -> str:
        sign = "=" if self.assigns else ":="
        target = f"{', '.join(self.variables)} {sign} " if self.variables else ""
        return target + " | ".join(map(str, self.commands))


Operand: TypeAlias = Dot | Nil | Bool | Number | String | Field | Variable | Identifier | Chain | Pipe


def _operand(node: Operand) -> str:
    return f"({node})" if isinstance(node, Pipe) else str(node)


class Text(NamedTuple):
    """Text outside of the actions."""

    text: str


class Action(NamedTuple):
    """A pipeline whose value is printed."""

    pipe: Pipe


class Branch(NamedTuple):
    """`if`, `with` or `range`."""

    kind: str
    pipe: Pipe
    body: tuple["Item", ...]
    otherwise: tuple["Item", ...]


class Invocation(NamedTuple):
    """`template "name" pipeline`."""

    position: int
    name: str
    quoted: str
    pipe: Pipe | None

    def __str__(self) -> str:
        return f"{{{{template {self.quoted}{f' {self.pipe}' if self.pipe else ''}}}}}"


class Jump(NamedTuple):
    """`break` or `continue`."""

    kind: str


Item: TypeAlias = Text | Action | Branch | Invocation | Jump
Body: TypeAlias = tuple[Item, ...]
Located: TypeAlias = Operand | Command | Invocation
