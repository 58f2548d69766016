"""`lumeflow simulate`."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, run_async
from lumeflow.core.errors import UsageError

if TYPE_CHECKING:
    from lumeflow.simulator.settings import SimulatorSettings


def simulate(
    ctx: typer.Context,
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 chooses a free one.")] = 8900,
    seed: Annotated[int, typer.Option("--seed", help="All data and all faults follow from it.")] = 7,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    comments: Annotated[int, typer.Option("--comments", min=0, help="Comments under each URL.")] = 200,
    latency_scale: Annotated[float, typer.Option("--latency-scale", min=0, help="Multiplies every latency.")] = 1.0,
    rate_scale: Annotated[float, typer.Option("--rate-scale", help="Multiplies the calls of every rate limit.")] = 1.0,
    fault_rate: Annotated[float, typer.Option("--fault-rate", min=0, max=1, help="Share of calls that fail.")] = 0.0,
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="PROVIDER=N/SECONDS", help="Rate limit in place of the provider's own."),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Serve the providers' interfaces on this machine: invented people, real HTTP, exact bills, no cost.

    GET /_simulator/bill tells calls and charges; POST /_simulator/reset begins anew. Ctrl-C ends it.
    """
    from lumeflow.simulator.settings import SimulatorSettings

    shell = shell_of(ctx, db, as_json)
    settings = SimulatorSettings(
        seed=seed,
        comments_per_url=comments,
        latency_scale=latency_scale,
        rate_scale=rate_scale,
        fault_rate=fault_rate,
        limits=read_limits(limits or ()),
    )
    run_async(serve_until_stopped(shell, settings, host, port))
    return 0


async def serve_until_stopped(shell: Shell, settings: "SimulatorSettings", host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; say on standard output where, in one line.

    Raises:
        UsageError: The address cannot be used, or the settings name an unknown provider.
    """
    from lumeflow.simulator.server import serve

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        running = await serve(settings, host, port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UsageError(f"the simulator cannot listen at {host}:{port} ({reason}): choose another --port.") from error
    try:
        if shell.as_json:
            shell.emit({"url": running.url, "host": running.host, "port": running.port})
        else:
            sys.stdout.write(f"simulator listening on {running.url}\n")
            sys.stdout.flush()
        await stopped.wait()
    finally:
        await running.close()


def read_limits(texts: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
    """Limits by provider or operation from `apollo=150/1`: at most 150 calls in any second; several for one add up.

    Raises:
        UsageError: A text is not of this form.
    """
    limits: dict[str, list[tuple[int, float]]] = {}
    for text in texts:
        name, _, limit = text.partition("=")
        calls, _, seconds = limit.partition("/")
        try:
            pair = (int(calls), float(seconds))
        except ValueError:
            pair = (0, 0.0)
        if not name or pair[0] < 1 or not 0 < pair[1] < float("inf"):
            raise UsageError(f"--limit: '{text}' is not of the form PROVIDER=N/SECONDS, such as apollo=150/1.")
        limits.setdefault(name, []).append(pair)
    return limits
