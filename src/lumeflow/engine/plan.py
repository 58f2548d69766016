"""From a validated document to an immutable plan: blocks made, schemas compiled, edges bound to ports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lumeflow.core.block import Block, BlockType, Shape
from lumeflow.core.config import BlockConfig, template_keys
from lumeflow.core.document import Node, Port, RetryPolicy, Workflow
from lumeflow.core.document.shape import shape_findings
from lumeflow.core.errors import UsageError
from lumeflow.core.expressions import ExpressionError, compile_template
from lumeflow.core.graph import Link, links, topological_order
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.core.schemas import Checker, PayloadSchema, SchemaLibrary, checker, payload_schema

ERROR_PORT = Port.ERROR

PLANS = 64
"""Plans that are kept for documents that run again."""
LARGEST = 250
"""Nodes of a plan that is kept."""


@dataclass(frozen=True, slots=True)
class NodeSchema:
    """A schema of a node, compiled for a payload as it travels and for one that is whole."""

    payload: PayloadSchema
    whole: Checker


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node, ready to run.

    Attributes:
        id: The node's id.
        ordinal: Its place in the document, from 0.
        node: The node of the document.
        block_class: Its block.
        shape: How its block works.
        settings: Its configuration, read, with static templates resolved.
        retry: Its retry policy over the globals.
        on_error: `continue`, `stop` or `fallback`.
        input_schema: What its input must be; None if nothing is asked.
        output_schema: What its output must be; None if nothing is promised.
        input_proven: True if every source promises just this schema, so that records need no second check.
        inputs: Links that reach it, in the order in which they are read.
        outputs: Links that leave it.
        is_input: True for an input node.
        is_output: True for an output node.
    """

    id: str
    ordinal: int
    node: Node
    block_class: BlockClass
    shape: Shape
    settings: BlockConfig
    retry: RetryPolicy
    on_error: str
    input_schema: NodeSchema | None
    output_schema: NodeSchema | None
    input_proven: bool
    inputs: Sequence[Link]
    outputs: Sequence[Link]
    is_input: bool
    is_output: bool

    def make_block(self) -> Block[Any]:
        """A fresh block for one execution."""
        return self.block_class(self.settings)


@dataclass(frozen=True, slots=True)
class Plan:
    """A workflow, ready to run; nodes in an order in which sources stand before their targets."""

    workflow: Workflow
    nodes: Sequence[PlannedNode]


