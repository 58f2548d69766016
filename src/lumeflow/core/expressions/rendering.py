"""Makes the function that renders a whole template out of its plan."""

from collections.abc import Sequence

from lumeflow.core.expressions import closures
from lumeflow.core.expressions.closures import Evaluator, Scope
from lumeflow.core.expressions.limits import start_render
from lumeflow.core.expressions.reader import ConstantPlan, ListPlan, ObjectPlan, Plan, TextPlan


def renderer(plan: Plan, *, strict: bool) -> Evaluator:
    """Return the function that renders `plan`; `strict` makes a missing path an error."""
    match plan:
        case ConstantPlan(value=value):
            return closures.constant(value)
        case ListPlan(items=items):
            return closures.list_of([renderer(item, strict=strict) for item in items])
        case ObjectPlan(entries=entries):
            return _object(entries, strict=strict)
        case TextPlan():
            compiler = plan.compiler()
            if plan.single is not None:
                return compiler.compile(plan.single, strict=strict)
            parts = [part if isinstance(part, str) else compiler.compile(part, strict=strict) for part in plan.parts]
            return closures.mixed_text(parts, plan.text)


def _object(entries: Sequence[tuple[str, Plan]], *, strict: bool) -> Evaluator:
    fixed = {key: plan.value if isinstance(plan, ConstantPlan) else None for key, plan in entries}
    changing = [(key, renderer(plan, strict=strict)) for key, plan in entries if not isinstance(plan, ConstantPlan)]

    def evaluate(scope: Scope) -> dict[str, object]:
        rendered = fixed.copy()  # with all keys, so that they keep their order
        for key, value in changing:
            rendered[key] = value(scope)
        return rendered

    return evaluate


def metered(plan: Plan, evaluate: Evaluator) -> Evaluator:
    """Begin each rendering with a full allowance, unless the template only hands on what is at paths."""
    if not _makes_values(plan):
        return evaluate

    def evaluate_metered(scope: Scope) -> object:
        start_render()
        return evaluate(scope)

    return evaluate_metered


def _makes_values(plan: Plan) -> bool:
    match plan:
        case TextPlan():
            return plan.makes_values
        case ListPlan(items=items):
            return any(map(_makes_values, items))
        case ObjectPlan(entries=entries):
            return any(_makes_values(inner) for _, inner in entries)
        case _:
            return False
