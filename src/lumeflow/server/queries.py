"""Parameters of a query: one that an endpoint does not have is an error, lest a misspelt filter choose everything."""

from collections.abc import Iterator
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant

from lumeflow.core.findings import did_you_mean
from lumeflow.server.problems import FieldError, printable, unusable

_TOLD = 20
_LONGEST = 80


def parameters_of(endpoint: Dependant) -> frozenset[str]:
    """Names of the parameters that an endpoint, or what it depends on, reads from the query."""
    return frozenset(_names(endpoint))


def check_query(request: Request, known: frozenset[str]) -> None:
    """Go on only if all parameters are known.

    Raises:
        Problem: Some are not; it names them.
    """
    unknown = [name for name in request.query_params if name not in known][:_TOLD]
    if not unknown:
        return
    errors = [
        FieldError(where="query", field=printable(name[:_LONGEST]), message=_told(name, known)) for name in unknown
    ]
    raise unusable(f"query {errors[0].field}: {errors[0].message}", code="invalid-request", errors=errors)


def _told(name: str, known: frozenset[str]) -> str:
    if not known:
        return "there is no such parameter: nothing is read from the query here"
    return "there is no such parameter here." + did_you_mean(name, known)


def _names(endpoint: Dependant) -> Iterator[str]:
    field: Any
    for field in endpoint.query_params:
        yield field.alias
    for inner in endpoint.dependencies:
        yield from _names(inner)
