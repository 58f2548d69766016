import math
import struct
from array import array

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumeflow.kit.json_text import dump_json, float32_json

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.5, "0.5"),
        (1.0, "1"),
        (-2.25, "-2.25"),
        (16777216.0, "16777216"),
        (0.012345679, "0.012345679"),
        (1e-5, "1e-05"),
        (3.4028235e38, "3.4028235e+38"),
    ],
)
def test_a_number_has_as_few_digits_as_it_needs(value, text):
    assert float32_json(array("f", [value])) == f"[{text}]".encode()


@RELAXED
@given(st.lists(FLOATS, max_size=60))
def test_the_same_32_bit_floats_are_read_back(values):
    vector = array("f", values)
    assert array("f", orjson.loads(float32_json(vector))) == vector


@RELAXED
@given(FLOATS)
def test_one_digit_fewer_would_be_another_float(value):
    text = float32_json(array("f", [value])).decode().strip("[]")
    digits = len(text.split("e")[0].strip("-").replace(".", "").strip("0"))
    if digits > 7:
        shorter = float(f"%.{digits - 1}g" % value)
        assert struct.pack("f", shorter) != struct.pack("f", value)


def test_what_json_does_not_have_becomes_null():
    assert orjson.loads(float32_json(array("f", [1.0, math.nan, math.inf]))) == [1.0, None, None]


def test_an_empty_vector_is_an_empty_list():
    assert float32_json(array("f")) == b"[]"


def test_vectors_are_written_wherever_they_are():
    value = {"name": "Mïra", "embedding": array("f", [0.25, 0.5]), "more": [{"vector": array("f", [1.5])}]}
    assert dump_json(value) == '{"name":"Mïra","embedding":[0.25,0.5],"more":[{"vector":[1.5]}]}'.encode()


@pytest.mark.parametrize("value", [2**64, {1: 2}, object(), array("d", [1.0])])
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(TypeError):
        dump_json({"value": value})
