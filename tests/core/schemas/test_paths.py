"""Can a path lead anywhere? A line each."""

import pytest

from lumeflow.core.expressions import compile_path
from lumeflow.core.schemas import SchemaLibrary
from lumeflow.core.schemas.paths import dead_end

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "any": {},
        "from": {"type": "object", "properties": {"user": {"type": "string"}}},
        "closed": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
        "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "maybe": {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "null"}]},
        "one": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "self": {"$ref": "#/schemas/s"},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "pattern": {"type": "object", "patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False},
        "sealed": {
            "allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}],
            "unevaluatedProperties": False,
        },
        "never": False,
    },
}


def end_of(path):
    library = SchemaLibrary({"schemas": {"s": SCHEMA}})
    assert not library.findings
    return dead_end(library, (library.named("s"),), compile_path(path).parts)


@pytest.mark.parametrize(
    "path",
    ["name", "any.x.y", "any[0]", "from.user", "closed.a", "list[0].n", "list[-1]", "maybe.a", "one[0]",
     "self.self.from.user", "map.anything", "pattern.x1", "sealed.a", "sealed.b"],
)  # fmt: skip
def test_these_lead_somewhere(path):
    assert end_of(path) is None


@pytest.mark.parametrize(
    ("path", "index", "reason"),
    [
        ("name.first", 1, "string"),
        ("name[0]", 1, "string"),
        ("from[0]", 1, "object"),
        ("list.n", 1, "array"),
        ("closed.b", 1, "without it"),
        ("map.a.b", 2, "string"),
        ("pattern.y", 1, "without it"),
        ("sealed.c", 1, "without it"),
        ("never", 0, "without it"),
        ("self.closed.zzz", 2, "without it"),
    ],
)
def test_these_lead_nowhere(path, index, reason):
    end = end_of(path)
    assert end is not None
    assert not end.possible
    assert end.index == index
    assert reason in end.reason


@pytest.mark.parametrize(("path", "index"), [("nmae", 0), ("from.usr", 1), ("list[0].m", 2), ("maybe.b", 1)])
def test_these_may_lead_somewhere_though_nothing_says_so(path, index):
    end = end_of(path)
    assert end is not None
    assert end.possible
    assert end.index == index
    assert end.known
