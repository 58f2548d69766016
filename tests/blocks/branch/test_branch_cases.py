import pytest
from pydantic import ValidationError

from lumeflow.blocks.branch.cases import CasesBranch
from lumeflow.blocks.branch.condition import ConditionBranch
from lumeflow.core.registry import Registry
from lumeflow.plugin import BlockType
from lumeflow.testing import run_block

A, B, AB, NONE = {"a": 1}, {"b": 1}, {"a": 1, "b": 1}, {"c": 1}
HAS_A, HAS_B = {"field": "a", "operator": "exists"}, {"field": "b", "operator": "exists"}


def config(*cases, **more):
    return {"operation": "cases", "cases": list(cases), **more}


def block(given):
    return CasesBranch(CasesBranch.Config.model_validate(given))


async def routed(given, payload=None):
    return await run_block(CasesBranch, given, payload or {"rows": [A, B, AB, NONE]})


async def test_the_first_case_that_holds_is_taken():
    run = await routed(config({"when": HAS_B, "to": "n1"}, {"when": HAS_A, "to": "n2"}, default="n3"))
    assert run.routed == {"n1": [B, AB], "n2": [A], "default": [NONE]}


async def test_without_a_default_what_no_case_takes_is_left_out_with_the_reason():
    run = await routed(config({"when": HAS_A, "to": "n1"}))
    assert run.routed == {"n1": [A, AB]}
    assert [(left.position, left.reason) for left in run.skipped] == [
        (1, "no case holds, and there is no default"),
        (3, "no case holds, and there is no default"),
    ]


async def test_ports_without_node_are_bound_by_edges_and_so_is_the_default():
    run = await routed(config({"when": HAS_A, "name": "first"}, {"when": HAS_B, "name": "second"}))
    assert run.routed == {"first": [A, AB], "second": [B], "default": [NONE]}


@pytest.mark.parametrize(
    ("given", "ports", "routes"),
    [
        (
            config({"when": HAS_A, "to": "n1", "name": "x"}, {"when": HAS_B, "to": "n2"}, default="n3"),
            ["x", "n2", "default"],
            {"x": "n1", "n2": "n2", "default": "n3"},
        ),
        (config({"when": HAS_A, "to": "n1"}, {"when": HAS_B, "to": "n1"}), ["n1"], {"n1": "n1"}),
        (config({"when": HAS_A, "name": "x"}), ["x", "default"], {}),
        (config({"when": HAS_A, "name": "x"}, {"when": HAS_B, "to": "n2"}), ["x", "n2"], {"n2": "n2"}),
    ],
    ids=["names and default", "two cases to one node", "names alone", "a name and a node"],
)
def test_cases_bind_ports_to_nodes(given, ports, routes):
    assert (list(block(given).out_ports()), block(given).routes()) == (ports, routes)


async def test_with_scope_payload_all_records_go_one_way():
    given = config({"when": HAS_A, "to": "n1"}, {"when": HAS_B, "to": "n2"}, scope="payload")
    assert (await routed(given, {"b": 1, "rows": [A, B]})).routed == {"n2": [A, B]}
    assert len((await routed(given, {"rows": [A, B]})).skipped) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (config(), "at least 1"),
        (config({"when": HAS_A}), "cases/0 needs 'to'"),
        (config({"when": HAS_A, "name": "error"}), "cases/0: 'error' is the name of another port"),
        (
            config({"when": HAS_A, "to": "default"}),
            "cases/0: 'default' is the name of another port; give the case a 'name'",
        ),
        (
            config({"when": HAS_A, "name": "x", "to": "n1"}, {"when": HAS_B, "to": "x"}),
            "cases/1: an earlier case is called 'x' too and leads elsewhere",
        ),
        (config({"when": HAS_A, "too": "n1"}), "too"),
        (config({"when": {"field": "a"}, "to": "n1"}), "operator"),
    ],
)
def test_the_configuration_is_checked(given, message):
    with pytest.raises(ValidationError, match=message):
        block(given)


def test_a_branch_means_one_condition_unless_it_says_cases():
    registry = Registry()
    registry.add_block(ConditionBranch)
    registry.add_block(CasesBranch)
    assert registry.resolve(BlockType.BRANCH, {"condition": {}}) is ConditionBranch
    assert registry.resolve(BlockType.BRANCH, {"operation": "cases"}) is CasesBranch
