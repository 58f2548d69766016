"""The invented world: the same in every process, never stored, all of it at example domains, readable by its model."""

import os
import re
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.simulator.model.conform import blank, conform
from lumeflow.simulator.model.extraction import contacts_in
from lumeflow.simulator.model.tasks import comments_in
from lumeflow.simulator.people.comments import comment_at
from lumeflow.simulator.people.person import address_of, company_at, domain_of, folded
from lumeflow.simulator.vendors.apify_items import Feed, Items

URL = "https://www.instagram.com/p/CexampleA1b/"

DIGEST = """
import asyncio, hashlib
from lumeflow.core.http import HttpRequest
from lumeflow.simulator import Simulator, SimulatorSettings, AnswerCut
CALLS = [
    ("POST", "/v2/actors/apify~facebook-comments-scraper/runs", b'{"startUrls": [{"url": "https://e.example/1"}]}'),
    ("POST", "/api/v1/people/match", b'{"first_name": "Lena", "last_name": "Okafor", "email": "l@example.com"}'),
    ("GET", "/v2/email-finder?domain=example.com&full_name=Mira+Holt", b""),
    ("POST", "/v1/embeddings", b'{"model": "mixedbread-ai/mxbai-embed-large-v1", "input": ["a", "b"]}'),
    ("POST", "/api/v1/chat/completions",
     b'{"model": "a/b", "messages": [{"role": "user", "content": "{\\\\"id\\\\":1,\\\\"text\\\\":\\\\"mail me\\\\"}"}]}'),
]
async def main():
    out = hashlib.sha256()
    for rate in (0.0, 0.9):
        simulator = Simulator(SimulatorSettings(latency_scale=0, fault_rate=rate, fault_hang=0))
        for method, path, body in CALLS * 4:
            try:
                headers = {"authorization": "Bearer sim-key", "x-api-key": "sim-key"}
                answer = await simulator.handle(HttpRequest(method, path, headers, body))
                text = answer.body if b"startedAt" not in answer.body else answer.body[:40]
                out.update(repr((answer.status, text)).encode())
            except AnswerCut as cut:
                out.update(str(cut).encode())
    print(out.hexdigest())
asyncio.run(main())
"""


def in_a_process(code: str, **environment: str) -> str:
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_same_in_every_process():
    digests = {in_a_process(DIGEST, PYTHONHASHSEED=seed) for seed in ("0", "1", "4711")}
    assert len(digests) == 1


def test_the_package_does_not_need_the_http_server():
    assert in_a_process("import sys, lumeflow.simulator; print('aiohttp' in sys.modules)") == "False"


