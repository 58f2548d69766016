"""Checking values against JSON Schemas that users wrote."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lumeflow.plugin import JsonObject

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

Check = Callable[[Any], None]
"""Raises `ValueError` for a value that does not fit; the message names the place and the rule, not the value."""

Shortfall = Callable[[JsonObject], str | None]
"""Why a record does not fit: place and rule, not the value; None if it does."""


def schema_check(schema: Mapping[str, Any]) -> Check:
    """Compile `schema` to check a model's answer.

    Raises:
        ValueError: It is not a JSON Schema.
    """
    validator = _compiled(schema)

    def check(value: Any) -> None:
        for problem in validator.iter_errors(value):
            place = "/".join(str(part) for part in problem.instance_path) or "the answer"
            rule = "/".join(str(part) for part in problem.schema_path[-2:])
            raise ValueError(f"{place} does not satisfy {rule}")

    return check


def record_shortfall(schema: Mapping[str, Any]) -> Shortfall:
    """Compile `schema` to check records, which may hold vectors (`array('f')`).

    Raises:
        ValueError: It is not a JSON Schema.
    """
    from lumeflow.core.schemas import Checker

    checker = Checker(_compiled(schema))

    def shortfall(record: JsonObject) -> str | None:
        if checker.is_valid(record):
            return None
        problems = checker.check(record).problems
        return str(problems[0].message) if problems else "a value has another type than the schema wants"

    return shortfall


def _compiled(schema: Mapping[str, Any]) -> "Draft202012Validator":
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(f"not a JSON Schema: {error}") from error
