from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.core.expressions.moments import parse_moment
from lumeflow.kit.normalize.date_words import IGNORED, MONTHS
from lumeflow.kit.normalize.dates import iso_date

RELAXED = settings(deadline=None, max_examples=300)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-09",
        " 2026-01-09 ",
        "2026-1-9",
        "2026/01/09",
        "2026.01.09",
        "2026. 1. 9.",
        "20260109",
        "9 January 2026",
        "9th of January, 2026",
        "January 9, 2026",
        "Jan 9th 2026",
        "Fri, 9 Jan 2026",
        "Friday, January 9, 2026",
        "9-Jan-2026",
        "09JAN2026",
        "9-Jan-26",
        "2026 Jan 9",
        "9. Januar 2026",
        "9 janvier 2026",
        "9 de enero de 2026",
        "venerdì 9 gennaio 2026",
        "9 stycznia 2026",
        "9 января 2026 г.",
        "9 Ιανουαρίου 2026",
        "9 Ocak 2026",
        "2026年1月9日",
        "2026년 1월 9일",
        "٢٠٢٦-٠١-٠٩",
    ],
)
def test_dates_that_leave_no_choice(text):
    assert iso_date(text) == "2026-01-09"
    assert iso_date(text, "dayFirst") == iso_date(text, "monthFirst") == "2026-01-09"


@pytest.mark.parametrize(
    ("text", "day_first", "month_first", "undeclared"),
    [
        ("09/01/2026", "2026-01-09", "2026-09-01", None),
        ("9.1.26", "2026-01-09", "2026-09-01", None),
        ("9-1-2026", "2026-01-09", "2026-09-01", None),
        ("9 1 2026", "2026-01-09", "2026-09-01", None),
        ("٠٩/٠١/٢٠٢٦", "2026-01-09", "2026-09-01", None),
        ("25/12/2026", "2026-12-25", None, "2026-12-25"),
        ("12/25/2026", None, "2026-12-25", "2026-12-25"),
        ("05/05/2026", "2026-05-05", "2026-05-05", "2026-05-05"),
        ("31/02/2026", None, None, None),
        ("25/12/26", "2026-12-25", None, None),
        ("25/12/99", "1999-12-25", None, "1999-12-25"),
    ],
)
def test_the_order_must_be_declared_where_there_is_a_choice(text, day_first, month_first, undeclared):
    assert iso_date(text, "dayFirst") == day_first
    assert iso_date(text, "monthFirst") == month_first
    assert iso_date(text) == undeclared


def test_years_first_in_two_digits():
    assert iso_date("26-01-09", "yearFirst") == "2026-01-09"
    assert iso_date("26-01-09", "dayFirst") == "2009-01-26"
    assert iso_date("26-01-09") is None


def test_short_years_turn_at_a_pivot():
    assert iso_date("9.1.68", "dayFirst") == "2068-01-09"
    assert iso_date("9.1.69", "dayFirst") == "1969-01-09"
    assert iso_date("9 Jan 65", pivot=30) == "1965-01-09"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-09T14:30:00", "2026-01-09T14:30:00"),
        ("2026-01-09T14:30:00Z", "2026-01-09T14:30:00Z"),
        ("2026-01-09T14:30:00+00:00", "2026-01-09T14:30:00Z"),
        ("2026-01-09T14:30:00+02:00", "2026-01-09T14:30:00+02:00"),
        ("2026-01-09 14:30", "2026-01-09T14:30:00"),
        ("2026-01-09 14:30:15.250000", "2026-01-09T14:30:15.250000"),
        ("2026-01-09 14:30:00+0200", "2026-01-09T14:30:00+02:00"),
        ("2026-01-09 14:30:00 +02", "2026-01-09T14:30:00+02:00"),
        ("2026-01-09 14:30:00 UTC", "2026-01-09T14:30:00Z"),
        ("2026-01-09 14:30 CET", "2026-01-09T14:30:00+01:00"),
        ("2026-07-09 14:30 PDT", "2026-07-09T14:30:00-07:00"),
        ("Fri, 09 Jan 2026 14:30:00 +0000", "2026-01-09T14:30:00Z"),
        ("Fri, 09 Jan 2026 14:30:00 GMT", "2026-01-09T14:30:00Z"),
        ("Fri Jan 09 2026 14:30:00 GMT+0100 (Central European Standard Time)", "2026-01-09T14:30:00+01:00"),
        ("Fri Jan  9 14:30:00 2026", "2026-01-09T14:30:00"),
        ("Jan 9, 2026 2:30 PM", "2026-01-09T14:30:00"),
        ("Jan 9, 2026 12:05 a.m.", "2026-01-09T00:05:00"),
        ("January 9, 2026 at 2pm", "2026-01-09T14:00:00"),
        ("9 janvier 2026 à 14h30", "2026-01-09T14:30:00"),
        ("9. Januar 2026 um 14:30 Uhr", "2026-01-09T14:30:00"),
        ("den 9. januar 2026 kl. 14:30", "2026-01-09T14:30:00"),
        ("25/12/2026, 08:05", "2026-12-25T08:05:00"),
        ("20260109T143000", "2026-01-09T14:30:00"),
        ("20260109143000", "2026-01-09T14:30:00"),
        ("1767969000", "2026-01-09T14:30:00Z"),
        ("1767969000000", "2026-01-09T14:30:00Z"),
        ("1767969000000000", "2026-01-09T14:30:00Z"),
        ("1767969000.5", "2026-01-09T14:30:00.500000Z"),
    ],
)
def test_times_of_day(text, moment):
    assert iso_date(text) == moment
    assert iso_date(text, date_only=True) == moment[:10]


