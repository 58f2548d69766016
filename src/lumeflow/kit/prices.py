"""What a call costs: configured prices before a provider's defaults."""

from decimal import Decimal

from lumeflow.plugin import Account, Basis, Charge, ProviderDefaults

MILLIONTH = Decimal("0.000001")


def price_of(account: Account, provider: ProviderDefaults, name: str) -> Decimal:
    """USD of one unit called `name`."""
    configured = account.prices.get(name)
    return provider.prices[name] if configured is None else configured


def charge_for(units: Decimal | int, price: Decimal, *, basis: Basis = Basis.COMPUTED) -> Charge:
    """The charge for so many credits or tokens at `price` each."""
    count = Decimal(units)
    return Charge(count * price, count, basis)


def count_of(value: object) -> int | None:
    """A count out of an answer: a whole number of at least 0; None if it is anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
