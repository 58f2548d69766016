"""What templates render to."""

import threading

import pytest

from lumeflow.core.expressions import (
    EvaluationError,
    ExpressionError,
    MissingPathError,
    Reference,
    compile_template,
)

SCOPE = {
    "input": {
        "email": "mira.holt@example.com",
        "from": {"username": "mira", "name": "Mira Holt"},
        "urls": ["https://example.com/a", "https://example.com/b"],
        "code": "007",
        "count": 3,
        "ratio": 1.0,
        "half": 0.5,
        "active": True,
        "nothing": None,
        "not": "a field named like an operator",
        "true": "a field named like a constant",
        "first name": "Mira",
        "phones": [{"number": "1"}, {"number": "2"}],
    },
    "nodes": {"llm-1": {"output": {"metadata": {"totalContacts": 7}}}},
    "workflow": {"input": {"id": "aud-1"}},
    "variables": {"index": 1, "field": "email"},
    "execution": {"id": "ex-1", "now": "2026-01-09T10:00:00Z"},
    "trigger": {"sourceAudienceId": "aud-1"},
    "env": {"REGION": "eu"},
}


def render(value, **options):
    return compile_template(value, **options).render(SCOPE)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{input.email}}", "mira.holt@example.com"),
        ("{{ input.email }}", "mira.holt@example.com"),
        ("{{input.from.username}}", "mira"),
        ("{{input.not}}", "a field named like an operator"),
        ("{{input.true}}", "a field named like a constant"),
        ("{{input['first name']}}", "Mira"),
        ('{{input["first name"]}}', "Mira"),
        ("{{input.phones[0].number}}", "1"),
        ("{{input.phones[-1].number}}", "2"),
        ("{{input.phones[variables.index].number}}", "2"),
        ("{{input[variables.field]}}", "mira.holt@example.com"),
        ("{{nodes['llm-1'].output.metadata.totalContacts}}", 7),
        ("{{nodes['llm-1'].output.metadata}}", {"totalContacts": 7}),
        ("{{workflow.input.id}}", "aud-1"),
        ("{{trigger}}", {"sourceAudienceId": "aud-1"}),
        ("{{execution.id}}", "ex-1"),
    ],
)
def test_a_path_gives_what_lies_there(template, expected):
    assert render(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{input.urls}}", ["https://example.com/a", "https://example.com/b"]),
        ("  {{input.count}}\n", 3),
        ("{{input.active}}", True),
        ("{{input.nothing}}", None),
        ("{{input.code}}", "007"),
    ],
)
def test_one_expression_keeps_the_native_type(template, expected):
    rendered = render(template)
    assert rendered == expected
    assert type(rendered) is type(expected)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{input.from.name}}!", "Hi Mira Holt!"),
        ("{{input.from.name}} <{{input.email}}>", "Mira Holt <mira.holt@example.com>"),
        ("{{input.code}}{{input.count}}", "0073"),
        ("[{{input.nothing}}{{input.absent}}]", "[]"),
        ("active: {{input.active}}", "active: true"),
        ("n={{input.ratio}}, {{input.half}}", "n=1, 0.5"),
        ("p {{input.phones}}", 'p [{"number":"1"},{"number":"2"}]'),
        ("v {{ {'b': [1.0, null], 'a': 'é'} }}", 'v {"a":"é","b":[1,null]}'),
    ],
)
def test_mixed_text_gives_text(template, expected):
    assert render(template) == expected


def test_rendered_text_is_never_read_again():
    scope = {"input": {"name": "{{secrets.apiKey}}", "code": "{{1 + 1}}"}}
    assert compile_template("{{input.name}}").render(scope) == "{{secrets.apiKey}}"
    assert compile_template("a {{input.code}}").render(scope) == "a {{1 + 1}}"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (r"\{{input.email}}", "{{input.email}}"),
        (r"a \{{ b", "a {{ b"),
        (r"\\{{input.count}}", "\\3"),
        (r"\\\{{input.count}}", "\\{{input.count}}"),
        (r"C:\dir {{input.count}}", r"C:\dir 3"),
        ("{{'{{'}}x{{'}}'}}", "{{x}}"),
        ("a }} b { c", "a }} b { c"),
        ("{{{'a': {'b': 1}}}}", {"a": {"b": 1}}),
        ("{{{'a': 1}['a']}}", 1),
    ],
)
def test_braces_can_be_text(template, expected):
    assert render(template) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{input.absent}}",
        "{{input.absent.further.down}}",
        "{{input.phones[7].number}}",
        "{{input.phones[-3]}}",
        "{{input.phones.number}}",
        "{{input.email.length}}",
        "{{input.email[0]}}",
        "{{input.count.real}}",
        "{{input[0]}}",
        "{{input.phones['0']}}",
        "{{input[input.nothing]}}",
        "{{nodes['other'].output}}",
        "{{variables.x.y}}",
    ],
)
def test_a_missing_path_is_null_and_in_strict_mode_an_error(template):
    compiled = compile_template(template)
    assert compiled.render(SCOPE) is None
    with pytest.raises(MissingPathError):
        compiled.render(SCOPE, strict=True)


