import pytest

from lumeflow.kit.payloads import split_payload
from lumeflow.plugin import UsageError

CONTACTS = [{"name": "Mira"}, {"name": "Tomás"}]


@pytest.mark.parametrize(
    ("payload", "name", "fields", "collection", "records"),
    [
        ({}, None, {}, None, []),
        ({"a": 1}, None, {"a": 1}, None, []),
        ({"a": 1, "contacts": CONTACTS}, None, {"a": 1}, "contacts", CONTACTS),
        ({"contacts": CONTACTS, "tags": ["x"], "none": []}, None, {"tags": ["x"], "none": []}, "contacts", CONTACTS),
        ({"mixed": [{"a": 1}, 2]}, None, {"mixed": [{"a": 1}, 2]}, None, []),
        ({"a": CONTACTS, "b": CONTACTS}, None, {"a": CONTACTS, "b": CONTACTS}, None, []),
        ({"a": CONTACTS, "b": CONTACTS}, "b", {"a": CONTACTS}, "b", CONTACTS),
        ({"contacts": []}, "contacts", {}, "contacts", []),
        ({"contacts": None}, "contacts", {}, "contacts", []),
        ({"a": 1}, "contacts", {"a": 1}, "contacts", []),
    ],
    ids=[
        "empty",
        "fields only",
        "the one list of objects",
        "other lists are fields",
        "a mixed list is a field",
        "of several unnamed ones, none",
        "the named one",
        "named and empty",
        "named and null",
        "named and absent",
    ],
)
def test_a_payload_is_cut_into_fields_and_records(payload, name, fields, collection, records):
    found = split_payload(payload, name)
    assert (found.fields, found.collection, list(found.records)) == (fields, collection, records)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("mira@example.com", "found a string"),
        ({"name": "Mira"}, "found an object"),
        (True, "found a boolean"),
        (3.5, "found a number"),
        ([{"a": 1}, 7], "element 1 is a number"),
        ([{"a": 1}, [2]], "element 1 is a list"),
        ([None], "element 0 is null"),
    ],
)
def test_a_named_collection_that_is_no_list_of_objects_is_refused_without_its_data(value, found):
    with pytest.raises(UsageError, match=f"'contacts' must be a list of objects; {found}") as caught:
        split_payload({"contacts": value}, "contacts")
    assert "mira" not in str(caught.value)


def test_the_payload_itself_is_left_alone():
    payload = {"a": 1, "contacts": CONTACTS}
    split_payload(payload)
    assert payload == {"a": 1, "contacts": CONTACTS}
