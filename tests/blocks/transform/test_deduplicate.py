import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.transform.deduplicate import Deduplicate
from lumeflow.blocks.transform.deduplicate_best import DeduplicateBest
from lumeflow.core.registry import Registry
from lumeflow.kit.duplicates import name_index
from lumeflow.kit.duplicates.key_index import KeyIndex
from lumeflow.kit.duplicates.matching import Matcher
from lumeflow.plugin import BlockType, NodeError
from lumeflow.testing import run_block

RELAXED = settings(deadline=None, max_examples=120)


async def first_of(rows, **config):
    config = {"operation": "deduplicate", **config}
    return await run_block(Deduplicate, config, {"rows": rows}, collection="rows")


async def best_run(rows, **config):
    config = {"operation": "deduplicate", **config}
    return await run_block(DeduplicateBest, config, {"in": {"rows": rows}}, collection="rows")


async def best_of(rows, **config):
    return (await best_run(rows, **config)).records


def people(*emails):
    return [{"n": n, "email": email} for n, email in enumerate(emails)]


def kept(records):
    return [record["n"] for record in records]


async def test_the_first_of_equal_records_passes_unchanged():
    rows = people("mira@example.com", "tomas@example.org", " MIRA@Example.com", "tomas@example.org", "aiko@example.net")
    run = await first_of(rows, keys=["email"])
    assert run.records == [rows[0], rows[1], rows[4]]
    assert [(left.position, left.reason) for left in run.skipped] == [
        (2, "a duplicate of record 0"),
        (3, "a duplicate of record 1"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Mira Holt", "mira  holt ", True),
        ("STRASSE", "straße", True),
        ("cafe\u0301", "café", True),
        ("cafe", "café", False),
        (7, "7", True),
        (7.0, 7, True),
        (7, 7.5, False),
        (["a", 1], ["a", 1], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (True, 1, False),
        ("a b", "ab", False),
    ],
)
async def test_what_equal_means(one, other, equal):
    run = await first_of([{"key": one}, {"key": other}], keys=["key"])
    assert len(run.records) == (1 if equal else 2)


async def test_capitals_count_if_wanted():
    rows = people("mira@example.com", "MIRA@example.com")
    assert kept((await first_of(rows, keys=["email"], matchCase=True)).records) == [0, 1]


async def test_all_keys_must_be_equal_or_one_as_configured():
    rows = [
        {"n": 0, "email": "mira@example.com", "phone": "1"},
        {"n": 1, "email": "mira@example.com", "phone": "2"},
        {"n": 2, "email": "tomas@example.org", "phone": "2"},
        {"n": 3, "email": "mira@example.com", "phone": "1"},
        {"n": 4, "phone": "2"},
        {"n": 5, "name": "Aiko"},
    ]
    assert kept((await first_of(rows, keys=["email", "phone"])).records) == [0, 1, 2, 4, 5]
    assert kept((await first_of(rows, keys=["email", "phone"], match="any")).records) == [0, 5]


async def test_values_of_different_keys_are_not_mixed_up():
    rows = [
        {"n": 0, "a": "x", "b": "y"},
        {"n": 1, "a": "y", "b": "x"},
        {"n": 2, "a": "x y", "b": "z"},
        {"n": 3, "a": "x", "b": "y z"},
    ]
    assert len((await first_of(rows, keys=["a", "b"])).records) == 4
    assert len((await first_of(rows, keys=["a", "b"], match="any")).records) == 3


@pytest.mark.parametrize(("missing", "count"), [("keep", 4), ("skip", 1)])
async def test_records_without_a_key(missing, count):
    rows = people("mira@example.com", None, "  ", [])
    run = await first_of(rows, keys=["email"], missing=missing)
    assert len(run.records) == count
    assert {left.reason for left in run.skipped} <= {"it can't be compared: it lacks a key or the name"}


FUZZY = {"keys": ["domain"], "fuzzy": {"fields": ["first", "last"]}}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (("John", "Smith"), ("Jon", "Smith"), True),
        (("John", "Smith"), ("SMITH", "john"), True),
        (("José", "Núñez"), ("Jose", "Nunez"), True),
        (("Jörg", "Müller-Holt"), ("Jorg", "Muller Holt"), True),
        (("Yon", "Bergstrom-Holt"), ("Jon", "Bergstrom Holt"), True),
        (("John", "Smith"), ("Jane", "Smith"), False),
        (("Мария", "Иванова"), ("Мария", "Иваноба"), True),
        (("李", "伟"), ("王", "伟"), False),
    ],
)
async def test_names_that_are_alike(one, other, alike):
    rows = [{"domain": "example.com", "first": first, "last": last} for first, last in (one, other)]
    run = await first_of(rows, **FUZZY)
    assert len(run.records) == (1 if alike else 2)
    elsewhere = [rows[0], {**rows[1], "domain": "example.org"}]
    assert len((await first_of(elsewhere, **FUZZY)).records) == 2


