import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import read, rows_of

from lumeflow.kit.readers import csv_rows
from lumeflow.kit.readers.csv_rows import HeaderRules
from lumeflow.kit.readers.header import column_names
from lumeflow.kit.readers.rows import BadRow

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MIRA, TOMAS = {"name": "Mira", "city": "Leeds"}, {"name": "Tomás", "city": "Vigo"}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "shift_jis"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_five_encodings_and_four_delimiters_are_found_out(delimiter, encoding, end):
    name = "佐藤" if encoding == "shift_jis" else "Tomás"
    lines = [["name", "city"], ["Mira", "Leeds"], [name, "Vigo"], ["大" if name == "佐藤" else "Zoë", "a, b; c"]]
    table = end.join(delimiter.join(f'"{cell}"' if " " in cell else cell for cell in line) for line in lines)
    rows = rows_of(table.encode(encoding), piece=7)
    assert rows == [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_a_bad_row_is_told_with_the_line_it_begins_in_and_the_others_are_read():
    text = 'name,city\nMira,Leeds\n\n"Holt\n& Sons",Vigo,x\nMira\nTomás,Vigo\n'
    rows, error, notes = read(text.encode())
    assert rows == [
        MIRA,
        BadRow(4, "expected 2 cells, found 3"),
        BadRow(6, "expected 2 cells, found 1; if only empty ones are missing, set 'shortRows' to 'fill'"),
        TOMAS,
    ]
    assert (error, notes) == (None, [])


NEVER_CLOSED = "a quote is opened and never closed: close it, or double a quote that belongs to the text"
TEXT_FOLLOWS = "text follows a closing quote: double a quote that belongs to the text"


@pytest.mark.parametrize("piece", [1, 5, None])
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('"Mira,Leeds', NEVER_CLOSED),
        ('"Mira" the great,Leeds', TEXT_FOLLOWS),
        ('"said "hi"",Leeds', TEXT_FOLLOWS),
        ('Mira,"Leeds\nVigo" and', TEXT_FOLLOWS),
        ("Mi\rra,Leeds", "a carriage return stands outside quotes: put the cell in quotes"),
        ("Mi\0ra,Leeds", "it holds a NUL character"),
    ],
)
def test_broken_quotes_cost_one_row(broken, reason, piece):
    text = f"name,city\nTomás,Vigo\n{broken}\nTomás,Vigo\nMira,Leeds\n"
    rows = rows_of(text.encode(), piece=piece)
    assert [row for row in rows if isinstance(row, dict)][-2:] == [TOMAS, MIRA]
    assert rows[0] == TOMAS
    assert rows[1] == BadRow(3, reason)


def test_a_quote_that_is_left_open_is_given_up_before_it_swallows_the_file(monkeypatch):
    text = "name,city\n" + '"Mira,Leeds\n' + "Tomás,Vigo\n" * 20_000
    first, *others = rows_of(text.encode(), piece=50_000)
    assert first == BadRow(2, "a cell has more than 131,072 characters: is a quote left open?")
    assert others == [TOMAS] * 20_000


def test_a_quote_inside_a_cell_without_quotes_is_text():
    assert rows_of(b'name,city\n5" pipe,Big "B" town\n') == [{"name": '5" pipe', "city": 'Big "B" town'}]


def test_spaces_around_quotes_are_forgiven():
    assert rows_of(b'name, city\nMira, "Leeds"\n"Tom",  "Vigo, ES" \n') == [
        {"name": "Mira", "city": "Leeds"},
        {"name": "Tom", "city": "Vigo, ES"},
    ]
    assert rows_of(b'name,city\nMira,Leeds\n"Tom" ,Vigo\n')[1] == {"name": "Tom", "city": "Vigo"}


def test_quotes_and_escapes_may_be_others():
    assert rows_of(b"name,city\n'Mira, M','Le''eds'\n", quote="'") == [{"name": "Mira, M", "city": "Le'eds"}]
    assert rows_of(b'name,city\n"say \\"hi\\"",x\n', escape="\\") == [{"name": 'say "hi"', "city": "x"}]
    assert rows_of(b'name,city\n"Mira,Leeds\n', quote=None) == [{"name": '"Mira', "city": "Leeds"}]


def test_embedded_line_breaks_are_kept_as_they_are():
    assert rows_of(b'name,city\r\n"a\r\nb\nc\rd",x\r\n', piece=3) == [{"name": "a\r\nb\nc\rd", "city": "x"}]


def test_other_marks_that_unicode_calls_line_ends_end_no_line():
    text = "name,city\na\u2028b\x0b\x85c,d\x1ce\n"
    assert rows_of(text.encode()) == [{"name": "a\u2028b\x0b\x85c", "city": "d\x1ce"}]


