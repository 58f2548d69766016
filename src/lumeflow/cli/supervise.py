"""Running an execution under the user's eyes: progress, and Ctrl-C that stops cleanly."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lumeflow.cli.backend import Start
from lumeflow.cli.display import Display
from lumeflow.core.errors import LumeflowError, UsageError
from lumeflow.core.result import ExecutionResult

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPING = "stopping… (Ctrl-C again to quit at once)"


async def supervise(
    start: Start,
    display: Display,
    *,
    resume_command: Callable[[str], str],
    watch_command: Callable[[str], str] | None = None,
) -> ExecutionResult:
    """Run an execution to its end, or until the user stops it.

    Args:
        start: Starts it.
        display: Where its progress is shown.
        resume_command: Makes, from an execution id, the command that continues it.
        watch_command: The same for the command that follows it, where it goes on without this process.

    Raises:
        LumeflowError: It could not be run; a note says how to continue if it had begun.
    """
    cancel = asyncio.Event()
    try:
        with stopping(cancel, display, resume_command, watch_command):
            async with display:
                return await start(display.update, cancel)
    except UsageError:
        raise
    except LumeflowError as error:
        if display.execution_id is not None and watch_command is not None:
            error.add_note(f"It goes on at the server; follow it with: {watch_command(display.execution_id)}")
        elif display.execution_id is not None:
            error.add_note(f"What was done is stored; continue with: {resume_command(display.execution_id)}")
        raise


@contextmanager
def stopping(
    cancel: asyncio.Event,
    display: Display,
    resume_command: Callable[[str], str],
    watch_command: Callable[[str], str] | None = None,
) -> Iterator[None]:
    """Within it, the first SIGINT or SIGTERM asks for a clean stop and the second ends the process at once."""
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if cancel.is_set():
            quit_at_once(number, display, resume_command, watch_command)
        cancel.set()
        display.announce(STOPPING)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def leaving(left: asyncio.Event) -> Iterator[None]:
    """Within it, SIGINT and SIGTERM set the event, and nothing else."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, left.set)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def quit_at_once(
    number: int,
    display: Display,
    resume_command: Callable[[str], str],
    watch_command: Callable[[str], str] | None = None,
) -> None:
    """End the process without waiting for anything; the ledger stands a sudden end at any moment."""
    display.stop()
    if display.execution_id is not None:
        if watch_command is not None:
            display.announce(f"the server was asked to stop it; to see: {watch_command(display.execution_id)}")
        display.announce(f"to continue: {resume_command(display.execution_id)}")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(128 + number)
