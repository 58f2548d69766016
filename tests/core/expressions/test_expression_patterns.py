"""Regular expressions from users: what they match, and that they can't hang or swell."""

import time

import pytest

from lumeflow.core.expressions import ExpressionError, compile_pattern
from lumeflow.core.expressions.patterns import MAX_PATTERN_WEIGHT, MAX_SEARCHED_CHARS

CATASTROPHIC = [r"(a+)+$", r"(a|aa)+$", r"(a|a?)+$", r"(.*a){20}$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(?:a?){50}a{50}b"]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^abc$", "abc", True),
        (r"^[\w.+-]{1,64}@[\w-]{1,63}\.\w{2,}$", "mira.holt@example.com", True),
        (r"\d{3}-\d{4}", "call 555-0100", True),
        ("(?i)CEO|founder", "Co-Founder", True),
        ("CEO", "ceo", False),
        (r"\bHead of\b", "Head of Sales", True),
        (r"^\p{Lu}", "Éva", True),
        (r"[]a]x", "]x", True),
        (r"[^]a]x", "]x", False),
        (r"[[:digit:]]{2}", "a12", True),
        (r"\u{e9}", "é", True),
        (r"\(\?x", "(?x", True),
        ("a{2,3}b", "aab", True),
        ("", "anything", True),
        (".", "\ud800", False),
    ],
)
def test_a_pattern_is_searched_for(pattern, text, found):
    assert compile_pattern(pattern).found_in(text) is found


def test_case_can_be_ignored():
    assert compile_pattern("^ceo$", ignore_case=True).found_in("CEO")


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("(", "unclosed group"),
        ("a)", "unopened group"),
        ("[a", "unclosed character class"),
        ("*a", "repetition operator missing expression"),
        (r"(?=a)b", "look-around"),
        (r"(?<!a)b", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"\D{900}", "too large"),
    ],
)
def test_what_the_engine_lacks_is_refused_with_a_reason(pattern, hint):
    with pytest.raises(ExpressionError) as caught:
        compile_pattern(pattern)
    assert caught.value.message == "not a regular expression"
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "pattern",
    [
        "a{1001}",
        "(a{100}){100}",
        "((a{30}){30}){30}",
        "(?:a{30}[])]){30}{30}",
        "(?:a{30}[[a])]){40}",
        "(?:a{30}[^])]){40}",
        r"(?:a{30}[\])]){40}",
        "(?:a{30}[&&[(]]){40}",
        r"\w{150}",
        "(?:x?){600}(?:y?){600}",
        "a{500,}" * 3,
    ],
)
def test_patterns_that_need_too_many_states_are_refused(pattern):
    with pytest.raises(ExpressionError, match="repeats too much"):
        compile_pattern(pattern)


def test_long_patterns_and_spaced_ones_are_refused():
    with pytest.raises(ExpressionError, match="more than 500 characters"):
        compile_pattern("a" * 501)
    with pytest.raises(ExpressionError, match="flag x"):
        compile_pattern("(?ix) a b # comment")


@pytest.mark.parametrize("pattern", CATASTROPHIC)
@pytest.mark.parametrize("text", ["a" * 40_000 + "!", "aA!" * 10_000])
def test_catastrophic_patterns_end_soon(pattern, text):
    compiled = compile_pattern(pattern)
    start = time.perf_counter()
    compiled.found_in(text)
    assert time.perf_counter() - start < 5


def test_the_heaviest_pattern_on_the_longest_text_ends_soon():
    compiled = compile_pattern(f"[ab]*a[ab]{{{MAX_PATTERN_WEIGHT - 30}}}c")
    text = "".join("ab"[(i * i // 7) % 2] for i in range(MAX_SEARCHED_CHARS))
    start = time.perf_counter()
    assert not compiled.found_in(text)
    assert time.perf_counter() - start < 10


def test_a_text_over_the_limit_never_matches():
    assert compile_pattern("a").found_in("a" * MAX_SEARCHED_CHARS)
    assert not compile_pattern("a").found_in("a" * (MAX_SEARCHED_CHARS + 1))
