"""When a bill says that a quote was wrong: nothing more is bought at that price until somebody has looked."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aggregator.pricing.money import dollars

__all__ = ["Pause", "is_above", "rates_of"]

TOLERATED_PERCENT = 5
TOLERATED_MICRO_USD = 10_000


@dataclass(frozen=True, slots=True)
class Pause:
    """An offer at the rates of one quote, whose bill was above it."""

    offer: str
    rates: str
    """Which rates the quote was made from; a corrected rate is another price, and not paused."""
    job_id: str
    quote_usd: Decimal
    """The most it was to cost: the quote's high end, or `max_usd` where no rate is known."""
    bill_usd: Decimal
    at: int
    """Milliseconds since the epoch."""

    @property
    def said(self) -> str:
        """What happened, in words that follow the offer's name."""
        quote, bill = dollars(self.quote_usd), dollars(self.bill_usd)
        return f"is paused: job {self.job_id} was to cost up to {quote} and was billed {bill}"

    def as_json(self) -> dict[str, str | int]:
        return {
            "offer": self.offer,
            "rates": self.rates,
            "job_id": self.job_id,
            "quote_usd": str(self.quote_usd),
            "bill_usd": str(self.bill_usd),
            "at": self.at,
        }


def rates_of(quote: Mapping[str, Any]) -> str:
    """The identity of the rates that a quote (as JSON) was made from; a quote without any is `unpriced`."""
    return " ".join(sorted({f"{line['row']}={line['rate_usd']}" for line in quote["lines"]})) or "unpriced"


def is_above(bill: int, quoted: int) -> bool:
    """Whether a bill is so far above what was reserved that the rates must be wrong: by 5 %, or by a cent. Both in
    micro-dollars.
    """
    return bill * 100 > quoted * (100 + TOLERATED_PERCENT) or bill > quoted + TOLERATED_MICRO_USD