def test_the_error_of_a_missing_path_names_it():
    with pytest.raises(MissingPathError) as caught:
        compile_template("Hi {{input.from['family name'][2]}}").render(SCOPE, strict=True)
    assert caught.value.path == "input.from['family name'][2]"
    assert caught.value.position == 5
    assert "nothing at input.from['family name'][2]" in str(caught.value)
    assert "Mira" not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{input.nothing}}", None),
        ("{{input.absent ?? 'none'}}", "none"),
        ("{{input.absent ?? null}}", None),
        ("{{default(input.absent, 'none')}}", "none"),
        ("{{coalesce(input.absent, input.email)}}", "mira.holt@example.com"),
        ("{{exists(input.absent)}}", False),
        ("{{if(true, 'yes', input.absent)}}", "yes"),
    ],
)
def test_strict_mode_accepts_null_and_whatever_is_provided_for(template, expected):
    assert compile_template(template).render(SCOPE, strict=True) == expected


def test_the_last_resort_of_a_coalescence_can_still_be_missing():
    with pytest.raises(MissingPathError):
        compile_template("{{input.absent ?? input.alsoAbsent}}").render(SCOPE, strict=True)


def test_a_whole_configuration_is_one_template():
    value = {
        "url": "{{input.urls}}",
        "limit": 100,
        "body": {"to": ["{{input.email}}", "office@example.org"], "text": "Hi {{input.from.name}}"},
        "flags": [True, None, 1.5],
    }
    assert render(value) == {
        "url": SCOPE["input"]["urls"],
        "limit": 100,
        "body": {"to": ["mira.holt@example.com", "office@example.org"], "text": "Hi Mira Holt"},
        "flags": [True, None, 1.5],
    }
    assert list(render(value)) == ["url", "limit", "body", "flags"]


def test_each_rendering_is_a_new_value():
    compiled = compile_template({"a": [1], "b": {"c": "{{input.count}}"}})
    first = compiled.render(SCOPE)
    first["a"].append(2)
    first["b"]["c"] = "changed"
    assert compiled.render(SCOPE) == {"a": [1], "b": {"c": 3}}
    assert compiled.source == {"a": [1], "b": {"c": "{{input.count}}"}}


def test_lists_written_in_an_expression_are_new_each_time():
    compiled = compile_template("{{[1, 2]}}")
    compiled.render({}).append(3)
    assert compiled.render({}) == [1, 2]


def test_a_template_tells_what_it_reads():
    compiled = compile_template(
        {"a/b": "x {{uppercase(input.from.name)}}", "c": ["{{nodes['llm-1'].output[input.i].x}}", "{{now()}}"]}
    )
    assert compiled.references == (
        Reference("input", ("from", "name"), 14, "/a~1b"),
        Reference("nodes", ("llm-1", "output"), 2, "/c/0"),
        Reference("input", ("i",), 24, "/c/0"),
        Reference("execution", ("now",), 2, "/c/1"),
    )
    assert compiled.functions == {"uppercase", "now"}
    assert compiled.secrets == frozenset()
    assert not compiled.is_constant


@pytest.mark.parametrize("value", ["plain", 5, None, ["a", {"b": True}], "{{1 + 1}}", "{{uppercase('a')}}", r"\{{x}}"])
def test_what_reads_nothing_is_constant(value):
    assert compile_template(value).is_constant


def test_env_needs_permission():
    assert render("{{env.REGION}}", allow_env=True) == "eu"
    with pytest.raises(ExpressionError, match="environment variables may not be read here"):
        compile_template("{{env.REGION}}")


def test_other_roots_can_be_given():
    assert compile_template("{{user.profile.name}}", roots=["user"]).render({"user": {"profile": {"name": "M"}}}) == "M"
    with pytest.raises(ExpressionError, match="unknown name 'input'"):
        compile_template("{{input.x}}", roots=["user"])


def test_what_is_not_json_is_handed_on_but_never_shown():
    marker = object()
    assert compile_template("{{input}}").render({"input": marker}) is marker
    with pytest.raises(EvaluationError, match="isn't JSON"):
        compile_template("a {{input}}").render({"input": marker})


def test_templates_are_used_by_several_threads_at_once():
    compiled = compile_template("{{input.n}}: {{padStart(input.n, 3000, 'x')}}")
    wrong = []

    def work(n):
        expected = f"{n}: {'x' * 2999}{n}"
        wrong.extend(n for _ in range(200) if compiled.render({"input": {"n": n}}) != expected)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
