"""One condition on one field: checked when it is written, compiled when the document is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lumeflow.core.conditions.operators import CASE_SENSITIVE, OPERATORS, TYPES, Operator, Test, build_test
from lumeflow.core.expressions.errors import ExpressionError, FunctionError
from lumeflow.core.expressions.limits import MAX_ITEMS
from lumeflow.core.expressions.paths import Path, compile_path, getter
from lumeflow.core.expressions.patterns import MAX_SEARCHED_CHARS, Pattern, compile_pattern
from lumeflow.core.expressions.template import Template, compile_template
from lumeflow.core.expressions.values import canonical_json, type_name

Scope = Mapping[str, Any] | None
RecordTest = Callable[[Any, Scope], bool]

_MAX_SHOWN_CHARS = 80
_EXAMPLES = {
    "list": '["a", "b"]',
    "range": "[18, 65]",
    "text": '"abc"',
    "number or date": '18 or "2026-01-09"',
    "pattern": '"^[a-z]+$"',
    "type": '"string"',
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A compiled condition on one field.

    Attributes:
        expected: The value as written, or the compiled pattern.
        template: The value as a template; None for patterns.
    """

    path: Path
    operator: Operator
    expected: Any
    template: Template | None
    ignore_case: bool

    @property
    def weight(self) -> int:
        """The states that its pattern needs; 0 without pattern."""
        return self.expected.weight if isinstance(self.expected, Pattern) else 0

    def compile(self) -> RecordTest:
        """Return the test of a record."""
        get = getter(self.path.parts)
        template = self.template
        if template is not None and not template.is_constant:
            return self._dynamic(get, template)
        test = self._test(self.expected if template is None else template.render({}))
        return lambda record, _: test(get(record))

    def _test(self, expected: Any) -> Test:
        return build_test(self.operator, expected, ignore_case=self.ignore_case)

    def _dynamic(self, get: Callable[[Any], Any], template: Template) -> RecordTest:
        def test(record: Any, scope: Scope) -> bool:
            expected = template.render({"input": record} if scope is None else scope)
            return self._test(expected)(get(record))

        return test

    def describe(self) -> str:
        """Say what is wanted: `email exists`, `age gt 18`. Templates are shown unrendered."""
        return f"{self.path} {self.wanted()}"

    def wanted(self) -> str:
        """Say what is wanted of the field."""
        if self.operator.takes == "nothing":
            return self.operator.name
        expected = self.expected.source if isinstance(self.expected, Pattern) else self.expected
        try:
            shown = canonical_json(expected)
        except FunctionError:  # an integer over 64 bits, a lone surrogate
            shown = type_name(expected)
        return f"{self.operator.name} {shown if len(shown) <= _MAX_SHOWN_CHARS else shown[:_MAX_SHOWN_CHARS] + '…'}"

    def found(self, record: Any) -> str:
        """Say of what type the field is in `record`, never what it holds."""
        value = getter(self.path.parts)(record)
        if value is None:
            return "nothing"
        kind = f"empty {type_name(value)}" if value in ("", []) else type_name(value)
        too_long = isinstance(self.expected, Pattern) and isinstance(value, str) and len(value) > MAX_SEARCHED_CHARS
        return f"{kind} of more than {MAX_SEARCHED_CHARS:,} characters" if too_long else kind


def compile_leaf(field: str, operator: str, value: Any, *, has_value: bool, ignore_case: bool) -> Leaf:
    """Check and compile one condition; `operator` is a known one.

    Raises:
        ExpressionError: The field isn't a path, or the value isn't what the operator takes.
    """
    path = compile_path(field)
    chosen = OPERATORS[operator]
    if ignore_case and operator not in CASE_SENSITIVE:
        raise ExpressionError(f"{operator} has no case to ignore", hint="leave out ignoreCase")
    if chosen.takes == "nothing":
        if has_value and value is not None:
            raise ExpressionError(f"{operator} takes no value", hint=_no_value_hint(operator))
        return Leaf(path, chosen, None, compile_template(None), ignore_case)
    if not has_value:
        raise ExpressionError(f"{operator} needs a value", hint=f'write "value": {_EXAMPLES.get(chosen.takes, "…")}')
    if chosen.takes == "pattern":
        return Leaf(path, chosen, _pattern(value, ignore_case=ignore_case), None, ignore_case)
    template = compile_template(value)
    if template.secrets:
        raise ExpressionError("a secret can't be compared", hint="compare with a variable or a field")
    if not _is_whole_template(value, template):
        _check_shape(chosen, value)
    return Leaf(path, chosen, value, template, ignore_case)


def _no_value_hint(operator: str) -> str:
    opposites = {"exists": "empty", "empty": "exists", "isTrue": "isFalse", "isFalse": "isTrue"}
    return f"for the opposite write {opposites[operator]}" if operator in opposites else "leave it out"


def _pattern(value: Any, *, ignore_case: bool) -> Pattern:
    if not isinstance(value, str) or "{{" in value:
        raise ExpressionError("regex takes a pattern that is written out", hint=f"write {_EXAMPLES['pattern']}")
    return compile_pattern(value, ignore_case=ignore_case)


def _is_whole_template(value: Any, template: Template) -> bool:
    return isinstance(value, str) and not template.is_constant


def _check_shape(operator: Operator, value: Any) -> None:
    if not _SHAPES[operator.takes](value):
        message = f"{operator.name} takes a {operator.takes}, found {type_name(value)}"
        raise ExpressionError(message, hint=f"write {_EXAMPLES[operator.takes]}")
    if isinstance(value, list) and len(value) > MAX_ITEMS:
        raise ExpressionError(f"more than {MAX_ITEMS:,} values")


def _is_comparable(value: Any) -> bool:
    return type_name(value) in ("integer", "number", "string")


_SHAPES: dict[str, Callable[[Any], bool]] = {
    "value": lambda value: True,
    "text": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "range": lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_comparable, value)),
    "number or date": _is_comparable,
    "type": lambda value: value in TYPES,
}
