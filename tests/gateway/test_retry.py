"""Whether a failed call is made again, and when: pure decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.errors import ErrorClass
from lumeflow.core.operation import Repeat
from lumeflow.gateway.retry import MOST_REFUSALS, MOST_UNSTARTED, Ending, Problem, Retries
from tests.gateway.world import Policy

TIMEOUT, RATE_LIMIT, SERVER_ERROR = ErrorClass.TIMEOUT, ErrorClass.RATE_LIMIT, ErrorClass.SERVER_ERROR
NETWORK, INVALID_RESPONSE = ErrorClass.NETWORK, ErrorClass.INVALID_RESPONSE
REFUSED, LOST, UNSENT, UNSTARTED = Ending.REFUSED, Ending.LOST, Ending.UNSENT, Ending.UNSTARTED
BOOKED, FREE, LOOK_FIRST = Repeat.BOOKED, Repeat.FREE, Repeat.LOOK_FIRST

NOTHING = Policy(max_retries=0, retryable_errors=())
NEVER = [
    ErrorClass.AUTH,
    ErrorClass.QUOTA,
    ErrorClass.VALIDATION,
    ErrorClass.NOT_FOUND,
    ErrorClass.LIMIT,
    ErrorClass.INTERNAL,
]


def retries(policy=None, repeat=BOOKED, seed=b"key", longest_wait=900.0):
    return Retries(policy or Policy(), repeat, seed, longest_wait)


def problem(ending, error_class, **more):
    return Problem(ending, error_class, "message", **more)


def how_often(book, trouble):
    times = 0
    while book.after(trouble) is not None:
        times += 1
    return times


@pytest.mark.parametrize(
    ("ending", "error_class", "repeat", "policy", "times"),
    [
        # What the policy names is retried as often as it says.
        (REFUSED, SERVER_ERROR, BOOKED, Policy(), 3),
        (REFUSED, SERVER_ERROR, BOOKED, Policy(max_retries=7), 7),
        (REFUSED, SERVER_ERROR, BOOKED, Policy(retryable_errors=(TIMEOUT,)), 0),
        (LOST, TIMEOUT, BOOKED, Policy(), 3),
        (LOST, TIMEOUT, BOOKED, Policy(retryable_errors=(NETWORK,)), 0),
        (LOST, NETWORK, BOOKED, Policy(retryable_errors=(NETWORK,)), 3),
        (LOST, INVALID_RESPONSE, BOOKED, Policy(max_retries=1), 1),
        (LOST, TIMEOUT, LOOK_FIRST, Policy(max_retries=0), 0),
        # Refusals for the rate have a count of their own.
        (REFUSED, RATE_LIMIT, BOOKED, Policy(max_retries=0), MOST_REFUSALS),
        (REFUSED, RATE_LIMIT, BOOKED, Policy(retryable_errors=(TIMEOUT,)), 0),
        # What costs nothing to repeat is repeated whatever the policy says.
        (REFUSED, SERVER_ERROR, FREE, NOTHING, 3),
        (LOST, TIMEOUT, FREE, NOTHING, 3),
        (LOST, NETWORK, FREE, Policy(max_retries=9), 9),
        (REFUSED, INVALID_RESPONSE, FREE, NOTHING, 3),
        (REFUSED, RATE_LIMIT, FREE, NOTHING, MOST_REFUSALS),
        # What was never sent, or never started, is sent.
        (UNSENT, NETWORK, BOOKED, NOTHING, 3),
        (UNSTARTED, TIMEOUT, LOOK_FIRST, NOTHING, MOST_UNSTARTED),
        *((REFUSED, error_class, FREE, Policy(max_retries=20), 0) for error_class in NEVER),
    ],
)
def test_how_often(ending, error_class, repeat, policy, times):
    assert how_often(retries(policy, repeat), problem(ending, error_class)) == times


def test_the_vendors_word_goes_before_the_class():
    assert how_often(retries(), problem(REFUSED, ErrorClass.QUOTA, retryable=True)) == 3
    assert how_often(retries(repeat=FREE), problem(REFUSED, SERVER_ERROR, retryable=False)) == 0


def test_refusals_for_the_rate_do_not_use_up_the_retries():
    book = retries()
    for _ in range(10):
        assert 5.0 <= book.after(problem(REFUSED, RATE_LIMIT, retry_after=5.0)) <= 5.25
    assert how_often(book, problem(REFUSED, SERVER_ERROR)) == 3


def test_delays_grow_up_to_the_limit():
    policy = Policy(max_retries=6, initial_delay=500, backoff_multiplier=3, max_delay=10_000, jitter=0)
    book = retries(policy)
    assert [book.after(problem(REFUSED, SERVER_ERROR)) for _ in range(6)] == [0.5, 1.5, 4.5, 10, 10, 10]


def test_the_vendors_wait_is_obeyed():
    delay = retries().after(problem(REFUSED, SERVER_ERROR, retry_after=42.0))
    assert 42.0 <= delay <= 42.0 * 1.05


def test_a_wait_that_is_too_long_ends_it():
    assert retries(longest_wait=900).after(problem(REFUSED, SERVER_ERROR, retry_after=901.0)) is None
    assert retries(longest_wait=900).after(problem(REFUSED, RATE_LIMIT, retry_after=901.0)) is None


@given(
    jitter=st.floats(0, 1),
    multiplier=st.floats(1, 1e9),
    initial=st.floats(0, 1e6),
    seed=st.binary(max_size=32),
)
def test_jitter_takes_off_at_most_its_share_and_is_the_same_in_every_run(jitter, multiplier, initial, seed):
    policy = Policy(max_retries=20, initial_delay=initial, backoff_multiplier=multiplier, jitter=jitter)
    exact = retries(Policy(max_retries=20, initial_delay=initial, backoff_multiplier=multiplier, jitter=0), seed=seed)
    once, again = retries(policy, seed=seed), retries(policy, seed=seed)
    for _ in range(20):
        trouble = problem(REFUSED, SERVER_ERROR)
        delay, longest = once.after(trouble), exact.after(trouble)
        assert delay == again.after(trouble)
        assert longest * (1 - jitter) * 0.999 <= delay <= longest <= 30.0


def test_different_calls_spread():
    delays = {retries(seed=bytes([n])).after(problem(REFUSED, SERVER_ERROR)) for n in range(50)}
    assert len(delays) == 50


@pytest.mark.parametrize(
    ("policy", "times"), [(Policy(max_retries=5), 1), (Policy(max_retries=0), 0), (Policy(retryable_errors=()), 0)]
)
def test_an_operation_may_allow_fewer_repetitions_after_lost_answers(policy, times):
    book = Retries(policy, BOOKED, b"key", 900.0, most_lost=1)

    assert how_often(book, problem(LOST, TIMEOUT)) == times


def test_refusals_do_not_count_as_lost_answers():
    book = Retries(Policy(max_retries=5), BOOKED, b"key", 900.0, most_lost=1)
    troubles = [problem(REFUSED, SERVER_ERROR)] * 3 + [problem(LOST, TIMEOUT)] * 2

    assert [book.after(trouble) is not None for trouble in troubles] == [True, True, True, True, False]
