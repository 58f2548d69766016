"""`where` of blocks that read the database: a value that a column must equal, or an object of comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any

from lumeflow.kit.payloads import json_type
from lumeflow.plugin import BlockContext, Comparison, ErrorClass, Filter, NodeError, Template, did_you_mean


def operators_of(column: str, template: Template) -> Sequence[Comparison]:
    """The comparisons that are written down for a column; none if it must equal a value.

    Raises:
        ValueError: One of them is unknown.
    """
    source = template.source
    if not isinstance(source, Mapping):
        return ()
    if not source:
        raise ValueError(f"the comparisons of column '{column}' are an empty object")
    for name in source:
        if name not in tuple(Comparison):
            known = [str(comparison) for comparison in Comparison]
            raise ValueError(f"column '{column}' has the unknown comparison '{name}'." + did_you_mean(name, known))
    return [Comparison(name) for name in source]


def filters_of(column: str, template: Template, ctx: BlockContext) -> list[Filter]:
    """The conditions on a column, their values resolved.

    Raises:
        NodeError: An expression gives nothing, or a value of the wrong kind.
    """
    value = ctx.render(template)
    comparisons = operators_of(column, template)
    if not comparisons:
        return [Filter(column, Comparison.EQUALS, _checked(column, None, value, template))]
    return [
        Filter(column, comparison, _checked(column, comparison, value[comparison], template))
        for comparison in comparisons
    ]


def _checked(column: str, comparison: Comparison | None, value: Any, template: Template) -> Any:
    field = f"where.{column}" if comparison is None else f"where.{column}.{comparison}"
    if value is None and not template.is_constant:
        message = f"config.{field} is null: what its expression reads is not there"
        raise NodeError(ErrorClass.VALIDATION, message, field=field)
    wanted = {Comparison.IN: list, Comparison.NOT_IN: list, Comparison.IS_NULL: bool}.get(comparison or Comparison.GT)
    if wanted is not None and not isinstance(value, wanted):
        what = "a list" if wanted is list else "true or false"
        message = f"config.{field} must be {what}; found {json_type(value)}"
        raise NodeError(ErrorClass.VALIDATION, message, field=field)
    return value
