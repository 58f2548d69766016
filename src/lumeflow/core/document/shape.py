"""Pydantic's errors as findings: exact pointer, what was expected, what was found, the nearest known name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lumeflow.core.document.annotations import is_meant, keys_of, model_at
from lumeflow.core.document.codes import Code, make_finding
from lumeflow.core.document.fields import describe
from lumeflow.core.findings import Finding, InvalidWorkflow, Report, did_you_mean
from lumeflow.core.pointer import Parts, document_position, existing, parse_pointer, pointer, step

ModelT = TypeVar("ModelT", bound=BaseModel)

_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "list_type": "an array",
    "tuple_type": "an array",
    "set_type": "an array",
    "none_required": "null",
}
_OWN = frozenset(code.value for code in Code)
_SHOULD_BE = "Input should be "


def load_model(model: type[ModelT], raw: Mapping[str, Any]) -> ModelT:
    """Check a document's shape.

    Raises:
        InvalidWorkflow: With all findings.
    """
    try:
        return validated(model, raw)
    except ValidationError as error:
        findings = shape_findings(error, model, raw)
        raise InvalidWorkflow(Report(tuple(attributed(finding, raw) for finding in findings))) from None


def validated(model: type[ModelT], raw: Mapping[str, Any]) -> ModelT:
    """Validate JSON: only the camelCase keys count, also where Python code may use attribute names.

    Raises:
        ValidationError: Pydantic's own.
    """
    return model.model_validate(raw, by_alias=True, by_name=False)


def shape_findings(
    error: ValidationError, model: type[BaseModel], raw: Any, *, skip: Callable[[Parts], bool] | None = None
) -> tuple[Finding, ...]:
    """All of pydantic's errors, one finding for each place, in the order of the document.

    Args:
        error: What pydantic raised.
        model: The model that was asked for.
        raw: The JSON that was given; pointers lead into it.
        skip: True for places whose errors are not wanted. A key that is not known is an error whatever it holds.
    """
    places: dict[tuple[Parts, Code, str], list[str]] = {}
    details = error.errors(include_url=False)
    meant = [detail for detail in details if is_meant(model, raw, detail["loc"])]
    for detail in meant or details:
        at, code, message = _translate(detail, model, raw)
        if skip is not None and code is not Code.UNKNOWN_KEY and skip(at):
            continue
        missing = str(detail["loc"][-1]) if code is Code.MISSING_KEY else ""
        messages = places.setdefault((at, code, missing), [])
        if message not in messages:
            messages.append(message)
    findings = [make_finding(code, _joined(messages), pointer(at)) for (at, code, _), messages in places.items()]
    return tuple(sorted(findings, key=lambda finding: document_position(raw, finding.pointer)))


def attributed(finding: Finding, raw: Mapping[str, Any]) -> Finding:
    """The finding with the id of the node or edge that its pointer leads into, as far as that has one."""
    parts = parse_pointer(finding.pointer)[:2]
    if finding.node or finding.edge or len(parts) < 2 or parts[0] not in {"nodes", "edges"}:
        return finding
    try:
        owner = step(step(raw, parts[0]), parts[1])
    except KeyError:
        return finding
    if not isinstance(owner, Mapping):
        return finding
    if parts[0] == "nodes":
        return replace(finding, node=_text(owner.get("id")))
    ends = _text(owner.get("source")), _text(owner.get("target"))
    return replace(finding, edge=_text(owner.get("id")) or (f"{ends[0]}→{ends[1]}" if all(ends) else None))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def error_place(detail: ErrorDetails, raw: Any) -> Parts:
    """Where in the raw JSON an error lies: pydantic's location without the names of union arms and validators."""
    at: Parts = ()
    for part in detail["loc"]:
        if existing(raw, (*at, part)) == (*at, part):
            at = (*at, part)
    return at


def _translate(detail: ErrorDetails, model: type[BaseModel], raw: Any) -> tuple[Parts, Code, str]:
    at = error_place(detail, raw)
    kind = detail["type"]
    value = detail["input"]
    context = detail.get("ctx", {})
    if kind == "missing":
        return at, Code.MISSING_KEY, f"the key '{detail['loc'][-1]}' is required: add it."
    if kind == "extra_forbidden":
        return at, Code.UNKNOWN_KEY, f"unknown key '{at[-1] if at else ''}'." + _nearest_key(model, raw, at)
    if kind in {"enum", "literal_error"}:
        return at, Code.UNKNOWN_VALUE, _unknown_value(str(context.get("expected", "")), value)
    if kind in _EXPECTED:
        return at, Code.WRONG_TYPE, f"expected {_EXPECTED[kind]}, found {describe(value)}."
    if kind == "too_long" and "max_length" in context:
        return at, Code.INVALID_VALUE, f"at most {context['max_length']} are allowed, found {describe(value)}."
    if kind in _OWN:
        return at, Code(kind), detail["msg"].rstrip(".") + "."
    if kind == "string_pattern_mismatch":
        return at, Code.INVALID_VALUE, _mismatch(str(context.get("pattern", "")), value)
    return at, Code.INVALID_VALUE, _generic(detail["msg"], value, context)


def _generic(message: str, value: Any, context: Mapping[str, Any]) -> str:
    if isinstance(context.get("error"), Exception):
        return str(context["error"]).rstrip(".") + "."
    should_be = "must be " if message.startswith(_SHOULD_BE) else ""
    message = message.removeprefix(_SHOULD_BE)
    return f"{should_be}{message[:1].lower()}{message[1:]}, found {describe(value)}."


def _mismatch(pattern: str, value: Any) -> str:
    """Names and ids are not secret: they may be quoted, shortened."""
    shown = f"'{value[:40]}'" if isinstance(value, str) and value else describe(value)
    return f"{shown} is not allowed: it must match {pattern}."


def _unknown_value(expected: str, value: Any) -> str:
    known = [name.strip("' ") for name in expected.replace(" or ", ", ").split(",")]
    if isinstance(value, str) and len(value) <= 40:
        guess = did_you_mean(value, known)
        return f"unknown value '{value}'." + (guess if "Did you mean" in guess else f" Expected {expected}.")
    return f"expected {expected}, found {describe(value)}."


def _nearest_key(model: type[BaseModel], raw: Any, at: Parts) -> str:
    owner = model_at(model, raw, at[:-1])
    return did_you_mean(str(at[-1]), keys_of(owner)) if owner and at else ""


def _joined(messages: Sequence[str]) -> str:
    """One sentence for the arms of a union: `expected a string or an array, found null`."""
    if len(messages) == 1:
        return messages[0]
    split = [message.partition(", found ") for message in messages]
    if all(head.startswith("expected ") and tail for head, _, tail in split):
        wanted = dict.fromkeys(head.removeprefix("expected ") for head, _, _ in split)
        return f"expected {' or '.join(wanted)}, found {split[0][2]}"
    return " ".join(messages)
