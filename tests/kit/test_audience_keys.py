"""Meta's rules for identifiers: the vendor's vectors, and the traps in which its own SDK is caught."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.audience_keys import AUDIENCE_KEYS, UNHASHED, audience_row, hashed_key, normalized_key

HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("key", "value", "country", "normalized", "digest"),
    [
        ("EMAIL", " Jane.Doe@Example.com ", None, "jane.doe@example.com", "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"),
        ("PHONE", "+49 (0)1511 2345678", "DE", "4915112345678", "8efb96404be52f6109b9db0f687274a81e9e3cc23fabd6f0da5d38baa3d2facd"),
        ("PHONE", "(415) 555-0132", "US", "14155550132", "11072303eb5c8cb5c5a1ebb762f11b37b07131265b46fdfe1276196bfbd3ca51"),
        ("FN", "José", None, "josé", "d994e1d001886fe5b45b1267bd1fa2b752ac50742579bd3dad7b2a2aa0ed6866"),
        ("LN", "Doe", None, "doe", "799ef92a11af918e3fb741df42934f3b568ed2d93ac1df74f1b8d41a27932a6f"),
        ("CT", "New York", None, "newyork", "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5"),
        ("ST", "CA", None, "ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"),
        ("ST", "CA", "US", "ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"),
        ("ZIP", "94105-1234", None, "94105", "e73ac16e69f060ee98b0fda5f66f48c4648ee26950e9bab3a097389853fd859e"),
        ("ZIP", "94105-1234", "US", "94105", "e73ac16e69f060ee98b0fda5f66f48c4648ee26950e9bab3a097389853fd859e"),
        ("COUNTRY", "DE", None, "de", "959a45d44e6fcf58361ed004681556fe50129f2109e817dec098c00c9e5d2578"),
        ("GEN", "F", None, "f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"),
    ],
)  # fmt: skip
def test_the_vendors_vectors(key, value, country, normalized, digest):
    assert normalized_key(key, value, country) == normalized
    assert hashed_key(key, normalized) == digest


@pytest.mark.parametrize(
    ("key", "value", "country", "normalized"),
    [
        ("EMAIL", "Mira Holt <Mira.Holt@Example.com>", None, "mira.holt@example.com"),
        ("EMAIL", "Müller@Example.com", None, "müller@example.com"),
        ("EMAIL", "not an address", None, ""),
        ("PHONE", "0039 02 5550 1234", None, "390255501234"),
        ("PHONE", "02 5550 1234", "IT", "390255501234"),
        ("PHONE", "02 5550 1234", None, ""),
        ("PHONE", "12", "IT", ""),
        ("FN", "Jose\u0301", None, "josé"),
        ("FN", "Ann-Marie", None, "annmarie"),
        ("LN", "O'Neill Jr.", None, "oneilljr"),
        ("LN", "山田", None, "山田"),
        ("LN", "Иванов", None, "иванов"),
        ("LN", "...", None, ""),
        ("FI", "Élodie", None, "é"),
        ("GEN", "Female", None, "f"),
        ("GEN", "x", None, ""),
        ("DOBY", 1990, None, "1990"),
        ("DOBY", "90", None, ""),
        ("DOBM", "3", None, "03"),
        ("DOBM", 13, None, ""),
        ("DOBD", "07", None, "07"),
        ("DOBD", "32", None, ""),
        ("CT", "Saint-Étienne 2", None, "saintétienne"),
        ("ST", "California", "US", "ca"),
        ("ST", "N.Y.", "US", "ny"),
        ("ST", "Somewhere", "US", ""),
        ("ST", "Île-de-France", "FR", "îledefrance"),
        ("ZIP", "94105", "US", "94105"),
        ("ZIP", "941", "US", ""),
        ("ZIP", "SW1A 1AA", "GB", "sw1a1"),
        ("ZIP", "M1 1AE", "GB", "m11"),
        ("ZIP", "SW1A", "GB", "sw1a"),
        ("ZIP", "01310-100", "BR", "01310100"),
        ("ZIP", "94105-1234", "DE", "941051234"),
        ("COUNTRY", "Germany", None, "de"),
        ("COUNTRY", "Atlantis", None, ""),
        ("MADID", "AB12CD34-0000-4000-8000-ABCDEF012345", None, "ab12cd34-0000-4000-8000-abcdef012345"),
        ("EXTERN_ID", "Lead-7", None, "Lead-7"),
    ],
)  # fmt: skip
def test_the_rules(key, value, country, normalized):
    assert normalized_key(key, value, country) == normalized


@pytest.mark.parametrize("key", AUDIENCE_KEYS)
@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}, True])
def test_what_is_missing_is_empty_and_never_hashed(key, nothing):
    assert hashed_key(key, normalized_key(key, nothing)) == ""


@pytest.mark.parametrize("key", sorted(UNHASHED))
def test_ids_are_sent_as_they_are(key):
    assert hashed_key(key, "ab-12") == "ab-12"


@given(st.sampled_from(AUDIENCE_KEYS), st.text(max_size=40), st.sampled_from([None, "US", "GB", "DE"]))
def test_a_normalised_value_is_composed_and_stays_as_it_is(key, text, country):
    once = normalized_key(key, text, country)

    sent = hashed_key(key, once)
    assert sent != HASH_OF_NOTHING
    assert (sent == "") == (once == "")
    if key not in UNHASHED:
        assert unicodedata.is_normalized("NFC", once)
    if key in {"FN", "LN", "CT", "GEN", "COUNTRY", "DOBY", "DOBM", "DOBD"}:
        assert normalized_key(key, once, country) == once


def test_a_row_follows_the_mapping_and_keeps_a_place_for_what_is_missing():
    values = {"EMAIL": "mira.holt@example.com", "PHONE": None, "LN": "", "COUNTRY": "Italy"}

    row = audience_row(values)

    assert row is not None
    assert [bool(value) for value in row] == [True, False, False, True]


def test_the_persons_own_country_goes_before_the_configured_one():
    german = {"PHONE": "0151 12345678", "COUNTRY": "Germany"}

    row = audience_row(german, "US")

    assert row is not None
    assert row[0] == hashlib.sha256(b"4915112345678").hexdigest()


@pytest.mark.parametrize(
    ("values", "somebody"),
    [
        ({"EMAIL": "a@example.com"}, True),
        ({"EXTERN_ID": 7}, True),
        ({"FN": "Mira", "LN": "Holt"}, True),
        ({"FI": "Mira", "LN": "Holt"}, True),
        ({"FN": "Mira", "COUNTRY": "IT"}, False),
        ({"EMAIL": "none", "COUNTRY": "IT", "DOBY": "1990"}, False),
        ({}, False),
    ],
)
def test_a_country_alone_is_nobody(values, somebody):
    assert (audience_row(values) is not None) == somebody
