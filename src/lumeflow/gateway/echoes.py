"""Takes secrets out of answers that repeat what was sent, before anything is stored or read."""

from collections.abc import Iterable
from dataclasses import replace

from lumeflow.core.concealing import MASK, conceal, spellings
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.operation import Account
from lumeflow.core.secret import Secret


def secrets_of(request: HttpRequest, account: Account) -> tuple[Secret, ...]:
    """What a request was built with."""
    return request.secrets if account.key is None else (*request.secrets, account.key)


def without_echoes(response: HttpResponse, secrets: Iterable[Secret]) -> HttpResponse:
    """The answer with `***` in place of these secrets; the same object if it holds none of them."""
    known = list(dict.fromkeys(secrets))
    body = response.body
    for secret in known:
        for spelling in spellings(secret.reveal()):
            text = spelling.encode()
            if text in body:
                body = body.replace(text, MASK.encode())
    headers = {name: conceal(value, known) for name, value in response.headers.items()}
    if body is response.body and headers == response.headers:
        return response
    return replace(response, body=body, headers=headers)
