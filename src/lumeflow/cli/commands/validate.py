"""`lumeflow validate`."""

import os

import typer

from lumeflow.cli import problems
from lumeflow.cli.findings import print_findings
from lumeflow.cli.inputs import read_document
from lumeflow.cli.options import DbOption, FileArgument, JsonOption, shell_of
from lumeflow.cli.shell import out, run_async
from lumeflow.core.findings import Report


def validate(ctx: typer.Context, file: FileArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Check a workflow without running it: all problems at once, with their place and how to mend them.

    Exit code 2 if a problem forbids a run; warnings do not.
    """
    from lumeflow.vault.keyring import KEY_VARIABLE

    shell = shell_of(ctx, db, as_json)
    source = read_document(file)

    async def check() -> Report:
        # Secrets may be stored in the database for whoever has their key.
        async with shell.open(stores=bool(os.environ.get(KEY_VARIABLE))) as app:
            return app.validate(source)

    report = run_async(check())
    if shell.as_json:
        shell.emit(report.as_json())
    else:
        console = out()
        print_findings(console, report)
        console.print("valid" if report.ok else "not valid", style="green" if report.ok else "bold red")
    return problems.OK if report.ok else problems.USAGE
