"""What stands in place of a workflow's document with an execution of the pipeline."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lumeflow.core.document import Globals
from lumeflow.core.errors import UsageError

SEARCH_ID = "search"
_KIND = "x-kind"


def search_definition() -> dict[str, Any]:
    """A document without nodes that names the pipeline; its `globals` can be replaced as those of any document."""
    return {
        "workflowId": SEARCH_ID,
        "name": "Search",
        "version": 1,
        "description": "The six steps from posts to stored contacts, written in code.",
        "globals": {"timeout": 3600},
        "nodes": [],
        "edges": [],
        _KIND: "SEARCH",
    }


def search_settings(document: Mapping[str, Any]) -> Globals:
    """The limits of an execution of the pipeline.

    Raises:
        UsageError: A limit is not one.
    """
    try:
        return Globals.model_validate(document.get("globals", {}))
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def is_search(document: Mapping[str, Any]) -> bool:
    """True if the document names the pipeline instead of describing a workflow, which always has nodes."""
    return document.get(_KIND) == "SEARCH" and not document.get("nodes")