async def test_likeness_is_not_handed_on_from_name_to_name():
    rows = [{"domain": "x", "first": first, "last": "Bergstrom"} for first in ("Anna", "Hanna", "Hannah", "Johannah")]
    run = await first_of(rows, keys=["domain"], fuzzy={"fields": ["first", "last"], "threshold": 0.95})
    assert [row["first"] for row in run.records] == ["Anna", "Hannah", "Johannah"]


async def test_a_key_that_tells_too_few_records_apart_ends_the_node(monkeypatch):
    monkeypatch.setattr(name_index, "MOST_NAMES", 3)
    rows = [{"domain": "x", "first": first, "last": ""} for first in ("Abc", "Defg", "Hijkl", "Mnopqr", "Stuvwxy")]
    with pytest.raises(NodeError, match="add a key"):
        await first_of(rows, **FUZZY)


@RELAXED
@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=8), st.sampled_from([1, 5, 1000]))
def test_on_disk_as_in_memory_a_key_leads_to_its_first_record(batches, in_memory):
    index = KeyIndex(in_memory)
    first, ordinal = {}, 0
    for batch in batches:
        ordinals = list(range(ordinal, ordinal + len(batch)))
        expected = [first.setdefault(key, at) for key, at in zip(batch, ordinals, strict=True)]
        assert index.first_with([bytes([key]) for key in batch], ordinals) == expected
        ordinal += len(batch)
    index.close()


ROWS = st.lists(
    st.fixed_dictionaries({"a": st.sampled_from([None, "x", "y", "z"]), "b": st.sampled_from([None, "x", "y", "z"])}),
    max_size=14,
)


@RELAXED
@given(ROWS, st.sampled_from([1, 2, 100]))
async def test_how_batches_are_cut_makes_no_difference(rows, size):
    config = Deduplicate.Config.model_validate({"operation": "deduplicate", "keys": ["a", "b"], "match": "any"})
    whole, cut = Matcher(config), Matcher(config, in_memory=2)
    pieces = [placed for start in range(0, len(rows), size) for placed in cut.place(rows[start : start + size])]
    assert pieces == whole.place(rows)


@RELAXED
@given(ROWS, st.sampled_from(["last", "mostComplete", "merge"]))
async def test_what_any_key_connects_becomes_one_record(rows, keep):
    numbered = [{**row, "n": n} for n, row in enumerate(rows)]
    groups = {n: {n} for n in range(len(rows))}
    for one in numbered:
        for other in numbered:
            if any(one[key] and one[key] == other[key] for key in "ab"):
                joined = groups[one["n"]] | groups[other["n"]]
                for member in joined:
                    groups[member] = joined
    found = await best_of(numbered, keys=["a", "b"], match="any", keep=keep, countField="size")
    distinct = sorted({tuple(sorted(group)) for group in groups.values()})
    assert sorted(record["size"] for record in found) == sorted(map(len, distinct))
    if keep == "last":
        assert kept(found) == sorted(group[-1] for group in distinct)
    if keep == "merge":
        assert kept(found) == [group[0] for group in distinct]
    assert sorted(kept(found)) == kept(found)


VERSIONS = [
    {"n": 0, "email": "mira@example.com", "name": "Mira", "tags": ["a"], "company": {"name": "Example"}},
    {"n": 1, "email": "tomas@example.org"},
    {
        "n": 2,
        "email": "mira@example.com",
        "name": "",
        "phone": "1",
        "tags": ["b", "a"],
        "company": {"size": 4, "name": "X"},
    },
    {"n": 3, "email": "mira@example.com", "name": "M. Holt"},
]


