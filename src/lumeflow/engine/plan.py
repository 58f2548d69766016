"""From a validated document to an immutable plan: blocks made, schemas compiled, edges bound to ports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumeflow.core.block import Block, BlockType, Shape
from lumeflow.core.config import template_keys
from lumeflow.core.document import Node, Port, RetryPolicy, Workflow
from lumeflow.core.expressions import compile_template
from lumeflow.core.graph import Link, links, topological_order
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.core.schemas import Checker, PayloadSchema, SchemaLibrary, checker, payload_schema

ERROR_PORT = Port.ERROR


@dataclass(frozen=True, slots=True)
class NodeSchema:
    """A schema of a node, compiled for a payload as it travels and for one that is whole."""

    payload: PayloadSchema
    whole: Checker


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node, ready to run.

    Attributes:
        node: The node of the document.
        block_class: Its block.
        config: Its configuration with static templates resolved.
        retry: Its retry policy over the globals.
        on_error: `continue`, `stop` or `fallback`.
        input_schema: What its input must be; None if nothing is asked.
        output_schema: What its output must be; None if nothing is promised.
        input_proven: True if every source promises just this schema, so that records need no second check.
        inputs: Links that reach it, in the order in which they are read.
        outputs: Links that leave it.
    """

    node: Node
    block_class: BlockClass
    config: Mapping[str, Any]
    retry: RetryPolicy
    on_error: str
    input_schema: NodeSchema | None
    output_schema: NodeSchema | None
    input_proven: bool
    inputs: Sequence[Link]
    outputs: Sequence[Link]

    @property
    def id(self) -> str:
        """The node's id."""
        return self.node.id

    @property
    def shape(self) -> Shape:
        """How its block works."""
        return self.block_class.shape()

    @property
    def is_input(self) -> bool:
        """True for an input node."""
        return self.block_class.type is BlockType.INPUT

    @property
    def is_output(self) -> bool:
        """True for an output node."""
        return self.block_class.type is BlockType.OUTPUT

    def make_block(self) -> Block[Any]:
        """A fresh block for one execution."""
        return self.block_class(self.block_class.Config.model_validate(self.config))


@dataclass(frozen=True, slots=True)
class Plan:
    """A workflow, ready to run; nodes in an order in which sources stand before their targets."""

    workflow: Workflow
    nodes: Sequence[PlannedNode]


def make_plan(workflow: Workflow, registry: Registry, static: Mapping[str, Any]) -> Plan:
    """Plan a workflow that was validated without errors.

    Args:
        workflow: The document.
        registry: Blocks.
        static: Scope of static templates: `secrets`, `variables`, `env`, `execution`, `trigger`.
    """
    blocks = {node.id: registry.resolve(BlockType(node.type), node.config) for node in workflow.nodes}
    configs = {node.id: resolve_static(node.config, blocks[node.id], static) for node in workflow.nodes}
    made = {node_id: blocks[node_id](blocks[node_id].Config.model_validate(configs[node_id])) for node_id in blocks}
    joined = links(workflow, {node_id: block.routes() for node_id, block in made.items()})
    by_id = {node.id: node for node in workflow.nodes}
    order = topological_order(list(by_id), [link.pair for link in joined])
    library = SchemaLibrary(workflow.as_json())
    raw = {
        node.id: (library.node_schema(index, "inputSchema"), library.node_schema(index, "outputSchema"))
        for index, node in enumerate(workflow.nodes)
    }
    nodes = []
    for node_id in order:
        node = by_id[node_id]
        inputs = _ordered([link for link in joined if link.target == node_id], made[node_id].sources())
        nodes.append(
            PlannedNode(
                node=node,
                block_class=blocks[node_id],
                config=configs[node_id],
                retry=node.retry(workflow.globals),
                on_error=str(node.on_failure(workflow.globals)),
                input_schema=_compile(library, raw[node_id][0], made[node_id]),
                output_schema=_compile(library, raw[node_id][1], made[node_id]),
                input_proven=bool(inputs) and all(_proven(library, link, by_id[link.source], raw) for link in inputs),
                inputs=inputs,
                outputs=[link for link in joined if link.source == node_id],
            )
        )
    return Plan(workflow, nodes)


def _compile(library: SchemaLibrary, schema: Any, block: Block[Any]) -> NodeSchema | None:
    if schema is None:
        return None
    payload = payload_schema(library, schema, block.config.collection)
    whole = payload.fields if payload.collection is None else checker(library, (schema,))
    return NodeSchema(payload, whole)


def resolve_static(config: Mapping[str, Any], block: BlockClass, scope: Mapping[str, Any]) -> dict[str, Any]:
    """Render templates in fields that hold plain values (a model's name, a limit); template fields stay as they are."""
    templated = template_keys(block.Config)
    return {
        key: compile_template(value).render(scope) if key not in templated and "{{" in repr(value) else value
        for key, value in config.items()
    }


def _ordered(links: Sequence[Link], sources: Sequence[str]) -> list[Link]:
    ranks = {source: rank for rank, source in enumerate(sources)}
    return sorted(links, key=lambda link: ranks.get(link.source, len(ranks)))


def _proven(library: SchemaLibrary, link: Link, source: Node, raw: Mapping[str, tuple[Any, Any]]) -> bool:
    """True if what comes by a link was already checked against the very schema that the target asks for."""
    if link.port == ERROR_PORT or source.fallback is not None:
        return False
    promised, wanted = (_resolved(library, schema) for schema in (raw[link.source][1], raw[link.target][0]))
    return promised is not None and promised == wanted


def _resolved(library: SchemaLibrary, schema: Any) -> Any:
    while isinstance(schema, Mapping) and set(schema) == {"$ref"}:
        schema = library.target(schema["$ref"])
    return schema
