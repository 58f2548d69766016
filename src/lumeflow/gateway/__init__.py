"""The one door for outgoing calls: ledger, budget, circuit breaker, rate limit, concurrency, retry, transport."""

from lumeflow.gateway.accounts import Accounts, AccountSettings
from lumeflow.gateway.budget import Budget, Limits
from lumeflow.gateway.gateway import Gateway
from lumeflow.gateway.guard import Guard
from lumeflow.gateway.observer import CallObserver, SilentObserver
from lumeflow.gateway.retry import RetryPolicy
from lumeflow.gateway.session import Session
from lumeflow.gateway.transport import HttpTransport, NoticingTransport

__all__ = [
    "AccountSettings",
    "Accounts",
    "Budget",
    "CallObserver",
    "Gateway",
    "Guard",
    "HttpTransport",
    "Limits",
    "NoticingTransport",
    "RetryPolicy",
    "Session",
    "SilentObserver",
]
