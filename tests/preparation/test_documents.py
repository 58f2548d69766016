"""Documents that come again are not checked again, unless something that matters has changed."""

from copy import deepcopy

import orjson
import pytest

from lumeflow.core.findings import InvalidWorkflow
from lumeflow.core.registry import Registry
from lumeflow.plugins import load_registry
from lumeflow.preparation import Documents
from lumeflow.preparation.documents import KEPT
from lumeflow.settings import Settings
from lumeflow.vault.tenant_secrets import TenantSecrets

HOOK = {
    "workflowId": "greet",
    "name": "Greet",
    "nodes": [
        {"id": "people", "type": "input", "config": {"source": "api"}},
        {
            "id": "crm",
            "type": "output",
            "config": {
                "destination": "webhook",
                "url": "https://crm.example.com/people",
                "headers": {"Authorization": "Bearer {{secrets.crm}}"},
            },
        },
    ],
    "edges": [{"source": "people", "target": "crm"}],
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(())[0]


@pytest.fixture
def documents(registry) -> Documents:
    return Documents(registry)


def secrets(*names: str, tenant: str = "default") -> TenantSecrets:
    environ = {f"LUMEFLOW_SECRET_{name}": "x" * 12 for name in names}
    return TenantSecrets(tenant, Settings.from_environment(environ))


def named(name: str, **node) -> dict:
    document = deepcopy(HOOK)
    document["name"] = name
    document["nodes"][0] |= node
    return document


def test_a_document_that_comes_again_is_the_same_object(documents):
    first = documents.load(HOOK, None)
    assert documents.load(deepcopy(HOOK), None) is first
    assert documents.load(orjson.dumps(HOOK), None) is first


def test_any_change_of_it_is_seen(documents):
    first = documents.load(HOOK, None)
    changed = documents.load(named("Hello"), None)
    assert changed is not first
    assert changed.name == "Hello"
    with pytest.raises(InvalidWorkflow, match="type"):
        documents.load(named("Greet", type="inptu"), None)


def test_a_secret_that_is_gone_is_noticed(documents):
    """An execution that was queued yesterday may begin today."""
    documents.load(HOOK, secrets("crm"))
    with pytest.raises(InvalidWorkflow, match="crm"):
        documents.load(HOOK, secrets())
    with pytest.raises(InvalidWorkflow, match="crm"):
        documents.load(HOOK, secrets("crm", tenant="acme"))


def test_a_document_with_errors_is_refused_each_time(documents):
    for _ in range(2):
        with pytest.raises(InvalidWorkflow):
            documents.load({**HOOK, "edges": []}, None)


def test_blocks_that_come_later_are_taken(registry):
    grown = Registry()
    documents = Documents(grown)
    with pytest.raises(InvalidWorkflow):
        documents.load(HOOK, None)
    for block in registry.blocks():
        grown.add_block(block)
    documents.load(HOOK, None)


def test_a_large_document_is_not_kept(documents):
    large = named("Greet", description="x" * 10_000)
    large["nodes"] += [{**large["nodes"][0], "id": f"people{number}"} for number in range(30)]
    large["edges"] += [{"source": f"people{number}", "target": "crm"} for number in range(30)]
    assert documents.load(large, None) is not documents.load(large, None)


def test_what_is_no_json_is_refused_as_ever(documents):
    with pytest.raises(InvalidWorkflow):
        documents.load({**HOOK, "metadata": {"tags": {1, 2}}}, None)


def test_those_that_were_not_used_for_longest_go_first(documents):
    first, second = documents.load(named("0"), None), documents.load(named("1"), None)
    for number in range(2, KEPT + 1):
        documents.load(named("0"), None)
        documents.load(named(str(number)), None)
    assert documents.load(named("0"), None) is first
    assert documents.load(named("1"), None) is not second
