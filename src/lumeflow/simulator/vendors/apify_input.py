"""What a start of a run says: options in the query, the actor's input in the body; and Apify's error envelope."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from lumeflow.simulator.exchange import Call, RefusedError, Reply, json_reply
from lumeflow.simulator.vendors.apify_directory import queries_of, results_of
from lumeflow.simulator.vendors.apify_runs import Actor, Options

MOST_BODY_BYTES = 9_437_184


def error(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An error in Apify's envelope."""
    return json_reply({"error": {"type": kind, "message": message}}, status, headers)


def _bad(kind: str, message: str) -> RefusedError:
    return RefusedError(error(400, kind, message))


def number_of(call: Call, name: str, default: float) -> float:
    """A query parameter that is a number of 0 or more.

    Raises:
        RefusedError: It is none.
    """
    text = call.query.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise _bad("invalid-value", f"Query parameter {name} must be a number of 0 or more")
    return value


def options_of(call: Call) -> Options:
    """The run options of a start.

    Raises:
        RefusedError: One of them is not valid.
    """
    memory = int(number_of(call, "memory", 1024))
    if memory < 128 or memory & (memory - 1):
        raise _bad("invalid-value", "Query parameter memory must be a power of two of at least 128")
    if "maxItems" in call.query and number_of(call, "maxItems", 1) <= 0:
        raise _bad("max-items-must-be-greater-than-zero", "Maximum items must be greater than zero")
    charge = None
    if "maxTotalChargeUsd" in call.query:
        try:
            charge = Decimal(call.query["maxTotalChargeUsd"])
        except InvalidOperation:
            charge = Decimal(0)
        if not charge.is_finite() or charge <= 0:
            kind = "max-total-charge-usd-must-be-greater-than-zero"
            raise _bad(kind, "Maximum total charge must be greater than zero")
    return Options(number_of(call, "timeout", 0.0), memory, call.query.get("build", "latest"), charge)


def input_of(call: Call, actor: Actor) -> tuple[tuple[str, ...], int, bool]:
    """The input of a start: the posts or queries, each once; items of each; whether replies are asked for.

    Raises:
        RefusedError: It is not valid.
    """
    if len(call.body) > MOST_BODY_BYTES:
        raise RefusedError(error(413, "request-too-large", f"The request body is over {MOST_BODY_BYTES} bytes"))
    if "json" not in call.headers.get("content-type", "application/json"):
        raise RefusedError(error(415, "unsupported-content-type", "The actor input must be application/json"))
    value = call.json
    if not isinstance(value, dict):
        raise _bad("run-input-body-not-valid-json", "The input must be a JSON object")
    if actor.network == "directory":
        return queries_of(value), results_of(value), False
    limit = value.get("resultsLimit", actor.default_limit)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise _bad("invalid-input", "Input is not valid: Field input.resultsLimit must be an integer >= 1")
    return _urls(value, actor), limit, value.get("includeNestedComments") is True


def _urls(value: Mapping[str, Any], actor: Actor) -> tuple[str, ...]:
    entries = value.get(actor.urls_field)
    read: Callable[[Any], Any] = _as_string if actor.network == "instagram" else _as_object
    urls = [read(entry) for entry in entries] if isinstance(entries, list) else []
    if not urls or not all(urls):
        shape = "strings" if actor.network == "instagram" else 'objects {"url": "…"}'
        message = f"Input is not valid: Field input.{actor.urls_field} must be a non-empty array of {shape}"
        raise _bad("invalid-input", message)
    return tuple(dict.fromkeys(urls))


def _as_string(entry: Any) -> str | None:
    return entry if isinstance(entry, str) else None


def _as_object(entry: Any) -> str | None:
    return _as_string(entry.get("url")) if isinstance(entry, dict) else None
