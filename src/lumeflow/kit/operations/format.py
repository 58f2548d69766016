"""Step: write a value as text for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lumeflow.core.expressions import FUNCTIONS
from lumeflow.core.expressions.moments import parse_moment
from lumeflow.kit.operations.step import Step, put, take_out
from lumeflow.kit.payloads import json_type
from lumeflow.plugin import MISSING, BlockContext, JsonObject, PathField, TemplateField, did_you_mean

_ON_TEXTS = ("uppercase", "lowercase", "capitalize", "titlecase", "trim", "collapse", "unaccent", "slug")
_NAMES = (*_ON_TEXTS, "date", "number")
_OPTIONS: Mapping[str, str] = {"layout": "date", "decimals": "number", "thousands": "number", "decimal_mark": "number"}


class FormatStep(Step):
    """Write a field as text: in a named format, in several one after the other, or by a template.

    Formats on texts are the functions of that name: `uppercase`, `lowercase`, `capitalize`, `titlecase`, `trim`,
    `collapse`, `unaccent`, `slug`. `date` writes an ISO 8601 date by `layout`, `number` a number by `decimals`,
    `thousands` and `decimalMark`. Items of a list are formatted one by one. A record without the field stays as it is.
    """

    type: Literal["format"] = Field(description="Selects this operation.")
    field: PathField = Field(description="Field to format.")
    transformation: TemplateField = Field(
        description="Name of a format, a list of names, or a template such as {{input.city}} ({{input.country}}), "
        "whose result is the field's text; one of null takes the field out."
    )
    layout: str = Field(default="YYYY-MM-DD", description="For `date`: made of YYYY YY MM M DD D HH H mm m ss s.")
    decimals: int | None = Field(default=None, ge=0, le=15, description="For `number`: digits behind the mark.")
    thousands: str = Field(
        default="", max_length=1, description="For `number`: what groups of three digits are parted by."
    )
    decimal_mark: Literal[".", ",", "٫"] = Field(
        default=".", description="For `number`: what stands before the decimals."
    )

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        names = self._names()
        if self.transformation.source == []:
            raise ValueError("name at least one format")
        unknown = next((name for name in names if name not in _NAMES), None)
        if unknown is not None:
            shown = did_you_mean(unknown, _NAMES) if isinstance(unknown, str) else f" Known: {', '.join(_NAMES)}."
            raise ValueError(f"there is no such format, and it is no template: {unknown!r}.{shown}")
        for option, name in _OPTIONS.items():
            if option in self.model_fields_set and name not in names:
                raise ValueError(f"'{option}' is for the format '{name}'")
        if self.thousands == self.decimal_mark:
            raise ValueError("'thousands' and 'decimalMark' must differ")
        FUNCTIONS["formatDate"].call(parse_moment("2026-01-09"), self.layout)
        return self

    def _names(self) -> tuple[Any, ...]:
        """Names of formats, or none if there is a template."""
        source = self.transformation.source
        listed = tuple(source) if isinstance(source, list) else (source,)
        is_template = not isinstance(source, list) and isinstance(source, str) and "{{" in source
        return () if is_template else listed

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Write the field."""
        names = self._names()
        if not names:
            rendered = ctx.render(self.transformation, record)
            if rendered is None:
                return take_out(record, self.field)
            return put(record, self.field, FUNCTIONS["text"].call(rendered))
        value = self.field.get(record)
        if value is MISSING or value is None:
            return record
        texts = [self._formatted(names, item) for item in value] if isinstance(value, list) else None
        return put(record, self.field, self._formatted(names, value) if texts is None else texts)

    def _formatted(self, names: Sequence[str], value: Any) -> Any:
        for name in names:
            value = self._by_name(name, value)
        return value

    def _by_name(self, name: str, value: Any) -> str:
        if name == "date":
            return self._date(value)
        if name == "number":
            return self._number(value)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ValueError(f"expected a text in {self.field}, found {json_type(value)}")
        text: str = FUNCTIONS[name].call(value if isinstance(value, str) else FUNCTIONS["text"].call(value))
        return text

    def _date(self, value: Any) -> str:
        moment = parse_moment(value.strip()) if isinstance(value, str) else None
        if moment is None:
            raise ValueError(f"expected an ISO 8601 date in {self.field}, such as 2026-01-09; found {_found(value)}")
        text: str = FUNCTIONS["formatDate"].call(moment, self.layout)
        return text

    def _number(self, value: Any) -> str:
        number = FUNCTIONS["number"].call(value)
        if number is None:
            raise ValueError(f"expected a number in {self.field}, found {_found(value)}")
        digits = FUNCTIONS["formatNumber"].call(number, self.decimals) if self.decimals is not None else _plain(number)
        whole, mark, fraction = digits.partition(".")
        is_zero = not (whole + fraction).strip("-0")
        sign = "-" if whole.startswith("-") and not is_zero else ""
        whole = whole.removeprefix("-")
        grouped = f"{int(whole):,}".replace(",", self.thousands)
        return f"{sign}{grouped}{self.decimal_mark if mark else ''}{fraction}"


def _plain(number: float) -> str:
    text: str = FUNCTIONS["text"].call(number)
    return text if "e" not in text else f"{number:.0f}" if abs(number) >= 1 else f"{number:.17f}".rstrip("0")


def _found(value: Any) -> str:
    return "another text" if isinstance(value, str) else json_type(value)
