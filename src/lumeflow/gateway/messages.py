"""Sentences about calls that failed: which operation of which provider, what happened, and what would mend it."""

from lumeflow.core.concealing import conceal
from lumeflow.core.errors import CallError, ErrorClass
from lumeflow.core.operation import Account, Operation, Repeat
from lumeflow.gateway.call import Call
from lumeflow.gateway.retry import Ending, Problem


def final_error(problem: Problem, call: Call, attempts: int) -> CallError:
    """The error of a call that is given up after `attempts` attempts."""
    operation, account = call.operation, call.account
    status = "" if problem.status is None else f" (status {problem.status})"
    parts = [f"{operation.id} failed{status}: {_sentence(scrub(problem.message, account))}"]
    if problem.error_class is ErrorClass.AUTH and account.key_name:
        parts.append(f"Check the secret {account.key_name}.")
    if problem.retry_after is not None and problem.ending is Ending.REFUSED:
        parts.append(f"{operation.provider} asks to wait {duration(problem.retry_after)}.")
    if call.mocked:
        parts.append(f"The answer is its mock, which must be the body that {operation.provider} sends with status 200.")
    elif problem.ending is Ending.LOST and call.repeat is not Repeat.FREE:
        parts.append(_DOUBTS[call.repeat])
    if attempts > 1:
        parts.append(f"Given up after {attempts} attempts.")
    return CallError(problem.error_class, " ".join(parts), operation=operation.id, status=problem.status)


_DOUBTS = {
    Repeat.BOOKED: "It may have been charged, and is listed as in doubt.",
    Repeat.LOOK_FIRST: "It may have been charged, and is listed as in doubt.",
    Repeat.NEVER: "It may have been carried out; it is listed as in doubt and is not made again.",
}


def not_again(call: Call) -> CallError:
    """The call was made by a process that ended before its answer came, and must not be made twice."""
    return CallError(
        ErrorClass.NETWORK,
        f"{call.operation.id}: an earlier run made this call and ended before the answer came. "
        + _DOUBTS[Repeat.NEVER],
        operation=call.operation.id,
    )


def not_inherited(call: Call) -> CallError:
    """The call's node may only use answers of an earlier execution, and this one is not among them."""
    return CallError(
        ErrorClass.NOT_FOUND,
        f"{call.operation.id} was not called: the execution that is run again has no answer to this call, and what "
        "comes before the part that is run again makes no calls. Run it again from this node, or resume it.",
        operation=call.operation.id,
    )


def no_key(operation: Operation, account: Account) -> CallError:
    """The account has no key."""
    return CallError(
        ErrorClass.AUTH,
        f"{operation.id} was not called: {operation.provider} needs an API key. Set {account.key_name} in the "
        "environment, or run in demo mode.",
        operation=operation.id,
    )


def closed(operation: Operation, seconds: float) -> CallError:
    """The vendor asked for a wait that is too long to sit out."""
    return CallError(
        ErrorClass.RATE_LIMIT,
        f"{operation.id} was not called: {operation.provider} allows the next call in {duration(seconds)}, which is "
        "too long to wait. Resume the execution then.",
        operation=operation.id,
    )


def broken(operation: Operation, step: str, error: Exception) -> CallError:
    """The operation's code raised an exception."""
    return CallError(
        ErrorClass.INTERNAL,
        f"{operation.id}: {step} failed with {type(error).__name__}; this is a bug in the module of "
        f"{operation.provider}. An answer that arrived is kept.",
        operation=operation.id,
    )


def scrub(text: str, account: Account) -> str:
    """Take the account's key out of a text, should a vendor have quoted it."""
    return text if account.key is None else conceal(text, (account.key,))


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
