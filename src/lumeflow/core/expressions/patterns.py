"""Regular expressions written by users.

Matching takes time linear in the text: the engine is Rust's `regex`, reached through pydantic-core. It has neither
look-around nor back-references, because those can't be matched in linear time.
"""

import re
from dataclasses import dataclass, field

from pydantic_core import SchemaError, SchemaValidator
from pydantic_core.core_schema import StringSchema

from lumeflow.core.expressions.errors import ExpressionError

MAX_PATTERN_CHARS = 500
MAX_PATTERN_WEIGHT = 1_000  # states: matching costs at most about weight x characters x 6 ns
MAX_SEARCHED_CHARS = 50_000
_UNICODE_CLASS_WEIGHT = 7  # \w and its kin need far more memory than a plain character

_PART = re.compile(
    r"""(?P<unicode>\\[wW]|\\[pP](?:\{[^}]*\}|.))
      | (?P<escaped>\\[xuU]\{[^}]*\}|\\.)
      | \{(?P<least>[0-9]*)(?P<comma>,?)(?P<most>[0-9]*)\}
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_WIDE = re.compile(r"[\^\\]|[^\x00-\x7f]")  # in a class: a negation, an escape or letters beyond ASCII
_SPACED = re.compile(r"(?<!\\)(?:\\\\)*\(\?[a-zA-Z]*x")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    Attributes:
        source: The pattern as written.
        weight: How many states it needs, estimated from above.
    """

    source: str
    weight: int
    _validator: SchemaValidator = field(repr=False, compare=False)

    def found_in(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere in `text`; a text over the limit never matches."""
        return len(text) <= MAX_SEARCHED_CHARS and self._validator.isinstance_python(text)


def compile_pattern(source: str, *, ignore_case: bool = False) -> Pattern:
    """Compile a pattern that is searched for anywhere in a text; `^` and `$` tie it to the ends.

    Raises:
        ExpressionError: It is malformed, too large, or needs what can't be matched in linear time.
    """
    if len(source) > MAX_PATTERN_CHARS:
        raise ExpressionError(f"a pattern of more than {MAX_PATTERN_CHARS} characters", text=source)
    if _SPACED.search(source):
        raise ExpressionError("the flag x isn't supported", text=source, hint="write the pattern without spaces")
    weight = _weigh(source)
    if weight is not None and weight > MAX_PATTERN_WEIGHT:
        raise ExpressionError("this pattern repeats too much", text=source, hint="lower the counts in {…}")
    schema: StringSchema = {
        "type": "str",
        "strict": True,
        "pattern": f"(?i){source}" if ignore_case else source,
        "regex_engine": "rust-regex",
    }
    try:
        validator = SchemaValidator(schema)
    except SchemaError as error:
        raise ExpressionError("not a regular expression", text=source, hint=_reason(str(error))) from None
    if weight is None:
        raise ExpressionError(
            "this pattern's brackets can't be paired", text=source, hint="write \\[ and \\( for characters"
        )
    return Pattern(source, weight, validator)


def _reason(report: str) -> str:
    if "size limit" in report:
        return "it is too large: lower the counts in {…}"
    reason = report.rsplit("error: ", 1)[-1].strip().splitlines()[0]
    if "look-around" in reason or "backreferences" in reason:
        return f"{reason}, because it can't be matched in a time that grows evenly with the text"
    return reason


def _weigh(source: str) -> int | None:
    """Count the states of a pattern with its repetitions written out; errs on the high side.

    Returns None if its brackets don't pair as far as this can tell.
    """
    sums, last, position = [0], 0, 0
    while position < len(source) and max(sums) <= MAX_PATTERN_WEIGHT:
        part = _PART.match(source, position)
        if part is None:
            return None
        text, position = part.group(), part.end()
        if text == "(":
            sums.append(0)
        elif text == ")":
            if len(sums) == 1:
                return None
            last = max(sums.pop(), 1)
            sums[-1] += last
        elif part["least"] is not None:
            factor = _repetitions(part)
            sums[-1] += last * (factor - 1)
            last *= factor
        elif text not in ("*", "+", "?"):
            position = _class_end(source, position) if text == "[" else position
            wide = part["unicode"] or (text == "[" and _WIDE.search(source, part.end(), position))
            last = _UNICODE_CLASS_WEIGHT if wide else 1
            sums[-1] += last
    return max(sums) if len(sums) == 1 or max(sums) > MAX_PATTERN_WEIGHT else None


def _class_end(source: str, position: int) -> int:
    """Return the offset behind the `]` that closes the class opened just before `position`."""
    depth, position = 1, _behind_opening(source, position)
    while position < len(source) and depth:
        character = source[position]
        position += 2 if character == "\\" else 1
        if character == "[":
            depth, position = depth + 1, _behind_opening(source, position)
        elif character == "]":
            depth -= 1
    return position


def _behind_opening(source: str, position: int) -> int:
    """Skip `^`, and a `]` that closes nothing yet and so is an ordinary character, as in `[]a]` and `[^]a]`."""
    position += source.startswith("^", position)
    return position + source.startswith("]", position)


def _repetitions(part: re.Match[str]) -> int:
    least, most = int(part["least"] or 0), int(part["most"] or 0)
    return max(least, most, 1) + (1 if part["comma"] and not part["most"] else 0)
