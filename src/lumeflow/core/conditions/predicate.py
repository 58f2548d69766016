"""Compiles conditions into a predicate on records."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from lumeflow.core.conditions.models import CONDITION_TAGS, Condition, ConditionGroup, FieldCondition
from lumeflow.core.conditions.tree import Node, group, single
from lumeflow.core.expressions.check import Reference
from lumeflow.core.expressions.errors import ExpressionError
from lumeflow.core.expressions.paths import Path
from lumeflow.core.expressions.patterns import MAX_PATTERN_WEIGHT
from lumeflow.core.pointer import pointer

MAX_CONDITIONS = 1_000
MAX_GROUP_DEPTH = 32
_MAX_TOTAL_WEIGHT = 5 * MAX_PATTERN_WEIGHT
_SINGLE: TypeAdapter[Condition] = TypeAdapter(Condition)
_LIST: TypeAdapter[list[Condition]] = TypeAdapter(list[Condition])

Specification = Condition | list[Condition] | dict[str, Any] | list[dict[str, Any]]


class ConditionError(ExpressionError):
    """A condition that can't be compiled.

    Attributes:
        pointer: JSON pointer of the place in the conditions, such as `/1/conditions/0/operator`.
    """

    def __init__(self, pointer: str, message: str, position: int = 0, text: str = "", hint: str = "") -> None:
        super().__init__(message, position, text, hint)
        self.args = (pointer, message, position, text, hint)
        self.pointer = pointer

    def __str__(self) -> str:
        return f"{self.pointer}: {super().__str__()}" if self.pointer else super().__str__()


class Predicate:
    """Compiled conditions; immutable, and usable from several threads.

    Attributes:
        source: The conditions as they stand in the document.
        paths: The fields of the record that are looked at, in the order they are written.
        references: What the templates in values read.
    """

    __slots__ = ("_root", "_test", "paths", "references", "source")

    def __init__(self, source: Any, root: Node) -> None:
        leaves = list(root.leaves())
        self.source = source
        self._root = root
        self._test = root.test
        self.paths: tuple[Path, ...] = tuple(leaf.path for leaf in leaves)
        self.references: tuple[Reference, ...] = tuple(
            reference for leaf in leaves if leaf.template is not None for reference in leaf.template.references
        )

    def __call__(self, record: Any, scope: Mapping[str, Any] | None = None) -> bool:
        """Tell whether `record` meets the conditions.

        Args:
            record: A JSON value, usually an object. What is missing or of another type makes a condition false.
            scope: What templates in values read (see `Template.render`); without it they read `input`, the record.

        Raises:
            EvaluationError: A template in a value can't be computed.
        """
        return self._test(record, scope)

    def explain(self, record: Any, scope: Mapping[str, Any] | None = None) -> str | None:
        """Say why `record` doesn't meet the conditions, or return None if it does.

        The sentence names fields, operators and what was wanted, but only the type of what was found, so that it
        holds no personal data.
        """
        return self._root.reason(record, scope)


def compile_conditions(spec: Specification) -> Predicate:
    """Compile one condition, or a list of which all must hold; an empty list always holds.

    Raises:
        ConditionError: The first problem; `find_problems` gives all of them.
    """
    root, problems = _read(spec)
    if problems or root is None:
        raise problems[0]
    return Predicate(_document(spec), root)


def _document(spec: Any) -> Any:
    if isinstance(spec, list):
        return [_document(item) for item in spec]
    return spec.model_dump(by_alias=True, exclude_unset=True) if isinstance(spec, BaseModel) else spec


def find_problems(spec: Any) -> list[ConditionError]:
    """Return every problem of one condition or a list of conditions, each with its JSON pointer."""
    return _read(spec)[1]


def _read(spec: Any) -> tuple[Node | None, list[ConditionError]]:
    oversize = _oversize(spec)
    if oversize is not None:
        return None, [oversize]
    try:
        conditions = _LIST.validate_python(spec) if isinstance(spec, list) else [_SINGLE.validate_python(spec)]
    except ValidationError as error:
        return None, [_problem(details) for details in error.errors(include_url=False)]
    root = group("and", [_node(condition) for condition in conditions])
    if sum(leaf.weight for leaf in root.leaves()) > _MAX_TOTAL_WEIGHT:
        return None, [ConditionError("", "the patterns together repeat too much", hint="lower the counts in {…}")]
    return root, []


def _node(condition: Condition) -> Node:
    if isinstance(condition, FieldCondition):
        return single(condition.compiled())
    return group(condition.operator, [_node(member) for member in condition.conditions])


def _oversize(spec: Any) -> ConditionError | None:
    """Measure without recursion, before anything recursive sees it."""
    waiting = [(item, 1) for item in (spec if isinstance(spec, list) else [spec])]
    count = 0
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if depth > MAX_GROUP_DEPTH:
            return ConditionError("", f"more than {MAX_GROUP_DEPTH} groups inside one another")
        if count + len(waiting) > MAX_CONDITIONS:
            return ConditionError("", f"more than {MAX_CONDITIONS:,} conditions", hint="use the operator in")
        waiting += [(inner, depth + 1) for inner in _members(item)]
    return None


def _members(item: Any) -> Iterator[Any]:
    members = item.get("conditions") if isinstance(item, dict) else getattr(item, "conditions", None)
    if isinstance(item, dict | ConditionGroup) and isinstance(members, list):
        yield from members


def _problem(details: ErrorDetails) -> ConditionError:
    place = pointer(step for step in details["loc"] if step not in CONDITION_TAGS)
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, ExpressionError):
        return ConditionError(place, cause.message, cause.position, cause.text, cause.hint)
    return ConditionError(place, str(cause) if cause is not None else details["msg"])
