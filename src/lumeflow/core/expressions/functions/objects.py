"""Functions on objects and JSON. None of them changes what it is given."""

from typing import Any

import orjson

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.functions.registry import Anything, Object, Text, function
from lumeflow.core.expressions.limits import check_items, check_text
from lumeflow.core.expressions.paths import MISSING, compile_path
from lumeflow.core.expressions.values import canonical_json


@function("object")
def keys(record: Object) -> list[str]:
    """The keys of an object, in their order.

    Example:
        keys({'b': 1, 'a': 2}) -> ['b', 'a']
    """
    return [*record]


@function("object")
def values(record: Object) -> list[Any]:
    """The values of an object, in the order of its keys.

    Example:
        values({'b': 1, 'a': 2}) -> [1, 2]
    """
    return [*record.values()]


@function("object", lenient=True)
def get(value: Anything, path: Text, fallback: Anything = None) -> Any:
    """What lies at a path computed at run time; `fallback` or null where there is nothing.

    Example:
        get({'a': [{'b': 1}]}, 'a[0].b') -> 1
        get({}, 'a.b', 'none') -> 'none'
    """
    try:
        found = compile_path(path).get(value)
    except ValueError:
        raise FunctionError("path isn't a path such as 'name' or 'phones[0].number'") from None
    return fallback if found is MISSING else found


@function("object")
def merge(*objects: Object) -> dict[str, Any]:
    """The objects as one; of a key that several have, the last value counts.

    Example:
        merge({'a': 1, 'b': 1}, {'b': 2}) -> {'a': 1, 'b': 2}
    """
    check_items(sum(map(len, objects)))
    merged: dict[str, Any] = {}
    for single in objects:
        merged.update(single)
    return merged


@function("object")
def pick(record: Object, *keys: Text) -> dict[str, Any]:
    """The object with these keys only.

    Example:
        pick({'a': 1, 'b': 2}, 'a', 'c') -> {'a': 1}
    """
    return {key: record[key] for key in keys if key in record}


@function("object")
def omit(record: Object, *keys: Text) -> dict[str, Any]:
    """The object without these keys.

    Example:
        omit({'a': 1, 'b': 2}, 'b') -> {'a': 1}
    """
    return {key: value for key, value in record.items() if key not in keys}


@function("object")
def json(value: Anything) -> str:
    """The value as JSON: keys sorted, no spaces, so that equal values give equal texts.

    Example:
        json({'b': [1.0, null], 'a': 'x'}) -> '{"a":"x","b":[1,null]}'
    """
    text = canonical_json(value)
    check_text(len(text))
    return text


@function("object")
def parse_json(text: Text) -> Any:
    """The value that a JSON text stands for; null if it isn't JSON.

    Example:
        parseJson('{"a": [1, 2]}') -> {'a': [1, 2]}
        parseJson('{a: 1}') -> null
    """
    check_text(len(text))
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
