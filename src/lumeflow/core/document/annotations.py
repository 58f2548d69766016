"""What a pydantic model says of a place in raw JSON, asked before (or without) validating it.

Validation tells the type of a value only if it is valid; findings must name known keys and find templates also where
it is not.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, RootModel
from pydantic.fields import FieldInfo

Model = type[BaseModel]


@cache
def keys_of(model: Model) -> Mapping[str, FieldInfo]:
    """The fields of a model by each key that JSON may use for them."""
    return {key: field for name, field in model.model_fields.items() for key in _keys(name, field)}


def _keys(name: str, field: FieldInfo) -> tuple[str, ...]:
    alias = field.validation_alias or field.alias or name
    if isinstance(alias, str):
        return (alias,)
    if isinstance(alias, AliasChoices):
        return tuple(choice for choice in alias.choices if isinstance(choice, str))
    return (name,)


def arms(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation, without `None`, `Annotated` and type variables."""
    return _arms(annotation)


@cache
def _arms(annotation: Any) -> tuple[Any, ...]:
    if annotation is NoneType or annotation is None:
        return ()
    if isinstance(annotation, TypeVar):
        return arms(annotation.__bound__) if annotation.__bound__ else (Any,)
    origin = get_origin(annotation)
    if origin is Annotated:
        return arms(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return tuple(arm for part in get_args(annotation) for arm in arms(part))
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return arms(annotation.model_fields["root"].annotation)
    return (annotation,)


def model_for(annotation: Any, value: Mapping[str, Any]) -> Model | None:
    """The model that an object is meant to be: by its literal fields, else by the keys that it shares with it."""
    models = [arm for arm in arms(annotation) if isinstance(arm, type) and issubclass(arm, BaseModel)]
    return max(models, key=lambda model: _likeness(model, value), default=None)


def _likeness(model: Model, value: Mapping[str, Any]) -> tuple[int, int]:
    fields = keys_of(model)
    literal = 0
    for key, field in fields.items():
        for arm in arms(field.annotation):
            if get_origin(arm) is Literal:
                literal += 1 if value.get(key) in get_args(arm) else -1
    return literal, sum(key in fields for key in value)


def members(annotation: Any, value: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """The parts of an object or array: key or index, the annotation that holds there, and the part itself."""
    if isinstance(value, Mapping):
        model = model_for(annotation, value)
        fields = keys_of(model) if model else {}
        rest = _value_annotation(annotation, Mapping, -1)
        for key, part in value.items():
            yield key, fields[key].annotation if key in fields else rest, part
    elif isinstance(value, (list, tuple)):
        rest = _value_annotation(annotation, (list, tuple, set, frozenset), 0)
        for index, part in enumerate(value):
            yield index, rest, part


def _value_annotation(annotation: Any, kinds: Any, which: int) -> Any:
    for arm in arms(annotation):
        origin = get_origin(arm)
        args = get_args(arm)
        if args and isinstance(origin, type) and _is_kind(origin, kinds):
            return args[which]
    return Any


def _is_kind(origin: type, kinds: Any) -> bool:
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if issubclass(origin, wanted):
        return True
    return list in wanted and not issubclass(origin, Mapping) and any(issubclass(kind, origin) for kind in wanted)


def is_meant(model: Model, raw: Any, location: Sequence[str | int]) -> bool:
    """False for errors of a union's arm that the object was not meant to be; pydantic lists those of all arms.

    Args:
        model: The model that was validated.
        raw: The JSON that was given.
        location: Pydantic's location of the error, with the names of the arms.
    """
    annotation: Any = model
    for part in location:
        found = next((each for each in members(annotation, raw) if each[0] == part), None)
        if found is not None:
            _, annotation, raw = found
        elif isinstance(raw, Mapping):
            meant = model_for(annotation, raw)
            names = {arm.__name__ for arm in arms(annotation) if isinstance(arm, type)}
            if meant is not None and part in names and part != meant.__name__:
                return False
    return True


def model_at(model: Model, raw: Any, parts: tuple[str | int, ...]) -> Model | None:
    """The model of the object at `parts`; None if there is none."""
    annotation: Any = model
    for part in parts:
        for key, below, value in members(annotation, raw):
            if key == part:
                annotation, raw = below, value
                break
        else:
            return None
    return model_for(annotation, raw) if isinstance(raw, Mapping) else None
