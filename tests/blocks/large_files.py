"""Reads and writes large files in a process of its own, and prints by how much that made it grow.

python large_files.py CASE FOLDER ROWS
"""

import asyncio
import json
import resource
import sys
from array import array
from pathlib import Path

from lumeflow.blocks.input.upload import UploadInput
from lumeflow.blocks.output.csv import CsvOutput
from lumeflow.blocks.output.parquet import ParquetOutput
from lumeflow.storage.files import LocalFiles
from lumeflow.testing import MemoryContext

AT_ONCE = 1000


class Made:
    """Input files that are made while they are read."""

    def __init__(self, head, row, foot, rows):
        self._parts = head, row, foot
        self._rows = rows

    async def stream(self, path):
        head, row, foot = self._parts
        yield head
        for start in range(0, self._rows, AT_ONCE):
            yield b"".join(row % number for number in range(start, min(start + AT_ONCE, self._rows)))
        yield foot


INPUTS = {
    "csv": (b"name,email,note\n", b'Tom\xc3\xa1s,t%d@example.com,"a\nb"\n', b""),
    "jsonl": (b"", b'{"name": "Tom\xc3\xa1s", "email": "t%d@example.com"}\n', b""),
    "json": (b'{"a": 1, "people": [{}', b',\n{"name": "Tom\xc3\xa1s", "n": %d}', b'], "b": 2}'),
}


async def read(case, folder, rows):
    files = Made(*INPUTS[case], rows)
    ctx = MemoryContext(files=files, trigger={"file": f"people.{case}"})
    block = UploadInput(UploadInput.Config(source="upload"))
    await block.open(ctx)
    found = 0
    async for row in block.produce(ctx):
        found += isinstance(row, dict)
    return found - (case == "json")


async def write(block_class, folder, rows):
    ctx = MemoryContext(files=LocalFiles(folder, "execution-1"), collection="rows")
    block = block_class(block_class.Config.model_validate({"destination": block_class.name}))
    await block.open(ctx)
    for start in range(0, rows, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, rows))
        await block.process_batch([record(number) for number in numbers], ctx)
    return (await block.close(ctx))["recordsCount"]


def record(number):
    vector = array("f", [number, 0.5] * 64)
    return {"name": f"Person {number}", "note": "text " * 20, "company": {"size": number}, "embedding": vector}


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(case, folder, rows):
    outputs = {"csv output": CsvOutput, "parquet output": ParquetOutput}
    work, argument = (write, outputs[case]) if case in outputs else (read, case)
    await work(argument, Path(folder), 20 * AT_ONCE)
    before = peak()
    found = await work(argument, Path(folder), rows)
    sys.stdout.write(json.dumps({"rows": found, "megabytes": peak() - before}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
