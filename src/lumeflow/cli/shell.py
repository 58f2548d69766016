"""What all commands share: the options that each of them takes, the two consoles, JSON on standard output."""

import asyncio
import gc
import os
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lumeflow.cli.json_values import json_default
from lumeflow.cli.remote.address import SERVER_VARIABLE
from lumeflow.core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from lumeflow.app import App
    from lumeflow.cli.backend import Backend
    from lumeflow.cli.place import Place

ResultT = TypeVar("ResultT")

PROGRAM = "lumeflow"
MEMORY = "sqlite:///:memory:"
"""Database of commands that need none."""


@dataclass(frozen=True, slots=True)
class Shell:
    """The options that every command takes, before its name or after it.

    Attributes:
        db: Database URL from `--db`; None for `LUMEFLOW_DB`, or else the default file.
        as_json: True for programs: one JSON object on standard output and nothing else there.
        place: The server to work on; None for a database.
    """

    db: str | None = None
    as_json: bool = False
    place: "Place | None" = None

    @asynccontextmanager
    async def backend(
        self, *, stores: bool = True, simulator: str | None = None, notice: Callable[[str], None] | None = None
    ) -> "AsyncIterator[Backend]":
        """Open what the command is to work on: the server that was chosen, or else the database.

        Args:
            stores: False for commands that need no database: no file is made.
            simulator: Address that takes the place of every vendor; of a database alone.
            notice: Tells the user what he waits for; standard error if left out.

        Raises:
            LumeflowError: The settings are not right or the database cannot be opened.
        """
        if self.place is None:
            from lumeflow.cli.local import LocalBackend

            async with self.open(stores=stores, simulator_url=simulator) as app:
                yield LocalBackend(app)
            return
        if simulator is not None:
            raise UsageError("--simulator: which vendors a server calls is said where it is started; leave it out.")
        from lumeflow.cli.remote.backend import open_backend

        async with open_backend(self.place.address, notice or _say) as remote:
            yield remote

    @asynccontextmanager
    async def open(
        self, *, stores: bool = True, environ: Mapping[str, str] = os.environ, **overrides: Any
    ) -> "AsyncIterator[App]":
        """Open the app on the chosen database; plugins that cannot be used are named on standard error.

        Args:
            stores: False for commands that need no database: no file is made.
            environ: Environment variables.
            overrides: Attributes of `Settings`; None leaves what the environment says.

        Raises:
            LumeflowError: The settings are not right or the database cannot be opened.
        """
        # What is imported and wired now stays: collecting garbage meanwhile, or among it later, only costs time.
        gc.disable()
        from lumeflow.app import open_app
        from lumeflow.settings import Settings

        db = self.db if stores else MEMORY
        async with open_app(Settings.from_environment(environ, db=db, **overrides)) as app:
            gc.freeze()
            gc.enable()
            for problem in app.plugin_problems:
                sys.stderr.write(f"left out: {problem}\n")
            yield app

    def has_database(self) -> bool:
        """True if the chosen database is there already; none is made.

        Raises:
            UsageError: Its URL is not understood.
        """
        from lumeflow.settings import Settings
        from lumeflow.storage.locations import DATABASE, is_postgres, locate

        settings = Settings.from_environment(os.environ, db=self.db)
        if settings.db is None:
            return (settings.data_dir / DATABASE).exists()
        path = None if is_postgres(settings.db) else locate(settings.db, settings.data_dir)
        return is_postgres(settings.db) or (path is not None and path.exists())

    def command(self, *words: str) -> str:
        """A command line to suggest, at the same place: `lumeflow executions show ID --db …`, without a password."""
        if self.place is not None:
            return shlex.join((_program(), *words, *self.place.words))
        from lumeflow.storage.locations import without_password

        db = self.db
        if db is None and os.environ.get(SERVER_VARIABLE):  # which the suggested command would take otherwise
            from lumeflow.settings import Settings
            from lumeflow.storage.locations import DATABASE

            settings = Settings.from_environment(os.environ)
            db = settings.db or str(settings.data_dir / DATABASE)
        place = () if db is None else ("--db", without_password(db))
        return shlex.join((_program(), *words, *place))

    def emit(self, value: Any) -> None:
        """Write one JSON object to standard output: indented on a terminal, one line otherwise."""
        import orjson

        layout = orjson.OPT_INDENT_2 if sys.stdout.isatty() else 0
        write_out(orjson.dumps(value, default=json_default, option=layout | orjson.OPT_APPEND_NEWLINE))


def _program() -> str:
    """How this program was called, where its name alone would not be found: `.venv/bin/lumeflow`."""
    called = Path.cwd() / sys.argv[0]
    if called.name != PROGRAM or shutil.which(PROGRAM):
        return PROGRAM
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)


def _say(text: str) -> None:
    from lumeflow.cli.visible import visible

    sys.stderr.write(f"{visible(text)}\n")
    sys.stderr.flush()


def write_out(data: bytes) -> None:
    """Write bytes to standard output, after the text that was written before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def run_async(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run the one coroutine of a command."""
    return asyncio.run(work)


def out() -> "Console":
    """Standard output for people."""
    from lumeflow.cli.console import PlainConsole

    return PlainConsole()


def err() -> "Console":
    """Standard error for people."""
    from lumeflow.cli.console import PlainConsole

    return PlainConsole(stderr=True)


def moves(console: "Console") -> bool:
    """True if a display that redraws itself fits: a real terminal, and colours not declined."""
    return console.file.isatty() and not console.is_dumb_terminal and not os.environ.get("NO_COLOR")
