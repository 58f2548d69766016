"""Versions of a workflow as entity tags (RFC 9110): what was read is what is changed."""

import hashlib
from http import HTTPStatus

from lumeflow.server.answers import dump
from lumeflow.server.problems import Problem
from lumeflow.storage import SavedWorkflow

_ANY = "*"


def etag_of(saved: SavedWorkflow) -> str:
    """The tag of a version."""
    digest = hashlib.sha256(dump(saved.definition)).hexdigest()
    return f'"{saved.version}-{digest[:16]}"'


def check_match(given: str | None, current: str, *, required: bool) -> None:
    """Go on only if `If-Match` names what is current.

    Raises:
        Problem: It names something else (412), or is missing where it is required (428).
    """
    if given is None:
        if required:
            raise Problem(
                HTTPStatus.PRECONDITION_REQUIRED,
                "if-match-required",
                "send the ETag of what you have read as 'If-Match', so that nobody's change is lost",
            )
        return
    if given.strip() != _ANY and current not in _tags(given):
        raise changed(current)


def changed(current: str) -> Problem:
    """Somebody was faster."""
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "changed-meanwhile",
        f"the workflow is not what you have read: it is now {current}; read it again",
        headers={"ETag": current},
    )


def is_known(given: str | None, current: str) -> bool:
    """True if `If-None-Match` names what is current."""
    return given is not None and (given.strip() == _ANY or current in _tags(given))


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
