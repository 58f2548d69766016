"""What the keywords of JSON Schema 2020-12 hold, as far as walking through a schema needs it."""

from collections.abc import Iterator
from typing import Any

from lumeflow.core.pointer import Parts

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any] | bool

_SINGLE = (
    "items", "additionalProperties", "contains", "contentSchema", "if", "then", "else", "not", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_IN_PLACE_SINGLE = ("not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")

_ASSERTIONS = (
    "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties",
    "minProperties", "required", "dependentRequired", "format",
)  # fmt: skip
_CORE = ("$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary", "$comment")
_ANNOTATIONS = (
    "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "contentEncoding",
    "contentMediaType",
)  # fmt: skip
KEYWORDS = frozenset((*_SINGLE, *_LISTS, *_MAPS, *_ASSERTIONS, *_CORE, *_ANNOTATIONS))
OTHER_ANNOTATIONS = frozenset({"example", "nullable", "discriminator", "externalDocs", "xml", "dependencies", "id"})
"""Of OpenAPI and older drafts: they say nothing here, but they are no slip of the pen either."""

FORMATS = frozenset({
    "date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri",
    "uri-reference", "iri", "iri-reference", "uri-template", "json-pointer", "relative-json-pointer", "regex", "uuid",
})  # fmt: skip
TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def parts_of(schema: dict[str, Any]) -> Iterator[tuple[Parts, Any]]:
    """The schemas directly inside a schema, with their places; whatever has another shape is passed over."""
    for key in _SINGLE:
        if key in schema:
            yield (key,), schema[key]
    for key in _LISTS:
        if isinstance(schema.get(key), list):
            for index, part in enumerate(schema[key]):
                yield (key, index), part
    for key in _MAPS:
        if isinstance(schema.get(key), dict):
            for name, part in schema[key].items():
                yield (key, name), part


def walk(schema: Any, at: Parts = ()) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """A schema and all schemas inside it, objects only, in the order of the keyword tables."""
    if isinstance(schema, dict):
        yield at, schema
        for where, part in parts_of(schema):
            yield from walk(part, (*at, *where))


def in_place(schema: dict[str, Any]) -> Iterator[Any]:
    """The schemas inside a schema that apply to the very same value; `$ref` is left to the caller."""
    for key in _IN_PLACE_SINGLE:
        if key in schema:
            yield schema[key]
    for key in _IN_PLACE_LISTS:
        if isinstance(schema.get(key), list):
            yield from schema[key]
    if isinstance(schema.get("dependentSchemas"), dict):
        yield from schema["dependentSchemas"].values()
