"""What a node's schema means for a payload that travels as records and fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from jsonschema_rs import Draft202012Validator

from lumeflow.core.records import JsonObject
from lumeflow.core.schemas.checker import Checked, Checker
from lumeflow.core.schemas.integral import integral_finder
from lumeflow.core.schemas.keywords import Schema
from lumeflow.core.schemas.library import SchemaLibrary
from lumeflow.core.schemas.vectors import Vectors
from lumeflow.core.schemas.views import Conjunction, View

_RECORD_TYPES = frozenset({"object", "null"})
_COLLECTION_TYPES = frozenset({"array", "null"})


@dataclass(frozen=True, slots=True)
class PayloadSchema:
    """A payload's schema, split the way the payload travels.

    Attributes:
        collection: Name of the property that holds the records; None if the payload is one record itself.
        record: Checks one record; None if nothing is said of records, or there is no collection.
        fields: Checks the payload without its collection; the whole payload if it has none. Use `check_fields`.
        required: True if the collection must be there.
        min_records: Least number of records; None if nothing is said.
        max_records: Largest number of records; None if nothing is said.
    """

    collection: str | None
    record: Checker | None
    fields: Checker
    required: bool = False
    min_records: int | None = None
    max_records: int | None = None

    def check_fields(self, fields: JsonObject) -> Checked:
        """Check a payload's fields, once all are known; the collection is not among them."""
        if self.collection is None:
            return self.fields.check(fields)
        name = self.collection
        checked = self.fields.check({**fields, name: []})
        if checked.problems or not checked.coercions:
            return Checked(fields, 0, checked.problems)
        rest = {key: value for key, value in checked.value.items() if key != name}
        return Checked(rest, checked.coercions)


def record_properties(library: SchemaLibrary, schema: Schema) -> list[str]:
    """The properties of a payload that can be its collection: arrays of objects, in the order of declaration."""
    view = library.view((schema,))
    return [name for name, inner in view.properties.items() if _holds_records(library, inner)]


def record_schemas(library: SchemaLibrary, schema: Schema, collection: str) -> Conjunction:
    """What a payload's schema says of each record of its collection."""
    inner = library.view((schema,)).property(collection)
    return library.view(inner).items if inner else ()


def payload_schema(library: SchemaLibrary, schema: Schema, collection: str | None = None) -> PayloadSchema:
    """Compile a payload's schema.

    Args:
        library: The document's schemas, without errors.
        schema: One of its schemas.
        collection: Name of the collection, if configuration gives it; else the one array of objects is it.
    """
    if collection is None:
        candidates = record_properties(library, schema)
        collection = candidates[0] if len(candidates) == 1 else None
    if collection is None:
        return PayloadSchema(None, None, checker(library, (schema,)))
    view = library.view((schema,))
    held = library.view(view.property(collection) or ())
    return PayloadSchema(
        collection,
        checker(library, held.items) if held.items else None,
        checker(library, (_without(library, schema, (collection,)),)),
        collection in view.required,
        held.limit("minItems"),
        held.limit("maxItems"),
    )


def checker(library: SchemaLibrary, schemas: Conjunction) -> Checker:
    """Compile a checker of one value."""
    schema: Schema = schemas[0] if len(schemas) == 1 else {"allOf": list(schemas)}
    validator = library.validator(schema)
    names = _vector_properties(library, schemas)
    without = partial(_validator_without, library, schema)
    return Checker(
        validator,
        vectors=Vectors(validator, names, without) if names else None,
        find_integral=integral_finder(library, schemas),
    )


def _vector_properties(library: SchemaLibrary, schemas: Conjunction) -> list[str]:
    """Properties that can be arrays of numbers."""
    found = []
    for name, inner in library.view(schemas).properties.items():
        view = library.view(inner)
        items = library.view(view.items)
        numeric = items.types is None or items.types & {"integer", "fraction"}
        if view.types is not None and "array" in view.types and numeric:
            found.append(name)
    return found


def _validator_without(library: SchemaLibrary, schema: Schema, names: tuple[str, ...]) -> Draft202012Validator:
    return library.validator(_without(library, schema, names))


def _holds_records(library: SchemaLibrary, schemas: Conjunction) -> bool:
    view = library.view(schemas)
    if not _is_only(view, "array", _COLLECTION_TYPES) or not view.items:
        return False
    items = library.view(view.items)
    return _is_only(items, "object", _RECORD_TYPES) or (items.types is None and bool(items.properties))


def _is_only(view: View, name: str, allowed: frozenset[str]) -> bool:
    return view.types is not None and name in view.types and view.types <= allowed


def _without(library: SchemaLibrary, schema: Schema, names: tuple[str, ...]) -> Schema:
    """The schema without what it says of some properties of the value itself, references and choices included."""
    if isinstance(schema, bool):
        return schema
    while schema.keys() == {"$ref"}:
        target = library.target(schema["$ref"])
        if isinstance(target, bool):
            return target
        schema = target
    made: dict[str, Any] = dict(schema)
    if isinstance(made.get("$ref"), str):
        referred = _without(library, library.target(made.pop("$ref")), names)
        made["allOf"] = [referred, *made.get("allOf", [])]
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(made.get(key), list):
            made[key] = [_without(library, part, names) for part in made[key]]
    for key in ("then", "else"):
        if key in made:
            made[key] = _without(library, made[key], names)
    if isinstance(made.get("properties"), Mapping):
        made["properties"] = {name: True if name in names else part for name, part in made["properties"].items()}
    return made
