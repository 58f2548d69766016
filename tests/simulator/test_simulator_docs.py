"""The documentation page names everything there is, with the right numbers, and its example runs."""

import dataclasses
import re
from pathlib import Path

import pytest

from lumeflow.core.money import plain
from lumeflow.simulator import FaultKind, SimulatorSettings
from lumeflow.simulator.service import ENDPOINTS
from lumeflow.simulator.settings import DEFAULT_PRICES, MODEL_PRICES

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_the_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/simulator.md", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    "name", [*ENDPOINTS, *FaultKind, *(field.name for field in dataclasses.fields(SimulatorSettings))]
)
def test_every_name_has_its_line(name):
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda endpoint: endpoint.id)
def test_latencies_and_limits(endpoint):
    (line,) = re.findall(rf"\| `{endpoint.id}` \|.*", PAGE)
    assert f"| {endpoint.latency:g} |" in line
    numbers = {int(number.replace(",", "")) for number in re.findall(r"([\d,]+)/(?:s|min|h|day)", line)}
    assert numbers == {limit.calls for limit in endpoint.limits}


@pytest.mark.parametrize("name", DEFAULT_PRICES)
def test_prices(name):
    assert f"| `{name}` | {plain(DEFAULT_PRICES[name])} |" in PAGE


@pytest.mark.parametrize("model", MODEL_PRICES)
def test_model_prices(model):
    prompt, completion = MODEL_PRICES[model]
    assert f"`{model}` {plain(prompt)} and {plain(completion)}" in PAGE.replace("\n", " ")


@pytest.mark.parametrize("field", dataclasses.fields(SimulatorSettings), ids=lambda field: field.name)
def test_default_settings(field):
    default = getattr(SimulatorSettings(), field.name)
    if isinstance(default, (int, float)):
        (shown,) = re.findall(rf"\| `{field.name}` \| ([\d.]+) \|", PAGE)
        assert float(shown) == default
