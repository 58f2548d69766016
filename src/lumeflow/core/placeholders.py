"""Typed placeholders of templates: `${name}` in a document that declares `x-placeholders`.

{
  "x-placeholders": { "most": { "type": "integer", "minimum": 1, "default": 100 } },
  "globals": { "limits": { "records": "${most}" } }
}

A text that is one placeholder becomes the value, of whatever type; in a longer text the value is put in as text. `$${`
stands for `${`. A document that declares none has none, and its texts stay as they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from lumeflow.core.findings import did_you_mean

DECLARED = "x-placeholders"
LARGEST = 10_000_000
"""Bytes of all values that are put in, each as often as it is."""

_MOST_REASONS = 10
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_USE = re.compile(r"\$\$\{|\$\{([^{}]{0,80})\}")


@dataclass(frozen=True, slots=True)
class PlaceholderProblem:
    """What is wrong.

    Attributes:
        name: Which placeholder; empty for all of them.
        message: What is wrong with it, and what would be right; never the value.
    """

    name: str
    message: str


class PlaceholderError(Exception):
    """A template cannot be filled.

    Attributes:
        problems: Why, one for each placeholder that is concerned.
    """

    def __init__(self, problems: list[PlaceholderProblem]) -> None:
        super().__init__("; ".join(f"{one.name}: {one.message}" for one in problems))
        self.problems = problems


def declared(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The placeholders of a template by name, each with its JSON Schema, whose `default` makes it optional.

    Raises:
        PlaceholderError: They are not declared as they should be.
    """
    found = document.get(DECLARED, {})
    if not isinstance(found, Mapping):
        raise PlaceholderError([PlaceholderProblem("", f"{DECLARED} must be an object: a JSON Schema by name")])
    problems = [*_misdeclared(found)]
    problems += [
        PlaceholderProblem(name, f"it is used, and {DECLARED} does not declare it." + did_you_mean(name, found))
        for name in (sorted(set(_uses(document)) - found.keys()) if DECLARED in document else ())
    ]
    if problems:
        raise PlaceholderError(problems)
    return found


def filled(document: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The document with values in place of its placeholders.

    Args:
        document: A template.
        values: By placeholder; where one is left out, its default is taken.

    Raises:
        PlaceholderError: A value is missing, unknown, or not what its schema asks for.
    """
    schemas = declared(document)
    problems = [
        PlaceholderProblem(name, "the template has no such placeholder." + did_you_mean(name, schemas))
        for name in values
        if name not in schemas
    ]
    taken: dict[str, Any] = {}
    for name, schema in schemas.items():
        if name not in values and "default" not in schema:
            problems.append(PlaceholderProblem(name, "a value is needed"))
            continue
        taken[name] = values.get(name, schema.get("default"))
        problems += [PlaceholderProblem(name, reason) for reason in _misfits(_validator(schema), taken[name])]
    if problems:
        raise PlaceholderError(problems)
    if DECLARED not in document:
        return dict(document)
    rest = {key: value for key, value in document.items() if key != DECLARED}
    _check_size(rest, taken)
    made: dict[str, Any] = _put_in(rest, taken)
    return made


def _misdeclared(found: Mapping[str, Any]) -> Iterator[PlaceholderProblem]:
    for name, schema in found.items():
        if not _NAME.fullmatch(name):
            yield PlaceholderProblem(name[:80], "a placeholder's name has up to 64 letters, digits, _ and -")
        elif not isinstance(schema, Mapping):
            yield PlaceholderProblem(name, 'a JSON Schema is needed, such as {"type": "string"}')
        else:
            try:
                validator = _validator(schema)
            except (ValueError, jsonschema_rs.ReferencingError):
                yield PlaceholderProblem(name, "it is not declared by a JSON Schema")
                continue
            reasons = _misfits(validator, schema["default"]) if "default" in schema else []
            yield from (PlaceholderProblem(name, f"its default: {reason}") for reason in reasons)


def _validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        dict(schema), validate_formats=True, offline=True, pattern_options=jsonschema_rs.RegexOptions()
    )


def _misfits(validator: jsonschema_rs.Draft202012Validator, value: Any) -> list[str]:
    """Why a value is not what a schema asks for: places and rules, not values."""
    reasons = []
    for error in islice(validator.iter_errors(value), _MOST_REASONS):
        place = "/".join(map(str, error.instance_path))
        rule = "/".join(map(str, error.schema_path))
        reasons.append(f"{place or 'the value'} is not as '{rule}' asks for")
    return reasons


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _uses(document: Mapping[str, Any]) -> Iterator[str]:
    for key, value in document.items():
        if key != DECLARED:
            for text in _texts(value):
                yield from (use[1] for use in _USE.finditer(text) if use[1] is not None)


def _check_size(document: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    sizes = {name: len(orjson.dumps(value)) for name, value in values.items()}
    total = 0
    for name in _uses(document):
        total += sizes[name]
        if total > LARGEST:
            raise PlaceholderError([PlaceholderProblem(name, f"the values have more than {LARGEST:,} bytes in all")])


def _put_in(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _filled_text(value, values)
    if isinstance(value, Mapping):
        return {key: _put_in(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_put_in(inner, values) for inner in value]
    return value


def _filled_text(text: str, values: Mapping[str, Any]) -> Any:
    whole = _USE.fullmatch(text)
    if whole is not None and whole[1] is not None:
        return values[whole[1]]
    return _USE.sub(lambda use: "${" if use[1] is None else _as_text(values[use[1]]), text)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
