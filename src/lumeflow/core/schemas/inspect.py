"""What can be wrong inside a schema: against the meta-schema, and against what its author probably meant."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from lumeflow.core.document.codes import Code, make_finding
from lumeflow.core.findings import Finding, did_you_mean, nearest
from lumeflow.core.pointer import Parts, pointer
from lumeflow.core.schemas.keywords import DIALECT, FORMATS, KEYWORDS, OTHER_ANNOTATIONS, TYPES
from lumeflow.core.schemas.lift import Unit
from lumeflow.core.schemas.problems import expectation, shape_of

_DYNAMIC = ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary")
_PATTERN_HINT = (
    "patterns are matched in linear time, so look-around and back-references do not exist: write it without them"
)


@cache
def _meta_validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": DIALECT}, validate_formats=True, offline=True)


class Inspector:
    """Finds faults in schemas."""

    def __init__(self) -> None:
        self._meta = _meta_validator()

    def inspect(self, unit: Unit) -> Iterator[Finding]:
        """All faults of one schema and of those inside it."""
        if not self._meta.is_valid(unit.schema):
            yield from self._meta_findings(unit)
        for at, schema in unit.parts:
            place = (*unit.origin, *at)
            yield from _dialect(schema, place)
            yield from _patterns(schema, place)
            yield from _slips(schema, place)

    def _meta_findings(self, unit: Unit) -> Iterator[Finding]:
        seen: set[str] = set()
        for error in self._meta.iter_errors(unit.schema):
            at = pointer((*unit.origin, *error.instance_path))
            if at not in seen and not isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Format):
                seen.add(at)
                yield make_finding(Code.INVALID_SCHEMA, _explain(error), at)


def _explain(error: jsonschema_rs.ValidationError) -> str:
    keyword = error.instance_path[-1] if error.instance_path else ""
    found = error.instance
    if keyword == "type" or (len(error.instance_path) > 1 and error.instance_path[-2] == "type"):
        known = f"expected one of {', '.join(TYPES)} or an array of these"
        return f"unknown type '{found[:40]}': {known}." + _guess(found) if isinstance(found, str) else f"{known}."
    return f"not a legal schema: expected {expectation(error.kind)}, found {shape_of(found)}."


def _guess(found: str) -> str:
    guess = nearest(found, TYPES)
    return f" Did you mean '{guess}'?" if guess else ""


def _dialect(schema: dict[str, Any], place: Parts) -> Iterator[Finding]:
    dialect = schema.get("$schema")
    if isinstance(dialect, str) and dialect.rstrip("#") != DIALECT:
        message = f"'$schema' is '{dialect[:60]}': schemas follow {DIALECT}; leave the key out."
        yield make_finding(Code.INVALID_SCHEMA, message, pointer((*place, "$schema")))
    for keyword in _DYNAMIC:
        if keyword in schema:
            message = f"'{keyword}' is not supported: use '$ref' with a JSON pointer into this document."
            yield make_finding(Code.INVALID_SCHEMA, message, pointer((*place, keyword)))


def _patterns(schema: dict[str, Any], place: Parts) -> Iterator[Finding]:
    named = schema.get("patternProperties")
    places: list[tuple[Any, Parts]] = [(schema.get("pattern"), ("pattern",))]
    places += [(pattern, ("patternProperties", pattern)) for pattern in (named if isinstance(named, dict) else ())]
    for pattern, at in places:
        if isinstance(pattern, str) and not _compiles(pattern):
            yield make_finding(
                Code.INVALID_SCHEMA,
                f"not a regular expression that can be used: {_PATTERN_HINT}.",
                pointer((*place, *at)),
            )


@cache
def _compiles(pattern: str) -> bool:
    try:
        jsonschema_rs.is_valid({"pattern": pattern}, "", pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def _slips(schema: dict[str, Any], place: Parts) -> Iterator[Finding]:
    for keyword in schema:
        if keyword in KEYWORDS or keyword in OTHER_ANNOTATIONS or keyword.startswith("x-"):
            continue
        if nearest(keyword, KEYWORDS):
            yield make_finding(
                Code.UNKNOWN_KEYWORD,
                f"'{keyword}' is no keyword of JSON Schema and has no effect." + did_you_mean(keyword, KEYWORDS),
                pointer((*place, keyword)),
            )
    name = schema.get("format")
    if isinstance(name, str) and name not in FORMATS:
        yield make_finding(
            Code.UNKNOWN_FORMAT,
            f"'{name[:40]}' is no format of JSON Schema, so nothing is checked." + did_you_mean(name, FORMATS),
            pointer((*place, "format")),
        )