def test_a_million_comments_are_not_stored():
    tracemalloc.start()
    try:
        items = Items(Feed(7, "instagram", tuple(f"{URL}{number}" for number in range(100)), 10_000, nested=False))
        ids = set()
        for offset in range(0, 1_000_000, 10_007):
            ids.update(item["id"] for item in items.page(offset, min(offset + 50, 1_000_000)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(items) == 1_000_000
    assert len(ids) == 100 * 50
    assert peak < 4_000_000


@given(st.integers(0, 1000), st.integers(0, 10**6), st.integers(0, 1000))
def test_a_comment_follows_from_seed_post_and_index(seed, index, other_seed):
    assert comment_at(seed, URL, index).text == comment_at(seed, URL, index).text
    if seed != other_seed:
        assert comment_at(seed, URL, index).number != comment_at(other_seed, URL, index).number


@pytest.fixture(scope="module")
def comments():
    return [comment_at(7, URL, index) for index in range(5000)]


def found_in(comment, **fields):
    author = f"{comment.first} {comment.last}"
    asked = {"id": "c1", "author": author, "username": comment.username, "text": comment.text, **fields}
    return contacts_in(asked)


def test_three_in_five_ask_to_be_contacted(comments):
    found = [found_in(comment) for comment in comments]
    contacts = [contact for entry in found for contact in entry]
    assert len(contacts) / len(comments) == pytest.approx(0.59, abs=0.03)
    assert sum(c["email"] is not None for c in contacts) / len(contacts) == pytest.approx(0.52, abs=0.04)
    assert sum(c["phone"] is not None for c in contacts) / len(contacts) == pytest.approx(0.26, abs=0.04)
    assert sum(c["company"] is not None for c in contacts) / len(contacts) > 0.7
    assert all(0 < c["confidence"] <= 1 for c in contacts)


def test_the_model_reads_the_names_right(comments):
    for comment in comments:
        for contact in found_in(comment):
            assert (contact["firstName"], contact["lastName"]) == (comment.first, comment.last)
        for contact in found_in(comment, author=None):
            if "{" not in comment.text and comment.first not in comment.text:
                assert folded(contact["firstName"]) == folded(comment.first)


def test_all_addresses_are_at_example_domains(comments):
    text = " ".join(comment.text for comment in comments)
    domains = {match.rstrip(".") for match in re.findall(r"@([\w.-]+)", text)}
    assert len(domains) > 100
    assert all(re.search(r"(^|\.)example\.(com|org|net)$", domain) for domain in domains)


def test_most_people_are_different(comments):
    assert len({(comment.first, comment.last) for comment in comments}) > 0.97 * len(comments)


@pytest.mark.parametrize(
    ("comment", "contact"),
    [
        ({"text": "nice"}, None),
        ({"text": "my order 12345678901234567 is late"}, None),
        ({"text": "It costs 1200 euros"}, None),
        ({}, None),
        ({"text": "call me"}, None),
        ({"text": "call me", "author": "Zoë"}, ("Zoë", None, None, None, None)),
        ({"text": "call me", "username": "zoe_brown99"}, None),
        ({"text": "call me", "username": "zoe.brown99"}, ("Zoe", "Brown", None, None, None)),
        ({"text": "ask ann.lee@example.org."}, ("Ann", "Lee", "ann.lee@example.org", None, None)),
        (
            {"text": "My name is Ann Lee, +44 20 7946 0123", "author": "Shop"},
            ("Ann", "Lee", None, "+44 20 7946 0123", None),
        ),
        ({"text": "I work at Example Rail.", "author": "Ann Lee"}, ("Ann", "Lee", None, None, "Example Rail")),
        ({"text": None, "author": 5}, None),
    ],
)
def test_extraction_from_comments_that_it_never_served(comment, contact):
    found = contacts_in({"id": 1, **comment})
    fields = ("firstName", "lastName", "email", "phone", "company")
    assert [tuple(entry[name] for name in fields) for entry in found] == ([contact] if contact else [])


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_extraction_reads_anything(text, author, username):
    for contact in contacts_in({"id": 1, "text": text, "author": author, "username": username}):
        assert contact["firstName"] or contact["email"]


def test_hostile_text_is_read_quickly():
    for text in ("a" * 50_000 + "@", "1 " * 25_000, "i work at " + "A " * 20_000, "a.b" * 20_000 + "@x"):
        contacts_in({"id": 1, "text": text})


def test_comments_are_found_among_other_lines():
    prompt = (
        'Comments:\n{"id":"a","text":"x"},\n  {"id":"b"}\n{"text":"no id"}\n{broken\n[1]\n{"id":"a","text":"again"}\n'
    )
    assert [comment["id"] for comment in comments_in(prompt)] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ({"a": None}, {"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"a": ""}),
        ({"a": None}, {"properties": {"a": {"type": "string"}}}, {}),
        ({"a": None}, {"properties": {"a": {"type": ["string", "null"]}}}, {"a": None}),
        ({"a": None}, {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, {"a": None}),
        ({"a": 1, "b": 2}, {"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}),
        ({"a": 1, "b": 2}, {"properties": {"a": {}}}, {"a": 1, "b": 2}),
        ({}, {"properties": {"n": {"type": "integer"}}, "required": ["n"]}, {"n": 0}),
        (
            [{"a": None}],
            {"items": {"$ref": "#/$defs/x"}, "$defs": {"x": {"properties": {"a": {"type": "string"}}}}},
            [{}],
        ),
        ({"a": None}, {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "string"}}}]}, {}),
        ({"a": None}, {"$ref": "#/nowhere"}, {"a": None}),
        ({"a": None}, None, {"a": None}),
    ],
)
def test_answers_obey_the_schema(value, schema, expected):
    assert conform(value, schema, schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": 3}, 3),
        ({"enum": ["x", "y"]}, "x"),
        ({"enum": ["x", None]}, None),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["", ""]),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ""),
        ({"$ref": "#"}, None),
    ],
)
def test_the_emptiest_value_of_a_schema(schema, expected):
    assert blank(schema, schema) == expected


@pytest.mark.parametrize(
    ("first", "last", "address"),
    [
        ("Mira", "Holt-Okafor", "mira.holt-okafor@example.com"),
        ("Łucja", "Świątek", "lucja.swiatek@example.com"),
        ("Þór", "Ægisdóttir", "thor.aegisdottir@example.com"),
        ("İpek", "Işıkçı", "ipek.isikci@example.com"),
        ("Zoë", "O'Neill", "zoe.oneill@example.com"),
        ("美", "山", "contact@example.com"),
    ],
)
def test_addresses_are_plain_ascii(first, last, address):
    assert address_of(first, last, "example.com") == address


def test_a_company_can_be_told_from_its_domain():
    assert company_at(domain_of("Example Blue Gate Rail")) == "Example Blue Gate Rail"
    assert company_at("example.com") is None
