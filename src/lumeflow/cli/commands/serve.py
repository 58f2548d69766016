"""`lumeflow serve`."""

import asyncio
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli.options import DbOption, JsonOption, SimulatorOption, shell_of
from lumeflow.cli.serving import until_stopped
from lumeflow.cli.shell import Shell, run_async

if TYPE_CHECKING:
    from lumeflow.server.config import ServerConfig
    from lumeflow.service import ServiceSettings


def serve(
    ctx: typer.Context,
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 chooses a free one.")] = 8080,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors", metavar="ORIGIN", help="Origin from which browsers may call; several, or * for all."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, max=1000, help="Executions at once; the others wait.")
    ] = None,
    simulator: SimulatorOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Serve the HTTP API; 'lumeflow db key create' makes the keys that it asks for. Ctrl-C ends it.

    GET /openapi.json describes every request and every answer.
    """
    from lumeflow.server.config import ServerConfig
    from lumeflow.service import ServiceSettings

    shell = shell_of(ctx, db, as_json)
    origins = tuple(cors) if cors else None
    config = ServerConfig.from_environment(os.environ, host=host, port=port, cors_origins=origins)
    executions = ServiceSettings.from_environment(os.environ, concurrency)
    run_async(_serve(shell, config, executions, simulator))
    return 0


async def _serve(shell: Shell, config: "ServerConfig", executions: "ServiceSettings", simulator: str | None) -> None:
    """Serve until SIGINT or SIGTERM; say on standard output where, in one line.

    Raises:
        UsageError: The address cannot be used.
    """
    from lumeflow.server.housekeeping import housekeeping
    from lumeflow.server.run import serve as serving
    from lumeflow.service import ExecutionService

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with shell.open(simulator_url=simulator, confined=True) as app:
        service = ExecutionService(app, executions)
        await service.start()
        try:
            async with (
                housekeeping(app.database, retention_days=app.settings.retention_days),
                serving(service, config) as running,
            ):
                if shell.as_json:
                    shell.emit({"url": running.url, "host": running.host, "port": running.port})
                else:
                    sys.stdout.write(f"lumeflow listening on {running.url}\n")
                    sys.stdout.flush()
                # What is imported and wired now stays: looking for garbage among it would hold up requests.
                gc.freeze()
                await until_stopped(stopped, app.database)
        finally:
            await service.stop()
