import gzip

import pytest

from lumeflow.kit.readers.layout import Layout
from lumeflow.kit.readers.opening import ReadOptions, plan_reading
from lumeflow.kit.readers.rows import FileRefused


def layout(data, name, **options):
    return plan_reading(data, name, ReadOptions(**options)).layout


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (b"name,email\n", "people.csv", Layout.CSV),
        (b"name,email\n", "PEOPLE.CSV", Layout.CSV),
        (b"[name],email\n", "people.csv", Layout.CSV),
        (b"name\temail\n", "people.tsv", Layout.TSV),
        (b"name\temail\n", "people.tab", Layout.TSV),
        (b"[]", "people.json", Layout.JSON),
        (b'{"a": 1}\n{"a": 2}\n', "people.json", Layout.JSONL),
        (b'{"a": 1}', "people.ndjson", Layout.JSONL),
        (b"name,email\n", "people.txt", Layout.CSV),
        (b"name,email\n", "people", Layout.CSV),
        (b' [{"a": 1}]', "people.txt", Layout.JSON),
        (b'{"a": 1}\n{"a": 2}', "people", Layout.JSONL),
        (b"PAR1....", "people.dat", Layout.PARQUET),
        (gzip.compress(b"name,email\n"), "people.csv.gz", Layout.CSV),
        (gzip.compress(b'[{"a": 1}]'), "download", Layout.JSON),
        (gzip.compress(b'{"a": 1}'), "people.jsonl.gz", Layout.JSONL),
        ("[]".encode("utf-16"), "people", Layout.JSON),
    ],
)
def test_the_layout_is_found_out_by_name_and_beginning(data, name, found):
    assert layout(data, name) is found


def test_the_layout_may_be_given():
    assert layout(b'{"a": 1}', "people.json", layout=Layout.JSONL) is Layout.JSONL


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"PK\x03\x04rest", "people.xlsx", "it is an Excel workbook or another ZIP archive: save its sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "people.csv", "it is an old Excel workbook"),
        (b"%PDF-1.7", "people.csv", "it is a PDF"),
        (b"BZh91AY", "people.csv.bz2", "it is packed by bzip2"),
        (gzip.compress(gzip.compress(b"x")), "people.csv.gz", "it is packed by gzip twice"),
        (b"<!DOCTYPE html><html>", "people.csv", "it is a web page"),
        (b"\n<html><body>", "people.json", "it is a web page"),
        (b'<?xml version="1.0"?>', "people", "it is a web page"),
        (b"name,email\n", "people.parquet", "it is not Parquet: it does not begin with 'PAR1'"),
        (b"\x1f\x8b\x09 damaged", "people.csv.gz", "the gzip data are damaged"),
    ],
)
def test_what_is_no_file_of_rows_is_told_with_the_remedy(data, name, message):
    with pytest.raises(FileRefused) as caught:
        layout(data, name)
    assert str(caught.value).startswith(message)


def test_a_layout_that_is_contradicted_is_refused():
    with pytest.raises(FileRefused, match="it is Parquet, not csv: correct 'format'"):
        layout(b"PAR1....", "people", layout=Layout.CSV)
