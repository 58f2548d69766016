"""Step: bring what is nested to one level."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from lumeflow.kit.operations.step import Step
from lumeflow.plugin import MISSING, BlockContext, JsonObject, Path, PathField

_DEEPEST = 64


class FlattenStep(Step):
    """Bring the fields of nested objects up: `{"company": {"name": "Example"}}` becomes `{"company_name": "Example"}`.

    They stand where the object stood. An empty object stays as it is.
    """

    type: Literal["flatten"] = Field(description="Selects this operation.")
    field: PathField | None = Field(default=None, description="Object to flatten; all of the record if absent.")
    separator: str = Field(default="_", max_length=10, description="Stands between the names of object and field.")
    depth: int = Field(default=_DEEPEST, ge=1, le=_DEEPEST, description="Levels to bring up; deeper objects stay.")
    lists: Literal["keep", "index"] = Field(
        default="keep",
        description="`index` brings up the items of lists as well, named by their number from 0: phones_0_number.",
    )

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Flatten the record, or the object in it."""
        if self.field is None:
            return self._flat(record, None)
        *above, name = self.field.parts
        owner = Path(above).get(record)
        if not isinstance(owner, Mapping) or owner.get(name, MISSING) is MISSING:
            return record
        changed: JsonObject = Path(above).set(record, self._flat(owner, name))
        return changed

    def _flat(self, record: JsonObject, only: str | int | None) -> JsonObject:
        """`record` with its objects brought up, or with the one called `only`."""
        flat: dict[str, Any] = {}
        for key, value in record.items():
            found = self._leaves((key,), value) if only in (None, key) else iter([((key,), value)])
            for parts, leaf in found:
                name = self.separator.join(parts)
                if name in flat or (only is not None and len(parts) > 1 and name in record):
                    raise ValueError(f"two fields would be called '{name}'; choose another separator")
                flat[name] = leaf
        return flat

    def _leaves(self, parts: Sequence[str], value: Any) -> Iterator[tuple[Sequence[str], Any]]:
        inner = self._inner(value) if len(parts) <= self.depth else {}
        if not inner:
            yield parts, value
        for key, below in inner.items():
            yield from self._leaves((*parts, key), below)

    def _inner(self, value: Any) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        if self.lists == "index" and isinstance(value, list):
            return {str(place): item for place, item in enumerate(value)}
        return {}
