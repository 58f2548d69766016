"""As whom a call is made at the moment it is made: its account and, where it needs one, a token that is still good."""

import asyncio
from dataclasses import replace

from lumeflow.core.errors import AnswerLost, ErrorClass, ForbiddenAddress, NotSent
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import FREE
from lumeflow.core.operation import Account, Failure, Grant
from lumeflow.core.secret import Secret
from lumeflow.gateway.books import Books
from lumeflow.gateway.call import Call
from lumeflow.gateway.echoes import secrets_of, without_echoes
from lumeflow.gateway.redirects import send_following
from lumeflow.gateway.retry import Ending, Problem
from lumeflow.gateway.tokens import Tokens

_MOST_RENEWALS = 3
"""Of one call; tokens that expire faster than they are used are wrong ones."""
_TOKEN_SECONDS = 30.0


class Authority:
    """Knows the account of one call. What it asks for on the way is counted with the call."""

    __slots__ = ("_books", "_call", "_grant", "_renewals", "_token", "_tokens")

    def __init__(self, call: Call, tokens: Tokens, books: Books) -> None:
        self._call = call
        self._tokens = tokens
        self._books = books
        self._grant: Grant | None = None
        self._token: Secret | None = None
        self._renewals = 0

    async def account(self) -> Account | Problem:
        """The account to build the request with, or why there is no token to be had."""
        call = self._call
        if call.mocked:
            return call.account
        self._grant = grant = call.operation.grant(call.params, call.account)
        if grant is None:
            return call.account
        try:
            found = await self._tokens.get(grant, self._fetch)
        except ForbiddenAddress as error:
            return Problem(Ending.UNSENT, ErrorClass.VALIDATION, str(error), retryable=False)
        except (NotSent, AnswerLost) as error:
            return Problem(Ending.UNSENT, ErrorClass.NETWORK, f"there is no token: {error}")
        if isinstance(found, Secret):
            self._token = found
            return replace(call.account, token=found)
        failure, response = found
        retryable = failure.retryable
        if retryable is None and failure.error_class in (ErrorClass.AUTH, ErrorClass.VALIDATION, ErrorClass.NOT_FOUND):
            retryable = False
        return Problem(
            Ending.UNSENT, failure.error_class, failure.message, response.status, failure.retry_after, retryable
        )

    def renews(self, failure: Failure, response: HttpResponse) -> bool:
        """True if the call was refused for its token, which is dropped, and shall be made again with another one."""
        if self._grant is None or self._token is None or response.status != 401:
            return False
        self._tokens.drop(self._grant, self._token)
        self._renewals += 1
        return failure.error_class is ErrorClass.AUTH and self._renewals <= _MOST_RENEWALS

    async def _fetch(self, request: HttpRequest) -> HttpResponse:
        call, observer = self._call, self._books.observer
        loop = asyncio.get_running_loop()
        started = loop.time()

        def written() -> None:
            self._books.asked(1)
            observer.sent(call.node_id, call.account.name)

        seconds = min(call.timeout, _TOKEN_SECONDS)
        response = await send_following(call.transport, request, seconds=seconds, on_write=written)
        observer.answered(call.node_id, call.account.name, FREE, loop.time() - started)
        return without_echoes(response, secrets_of(request, call.account))
