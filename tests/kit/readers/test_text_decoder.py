import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.readers.encodings import SAMPLE_BYTES
from lumeflow.kit.readers.inflate import PIECE_BYTES, Inflate
from lumeflow.kit.readers.rows import FileRefused
from lumeflow.kit.readers.text import TextDecoder, bad_text


def decode(data, encoding=None, piece=None):
    decoder = TextDecoder(encoding)
    size = piece or max(1, len(data))
    parts = [decoder.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return "".join([*parts, decoder.finish()]), decoder


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\0"), max_size=60)


@given(text=texts, codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]), piece=st.integers(1, 9))
def test_unicode_is_read_however_it_is_cut(text, codec, piece):
    given_encoding = None if codec in ("utf-8-sig", "utf-16", "utf-32") else codec
    assert decode(text.encode(codec), given_encoding, piece)[0] == text


@given(text=texts, piece=st.integers(1, 2000))
def test_what_is_found_out_does_not_depend_on_the_cut(text, piece):
    data = (b"plain text\n" * 8000) + text.encode("cp1252", errors="ignore") + b"\nmore\n"
    whole, decoder = decode(data)
    cut, other = decode(data, piece=piece * 37)
    assert (whole, decoder.encoding) == (cut, other.encoding)


def test_ascii_stays_ascii():
    text, decoder = decode(b"name\nMira\n" * 50_000, piece=10_000)
    assert (len(text), decoder.encoding, decoder.guessed) == (500_000, "ascii", False)


def test_a_byte_far_behind_tells_the_encoding():
    data = b"Mira,Holt\n" * 30_000 + "Núñez,José\n".encode("cp1252") + b"Mira,Holt\n" * 30_000
    text, decoder = decode(data, piece=4096)
    assert (decoder.encoding, decoder.guessed) == ("cp1252", True)
    assert "Núñez,José" in text
    assert len(text) == len(data)


def test_ascii_flows_while_nothing_else_has_come():
    decoder = TextDecoder(None)
    assert len(decoder.feed(b"x" * (2 * SAMPLE_BYTES))) > SAMPLE_BYTES


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (b"Jos\xe9", "utf-8", "byte 0xE9 is no character in utf-8"),
        (b"a\x81b", "cp1252", "byte 0x81 is no character in cp1252"),
        (b"a\x82\x00b", "cp932", "byte 0x82 is no character in cp932"),
        (b"a\x00\xd8b\x00", "utf-16-le", "byte 0x00 is no character in utf-16-le"),
        (b"a\0b", "utf-8", "it holds a NUL character"),
        ("Zoë".encode(), "utf-8", None),
    ],
)
def test_a_byte_without_meaning_is_marked_and_told(data, encoding, reason):
    assert bad_text(decode(data, encoding)[0], encoding) == reason


def inflate(data, piece=None):
    unpack = Inflate()
    size = piece or max(1, len(data))
    parts = [part for start in range(0, len(data), size) for part in unpack.feed(data[start : start + size])]
    unpack.finish()
    return parts


@given(members=st.lists(st.binary(max_size=200), min_size=1, max_size=3), piece=st.integers(1, 50))
def test_members_are_unpacked_however_they_are_cut(members, piece):
    packed = b"".join(gzip.compress(member) for member in members)
    assert b"".join(inflate(packed, piece)) == b"".join(inflate(packed + b"\0" * 100)) == b"".join(members)


def test_a_small_file_that_unpacks_to_a_huge_one_comes_in_pieces():
    parts = inflate(gzip.compress(bytes(30 << 20)))
    assert sum(map(len, parts)) == 30 << 20
    assert max(map(len, parts)) <= PIECE_BYTES


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(b"name\n" * 1000)[:-12], "break off"),
        (gzip.compress(b"name\n" * 1000)[:20] + b"broken" * 10, "are damaged"),
        (gzip.compress(b"name\n") + b"trailing", "are damaged"),
    ],
)
def test_damage_is_told(data, message):
    with pytest.raises(FileRefused, match=message):
        inflate(data)
