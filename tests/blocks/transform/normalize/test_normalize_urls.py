import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.kit.normalize.urls import web_address

RELAXED = settings(deadline=None, max_examples=300)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("Example.COM", "https://example.com"),
        ("www.example.com/About", "https://www.example.com/About"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("https://example.com:443", "https://example.com"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        ("HTTPS:/example.com", "https://example.com"),
        ("http//example.com", "http://example.com"),
        ("https://http://example.com", "http://example.com"),
        ("//example.com/x", "https://example.com/x"),
        (" <https://example.com/x> ", "https://example.com/x"),
        ("(https://example.com/x).", "https://example.com/x"),
        ("[our site](https://example.com/a)", "https://example.com/a"),
        ("https://en.example.org/wiki/X_(y)", "https://en.example.org/wiki/X_(y)"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/a%20b", "https://example.com/a%20b"),
        ("https://münchen.example/straße?q=ü", "https://xn--mnchen-3ya.example/stra%C3%9Fe?q=%C3%BC"),
        ("https://example.com/?utm_source=x&UTM_medium=y", "https://example.com"),
        ("https://example.com/a?id=3&utm_source=x&gclid=z#top", "https://example.com/a?id=3#top"),
        ("https://example.com/a?fbclid=1&b=2&fbclid=3", "https://example.com/a?b=2"),
        ("https://example.com/a#:~:text=hello", "https://example.com/a"),
        ("https://example.com/#!/team", "https://example.com/#!/team"),
        ("https://example.com/path/", "https://example.com/path/"),
        ("https://example.com.", "https://example.com"),
    ],
)
def test_addresses_get_one_form(text, address):
    assert web_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "linkedin.com/in/mira-holt",
        "https://www.linkedin.com/in/mira-holt/",
        "http://it.linkedin.com/in/Mira-Holt?trk=people-guest",
        "https://m.linkedin.com/in/mira-holt#experience",
        "https://uk.linkedin.com/in/mira-holt/en",
        "https://www.linkedin.com/in/mira-holt/details/experience/?originalSubdomain=it",
    ],
)
def test_profiles_on_linkedin_have_one_form(text):
    assert web_address(text) == "https://www.linkedin.com/in/mira-holt"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("linkedin.com/company/example-freight/about/", "https://www.linkedin.com/company/example-freight"),
        ("linkedin.com/in/ren%C3%A9e", "https://www.linkedin.com/in/ren%C3%A9e"),
        ("linkedin.com/in/renée", "https://www.linkedin.com/in/ren%C3%A9e"),
        ("https://www.linkedin.com/feed/?trk=x", "https://www.linkedin.com/feed/"),
        ("https://notlinkedin.com/in/mira", "https://notlinkedin.com/in/mira"),
        ("https://linkedin.com.example.com/in/mira", "https://linkedin.com.example.com/in/mira"),
    ],
)
def test_other_addresses_on_linkedin(text, address):
    assert web_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "n/a", "-", "example", "localhost", "http://localhost/", "localhost:3000", "192.0.2.1", "https://192.0.2.1/x",
        "ftp://example.com", "javascript:alert(1)", "mailto:mira@example.com", "mira@example.com", "data:text/html,x",
        "https://user:secret@example.com", "https://example..com", "https://-example.com", "not a site", "https://", "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_not_guessed_at(text):
    assert web_address(text) is None


def test_options():
    assert web_address("http://example.com/?utm_source=x", keep_tracking=True) == "http://example.com/?utm_source=x"
    assert web_address("http://example.com/a", https=True) == "https://example.com/a"
    assert web_address("http://example.com:8080/a", https=True) == "http://example.com:8080/a"


HOSTS = st.from_regex(r"[a-z]{1,8}(-[a-z]{1,4})?\.example\.(com|org)", fullmatch=True)
PATHS = st.from_regex(r"(/[A-Za-z0-9_~-]{1,8}){0,3}", fullmatch=True)


@RELAXED
@given(HOSTS, PATHS, st.sampled_from(["https://{}", "{}", "HTTPS://{}", " <https://{}>", "//{}", "https:{}"]))
def test_one_address_in_many_spellings(host, path, spelling):
    assert web_address(spelling.format(host.upper() + path)) == f"https://{host}{path}"


@RELAXED
@given(
    st.text(max_size=60) | st.text("abé.:/?#&=%@()[]<> \\|", max_size=30).map("https://example.com/{}".format),
    st.booleans(),
    st.booleans(),
)
def test_any_text_gives_an_address_that_stays_as_it_is_or_none(text, keep_tracking, https):
    address = web_address(text, keep_tracking=keep_tracking, https=https)
    if address is not None:
        assert address.isascii()
        assert address.startswith(("https://", "http://"))
        assert " " not in address
        assert web_address(address, keep_tracking=keep_tracking, https=https) == address
