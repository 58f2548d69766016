"""The expression language: `{{input.email}}`, `{{uppercase(input.name)}}`; paths, templates, functions.

Expressions come from API users and are treated as hostile: they reach dict keys and list items only, and their time
and memory are bounded.
"""

from lumeflow.core.expressions.check import ROOTS, Reference
from lumeflow.core.expressions.errors import EvaluationError, ExpressionError, MissingPathError
from lumeflow.core.expressions.functions import FUNCTIONS, Function, Parameter
from lumeflow.core.expressions.paths import MISSING, Missing, Path, compile_path
from lumeflow.core.expressions.patterns import Pattern, compile_pattern
from lumeflow.core.expressions.pieces import Piece, template_pieces
from lumeflow.core.expressions.template import Template, compile_template, find_problems
from lumeflow.core.expressions.values import canonical_json, type_name

__all__ = [
    "FUNCTIONS",
    "MISSING",
    "ROOTS",
    "EvaluationError",
    "ExpressionError",
    "Function",
    "Missing",
    "MissingPathError",
    "Parameter",
    "Path",
    "Pattern",
    "Piece",
    "Reference",
    "Template",
    "canonical_json",
    "compile_path",
    "compile_pattern",
    "compile_template",
    "find_problems",
    "template_pieces",
    "type_name",
]
