import pytest
from pydantic import ValidationError

from lumeflow.blocks.branch.condition import ConditionBranch
from lumeflow.testing import MemoryContext, run_block

MIRA, TOMAS, AIKO = (
    {"n": "Mira", "email": "mira.holt@example.com"},
    {"n": "Tomás"},
    {"n": "Aiko", "email": "a@example.net"},
)
HAS_EMAIL = {"field": "email", "operator": "exists"}
BOTH = {"condition": HAS_EMAIL, "branches": {"true": "verify", "false": "find"}}


def block(config):
    return ConditionBranch(ConditionBranch.Config.model_validate(config))


async def test_each_record_goes_its_way_unchanged_and_in_order():
    run = await run_block(ConditionBranch, BOTH, {"contacts": [MIRA, TOMAS, AIKO]})
    assert run.routed == {"true": [MIRA, AIKO], "false": [TOMAS]}
    assert (run.records, run.skipped, run.failed) == ([], [], [])


@pytest.mark.parametrize(
    ("branches", "ports", "routes"),
    [
        ({"true": "verify", "false": "find"}, ["true", "false"], {"true": "verify", "false": "find"}),
        ({"true": "verify"}, ["true"], {"true": "verify"}),
        ({"false": "find"}, ["false"], {"false": "find"}),
        ({}, ["true", "false"], {}),
    ],
)
def test_branches_bind_ports_to_nodes(branches, ports, routes):
    branch = block({"condition": HAS_EMAIL, "branches": branches})
    assert (list(branch.out_ports()), branch.routes()) == (ports, routes)


@pytest.mark.parametrize(
    ("way", "routed", "position", "reason"),
    [
        ("true", {"true": [MIRA]}, 1, "no branch for 'false': email: wanted exists, found nothing"),
        ("false", {"false": [TOMAS]}, 0, "no branch for 'true': the condition is met"),
    ],
)
async def test_a_way_that_leads_nowhere_leaves_records_out_with_the_reason(way, routed, position, reason):
    config = {"condition": HAS_EMAIL, "branches": {way: "next"}}
    run = await run_block(ConditionBranch, config, {"contacts": [MIRA, TOMAS]})
    assert run.routed == routed
    assert [(left.position, left.reason) for left in run.skipped] == [(position, reason)]


async def test_without_branches_the_edges_bind_the_ports():
    run = await run_block(ConditionBranch, {"condition": HAS_EMAIL}, {"contacts": [MIRA, TOMAS]})
    assert run.routed == {"true": [MIRA], "false": [TOMAS]}


async def test_a_payload_without_collection_is_routed_whole():
    for scope in ("record", "payload"):
        run = await run_block(ConditionBranch, {**BOTH, "scope": scope}, {"id": 7, "email": "x@example.com"})
        assert run.routed == {"true": [{"id": 7, "email": "x@example.com"}]}


@pytest.mark.parametrize(("kind", "port"), [("instagram", "true"), ("facebook", "false")])
async def test_with_scope_payload_all_records_go_one_way_by_the_payloads_fields(kind, port):
    config = {
        "condition": {"field": "type", "operator": "equals", "value": "{{variables.kind}}"},
        "branches": {"true": "a", "false": "b"},
        "scope": "payload",
    }
    payload = {"type": kind, "contacts": [MIRA, {"type": "instagram"}, {"type": "facebook"}]}
    run = await run_block(ConditionBranch, config, payload, context=MemoryContext(variables={"kind": "instagram"}))
    assert run.routed == {port: payload["contacts"]}


async def test_a_whole_payload_whose_way_leads_nowhere_is_left_out():
    config = {"condition": {"field": "type", "operator": "exists"}, "branches": {"true": "a"}, "scope": "payload"}
    run = await run_block(ConditionBranch, config, {"contacts": [MIRA, TOMAS]})
    assert (run.routed, len(run.skipped)) == ({}, 2)


@pytest.mark.parametrize(
    "wrong", [{"branches": {"yes": "a"}}, {"scope": "batch"}, {"condition": "email"}, {"branches": {"true": 1}}]
)
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        block({**BOTH, **wrong})
