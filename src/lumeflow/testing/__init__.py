"""For authors of blocks: run a block on a payload, alone, in plain Python.

run = await run_block(Greeting, {"greeting": "Hello"}, {"people": [{"name": "Mira"}]})
assert run.output == {"people": [{"name": "Mira", "message": "Hello, Mira"}]}
"""

from lumeflow.testing.context import MemoryContext
from lumeflow.testing.contract import BlockContract, block_contract
from lumeflow.testing.driver import BlockRun, Failed, LeftOut, run_block
from lumeflow.testing.memory import MemoryFiles, MemoryTables

__all__ = [
    "BlockContract",
    "BlockRun",
    "Failed",
    "LeftOut",
    "MemoryContext",
    "MemoryFiles",
    "MemoryTables",
    "block_contract",
    "run_block",
]
