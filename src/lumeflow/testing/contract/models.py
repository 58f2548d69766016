"""What a configuration's models have to say of themselves."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model, and all models that it is made of."""
    found: list[type[BaseModel]] = []
    pending: list[Any] = [model]
    while pending:
        part = pending.pop(0)
        if isinstance(part, type) and issubclass(part, BaseModel):
            if part not in found:
                found.append(part)
                pending += [field.annotation for field in part.model_fields.values()]
        else:
            pending += get_args(part)
    return iter(found)


def undescribed(model: type[BaseModel]) -> list[str]:
    """Fields without a description, as `Model.field`."""
    return [
        f"{part.__name__}.{name}"
        for part in models_of(model)
        for name, field in part.model_fields.items()
        if not field.description
    ]


def lenient(model: type[BaseModel]) -> list[str]:
    """Models that let unknown keys pass."""
    return [part.__name__ for part in models_of(model) if part.model_config.get("extra") != "forbid"]
