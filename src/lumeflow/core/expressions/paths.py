"""Paths into JSON values, as in `employment_history[0].organization_name`; compiled once, used for every record."""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, Literal

from lumeflow.core.expressions.errors import ExpressionError

MAX_PATH_CHARS = 1_000
MAX_PATH_PARTS = 64


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "MISSING"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""What `Path.get` gives where there is nothing, as against a null that is there."""

_PLAIN_NAME = re.compile(r"[^\W\d][\w$]*\Z")
_PART = re.compile(
    r"""(?P<dot>\.)?(?P<name>[^.\[\]'"{}]+)
      | \[\s*(?P<index>-?[0-9]{1,9})\s*\]
      | \[\s*(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*\]""",
    re.VERBOSE | re.DOTALL,
)


class Path:
    """A compiled path; immutable.

    Attributes:
        parts: Object keys (`str`) and list indexes (`int`, negative ones count from the end).
        source: The path as its author wrote it.
        top: Its only part, if that is a key: the name of a field at the top of a record, as most are.
    """

    __slots__ = ("parts", "source", "top")

    def __init__(self, parts: Sequence[str | int], source: str | None = None) -> None:
        self.parts: tuple[str | int, ...] = tuple(parts)
        self.source = format_path(self.parts) if source is None else source
        only = self.parts[0] if len(self.parts) == 1 else None
        self.top: str | None = only if isinstance(only, str) else None

    def get(self, value: Any) -> Any | Literal[Missing.MISSING]:
        """Return what lies at this path in `value`, or `MISSING`."""
        if self.top is not None and isinstance(value, dict):
            return value.get(self.top, MISSING)
        return follow(value, self.parts)

    def set(self, value: Any, new: Any) -> Any:
        """Return a copy of `value` with `new` at this path; what is not on the way is shared, nothing is changed.

        Missing objects and lists on the way are made. An index equal to the list's length appends.

        Raises:
            ExpressionError: Something on the way is neither object nor list, or an index is out of range.
        """
        return self._replaced(value, 0, new)

    def _replaced(self, value: Any, depth: int, new: Any) -> Any:
        if depth == len(self.parts):
            return new
        part = self.parts[depth]
        if isinstance(part, str):
            if value is not None and not isinstance(value, dict):
                raise self._blocked(depth, "an object")
            entries: dict[str, Any] = dict(value or {})
            entries[part] = self._replaced(entries.get(part), depth + 1, new)
            return entries
        if value is not None and not isinstance(value, list):
            raise self._blocked(depth, "a list")
        items: list[Any] = list(value or [])
        index = part + len(items) if part < 0 else part
        if not 0 <= index <= len(items):
            raise ExpressionError(f"can't set {self}: the list has {len(items)} items", text=str(self))
        items[index : index + 1] = [self._replaced(items[index] if index < len(items) else None, depth + 1, new)]
        return items

    def _blocked(self, depth: int, wanted: str) -> ExpressionError:
        place = format_path(self.parts[:depth]) or "the value itself"
        return ExpressionError(f"can't set {self}: {place} isn't {wanted}", text=str(self))

    def __str__(self) -> str:
        return format_path(self.parts)

    def __repr__(self) -> str:
        return f"Path({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


def follow(value: Any, parts: Sequence[str | int]) -> Any | Literal[Missing.MISSING]:
    """Walk from `value` along object keys and list indexes only; anything else leads to `MISSING`."""
    for part in parts:
        if isinstance(part, str):
            if not isinstance(value, dict):
                return MISSING
            value = value.get(part, MISSING)
        elif isinstance(value, list) and -len(value) <= part < len(value):
            value = value[part]
        else:
            return MISSING
    return value


def getter(parts: Sequence[str | int]) -> Callable[[Any], Any]:
    """Return a function that follows `parts` and gives `None` for what is missing: the fastest form for hot loops."""
    fixed = tuple(parts)
    if len(fixed) == 1 and isinstance(fixed[0], str):
        key = fixed[0]

        def get_key(value: Any) -> Any:
            return value.get(key) if isinstance(value, dict) else None

        return get_key

    def get(value: Any) -> Any:
        found = follow(value, fixed)
        return None if found is MISSING else found

    return get


def format_path(parts: Sequence[str | int]) -> str:
    """Write `parts` the way a person would: `a.b[0]['c-d']`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_NAME.match(part):
            text += f".{part}" if text else part
        else:
            escaped = part.replace("\\", "\\\\").replace("'", "\\'")
            text += f"['{escaped}']"
    return text


def compile_path(path: str) -> Path:
    """Compile a path such as `from.username`, `contacts[-1].email`, `First Name` or `a['b.c'].d`.

    Raises:
        ExpressionError: The path is empty, too long or malformed.
    """
    if not path.strip():
        raise ExpressionError("an empty path", text=path, hint="write a field such as email or company.name")
    if len(path) > MAX_PATH_CHARS:
        raise ExpressionError(f"a path of more than {MAX_PATH_CHARS:,} characters", text=path)
    parts: list[str | int] = []
    position = 0
    while position < len(path):
        match = _PART.match(path, position)
        if match is None or bool(match["dot"]) != bool(parts and match["name"]):
            raise _malformed(path, position)
        parts.append(_part(match, path))
        position = match.end()
    if len(parts) > MAX_PATH_PARTS:
        raise ExpressionError(f"a path of more than {MAX_PATH_PARTS} parts", text=path)
    return Path(parts, path)


def _part(match: re.Match[str], path: str) -> str | int:
    if match["index"]:
        return int(match["index"])
    if match["quoted"]:
        return re.sub(r"\\(.)", r"\1", match["quoted"][1:-1], flags=re.DOTALL)
    name = match["name"].strip()
    if not name:
        raise _malformed(path, match.start())
    return name


def _malformed(path: str, position: int) -> ExpressionError:
    if "{{" in path:
        hint = "a path is written bare, such as email, not as a template"
    else:
        hint = "write company.name, phones[0] or ['a key with . or [ ]']"
    return ExpressionError("not a path", position, path, hint)
