"""From bytes to a JSON object, with an answer for every way in which a file can be wrong."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from lumeflow.core.document.codes import Code, make_finding
from lumeflow.core.document.fields import describe
from lumeflow.core.findings import Finding, InvalidWorkflow, Report
from lumeflow.core.pointer import pointer

MAX_BYTES = 10_000_000
MAX_DEPTH = 100
"""Deepest nesting of arrays and objects; the walks over documents are recursive."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_document(data: bytes | str | Mapping[str, Any], *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read JSON text, or take the object as it is.

    Raises:
        InvalidWorkflow: Too large, not UTF-8, not JSON, a key given twice, too deeply nested, or not an object.
    """
    if isinstance(data, Mapping):
        _check_depth(data)
        _check_json(data)
        return dict(data)
    value = _parse(_text(data, max_bytes))
    if not isinstance(value, dict):
        raise refused(Code.WRONG_TYPE, f"a workflow is a JSON object, found {describe(value)}.")
    return value


def refused(code: Code, message: str, at: str = "") -> InvalidWorkflow:
    """The error of a document in which nothing else can be checked."""
    return InvalidWorkflow(Report((make_finding(code, message, at),)))


def _text(data: bytes | str, max_bytes: int) -> str:
    if len(data) > max_bytes:
        raise refused(
            Code.TOO_LARGE,
            f"the document has {len(data):,} bytes; at most {max_bytes:,} are read. "
            "A workflow holds settings, not records: give these as the execution's input.",
        )
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = " It looks like UTF-16." if data.startswith(_UTF16_MARKS) else ""
        raise refused(
            Code.INVALID_ENCODING,
            f"the document is not UTF-8: byte {error.start} in line {line} cannot be read.{hint} Save it as UTF-8.",
        ) from error


def _parse(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg or "recursion" in error.msg.lower():
            raise refused(Code.TOO_DEEP, _too_deep()) from error
        raise refused(
            Code.INVALID_JSON, f"not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    _check_depth(value)
    _check_duplicates(text)
    return value


def _check_json(data: Mapping[str, Any]) -> None:
    """An object that never was text may hold what no JSON text could."""
    try:
        orjson.dumps(data, default=_mapping)
    except TypeError as error:
        raise refused(Code.INVALID_JSON, f"the document cannot be written as JSON: {error}.") from error


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} in it has no JSON form")


def _too_deep() -> str:
    return f"arrays and objects are nested more than {MAX_DEPTH} deep; make the document flatter."


def _check_depth(value: Any) -> None:
    level: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    for _ in range(MAX_DEPTH):
        below: list[tuple[Any, tuple[str | int, ...]]] = []
        for item, at in level:
            if isinstance(item, Mapping):
                below.extend((child, (*at, key)) for key, child in item.items() if isinstance(child, (Mapping, list)))
            elif isinstance(item, list):
                below.extend((child, (*at, i)) for i, child in enumerate(item) if isinstance(child, (Mapping, list)))
        if not below:
            return
        level = below
    raise refused(Code.TOO_DEEP, _too_deep(), pointer(level[0][1][:3]))


def _check_duplicates(text: str) -> None:
    """JSON readers keep the last of two equal keys and say nothing; here it is an error."""
    try:
        found = duplicate_keys(text)
    except RecursionError:  # in a value that was dropped for a later one
        raise refused(Code.TOO_DEEP, _too_deep()) from None
    if found:
        raise InvalidWorkflow(Report(tuple(_doubled(key, at) for key, at in found)))


def duplicate_keys(text: str) -> list[tuple[str, str]]:
    """Keys of a JSON text that are given more than once in one object, each with its JSON pointer (empty if the object
    itself was dropped).

    Raises:
        RecursionError: It is nested too deeply.
    """
    doubled: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            doubled[id(found)] = (found, [key for key, count in counts.items() if count > 1])
        return found

    root = json.loads(text, object_pairs_hook=collect, parse_int=str)  # an int may have more digits than Python reads
    if not doubled:
        return []
    found = [
        (key, pointer((*at, key))) for at, item in _objects(root, ()) for key in doubled.get(id(item), (item, []))[1]
    ]
    return found or [(keys[0], "") for _, keys in doubled.values()]


def _doubled(key: str, at: str) -> Finding:
    return make_finding(Code.DUPLICATE_KEY, f"'{key}' is given more than once in one object: keep one.", at)


def _objects(value: Any, at: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        found = [(at, value)]
        for key, child in value.items():
            found.extend(_objects(child, (*at, key)))
        return found
    if isinstance(value, list):
        return [each for index, child in enumerate(value) for each in _objects(child, (*at, index))]
    return []
