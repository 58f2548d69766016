"""Turns a checked expression into a Python function of the scope.

The functions made here touch only dicts, lists and JSON scalars: no attribute of a Python object can be reached.
"""

from collections.abc import Mapping, Sequence

from lumeflow.core.expressions import closures
from lumeflow.core.expressions.calls import eager_call, lazy_call
from lumeflow.core.expressions.check import mentions_secret
from lumeflow.core.expressions.closures import Evaluator
from lumeflow.core.expressions.functions import FUNCTIONS
from lumeflow.core.expressions.operators import BINARY, negate
from lumeflow.core.expressions.paths import format_path
from lumeflow.core.expressions.patterns import Pattern
from lumeflow.core.expressions.syntax import (
    Access,
    Call,
    Chain,
    Expression,
    ListOf,
    Literal,
    ObjectOf,
    Select,
    Unary,
)

_Steps = Sequence[str | int | Expression]


class Compiler:
    """Compiles the expressions of one string, which are without problems."""

    def __init__(self, text: str, patterns: Mapping[str, Pattern]) -> None:
        self._text = text
        self._patterns = patterns

    def compile(self, node: Expression, *, strict: bool) -> Evaluator:
        """Return the evaluator of `node`; `strict` makes a missing path an error."""
        match node:
            case Literal(value=value):
                return closures.constant(value)
            case ListOf(items=items):
                return closures.list_of([self.compile(item, strict=strict) for item in items])
            case ObjectOf(entries=entries):
                return closures.object_of([(key, self.compile(value, strict=strict)) for key, value in entries])
            case Access():
                return self._access(node, strict=strict)
            case Select():
                base = self.compile(node.base, strict=strict)
                return self._path(base, "(…)", node.steps, node.position, strict=strict)
            case Call():
                return self._call(node, strict=strict)
            case Unary(operand=operand):
                inner = self.compile(operand, strict=strict)
                return closures.negation(inner) if node.operator == "not" else self._negative(node, inner)
            case Chain():
                return self._chain(node, strict=strict)

    def _access(self, node: Access, *, strict: bool) -> Evaluator:
        static = [step for step in node.steps if isinstance(step, str | int)]
        if strict or len(static) != len(node.steps):
            return self._path(closures.root_of(node.root), node.root, node.steps, node.position, strict=strict)
        match static:
            case [str() as key]:
                return closures.one_key(node.root, key)
            case [str() as first, str() as second]:
                return closures.two_keys(node.root, first, second)
            case _:
                return closures.static_path(node.root, tuple(static))

    def _path(self, found: Evaluator, start: str, steps: _Steps, position: int, *, strict: bool) -> Evaluator:
        place = (position, self._text)
        for step in steps:
            if isinstance(step, str | int):
                found = closures.followed(found, (step,))
                shown = format_path((step,))
                start += shown if shown.startswith("[") else f".{shown}"
            else:
                found = closures.computed_step(found, self.compile(step, strict=strict), place)
                start += "[…]"
        return closures.found_or_error(found, start, place) if strict else closures.found_or_null(found)

    def _call(self, node: Call, *, strict: bool) -> Evaluator:
        function = FUNCTIONS[node.name]
        place = (node.position, self._text)
        arguments = [
            self._argument(argument, function.parameter(index).kind, strict=strict and not function.lenient)
            for index, argument in enumerate(node.arguments)
        ]
        if function.lazy:
            return lazy_call(function, arguments, place)
        if any(map(mentions_secret, node.arguments)):
            computation = eager_call(function, [closures.revealed(each) for each in arguments], place)
            return closures.sealed(computation, self._text)
        return eager_call(function, arguments, place)

    def _argument(self, argument: Expression, kind: str, *, strict: bool) -> Evaluator:
        if kind == "pattern" and isinstance(argument, Literal):
            return closures.constant(self._patterns[argument.value])
        return self.compile(argument, strict=strict)

    def _negative(self, node: Unary, operand: Evaluator) -> Evaluator:
        return closures.fold(
            operand, [(lambda value, _: negate(value), node.position, closures.constant(None))], self._text
        )

    def _chain(self, node: Chain, *, strict: bool) -> Evaluator:
        operator = node.rest[0][0]
        nodes = [node.first, *(operand for _, _, operand in node.rest)]
        if operator == "??":
            # Whoever writes `??` has thought of what is missing; only the last operand can still be an error.
            last = self.compile(nodes[-1], strict=strict)
            return closures.first_not_null([*(self.compile(each, strict=False) for each in nodes[:-1]), last])
        operands = [self.compile(each, strict=strict) for each in nodes]
        if operator in ("and", "or"):
            return closures.all_of(operands) if operator == "and" else closures.any_of(operands)
        secret = mentions_secret(node)
        if secret:
            operands = [closures.revealed(each) for each in operands]
        rest = [(BINARY[name], place, each) for (name, place, _), each in zip(node.rest, operands[1:], strict=True)]
        computation = closures.fold(operands[0], rest, self._text)
        return closures.sealed(computation, self._text) if secret else computation
