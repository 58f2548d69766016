"""Checks a parsed expression against what exists: roots, functions, numbers of arguments, secrets, patterns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lumeflow.core.expressions.errors import ExpressionError, suggestion
from lumeflow.core.expressions.functions import FUNCTIONS, Function
from lumeflow.core.expressions.operators import COMPARISONS
from lumeflow.core.expressions.patterns import MAX_PATTERN_WEIGHT, Pattern, compile_pattern
from lumeflow.core.expressions.syntax import Access, Call, Chain, Expression, Literal, Select, Unary, walk

ROOTS = frozenset(["input", "secrets", "variables", "workflow", "nodes", "execution", "env", "trigger"])
_NAMED_ONLY = frozenset(["secrets", "env"])  # roots of which one entry at a time is read, by a name written out
_MAX_TOTAL_WEIGHT = 5 * MAX_PATTERN_WEIGHT


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that a template reads.

    Attributes:
        root: Where it starts: `input`, `nodes`…
        path: Object keys and list indexes behind the root, up to the first one that is computed at run time.
        position: Offset in the string that holds it.
        pointer: JSON pointer of that string in the template's value; empty if the value is the string itself.
    """

    root: str
    path: tuple[str | int, ...]
    position: int
    pointer: str = ""


class Checker:
    """Collects what the expressions of one template use, and everything that is wrong with them.

    Attributes:
        references: What they read, in the order it is written.
        functions: The names of the functions that they call.
        patterns: Their compiled regular expressions by source.
    """

    def __init__(self, roots: Iterable[str], *, allow_env: bool, report: Callable[[ExpressionError], None]) -> None:
        self.references: list[Reference] = []
        self.functions: set[str] = set()
        self.patterns: dict[str, Pattern] = {}
        self._roots = frozenset(roots)
        self._allow_env = allow_env
        self._report = report
        self._text = ""
        self._pointer = ""

    def check(self, tree: Expression, text: str, pointer: str) -> None:
        """Check one expression of the string `text`, which lies at `pointer`."""
        self._text, self._pointer = text, pointer
        for node in walk(tree):
            match node:
                case Access():
                    self._check_access(node)
                case Call():
                    self._check_call(node)
                case Unary(operator="not", operand=operand):
                    self._check_tested(operand)
                case Chain():
                    self._check_chain(node)
                case Select():
                    self._check_select(node)

    def _problem(self, message: str, position: int, hint: str = "") -> None:
        self._report(ExpressionError(message, position, self._text, hint))

    def _check_access(self, node: Access) -> None:
        if node.root not in self._roots:
            self._problem(f"unknown name {node.root[:40]!r}", node.position, self._root_hint(node))
            return
        static: list[str | int] = []
        for step in node.steps:
            if not isinstance(step, str | int):
                break
            static.append(step)
        self.references.append(Reference(node.root, tuple(static), node.position, self._pointer))
        if node.root in _NAMED_ONLY:
            self._check_named(node)
        for step in node.steps:
            if not isinstance(step, str | int):
                self._check_tested(step)

    def _check_named(self, node: Access) -> None:
        if node.root == "env" and not self._allow_env:
            self._problem(
                "environment variables may not be read here", node.position, "use secrets.NAME or variables.NAME"
            )
        elif len(node.steps) != 1 or not isinstance(node.steps[0], str):
            self._problem(f"{node.root} is read one by one, by name", node.position, f"write {node.root}.NAME")

    def _root_hint(self, node: Access) -> str:
        before = self._text[max(0, node.position - 2) : node.position]
        if len(before) == 2 and before[1] == "-" and not before[0].isspace():
            return "a name with a hyphen is written in brackets, as in nodes['llm-1']"
        if node.root in FUNCTIONS:
            return f"to call the function write {FUNCTIONS[node.root].signature}"
        nearest = suggestion(node.root, self._roots) or f"a field of the record is written input.{node.root[:40]}"
        return f"{nearest} (known names: {', '.join(sorted(self._roots))})"

    def _check_call(self, node: Call) -> None:
        called = FUNCTIONS.get(node.name)
        if called is None:
            nearest = suggestion(node.name, FUNCTIONS)
            self._problem(f"unknown function {node.name[:40]!r}", node.position, nearest or "see the list of functions")
            return
        self.functions.add(node.name)
        if called.reads:
            self.references.append(Reference(called.reads[0], called.reads[1:], node.position, self._pointer))
        given = len(node.arguments)
        if given < called.minimum or (called.maximum is not None and given > called.maximum):
            self._problem(f"{given} arguments for {node.name}", node.position, f"write {called.signature}")
            return
        self._check_arguments(called, node)

    def _check_arguments(self, called: Function, node: Call) -> None:
        for index, argument in enumerate(node.arguments):
            kind = called.parameter(index).kind
            if kind == "pattern":
                self._check_pattern(argument)
            elif kind == "condition":
                self._check_tested(argument)

    def _check_pattern(self, argument: Expression) -> None:
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            self._problem("a pattern is written out, not computed", argument.position, "write it as '…'")
            return
        try:
            pattern = self.patterns[argument.value] = compile_pattern(argument.value)
        except ExpressionError as error:
            self._problem(error.message, argument.position, error.hint)
            return
        if sum(other.weight for other in self.patterns.values()) > _MAX_TOTAL_WEIGHT:
            self._problem("the patterns of this template repeat too much", argument.position, "lower the counts in {…}")
            del self.patterns[pattern.source]

    def _check_chain(self, node: Chain) -> None:
        operator = node.rest[0][0]
        if operator in COMPARISONS or operator in ("and", "or"):
            self._check_tested(node.first)
            for _, _, operand in node.rest:
                self._check_tested(operand)

    def _check_select(self, node: Select) -> None:
        if mentions_secret(node.base):
            self._problem("a secret has no fields", node.position)
        for step in node.steps:
            if not isinstance(step, str | int):
                self._check_tested(step)

    def _check_tested(self, node: Expression) -> None:
        """Refuse secrets where the outcome would tell something about their text."""
        if mentions_secret(node):
            self._problem("a secret can't be tested, compared or used as an index", node.position, "pass it on whole")


def mentions_secret(node: Expression) -> bool:
    """Tell whether a secret is read anywhere in `node`."""
    return any(isinstance(inner, Access) and inner.root == "secrets" for inner in walk(node))
