"""`--server` and `--api-key`: options of every command, and which commands can work on a server."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from lumeflow.cli.remote.address import KEY_VARIABLE, SERVER_VARIABLE, Address, read_key, read_url
from lumeflow.core.errors import UsageError

ANYWHERE = frozenset(
    {
        "run",
        "validate",
        "schema",
        *("blocks list", "blocks show"),
        *("executions list", "executions show", "executions watch", "executions cancel", "executions resume"),
        *(
            "executions rerun",
            "executions output",
            "executions files",
            "executions failed",
            "executions skipped",
            "executions events",
        ),
    }
)
"""Commands that work on a server as well as on a database, by their words."""
_GIVEN = "lumeflow.given."


@dataclass(frozen=True, slots=True)
class Place:
    """A server that was chosen.

    Attributes:
        address: The server and the key.
        words: How the user named it on the command line: what a suggested command has to repeat.
    """

    address: Address
    words: tuple[str, ...] = ()


def _take(ctx: typer.Context, param: typer.CallbackParam, value: str | None) -> str | None:
    """Remember what was given; the option that is nearest to the command's end is read last, and wins."""
    if value is not None:
        ctx.meta[f"{_GIVEN}{param.name}"] = value
    return value


_SERVER: dict[str, Any] = {
    "metavar": "URL",
    "help": f"Work on the server at this URL, not on a database. Default: {SERVER_VARIABLE}, unless --db is given.",
    "callback": _take,
    "expose_value": False,
}
_KEY: dict[str, Any] = {
    "metavar": "@FILE|KEY",
    "help": f"The server's API key, or a file that holds it. Default: {KEY_VARIABLE}, which other users cannot see.",
    "callback": _take,
    "expose_value": False,
}


def _shown(
    server: Annotated[str | None, typer.Option("--server", **_SERVER)] = None,
    api_key: Annotated[str | None, typer.Option("--api-key", **_KEY)] = None,
) -> None:
    """Carries the options for commands that work on a server."""


def _hidden(
    server: Annotated[str | None, typer.Option("--server", hidden=True, **_SERVER)] = None,
    api_key: Annotated[str | None, typer.Option("--api-key", hidden=True, **_KEY)] = None,
) -> None:
    """Carries the options for commands that do not: they are taken, to say so."""


def _options(carrier: Any) -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(carrier)
    return list(get_command(app).params)


class CommandLine(TyperGroup):
    """All commands, each with the two options."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        shown, hidden = _options(_shown), _options(_hidden)

        def give(command: Any, words: tuple[str, ...]) -> None:
            inner: Mapping[str, Any] = getattr(command, "commands", {})
            command.params.extend(shown if inner or " ".join(words) in ANYWHERE else hidden)
            for word, below in inner.items():
                give(below, (*words, word))

        give(self, ())


def place_of(ctx: typer.Context, db: str | None, environ: Mapping[str, str] = os.environ) -> Place | None:
    """The server that a command is to work on; None for a database.

    A server that the environment names loses to `--db`, and to commands that cannot work on one.

    Raises:
        UsageError: The command cannot, both a database and a server are given, or the URL or the key is none.
    """
    words = _words(ctx)
    server, key = (ctx.meta.get(f"{_GIVEN}{name}") for name in ("server", "api_key"))
    remembered = environ.get(SERVER_VARIABLE, "").strip()
    if server is not None and words not in ANYWHERE:
        raise UsageError(f"'lumeflow {words}' works on this machine, not on a server: leave --server out.")
    if server is not None and db is not None:
        raise UsageError("--db and --server both say where to work: leave one of them out.")
    if server is None and (not remembered or db is not None or words not in ANYWHERE):
        if key is not None:
            raise UsageError("--api-key is for a server: name it with --server.")
        return None
    url = read_url(remembered, SERVER_VARIABLE) if server is None else read_url(server, "--server")
    said = () if server is None else ("--server", url)
    if key is not None:
        said += ("--api-key", key) if key.startswith("@") else ()
        return Place(Address(url, read_key(key, "--api-key")), said)
    if not environ.get(KEY_VARIABLE, "").strip():
        raise UsageError(
            f"{url} asks for an API key: put it into {KEY_VARIABLE}, or name its file with --api-key @FILE."
        )
    return Place(Address(url, read_key(environ[KEY_VARIABLE], KEY_VARIABLE)), said)


def _words(ctx: typer.Context) -> str:
    """The command's words behind the program's name: `executions list`."""
    words: list[str] = []
    at: Any = ctx
    while at is not None and at.parent is not None:
        words.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(words)
