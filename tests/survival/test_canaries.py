"""No secret comes out: not by success, not by any failure, a crash or a `kill -9`; in no table, file, log or output."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lumeflow.app import App, open_app
from lumeflow.core.clock import SystemClock
from lumeflow.core.journal import RecordKind
from lumeflow.core.secret import Secret
from lumeflow.settings import Settings
from lumeflow.vault.keyring import new_key
from tests.survival.canaries import Aviary, Parrot, files_below, log_lines
from tests.survival.canary_nodes import PEOPLE, VENDORS, document, http, nodes

STORED = ("bearer", "query", "hook")
"""Secrets that lie in the database; the others are in the environment."""
NAMED = (*STORED, "header", "user", "password", "clientId", "clientSecret", "body", "llm", "plugin")
MODES = ("ok", "400", "401", "402", "404", "429", "500", "html", "garbage", "token", "hang", "cut", "redirect")
ASKING = ("meta", "apollo", "hunter", "mixedbread", "openrouter", "own-model")
SLOW = {"hang": ASKING, "429": (), "500": (), "html": (), "garbage": (), "cut": ()}
"""How vendors fail so that it takes seconds to find out: the nodes that are left out besides those that
ask a vendor what became of a lost start, `apify` and `meta`."""
SENT = (*STORED[:2], "header", "apollo", "mixedbread", "openrouter", "meta")
"""Secrets that vendors are shown as they are."""

PLUGIN = '''
"""A block whose author has not read the guide."""
from typing import Any, Literal
from lumeflow.plugin import BlockConfig, BlockType, Block, RecordError, NodeError, Skip, ErrorClass


class LeakConfig(BlockConfig):
    operation: Literal["leak"]
    how: str


class Leak(Block[LeakConfig]):
    """Leaks. Input: any. Output: none. Errors: all. Cost: none."""
    type = BlockType.TRANSFORM
    name = "leak"
    when = ({"operation": "leak"},)
    Config = LeakConfig

    async def process(self, record, ctx):
        secret = ctx.secret("plugin")
        text = secret.reveal()
        match self.config.how:
            case "raise":
                raise ValueError(f"cannot log in with {text}")
            case "chain":
                try:
                    raise KeyError(text)
                except KeyError as error:
                    raise RuntimeError(text) from error
            case "record-error":
                raise RecordError(ErrorClass.VALIDATION, f"refused {text}")
            case "node-error":
                raise NodeError(ErrorClass.AUTH, f"refused {text}")
            case "returned":
                return RecordError(ErrorClass.VALIDATION, f"refused {text}")
            case "skip":
                return Skip(f"not for {text}")
            case "warn":
                ctx.warn(f"trying {text}")
                return record
            case "object":
                return {**record, "secret": secret}
            case "format":
                return {**record, "secret": f"{secret} {secret!r} {secret!s:>20}"}
            case "params":
                await ctx.call("apollo/people-match", {"key": secret})
                return record
'''
LEAKS = ("raise", "chain", "record-error", "node-error", "returned", "skip", "warn", "object", "format", "params")


@pytest.fixture
def aviary() -> Aviary:
    return Aviary([*NAMED, *VENDORS, "token", "key"])


@pytest.fixture
async def parrot(aviary: Aviary):
    parrot = Parrot(aviary["token"])
    await parrot.start()
    yield parrot
    await parrot.stop()


def settings(tmp_path: Path, aviary: Aviary, base: str, mode: str, plugins: Path | None = None) -> dict[str, str]:
    """The environment of an installation whose vendors are all the parrot."""
    providers = tmp_path / "providers.json"
    vendor = {name: {"baseUrl": f"{base}/{mode}"} for name in VENDORS}
    providers.write_text(json.dumps(vendor))
    return {
        "LUMEFLOW_DATA_DIR": str(tmp_path / "data"),
        "LUMEFLOW_PROVIDERS": str(providers),
        "LUMEFLOW_ALLOWED_ADDRESSES": "127.0.0.1",
        "LUMEFLOW_SECRET_KEY": new_key(),
        **({"LUMEFLOW_PLUGINS": str(plugins)} if plugins else {}),
        **{f"LUMEFLOW_SECRET_{name}": aviary[name] for name in NAMED if name not in STORED},
        **{variable: aviary[name] for name, variable in VENDORS.items()},
    }


async def store(app: App, aviary: Aviary) -> None:
    for name in STORED:
        await app.vault.put(name, Secret(aviary[name]), at=SystemClock().now())


async def shown(app: App, execution_id: str) -> Iterator[tuple[str, bytes]]:
    """What the API and the command line have to show of an execution."""
    result = await app.result(execution_id)
    places = [("result", json.dumps(result.as_json(), default=str)), ("repr", repr(result))]
    for kind in RecordKind:
        kept = [record async for record in app.kept_records(execution_id, kind)]
        places += [(f"{kind} records", repr(kept))]
    return [(name, text.encode()) for name, text in places]


@pytest.mark.parametrize("mode", MODES)
async def test_no_secret_comes_out_whatever_the_vendor_does(tmp_path, aviary, parrot, mode, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0005
    environ = settings(tmp_path, aviary, parrot.url, mode)
    places: list[tuple[str, bytes]] = []
    async with open_app(Settings.from_environment(environ)) as app:
        await store(app, aviary)
        for name, (kind, config) in nodes(mode).items():
            if mode in SLOW and name in ("apify", "meta", *SLOW[mode]):
                continue
            await app.execute(
                document(kind, {**config, **({"account": name} if "url" in config else {})}, parrot.url),
                {"people": PEOPLE},
                variables={"base": parrot.url},
                execution_id=name,
            )
            places += [(f"{name}: {place}", data) for place, data in await shown(app, name)]
        places.append(("repr of the app's parts", repr((app.settings, app.vault.latest)).encode()))
    loop.set_debug(False)
    captured = capfd.readouterr()
    places += [("stdout", captured.out.encode()), ("stderr", captured.err.encode())]
    found = aviary.found_in([*files_below(tmp_path), *log_lines(caplog.records), *places])
    assert not found, "\n".join(found)
    heard = "".join(parrot.heard)
    assert [name for name in SENT if aviary[name] not in heard] == [
        name for name in SENT if mode in SLOW and name in ("meta", *SLOW[mode])
    ]


@pytest.mark.parametrize("how", LEAKS)
async def test_a_block_that_is_careless_with_a_secret_is_covered(tmp_path, aviary, parrot, how, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "leak.py").write_text(PLUGIN)
    environ = settings(tmp_path, aviary, parrot.url, "ok", plugins)
    async with open_app(Settings.from_environment(environ)) as app:
        assert not app.plugin_problems
        await app.execute(
            document("transform", {"operation": "leak", "how": how}, ""), {"people": PEOPLE}, execution_id="x"
        )
        places = await shown(app, "x")
    captured = capfd.readouterr()
    places += [("stdout", captured.out.encode()), ("stderr", captured.err.encode())]
    found = aviary.found_in([*files_below(tmp_path), *log_lines(caplog.records), *places])
    assert not found, "\n".join(found)


async def command(environ: Mapping[str, str], *words: str) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-m", "lumeflow", *words),
        env={**environ, "PATH": os.environ.get("PATH", ""), "LUMEFLOW_DEBUG": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output


@pytest.mark.parametrize("fault", ["gateway.claimed:2", "gateway.answered:2"])
async def test_a_killed_process_and_its_successor_keep_silent(tmp_path, aviary, parrot, fault):
    environ = settings(tmp_path, aviary, parrot.url, "ok")
    async with open_app(Settings.from_environment(environ)) as app:
        await store(app, aviary)
    auth, body = (
        {"type": "bearer", "token": "{{secrets.bearer}}"},
        {"who": "{{input.email}}", "key": "{{secrets.body}}"},
    )
    path = tmp_path / "w.json"
    patient = http("ok", auth=auth, body=body, callTimeout=60)
    path.write_text(json.dumps(document("api", patient, parrot.url, timeout=60)))
    run = ("run", str(path), "--input", json.dumps({"people": PEOPLE}), "--execution-id", "x", "--json")
    base = ("--var", f"base={parrot.url}")
    code, first = await command({**environ, "LUMEFLOW_FAULT": fault}, *run, *base)
    assert code < 0, first
    places = [("killed", first), *files_below(tmp_path)]
    code, second = await command(environ, "executions", "resume", "x")
    assert code == 0, second
    places.append(("resumed", second))
    places += [(word, (await command(environ, "executions", word, "x", "--json"))[1]) for word in ("show", "events")]
    assert aviary.found_in([*files_below(tmp_path), *places]) == []
    assert f"Bearer {aviary['bearer']}" in parrot.heard


def test_the_search_finds_what_is_there(aviary: Aviary):
    import base64
    from urllib.parse import quote

    text = aviary["bearer"]
    for written in (text, quote(text), json.dumps(text), text[:8], base64.b64encode(f"user:{text}".encode()).decode()):
        assert aviary.found_in([("here", f"so: {written}".encode())]) == ["bearer in here"]
    assert aviary.found_in([("here", b"Kx***")]) == []
