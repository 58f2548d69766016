import csv
import io
from array import array

import pytest
from file_outputs import read_back, write, write_in_batches
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.output.csv import CsvOutput
from lumeflow.kit.cells import FORMULA_STARTS, flatten
from lumeflow.plugin import ErrorClass, NodeError, UsageError
from lumeflow.testing import MemoryContext, MemoryFiles

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTACTS = [
    {"name": "Mira", "company": {"name": "Freight, Ltd", "size": 40}},
    {"name": "Tomás", "tags": ["a", "b"], "ok": True, "score": None, "embedding": array("f", [0.5])},
]


def config(**changes):
    return {"destination": "csv", **changes}


async def text_of(payload, **changes):
    _, data = await write(CsvOutput, config(**changes), payload)
    return data.decode()


async def test_all_properties_become_columns_in_the_order_in_which_they_appear():
    run, data = await write(CsvOutput, config(), {"contacts": CONTACTS, "id": 7})
    assert run.output == {"path": "workflow-1-node-1.csv", "recordsCount": 2}
    assert data.decode().split("\r\n") == [
        "name,company.name,company.size,tags,ok,score",
        'Mira,"Freight, Ltd",40,,,',
        'Tomás,,,"[""a"",""b""]",true,',
        "",
    ]


async def test_a_mapping_gives_the_columns_and_their_order():
    mapping = {"E-mail": "{{input.email}}", "Name": "{{uppercase(input.name)}}", "Vector": "{{input.embedding}}"}
    assert await text_of({"contacts": CONTACTS}, mapping=mapping) == (
        "E-mail,Name,Vector\r\n,MIRA,\r\n,TOMÁS,[0.5]\r\n"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"delimiter": ";"}, "a;b\r\n=1;x,y\r\n"),
        ({"delimiter": "\t"}, "a\tb\r\n=1\tx,y\r\n"),
        ({"bom": True}, '\ufeffa,b\r\n=1,"x,y"\r\n'),
    ],
)
async def test_the_form_may_be_chosen(changes, text):
    assert await text_of({"rows": [{"a": "=1", "b": "x,y"}]}, raw=True, **changes) == text


async def test_embeddings_are_written_on_demand():
    payload = {"rows": [{"a": 1, "e": array("f", [0.1, 0.25])}]}
    assert await text_of(payload) == "a\r\n1\r\n"
    assert await text_of(payload, embeddings=True) == 'a,e\r\n1,"[0.1,0.25]"\r\n'


async def test_formulas_are_made_harmless_in_cells_and_names():
    assert await text_of({"rows": [{"@a": "=cmd|'/C calc'!A0", "b": "+39 02", "c": -5}]}) == (
        "'@a,b,c\r\n'=cmd|'/C calc'!A0,'+39 02,-5\r\n"
    )
    mapping = {"=x": "{{input.a}}"}
    assert await text_of({"rows": [{"a": "@b"}]}, mapping=mapping) == "'=x\r\n'@b\r\n"
    assert await text_of({"rows": [{"a": "@b"}]}, mapping=mapping, raw=True) == "=x\r\n@b\r\n"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"id": "aud-1", "n": 1}, "id,n\r\naud-1,1\r\n"),
        ({"contacts": []}, ""),
        ({"contacts": [{}]}, "\r\n"),
    ],
    ids=["no collection", "no records", "no properties"],
)
async def test_payloads_at_the_edge(payload, text):
    _, data = await write(CsvOutput, config(), payload, collection="contacts" if "contacts" in payload else None)
    assert data.decode() == text


async def test_an_empty_collection_has_the_columns_of_the_mapping():
    _, data = await write(CsvOutput, config(mapping={"a": "{{input.a}}"}), {"rows": []}, collection="rows")
    assert data == b"a\r\n"


@pytest.mark.parametrize("changes", [{}, {"mapping": {"n": "{{input.n}}"}}], ids=["all", "mapping"])
@pytest.mark.parametrize(
    "value", [2**70, "\ud83d", {"x": "\ud83d"}, [object()]], ids=["integer", "text", "nested", "object"]
)
async def test_a_record_that_cannot_be_written_fails_alone(changes, value):
    run, data = await write(CsvOutput, config(**changes), {"rows": [{"n": 1}, {"n": value}, {"n": 3}]})
    assert [failed.position for failed in run.failed] == [1]
    assert run.failed[0].error.error_class is ErrorClass.VALIDATION
    assert (data, run.output["recordsCount"]) == (b"n\r\n1\r\n3\r\n", 2)


