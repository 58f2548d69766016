"""JSON in what a language model says."""

import re
from typing import Any

import orjson

from lumeflow.kit.replies import UNREADABLE

_FENCE = re.compile(r"```[A-Za-z0-9_-]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```", re.DOTALL)


def json_in(text: str) -> Any:
    """The JSON value that `text` is, or that its one code fence holds; `UNREADABLE` if there is none.

    Nothing is repaired and nothing is cut out of the middle of other text: half an answer is no answer.
    """
    candidates = [text, *(_FENCE.findall(text) if text.count("```") == 2 else ())]
    for candidate in candidates:
        try:
            return orjson.loads(candidate.strip())
        except orjson.JSONDecodeError:
            continue
    return UNREADABLE
