"""What cannot be planned has not begun: it leaves no execution that seems to run."""

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Mode
from tests.engine.conftest import collect, numbers, workflow

pytestmark = pytest.mark.asyncio

EMBED = {"type": "api", "config": {"provider": "mixedbread", "fields": ["n"], "batchSize": "{{variables.size}}"}}
DOCUMENT = workflow({"in": numbers(3), "embed": EMBED, "out": collect()}, "in>embed, embed>out")


@pytest.mark.parametrize(
    ("size", "problem"), [(0, "must be greater than or equal to 1, found 0"), ("many", "expected a whole number")]
)
async def test_a_setting_that_its_block_does_not_take_is_named(app, size, problem):
    with pytest.raises(UsageError, match=f"node 'embed', .*config/batchSize: {problem}"):
        await app.execute(DOCUMENT, {}, mode=Mode.DEMO, variables={"size": size})
    assert await app.executions() == []


async def test_a_setting_that_cannot_be_computed_is_named(app):
    config = {**EMBED["config"], "batchSize": "{{variables.size + 1}}"}
    document = workflow(
        {"in": numbers(3), "embed": {**EMBED, "config": config}, "out": collect()}, "in>embed, embed>out"
    )
    with pytest.raises(UsageError, match="node 'embed': a template of its config cannot be computed: "):
        await app.execute(document, {}, mode=Mode.DEMO, variables={"size": {"a": 1}})
    assert await app.executions() == []


async def test_an_execution_whose_mocks_are_wrong_ends_as_failed(app):
    document = workflow({"in": numbers(3), "out": collect()}, "in>out")
    with pytest.raises(UsageError, match="mocks name the operation 'apollo/nothing'"):
        await app.execute(document, {}, mode=Mode.DEMO, mocks={"apollo/nothing": {}}, execution_id="x")
    [entry] = await app.executions()
    assert entry.status == "failed"
    assert "mocks name the operation" in (entry.error or "")
