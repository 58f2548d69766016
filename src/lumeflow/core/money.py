"""Exact money. Amounts are `Decimal`, never floats; a sum of parts equals the whole to the last digit."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
CURRENCY = "USD"


class Basis(StrEnum):
    """Where an amount comes from."""

    REPORTED = "reported"
    """The vendor named it in its answer."""
    COMPUTED = "computed"
    """From counted units (credits, tokens, events) times a configured price."""
    ASSUMED = "assumed"
    """For a call whose answer was lost: what it cost if the vendor did process it."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What one call cost.

    Attributes:
        amount: Money in `CURRENCY`.
        credits: Vendor credits or tokens, where the vendor counts in such; None otherwise.
        basis: Where the amount comes from.
    """

    amount: Decimal = ZERO
    credits: Decimal | None = None
    basis: Basis = Basis.COMPUTED


FREE = Charge()


def decimal_of(value: object) -> Decimal:
    """Read a JSON number or string as an exact decimal (a float by its shortest text, as it stood in the JSON).

    Raises:
        ValueError: `value` is not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError(f"expected a number, found {type(value).__name__}")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError as error:
        raise ValueError("expected a number") from error
    if not number.is_finite():
        raise ValueError("expected a finite number")
    return number


def plain(amount: Decimal) -> str:
    """Write an amount without exponent and without trailing zeros: `Decimal("3.00")` gives `3`."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Sum exactly; zero for none."""
    return sum(amounts, ZERO)
