"""The same execution gives the same result, however fast the vendors answer and however tight their limits are."""

from dataclasses import replace
from typing import Any

import pytest

from tests.survival.checks import Undisturbed
from tests.survival.world import Desk, Simulator

SPEEDS = {
    "at once": {"latencyScale": 0.0, "limits": {"openrouter": []}},
    "slow in another order": {
        "latencyScale": 0.3,
        "latencies": {"apollo": 0.02, "openrouter": 3.0, "hunter": 0.1},
        "limits": {"apollo": [[40, 1.0]], "hunter": [[20, 1.0]], "openrouter": [[3, 1.0]], "mixedbread": [[4, 1.0]]},
    },
}


@pytest.mark.parametrize("speed", SPEEDS)
def test_results_do_not_depend_on_speed(speed: str, desk: Desk, simulator: Simulator, undisturbed: Undisturbed):
    simulator.reset(**SPEEDS[speed])
    hashed_otherwise = replace(desk, environ={**desk.environ, "PYTHONHASHSEED": "12345"})
    ended = hashed_otherwise.run()
    assert ended.code == 0, ended
    assert desk.records() == undisturbed.records
    assert without_times(ended.result) == without_times(undisturbed.result)


def test_a_vendor_that_delivers_piece_by_piece_changes_nothing_but_the_number_of_polls(
    desk: Desk, simulator: Simulator, undisturbed: Undisturbed
):
    simulator.reset(itemsPerSecond=400.0, firstItemAfter=0.5, latencyScale=1.0)
    ended = desk.run()
    assert ended.code == 0, ended
    assert desk.records() == undisturbed.records
    assert without_polls(without_times(ended.result)) == without_polls(without_times(undisturbed.result))


def test_another_execution_id_changes_ids_and_nothing_else(desk: Desk, undisturbed: Undisturbed):
    words = desk.run_words()
    words[words.index("--execution-id") + 1] = "another"
    ended = desk.cli(*words)
    assert ended.code == 0, ended
    assert ended.result["output"]["sharedAudienceId"] != undisturbed.result["output"]["sharedAudienceId"]
    assert ended.result["cost"] == undisturbed.result["cost"]


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what depends on the speed of machine and vendors, keys in their order."""
    nodes = {
        node_id: {name: value for name, value in node.items() if name != "executionTime"}
        for node_id, node in result["nodes"].items()
    }
    return {name: value for name, value in result.items() if name != "executionTime"} | {"nodes": nodes}


def without_polls(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the number of requests that watch the scraper's run."""
    result["nodes"]["scraper-1"]["executionCost"] = result["nodes"]["scraper-1"]["executionCost"]["totalCost"]
    result["cost"] = result["cost"]["totalCost"]
    return result
