"""Asking a record whether it meets conditions whose values may be expressions."""

from collections.abc import Mapping
from typing import Any

from lumeflow.core.conditions import Predicate
from lumeflow.core.expressions import compile_template
from lumeflow.plugin import BlockContext, ErrorClass, JsonObject, RecordError

_ROOTS = compile_template(
    {root: f"{{{{{root}}}}}" for root in ("variables", "workflow", "nodes", "execution", "trigger")}
)


def meets(conditions: Predicate, record: JsonObject, ctx: BlockContext) -> bool:
    """True if `record` meets `conditions`; expressions in their values see it as `input`, and all that templates see.

    Raises:
        RecordError: (VALIDATION) an expression cannot be computed for this record.
    """
    try:
        return conditions(record, _scope(conditions, record, ctx))
    except ValueError as error:
        raise RecordError(ErrorClass.VALIDATION, f"the conditions cannot be computed: {error}") from error


def shortfall(conditions: Predicate, record: JsonObject, ctx: BlockContext) -> str:
    """Why `record` does not meet `conditions`: fields, operators and types, no data."""
    return conditions.explain(record, _scope(conditions, record, ctx)) or "the conditions are not met"


def _scope(conditions: Predicate, record: JsonObject, ctx: BlockContext) -> Mapping[str, Any] | None:
    if all(reference.root == "input" for reference in conditions.references):
        return None  # the record alone is what a predicate looks at by itself
    return {**ctx.render(_ROOTS, record), "input": record}
