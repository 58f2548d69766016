"""JSON pointers (RFC 6901): the addresses in findings, problems and references."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Parts = tuple[str | int, ...]
"""A pointer taken apart: keys as text, list indexes as numbers where they are known to be such."""


def pointer(parts: Iterable[str | int]) -> str:
    """Write a pointer: `("a/b", 0)` gives `/a~1b/0`; no parts give the empty pointer, the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parse_pointer(text: str) -> tuple[str, ...]:
    """Take a pointer apart; all parts are text, also indexes.

    Raises:
        ValueError: It is neither empty nor begins with a slash.
    """
    if not text:
        return ()
    if not text.startswith("/"):
        raise ValueError(f"a JSON pointer begins with '/', found '{text[:40]}'")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def step(value: Any, part: str | int) -> Any:
    """Go one part down.

    Raises:
        KeyError: There is nothing.
    """
    if isinstance(value, Mapping):
        return value[str(part)]
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        index = str(part)
        if index.isascii() and index.isdigit() and int(index) < len(value):
            return value[int(index)]
    raise KeyError(part)


def existing(value: Any, parts: Sequence[str | int]) -> Parts:
    """The beginning of `parts` that can be followed in `value`."""
    followed: list[str | int] = []
    for part in parts:
        try:
            value = step(value, part)
        except KeyError:
            break
        followed.append(part)
    return tuple(followed)


def document_position(document: Any, text: str) -> tuple[int, ...]:
    """A sort key for pointers: the place in the document as written, not in the alphabet."""
    key: list[int] = []
    value = document
    for part in parse_pointer(text):
        if isinstance(value, Mapping) and part in value:
            key.append(list(value).index(part))
        elif isinstance(value, Sequence) and part.isdigit():
            key.append(int(part))
        try:
            value = step(value, part)
        except KeyError:
            break
    return tuple(key)
