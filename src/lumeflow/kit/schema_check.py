"""Checking a model's answer against a JSON Schema that the user wrote."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], None]
"""Raises `ValueError` for a value that does not fit; the message names the place and the rule, not the value."""


def schema_check(schema: Mapping[str, Any]) -> Check:
    """Compile `schema`.

    Raises:
        ValueError: It is not a JSON Schema.
    """
    import jsonschema_rs

    try:
        validator = jsonschema_rs.validator_for(dict(schema), validate_formats=True)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(f"not a JSON Schema: {error}") from error

    def check(value: Any) -> None:
        for problem in validator.iter_errors(value):
            place = "/".join(str(part) for part in problem.instance_path) or "the answer"
            rule = "/".join(str(part) for part in problem.schema_path[-2:])
            raise ValueError(f"{place} does not satisfy {rule}")

    return check
