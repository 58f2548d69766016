"""The function library: importing this package fills the registry."""

from lumeflow.core.expressions.functions import (
    contacts,
    dates,
    encoding,
    lists,
    logic,
    numbers,
    objects,
    text,
)
from lumeflow.core.expressions.functions.registry import FUNCTIONS, Function, Parameter

__all__ = [
    "FUNCTIONS",
    "Function",
    "Parameter",
    "contacts",
    "dates",
    "encoding",
    "lists",
    "logic",
    "numbers",
    "objects",
    "text",
]
