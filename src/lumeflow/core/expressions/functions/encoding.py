"""Hashes and encodings of texts."""

import base64
import binascii
import hashlib
from urllib.parse import quote

from lumeflow.core.expressions.functions.registry import Text, function
from lumeflow.core.expressions.limits import check_text


def _normalised(text: str) -> bytes:
    return text.strip().lower().encode()


@function("encoding")
def sha256(text: Text) -> str:
    """The SHA-256 in hexadecimal of the text, trimmed and in small letters, as ad platforms want it.

    Example:
        sha256(' Anna@Example.com') -> 'f7d54c22dda5b1780276601cd005909b70543fc4a6ba72d735b4cb9bbb611f01'
    """
    return hashlib.sha256(_normalised(text)).hexdigest()


@function("encoding")
def sha1(text: Text) -> str:
    """The SHA-1 in hexadecimal of the text, trimmed and in small letters.

    Example:
        sha1('a') -> '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'
    """
    return hashlib.sha1(_normalised(text), usedforsecurity=False).hexdigest()


@function("encoding")
def md5(text: Text) -> str:
    """The MD5 in hexadecimal of the text, trimmed and in small letters.

    Example:
        md5('a') -> '0cc175b9c0f1b6a831c399e269772661'
    """
    return hashlib.md5(_normalised(text), usedforsecurity=False).hexdigest()


@function("encoding")
def url_encode(text: Text) -> str:
    """The text as it may stand in a web address.

    Example:
        urlEncode('Müller & Co') -> 'M%C3%BCller%20%26%20Co'
    """
    check_text(len(text))
    return quote(text, safe="")


@function("encoding")
def base64_(text: Text) -> str:
    """The text in Base64.

    Example:
        base64('user:pass') -> 'dXNlcjpwYXNz'
    """
    check_text(len(text))
    return base64.b64encode(text.encode()).decode()


@function("encoding")
def parse_base64(text: Text) -> str | None:
    """The text that a Base64 text stands for; null if it isn't Base64 of a text.

    Example:
        parseBase64('dXNlcjpwYXNz') -> 'user:pass'
    """
    check_text(len(text))
    try:
        return base64.b64decode(text.encode(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
