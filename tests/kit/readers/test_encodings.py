import pytest

from lumeflow.kit.readers.encodings import detect, detect_unicode
from lumeflow.kit.readers.text import known_encoding

NAMES = {
    ("cp1252", "Italian"): ["Niccolò", "Società Agricola", "Forlì", "perché no", "Città di Castello"],
    ("cp1252", "German"): ["Müller", "Jürgen Groß", "Köln", "Straße 5", "Übersee GmbH"],
    ("cp1252", "French"): ["Hélène", "François", "Béziers", "L’Oréal – cœur", "Orléans"],
    ("cp1252", "Spanish"): ["Tomás Quiroga", "Núñez", "Peña", "Málaga", "Compañía", "García"],
    ("cp1252", "Portuguese"): ["João", "Conceição", "São Paulo", "Antônio", "Gonçalves", "Camões"],
    ("cp1252", "Danish"): ["Søren", "Ærø", "København", "Århus", "Jørgensen"],
    ("cp1252", "Icelandic"): ["Þórður", "Guðmundur", "Sigríður"],
    ("cp1252", "all of Western Europe"): ["Søren", "Müller", "François", "Núñez", "Niccolò", "João", "Åsa"],
    ("cp1252", "marks"): ["L’Oréal", "it’s", "“quoted”", "Zoë’s", "50 €", "Acme®"],
    ("cp1252", "capitals"): ["MÜLLER", "JÜRGEN", "KÖLN", "ÅSA"],
    ("cp1250", "Polish"): ["Łukasz", "Wałęsa", "Kraków", "Gdańsk", "Żółkiewski", "Świętosława"],
    ("cp1250", "Czech"): ["Dvořák", "Černý", "Plzeň", "Jiří", "Žižka", "Růžena"],
    ("cp1250", "Hungarian"): ["Erdős", "Győr", "Szűcs", "Kovács", "Pécs"],
    ("iso8859-2", "Polish"): ["Łukasz", "Wałęsa", "Kraków", "Gdańsk", "Świętosława", "ąż"],
    ("cp1254", "Turkish"): ["Şahin", "Yılmaz", "Çağrı", "İstanbul", "Gökçe", "Özgür"],
    ("cp1257", "Lithuanian"): ["Žemaitis", "ąžuolas", "Šiauliai", "Jūratė", "Gražinos"],
    ("cp1251", "Russian"): ["Иван Петров", "Москва", "Сергей Иванов", "ООО Ромашка"],
    ("cp1251", "Ukrainian"): ["Київ", "Олексій", "Львів", "Наталія Шевченко"],
    ("cp1251", "capitals"): ["ИВАН ПЕТРОВ", "МОСКВА", "СЕРГЕЙ"],
    ("koi8-r", "Russian"): ["Иван Петров", "Москва", "Сергей Иванов", "ООО Ромашка"],
    ("cp866", "Russian"): ["Иван Петров", "Москва", "Сергей Иванов", "ООО Ромашка"],
    ("cp1253", "Greek"): ["Γιώργος", "Αθήνα", "Παπαδόπουλος", "Θεσσαλονίκη"],
    ("cp1255", "Hebrew"): ["דוד כהן", "תל אביב", "ירושלים"],
    ("cp1256", "Arabic"): ["محمد", "القاهرة", "فاطمة الزهراء"],
    ("cp874", "Thai"): ["สมชาย", "กรุงเทพ", "สุดา"],
    ("mac-roman", "Western"): ["Müller", "François", "Núñez", "Niccolò"],
    ("cp850", "Italian"): ["Niccolò", "Forlì", "perché", "Città"],
    ("cp932", "Japanese"): ["山田太郎", "東京都", "株式会社サンプル", "佐藤 花子", "大阪"],
    ("cp932", "kana"): ["カブシキガイシャ", "さとう", "ｶﾅ", "テスト"],
    ("euc-jp", "Japanese"): ["山田太郎", "東京都", "株式会社サンプル", "佐藤 花子", "大阪"],
    ("gb18030", "Chinese"): ["王小明", "北京市", "李娜", "上海有限公司"],
    ("big5", "Chinese"): ["王小明", "臺北市", "陳怡君", "有限公司"],
    ("cp949", "Korean"): ["김민수", "서울특별시", "이영희", "주식회사"],
}
NAMED = pytest.mark.parametrize(("which", "words"), NAMES.items(), ids=[" ".join(which) for which in NAMES])


def table(words, rows, every=1):
    """A table in which every so-many-th row has such names, and the others are plain."""
    lines = ["first name,company,city,email"]
    for number in range(rows):
        names = [words[(number + shift) % len(words)] for shift in range(3)]
        lines.append(",".join([*(names if number % every == 0 else ["Mira", "Holt Ltd", "Leeds"]), "m@example.com"]))
    return "\r\n".join(lines)


@NAMED
@pytest.mark.parametrize(("rows", "every"), [(2, 1), (7, 1), (200, 1), (300, 40)])
def test_the_old_encoding_of_a_list_of_names_is_found_out(which, words, rows, every):
    text = table(words, rows, every)
    data = text.encode(which[0])
    encoding, guessed = detect(data[next(i for i, byte in enumerate(data) if byte > 127) - 10 :])
    assert (data.decode(encoding, errors="replace"), guessed) == (text, True)


@pytest.mark.parametrize("name", ["Núñez", "José", "Jürgen", "Søren", "François", "Zoë", "Åsa", "Niccolò"])
def test_one_western_name_is_enough(name):
    encoding, _ = detect(f"Mira,Holt\r\n{name},Holt\r\n".encode("cp1252"))
    assert name.encode("cp1252").decode(encoding) == name


@NAMED
def test_utf_8_is_never_guessed(which, words):
    assert detect(table(words, 5).encode()) == ("utf-8", False)


def test_a_few_bytes_of_another_encoding_do_not_spoil_utf_8():
    assert detect("Tomás,José,Zoë\n".encode() + "Jos\xe9\n".encode("latin-1")) == ("utf-8", False)


def test_utf_8_may_break_off_in_a_character():
    assert detect("Tomás José".encode()[:-1]) == ("utf-8", False)


def test_what_no_language_explains_is_western():
    assert detect(b"x\xac\xacy") == ("cp1252", True)
    assert detect(b"x\x81\xacy") == ("latin-1", True)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "iso2022_jp"])
@pytest.mark.parametrize("text", ["名,email\nMira,m@example.com\n", "姓名,email\n山田太郎,y@example.com\n"])
def test_encodings_that_tell_by_themselves(codec, text):
    data = text.encode(codec)
    assert data.decode(detect_unicode(data)).removeprefix("\ufeff") == text


@pytest.mark.parametrize("data", [b"", b"name,email\n", "Tomás".encode(), b"a\0b,c\n" * 5, bytes(range(256)) * 4])
def test_other_texts_do_not_look_like_them(data):
    assert detect_unicode(data) is None


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("UTF8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("windows-1252", "cp1252"),
        ("latin1", "iso8859-1"),
        ("Shift_JIS", "cp932"),
        ("GBK", "gb18030"),
        ("euc-kr", "cp949"),
    ],
)
def test_encodings_have_many_names(name, known):
    assert known_encoding(name) == known


@pytest.mark.parametrize("name", ["utf-9", "base64", "rot13", "unicode_escape", "idna", ""])
def test_what_is_no_encoding_of_files_is_refused(name):
    with pytest.raises(ValueError, match="is not an encoding that can be read"):
        known_encoding(name)


def test_the_nearest_encoding_is_named():
    with pytest.raises(ValueError, match=r"Did you mean 'cp125\d'"):
        known_encoding("cp1253x")
