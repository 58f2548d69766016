"""The only module that authors of blocks and providers import.

from lumeflow.plugin import Block, BlockConfig, BlockType, RecordError, TemplateField
"""

from lumeflow.core.block import Admission, Block, BlockType, Shape
from lumeflow.core.clock import derived_id, iso
from lumeflow.core.config import BlockConfig, ConditionField, PathField, TemplateField
from lumeflow.core.context import BlockContext, FileSink
from lumeflow.core.errors import CallError, ErrorClass, NodeError, RecordError, UsageError
from lumeflow.core.expressions import MISSING, Path, Template
from lumeflow.core.findings import did_you_mean
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import FREE, Basis, Charge, decimal_of
from lumeflow.core.operation import (
    Account,
    Answer,
    Failure,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Response,
    Send,
    Verdict,
)
from lumeflow.core.records import JsonObject, Outcome, Record, Route, Skip, Whole
from lumeflow.core.secret import Secret
from lumeflow.core.tables import ColumnKind, Comparison, Filter, Page, Selection

__all__ = [
    "FREE",
    "MISSING",
    "Account",
    "Admission",
    "Answer",
    "Basis",
    "Block",
    "BlockConfig",
    "BlockContext",
    "BlockType",
    "CallError",
    "Charge",
    "ColumnKind",
    "Comparison",
    "ConditionField",
    "ErrorClass",
    "Failure",
    "FileSink",
    "Filter",
    "HttpRequest",
    "HttpResponse",
    "JsonObject",
    "NodeError",
    "Operation",
    "Outcome",
    "Page",
    "Params",
    "Path",
    "PathField",
    "ProviderDefaults",
    "RateHint",
    "RateLimit",
    "Record",
    "RecordError",
    "Repeat",
    "Response",
    "Route",
    "Secret",
    "Selection",
    "Send",
    "Shape",
    "Skip",
    "Template",
    "TemplateField",
    "UsageError",
    "Verdict",
    "Whole",
    "decimal_of",
    "derived_id",
    "did_you_mean",
    "iso",
]
