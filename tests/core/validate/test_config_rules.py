"""Configurations against the models of their blocks."""

import pytest

from lumeflow.core.validate import resolve_static

from .blocks import CallConfig
from .documents import chain, codes, document, findings, node, only


def call(**config):
    return chain(node("a", "api", config=config))


WRONG = [
    ({"sise": 5}, "unknown-key", "/sise", "Did you mean 'size'?"),
    ({"field_mapping": {}}, "unknown-key", "/field_mapping", "Did you mean 'fieldMapping'?"),
    ({"size": "many"}, "wrong-type", "/size", "expected a whole number, found a string of 4 characters."),
    ({"size": 0}, "invalid-value", "/size", "must be greater than 0, found 0."),
    ({"mode": "fsat"}, "unknown-value", "/mode", "Did you mean 'fast'?"),
    ({"limits": {"x": "many"}}, "wrong-type", "/limits/x", "whole number"),
    ({"limits": 3}, "wrong-type", "/limits", "expected an object, found 3."),
    ({"options": [{"type": "slow", "second": 3}]}, "unknown-key", "/options/0/second", "Did you mean 'seconds'?"),
    ({"collection": 3}, "wrong-type", "/collection", "expected a string"),
    ({"fieldMapping": {"a": "b..c"}}, "invalid-path", "/fieldMapping/a", "not a path"),
    ({"fieldMapping": {"a": 3}}, "invalid-value", "/fieldMapping/a", "expected a path"),
    ({"mapping": {"a": "{{input.}}"}}, "invalid-template", "/mapping/a", "offset"),
    ({"mapping": {"a": {"b": ["x", "{{input.a"]}}}, "invalid-template", "/mapping/a/b/1", ""),
    ({"mapping": {"a": "{{uppercas(input.a)}}"}}, "invalid-template", "/mapping/a", "uppercase"),
    ({"mapping": {"a": "{{inputs.a}}"}}, "invalid-template", "/mapping/a", "input"),
    ({"mapping": {"a": "{{env.HOME}}"}}, "invalid-template", "/mapping/a", "environment"),
    ({"model": "{{env.HOME}}"}, "invalid-template", "/model", "environment"),
    ({"model": "{{variables.}}"}, "invalid-template", "/model", ""),
    ({"condition": {"field": "a", "operator": "exist"}}, "invalid-condition", "/condition/operator", "exists"),
    ({"condition": [{"field": "", "operator": "exists"}]}, "invalid-condition", "/condition/0", "path"),
    ({"condition": 3}, "invalid-condition", "/condition", "expected a condition"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "code", "pointer", "part"), WRONG, ids=[str(case[0])[:50] for case in WRONG])
def test_wrong(config, code, pointer, part):
    found = findings(call(**config))
    assert {(each.code, each.pointer) for each in found} >= {(code, f"/nodes/1/config{pointer}")}
    assert all(each.node == "a" for each in found)
    assert any(part in each.message for each in found), [each.message for each in found]


def test_an_ambiguous_union_is_one_finding_for_each_place():
    found = codes(call(options=[{"type": "medium"}]))
    assert {pointer for _, pointer in found} <= {"/nodes/1/config/options/0/type", "/nodes/1/config/options/0"}


def test_all_problems_of_one_configuration_are_found():
    assert codes(
        call(sise=1, size=0, mapping={"a": "{{", "b": "{{x}}"}, condition={"field": "a", "operator": "?"})
    ) == [
        ("unknown-key", "/nodes/1/config/sise"),
        ("invalid-value", "/nodes/1/config/size"),
        ("invalid-template", "/nodes/1/config/mapping/a"),
        ("invalid-template", "/nodes/1/config/mapping/b"),
        ("invalid-condition", "/nodes/1/config/condition/operator"),
    ]


