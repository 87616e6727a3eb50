"""Quote against bill, by offer: what its bills were of what was quoted, with decay, and what follows for its rate.

Only bills that somebody other than this library made count: what a provider reported, or a person corrected.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from aggregator.pricing.drift import TOLERATED_PERCENT
from aggregator.pricing.money import EXACT
from aggregator.pricing.table import PriceTable, Rate

__all__ = ["Bill", "Proposal", "Ratio", "proposal", "ratios"]

HALF_LIFE_DAYS = 30
DAY_MS = 86_400_000
_HALF = Decimal("0.5")
_ROUNDED = Decimal("1e-9")
"""Weights are rounded: so little is none."""
FEWEST = 3
"""Bills from which on an offer is said to drift: one alone may be an accident, and a single high one pauses anyway."""
_USD_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Bill:
    """One settled purchase: what was quoted, and what was billed."""

    offer: str
    model: str
    quote: Mapping[str, Any]
    """The quote it was bought under, as JSON."""
    billed_usd: Decimal
    counted: Mapping[str, Decimal]
    """What the provider counted, by unit; empty where it named the sum, or nothing."""
    at: int
    """When it was settled, in milliseconds since the epoch."""

    @property
    def ratio(self) -> Decimal | None:
        """1 where the bill is within the quote, else how many times its nearer end; `None` where nothing was quoted."""
        low, high = self.quote["low_usd"], self.quote["high_usd"]
        if low is None or not Decimal(high):
            return None
        if Decimal(low) <= self.billed_usd <= Decimal(high):
            return Decimal(1)
        near = Decimal(high) if self.billed_usd > Decimal(high) else Decimal(low)
        return self.billed_usd / near if near else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How an offer's bills stand to their quotes: the weighted median, and where eight of ten lie."""

    offer: str
    model: str
    n: int
    median: Decimal
    low: Decimal
    high: Decimal
    last: int
    """When the newest was settled, in milliseconds since the epoch."""
    rows: tuple[str, ...]
    """The rates that the newest was quoted by."""
    miscounted: str = ""
    """The unit that the provider counts otherwise than we do: then it is no rate that is wrong."""

    @property
    def drifts(self) -> bool:
        """Whether the quotes are wrong often and far enough for somebody to look."""
        return self.n >= FEWEST and abs(self.median - 1) * 100 > TOLERATED_PERCENT

    @property
    def said(self) -> str:
        """In words that follow the offer's name."""
        more = "above" if self.median > 1 else "below"
        percent = abs(self.median - 1) * 100
        return f"bills are {percent:.0f} % {more} their quotes (median of {self.n})"

    def as_json(self) -> dict[str, Any]:
        return {
            "offer": self.offer,
            "model": self.model,
            "n": self.n,
            "ratio": f"{self.median:.4f}",
            "low": f"{self.low:.4f}",
            "high": f"{self.high:.4f}",
            "drifts": self.drifts,
            "rows": list(self.rows),
            "miscounted": self.miscounted or None,
        }


def ratios(bills: Iterable[Bill], now: int) -> dict[str, Ratio]:
    """By offer. Bills quoted by other rates than the newest one's are left out: a corrected rate begins anew."""
    by_offer: dict[str, list[Bill]] = {}
    for bill in sorted(bills, key=lambda bill: bill.at):
        if bill.ratio is not None:
            by_offer.setdefault(bill.offer, []).append(bill)
    return {offer: _ratio(found, now) for offer, found in by_offer.items()}


def _ratio(bills: Sequence[Bill], now: int) -> Ratio:
    newest = bills[-1]
    alike = [bill for bill in bills if _rates(bill) & _rates(newest)]
    weighed = [
        (bill.ratio or Decimal(0), _HALF ** (Decimal(now - bill.at) / DAY_MS / HALF_LIFE_DAYS)) for bill in alike
    ]
    low, median, high = (_quantile(weighed, Decimal(share)) for share in ("0.1", "0.5", "0.9"))
    rows = tuple(dict.fromkeys(line["row"] for line in newest.quote["lines"]))
    return Ratio(newest.offer, newest.model, len(alike), median, low, high, newest.at, rows, _miscounted(newest))


def _rates(bill: Bill) -> set[tuple[str, str]]:
    return {(line["row"], line["rate_usd"]) for line in bill.quote["lines"]}


def _miscounted(bill: Bill) -> str:
    for line in bill.quote["lines"]:
        counted = bill.counted.get(line["unit"])
        if counted is not None and not Decimal(line["low"]) <= counted <= Decimal(line["high"]):
            return str(line["unit"])
    return ""


def _quantile(weighed: Sequence[tuple[Decimal, Decimal]], share: Decimal) -> Decimal:
    """The least value with at least this share of the weight up to it."""
    in_order = sorted(weighed)
    rest = share * sum(weight for _, weight in in_order)
    for value, weight in in_order:
        rest -= weight
        if rest <= _ROUNDED:
            return value
    return in_order[-1][0]


# ------------------------------------------------------------------------------------------------------------- proposal


@dataclass(frozen=True, slots=True)
class Proposal:
    """The row that would make an offer's quotes right; or why there is none."""

    ratio: Ratio
    rate: Rate | None
    why: str = ""


def proposal(table: PriceTable, ratio: Ratio, today: date) -> Proposal:
    """The corrected row for an offer that drifts: its rate times the median, from today on."""
    if ratio.miscounted:
        why = f"the provider counts {ratio.miscounted} otherwise than we do: its meter is to be corrected, not a rate"
        return Proposal(ratio, None, why)
    provider, _, endpoint = ratio.offer.partition(":")
    rates = [rate for rate in table.rates(provider) if rate.id in ratio.rows]
    if len(rates) != 1 or len(ratio.rows) != 1:
        why = "several rates made its quotes, and the bills do not say which of them is wrong" if rates else "no rate"
        return Proposal(ratio, None, why)
    old = rates[0]
    usd = EXACT.multiply(old.usd, ratio.median.quantize(Decimal("1e-6")))
    usd = usd.quantize(Decimal(10) ** (usd.adjusted() - _USD_DIGITS + 1)).normalize()
    name = endpoint if old.scope != "endpoint" else old.name
    source = f"own bills: {ratio.n}, {ratio.median:.3f} times their quotes by {old.id}"
    return Proposal(
        ratio, replace(old, scope="endpoint", name=name, usd=usd, starts=today, checked=today, source=source, note="")
    )
