"""File descriptors: a server takes no more connections than it has some for."""

import asyncio
import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_RESERVE = 500
"""Descriptors for everything else: the database, calls to vendors, files of executions."""
_EACH = 2
"""Of a connection: its own, and that of the file that is sent or received."""
_NONE_LEFT = (errno.EMFILE, errno.ENFILE)

_LOG = logging.getLogger("lumeflow.server")


def affordable(connections: int) -> int:
    """So many connections, or fewer where this process may not have so many files open; asks the system for more
    first, as far as it lets itself be asked.
    """
    limit = _limit(_RESERVE + _EACH * connections)
    if limit is None:
        return connections
    most = max(limit - _RESERVE, limit // 2) // _EACH
    if most >= connections:
        return connections
    _LOG.warning("at most %d connections at once: this process may only have %d files open (ulimit -n)", most, limit)
    return max(most, 1)


@contextmanager
def telling_once_a_minute() -> Iterator[None]:
    """Within it, it is told once a minute that there are no descriptors; asyncio tells it for each connection that
    waits, a second long, with a traceback.
    """
    loop = asyncio.get_running_loop()
    earlier = loop.get_exception_handler()
    silent_until = 0.0

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal silent_until
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NONE_LEFT or "socket" not in context:
            (earlier or type(loop).default_exception_handler)(loop, context)
        elif loop.time() >= silent_until:
            silent_until = loop.time() + 60
            _LOG.error("no connection is taken for the moment: %s", error.strerror)

    loop.set_exception_handler(tell)
    try:
        yield
    finally:
        loop.set_exception_handler(earlier)


def _limit(wanted: int) -> int | None:
    """How many files this process may have open, raised to what is wanted if possible; None for any number."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return int(soft)
