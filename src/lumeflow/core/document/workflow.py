"""The workflow document: nodes, joined by edges, with schemas."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lumeflow.core.block import BlockType
from lumeflow.core.document.codes import Code
from lumeflow.core.document.fields import DocumentModel, Id, Number, Positive, SchemaField, Text, Whole
from lumeflow.core.document.policies import Fallback, Globals, NodeRetry, OnError, RetryPolicy
from lumeflow.core.document.reading import MAX_BYTES, read_document
from lumeflow.core.document.shape import load_model

MAX_NODES = 5_000
MAX_EDGES = 20_000
MAX_SCHEMAS = 5_000


class Port(StrEnum):
    """Names of ports that mean something."""

    IN = "in"
    OUT = "out"
    ERROR = "error"


class Position(DocumentModel):
    """Where a visual editor draws a node."""

    x: Number
    y: Number


class Metadata(DocumentModel):
    """About the document; holds anything else as well."""

    __pydantic_extra__: dict[str, Any]

    author: Text | None = None
    created_at: Text | None = Field(default=None, description="ISO 8601.")
    updated_at: Text | None = Field(default=None, description="ISO 8601.")
    tags: tuple[Text, ...] = ()


class Node(DocumentModel):
    """One block at work."""

    id: Id
    type: BlockType = Field(description="One of the eight block types.")
    name: Text | None = Field(default=None, description="For people; default: the id.")
    description: Text | None = None
    config: dict[str, Any] = Field(default={}, description="What the block needs to know; each block has its own keys.")
    input_schema: SchemaField = Field(default=None, description="JSON Schema 2020-12 that its input must satisfy.")
    output_schema: SchemaField = Field(default=None, description="JSON Schema 2020-12 that its output must satisfy.")
    retry_config: NodeRetry | None = Field(
        default=None, description="What differs from the retry policy of the document."
    )
    timeout: Positive | None = Field(default=None, description="Seconds that the node may take.")
    on_error: OnError | None = Field(default=None, description="What a failed record means; default: errorHandling.")
    fallback: Fallback | None = Field(default=None, description="What takes the place of a failed record.")
    position: Position | None = Field(default=None, description="Where a visual editor draws it.")

    @model_validator(mode="after")
    def _fallback_is_meant(self) -> "Node":
        if self.on_error is OnError.FALLBACK and self.fallback is None:
            raise PydanticCustomError(
                Code.INVALID_VALUE.value, "onError is 'fallback', but there is no 'fallback': add one"
            )
        if self.fallback is not None and self.on_error not in {None, OnError.FALLBACK}:
            raise PydanticCustomError(
                Code.INVALID_VALUE.value,
                "there is a 'fallback', but onError is '{on_error}': set it to 'fallback' or leave it out",
                {"on_error": str(self.on_error)},
            )
        return self

    def retry(self, settings: Globals) -> RetryPolicy:
        """The retry policy that holds in this node."""
        return self.retry_config.over(settings.retry_policy) if self.retry_config else settings.retry_policy

    def on_failure(self, settings: Globals) -> OnError:
        """What a failed record means in this node."""
        if self.fallback is not None:
            return OnError.FALLBACK
        return self.on_error or OnError(settings.error_handling)


class Edge(DocumentModel):
    """A connection from a port of one node to a port of another."""

    id: Id | None = None
    source: Id = Field(description="Id of the node that sends.")
    target: Id = Field(description="Id of the node that receives.")
    source_port: Id = Field(default=Port.OUT.value, description="Port that the records leave by.")
    target_port: Id = Field(default=Port.IN.value, description="Port that they enter by.")

    @property
    def label(self) -> str:
        """Its id, or where it goes: for messages."""
        return self.id or f"{self.source}→{self.target}"


class Workflow(DocumentModel):
    """A whole workflow. `load` reads one; `as_json` writes it back without loss."""

    schema_uri: Text | None = Field(default=None, alias="$schema", description="Which schema this document follows.")
    workflow_id: Id
    name: Text = Field(min_length=1)
    version: Whole = Field(default=1, ge=1)
    description: Text | None = None
    metadata: Metadata = Field(default=Metadata(), description="About the document; holds anything else as well.")
    globals: Globals = Field(default=Globals(), description="Settings of the whole execution.")
    nodes: tuple[Node, ...] = Field(max_length=MAX_NODES)
    edges: tuple[Edge, ...] = Field(max_length=MAX_EDGES)
    schemas: dict[str, SchemaField] = Field(
        default={}, max_length=MAX_SCHEMAS, description="JSON Schemas by name, for '$ref': '#/schemas/NAME'."
    )

    @classmethod
    def load(cls, data: "bytes | str | Mapping[str, Any]", *, max_bytes: int = MAX_BYTES) -> "Workflow":
        """Read a document and check its shape; `validate` checks the rest.

        Args:
            data: JSON text in UTF-8, or the object that it stands for.
            max_bytes: Longest text that is read.

        Raises:
            InvalidWorkflow: With all findings on encoding, syntax, keys, types and values.
        """
        return load_model(cls, read_document(data, max_bytes=max_bytes))

    def as_json(self) -> dict[str, Any]:
        """The document as it was read: the keys that it had, in camelCase."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """Nodes by id."""
        return {node.id: node for node in self.nodes}
