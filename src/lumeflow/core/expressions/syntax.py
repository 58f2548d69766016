"""The tree that the parser makes of one expression."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, true, false or null."""

    value: Any
    position: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple["Expression", ...]
    position: int


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """`{'a': b}`."""

    entries: tuple[tuple[str, "Expression"], ...]
    position: int


@dataclass(frozen=True, slots=True)
class Access:
    """A path that starts at a root: `input.from.username`, `nodes['llm-1'].output`."""

    root: str
    steps: tuple["str | int | Expression", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Select:
    """A path into the result of another expression: `split(input.name, ' ')[0]`."""

    base: "Expression"
    steps: tuple["str | int | Expression", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`."""

    name: str
    arguments: tuple["Expression", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not a` or `-a`."""

    operator: str
    operand: "Expression"
    position: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one precedence, from left to right: `a + b - c` is kept flat, so that long ones are not deep ones.

    Attributes:
        first: The leftmost operand.
        rest: Each further operator with its place and its right operand.
    """

    first: "Expression"
    rest: tuple[tuple[str, int, "Expression"], ...]
    position: int


Expression = Literal | ListOf | ObjectOf | Access | Select | Call | Unary | Chain


def children(node: Expression) -> list[Expression]:
    """Return the expressions directly inside `node`, in the order they are written."""
    match node:
        case ListOf():
            return list(node.items)
        case ObjectOf():
            return [value for _, value in node.entries]
        case Access():
            return _dynamic(node.steps)
        case Select():
            return [node.base, *_dynamic(node.steps)]
        case Call():
            return list(node.arguments)
        case Unary():
            return [node.operand]
        case Chain():
            return [node.first, *(operand for _, _, operand in node.rest)]
        case _:
            return []


def _dynamic(steps: tuple["str | int | Expression", ...]) -> list[Expression]:
    return [step for step in steps if not isinstance(step, str | int)]


def walk(node: Expression) -> Iterator[Expression]:
    """Yield `node` and everything inside it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))
