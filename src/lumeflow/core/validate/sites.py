"""Where a block's configuration holds templates, paths and conditions: found by its model in the raw JSON.

The raw JSON is searched, not the validated model, so that everything is found also where something else is wrong, and
with its exact place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lumeflow.core.conditions import Predicate
from lumeflow.core.config import BlockConfig
from lumeflow.core.document.annotations import arms, members
from lumeflow.core.expressions import Path, Template
from lumeflow.core.pointer import Parts

OPENING = "{{"


class Kind(Enum):
    """What stands at a site."""

    TEMPLATE = "template"
    """Rendered while the workflow runs; strings anywhere inside may hold expressions."""
    PATH = "path"
    CONDITION = "condition"
    STATIC = "static"
    """A string with expressions where a plain value belongs: rendered once, before the run."""


@dataclass(frozen=True, slots=True)
class Site:
    """One place.

    Attributes:
        kind: What stands there.
        at: Its place in the configuration.
        value: The raw JSON.
    """

    kind: Kind
    at: Parts
    value: Any


def sites(model: type[BlockConfig], config: Mapping[str, Any]) -> Iterator[Site]:
    """All places of a configuration that hold templates, paths or conditions, in its own order."""
    yield from _walk(model, config, ())


def _walk(annotation: Any, value: Any, at: Parts) -> Iterator[Site]:
    kinds = arms(annotation)
    if Template in kinds:
        yield Site(Kind.TEMPLATE, at, value)
    elif Predicate in kinds:
        yield Site(Kind.CONDITION, at, value)
    elif isinstance(value, str):
        if OPENING in value:
            yield Site(Kind.STATIC, at, value)
        elif Path in kinds:
            yield Site(Kind.PATH, at, value)
    else:
        for key, inner, part in members(annotation, value):
            yield from _walk(inner, part, (*at, key))
