"""Reads a JSON value with templates: finds the `{{…}}`, has them parsed and checked, and collects all problems."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lumeflow.core.expressions import limits
from lumeflow.core.expressions.check import Checker, Reference
from lumeflow.core.expressions.compile import Compiler
from lumeflow.core.expressions.errors import ExpressionError
from lumeflow.core.expressions.parser import Parser
from lumeflow.core.expressions.patterns import Pattern
from lumeflow.core.expressions.syntax import Access, Expression
from lumeflow.core.expressions.tokens import tokenize
from lumeflow.core.pointer import pointer as written

# A backslash before {{ makes it text; two make a backslash before an expression.
OPENING = re.compile(r"(\\*)\{\{")


@dataclass(frozen=True, slots=True)
class ConstantPlan:
    """A scalar, or a string without `{{`."""

    value: Any


@dataclass(frozen=True, slots=True)
class TextPlan:
    """A string with expressions: literal text and parsed expressions in turn."""

    text: str
    parts: tuple[str | Expression, ...]
    patterns: Mapping[str, Pattern]

    @property
    def single(self) -> Expression | None:
        """The expression, if the string is one expression and nothing but white space around it."""
        expressions = [part for part in self.parts if not isinstance(part, str)]
        bare = all(not isinstance(part, str) or not part.strip() for part in self.parts)
        return expressions[0] if bare and len(expressions) == 1 else None

    @property
    def makes_values(self) -> bool:
        """Whether rendering makes anything, as against handing on what is at a path."""
        return not isinstance(self.single, Access)

    def compiler(self) -> Compiler:
        """Return the compiler for the expressions of this string."""
        return Compiler(self.text, self.patterns)


@dataclass(frozen=True, slots=True)
class ListPlan:
    """A list with the plans of its items."""

    items: tuple["Plan", ...]


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """An object with the plans of its values."""

    entries: tuple[tuple[str, "Plan"], ...]


Plan = ConstantPlan | TextPlan | ListPlan | ObjectPlan


class TemplateReader:
    """Reads one value; used once.

    Attributes:
        problems: Everything that is wrong, each with the JSON pointer of its string, at most `limits.MAX_PROBLEMS`.
    """

    def __init__(self, roots: Iterable[str], *, allow_env: bool) -> None:
        self.problems: list[tuple[str, ExpressionError]] = []
        self._checker = Checker(roots, allow_env=allow_env, report=self._report)
        self._pointer = ""
        self._nodes = 0

    @property
    def references(self) -> list[Reference]:
        """The paths that are read."""
        return self._checker.references

    @property
    def functions(self) -> set[str]:
        """The names of the functions that are called."""
        return self._checker.functions

    def read(self, value: Any) -> Plan:
        """Return the plan by which `value` is rendered; of use only if there are no problems."""
        return self._read(value, "", 0)

    def _report(self, problem: ExpressionError) -> None:
        known = any(pointer == self._pointer and other.args == problem.args for pointer, other in self.problems)
        if not known and len(self.problems) < limits.MAX_PROBLEMS:
            self.problems.append((self._pointer, problem))

    def _read(self, value: Any, pointer: str, depth: int) -> Plan:
        self._pointer = pointer
        if depth > limits.MAX_JSON_DEPTH:
            self._report(ExpressionError(f"more than {limits.MAX_JSON_DEPTH} objects and lists inside one another"))
            return ConstantPlan(None)
        if isinstance(value, str):
            return self._read_text(value) if "{{" in value else ConstantPlan(value)
        if isinstance(value, list):
            return ListPlan(
                tuple(self._read(item, f"{pointer}/{index}", depth + 1) for index, item in enumerate(value))
            )
        if isinstance(value, dict):
            return ObjectPlan(tuple(self._read_entry(key, item, pointer, depth) for key, item in value.items()))
        return ConstantPlan(value)

    def _read_entry(self, key: Any, item: Any, pointer: str, depth: int) -> tuple[str, Plan]:
        inner = pointer + written((key,))
        if isinstance(key, str) and "{{" in key:
            self._pointer = inner
            self._report(ExpressionError("a key can't be a template", 0, key, "write the key out"))
        return key, self._read(item, inner, depth + 1)

    def _read_text(self, text: str) -> Plan:
        if len(text) > limits.MAX_TEMPLATE_CHARS:
            self._report(ExpressionError(f"a template of more than {limits.MAX_TEMPLATE_CHARS:,} characters", 0, text))
            return ConstantPlan(text)
        parts: list[str | Expression] = []
        position, literal = 0, ""
        while (opening := OPENING.search(text, position)) is not None:
            slashes = len(opening[1])
            literal += text[position : opening.start()] + "\\" * (slashes // 2)
            position = opening.end()
            if slashes % 2:
                literal += "{{"
                continue
            parts += [literal] if literal else []
            literal = ""
            tree, position = self._read_expression(text, position)
            parts += [tree] if tree else []
        literal += text[position:]
        parts += [literal] if literal else []
        return TextPlan(text, tuple(parts), self._checker.patterns)

    def _read_expression(self, text: str, start: int) -> tuple[Expression | None, int]:
        try:
            tokens, end = tokenize(text, start)
        except ExpressionError as error:
            self._report(error)
            closing = text.find("}}", error.position)
            return None, closing + 2 if closing != -1 else len(text)
        try:
            parser = Parser(text, tokens)
            tree = parser.parse()
            self._nodes += parser.nodes
            if self._nodes > limits.MAX_TOTAL_NODES:
                raise ExpressionError(f"more than {limits.MAX_TOTAL_NODES:,} parts in one template", start, text)
            self._check(tree, text)
        except ExpressionError as error:
            self._report(error)
            return None, end
        return tree, end

    def _check(self, tree: Expression, text: str) -> None:
        """Check an expression; one that reads nothing is computed, so that `{{1 / 0}}` is found before a run."""
        before = len(self.problems), len(self.references)
        self._checker.check(tree, text, self._pointer)
        if before == (len(self.problems), len(self.references)):
            limits.start_render()
            Compiler(text, self._checker.patterns).compile(tree, strict=False)({})
