"""Recognises e-mail addresses, web addresses and phone numbers by their form. Every check is linear and bounded."""

import re

MAX_EMAIL_CHARS = 254
MAX_URL_CHARS = 2_048
_MAX_HOST_CHARS = 253
_MAX_PHONE_CHARS = 40

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_LABEL = re.compile(r"[^\W_](?:[^\W_]|-){0,62}\Z")
_TOP_LEVEL = re.compile(r"(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{1,59})\Z", re.IGNORECASE)
_PHONE = re.compile(r"\+?[0-9()][0-9().\-/ \u00a0]*\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_SPACE = re.compile(r"\s")
_LOCAL_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-.")
_URL_IN_TEXT = re.compile(rf"https?://[^\s<>\"'\\]{{1,{MAX_URL_CHARS}}}", re.IGNORECASE)
_PHONE_IN_TEXT = re.compile(r"(?<![\w+])\+?\(?[0-9][0-9().\-/ ]{4,24}[0-9](?!\w)")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


def is_hostname(text: str) -> bool:
    """Tell whether `text` is a host name with at least two labels, such as `example.com`."""
    if len(text) > _MAX_HOST_CHARS:
        return False
    labels = text.split(".")
    sound = all(_LABEL.match(label) and not label.endswith("-") for label in labels)
    return sound and len(labels) >= 2 and _TOP_LEVEL.match(labels[-1]) is not None


def is_email(text: str) -> bool:
    """Tell whether `text` is one e-mail address (ASCII before the @), as `name@example.com`."""
    local, at, host = text.rpartition("@")
    return (
        bool(at)
        and len(text) <= MAX_EMAIL_CHARS
        and len(local) <= 64
        and _LOCAL.match(local) is not None
        and is_hostname(host)
    )


def url_host(text: str) -> str | None:
    """Return the host of an http or https address in lower case, or None if `text` isn't one."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or len(text) > MAX_URL_CHARS or _SPACE.search(text):
        return None
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host, colon, port = authority.partition(":")
    if (colon and not _PORT.match(port)) or not is_hostname(host):
        return None
    return host.lower()


def is_url(text: str) -> bool:
    """Tell whether `text` is one http or https address with a host name, as `https://example.com/a?b=c`."""
    return url_host(text) is not None


def is_phone(text: str) -> bool:
    """Tell whether `text` is a phone number: 7 to 15 digits, perhaps a leading +, separators and brackets."""
    text = text.strip()
    return len(text) <= _MAX_PHONE_CHARS and _PHONE.match(text) is not None and 7 <= len(digits(text)) <= 15


def digits(text: str) -> str:
    """Return the ASCII digits of `text`."""
    return "".join(character for character in text if "0" <= character <= "9")


def find_emails(text: str) -> list[str]:
    """Return the e-mail addresses in `text`, each once, in the order they appear."""
    found: dict[str, None] = {}
    at = text.find("@")
    while at != -1:
        # Searching outward from each @ keeps this linear; a pattern would start anew at every letter.
        start, end = at, at + 1
        while start > 0 and at - start < 64 and text[start - 1] in _LOCAL_CHARS:
            start -= 1
        while end < len(text) and end - at < 254 and (text[end].isalnum() or text[end] in ".-"):
            end += 1
        candidate = f"{text[start:at].lstrip('.')}@{text[at + 1 : end].rstrip('.-')}"
        if is_email(candidate):
            found.setdefault(candidate)
        at = text.find("@", at + 1)
    return list(found)


def find_urls(text: str) -> list[str]:
    """Return the http and https addresses in `text`, each once, without the punctuation behind them."""
    candidates = (match.group().rstrip(".,;:!?)]}*") for match in _URL_IN_TEXT.finditer(text))
    return list(dict.fromkeys(candidate for candidate in candidates if is_url(candidate)))


def find_phones(text: str) -> list[str]:
    """Return what reads like a phone number in `text`, each once, as written; ISO dates are left out."""
    candidates = (match.group() for match in _PHONE_IN_TEXT.finditer(text))
    return list(dict.fromkeys(found for found in candidates if is_phone(found) and not _ISO_DATE.match(found)))