@pytest.mark.parametrize(
    ("text", "moment"),
    [("46031", "2026-01-09"), ("46031.5", "2026-01-09T12:00:00"), ("1", "1899-12-31"), ("20260109", "2026-01-09")],
)
def test_days_of_spreadsheets(text, moment):
    assert iso_date(text, numbers="excel") == moment


@pytest.mark.parametrize(
    "text",
    [
        "", "n/a", "today", "soon", "14:30", "2026", "01/2026", "January 2026", "9/1", "Q1 2026", "May 26", "46031", "0", "-1",
        "2026-02-30", "2026-13-01", "32 January 2026", "9 Januember 2026", "9 Jan Feb 2026", "15 listopad 2026",
        "2026-01-09T25:00:00", "2026-01-09 13:00 PM", "9 Jan 2026 or 10 Jan 2026", "1/2/3/4", "00/00/0000", "9 Jan 123",
        "2026-01-09T14:30:00+99:00", "+39 02 5550 1234", "9" * 70, "x" * 500,
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [None, "dayFirst", "monthFirst", "yearFirst"])
def test_what_is_no_date_is_not_guessed_at(text, order):
    assert iso_date(text, order) is None


def test_no_word_is_both_a_month_and_to_be_ignored():
    assert MONTHS.keys() & IGNORED == set()
    assert set(MONTHS.values()) == set(range(1, 13))


DAYS = st.dates(date(1969, 1, 1), date(2068, 12, 31))
TIMES = st.times().map(lambda moment: moment.replace(microsecond=0))
ENGLISH = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ITALIAN = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
]
LAYOUTS = [
    lambda d: f"{d.day}/{d.month}/{d.year}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year % 100:02}",
    lambda d: f"{d.day} {ITALIAN[d.month - 1]} {d.year}",
    lambda d: f"{ENGLISH[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{d:%A}, {d.day}. {ENGLISH[d.month - 1][:3].upper()} {d.year}",
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year}年{d.month}月{d.day}日",
    lambda d: d.isoformat(),
]


@RELAXED
@given(DAYS, st.sampled_from(LAYOUTS))
def test_a_date_is_read_back_from_every_layout(day, layout):
    assert iso_date(layout(day), "dayFirst") == day.isoformat()


@RELAXED
@given(DAYS, TIMES, st.sampled_from(LAYOUTS), st.sampled_from(["%H:%M:%S", "%I:%M:%S %p", "%H:%M:%S +00:00"]))
def test_so_is_a_time(day, moment, layout, clock):
    read = iso_date(f"{layout(day)} {moment.strftime(clock)}", "dayFirst")
    assert read == datetime.combine(day, moment).isoformat() + ("Z" if "+" in clock else "")


@RELAXED
@given(st.integers(10**8, 10**11 - 1))
def test_unix_times(seconds):
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    assert len(str(seconds)) in (8, 12) or iso_date(str(seconds)) == moment


@RELAXED
@given(
    st.text(max_size=40) | st.text("0123456789/.-: TZJanPM", max_size=24),
    st.sampled_from([None, "dayFirst", "monthFirst", "yearFirst"]),
    st.sampled_from(["timestamp", "excel"]),
    st.booleans(),
)
def test_any_text_gives_a_moment_that_stays_as_it_is_or_none(text, order, numbers, date_only):
    moment = iso_date(text, order, numbers=numbers, date_only=date_only)
    if moment is not None:
        assert parse_moment(moment) is not None
        assert iso_date(moment, order, numbers=numbers, date_only=date_only) == moment
