"""JSON Schemas of a document: declared inline or by name, resolved, compared, and compiled for records."""

from lumeflow.core.schemas.checker import Checked, Checker
from lumeflow.core.schemas.library import SchemaLibrary
from lumeflow.core.schemas.payload import PayloadSchema, checker, payload_schema, record_properties, record_schemas
from lumeflow.core.schemas.problems import Problem

__all__ = [
    "Checked",
    "Checker",
    "PayloadSchema",
    "Problem",
    "SchemaLibrary",
    "checker",
    "payload_schema",
    "record_properties",
    "record_schemas",
]
