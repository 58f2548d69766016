"""Reading what a user wrote as a predicate: a function, an expression, or the body of a function."""

import re
from dataclasses import dataclass

LONGEST = 20_000

_PARSE_ONLY = "throw null; "
"""In front of a program: it is parsed to its end and not run."""
_WHERE = re.compile(r"<input>:(\d+):(\d+)")
_BODY = re.compile(r"[;}]|\breturn\b")
"""What makes code look like the body of a function."""
_FIRST_LINE = 2
"""Of the user's code in what is made of it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A predicate whose syntax is right.

    Attributes:
        code: As the user wrote it.
        program: JavaScript whose value is a function of a record.
    """

    code: str
    program: str

    def line_of(self, stack: str) -> int | None:
        """The user's line in which an error arose; None if the stack names none."""
        found = _WHERE.search(stack)
        line = int(found[1]) - _FIRST_LINE + 1 if found else 0
        return line if 1 <= line <= self.code.count("\n") + 1 else None


def read_script(code: str) -> Script:
    """Find out what `code` is, and make a function of it. Nothing of it is run.

    Raises:
        ValueError: It is none of the three; the message holds the line and the reason.
    """
    if len(code) > LONGEST:
        raise ValueError(f"the code has {len(code):,} characters; at most {LONGEST:,} are read")
    if not code.strip():
        raise ValueError("the code is empty; write a function such as 'record => record.score > 5'")
    # In parentheses and in brackets: code that closes one of them and goes on behind it is wrong in the other.
    problem = _problem(f"(\n{code}\n)") or _problem(f"[\n{code}\n]")
    if problem is None:
        return Script(code, f"(function (record) {{ 'use strict'; return (\n{code}\n); }})")
    as_body = _problem(f"(function (record) {{ 'use strict';\n{code}\n}})")
    as_body = as_body or _problem(f"[function (record) {{ 'use strict';\n{code}\n}}]")
    if as_body is not None:
        raise ValueError(f"not JavaScript: {_told(as_body if _BODY.search(code) else problem, code)}")
    if not re.search(r"\breturn\b", code):
        raise ValueError("the code returns nothing; write 'return …;', or one expression without a semicolon")
    return Script(code, f"(function (record) {{ 'use strict';\n{code}\n}})")


def _problem(program: str) -> str | None:
    """What is wrong with the syntax of a program."""
    import quickjs  # type: ignore[import-untyped]

    context = quickjs.Context()
    try:
        context.eval(_PARSE_ONLY + program)
    except quickjs.StackOverflow:
        return "it is nested too deeply"
    except quickjs.JSException as error:
        text = str(error)
        return None if text.strip() == "null" else text
    raise AssertionError("the program was run")


def _told(error: str, code: str) -> str:
    message = error.partition("\n")[0].removeprefix("SyntaxError: ")
    where = _WHERE.search(error)
    line = int(where[1]) - _FIRST_LINE + 1 if where else 0
    if line > code.count("\n") + 1:
        return "it ends too early: something is not closed, or a value is missing"
    return f"line {line}: {message}" if line > 0 else message
