import pytest
from pydantic import ValidationError

from lumeflow.blocks.merge.append import AppendMerge
from lumeflow.plugin import Shape
from lumeflow.testing import run_block


def test_it_streams_and_names_the_order_of_its_sources():
    block = AppendMerge(AppendMerge.Config.model_validate({"strategy": "append", "sources": ["b", "a"]}))
    assert AppendMerge.shape() is Shape.RECORD
    assert list(block.sources()) == ["b", "a"]


def test_without_sources_the_edges_give_the_order():
    assert list(AppendMerge(AppendMerge.Config.model_validate({"strategy": "append"})).sources()) == []


async def test_records_pass_unchanged():
    records = [{"n": 1}, {"n": 2, "nest": {"x": None}}]
    run = await run_block(AppendMerge, {"strategy": "append"}, {"kind": "x", "rows": records})
    assert run.output == {"kind": "x", "rows": records}


@pytest.mark.parametrize("wrong", [{"strategy": "union"}, {"sources": "a"}, {"source": ["a"]}])
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        AppendMerge.Config.model_validate({"strategy": "append", **wrong})