@pytest.mark.parametrize(
    ("config", "pointer", "part"),
    [
        ({"provider": "acne"}, "/nodes/1/config/provider", "Did you mean 'acme'?"),
        ({"provider": None}, "/nodes/1/config/provider", "acme"),
    ],
)
def test_an_unknown_block(config, pointer, part):
    finding = only(call(**config))
    assert (finding.code, finding.pointer) == ("unknown-block", pointer)
    assert part in finding.message


def test_a_type_without_blocks():
    finding = only(chain(node("a", "ai")))
    assert (finding.code, finding.pointer) == ("unknown-block", "/nodes/1/config")


def test_a_plugins_mistake_is_a_finding():
    finding = only(chain(node("a", "transform", config={"operation": "broken"})))
    assert (finding.code, finding.pointer) == ("block-failed", "/nodes/1/config")
    assert "KeyError" in finding.message
    assert "secret" not in finding.message


class TestStaticTemplates:
    """Expressions in settings that hold plain values are resolved before the run."""

    @pytest.mark.parametrize(
        "config",
        [
            {"model": "{{variables.model}}"},
            {"size": "{{variables.size}}"},
            {"mode": "{{trigger.mode}}"},
            {"limits": {"x": "{{variables.limit}}"}},
            {"fieldMapping": {"a": "{{variables.path}}"}},
            {"options": [{"type": "slow", "seconds": "{{variables.s}}"}]},
            {"model": "run-{{execution.id}}"},
        ],
    )
    def test_their_types_are_not_checked(self, config):
        assert codes(call(**config)) == []

    @pytest.mark.parametrize("root", ["input.a", "nodes['in'].output.a", "workflow.input.a"])
    def test_they_cannot_read_what_only_the_run_knows(self, root):
        finding = only(call(size="{{" + root + "}}"))
        assert (finding.code, finding.pointer) == ("not-known-before-run", "/nodes/1/config/size")
        assert root.rpartition("output")[2] in finding.message
        assert "variables" in finding.message

    def test_a_secret_belongs_only_where_an_expression_is_resolved_in_the_run(self):
        finding = only(call(headers={"Authorization": "Bearer {{secrets.token}}"}))
        assert (finding.code, finding.pointer) == ("not-known-before-run", "/nodes/1/config/headers/Authorization")

    def test_everything_else_is_checked_beside_them(self):
        assert codes(call(size="{{variables.size}}", mode="fsat")) == [("unknown-value", "/nodes/1/config/mode")]

    @pytest.mark.parametrize("value", ["{{variables.size}}", "{{input.a}}", {"a": "{{input.a}}"}])
    def test_an_unknown_key_is_one_whatever_it_holds(self, value):
        finding = only(call(sise=value))
        assert (finding.code, finding.pointer) == ("unknown-key", "/nodes/1/config/sise")

    def test_the_environment_is_policy(self):
        assert codes(call(model="{{env.MODEL}}"), allow_env=True) == []

    def test_they_are_resolved_in_place(self):
        config = {
            "provider": "acme",
            "size": "{{variables.size}}",
            "mapping": {"a": "{{input.a}}"},
            "options": [{"type": "slow", "seconds": "{{variables.size}}"}, {"type": "fast", "value": "{{input.b}}"}],
            "condition": {"field": "a", "operator": "equals", "value": "{{variables.size}}"},
            "model": "m-{{variables.size}}",
        }
        resolved = resolve_static(CallConfig, config, {"variables": {"size": 7}})
        assert resolved == config | {
            "size": 7,
            "options": [{"type": "slow", "seconds": 7}, {"type": "fast", "value": "{{input.b}}"}],
            "model": "m-7",
        }
        assert config["size"] == "{{variables.size}}"
        assert CallConfig.model_validate(resolved).size == 7


def test_the_fallbacks_of_a_node_do_not_stand_in_the_way():
    assert codes(document([node("in", "input"), node("out", "output", fallback={"value": {"a": 1}})], "in>out")) == []
