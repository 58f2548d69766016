"""The contract that block authors run, kept by all blocks that come with lumeflow."""

import sys

import pytest

from lumeflow.plugins import load_registry
from lumeflow.testing import block_contract
from lumeflow.testing.contract.imports import brought_in
from lumeflow.testing.contract.suite import checks

REGISTRY, _ = load_registry(entry_points=False)
BLOCKS = {block.id(): block for block in REGISTRY.blocks()}
AUDIENCE = {"id": "aud-1", "name": "Fans", "type": "instagram", "urls": ["https://example.com/p/1"]}
WORLD = {
    "tables": {
        "source_audiences": [AUDIENCE],
        "shared_audiences": [],
        "shared_audience_contacts": [],
        "audience_relations": [],
        "leads": [],
    },
    "files": {"contacts.json": b'{"contacts": [{"firstName": "Mira"}, {"firstName": "Tomas"}]}'},
}
"""What the examples find; a block that needs more has it here."""
MORE = {"filter/javascript": {"processes": True}}
"""What single blocks may do or find besides."""
TOGETHER = "test_its_import_is_light"
"""The one test that needs an interpreter of its own: all blocks share one."""


@pytest.mark.parametrize("check", [name for name in checks() if name != TOGETHER])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_keeps_the_contract(name, check):
    getattr(block_contract(BLOCKS[name], **WORLD, **MORE.get(name, {}))(), check)()


def test_their_imports_are_light():
    modules = tuple(block.__module__ for block in BLOCKS.values())
    found = brought_in(modules, tuple(sys.path))
    assert {module: heavy for module, heavy in found.items() if heavy} == {}, "import it inside the method that uses it"
