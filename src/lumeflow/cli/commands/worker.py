"""`lumeflow worker`."""

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli.options import DbOption, JsonOption, SimulatorOption, shell_of
from lumeflow.cli.serving import until_stopped
from lumeflow.cli.shell import Shell, run_async

if TYPE_CHECKING:
    from lumeflow.service import ServiceSettings


def worker(
    ctx: typer.Context,
    *,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency", min=1, max=1000, help="Executions at once. Default: LUMEFLOW_CONCURRENCY, or else 20."
        ),
    ] = None,
    simulator: SimulatorOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run the executions that wait in the database, and nothing else. Ctrl-C ends it; what it leaves is taken up again.

    Several may run on one database, also beside 'lumeflow serve'; on PostgreSQL on several machines.
    """
    from lumeflow.service import ServiceSettings

    settings = ServiceSettings.from_environment(os.environ, concurrency)
    run_async(_work(shell_of(ctx, db, as_json), settings, simulator))
    return 0


async def _work(shell: Shell, settings: "ServiceSettings", simulator: str | None) -> None:
    from lumeflow.service import ExecutionService

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with shell.open(simulator_url=simulator) as app:
        service = ExecutionService(app, settings)
        await service.start()
        try:
            if shell.as_json:
                shell.emit({"database": app.database.name, "concurrency": settings.concurrency})
            else:
                sys.stdout.write(f"running the queue of {app.database.name}, {settings.concurrency} at once\n")
                sys.stdout.flush()
            await until_stopped(stopped, app.database)
        finally:
            await service.stop()
