"""What can be wrong with a template, at compile time and at run time."""

from collections.abc import Iterable

from lumeflow.core.errors import LumeflowError

_EXCERPT_CHARS = 60


class ExpressionError(LumeflowError, ValueError):
    """A template, path or pattern that can't be compiled.

    Attributes:
        message: What is wrong, in one clause.
        position: Offset in `text` of the first character concerned.
        text: The whole text as its author wrote it.
        hint: What would be right; empty if there is nothing to say.
    """

    def __init__(self, message: str, position: int = 0, text: str = "", hint: str = "") -> None:
        super().__init__(message, position, text, hint)
        self.message = message
        self.position = position
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        place = f" at offset {self.position} of {excerpt(self.text, self.position)!r}" if self.text else ""
        return f"{self.message}{place}" + (f": {self.hint}" if self.hint else "")


class EvaluationError(ExpressionError):
    """A template that is sound but can't be computed with the values it met. Names types, never values."""


class MissingPathError(EvaluationError):
    """A path that leads nowhere, in strict mode.

    Attributes:
        path: The path as written, for instance `input.from.username`.
    """

    def __init__(self, path: str, position: int = 0, text: str = "") -> None:
        super().__init__(f"nothing at {path}", position, text, "write `?? null` behind it if it may be missing")
        self.args = (path, position, text)
        self.path = path


class FunctionError(ValueError):
    """What a function or an operator says of arguments that it can't use; becomes an `EvaluationError` with a place."""


def excerpt(text: str, position: int) -> str:
    """Return the part of `text` around `position`, short enough for a message."""
    if len(text) <= _EXCERPT_CHARS:
        return text
    start = max(0, min(position - _EXCERPT_CHARS // 2, len(text) - _EXCERPT_CHARS))
    end = start + _EXCERPT_CHARS
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the known name nearest to `name`, or an empty text."""
    from difflib import get_close_matches  # only needed when something is wrong

    by_lower_case = {candidate.lower(): candidate for candidate in sorted(known)}
    nearest = get_close_matches(name.lower()[:_EXCERPT_CHARS], by_lower_case, n=1, cutoff=0.6)
    return f"did you mean {by_lower_case[nearest[0]]!r}?" if nearest else ""
