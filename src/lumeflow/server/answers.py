"""Answers as JSON: exact amounts, float arrays, times."""

from array import array
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from lumeflow.core.clock import iso
from lumeflow.kit.json_text import float32_json


def dump(value: Any) -> bytes:
    """A value as JSON.

    Raises:
        TypeError: Something in it has no JSON form.
    """
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _default(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, array):
        return orjson.Fragment(float32_json(value))
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Json(Response):
    """An answer of JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write it."""
        return dump(content)
