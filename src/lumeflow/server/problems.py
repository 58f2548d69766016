"""Errors as RFC 9457 problem details: one shape for everything that goes wrong."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from lumeflow.core.errors import LumeflowError
from lumeflow.core.findings import Report
from lumeflow.server.models import FindingModel

MEDIA_TYPE = "application/problem+json"
_URN = "urn:lumeflow:problem:"


class FieldError(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    where: str = Field(description="Part of the request: `body`, `query`, `path` or `header`.")
    field: str = Field(description="Which field of it, as a JSON pointer or a name; empty for the whole.")
    message: str = Field(description="What is wrong with it.")


class ProblemModel(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A name for this kind of problem, the same for ever.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here, and what would be right.")
    instance: str = Field(description="The path that was asked for.")
    findings: list[FindingModel] | None = Field(default=None, description="What is wrong with the workflow.")
    errors: list[FieldError] | None = Field(default=None, description="What is wrong with the request's fields.")


class Problem(LumeflowError):
    """Ends a request.

    Args:
        status: The HTTP status.
        code: Kebab-case name of the kind of problem.
        detail: A sentence for a person, without secrets or internals.
        report: Findings on a workflow.
        errors: Fields that are wrong.
        headers: Headers of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        report: Report | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.report = report
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self, path: str) -> bytes:
        """The answer's body."""
        content: dict[str, Any] = {
            "type": _URN + self.code,
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": printable(str(self)),
            "instance": printable(path),
        }
        if self.report is not None:
            content["findings"] = [finding.as_json() for finding in self.report.findings]
        if self.errors:
            content["errors"] = [error.model_dump() for error in self.errors]
        return orjson.dumps(content)


def not_found(what: str, name: str) -> Problem:
    """There is no such thing, or it is another tenant's: nobody is told which."""
    return Problem(HTTPStatus.NOT_FOUND, "not-found", f"there is no {what} '{name[:80]}'")


def conflict(code: str, detail: str) -> Problem:
    """It cannot be done as things stand."""
    return Problem(HTTPStatus.CONFLICT, code, detail)


def unusable(detail: str, *, code: str = "unusable-request", errors: Sequence[FieldError] = ()) -> Problem:
    """What was asked for cannot be done, now or later."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, errors=errors)


def invalid_workflow(report: Report) -> Problem:
    """The document has errors; the answer lists all of them."""
    count = len(report.errors)
    detail = f"the workflow has {count} error{'s' if count != 1 else ''}: see 'findings'"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-workflow", detail, report=report)


def printable(text: str) -> str:
    """A text that can be written as JSON, whatever bytes a client sent."""
    return text.encode("utf-8", "replace").decode()
