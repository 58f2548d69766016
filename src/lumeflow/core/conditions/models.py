"""Conditions as they stand in a workflow document."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from lumeflow.core.conditions.leaf import Leaf, compile_leaf
from lumeflow.core.conditions.operators import OPERATORS
from lumeflow.core.expressions.errors import suggestion

GROUP_OPERATORS = ("and", "or", "not")
# Pydantic puts these into the location of a problem, between the document's own keys; they are to be left out of JSON
# pointers. With a space, so that no key of a document is taken for one.
CONDITION_TAGS = frozenset(["field condition", "group of conditions", "list of conditions", "one condition"])
_FIELD_TAG, _GROUP_TAG, _LIST_TAG, _ONE_TAG = (
    "field condition",
    "group of conditions",
    "list of conditions",
    "one condition",
)


def _known_operator(name: str) -> str:
    if name in OPERATORS:
        return name
    nearest = suggestion(name, OPERATORS)
    raise ValueError(
        f"unknown operator {name[:40]!r}: {nearest + ' ' if nearest else ''}known are {', '.join(OPERATORS)}"
    )


OperatorName = Annotated[str, AfterValidator(_known_operator), WithJsonSchema({"type": "string", "enum": [*OPERATORS]})]


class _ConditionModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value
        if not isinstance(value, dict):
            raise ValueError('a condition is an object such as {"field": "email", "operator": "exists"}')
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key in value:
            if key not in known and key not in cls.model_fields:
                hint = suggestion(str(key), known) or f"known are {', '.join(sorted(known))}"
                raise ValueError(f"unknown key {str(key)[:40]!r}: {hint}")
        return value


class FieldCondition(_ConditionModel):
    """A condition on one field."""

    field: str = Field(description="Path of the field in the record: email, company.name, phones[0].number")
    operator: OperatorName = Field(description="What is asked of the field")
    value: Any = Field(
        default=None, description="What the field is compared with; may be a template such as {{variables.minimum}}"
    )
    ignore_case: bool = Field(default=False, description="Whether capital and small letters count as the same")

    @model_validator(mode="after")
    def _compiles(self) -> "FieldCondition":
        self.compiled()
        return self

    def compiled(self) -> Leaf:
        """Return the condition ready for use; raises `ExpressionError`, but never on a validated model."""
        has_value = "value" in self.model_fields_set
        return compile_leaf(self.field, self.operator, self.value, has_value=has_value, ignore_case=self.ignore_case)


class ConditionGroup(_ConditionModel):
    """Several conditions joined."""

    operator: Literal["and", "or", "not"] = Field(description="and: all hold; or: at least one; not: not all of them")
    conditions: "list[Condition]" = Field(min_length=1, description="At least one condition or group")


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return _GROUP_TAG if "conditions" in value or value.get("operator") in GROUP_OPERATORS else _FIELD_TAG
    return _GROUP_TAG if isinstance(value, ConditionGroup) else _FIELD_TAG


Condition = Annotated[
    Annotated[FieldCondition, Tag(_FIELD_TAG)] | Annotated[ConditionGroup, Tag(_GROUP_TAG)], Discriminator(_kind)
]
"""A condition on a field, or a group of conditions."""

Conditions = Annotated[
    Annotated[list[Condition], Tag(_LIST_TAG)] | Annotated[Condition, Tag(_ONE_TAG)],
    Discriminator(lambda value: _LIST_TAG if isinstance(value, list) else _ONE_TAG),
]
"""One condition, or a list of which all must hold."""

ConditionGroup.model_rebuild()