class Planner:
    """Plans workflows; one that runs again and again only once, if its configurations hold no static template."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: dict[int, tuple[int, Plan]] = {}

    def plan(self, workflow: Workflow, static: Mapping[str, Any]) -> Plan:
        """The plan of a workflow that was validated without errors.

        Raises:
            UsageError: A static template cannot be computed, or gives a value that its block does not take.

        Args:
            workflow: The document.
            static: Scope of static templates: `variables`, `env`, `execution`, `trigger`.
        """
        # Blocks that are registered later may fit a node better.
        blocks = sum(1 for _ in self._registry.blocks())
        known, plan = self._kept.get(id(workflow), (0, None))
        if plan is not None and plan.workflow is workflow and known == blocks:
            return plan
        plan = make_plan(workflow, self._registry, static)
        if len(plan.nodes) <= LARGEST and not any(
            static_keys(node.node.config, node.block_class) for node in plan.nodes
        ):
            self._keep(blocks, plan)
        return plan

    def _keep(self, blocks: int, plan: Plan) -> None:
        self._kept[id(plan.workflow)] = blocks, plan
        if len(self._kept) > PLANS:
            del self._kept[next(iter(self._kept))]


def make_plan(workflow: Workflow, registry: Registry, static: Mapping[str, Any]) -> Plan:
    """Plan a workflow that was validated without errors; see `Planner.plan`."""
    blocks = {node.id: _block(node, registry, static) for node in workflow.nodes}
    joined = links(workflow, {node_id: block.routes() for node_id, block in blocks.items()})
    schemas = _Schemas(workflow)
    inputs: dict[str, list[Link]] = {node.id: [] for node in workflow.nodes}
    outputs: dict[str, list[Link]] = {node.id: [] for node in workflow.nodes}
    for link in joined:
        inputs[link.target].append(link)
        outputs[link.source].append(link)
    by_id = {node.id: (ordinal, node) for ordinal, node in enumerate(workflow.nodes)}
    order = topological_order(list(by_id), [link.pair for link in joined])
    return Plan(
        workflow,
        [_planned(workflow, *by_id[name], blocks[name], schemas, inputs[name], outputs[name]) for name in order],
    )


def resolve_static(config: Mapping[str, Any], block: BlockClass, scope: Mapping[str, Any]) -> dict[str, Any]:
    """Render templates in fields that hold plain values (a model's name, a limit); template fields stay as they are."""
    static = static_keys(config, block)
    return {key: compile_template(value).render(scope) if key in static else value for key, value in config.items()}


def static_keys(config: Mapping[str, Any], block: BlockClass) -> frozenset[str]:
    """Keys of a configuration whose templates are rendered once, before it is read."""
    templated = template_keys(block.Config)
    return frozenset(key for key, value in config.items() if key not in templated and "{{" in repr(value))


def _block(node: Node, registry: Registry, static: Mapping[str, Any]) -> Block[Any]:
    block = registry.resolve(BlockType(node.type), node.config)
    try:
        config = resolve_static(node.config, block, static)
    except ExpressionError as error:
        raise UsageError(f"node '{node.id}': a template of its config cannot be computed: {error}") from error
    try:
        return block(block.Config.model_validate(config))
    except ValidationError as error:
        findings = shape_findings(error, block.Config, config)
        problems = "; ".join(f"config{finding.pointer}: {finding.message}" for finding in findings)
        raise UsageError(f"node '{node.id}', with its templates resolved: {problems}") from error


def _planned(
    workflow: Workflow,
    ordinal: int,
    node: Node,
    block: Block[Any],
    schemas: "_Schemas",
    inputs: Sequence[Link],
    outputs: Sequence[Link],
) -> PlannedNode:
    return PlannedNode(
        id=node.id,
        ordinal=ordinal,
        node=node,
        block_class=type(block),
        shape=block.shape(),
        settings=block.config,
        retry=node.retry(workflow.globals),
        on_error=str(node.on_failure(workflow.globals)),
        input_schema=schemas.compiled(node.id, block, promised=False),
        output_schema=schemas.compiled(node.id, block, promised=True),
        input_proven=bool(inputs) and all(schemas.proves(link) for link in inputs),
        inputs=_ordered(inputs, block.sources()),
        outputs=outputs,
        is_input=block.type is BlockType.INPUT,
        is_output=block.type is BlockType.OUTPUT,
    )


def _ordered(links: Sequence[Link], sources: Sequence[str]) -> list[Link]:
    ranks = {source: rank for rank, source in enumerate(sources)}
    return sorted(links, key=lambda link: ranks.get(link.source, len(ranks)))


class _Schemas:
    """The schemas of a document's nodes."""

    def __init__(self, workflow: Workflow) -> None:
        self._library = SchemaLibrary(workflow.as_json())
        self._nodes = {node.id: node for node in workflow.nodes}
        self._wanted = {
            node.id: self._library.node_schema(index, "inputSchema") for index, node in enumerate(workflow.nodes)
        }
        self._promised = {
            node.id: self._library.node_schema(index, "outputSchema") for index, node in enumerate(workflow.nodes)
        }

    def compiled(self, node_id: str, block: Block[Any], *, promised: bool) -> NodeSchema | None:
        """The schema of a node's output, or of its input; None if there is none."""
        schema = (self._promised if promised else self._wanted)[node_id]
        if schema is None:
            return None
        payload = payload_schema(self._library, schema, block.config.collection)
        whole = payload.fields if payload.collection is None else checker(self._library, (schema,))
        return NodeSchema(payload, whole)

    def proves(self, link: Link) -> bool:
        """True if what comes by a link was already checked against the very schema that the target asks for."""
        if link.port == ERROR_PORT or self._nodes[link.source].fallback is not None:
            return False
        promised = self._resolved(self._promised[link.source])
        return promised is not None and promised == self._resolved(self._wanted[link.target])

    def _resolved(self, schema: Any) -> Any:
        while isinstance(schema, Mapping) and set(schema) == {"$ref"}:
            schema = self._library.target(schema["$ref"])
        return schema
