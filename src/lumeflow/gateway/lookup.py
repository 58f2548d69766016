"""Asks a vendor what became of a call whose answer was lost, before it is started again."""

import asyncio
from datetime import datetime

import orjson

from lumeflow.core.errors import AnswerLost, CallError, ErrorClass, LumeflowError, NotSent
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import FREE, ZERO
from lumeflow.gateway.admission import Passage, admit
from lumeflow.gateway.call import Call
from lumeflow.gateway.echoes import secrets_of, without_echoes
from lumeflow.gateway.observer import CallObserver
from lumeflow.gateway.transport import send_noticed

ATTEMPTS = 4
"""Requests made for one question; questions cost nothing."""
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0


class Lookup:
    """Runs an operation's `recover`, and sends its questions by the operation's own lane.

    Attributes:
        asked: How many requests that took.
    """

    def __init__(self, call: Call, observer: CallObserver) -> None:
        self._call = call
        self._observer = observer
        self.asked = 0

    async def run(self, claimed_at: datetime) -> HttpResponse | None:
        """The answer of the call that went out after `claimed_at`; None if it certainly never ran.

        Raises:
            CallError: The vendor could not be asked.
        """
        call = self._call
        try:
            return await call.operation.recover(call.params, call.account, claimed_at, self._send)
        except LumeflowError:
            raise
        except Exception as error:
            raise self._unknown(ErrorClass.INTERNAL, type(error).__name__) from error

    async def _send(self, request: HttpRequest) -> HttpResponse:
        delay = _FIRST_DELAY
        for attempt in range(1, ATTEMPTS + 1):
            response, error_class, reason = await self._ask(request)
            if response is not None and error_class is None:
                return response
            if attempt < ATTEMPTS:
                await asyncio.sleep(max(delay, _retry_after(response)))
                delay *= 2
        raise self._unknown(error_class or ErrorClass.NETWORK, reason)

    async def _ask(self, request: HttpRequest) -> tuple[HttpResponse | None, ErrorClass | None, str]:
        call = self._call
        passage = await admit(call, None, ZERO, _quietly)
        loop = asyncio.get_running_loop()
        started = loop.time()

        def written() -> None:
            self.asked += 1
            passage.slot.sent()
            self._observer.sent(call.node_id, call.account.name)

        try:
            response = await send_noticed(call.transport, request, seconds=call.timeout, on_write=written)
        except NotSent as error:
            passage.failed()
            return None, ErrorClass.NETWORK, str(error)
        except AnswerLost as error:
            passage.failed()
            return None, ErrorClass.TIMEOUT if error.timed_out else ErrorClass.NETWORK, str(error)
        else:
            self._observer.answered(call.node_id, call.account.name, FREE, loop.time() - started)
            response = without_echoes(response, secrets_of(request, call.account))
            return response, _report(passage, response), f"status {response.status}"
        finally:
            passage.close()

    def _unknown(self, error_class: ErrorClass, reason: str) -> CallError:
        operation = self._call.operation
        return CallError(
            error_class,
            f"{operation.id}: its answer was lost, and {operation.provider} could not be asked what became of it "
            f"({reason}). It may have been charged and is listed as in doubt; resume the execution to ask again.",
            operation=operation.id,
        )


def _report(passage: Passage, response: HttpResponse) -> ErrorClass | None:
    if response.status == 429:
        passage.refused(_retry_after(response) or None)
        return ErrorClass.RATE_LIMIT
    if response.status >= 500 or response.status == 408:
        passage.failed()
        return ErrorClass.SERVER_ERROR
    passage.passed()
    return None if _is_whole(response) else ErrorClass.INVALID_RESPONSE


def _is_whole(response: HttpResponse) -> bool:
    """False for JSON that stops in the middle: what it says of a call that may have been paid is not to be guessed."""
    if "json" not in response.headers.get("content-type", ""):
        return True
    try:
        orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return False
    return True


def _retry_after(response: HttpResponse | None) -> float:
    text = "" if response is None else response.headers.get("retry-after", "")
    return min(float(text), _LONGEST_DELAY) if text.isascii() and text.isdigit() else 0.0


def _quietly(seconds: float) -> None:
    pass
