"""The only module that authors of blocks and providers import.

from lumeflow.plugin import Block, BlockConfig, BlockType, RecordError, TemplateField
"""

from lumeflow.core.block import Admission, Block, BlockType, Shape
from lumeflow.core.clock import derived_id, iso
from lumeflow.core.config import BlockConfig, ConditionField, PathField, TemplateField
from lumeflow.core.context import BlockContext, FileSink
from lumeflow.core.errors import CallError, ErrorClass, NodeError, RecordError, UsageError
from lumeflow.core.expressions import (
    MISSING,
    EvaluationError,
    ExpressionError,
    Path,
    Template,
    compile_path,
    compile_template,
    template_pieces,
)
from lumeflow.core.findings import did_you_mean
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import FREE, Basis, Charge, decimal_of
from lumeflow.core.operation import (
    Account,
    Answer,
    Failure,
    Grant,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Response,
    Send,
    Terms,
    Token,
    Verdict,
)
from lumeflow.core.records import JsonObject, Outcome, Record, Route, Skip, SkippedRecord, Whole
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
    "EvaluationError",
    "ExpressionError",
    "Failure",
    "FileSink",
    "Filter",
    "Grant",
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
    "SkippedRecord",
    "Template",
    "TemplateField",
    "Terms",
    "Token",
    "UsageError",
    "Verdict",
    "Whole",
    "compile_path",
    "compile_template",
    "decimal_of",
    "derived_id",
    "did_you_mean",
    "iso",
    "template_pieces",
]
