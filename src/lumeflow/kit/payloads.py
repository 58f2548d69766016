"""Cutting a payload into its fields and its collection of records."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lumeflow.plugin import JsonObject, UsageError


class SplitPayload(NamedTuple):
    """A payload in two parts.

    Attributes:
        fields: All properties but the collection.
        collection: Name of the collection; None if the payload has none.
        records: The collection's records.
    """

    fields: dict[str, Any]
    collection: str | None
    records: Sequence[JsonObject]


def split_payload(payload: JsonObject, collection: str | None = None) -> SplitPayload:
    """Cut `payload` into its fields and its records; the payload is not changed.

    The collection is the property called `collection`. Without a name it is the one property that is a non-empty list
    of nothing but objects. Where several properties are such lists, none of them is: to guess would make the result
    depend on what the data happen to hold, so all stay fields and the workflow's author has to name one.

    Args:
        payload: A whole payload.
        collection: Name of the collection, where it is known. A payload that lacks it, or has null there, has an
            empty collection.

    Raises:
        UsageError: The named property is not a list of objects; the message says what was found.
    """
    name = collection if collection is not None else _only_candidate(payload)
    if name is None:
        return SplitPayload(dict(payload), None, ())
    records = payload.get(name)
    fields = {key: value for key, value in payload.items() if key != name}
    return SplitPayload(fields, name, () if records is None else checked_records(records, name))


def checked_records(value: Any, name: str) -> Sequence[JsonObject]:
    """`value` as the records of collection `name`.

    Raises:
        UsageError: It is not a list, or an element is not an object.
    """
    if not isinstance(value, list | tuple):
        raise UsageError(f"'{name}' must be a list of objects; found {json_type(value)}")
    for index, element in enumerate(value):
        if not isinstance(element, Mapping):
            raise UsageError(f"'{name}' must be a list of objects; element {index} is {json_type(element)}")
    return value


def json_type(value: Any) -> str:
    """What `value` is called in JSON, with its article, for messages: `a list`, `null`."""
    if value is None:
        return "null"
    for types, name in _NAMES:
        if isinstance(value, types):
            return name
    return f"a {type(value).__name__}"


_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    ((int, float), "a number"),
    (str, "a string"),
    (Mapping, "an object"),
    ((list, tuple), "a list"),
)


def _only_candidate(payload: JsonObject) -> str | None:
    candidates = [key for key, value in payload.items() if _is_records(value)]
    return candidates[0] if len(candidates) == 1 else None


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(element, Mapping) for element in value)
