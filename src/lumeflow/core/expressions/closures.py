"""The small functions that a compiled expression is made of; each takes the scope and returns a value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lumeflow.core.expressions.errors import EvaluationError, FunctionError, MissingPathError
from lumeflow.core.expressions.limits import SMALL, check_text
from lumeflow.core.expressions.paths import MISSING, follow
from lumeflow.core.expressions.values import to_text, truthy, type_name
from lumeflow.core.secret import Secret

Scope = Mapping[str, Any]
Evaluator = Callable[[Scope], Any]
Binary = Callable[[Any, Any], Any]


def constant(value: Any) -> Evaluator:
    """Give `value` itself; only for what nobody can change."""
    return lambda _: value


def root_of(name: str) -> Evaluator:
    """Give an entry of the scope, or `MISSING`."""
    return lambda scope: scope.get(name, MISSING)


def one_key(root: str, key: str) -> Evaluator:
    """`root.key`, null if missing: the commonest path and so the fastest."""

    def evaluate(scope: Scope) -> Any:
        found = scope.get(root)
        return found.get(key) if isinstance(found, dict) else None

    return evaluate


def two_keys(root: str, first: str, second: str) -> Evaluator:
    """`root.first.second`, null if missing."""

    def evaluate(scope: Scope) -> Any:
        found = scope.get(root)
        found = found.get(first) if isinstance(found, dict) else None
        return found.get(second) if isinstance(found, dict) else None

    return evaluate


def static_path(root: str, parts: Sequence[str | int]) -> Evaluator:
    """Any path that is known beforehand, null if missing."""

    def evaluate(scope: Scope) -> Any:
        found = follow(scope.get(root), parts)
        return None if found is MISSING else found

    return evaluate


def followed(base: Evaluator, parts: Sequence[str | int]) -> Evaluator:
    """What lies at known parts of what `base` gives, or `MISSING`."""
    return lambda scope: follow(base(scope), parts)


def computed_step(base: Evaluator, step: Evaluator, place: tuple[int, str]) -> Evaluator:
    """`base[step]` where the key or index is known only now; null leads nowhere."""

    def evaluate(scope: Scope) -> Any:
        part = step(scope)
        if part is None:
            return MISSING
        if isinstance(part, float) and part.is_integer():
            part = int(part)
        if not isinstance(part, str | int) or isinstance(part, bool):
            raise EvaluationError(f"an index is a whole number or a text, found {type_name(part)}", *place)
        return follow(base(scope), (part,))

    return evaluate


def found_or_null(base: Evaluator) -> Evaluator:
    """Null instead of `MISSING`."""

    def evaluate(scope: Scope) -> Any:
        found = base(scope)
        return None if found is MISSING else found

    return evaluate


def found_or_error(base: Evaluator, path: str, place: tuple[int, str]) -> Evaluator:
    """An error instead of `MISSING`."""

    def evaluate(scope: Scope) -> Any:
        found = base(scope)
        if found is MISSING:
            raise MissingPathError(path, *place)
        return found

    return evaluate


def list_of(items: Sequence[Evaluator]) -> Evaluator:
    """A new list."""
    return lambda scope: [item(scope) for item in items]


def object_of(entries: Sequence[tuple[str, Evaluator]]) -> Evaluator:
    """A new object."""
    return lambda scope: {key: value(scope) for key, value in entries}


def first_not_null(operands: Sequence[Evaluator]) -> Evaluator:
    """`a ?? b ?? c`."""

    def evaluate(scope: Scope) -> Any:
        for operand in operands:
            found = operand(scope)
            if found is not None:
                return found
        return None

    return evaluate


def all_of(operands: Sequence[Evaluator]) -> Evaluator:
    """`a and b and c`, true or false; stops at the first that isn't true."""
    return lambda scope: all(truthy(operand(scope)) for operand in operands)


def any_of(operands: Sequence[Evaluator]) -> Evaluator:
    """`a or b or c`, true or false; stops at the first that is true."""
    return lambda scope: any(truthy(operand(scope)) for operand in operands)


def negation(operand: Evaluator) -> Evaluator:
    """`not a`."""
    return lambda scope: not truthy(operand(scope))


def fold(first: Evaluator, rest: Sequence[tuple[Binary, int, Evaluator]], text: str) -> Evaluator:
    """`a + b - c`, from left to right."""

    def evaluate(scope: Scope) -> Any:
        value = first(scope)
        for operate, position, operand in rest:
            other = operand(scope)
            try:
                value = operate(value, other)
            except FunctionError as error:
                raise EvaluationError(str(error), position, text) from None
        return value

    return evaluate


def mixed_text(parts: Sequence[str | Evaluator], text: str) -> Evaluator:
    """Text with expressions in it. A secret among them makes the whole a secret."""

    def evaluate(scope: Scope) -> str | Secret:
        pieces: list[str] = []
        secret = False
        for part in parts:
            value = part if isinstance(part, str) else part(scope)
            if type(value) is str:
                pieces.append(value)
            elif isinstance(value, Secret):
                secret = True
                pieces.append(value.reveal())
            else:
                pieces.append(_shown(value, text))
        joined = _joined(pieces, text)
        return Secret(joined) if secret else joined

    return evaluate


def _joined(pieces: list[str], text: str) -> str:
    size = sum(map(len, pieces))
    if size > SMALL:
        try:
            check_text(size)
        except FunctionError as error:
            raise EvaluationError(str(error), 0, text) from None
    return "".join(pieces)


def _shown(value: Any, text: str) -> str:
    try:
        return to_text(value)
    except FunctionError as error:
        raise EvaluationError(str(error), 0, text) from None


def revealed(operand: Evaluator) -> Evaluator:
    """The texts behind the secrets that an operand gives, for a computation whose result is sealed again."""
    return lambda scope: _reveal(operand(scope))


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, list):  # as deep as it is written in the template, no deeper
        return [_reveal(item) for item in value]
    if isinstance(value, dict):
        return {key: _reveal(item) for key, item in value.items()}
    return value


def sealed(computation: Evaluator, text: str) -> Evaluator:
    """The result of a computation with secrets, as a secret text; null stays null."""

    def evaluate(scope: Scope) -> Secret | None:
        value = computation(scope)
        return None if value is None else Secret(_shown(value, text))

    return evaluate
