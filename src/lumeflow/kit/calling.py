"""What the blocks that call a vendor have in common: mapping, condition, what may be overwritten, and a head count."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import Field, GetJsonSchemaHandler, field_validator
from pydantic_core import CoreSchema

from lumeflow.kit.conditions import meets
from lumeflow.kit.text import is_blank, text_of
from lumeflow.plugin import (
    MISSING,
    Block,
    BlockConfig,
    BlockContext,
    ConditionField,
    JsonObject,
    PathField,
    Template,
    TemplateField,
    did_you_mean,
)


def without_secrets(template: Template) -> Template:
    """What is asked for, if it names no secret.

    Raises:
        ValueError: It names one.
    """
    if template.secrets:
        raise ValueError("what is asked for is written down and shown to the vendor: name no secret in it")
    return template


class CallConfig(BlockConfig):
    """Configuration that all blocks with a vendor behind them share."""

    mapping_keys: ClassVar[Collection[str] | None] = None
    """What may be mapped; None if anything may."""
    endpoints: ClassVar[Collection[str]] = ()
    """Values that `endpoint` may have, in the order to be shown."""
    methods: ClassVar[Collection[str]] = ()
    """Values that `method` may have."""
    batches: ClassVar[bool] = False
    """Whether `batchMode` can be true."""

    mapping: Mapping[str, TemplateField] = Field(
        default_factory=dict, description="What to ask for: names of the vendor's inputs, and where to take them from."
    )
    condition: ConditionField | None = Field(
        default=None, description="Records that do not meet it pass through untouched and unpaid."
    )
    endpoint: str | None = Field(default=None, description="The vendor's path, for readers; a block has just one.")
    method: str | None = Field(default=None, description="The HTTP method, for readers; a block has just one.")
    batch_mode: bool | None = Field(default=None, description="Several records in one call, where the vendor can.")
    batch_size: int | None = Field(default=None, ge=1, description="Records in one call, in batch mode.")

    @field_validator("mapping", mode="before")
    @classmethod
    def _known_mapping(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and cls.mapping_keys is not None:
            return cls._known("mapping", value, cls.mapping_keys)
        return value

    @field_validator("mapping")
    @classmethod
    def _no_secret(cls, value: Mapping[str, Template]) -> Mapping[str, Template]:
        for template in value.values():
            without_secrets(template)
        return value

    @field_validator("endpoint")
    @classmethod
    def _known_endpoint(cls, value: str | None) -> str | None:
        return cls._known_one("endpoint", value, cls.endpoints)

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str | None) -> str | None:
        return cls._known_one("method", value and value.upper(), cls.methods)

    @field_validator("batch_mode")
    @classmethod
    def _possible_batches(cls, value: bool | None) -> bool | None:
        if value and not cls.batches:
            raise ValueError("this block asks for one record at a time; set batchMode to false or leave it out")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Tell what this block's mapping, endpoint and method may be."""
        schema: dict[str, Any] = handler.resolve_ref_schema(handler(core))
        properties: dict[str, Any] = schema["properties"]
        if cls.mapping_keys and "mapping" in properties:
            properties["mapping"]["propertyNames"] = {"enum": list(cls.mapping_keys)}
        for name, known in (("endpoint", cls.endpoints), ("method", cls.methods)):
            if known and name in properties:
                properties[name]["anyOf"] = [{"enum": list(known), "type": "string"}, {"type": "null"}]
        return schema

    @classmethod
    def _known(cls, what: str, value: Mapping[str, Any], known: Collection[str]) -> Mapping[str, Any]:
        for key in value:
            if key not in known:
                raise ValueError(f"{what} has the unknown key '{key}'." + did_you_mean(key, known))
        return value

    @classmethod
    def _known_one(cls, what: str, value: str | None, known: Collection[str]) -> str | None:
        if value is not None and known and value not in known:
            raise ValueError(f"{what} is '{value}', expected {' or '.join(map(repr, known))}")
        return value


class FillingConfig(CallConfig):
    """Configuration of a block that fills fields of its records out of an answer."""

    field_mapping: Mapping[str, PathField] = Field(
        default_factory=dict, description="What to take over: names of fields to set, and paths into the answer."
    )
    overwrite: bool = Field(
        default=False, description="Replace values that a record already has; otherwise only gaps are filled."
    )


class LookupConfig(FillingConfig):
    """Configuration of a block that looks records up one by one."""

    limits: int | None = Field(
        default=None,
        ge=0,
        description="Only the first so many records of the input are looked up; the others pass through unpaid.",
    )


CallConfigT = TypeVar("CallConfigT", bound=CallConfig)


class CallBlock(Block[CallConfigT]):
    """A block with a vendor behind it."""

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True if the record meets `config.condition`."""
        return self.config.condition is None or meets(self.config.condition, record, ctx)


def mapped(config: CallConfig, ctx: BlockContext, record: JsonObject) -> dict[str, str]:
    """What to ask for, as texts: `config.mapping` rendered, or without one the record's fields of these names.

    Whatever is missing, empty, or neither text nor number is left out.
    """
    if config.mapping:
        values: Iterable[tuple[str, Any]] = (
            (name, ctx.render(template, record)) for name, template in config.mapping.items()
        )
    else:
        values = ((name, record.get(name)) for name in config.mapping_keys or ())
    return {name: text for name, value in values if (text := text_of(value))}


def found_at(paths: Mapping[str, Any], answer: Any) -> dict[str, Any]:
    """What lies in `answer` at each of the paths, by target name; what is missing or empty is left out."""
    values = ((target, path.get(answer)) for target, path in paths.items())
    return {target: value for target, value in values if value is not MISSING and not is_blank(value)}


def filled(record: JsonObject, found: Mapping[str, Any], *, overwrite: bool) -> dict[str, Any]:
    """A copy of `record` in which `found` fills the gaps, or with `overwrite` takes the place of what was there."""
    return {**record, **{name: value for name, value in found.items() if overwrite or is_blank(record.get(name))}}
