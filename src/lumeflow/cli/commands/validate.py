"""`lumeflow validate`."""

import os

import typer

from lumeflow.cli import problems
from lumeflow.cli.findings import print_findings
from lumeflow.cli.inputs import read_workflow
from lumeflow.cli.options import DbOption, JsonOption, WorkflowArgument, shell_of
from lumeflow.cli.shell import out, run_async
from lumeflow.core.findings import Report


def validate(ctx: typer.Context, file: WorkflowArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Check a workflow without running it: all problems at once, with their place and how to mend them.

    Exit code 2 if a problem forbids a run; warnings do not.
    """
    from lumeflow.vault.keyring import KEY_VARIABLE

    shell = shell_of(ctx, db, as_json)
    document = read_workflow(file)
    # Secrets may be stored in the database for whoever has their key, and workflows may be saved in one that is there.
    stores = bool(os.environ.get(KEY_VARIABLE)) or (isinstance(document, str) and shell.has_database())

    async def check() -> Report:
        async with shell.backend(stores=stores) as backend:
            return await backend.validate(document)

    report = run_async(check())
    if shell.as_json:
        shell.emit(report.as_json())
    else:
        console = out()
        print_findings(console, report)
        console.print("valid" if report.ok else "not valid", style="green" if report.ok else "bold red")
    return problems.OK if report.ok else problems.USAGE
