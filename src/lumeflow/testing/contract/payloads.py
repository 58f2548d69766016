"""Payloads that are made of a block's example: longer ones, and ones that mean harm."""

from collections.abc import Iterator, Mapping
from typing import Any

from lumeflow.core.block import Block, BlockType, Shape
from lumeflow.core.records import JsonObject
from lumeflow.kit.payloads import split_payload

CANARY = "canary-7f3a9c"
"""Stands in hostile data, and so must stand in no message."""

STRANGE: tuple[Any, ...] = (
    {CANARY: CANARY},
    [CANARY, {CANARY: 1}],
    f"{CANARY} " * 50,
    f"{{{{secrets.{CANARY}}}}} <b> \u0000\u202e' OR 1=1",
    -1e308,
    True,
    None,
)
"""What no record should hold where something else is expected."""


def repeated(block: type[Block[Any]], config: Mapping[str, Any], payload: JsonObject, times: int) -> JsonObject:
    """The payload with its records several times over; itself where it has none, and for input blocks."""
    if block.type is BlockType.INPUT:
        return payload
    if block.type is BlockType.MERGE:
        return {source: _repeated(config, part, times) for source, part in payload.items()}
    return _repeated(config, payload, times)


def _repeated(config: Mapping[str, Any], payload: JsonObject, times: int) -> JsonObject:
    fields, name, records = split_payload(payload, config.get("collection"))
    return payload if name is None else {**fields, name: list(records) * times}


def hostile(block: type[Block[Any]], config: Mapping[str, Any], payload: JsonObject) -> Iterator[JsonObject]:
    """Payloads in which a value of the example is something strange. All records of a collection come in one."""
    if block.type is BlockType.MERGE:
        for source, part in payload.items():
            yield {**payload, source: _all_strange(config, part)}
        return
    fields, name, records = split_payload(payload, config.get("collection"))
    if name is not None and block.shape() in {Shape.RECORD, Shape.BATCH, Shape.WHOLE}:
        yield {**fields, name: list(_strange_records(records))}
        return
    for field in payload:
        for value in STRANGE:
            yield {**payload, field: value}


def field_names(value: Any) -> set[str]:
    """All keys in a JSON value."""
    if isinstance(value, Mapping):
        return {*value, *(name for part in value.values() for name in field_names(part))}
    return {name for part in value for name in field_names(part)} if isinstance(value, list | tuple) else set()


def _all_strange(config: Mapping[str, Any], payload: JsonObject) -> JsonObject:
    fields, name, records = split_payload(payload, config.get("collection"))
    return payload if name is None else {**fields, name: list(_strange_records(records))}


def _strange_records(records: Any) -> Iterator[JsonObject]:
    yield {}
    yield {CANARY: CANARY}
    for record in records:
        for field in record:
            yield {key: value for key, value in record.items() if key != field}
            for value in STRANGE:
                yield {**record, field: value}
