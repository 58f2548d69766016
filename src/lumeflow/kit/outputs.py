"""What the output blocks have in common."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lumeflow.core.context import FileSink
from lumeflow.kit.json_text import dump_json
from lumeflow.kit.payloads import json_type
from lumeflow.plugin import BlockContext, ErrorClass, JsonObject, NodeError, Outcome, RecordError, Template, UsageError

__all__ = ["FileSink", "json_texts", "mapped", "output_path", "refusals"]


@contextmanager
def refusals(field: str) -> Iterator[None]:
    """Turn what the database or the files refuse into the node's error, which names the config field concerned."""
    try:
        yield
    except UsageError as error:
        raise NodeError(ErrorClass.VALIDATION, f"config.{field}: {error}", field=field) from error


def output_path(ctx: BlockContext, path: Template | None, suffix: str) -> str:
    """Path of an output file: what `config.path` says, or `<workflowId>-<nodeId>.<suffix>` without it.

    Raises:
        NodeError: It turns out to be something else than a text.
    """
    if path is None:
        return f"{ctx.workflow_id}-{ctx.node_id}.{suffix}"
    found = ctx.render(path)
    if isinstance(found, str) and found.strip():
        return found
    kind = "an empty string" if isinstance(found, str) else json_type(found)
    message = f"config.path must be the path of a file; found {kind}"
    raise NodeError(ErrorClass.VALIDATION, message, field="path")


def mapped(mapping: Mapping[str, Template], record: JsonObject, ctx: BlockContext) -> dict[str, Any]:
    """The columns that `config.mapping` makes of a record.

    Raises:
        RecordError: An expression cannot be computed from it.
    """
    values: dict[str, Any] = {}
    for column, template in mapping.items():
        try:
            values[column] = ctx.render(template, record)
        except (ValueError, RecordError) as error:
            field = f"mapping.{column}"
            raise RecordError(ErrorClass.VALIDATION, f"config.{field}: {error}", field=field) from error
    return values


def json_texts(records: Sequence[JsonObject]) -> tuple[list[Outcome], list[bytes]]:
    """An outcome for each record, and the JSON of those that have one."""
    outcomes: list[Outcome] = []
    texts: list[bytes] = []
    for record in records:
        try:
            texts.append(dump_json(record))
        except TypeError as error:
            outcomes.append(RecordError(ErrorClass.VALIDATION, f"the record has no JSON form: {error}"))
        else:
            outcomes.append(record)
    return outcomes, texts
