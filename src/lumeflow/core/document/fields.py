"""What all models of the document share: strict types, camelCase keys, no unknown key but `x-…`."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from lumeflow.core.document.codes import Code
from lumeflow.core.errors import ErrorClass
from lumeflow.core.money import decimal_of

ID_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$"
EXTENSION = "x-"
"""Keys that begin with this are the user's own; they are kept and never read."""


def describe(value: Any) -> str:
    """What was found, in a few words that hold no text of the document: `a string of 5 characters`."""
    if value is None:
        return "null"
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    if isinstance(value, str):
        return f"a string of {len(value)} character{'s' * (len(value) != 1)}" if value else "an empty string"
    if isinstance(value, (list, tuple)):
        return f"an array of {len(value)}"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"


def wrong_type(expected: str, value: Any) -> PydanticCustomError:
    """The error of a value that is of another type."""
    return PydanticCustomError(
        Code.WRONG_TYPE.value, "expected {expected}, found {found}", {"expected": expected, "found": describe(value)}
    )


def _extension_key(key: str) -> str:
    if not key.startswith(EXTENSION):
        raise PydanticCustomError("extra_forbidden", "unknown key")
    return key


class DocumentModel(BaseModel):
    """Base of all parts of a document; frozen."""

    model_config = ConfigDict(
        extra="allow", frozen=True, alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=False
    )
    __pydantic_extra__: dict[Annotated[str, AfterValidator(_extension_key)], Any]


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise wrong_type("a number", value)
    return value


def _shortest(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _schema(value: Any) -> Any:
    if value is not None and not isinstance(value, (dict, bool)):
        raise wrong_type("a JSON Schema (an object)", value)
    return value


def _money(value: Any) -> Any:
    return decimal_of(value) if isinstance(value, float) else value


def _money_as_json(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _retryable(value: ErrorClass) -> ErrorClass:
    if value not in RETRYABLE:
        raise PydanticCustomError("enum", "expected {expected}", {"expected": ", ".join(RETRYABLE)})
    return value


RETRYABLE = tuple(kind for kind in ErrorClass if kind not in {ErrorClass.LIMIT, ErrorClass.INTERNAL})
"""The classes that `retryableErrors` may name; a limit or a bug would only happen again."""

Id = Annotated[
    str,
    Field(
        strict=True,
        pattern=ID_PATTERN,
        description="1 to 128 letters, digits, '_', '-', '.' or ':'; begins with a letter, a digit or '_'.",
    ),
]
Text = Annotated[str, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
_ReadNumber = BeforeValidator(_number)
_WriteNumber = PlainSerializer(_shortest, return_type=int | float)
Number = Annotated[float, Field(allow_inf_nan=False), _ReadNumber, _WriteNumber]
"""A JSON number; whole ones are written back without a point."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), _ReadNumber, _WriteNumber]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), _ReadNumber, _WriteNumber]
Factor = Annotated[float, Field(ge=1, allow_inf_nan=False), _ReadNumber, _WriteNumber]
Share = Annotated[float, Field(ge=0, le=1), _ReadNumber, _WriteNumber]
Money = Annotated[
    Decimal,
    BeforeValidator(_number),
    BeforeValidator(_money),
    Field(ge=0, allow_inf_nan=False),
    PlainSerializer(_money_as_json, return_type=int | float),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
"""An exact amount; a float is read by its shortest text, as it stands in the document."""
JsonSchema = dict[str, Any] | bool
SchemaField = Annotated[
    JsonSchema | None, BeforeValidator(_schema), WithJsonSchema({"type": ["object", "boolean", "null"]})
]
RetryableError = Annotated[
    ErrorClass,
    AfterValidator(_retryable),
    WithJsonSchema({"type": "string", "enum": [str(kind) for kind in RETRYABLE]}),
]
