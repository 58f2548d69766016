"""Templates: JSON values whose strings may hold `{{…}}`; compiled when a document is loaded, rendered per record."""

from collections.abc import Iterable, Mapping
from typing import Any

from lumeflow.core.expressions.check import ROOTS, Reference
from lumeflow.core.expressions.closures import Evaluator
from lumeflow.core.expressions.errors import ExpressionError
from lumeflow.core.expressions.reader import Plan, TemplateReader
from lumeflow.core.expressions.rendering import metered, renderer


class Template:
    """A compiled template; immutable, and usable from several threads.

    Attributes:
        source: The raw JSON value.
        references: The paths that it reads, in the order they are written, repeated ones included.
        functions: The names of the functions that it calls.
        secrets: The names that it reads as `secrets.NAME`.
        is_constant: It reads nothing, so that it always renders to the same value.
    """

    __slots__ = (
        "_evaluate",
        "_evaluate_strictly",
        "_plan",
        "functions",
        "is_constant",
        "references",
        "secrets",
        "source",
    )

    def __init__(self, source: Any, plan: Plan, references: Iterable[Reference], functions: Iterable[str]) -> None:
        self.source = source
        self.references: tuple[Reference, ...] = tuple(references)
        self.functions: frozenset[str] = frozenset(functions)
        self.secrets = frozenset(str(each.path[0]) for each in self.references if each.root == "secrets" and each.path)
        self.is_constant = not self.references
        self._plan = plan
        self._evaluate: Evaluator = metered(plan, renderer(plan, strict=False))
        self._evaluate_strictly: Evaluator | None = None

    def render(self, scope: Mapping[str, Any], *, strict: bool = False) -> Any:
        """Return the value with every `{{…}}` replaced; lists and objects written in the template are new each time.

        Args:
            scope: The roots by name: `input`, `secrets`, `variables`, `workflow`, `nodes`, `execution`, `env`,
                `trigger`, each a dict or another JSON value. `secrets` maps names to `Secret`.
            strict: Make a path that leads nowhere an error instead of null.

        Raises:
            MissingPathError: A path leads nowhere, and `strict` is set.
            EvaluationError: A function or operator can't use the values it met, or a result would be too large.
        """
        if not strict:
            return self._evaluate(scope)
        if self._evaluate_strictly is None:
            self._evaluate_strictly = metered(self._plan, renderer(self._plan, strict=True))
        return self._evaluate_strictly(scope)

    def __repr__(self) -> str:
        return f"<Template with {len(self.references)} references>"


def compile_template(value: Any, *, allow_env: bool = False, roots: Iterable[str] = ROOTS) -> Template:
    """Compile a JSON value whose strings may hold `{{…}}`.

    Args:
        value: A string, or any JSON value with strings in it. Keys of objects are never templates.
        allow_env: Let `{{env.NAME}}` be read.
        roots: The names that paths may start with.

    Raises:
        ExpressionError: The first problem; `find_problems` gives all of them.
    """
    reader = TemplateReader(roots, allow_env=allow_env)
    plan = reader.read(value)
    if reader.problems:
        raise reader.problems[0][1]
    return Template(value, plan, reader.references, reader.functions)


def find_problems(
    value: Any, *, allow_env: bool = False, roots: Iterable[str] = ROOTS
) -> list[tuple[str, ExpressionError]]:
    """Return every problem of a template with the JSON pointer of the string that has it; see `compile_template`."""
    reader = TemplateReader(roots, allow_env=allow_env)
    reader.read(value)
    return reader.problems
