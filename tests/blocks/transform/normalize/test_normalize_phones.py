import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.kit.normalize.phone_plans import plan_at_home, plan_of, split_calling_code
from lumeflow.kit.normalize.phones import _parsed, _quick, phone_e164

RELAXED = settings(deadline=None, max_examples=300)

AT_HOME = [
    ("AE", "050 123 4567", "+971501234567"),
    ("AR", "011 4123-4567", "+541141234567"),
    ("AT", "0664 123456", "+43664123456"),
    ("AU", "0412 345 678", "+61412345678"),
    ("BE", "0470 12 34 56", "+32470123456"),
    ("BR", "(11) 96123-4567", "+5511961234567"),
    ("CA", "(506) 234-5678", "+15062345678"),
    ("CH", "078 123 45 67", "+41781234567"),
    ("CN", "131 2345 6789", "+8613123456789"),
    ("DE", "030/12 34 56 78", "+493012345678"),
    ("ES", "612 34 56 78", "+34612345678"),
    ("FR", "06 12 34 56 78", "+33612345678"),
    ("GB", "07400 123456", "+447400123456"),
    ("IN", "081234 56789", "+918123456789"),
    ("IT", "02 5550 1234", "+390255501234"),
    ("JP", "090-1234-5678", "+819012345678"),
    ("KR", "010-2000-0000", "+821020000000"),
    ("MX", "200 123 4567", "+522001234567"),
    ("NL", "06 12345678", "+31612345678"),
    ("PL", "512 345 678", "+48512345678"),
    ("RU", "8 (912) 345-67-89", "+79123456789"),
    ("SE", "070-123 45 67", "+46701234567"),
    ("TR", "0501 234 56 78", "+905012345678"),
    ("US", "(201) 555-0123", "+12015550123"),
    ("ZA", "071 123 4567", "+27711234567"),
]


@pytest.mark.parametrize(("country", "text", "number"), AT_HOME, ids=[country for country, _, _ in AT_HOME])
def test_numbers_as_they_are_written_at_home(country, text, number):
    assert phone_e164(text, country) == number
    assert phone_e164(number) == number
    assert phone_e164(number, "NZ") == number


@pytest.mark.parametrize(
    "text",
    [
        "+39 02 5550 1234",
        "+39-02-5550-1234",
        "+39 (02) 5550.1234",
        "+39/02/55501234",
        "0039 02 5550 1234",
        "tel:+39-02-5550-1234",
        "Tel.: +39 02 5550 1234",
        "ufficio +39 02 5550 1234",
        "+39 02 5550 1234 ext. 12",
        "+39 02 5550 1234 int 12",
        "＋３９ ０２ ５５５０ １２３４",
        "+٣٩ ٠٢ ٥٥٥٠ ١٢٣٤",
        "\u202a+39\u00a002\u00a05550\u20111234\u202c",
        "'+390255501234",
        "=+390255501234",
        "+39 02 5550 1234 / 333 1234567",
        "+39 02 5550 1234; +39 333 1234567",
        "+39 02 5550 1234 o 333 1234567",
        "n/a, +39 02 5550 1234",
    ],
)
def test_one_number_in_many_spellings(text):
    assert phone_e164(text, "IT") == "+390255501234"


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("393331234567", "IT", "+393331234567"),
        ("393331234567.0", "IT", "+393331234567"),
        ("011 39 02 5550 1234", "US", "+390255501234"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("416 555 0123", "US", "+14165550123"),
        ("06 698 12345", "VA", "+390669812345"),
        ("00800 1234 5678", None, "+80012345678"),
    ],
)
def test_odd_but_sound(text, country, number):
    assert phone_e164(text, country) == number


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("02 5550 1234", None),
        ("", "IT"),
        ("n/a", "IT"),
        ("123", "IT"),
        ("00000000000", "IT"),
        ("3.93E+11", "IT"),
        ("3,93331E+11", "IT"),
        ("mira@example.com", "IT"),
        ("+999 123 456 789", "IT"),
        ("02 5550 1234", "AQ"),
        ("+39 02 5550 1234" * 20, "IT"),
    ],
)
def test_what_is_no_number_is_not_guessed_at(text, country):
    assert phone_e164(text, country) is None


def test_possible_numbers_are_those_of_the_right_length():
    assert phone_e164("+44 7700 900123") is None
    assert phone_e164("+44 7700 900123", possible=True) == "+447700900123"
    assert phone_e164("+44 7700 9001234567", possible=True) is None


def cases(seed, count):
    """Numbers near to sound ones, of all countries, and how they are dialled at home and from abroad."""
    rnd = random.Random(seed)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    for _ in range(count):
        region = rnd.choice(regions)
        example = phonenumbers.example_number_for_type(region, rnd.randrange(11)) or phonenumbers.example_number(region)
        national = phonenumbers.national_significant_number(example)
        cut = rnd.randrange(len(national) + 1)
        digits = national[:cut] + "".join(rnd.choice("0123456789") for _ in national[cut:])
        digits = rnd.choice(["", "", "", "0", "1", "8", "00"]) + digits[: len(digits) - rnd.choice([0, 0, 0, 1])]
        yield f"+{example.country_code}{digits}", rnd.choice([None, region, rnd.choice(regions)])
        yield f"00{example.country_code}{digits}", rnd.choice([None, region])
        yield digits, region
        yield f"{example.country_code}{digits}", region


def test_the_quick_way_comes_to_the_same_result_as_the_library():
    found = 0
    for text, country in cases(seed=26, count=3_000):
        quick = _quick(text, country)
        if quick is not None:
            found += 1
            assert quick == _parsed(text, country, possible=False), (text, country)
    assert found > 2_000


def test_calling_codes():
    assert split_calling_code("390255501234") == ("39", "0255501234")
    assert split_calling_code("12015550123") == ("1", "2015550123")
    assert split_calling_code("3584123456") == ("358", "4123456")
    assert split_calling_code("999123") == ("", "999123")
    assert plan_of("") is None
    assert plan_of("800") is None
    assert plan_at_home("VA") is None
    assert plan_at_home("IT") is plan_of("39")


SEPARATED = st.lists(st.sampled_from(["", " ", "-", ".", " (", ") ", "\u00a0", "/"]), min_size=12, max_size=12)


@RELAXED
@given(st.integers(320_000_0000, 349_999_9999), SEPARATED)
def test_separators_make_no_difference(number, separators):
    spaced = "".join(digit + separator for digit, separator in zip(str(number), separators, strict=False))
    assert phone_e164(f"+39 {spaced}") == f"+39{number}"


@RELAXED
@given(
    st.text(max_size=40) | st.text("0123456789+-() /.,;ext", max_size=24),
    st.sampled_from([None, "IT", "US", "GB", "AR", "AQ"]),
    st.booleans(),
)
def test_any_text_gives_a_number_that_stays_as_it_is_or_none(text, country, possible):
    number = phone_e164(text, country, possible=possible)
    if number is None:
        return
    assert number[0] == "+"
    assert number[1:].isdecimal()
    assert phone_e164(number, country, possible=possible) == number
    if not possible:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))
