from array import array

import pytest
from pydantic import ValidationError

from lumeflow.blocks.filter.validation import ValidationFilter
from lumeflow.plugin import ErrorClass
from lumeflow.testing import run_block

VALID = {
    "email": ["mira.holt@example.com", "o'neill+news@example.org", "tomás@example.org", "mira@münchen.example.com"],
    "phone": ["+390255501234", "+44 20 7946 0958", "(02) 5550 1234"],
    "url": ["https://example.com", "http://example.org/team?x=1", "HTTPS://Example.com/"],
    "domain": ["example.com", "münchen.example.com", "Example.ORG"],
    "country": ["IT", "Italia", "DEU"],
    "date": ["2026-01-09", "2026-01-09T10:00:00Z", "2026-01-09T10:00+02:00"],
}
INVALID = {
    "email": ["mira", "mira@", "mira@example", "mira..holt@example.com", "mira@localhost", "a b@example.com",
              "mira@[127.0.0.1]", '"a b"@example.com', "Mira <mira@example.com>", "x" * 255 + "@example.com", 5],
    "phone": ["12", "+39", "call me", "+999 123 456 789"],
    "url": ["example.com", "ftp://example.com", "javascript:alert(1)", "https://", "https://exa mple.com", "mira@example.com"],
    "domain": ["example", "exa mple.com", "-a.example.com", "https://example.com"],
    "country": ["Atlantis", "XX"],
    "date": ["9.1.2026", "2026-13-01", "yesterday"],
}  # fmt: skip


async def validated(records, onFail="skip", **config):  # noqa: N803 - the configuration's own spelling
    config = {"operation": "validate", "onFail": onFail, **config}
    return await run_block(ValidationFilter, config, {"contacts": records})


@pytest.mark.parametrize("kind", VALID)
async def test_each_kind_is_told_from_what_it_is_not(kind):
    rule = {"field": "value", "as": kind} | ({"country": "Italy"} if kind == "phone" else {})
    right, wrong = [{"value": value} for value in VALID[kind]], [{"value": value} for value in INVALID[kind]]
    run = await validated([*right, *wrong], fields=[rule])
    assert run.records == right
    assert len(run.skipped) == len(wrong)


async def test_the_reason_names_field_and_kind_and_no_value():
    rules = [{"field": "work.email", "as": "email"}, {"field": "site", "as": "url", "required": False}]
    records = [{"work": {"email": "mira@"}}, {}, {"work": {"email": "m@example.com"}, "site": "nowhere"}]
    run = await validated(records, fields=rules)
    assert [left.reason for left in run.skipped] == [
        "work.email is not an e-mail address",
        "work.email is missing",
        "site is not a web address with http or https",
    ]


async def test_a_record_without_an_optional_value_passes():
    records = [{}, {"email": None}, {"email": "  "}, {"email": []}]
    run = await validated(records, fields=[{"field": "email", "as": "email", "required": False}])
    assert run.records == records


async def test_every_item_of_a_list_has_to_be_right():
    both, one = {"mails": ["a@example.com", "b@example.com"]}, {"mails": ["a@example.com", "b@"]}
    run = await validated([both, one], fields=[{"field": "mails", "as": "email"}])
    assert run.records == [both]


async def test_phones_are_read_by_the_records_own_country():
    records = [{"phone": "020 7946 0958", "country": "United Kingdom"}, {"phone": "020 7946 0958", "country": "FR"}]
    rule = {"field": "phone", "as": "phone", "countryField": "country"}
    assert (await validated(records, fields=[rule])).records == records[:1]


async def test_a_schema_takes_records_as_they_are():
    schema = {
        "type": "object",
        "properties": {"age": {"$ref": "#/$defs/age"}, "seen": {"type": "string", "format": "date"}},
        "required": ["age"],
        "$defs": {"age": {"type": "integer", "minimum": 18}},
    }
    records = [{"age": 41}, {"age": "41"}, {"age": 3}, {}, {"age": 20, "seen": "soon"}]
    run = await validated(records, schema=schema)
    assert run.records == records[:1]
    assert [left.reason.partition(":")[0] for left in run.skipped][1:] == ["/age", "the value", "/seen"]
    assert not any("soon" in left.reason for left in run.skipped)


async def test_embeddings_are_checked_as_lists_of_numbers():
    record = {"embedding": array("f", [0.5, 1])}
    fits, short = (
        {"properties": {"embedding": {"type": "array", "items": {"type": "number"}, "minItems": n}}} for n in (2, 3)
    )
    assert (await validated([record], schema=fits)).records == [record]
    assert (await validated([record], schema=short)).records == []


async def test_on_fail_error_makes_them_fail():
    run = await validated([{"email": "mira@"}], onFail="error", fields=[{"field": "email", "as": "email"}])
    assert run.skipped == []
    assert run.failed[0].error.error_class is ErrorClass.VALIDATION
    assert str(run.failed[0].error) == "email is not an e-mail address"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "nothing to check"),
        ({"fields": [{"field": "a", "as": "mail"}]}, "email"),
        ({"fields": [{"field": "a", "as": "email", "country": "IT"}]}, "for phones"),
        ({"fields": [{"field": "a", "as": "phone", "country": "Atlantis"}]}, "expected a country"),
        ({"schema": {"type": "text"}}, "not a JSON Schema"),
        ({"schema": {"$ref": "https://example.com/schema.json"}}, "not a JSON Schema"),
        ({"schema": {"pattern": "(?=a)"}}, "not a JSON Schema"),
    ],
)
def test_the_configuration_is_checked(config, reason):
    with pytest.raises(ValidationError, match=reason):
        ValidationFilter.Config.model_validate({"operation": "validate", **config})
