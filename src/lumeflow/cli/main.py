"""The commands put together, and the one place where errors become exit codes."""

import errno
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, TextIO

import typer

from lumeflow.cli import problems
from lumeflow.cli.commands import (
    blocks,
    convert,
    db,
    demo,
    executions,
    schema,
    serve,
    simulate,
    validate,
    version,
    worker,
)
from lumeflow.cli.commands import run as run_command
from lumeflow.cli.options import DbOption, JsonOption, group, shell_of
from lumeflow.cli.place import CommandLine
from lumeflow.cli.shell import Shell


def build() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="lumeflow",
        cls=CommandLine,
        help="Run lead-enrichment workflows: streaming, deterministic, and no call paid twice.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback(invoke_without_command=True)(root)
    app.command("demo")(demo.demo)
    app.command("run")(run_command.run)
    app.command("validate")(validate.validate)
    for name, module in (("executions", executions), ("db", db), ("blocks", blocks)):
        app.add_typer(module.app, name=name, callback=group, no_args_is_help=True)
    app.command("schema")(schema.schema)
    app.command("serve")(serve.serve)
    app.command("convert")(convert.convert)
    app.command("worker")(worker.worker)
    app.command("simulate")(simulate.simulate)
    app.command("version")(version.version)
    return app


def root(
    ctx: typer.Context,
    db: DbOption = None,
    as_json: JsonOption = False,
    show_version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
) -> None:
    """Run lead-enrichment workflows: streaming, deterministic, and no call paid twice."""
    ctx.obj = shell_of(ctx, db, as_json)
    if show_version:
        raise typer.Exit(version.version(ctx))
    if ctx.invoked_subcommand is None:
        ctx.fail("Missing command.")


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns its exit code. Expected errors end in one sentence, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no failure
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_closed_streams(sys.stdout, sys.stderr)
        return problems.PIPE_CLOSED
    except OSError as error:
        if not is_about_output(error):
            raise
        _forget_closed_streams(sys.stdout)
        sys.stderr.write(f"error: standard output cannot be written: {error.strerror}\n")
        return problems.FAILED
    return code


def is_about_output(error: BaseException) -> bool:
    """True if the place that standard output goes to takes no more; errors of files that the product writes are told
    where they are written.
    """
    return isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM


def _run(arguments: Sequence[str]) -> int:
    shell = Shell(as_json="--json" in arguments)
    try:
        code = build()(list(arguments), prog_name="lumeflow", standalone_mode=False)
    except SystemExit as ended:  # typer's answer to a closed pipe, which is not a failure of the command
        raise (ended.__context__ if isinstance(ended.__context__, BrokenPipeError) else ended) from None
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, typer.Abort):
        return problems.INTERRUPTED
    except typer.TyperException as error:
        return problems.report_usage(shell, error)
    except Exception as error:  # the last resort, which promises no traceback
        if is_about_output(error):
            raise
        return problems.report(shell, error)
    return code if isinstance(code, int) else problems.OK


def _forget_closed_streams(*streams: TextIO) -> None:
    """Keep Python from complaining, at its end, of output that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