@pytest.mark.parametrize(("keep", "numbers"), [("last", [1, 3]), ("mostComplete", [1, 2])])
async def test_one_of_several_versions_is_kept_in_its_place(keep, numbers):
    found = await best_of(VERSIONS, keys=["email"], keep=keep)
    assert found == [VERSIONS[number] for number in numbers]


@pytest.mark.parametrize(
    ("options", "merged"),
    [
        ({}, {"n": 0, "name": "Mira", "tags": ["a"], "company": {"name": "Example", "size": 4}, "phone": "1"}),
        (
            {"prefer": "last"},
            {"n": 3, "name": "M. Holt", "tags": ["b", "a"], "company": {"size": 4, "name": "X"}, "phone": "1"},
        ),
        (
            {"prefer": "mostComplete"},
            {"n": 2, "name": "Mira", "tags": ["b", "a"], "company": {"size": 4, "name": "X"}, "phone": "1"},
        ),
        (
            {"lists": "union"},
            {"n": 0, "name": "Mira", "tags": ["a", "b"], "company": {"name": "Example", "size": 4}, "phone": "1"},
        ),
    ],
)
async def test_all_versions_become_one(options, merged):
    found = await best_of(VERSIONS, keys=["email"], keep="merge", **options)
    assert found == [{"email": "mira@example.com", **merged}, VERSIONS[1]]


async def test_nothing_is_changed_in_place_and_vectors_stay_whole():
    rows = [{"k": 1, "v": [0.5, 1], "o": {"a": 1}}, {"k": 1, "v": [2, 3], "o": {"b": 2}}]
    before = [{**row, "o": dict(row["o"])} for row in rows]
    assert await best_of(rows, keys=["k"], keep="merge", lists="union") == [
        {"k": 1, "v": [0.5, 1], "o": {"a": 1, "b": 2}}
    ]
    assert rows == before


@pytest.mark.parametrize(("missing", "count"), [("keep", 3), ("skip", 1)])
async def test_the_best_of_records_without_a_key(missing, count):
    rows = people("mira@example.com", None, "")
    assert len(await best_of(rows, keys=["email"], keep="last", missing=missing)) == count


@pytest.mark.parametrize(
    ("keep", "numbers", "left_out"),
    [
        ("last", [3], [(0, "a duplicate of record 3"), (1, "a duplicate of record 3"), (2, "it can't be compared")]),
        (
            "mostComplete",
            [1],
            [(0, "a duplicate of record 1"), (2, "it can't be compared"), (3, "a duplicate of record 1")],
        ),
        ("merge", [0], [(2, "it can't be compared")]),
    ],
)
async def test_what_is_left_out_is_listed_with_the_reason(keep, numbers, left_out):
    rows = people("a@example.com", "a@example.com", None, "a@example.com")
    rows[1]["phone"] = "+390255501234"
    run = await best_run(rows, keys=["email"], keep=keep, missing="skip")
    assert kept(run.records) == numbers
    assert [(skipped.position, skipped.reason.partition(":")[0]) for skipped in run.skipped] == left_out


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"keys": []}, "at least 1"),
        ({"keys": ["a"], "match": "any", "fuzzy": {"fields": ["b"]}}, "goes with 'match' 'all'"),
        ({"keys": ["a"], "fuzzy": {"fields": []}}, "at least 1"),
        ({"keys": ["a"], "keep": "frist"}, "expected one of first, last"),
        ({"keys": ["a"], "key": "b"}, "Extra inputs"),
    ],
)
def test_the_configuration_is_checked(config, reason):
    with pytest.raises(ValidationError, match=reason):
        Deduplicate.Config.model_validate({"operation": "deduplicate", **config})


def test_keep_chooses_the_block():
    registry = Registry()
    registry.add_block(Deduplicate)
    registry.add_block(DeduplicateBest)
    for keep, block in (
        (None, Deduplicate),
        ("first", Deduplicate),
        ("merge", DeduplicateBest),
        ("last", DeduplicateBest),
    ):
        config = {"operation": "deduplicate"} | ({"keep": keep} if keep else {})
        assert registry.resolve(BlockType.TRANSFORM, config) is block