def test_empty_cells_are_absent_and_empty_rows_are_left_out():
    rows, _, notes = read(b"name,city\n,Leeds\n , \n\n,,\nMira,\n   ,x\n")
    assert rows == [{"city": "Leeds"}, {"name": "Mira"}, {"city": "x"}]
    assert notes == ["rows without content that were left out: 2"]


def test_superfluous_empty_cells_are_cut_off():
    assert rows_of(b"name,city\nMira,Leeds,, \nMira,Leeds\n") == [MIRA, MIRA]


def test_short_rows_may_be_filled():
    assert rows_of(b"name,city\nMira\nMira,Leeds\n", header=HeaderRules(fill=True)) == [{"name": "Mira"}, MIRA]


def test_a_byte_that_is_no_character_spoils_its_row_alone():
    data = "name,city\nTomás,Vigo\nJos".encode() + b"\xe9,Vigo\n" + "Zoë,Ærø\nTomás,Vigo\n".encode()
    rows = rows_of(data, encoding="utf-8")
    assert rows == [TOMAS, BadRow(3, "byte 0xE9 is no character in utf-8"), {"name": "Zoë", "city": "Ærø"}, TOMAS]


def test_the_row_of_names_may_come_again():
    assert rows_of(b"name,city\nMira,Leeds\nname,city\nMira,Leeds\n") == [
        MIRA,
        BadRow(3, "it repeats the row of column names"),
        MIRA,
    ]
    assert rows_of(b"email\nemail\n") == [{"email": "email"}]


@pytest.mark.parametrize(
    ("header", "names", "notes"),
    [
        ("\ufeff name ,e\u200bmail", ["name", "email"], []),
        ('"first\n name",x', ["first name", "x"], []),
        (
            "a,,a,",
            ["a", "column2", "a_2", "column4"],
            [
                "column 2 has no name: it is called 'column2'",
                "column 3 has the name 'a' of an earlier one: it is called 'a_2'",
                "column 4 has no name: it is called 'column4'",
            ],
        ),
        ("a,a_2,a", ["a", "a_2", "a_3"], ["column 3 has the name 'a' of an earlier one: it is called 'a_3'"]),
    ],
)
def test_trouble_with_the_names_of_columns_is_mended_and_told(header, names, notes):
    cells = [str(number) for number in range(len(names))]
    rows, _, told = read(f"{header}\n{','.join(cells)}x\n".encode())
    cells[-1] += "x"
    assert (rows, told) == ([dict(zip(names, cells, strict=True))], notes)


def test_columns_beyond_the_names_get_names_if_most_rows_have_them():
    rows, _, notes = read(b"a,b\n1,2,3\n4,5,6\n7,8\n")
    assert rows[0] == {"a": "1", "b": "2", "column3": "3"}
    assert rows[2].line == 4
    assert notes == ["column 3 has no name: it is called 'column3'"]


NO_HEADER = "its first row looks like a record: columns are called 'column1' and so on; see 'columns' and 'header'"


@pytest.mark.parametrize(
    ("text", "rules", "rows", "notes"),
    [
        ("m@example.com,Mira\n", HeaderRules(), [{"column1": "m@example.com", "column2": "Mira"}], [NO_HEADER]),
        ("https://example.com/a\n", HeaderRules(), [{"column1": "https://example.com/a"}], [NO_HEADER]),
        (
            "1,2\n3,4\n",
            HeaderRules(),
            [{"column1": "1", "column2": "2"}, {"column1": "3", "column2": "4"}],
            [NO_HEADER],
        ),
        ("1,2\n3,4\n", HeaderRules(present=True), [{"1": "3", "2": "4"}], []),
        ("name,city\n", HeaderRules(present=False), [{"column1": "name", "column2": "city"}], []),
        ("Mira,Leeds\n", HeaderRules(names=["name", "city"]), [MIRA], []),
        ("name,city\nMira,Leeds\n", HeaderRules(names=["name", "city"]), [MIRA], []),
        ("Name,Ort\nMira,Leeds\n", HeaderRules(present=True, names=["name", "city"]), [MIRA], []),
        ("name, 2024\nMira,Leeds\n", HeaderRules(), [{"name": "Mira", "2024": "Leeds"}], []),
    ],
)
def test_a_table_may_lack_names_of_columns(text, rules, rows, notes):
    found, error, told = read(text.encode(), header=rules)
    assert (found, error, told) == (rows, None, notes)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("sep=;\nname;city\nMira;Leeds\n", {}),
        ('"sep=;"\r\nname;city\r\nMira;Leeds\r\n', {}),
        ("Contacts of June\n\nname;city\nMira;Leeds\n", {"skip_lines": 2}),
        ("name^city\nMira^Leeds\n", {"delimiter": "^"}),
        ("name;city\nMira;Leeds\n\n\n", {}),
        ("name,city\nMira,Leeds", {}),
    ],
)
def test_what_stands_around_a_table(text, options):
    assert rows_of(text.encode(), **options) == [MIRA]
    assert rows_of(text.encode(), piece=2, **options) == [MIRA]