async def test_an_expression_that_fails_fails_its_record_alone():
    mapping = {"n": "{{input.n * 1}}"}
    run, data = await write(CsvOutput, config(mapping=mapping), {"rows": [{"n": 1}, {"n": "x"}]})
    assert data == b"n\r\n1\r\n"
    assert [(failed.position, failed.error.field) for failed in run.failed] == [(1, "mapping.n")]


@pytest.mark.parametrize("changes", [{}, {"mapping": {"n": "{{input.n}}"}}], ids=["all", "mapping"])
async def test_nothing_appears_before_the_end_and_nothing_stays_after_an_abort(changes):
    ctx = MemoryContext(collection="contacts")
    block = CsvOutput(CsvOutput.Config.model_validate(config(**changes)))
    await block.abort()
    await block.open(ctx)
    await block.process_batch(CONTACTS, ctx)
    assert ctx.files.written == {}
    await block.abort()
    assert ctx.files.written == {}


@pytest.mark.parametrize("changes", [{}, {"mapping": {"n": "{{input.n}}", "m": "{{input.m}}"}}], ids=["all", "mapping"])
async def test_the_cut_into_batches_makes_no_difference(changes):
    records = [{"n": number, "m" if number == 3 else "o": number} for number in range(7)]
    contents = {await write_in_batches(CsvOutput, config(**changes), records, size) for size in (1, 2, 3, 7)}
    assert len(contents) == 1


async def test_a_file_that_cannot_be_made_names_the_config_field():
    class Refusing(MemoryFiles):
        async def create(self, name):
            raise UsageError(f"'{name}' leaves the folder")

    with pytest.raises(NodeError, match=r"config\.path: '\.\./x' leaves the folder"):
        await write(CsvOutput, config(path="../x"), {"a": 1}, ctx=MemoryContext(files=Refusing()))


async def test_a_path_that_is_none_is_refused():
    with pytest.raises(NodeError, match=r"config\.path must be the path of a file; found null"):
        await write(CsvOutput, config(path="{{input.nothing}}"), {"a": 1})


names = st.from_regex(r"[a-zé]{1,4}( [a-z_]{1,3})?", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)
values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
records = st.lists(st.dictionaries(names, values | st.lists(values, max_size=2), max_size=3), min_size=1, max_size=5)


@RELAXED
@given(records=records, delimiter=st.sampled_from(",;\t|"))
async def test_raw_files_are_what_the_standard_library_reads(records, delimiter):
    _, data = await write(CsvOutput, config(raw=True, delimiter=delimiter), {"rows": records}, collection="rows")
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))
    flat = [dict(flatten(record)) for record in records]
    if any(flat):
        assert [_strings(row) for row in rows if any(row.values())] == [_strings(row) for row in flat if _strings(row)]


def _strings(row):
    from lumeflow.kit.cells import cell

    return {name: text for name, value in row.items() if (text := cell(value, raw=True))}


@RELAXED
@given(
    records=st.lists(st.dictionaries(names, texts, min_size=1, max_size=3), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    bom=st.booleans(),
)
async def test_texts_are_read_back_by_an_upload_guards_and_all(records, delimiter, bom):
    _, data = await write(CsvOutput, config(delimiter=delimiter, bom=bom), {"rows": records}, collection="rows")
    header = list(dict.fromkeys(name for record in records for name in record))
    assume(all([record.get(name, "") for name in header] != header for record in records if len(header) > 1))
    found = await read_back(data, "x.csv", header=True, delimiter=delimiter, encoding="utf-8")
    kept = [{name: text for name, text in record.items() if text.strip()} for record in records]
    assert found == [{name: _unguarded(record[name]) for name in header if name in record} for record in kept if record]


def _unguarded(text):
    """`'=x` was written as it is, and is read as a guarded `=x`: the one text that is not read back as it was."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


@pytest.mark.parametrize("wrong", [{"delimiter": "::"}, {"mapping": {}}, {"path": "{{x}}"}, {"bomb": True}])
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        CsvOutput.Config.model_validate(config(**wrong))
