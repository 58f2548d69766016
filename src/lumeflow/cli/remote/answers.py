"""Answers of a server: what they hold, and errors as the command line knows them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from lumeflow.cli.remote.errors import Busy, Refused, ServerError
from lumeflow.core.errors import LumeflowError
from lumeflow.core.findings import Finding, InvalidWorkflow, Report, Severity

URN = "urn:lumeflow:problem:"
_LONGEST = 2000
"""Characters of a server's message that are shown."""
_LONGEST_REST = 60.0
_MOST_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole.

    Attributes:
        status: The HTTP status.
        headers: Headers by name in small letters.
        body: Its body.
        server: URL of the server, for messages.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    server: str

    def json(self) -> dict[str, Any]:
        """The JSON object that it is.

        Raises:
            ServerError: It is something else.
        """
        return self._object(orjson.loads)

    def exact(self) -> dict[str, Any]:
        """As `json`, with amounts in all their digits: numbers that are not whole are `Decimal`.

        Raises:
            ServerError: It is something else.
        """
        return self._object(lambda body: json.loads(body, parse_float=Decimal))

    def _object(self, parse: Any) -> dict[str, Any]:
        try:
            value = parse(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ServerError(not_lumeflow(self.server, f"answered with status {self.status} and no JSON"))
        return value


def not_lumeflow(server: str, what: str) -> str:
    """What to say when an answer is none that a lumeflow server gives."""
    return f"{server} {what}: is it a lumeflow server, and of this version? Its URL ends before '/api'"


@contextmanager
def understood(server: str) -> Iterator[None]:
    """Within it, an answer is taken apart; one of another form is told as such.

    Raises:
        ServerError: It has another form.
    """
    try:
        yield
    except LumeflowError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ServerError(
            f"{server} answered in a form that this version of lumeflow does not know; "
            "compare 'lumeflow version' here and there"
        ) from error


def error_of(answer: Answer) -> LumeflowError:
    """The error that an answer tells of, as the command line tells its own."""
    if 300 <= answer.status < 400:
        place = answer.headers.get("location", "")[:200]
        return ServerError(f"{answer.server} sends its callers to '{place}': give the server's own URL")
    problem = _problem(answer)
    code = str(problem.get("type", "")).removeprefix(URN) if problem else ""
    if problem is None or not str(problem.get("type", "")).startswith(URN):
        return _foreign(answer)
    if (report := _report(problem)) is not None:
        return InvalidWorkflow(report)
    message = _message(problem)
    if answer.status == 404 and "/openapi.json" in message:
        return Refused(not_lumeflow(answer.server, "has no such path"), status=404, code="no-path")
    if answer.status in {429, 503}:
        return Busy(f"{answer.server}: {message}", seconds=_rest(answer), code=code)
    if answer.status >= 500:
        return ServerError(f"{answer.server}: {message}")
    if answer.status == 401:
        message = f"{answer.server} does not take this API key: {message}"
    return Refused(message, status=answer.status, code=code)


def _foreign(answer: Answer) -> LumeflowError:
    """The error of an answer that no lumeflow server gave; one of a proxy may pass."""
    what = f"answered with status {answer.status}"
    if answer.status in {429, 502, 503, 504}:
        return Busy(f"{answer.server} {what}", seconds=_rest(answer), code="")
    if answer.status >= 500:
        return ServerError(f"{answer.server} {what}")
    return Refused(not_lumeflow(answer.server, what), status=answer.status, code="")


def _problem(answer: Answer) -> dict[str, Any] | None:
    try:
        return answer.json()
    except ServerError:
        return None


def _rest(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), _LONGEST_REST) if text.isascii() and text.isdigit() else 1.0


def _message(problem: Mapping[str, Any]) -> str:
    """The problem's sentence, and every field that is wrong if there are several."""
    lines = [str(problem.get("detail") or problem.get("title") or "no reason given")]
    errors = problem.get("errors")
    if isinstance(errors, list) and len(errors) > 1:
        lines += [
            f"  {error.get('where', '')} {error.get('field', '')}: {error.get('message', '')}"
            for error in errors[:_MOST_FIELDS]
            if isinstance(error, dict)
        ]
    return "\n".join(lines)[:_LONGEST]


def _report(problem: Mapping[str, Any]) -> Report | None:
    if not isinstance(problem.get("findings"), list):
        return None
    try:
        report = report_of(problem)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return None if report.ok else report


def report_of(told: Mapping[str, Any]) -> Report:
    """The findings of an answer.

    Raises:
        KeyError, TypeError, ValueError: It has another form.
    """
    return Report(
        tuple(
            Finding(
                code=str(finding["code"]),
                message=str(finding["message"]),
                pointer=str(finding["pointer"]),
                severity=Severity(finding["severity"]),
                node=finding.get("node"),
                edge=finding.get("edge"),
            )
            for finding in told["findings"]
        )
    )
