"""Exact dollars and whole micro-dollars: the ledger counts in the second, everything else in the first."""

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    FloatOperation,
    Inexact,
    InvalidOperation,
)
from typing import Literal

from aggregator.errors import PricingError

__all__ = ["EXACT", "dollars", "exact", "from_micro_usd", "micro_usd"]

MICRO_USD = 1_000_000
EXACT = Context(prec=100, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, FloatOperation])
"""Arithmetic that cannot lose a digit: it raises instead, and does not depend on the caller's own decimal context."""

_ROUNDINGS = {"reserve": ROUND_CEILING, "settle": ROUND_HALF_EVEN}


def micro_usd(amount_usd: Decimal, rounding: Literal["reserve", "settle"]) -> int:
    """Whole micro-dollars: a reservation is rounded up, so that it always covers; a settlement half to even."""
    if not isinstance(amount_usd, Decimal) or not amount_usd.is_finite():
        raise PricingError(f"{amount_usd!r} is not an exact amount of dollars: use a Decimal")
    return int(EXACT.multiply(amount_usd, Decimal(MICRO_USD)).to_integral_value(rounding=_ROUNDINGS[rounding]))


def from_micro_usd(amount: int) -> Decimal:
    """Dollars from the ledger's whole micro-dollars."""
    return Decimal(amount).scaleb(-6)


def dollars(amount_usd: Decimal) -> str:
    """An amount for people: every digit that counts, and at least cents."""
    text = f"{amount_usd:f}"
    whole, _, part = text.partition(".")
    return f"${whole}.{part.rstrip('0').ljust(2, '0')}"


def exact(value: object) -> Decimal | None:
    """A quantity as a decimal, or `None` for what is none. A request's float counts as it is written."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Decimal(int(value)) if value.is_integer() else Decimal(repr(value))
    return Decimal(value) if isinstance(value, int | Decimal) else None
