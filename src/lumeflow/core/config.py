"""Base of block configurations, and the field types that block authors use in them."""

from functools import cache, lru_cache
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from lumeflow.core.conditions import Predicate, compile_conditions
from lumeflow.core.expressions import Path, Template, compile_path, compile_template


class BlockConfig(BaseModel):
    """What a node's `config` may hold. Subclasses add fields; keys are camelCase in JSON.

    Attributes:
        collection: Name of the payload property that holds the records, where the schemas do not tell.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, arbitrary_types_allowed=True
    )

    collection: str | None = Field(default=None, description="Payload property that holds the records.")


_compile_text = lru_cache(maxsize=4096)(compile_template)
"""Templates never change, and a text is compiled again for every check, plan and block that holds it."""


def _template(value: Any) -> Template:
    if isinstance(value, Template):
        return value
    return _compile_text(value) if isinstance(value, str) else compile_template(value)


def _path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected a path such as 'contact.phones[0]', found {type(value).__name__}")
    return compile_path(value)


def _conditions(value: Any) -> Predicate:
    return value if isinstance(value, Predicate) else compile_conditions(value)


_TEMPLATE_SCHEMA = {"description": "A JSON value; strings may hold {{expressions}}.", "x-kind": "template"}
_PATH_SCHEMA = {"type": "string", "x-kind": "path"}
_CONDITION_SCHEMA = {
    "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}],
    "x-kind": "condition",
}

TemplateField = Annotated[
    Template,
    BeforeValidator(_template),
    PlainSerializer(lambda template: template.source),
    WithJsonSchema(_TEMPLATE_SCHEMA),
]
"""Any JSON value in which strings may hold `{{expressions}}`; render it with `ctx.render`."""

PathField = Annotated[
    Path, BeforeValidator(_path), PlainSerializer(lambda path: path.source), WithJsonSchema(_PATH_SCHEMA)
]
"""A path into a record or an answer: `employment_history[0].organization_name`."""

ConditionField = Annotated[
    Predicate,
    BeforeValidator(_conditions),
    PlainSerializer(lambda predicate: predicate.source),
    WithJsonSchema(_CONDITION_SCHEMA),
]
"""A condition, a group of conditions, or a list of which all must hold."""


@cache
def template_keys(model: type[BaseModel]) -> frozenset[str]:
    """Keys of a model under which expressions are resolved record by record, however deep below.

    A `{{…}}` under any other key is static: it is resolved once, before the configuration is read.
    """
    return frozenset(
        key
        for name, field in model.model_fields.items()
        if _holds_template(field.annotation, ())
        for key in (name, field.alias or name)
    )


def _holds_template(annotation: Any, above: tuple[Any, ...]) -> bool:
    if annotation in {Template, Predicate}:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in above:
        fields = annotation.model_fields.values()
        return any(_holds_template(field.annotation, (*above, annotation)) for field in fields)
    return any(_holds_template(part, above) for part in get_args(annotation))
