"""Step: bring a field to its normal form. What the kinds of values have in common; each kind has a file of its own."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.operations.step import Step, put, take_out
from lumeflow.kit.payloads import json_type
from lumeflow.kit.text import is_blank, text_of
from lumeflow.plugin import MISSING, BlockContext, JsonObject, PathField

Reading = tuple[JsonObject, int, int]
"""The changed record; how many values there were; how many of them could not be read."""


class NormalizeStep(Step):
    """Bring a field, or each item of a list in it, to one form.

    A record without a value there stays as it is. Subclasses say in `wanted` what a value should be, with its article.
    """

    wanted: ClassVar[str]
    type: Literal["normalize"] = Field(default="normalize", description="Selects this operation.")
    field: PathField = Field(description="Field with the value, or with a list of values.")
    to: PathField | None = Field(
        default=None,
        description="Where the normal form goes, so that the value stays as it was given; else to `field`.",
    )
    on_invalid: Literal["keep", "remove", "error"] = Field(
        default="keep",
        description="What becomes of a value that cannot be read: it stays as it is, it is taken out, or the record "
        "fails. With `to` the given value always stays.",
    )

    @abstractmethod
    def read(self, text: str, record: JsonObject) -> str | None:
        """The normal form of a text that is not blank; None if it cannot be read."""

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Bring the field to its form."""
        return self.reading(record)[0]

    def reading(self, record: JsonObject) -> Reading:
        """Bring the field to its form, and count.

        Raises:
            ValueError: A value cannot be read, and `on_invalid` is `error`.
        """
        value = self.field.get(record)
        if value is MISSING or is_blank(value):
            return record, 0, 0
        if isinstance(value, list):
            return self._list(value, record)
        found = self._read(value, record)
        if found is None:
            return self._without(record), 1, 1
        if found == value and self.to is None:
            return record, 1, 0
        return put(record, self.to or self.field, found), 1, 0

    def _list(self, given: list[Any], record: JsonObject) -> Reading:
        values = [value for value in given if not is_blank(value)]
        found = [self._read(value, record) for value in values]
        unread = found.count(None)
        if self.on_invalid == "keep" and self.to is None:
            found = [given if read is None else read for read, given in zip(found, values, strict=True)]
        kept = [read for read in found if read is not None]
        return put(record, self.to or self.field, kept), len(values), unread

    def _read(self, value: Any, record: JsonObject) -> str | None:
        text = value.strip() if isinstance(value, str) else text_of(value)
        found = self.read(text, record) if text else None
        if found is None and self.on_invalid == "error":
            shown = "another text" if isinstance(value, str) else json_type(value)
            raise ValueError(f"{self.field} must be {self.wanted}, found {shown}")
        return found

    def _without(self, record: JsonObject) -> JsonObject:
        return take_out(record, self.field) if self.on_invalid == "remove" and self.to is None else record
