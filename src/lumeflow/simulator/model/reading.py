"""How the simulated model reads a question: its texts, and their length in tokens."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import orjson

CHARACTERS_PER_TOKEN = 4


def content_of(content: Any) -> str:
    """The text of a message, which may come in parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def tokens_in(text: str) -> int:
    """Tokens of a text: four characters each."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


def last_question(messages: Sequence[tuple[str, str]]) -> str:
    """The last message of the user."""
    return next((text for role, text in reversed(messages) if role == "user"), "")


def system_text(messages: Sequence[tuple[str, str]]) -> str:
    """What the system says."""
    return "\n\n".join(text for role, text in messages if role in {"system", "developer"})


def schema_in(instructions: str) -> Any:
    """The JSON Schema on the last line of instructions; None if there is none."""
    line = instructions.rstrip().rpartition("\n")[2]
    if not line.startswith("{"):
        return None
    try:
        schema = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return schema if isinstance(schema, dict) and "type" in schema else None


def cut(text: str, most: int | None) -> tuple[str, bool]:
    """A text within a limit of tokens, and whether something was cut off."""
    if most is None or tokens_in(text) <= most:
        return text, False
    return text[: most * CHARACTERS_PER_TOKEN], True
