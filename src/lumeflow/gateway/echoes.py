"""Takes secrets out of answers that repeat what was sent, before anything is stored or read."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote, quote_plus

from lumeflow.core.http import HttpResponse
from lumeflow.core.secret import Secret

_SHORTEST = 6
"""Shorter texts are words that an answer may hold by chance."""
_MASK = "***"


def without_echoes(response: HttpResponse, secrets: Iterable[Secret]) -> HttpResponse:
    """The answer with `***` in place of these secrets; the same object if it holds none of them."""
    body, headers = response.body, dict(response.headers)
    for text in _spellings(secrets):
        if text.encode() in body:
            body = body.replace(text.encode(), _MASK.encode())
        for name, value in headers.items():
            if text in value:
                headers[name] = value.replace(text, _MASK)
    if body is response.body and headers == response.headers:
        return response
    return replace(response, body=body, headers=headers)


def _spellings(secrets: Iterable[Secret]) -> Iterable[str]:
    for secret in secrets:
        text = secret.reveal()
        if len(text) >= _SHORTEST:
            yield from sorted({text, quote(text, safe=""), quote_plus(text), _json(text)}, key=len, reverse=True)


def _json(text: str) -> str:
    import orjson

    return orjson.dumps(text).decode()[1:-1]
