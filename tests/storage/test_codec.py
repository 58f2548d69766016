"""How values are spelled in the database."""

import sys
from array import array
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest

from lumeflow.storage.codec import encode_json, float32_array, float32_bytes, pack, stamp, unpack, unstamp


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 1, 9, 10, tzinfo=UTC), "2026-01-09T10:00:00.000000Z"),
        (datetime(2026, 1, 9, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))), "2026-01-09T09:00:00.000005Z"),
    ],
)
def test_times_are_utc_text_and_come_back(at, text):
    assert stamp(at) == text
    assert unstamp(text) == at


def test_times_sort_as_text():
    times = [datetime(2026, 1, 9, tzinfo=UTC) + timedelta(microseconds=n) for n in (0, 1, 999_999, 10**6, 10**9)]
    assert sorted(map(stamp, times)) == list(map(stamp, times))


@pytest.mark.parametrize(
    ("body", "packed"),
    [
        (b"", 0),
        (b"a" * 1024, 0),  # too short to be worth it
        (b"a" * 1025, 1),
        (bytes(n * n % 251 ^ n * 7 % 256 for n in range(1025)) + b"", 0),
    ],
)
def test_bodies_are_compressed_where_it_pays(body, packed):
    stored, flag = pack(body)
    assert flag == packed
    assert unpack(stored, flag) == body
    assert len(stored) <= len(body)


def test_floats_are_little_endian_on_every_machine(monkeypatch):
    numbers = array("f", [1.0, -2.5])
    little = float32_bytes(numbers)
    assert little.hex() == "0000803f000020c0"
    assert float32_array(little) == numbers
    monkeypatch.setattr(sys, "byteorder", "big")
    assert float32_bytes(numbers).hex() == "3f800000c0200000"
    assert float32_array(float32_bytes(numbers)) == numbers


def test_json_keeps_the_order_of_keys_and_takes_mappings_and_arrays():
    assert encode_json(MappingProxyType({"b": 1, "a": array("f", [0.5])})) == '{"b":1,"a":[0.5]}'
    with pytest.raises(TypeError, match="not JSON"):
        encode_json({"x": object()})
