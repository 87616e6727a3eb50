"""What an answer counts and charges: numbers that can be reckoned with, or an error that says they cannot. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction

from pydantic import JsonValue

from aggregator._paths import first
from aggregator.contract import Endpoint, Provider
from aggregator.errors import ResponseFormatError

__all__ = ["charged_usd", "reported"]

MOST = Decimal(10**9)
"""More units than one job can use, and more dollars than it can cost: the books cannot hold them."""
MAX_DIGITS = 40
"""Of a number in an answer, on either side of the point."""
PRECISE = Context(prec=40)
MAX_SHOWN = 80
"""Characters of what is no quantity, in the error that says so."""


def charged_usd(provider: Provider, body: JsonValue, handle: Mapping[str, str] | None = None) -> Decimal | None:
    """What an answer says was charged; `None` where it does not say.

    Raises:
        ResponseFormatError: It says it in something that is no amount.

    """
    charge = provider.charge
    if charge is None:
        return None
    value = (handle or {}).get("charge") if charge.at == "submit" else first(body, charge.path)
    if value is None:
        return None
    amount = _number(value)
    usd = None if amount is None else Fraction(amount) * Fraction(charge.usd)
    if usd is None or usd >= MOST:
        raise _no_quantity(provider, value, "charged")
    return PRECISE.divide(Decimal(usd.numerator), Decimal(usd.denominator))


def reported(provider: Provider, endpoint: Endpoint, body: JsonValue) -> Iterable[tuple[str, Decimal]]:
    """What the provider counted, by unit."""
    for meter in endpoint.meters:
        value = first(body, meter.reported)
        if value is not None:
            yield meter.unit, _quantity(provider, value, meter.unit)


def _quantity(provider: Provider, value: JsonValue, unit: str) -> Decimal:
    amount = _number(value)
    if amount is None or amount >= MOST:
        raise _no_quantity(provider, value, unit)
    return amount


def _no_quantity(provider: Provider, value: JsonValue, unit: str) -> ResponseFormatError:
    shown = repr(value)[:MAX_SHOWN]
    said = f"{provider.name} reports {shown} {unit}, which is not a quantity"
    return ResponseFormatError(said, provider=provider.name, accepted=True)


def _number(value: JsonValue) -> Decimal | None:
    """What counts something, in a length that can be reckoned with; or nothing."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_DIGITS or amount.adjusted() > MAX_DIGITS:
        return None
    return amount if amount >= 0 else None
