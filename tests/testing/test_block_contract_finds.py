"""Each test of the contract fails for a block that breaks it, and says what to do."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from lumeflow.plugin import Block, BlockConfig, BlockType, RecordError, TemplateField
from lumeflow.testing import BlockContract, block_contract
from lumeflow.testing.contract.imports import brought_in
from lumeflow.testing.contract.suite import checks


class GoodConfig(BlockConfig):
    operation: Literal["good"] = Field(description="Selects this block.")
    text: TemplateField | None = Field(default=None, description="What to say.")


class Good(Block[GoodConfig]):
    """Keep the contract.

    Input: any record.
    Output: the record, greeted.
    Errors: none.
    Cost: none.
    """

    type = BlockType.TRANSFORM
    name = "good"
    when = ({"operation": "good"},)
    Config = GoodConfig
    example = {"operation": "good", "text": "Hello {{input.name}}"}
    example_input = {"people": [{"name": "Mira"}, {"name": "Aiko"}]}

    async def process(self, record, ctx):
        return {**record, "greeting": ctx.render(self.config.text, record)}


class Calling(Good):
    __doc__ = Good.__doc__
    name = "calling"
    operations = ("hunter/email-finder",)

    async def process(self, record, ctx):
        found = await ctx.call("hunter/email-finder", {"full_name": str(record.get("name")), "domain": "example.com"})
        return {**record, "email": found.value["email"]}


@pytest.mark.parametrize("check", checks())
@pytest.mark.parametrize("block", [Good, Calling])
def test_good_blocks_pass(block, check):
    getattr(block_contract(block)(), check)()


def test_the_contract_is_a_class_of_tests():
    made = block_contract(Good, tables={"leads": []})
    assert (made.__name__, made.block, made.tables) == ("TestGood", Good, {"leads": []})
    assert issubclass(made, BlockContract)
    assert set(checks()) <= set(dir(made))


class Open(BaseModel):
    """Takes anything."""

    x: int = Field(default=1, description="A number.")


class OpenConfig(GoodConfig):
    part: Open | None = Field(default=None, description="A part.")


class BareConfig(GoodConfig):
    extra: int = 3


class BadExample(Good):
    """Do.

    Input: x. Output: y."""

    name = "bad-example"
    example = {"operation": "bad"}


class Nothing(Good):
    name = "nothing"

    async def process(self, record, ctx):
        return []


class Failing(Good):
    name = "failing"

    async def process(self, record, ctx):
        raise RecordError("VALIDATION", "no")


class Connecting(Good):
    name = "connecting"

    async def process(self, record, ctx):
        try:
            socket.create_connection(("127.0.0.1", 9))
        except OSError:
            return record


class Starting(Good):
    name = "starting"

    def process(self, record, ctx):
        subprocess.run([sys.executable, "-c", ""], check=True)
        return record


class Scribbling(Good):
    name = "scribbling"

    def process(self, record, ctx):
        Path(__file__).with_name("scribble.txt").write_text("x")
        return record


class Undeclared(Calling):
    name = "undeclared"
    operations = ()


class Leaving(Good):
    name = "leaving"
    tasks = []

    async def process(self, record, ctx):
        self.tasks.append(asyncio.create_task(asyncio.sleep(30)))
        return record


class Ticking(Good):
    name = "ticking"

    async def process(self, record, ctx):
        return {**record, "at": time.monotonic_ns()}


class Racing(Calling):
    name = "racing"

    def __init__(self, config):
        super().__init__(config)
        self.count = 0

    async def process(self, record, ctx):
        done = await super().process(record, ctx)
        self.count += 1
        return {**done, "number": self.count}


class Holding(Good):
    name = "holding"

    async def open(self, ctx):
        half = Path("half.txt")
        self._write(half)
        await ctx.remember("x", self._read)
        self._remove(half)
        return {}

    def _write(self, path):
        path.write_text("half")

    def _remove(self, path):
        path.unlink()

    async def _read(self):
        return 1


class Telling(Good):
    name = "telling"

    async def process(self, record, ctx):
        if not isinstance(record.get("name"), str):
            raise RecordError("VALIDATION", f"cannot greet {record}")
        return record


class Mumbling(Good):
    name = "mumbling"

    async def process(self, record, ctx):
        if not isinstance(record.get("name"), str):
            raise RecordError("VALIDATION", "it is not good")
        return record


class Straying(Good):
    name = "straying"

    def routes(self):
        return {"elsewhere": "node-2"}


class Drawing(Good):
    name = "drawing"

    def sources(self):
        return ["one"]


class Breaking(Good):
    name = "breaking"

    async def process(self, record, ctx):
        return {**record, "greeting": "Hello " + record["name"]}


class Leaking(Good):
    name = "leaking"

    async def process(self, record, ctx):
        return {**record, "key": ctx.secret("key").reveal()}


class Swallowing(Calling):
    name = "swallowing"

    async def process(self, record, ctx):
        try:
            return await super().process(record, ctx)
        except Exception:
            return record


def with_config(model, **example):
    return type("Other", (Good,), {"name": "other", "Config": model, "example": {**Good.example, **example}})


SILENT = type("Silent", (Good,), {"name": "silent"})
TAKEN = type("Taken", (Good,), {"name": "fields"})

BROKEN = [
    (SILENT, "documented", "it has no docstring"),
    (BadExample, "documented", "its docstring lacks Output, Errors, Cost: begin a paragraph with 'Output:'"),
    (type("B", (Good,), {"__doc__": Good.__doc__, "Config": BareConfig}), "documented", "BareConfig.extra without a"),
    (type("E", (Good,), {"__doc__": Good.__doc__, "example": {}}), "documented", "it has no example"),
    (BadExample, "example_means_it", "its example means transform/fields: make `when` more specific"),
    (TAKEN, "example_means_it", "block 'transform/fields' of .* is already defined"),
    (BadExample, "configuration", "its example is not valid"),
    (with_config(OpenConfig), "configuration", "Open takes unknown keys: set extra='forbid'"),
    (Nothing, "example_runs", "nothing comes of its example"),
    (Failing, "example_runs", "records of its example fail"),
    (Connecting, "acts_through", "it (opens a connection|looks a host up): use ctx.call"),
    (Starting, "acts_through", "it starts a process"),
    (Scribbling, "acts_through", "it writes the file .*scribble.txt"),
    (Undeclared, "acts_through", "it calls hunter/email-finder: name them in `operations`"),
    (Leaving, "acts_through", "it leaves the task sleep"),
    (Ticking, "deterministic", "its output depend on what arrives first: take the time from ctx.now"),
    (Racing, "deterministic", "its output depend on what arrives first"),
    (Holding, "stops_cleanly", "cancelled at wait 1 of .* it leaves half of work/half.txt: discard it in abort"),
    (Telling, "test_it_fails_well", "a message holds the record's data"),
    (
        Breaking,
        "test_it_fails_well",
        "it raises what it should not: the block 'transform/breaking' has a bug: KeyError",
    ),
    (Mumbling, "test_it_fails_well", "a failure names neither field nor key: it is not good: say in the message which"),
    (Straying, "ports", r"routes\(\) binds elsewhere, which out_ports\(\) does not name"),
    (Drawing, "ports", "it names sources, which only a merge block has"),
    (Leaking, "test_it_fails_well", "a secret shows up in its output"),
    (Swallowing, "refused_calls", "it goes on although its calls are refused with AUTH"),
]


@pytest.mark.parametrize(("block", "check", "message"), BROKEN, ids=[f"{b.__name__}-{c}" for b, c, _ in BROKEN])
def test_a_broken_block_is_told_what_to_mend(block, check, message):
    (name,) = [found for found in checks() if check in found]
    with pytest.raises(AssertionError, match=message) as told:
        getattr(block_contract(block)(), name)()
    assert str(told.value).startswith(f"{block.id()}: ")
    assert not Path(__file__).with_name("scribble.txt").exists()


def test_a_heavy_import_is_named(tmp_path):
    (tmp_path / "heavy_block.py").write_text("import sqlite3\nimport json\n")
    (tmp_path / "doing_block.py").write_text("import os\nos.mkdir(__file__ + '.made')\n")
    found = brought_in(("heavy_block", "doing_block"), (str(tmp_path), *sys.path))
    assert found["heavy_block"] == ["sqlite3"]
    assert found["doing_block"] == ["os.mkdir"]


def test_a_module_that_cannot_be_imported_is_told(tmp_path):
    (tmp_path / "broken_block.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(ImportError, match="No module named 'nothing_of_this_name'"):
        brought_in(("broken_block",), (str(tmp_path), *sys.path))
