"""What is validated, with everything that the rules look up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lumeflow.core.block import Block, BlockType
from lumeflow.core.config import BlockConfig
from lumeflow.core.document import Code, Node
from lumeflow.core.document.codes import make_finding
from lumeflow.core.document.draft import Draft
from lumeflow.core.expressions import Template
from lumeflow.core.findings import Finding
from lumeflow.core.graph import Ancestry, CyclicGraph, Link, links, successors
from lumeflow.core.pointer import Parts, pointer
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.core.schemas import SchemaLibrary, record_properties
from lumeflow.core.schemas.keywords import Schema
from lumeflow.core.validate.sites import Site

INPUT, OUTPUT = "inputSchema", "outputSchema"


@dataclass(frozen=True, slots=True)
class Settings:
    """What validation knows of the installation.

    Attributes:
        secrets: Names of the configured secrets; None if they are not known.
        allow_env: True if policy allows `{{env.NAME}}`.
        unreadable: Secrets among them that cannot be read, and why.
    """

    secrets: Collection[str] | None = None
    allow_env: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node, and what its block says of it.

    Attributes:
        node: The node.
        index: Its index in the document.
        block_class: The block that it means; None if there is none.
        config: Its validated configuration; None if that is wrong, or has settings that are known only at the start.
        block: The block with this configuration; None without one.
        sites: Where its configuration holds templates, paths and conditions that are right in themselves.
        templates: The compiled templates among them, by place.
    """

    node: Node
    index: int
    block_class: BlockClass | None = None
    config: BlockConfig | None = None
    block: Block[Any] | None = None
    sites: Sequence[Site] = ()
    templates: Mapping[Parts, Template] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The node's id."""
        return self.node.id

    @property
    def type(self) -> BlockType:
        """Its block type."""
        return self.node.type

    def finding(self, code: Code, message: str, *at: str | int) -> Finding:
        """A finding at a place in this node."""
        return make_finding(code, message, pointer(("nodes", self.index, *at)), node=self.id)

    def config_finding(self, code: Code, message: str, at: Parts) -> Finding:
        """A finding at a place in this node's configuration."""
        return self.finding(code, message, "config", *at)


Promises = list[tuple[NodeFacts, Schema]]
"""What is said of payloads, each with the node whose word it is."""


@dataclass
class Subject:
    """The document as all rules see it.

    Attributes:
        draft: The document, as far as it can be understood.
        registry: The blocks that there are.
        library: Its schemas.
        settings: What is known of the installation.
        nodes: Its nodes, in document order; of two with one id, the first.
        promised: What is promised of the payloads that leave a node by a port; None until it is worked out.
    """

    draft: Draft
    registry: Registry
    library: SchemaLibrary
    settings: Settings
    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    promised: dict[tuple[str, str], Promises] | None = None
    _record_properties: dict[int, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def links(self) -> Sequence[Link]:
        """All links between nodes that exist."""
        routes = {facts.id: facts.block.routes() for facts in self.nodes.values() if facts.block is not None}
        every = links(self.draft.workflow, routes)
        return [link for link in every if link.source in self.nodes and link.target in self.nodes]

    @cached_property
    def incoming(self) -> Mapping[str, Sequence[Link]]:
        """Links by the node that they reach."""
        return self._grouped("target")

    @cached_property
    def outgoing(self) -> Mapping[str, Sequence[Link]]:
        """Links by the node that they leave."""
        return self._grouped("source")

    @cached_property
    def onward(self) -> Mapping[str, Sequence[str]]:
        """For each node, the nodes that it sends to."""
        return successors(self.nodes, (link.pair for link in self.links))

    @cached_property
    def ancestry(self) -> Ancestry | None:
        """Who is upstream of whom; None if the graph has a cycle."""
        try:
            return Ancestry(list(self.nodes), [link.pair for link in self.links])
        except CyclicGraph:
            return None

    def of_type(self, block_type: BlockType) -> Sequence[NodeFacts]:
        """Nodes of one type, in document order."""
        return self._by_type.get(block_type, ())

    @cached_property
    def _by_type(self) -> Mapping[BlockType, list[NodeFacts]]:
        groups: dict[BlockType, list[NodeFacts]] = {}
        for facts in self.nodes.values():
            groups.setdefault(facts.type, []).append(facts)
        return groups

    def schema(self, facts: NodeFacts, side: str) -> Schema | None:
        """A node's schema, lifted and resolved."""
        return self.library.node_schema(facts.index, side)

    def collection(self, facts: NodeFacts, side: str) -> str | None:
        """Name of the payload property that holds the records on one side of a node, as far as it is known."""
        if facts.config is not None and facts.config.collection:
            return facts.config.collection
        names = self.record_properties(facts, side)
        return names[0] if len(names) == 1 else None

    def record_properties(self, facts: NodeFacts, side: str) -> Sequence[str]:
        """The properties of the payload on one side of a node that can hold its records."""
        schema = self.schema(facts, side)
        if schema is None:
            return ()
        if id(schema) not in self._record_properties:
            self._record_properties[id(schema)] = record_properties(self.library, schema)
        return self._record_properties[id(schema)]

    def _grouped(self, end: str) -> Mapping[str, list[Link]]:
        groups: dict[str, list[Link]] = {node: [] for node in self.nodes}
        for link in self.links:
            groups[getattr(link, end)].append(link)
        return groups
