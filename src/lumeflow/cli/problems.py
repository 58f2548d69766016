"""How errors reach the user: a sentence, or a JSON object, and the exit code. Tracebacks only on request."""

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumeflow.cli.remote.errors import ServerError
from lumeflow.cli.shell import Shell, err
from lumeflow.cli.visible import visible
from lumeflow.core.errors import LumeflowError, RunError, StorageError, UsageError
from lumeflow.core.findings import InvalidWorkflow

if TYPE_CHECKING:
    from typer import TyperException

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
PIPE_CLOSED = 141
"""128 + SIGPIPE: whoever read the output had enough."""

DEBUG = "LUMEFLOW_DEBUG"

_KINDS: tuple[tuple[type[Exception], str, int], ...] = (
    (InvalidWorkflow, "invalid-workflow", USAGE),
    (ServerError, "server", FAILED),
    (UsageError, "usage", USAGE),
    (StorageError, "storage", FAILED),
    (RunError, "run-failed", FAILED),
    (LumeflowError, "failed", FAILED),
)


def report(shell: Shell, error: Exception) -> int:
    """Tell the user of an error that ended the command; returns the exit code."""
    for kind, code, exit_code in _KINDS:
        if isinstance(error, kind):
            _tell(shell, code, error, str(error))
            return exit_code
    _tell(shell, "internal", error, _unexpected(error))
    return FAILED


def report_usage(shell: Shell, error: "TyperException") -> int:
    """Tell the user that the command line itself is wrong; returns the exit code."""
    message = error.format_message()
    ctx = getattr(error, "ctx", None)
    if shell.as_json:
        shell.emit(error_json("usage", message))
    elif message:  # without one, the help was printed: the command was called with nothing at all
        usage = f"{ctx.get_usage()}\nTry '{ctx.command_path} --help'.\n" if ctx is not None else ""
        sys.stderr.write(f"error: {message}\n{usage}")
    return USAGE


def error_json(code: str, message: str, **details: Any) -> dict[str, Any]:
    """The object that `--json` prints in place of a result."""
    return {"error": {"code": code, "message": message, **details}}


def _tell(shell: Shell, code: str, error: Exception, message: str) -> None:
    if os.environ.get(DEBUG):
        traceback.print_exception(error, file=sys.stderr)
    findings = error.report if isinstance(error, InvalidWorkflow) else None
    notes: list[str] = getattr(error, "__notes__", [])
    if shell.as_json:
        details = dict(findings.as_json()) if findings else {}
        details.pop("valid", None)
        shell.emit(error_json(code, ". ".join([message.removesuffix("."), *notes]) if notes else message, **details))
        return
    if findings is not None:
        from lumeflow.cli.findings import print_findings

        print_findings(err(), findings)
        message = "the workflow cannot be run"
    sys.stderr.write(visible("\n".join([f"error: {message}", *notes])) + "\n")


def _unexpected(error: Exception) -> str:
    """Type and place, not the text of the error: that may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}lumeflow{os.sep}" in frame.filename] or frames
    place = f" in {Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""
    return (
        f"lumeflow has a bug: {type(error).__name__}{place}. Nothing that was stored is lost. "
        f"Set {DEBUG}=1 and run the command again for the traceback; report it with the output of 'lumeflow version'."
    )
