"""A new block of the user's own: a file and its test, from which to go on."""

import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from lumeflow.core.block import BlockType
from lumeflow.core.errors import UsageError
from lumeflow.core.registry import Registry

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 60
_CALLING = {BlockType.API, BlockType.AI}

_TEST_HEAD = '''"""Tests of `$type/$name`; `pytest $test_file` runs them."""

import asyncio

from lumeflow.testing import ${needs}block_contract, run_block
from $module import $cls

Test$cls = block_contract($cls$mocks)
"""What every block has to keep to, tried on the block's own example."""


'''


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A block that is to be written.

    Attributes:
        name: Its name among the blocks of its type.
        type: Its type.
    """

    name: str
    type: BlockType

    @classmethod
    def checked(cls, name: str, block_type: BlockType, registry: Registry) -> "NewBlock":
        """Check that a block can be called so.

        Raises:
            UsageError: It can't; the message says why.
        """
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            raise UsageError(
                f"'{name[:80]}' cannot be a block's name: expected small letters and digits, in words with '-' between "
                f"them, such as company-lookup, at most {_LONGEST} characters."
            )
        new = cls(name, block_type)
        if keyword.iskeyword(new.module) or new.module in sys.stdlib_module_names or _is_installed(new.module):
            raise UsageError(f"'{name}' is the name of a Python module or word: choose another, such as my-{name}.")
        taken = [block.id() for block in registry.blocks() if block.id() == f"{block_type}/{name}"]
        if taken:
            raise UsageError(f"there is a block '{taken[0]}' already: choose another name.")
        return new

    @property
    def module(self) -> str:
        """Name of its Python module."""
        return self.name.replace("-", "_")

    def texts(self) -> dict[str, str]:
        """What is to be written, by file name: the block and its test."""
        template = "api" if self.type in _CALLING else str(self.type)
        mocks = f', mocks={{"{self.name}": {{"size": 40}}}}' if self.type in _CALLING else ""
        needs = "MemoryContext, " if self.type in _CALLING | {BlockType.OUTPUT} else ""
        words = {
            "name": self.name,
            "cls": "".join(word.capitalize() for word in self.name.split("-")),
            "type": str(self.type),
            "TYPE": self.type.name,
            "env": self.module.upper(),
            "module": self.module,
            "test_file": f"test_{self.module}.py",
            "mocks": mocks,
            "needs": needs,
        }
        test = _TEST_HEAD + _template(f"{template}.test.txt")
        return {
            f"{self.module}.py": Template(_template(f"{template}.txt")).substitute(words),
            f"test_{self.module}.py": Template(test).substitute(words),
        }


def write(new: NewBlock, folder: Path) -> list[Path]:
    """Write a new block and its test into a folder, which is made if need be; both or none.

    Raises:
        UsageError: One of the files is there already, or they cannot be written.
    """
    texts = {folder / name: text for name, text in new.texts().items()}
    for path in texts:
        if path.exists():
            raise UsageError(f"'{path}' exists already, and is left as it is: choose another name or folder.")
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise UsageError(f"'{folder}': the block cannot be written: {error.strerror}.") from error
    return written


def _template(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
