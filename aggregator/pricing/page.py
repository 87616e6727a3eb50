"""The price page: what one job costs on each offer, beside all else that a choice is made by. It draws nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from aggregator.pricing.history import first_known
from aggregator.pricing.quote import Quote
from aggregator.pricing.ratio import Ratio
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Offer, Stage
from aggregator.registry.freshness import Freshness, State
from aggregator.registry.quality import Standing

__all__ = ["Known", "PageRow", "Speed", "front", "page_rows"]


class Speed(Protocol):
    """What is known of how an offer did here: `n` jobs, faded by age."""

    @property
    def n(self) -> float: ...
    @property
    def p50_s(self) -> float | None: ...
    @property
    def p90_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One offer that can do the job."""

    offer: Offer
    tier: str
    quote: Quote
    life: Stage
    days_left: int | None
    """Until it is switched off; `None`: no end is announced."""
    age_days: int | None
    """Since the oldest rate of the quote was checked."""
    price_state: State | None
    standing: Standing | None
    """`None`: nothing is known of its quality, which is not the same as bad."""
    speed: Speed | None
    ratio: Ratio | None
    """How its bills stood to their quotes; `None`: none came."""
    first_known: date | None
    """Where the price of the day asked for is unknown: the first day on which it is known."""
    not_usable: str | None

    @property
    def stale(self) -> bool:
        """Whether its price is not to be relied on without another look."""
        return self.price_state in ("stale", "dead")

    def as_json(self) -> dict[str, Any]:
        standing, speed = self.standing, self.speed
        return {
            "offer": self.offer.id,
            "model": self.offer.model,
            "tier": self.tier,
            "quote": self.quote.as_json(),
            "age_days": self.age_days,
            "price_state": self.price_state,
            "first_known": None if self.first_known is None else self.first_known.isoformat(),
            "lifecycle": self.life,
            "days_left": self.days_left,
            "quality": None
            if standing is None
            else {
                "share": round(standing.share, 4),
                "low": round(standing.low, 4),
                "high": round(standing.high, 4),
                "board": standing.board,
                "as_of": standing.as_of.isoformat(),
                "weight": round(standing.weight, 4),
                "basis": standing.basis,
            },
            "speed": None if speed is None else {"n": round(speed.n, 2), "p50_s": speed.p50_s, "p90_s": speed.p90_s},
            "bills": None if self.ratio is None else self.ratio.as_json(),
            "configured": self.not_usable is None,
            "not_usable": self.not_usable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whom the page asks, for each offer."""

    prices: PriceTable
    rules: Freshness
    standing: Callable[[str, str], Standing | None]
    """By model and task."""
    speed: Callable[[str], Speed | None]
    """By offer, like the following two."""
    ratio: Callable[[str], Ratio | None]
    not_usable: Callable[[Offer], str | None]


def page_rows(quoted: Iterable[tuple[Offer, str, Quote]], known: Known, day: date, today: date) -> list[PageRow]:
    """The rows, cheapest first and unknown prices last.

    Args:
        quoted: Each offer that can do the job, with its tier and its quote as of `day`.
        day: Of the prices and lives; ages are counted from `today`.

    """
    rows = [_row(offer, tier, quote, known, day, today) for offer, tier, quote in quoted]
    return sorted(rows, key=lambda row: (row.quote.high_usd is None, row.quote.high_usd or 0, row.offer.id))


def _row(offer: Offer, tier: str, quote: Quote, known: Known, day: date, today: date) -> PageRow:
    life = offer.stage(day)
    as_of = quote.as_of
    return PageRow(
        offer=offer,
        tier=tier,
        quote=quote,
        life=life,
        days_left=(offer.retires - day).days if offer.retires and life != "retired" else None,
        age_days=None if as_of is None else (today - as_of).days,
        price_state=None if as_of is None else known.rules.state("price", as_of, today),
        standing=known.standing(offer.model, offer.task),
        speed=known.speed(offer.id),
        ratio=known.ratio(offer.id),
        first_known=first_known(known.prices, offer) if as_of is None else None,
        not_usable=known.not_usable(offer),
    )


def front(rows: Sequence[PageRow]) -> list[PageRow]:
    """The offers that no other beats in both: none costs less and is at least as good. Cheapest first.

    An offer without a price or a standing is on no front: nothing can be said of it.
    """
    comparable = [row for row in rows if row.quote.high_usd is not None and row.standing is not None]
    found: list[PageRow] = []
    best = None
    for row in sorted(comparable, key=_cheap_then_good):
        assert row.standing is not None
        if best is None or row.standing.share > best:
            best = row.standing.share
            found.append(row)
    return found


def _cheap_then_good(row: PageRow) -> tuple[Decimal, float, bool, bool, str]:
    """Of two alike the one whose price is not stale, then the one that can be used here."""
    assert row.quote.high_usd is not None
    assert row.standing is not None
    return row.quote.high_usd, -row.standing.share, row.stale, row.not_usable is not None, row.offer.id
