"""What is wrong with a value: where, what was expected, what was found; never the value itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from lumeflow.core.pointer import pointer

_SHOWN = 5
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a value.

    Attributes:
        pointer: JSON pointer into the value.
        expected: What the schema asks for.
        found: Type and size of what is there; no text of it.
    """

    pointer: str
    expected: str
    found: str

    @property
    def message(self) -> str:
        """One sentence: `/email: expected format email, found a string of 4 characters`."""
        return f"{self.pointer or 'the value'}: expected {self.expected}, found {self.found}"


def problem_of(error: ValidationError, found: Any) -> Problem:
    """Describe an error of the validator; `found` is the value that it concerns."""
    return Problem(
        pointer(error.instance_path),
        expectation(error.kind),
        "equal items" if isinstance(error.kind, Kind.UniqueItems) else shape_of(found),
    )


def shape_of(value: Any) -> str:
    """Type and size of a value: `a string of 12 characters`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a number"
    if isinstance(value, str):
        return "an empty string" if not value else f"a string of {_count(len(value), 'character')}"
    if isinstance(value, dict):
        return f"an object with {_count(len(value), 'key')}"
    if isinstance(value, Sequence) or hasattr(value, "typecode"):
        return f"an array of {_count(len(value), 'item')}"
    return f"a {type(value).__name__}"


def expectation(kind: Kind) -> str:
    """What the schema asks for, in its author's own terms."""
    describe = _DESCRIBE.get(type(kind))
    return describe(kind) if describe else f"what '{kind.name}' asks for"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _json(value: Any) -> str:
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def _listed(values: Iterable[Any], word: str = "or") -> str:
    shown = [_json(value) for value in values]
    if len(shown) > _SHOWN:
        return f"{', '.join(shown[:_SHOWN])} {word} {len(shown) - _SHOWN} more"
    return f" {word} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _alternatives(kind: Any) -> str:
    wanted: dict[str, None] = {}
    for alternative in kind.context:
        errors = list(alternative)
        if errors:
            wanted[expectation(errors[0].kind)] = None
    return " or ".join(wanted) or "one of the alternatives"


_DESCRIBE: dict[type[Kind], Callable[[Any], str]] = {
    Kind.Type: lambda kind: " or ".join(kind.types),
    Kind.Required: lambda kind: f"the key {_json(kind.property)}",
    Kind.Enum: lambda kind: _listed(kind.options),
    Kind.Constant: lambda kind: _json(kind.expected_value),
    Kind.Format: lambda kind: f"format {kind.format}",
    Kind.Pattern: lambda kind: f"a match of {kind.pattern[:_SHOWN_CHARS]}",
    Kind.Minimum: lambda kind: f"at least {kind.limit}",
    Kind.Maximum: lambda kind: f"at most {kind.limit}",
    Kind.ExclusiveMinimum: lambda kind: f"more than {kind.limit}",
    Kind.ExclusiveMaximum: lambda kind: f"less than {kind.limit}",
    Kind.MultipleOf: lambda kind: f"a multiple of {kind.multiple_of}",
    Kind.MinLength: lambda kind: f"at least {_count(kind.limit, 'character')}",
    Kind.MaxLength: lambda kind: f"at most {_count(kind.limit, 'character')}",
    Kind.MinItems: lambda kind: f"at least {_count(kind.limit, 'item')}",
    Kind.MaxItems: lambda kind: f"at most {_count(kind.limit, 'item')}",
    Kind.MinProperties: lambda kind: f"at least {_count(kind.limit, 'key')}",
    Kind.MaxProperties: lambda kind: f"at most {_count(kind.limit, 'key')}",
    Kind.UniqueItems: lambda _: "items that differ",
    Kind.Contains: lambda _: "an item that 'contains' describes",
    Kind.AdditionalProperties: lambda kind: f"no other keys, such as {_listed(kind.unexpected, 'and')}",
    Kind.UnevaluatedProperties: lambda kind: f"no other keys, such as {_listed(kind.unexpected, 'and')}",
    Kind.AdditionalItems: lambda kind: f"at most {_count(kind.limit, 'item')}",
    Kind.UnevaluatedItems: lambda _: "no further items",
    Kind.FalseSchema: lambda _: "nothing",
    Kind.Not: lambda _: "a value that 'not' does not describe",
    Kind.PropertyNames: lambda kind: f"keys with {expectation(kind.error.kind)}",
    Kind.AnyOf: _alternatives,
    Kind.OneOfNotValid: _alternatives,
    Kind.OneOfMultipleValid: lambda _: "exactly one of the alternatives, but several fit",
}
