"""The workflow document: its models, how it is read, and what its shape may be."""

from lumeflow.core.document.codes import Code
from lumeflow.core.document.fields import RETRYABLE, JsonSchema
from lumeflow.core.document.json_schema import document_schema
from lumeflow.core.document.policies import (
    ErrorHandling,
    Fallback,
    Globals,
    Limits,
    NodeRetry,
    OnError,
    RetryPolicy,
)
from lumeflow.core.document.reading import MAX_BYTES, MAX_DEPTH
from lumeflow.core.document.workflow import MAX_EDGES, MAX_NODES, Edge, Metadata, Node, Port, Position, Workflow

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_EDGES",
    "MAX_NODES",
    "RETRYABLE",
    "Code",
    "Edge",
    "ErrorHandling",
    "Fallback",
    "Globals",
    "JsonSchema",
    "Limits",
    "Metadata",
    "Node",
    "NodeRetry",
    "OnError",
    "Port",
    "Position",
    "RetryPolicy",
    "Workflow",
    "document_schema",
]
