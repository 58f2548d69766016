"""Paths of the API."""

from urllib.parse import quote

WORKFLOWS = "/api/workflows"
EXECUTIONS = f"{WORKFLOWS}/executions"


def execution_path(execution_id: str) -> str:
    """The path of an execution. An id of dots alone would be taken for a folder on the way."""
    return f"{EXECUTIONS}/{part(execution_id)}"


def part(name: str) -> str:
    """A name as one part of a path, whatever it holds."""
    return quote(name, safe="").replace(".", "%2E") if not name.strip(".") else quote(name, safe="")
