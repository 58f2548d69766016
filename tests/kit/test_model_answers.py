"""What models say, and what is made of it."""

import pytest

from lumeflow.kit.contacts import read_contacts
from lumeflow.kit.models.json_answers import json_in
from lumeflow.kit.replies import UNREADABLE
from lumeflow.kit.schema_check import schema_check


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        ' \n{"a": 1}\n',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}\n```',
        'Here it is:\n\n```json\n{"a": 1}\n```\nAnything else?',
        '```JSON\r\n{"a": 1}\r\n```',
    ],
)
def test_json_is_found(text):
    assert json_in(text) == {"a": 1}


@pytest.mark.parametrize(
    "text",
    ["", "no", '{"a": 1', '```json\n{"a": 1', '{"a": 1} {"b": 2}', '```\n{"a":1}\n```\n```\n{"b":1}\n```', "NaN"],
)
def test_half_an_answer_is_none(text):
    assert json_in(text) is UNREADABLE


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (
            {
                "firstName": " Lena ",
                "lastName": "Okafor",
                "email": "lena@example.com",
                "phone": "+351 21 000 0000",
                "company": "Example  Freight",
                "confidence": 0.9,
            },
            {
                "firstName": "Lena",
                "lastName": "Okafor",
                "email": "lena@example.com",
                "phone": "+351 21 000 0000",
                "company": "Example Freight",
                "confidence": 0.9,
            },
        ),
        (
            {"firstName": "Lena", "lastName": None, "email": "null", "phone": "N/A", "company": ""},
            {"firstName": "Lena"},
        ),
        ({"firstName": "Lena", "email": "lena at example.com"}, {"firstName": "Lena"}),
        ({"firstName": "Lena", "phone": "call me"}, {"firstName": "Lena"}),
        ({"firstName": "Lena", "phone": 351210000000}, {"firstName": "Lena", "phone": "351210000000"}),
        ({"firstName": "Lena", "confidence": 1.7}, {"firstName": "Lena", "confidence": 1.0}),
        ({"firstName": "Lena", "confidence": -1}, {"firstName": "Lena", "confidence": 0.0}),
        ({"firstName": "Lena", "confidence": "0.5"}, {"firstName": "Lena", "confidence": 0.5}),
        ({"firstName": "Lena", "confidence": "1e999"}, {"firstName": "Lena", "confidence": 1.0}),
        ({"firstName": "Lena", "confidence": "high"}, {"firstName": "Lena"}),
        ({"firstName": "Lena", "confidence": True}, {"firstName": "Lena"}),
        ({"firstName": "x" * 201, "lastName": "Okafor"}, {"lastName": "Okafor"}),
        ({"firstName": "Lena", "title": "Boss", "extra": {}}, {"firstName": "Lena"}),
    ],
)
def test_a_contact_holds_what_is_there_and_plausible(given, read):
    assert read_contacts({"id": "c1", "contacts": [given]}) == [read]


@pytest.mark.parametrize("given", [{}, {"confidence": 0.9}, {"company": "Example Freight"}, {"email": "nobody"}])
def test_a_contact_by_which_nobody_is_found_is_none(given):
    assert read_contacts({"contacts": [given]}) == []


@pytest.mark.parametrize("part", [{}, {"contacts": None}, {"contacts": {}}, {"contacts": ["Lena"]}, [], None, "Lena"])
def test_what_is_no_list_of_contacts_is_refused(part):
    with pytest.raises(ValueError, match="must be"):
        read_contacts(part)


def test_a_schema_names_place_and_rule_but_not_the_value():
    check = schema_check({"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}, "required": ["mood"]})

    check({"mood": "good"})
    with pytest.raises(ValueError, match="mood does not satisfy") as caught:
        check({"mood": "Lena"})
    assert "Lena" not in str(caught.value)
    with pytest.raises(ValueError, match="the answer does not satisfy required"):
        check({})


def test_what_is_no_schema_is_refused():
    with pytest.raises(ValueError, match="not a JSON Schema"):
        schema_check({"type": "objekt"})
