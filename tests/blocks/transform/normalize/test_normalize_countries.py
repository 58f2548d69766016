import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.kit.normalize.countries import _TABLE, country_code

RELAXED = settings(deadline=None, max_examples=300)
ROWS = [line.split("\t") for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("IT", "IT"), ("it", "IT"), (" ITA ", "IT"), ("Italy", "IT"), ("ITALIA", "IT"), ("Italien", "IT"),
        ("🇮🇹", "IT"), ("Italy (IT)", "IT"), ("IT - Italy", "IT"), ("Italia / Italy", "IT"),
        ("USA", "US"), ("U.S.A.", "US"), ("United States of America", "US"), ("the United States", "US"), ("EE. UU.", "US"),
        ("UK", "GB"), ("Great Britain", "GB"), ("England", "GB"), ("Scotland", "GB"), ("Royaume-Uni", "GB"),
        ("Deutschland", "DE"), ("Allemagne", "DE"), ("Germania", "DE"), ("Niemcy", "DE"),
        ("the Netherlands", "NL"), ("Holland", "NL"), ("Paesi Bassi", "NL"),
        ("Côte d’Ivoire", "CI"), ("Cote dIvoire", None), ("Ivory Coast", "CI"),
        ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Korea (South)", "KR"), ("대한민국", "KR"), ("한국", "KR"),
        ("Türkiye", "TR"), ("TÜRKİYE", "TR"), ("Turkey", "TR"), ("Czech Republic", "CZ"), ("Czechia", "CZ"),
        ("中国", "CN"), ("日本", "JP"), ("Россия", "RU"), ("Ελλάδα", "GR"), ("EL", "GR"), ("مصر", "EG"), ("भारत", "IN"),
        ("ישראל", "IL"), ("Österreich", "AT"), ("Osterreich", "AT"), ("ÖSTERREICH", "AT"), ("Suomi", "FI"),
        ("Bosnia and Herzegovina", "BA"), ("Bosnia & Herzegovina", "BA"), ("Trinidad & Tobago", "TT"), ("Kosovo", "XK"),
        ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Guinea-Bissau", "GW"), ("Guinea", "GN"), ("Congo, DR", None),
        ("DR Congo", "CD"), ("Macedonia", "MK"), ("Eswatini", "SZ"), ("Swaziland", "SZ"), ("Georgia", "GE"),
    ],
)  # fmt: skip
def test_countries_by_their_many_names(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize(
    "text",
    ["", " ", "n/a", "-", "XX", "ZZZ", "Atlanta, Georgia", "Italy / France", "Europe", "39", "it aly", "x" * 500],
)
def test_what_is_no_country_or_several_is_not_guessed_at(text):
    assert country_code(text) is None


def test_the_table_holds_each_country_once_and_no_name_twice():
    codes = [row[0] for row in ROWS]
    assert len(codes) == len(set(codes)) == 250
    assert len({row[1] for row in ROWS}) == 250
    for code, alpha3, names in ROWS:
        for text in (code, alpha3, *names.split("|")):
            assert country_code(text) == code, text


def test_every_country_with_phones_is_known():
    strange = {"AC", "TA"}  # islands that share the code of Saint Helena, with calling codes of their own
    assert {country_code(region) for region in phonenumbers.SUPPORTED_REGIONS - strange} == (
        phonenumbers.SUPPORTED_REGIONS - strange
    )


@RELAXED
@given(st.sampled_from([name for row in ROWS for name in row[2].split("|")]), st.sampled_from([str.upper, str.lower]))
def test_capitals_and_spaces_make_no_difference(name, change):
    changed = change(name)
    if changed.lower() == name.lower():  # some letters change for good: 'ŉ', 'ß'
        assert country_code(f"  {changed.replace(' ', '   ')} ") == country_code(name)


@RELAXED
@given(st.text(max_size=30))
def test_any_text_gives_a_code_that_stays_as_it_is_or_none(text):
    code = country_code(text)
    assert code is None or country_code(code) == code
