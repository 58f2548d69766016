import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumeflow.core.expressions import Path
from lumeflow.kit.objects import deep_merge, without

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.none() | st.integers(0, 9) | st.text(max_size=2) | st.lists(st.integers(0, 9), max_size=2)
OBJECTS = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3), lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=3)
)


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    else:
        yield path, value


def test_objects_are_merged_and_everything_else_replaced():
    below = {"name": "Mira", "company": {"name": "Example Freight", "tags": ["a", "b"]}, "age": 40}
    above = {"company": {"tags": ["c"], "size": 12}, "age": None}
    assert deep_merge(below, above) == {
        "name": "Mira",
        "company": {"name": "Example Freight", "tags": ["c"], "size": 12},
        "age": None,
    }


@RELAXED
@given(OBJECTS, OBJECTS)
def test_merging_keeps_all_of_the_upper_and_what_it_does_not_touch_of_the_lower(below, above):
    merged = deep_merge(below, above)
    kept = dict(leaves(merged))
    for path, value in leaves(above):
        if path and value != {}:
            assert kept[path] == value
    for key in below.keys() - above.keys():
        assert merged[key] == below[key]


@RELAXED
@given(OBJECTS, OBJECTS)
def test_merging_changes_neither_side(below, above):
    before = copy.deepcopy((below, above))
    merged = deep_merge(below, above)
    merged["new"] = 1
    assert (below, above) == before


def test_merging_is_not_limited_by_depth():
    below, above = {}, {}
    for _ in range(5000):
        below, above = {"in": below, "b": 1}, {"in": above, "a": 1}
    merged = deep_merge(below, above)
    for _ in range(5000):
        assert (merged["a"], merged["b"]) == (1, 1)
        merged = merged["in"]


def test_taking_a_key_out():
    record = {"company": {"name": "Example Freight", "size": 12}, "phones": [{"kind": "work", "raw": "555"}], "x": 1}
    before = copy.deepcopy(record)
    assert "x" not in without(record, ["x"])
    assert without(record, ["company", "size"])["company"] == {"name": "Example Freight"}
    assert without(record, ["phones", 0, "raw"])["phones"] == [{"kind": "work"}]
    assert record == before


def test_taking_out_what_is_not_there_gives_the_same_object():
    record = {"company": "Example Freight", "phones": [1]}
    for parts in (["nothing"], ["company", "name"], ["phones", 3, "raw"], ["phones", 0], []):
        assert without(record, parts) == record


@RELAXED
@given(OBJECTS, st.lists(KEYS, min_size=1, max_size=3))
def test_what_was_taken_out_is_gone_and_the_original_is_not_changed(record, parts):
    before = copy.deepcopy(record)
    assert not Path(parts).get(without(record, parts))
    assert record == before
