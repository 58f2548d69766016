"""Numbers as people read them: money, counts, durations."""

from decimal import Decimal

from lumeflow.core.money import plain


def money(amount: Decimal) -> str:
    """All digits of an amount, and at least two after the point: `$0.50`, `$0.0019`."""
    text = plain(amount)
    whole, _, digits = text.partition(".")
    return f"${whole}.{digits:0<2}"


def rough_money(amount: Decimal) -> str:
    """An amount for a display that moves: four digits after the point."""
    return f"${amount:.4f}"


def count(number: int, noun: str) -> str:
    """`1 record`, `2,000 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`340 ms`, `4.2 s`, `3 min 12 s`, `2 h 05 min`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
