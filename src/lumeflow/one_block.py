"""A workflow of one block: what feeds it, and what takes the records that it sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumeflow.core.block import Block, BlockType, Shape
from lumeflow.core.errors import ErrorClass, NodeError, UsageError
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.kit.payload_input import PayloadInput
from lumeflow.kit.payloads import SplitPayload, json_type, split_payload
from lumeflow.plugin import BlockConfig, BlockContext

WORKFLOW_ID = "one-block"
NODE_ID = "block"
"""Id of the block's node, under which mocks can be given and findings are reported."""


class _FeedConfig(BlockConfig):
    source: str
    part: str | None = None


class _Feed(PayloadInput[_FeedConfig]):
    """Sends the execution's input, or one part of it, to the block."""

    type = BlockType.INPUT
    name = "feed"
    when = ({"source": "feed"},)
    Config = _FeedConfig

    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        payload = ctx.trigger if self.config.part is None else ctx.trigger[self.config.part]
        try:
            return split_payload(payload, collection)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, f"the payload cannot be taken apart: {error}") from error


class _CaptureConfig(BlockConfig):
    destination: str


class _Capture(Block[_CaptureConfig]):
    """Takes what the block sends; its records are kept with the execution."""

    type = BlockType.OUTPUT
    name = "capture"
    when = ({"destination": "capture"},)
    Config = _CaptureConfig

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[JsonObject]:
        return records

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        return {"collection": ctx.collection, "fields": ctx.fields if ctx.collection else {}}


def registry_of(block: BlockClass, installed: Registry) -> Registry:
    """The block, what feeds it and what it feeds, and everything installed that can be called.

    Of the block's own type there is no other, so that no configuration can mean another one by mistake.
    """
    registry = Registry()
    registry.add_block(block)
    for helper in (_Feed, _Capture):
        if helper.type is not block.type:
            registry.add_block(helper)
    for operation in installed.operations().values():
        registry.add_operation(operation)
    for provider in installed.providers().values():
        registry.add_provider(provider)
    return registry


@dataclass(frozen=True, slots=True)
class OneBlock:
    """A workflow of one block.

    Attributes:
        node_id: The block's node.
        document: The workflow.
        captures: By the id of each node that takes records of the block: its name in the output.
        one_way: True if the block has no port but `out`: then the output is the payload itself.
    """

    node_id: str
    document: Mapping[str, Any]
    captures: Mapping[str, str]
    one_way: bool

    @classmethod
    def of(cls, block: BlockClass, config: Mapping[str, Any], payload: JsonObject) -> "OneBlock":
        """Put the workflow together.

        Raises:
            UsageError: The payload is not an object, or not one of payloads for a merge block.
        """
        ports, routes = _ways_out(block, config)
        parts = _parts(block, payload)
        taken = {*routes.values(), *(part for part in parts if part is not None)}
        node_id = _fresh(NODE_ID, taken)
        feeds = [_feed(block, config, payload, part, part or _fresh("input", taken)) for part in parts]
        unbound = {_fresh(f"to-{port}", taken): port for port in ports if port not in routes}
        captures = {target: target for target in routes.values()} | unbound
        nodes = [
            *feeds,
            {"id": node_id, "type": str(block.type), "config": dict(config)},
            *({"id": capture, "type": "output", "config": {"destination": "capture"}} for capture in captures),
        ]
        edges = [{"source": feed["id"], "target": node_id} for feed in feeds]
        edges += [{"source": node_id, "sourcePort": port, "target": capture} for capture, port in unbound.items()]
        document = {"workflowId": WORKFLOW_ID, "name": block.id(), "nodes": nodes, "edges": edges}
        return cls(node_id, document, captures, one_way=not routes and list(ports) == ["out"])


def _ways_out(block: BlockClass, config: Mapping[str, Any]) -> tuple[Sequence[str], Mapping[str, str]]:
    """The block's ports, and those of them that its configuration binds to node ids."""
    if block.type is BlockType.OUTPUT:
        return (), {}
    try:
        made = block(block.Config.model_validate(config))
        return made.out_ports(), made.routes()
    except ValueError:  # validation of the document reports it better
        return ("out",), {}


def _parts(block: BlockClass, payload: JsonObject) -> Sequence[str | None]:
    """Which parts of the payload reach the block one by one; None for the whole."""
    if not isinstance(payload, Mapping):
        raise UsageError(f"the payload must be an object; found {json_type(payload)}")
    if block.type is BlockType.INPUT:
        return ()
    if block.type is not BlockType.MERGE:
        return (None,)
    for source, part in payload.items():
        if not isinstance(part, Mapping):
            raise UsageError(
                f"a merge block takes whole payloads by the id of the node that they come from; "
                f"'{source}' is {json_type(part)}"
            )
    return tuple(payload)


def _feed(
    block: BlockClass, config: Mapping[str, Any], payload: JsonObject, part: str | None, node_id: str
) -> dict[str, Any]:
    """The input node for a part of the payload."""
    given = payload if part is None else payload[part]
    named = config.get("collection")
    works_on_records = block.shape() in {Shape.RECORD, Shape.BATCH} and block.type is not BlockType.MERGE
    collection = named if works_on_records or named in given else None
    return {"id": node_id, "type": "input", "config": {"source": "feed", "part": part, "collection": collection}}


def _fresh(wanted: str, taken: set[str]) -> str:
    """`wanted`, made different from ids that are taken."""
    while wanted in taken:
        wanted += "_"
    return wanted