def test_lines_are_counted_behind_what_was_passed_over():
    rows = rows_of(b"June\nsep=,\nname,city\nMira\n", skip_lines=1)
    assert rows[0].line == 4


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("name;price\nMira;1,50\nTom;2,75\n", ";"),
        ("name,notes\nMira,a;b;c\nTom,d;e;f\n", ","),
        ("name\tnotes\nMira\ta, b\n", "\t"),
        ("a|b|c\n1,5|2|3\n", "|"),
        ('"a,b";"c,d"\n"1,2";"3,4"\n', ";"),
        ("a,b,c\n1,2\n1,2,3\n1,2,3\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_makes_a_table(text, delimiter):
    rows = [list(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    found = rows_of(text.encode(), header=HeaderRules(present=True))
    assert list(found[-1].values()) == rows[-1]


def test_a_table_of_one_column():
    assert rows_of(b"email\nm@example.com\nt@example.com\n") == [{"email": "m@example.com"}, {"email": "t@example.com"}]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", "x.csv", "it is empty: expected a row of column names, and rows"),
        (b"\n\n\r\n", "x.csv", "it is empty"),
        (b"na\0me,city\nMira,Leeds\n", "x.csv", "line 1: the columns have no names that could be read: it holds a NUL"),
        (b'"name,city\nMira,Leeds\n', "x.csv", "line 1: the columns have no names that could be read: a quote"),
    ],
)
def test_what_is_no_table_is_refused(data, name, message):
    _, error, _ = read(data, name)
    assert error.startswith(message)


def test_a_row_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(csv_rows, "ROW_CHARS", 1000)
    rows, error, _ = read(b"name,city\nMira,Leeds\n" + b"x," * 3000, piece=500)
    assert (rows, error) == ([MIRA], "line 3: a row has more than 1,000 characters: what ends its lines?")


@pytest.mark.parametrize("cell", ["=1+1", "+39 02 1234", "-5", "@home", "\t=1"])
def test_the_guard_against_formulas_is_taken_off(cell):
    rows = rows_of(f"name,city\n\"'{cell}\",'{cell}\nO'Brien,'s\n".encode())
    assert rows == [{"name": cell, "city": cell}, {"name": "O'Brien", "city": "'s"}]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)
names = st.lists(st.from_regex(r"[a-zé]{1,4}( [a-z_]{1,3})?", fullmatch=True), min_size=2, max_size=4, unique=True)


@RELAXED
@given(
    data=st.data(),
    header=names,
    delimiter=st.sampled_from(",;\t|"),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    piece=st.integers(1, 40),
)
def test_what_the_standard_library_writes_is_read_back(data, header, delimiter, codec, piece):
    table = data.draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), max_size=5))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([header, *table])
    rows = rows_of(text.getvalue().encode(codec), piece=piece, delimiter=delimiter, header=HeaderRules(present=True))
    wanted = [
        {name: _bare(cell) for name, cell in zip(header, row, strict=True) if cell.strip()}
        for row in table
        if any(map(str.strip, row)) and row != header
    ]
    assert [row for row in rows if isinstance(row, dict)] == wanted


def _bare(cell):
    return cell[1:] if cell.startswith("'") and cell[1:2] in set("=+-@\t\r\n＝＋－＠") and cell[1:2] else cell


@RELAXED
@given(text=st.text(st.sampled_from("ab,;\"\n\r\t'= "), max_size=40), piece=st.integers(1, 10))
def test_no_text_breaks_the_reader_and_the_cut_makes_no_difference(text, piece):
    whole = read(text.encode())
    assert read(text.encode(), piece=piece) == whole
    rows, error, _ = whole
    assert error is None or error.startswith(("it is empty", "line "))
    assert all(isinstance(row, dict) or 1 <= row.line <= text.count("\n") + text.count("\r") + 1 for row in rows)


@pytest.mark.parametrize("name", ["c", "", "c%d"])
def test_a_hostile_header_costs_no_more_than_its_length(name):
    cells = [name.replace("%d", str(number)) for number in range(60_000)]
    names, notes = column_names(cells, 0)
    assert len(set(names)) == len(names) == 60_000
    assert len(notes) == {"c": 59_999, "": 60_000, "c%d": 0}[name]
