"""What live sources say of prices, held against the table: what is the same, what may change, what is held back.

Pure: it decides, `append` writes. A less trusted source never overrules a more trusted one, and sources that disagree
are shown side by side, never averaged. What moves too far at once is held back until a person accepts it, like a price
that only a public file knows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from aggregator.discovery.found import Found, FoundPrice
from aggregator.pricing.history import When, effective, said_when, same_when, units_of, when_as_json
from aggregator.pricing.table import PriceTable, Rate
from aggregator.pricing.trust import Trust, trust_in, trust_of
from aggregator.registry.cards import Offer
from aggregator.registry.units import units

__all__ = ["FACTOR", "Refresh", "Verdict", "refresh"]

FACTOR = Decimal(2)
"""What rises above this many times the old price, or falls below its inverse, is held back."""
KEPT_SHARE = Decimal("0.8")
"""Of the offers a source named before, this share must be named again, or all it says is refused."""
_SLIPS = tuple(Decimal(10) ** power for power in range(1, 7))

Kind = Literal["same", "changed", "new", "held", "disagrees", "refused"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one price that a source named."""

    source: str
    price: FoundPrice
    kind: Kind
    rate: Rate
    """The row it would be, from today on."""
    row: Rate | None = None
    """The row of the table that it was held against."""
    why: str = ""

    @property
    def offer(self) -> str:
        return f"{self.price.provider}:{self.price.endpoint}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "source": self.source,
            "offer": self.offer,
            "unit": self.price.unit,
            "when": when_as_json(self.price.when),
            "usd": str(self.price.usd),
            "table_usd": None if self.row is None else str(self.row.usd),
            "table_row": None if self.row is None else self.row.id,
            "said": self.price.said,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Refresh:
    """All verdicts of one refresh, and the sources that were refused as a whole, each with the reason."""

    verdicts: tuple[Verdict, ...]
    refused: Mapping[str, str]

    def of(self, *kinds: Kind) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.kind in kinds)

    @property
    def accepted(self) -> tuple[Verdict, ...]:
        """What may be appended to the table."""
        return self.of("changed", "new")


@dataclass(frozen=True, slots=True)
class _Claim:
    source: str
    price: FoundPrice
    offer: Offer
    rate: Rate

    @property
    def trust(self) -> Trust:
        return trust_in(self.source, self.price.provider)

    def verdict(self, kind: Kind, row: Rate | None = None, why: str = "") -> Verdict:
        return Verdict(self.source, self.price, kind, self.rate, row, why)


def refresh(
    table: PriceTable,
    offers: Iterable[Offer],
    found: Sequence[Found],
    today: date,
    *,
    accept: Collection[str] = (),
) -> Refresh:
    """Hold what sources say against the table.

    Args:
        accept: Offers whose prices a person accepts although they would be held back.

    """
    known: dict[tuple[str, str], list[Offer]] = {}
    for offer in offers:
        known.setdefault((offer.provider, offer.endpoint), []).append(offer)
    refused = {one.source: why for one in found if (why := _shrank(table, known, one))}
    verdicts: list[Verdict] = []
    groups: dict[tuple[str, str, str, str | None, When], list[_Claim]] = {}
    for one in found:
        for price in one.prices if one.source not in refused else ():
            claim = _claim(one, price, known, today)
            if isinstance(claim, Verdict):
                verdicts.append(claim)
            else:
                place = (price.provider, price.endpoint, claim.rate.unit, price.task, same_when(claim.rate))
                groups.setdefault(place, []).append(claim)
    for claims in groups.values():
        verdicts += _decided(table, claims, today, accept)
    return Refresh(tuple(verdicts), refused)


# ---------------------------------------------------------------------------------------------------- what is a claim


def _shrank(table: PriceTable, known: Mapping[tuple[str, str], list[Offer]], one: Found) -> str | None:
    """Why a source is not believed at all: it names far fewer offers than it did."""
    named = {(price.provider, price.endpoint) for price in one.prices}
    before = {
        place
        for place, offers in known.items()
        for rate in table.rates(place[0])
        if rate.source.startswith(f"{one.source}, asked") and rate.name == offers[0].endpoint
    }
    kept = len(before & named)
    if kept < len(before) * KEPT_SHARE:
        return f"it names {kept} of the {len(before)} offers it named before: nothing of it was taken"
    return None if named else "it names no price at all"


def _claim(
    one: Found, price: FoundPrice, known: Mapping[tuple[str, str], list[Offer]], today: date
) -> "_Claim | Verdict":
    rate = Rate(
        provider=price.provider,
        scope="endpoint",
        name=price.endpoint,
        unit=price.unit or "unknown",
        usd=price.usd,
        starts=today,
        when=price.when,
        task=price.task,
        source=f"{one.source}, asked {one.asked}: {price.said}",
        checked=one.asked,
    )
    offers = [offer for offer in known.get((price.provider, price.endpoint), ()) if price.task in (None, offer.task)]
    why = None
    if not offers:
        why = "no offer of ours is there"
    elif price.unit not in units():
        why = f"no unit of ours is meant by {price.said!r}"
    elif all(price.unit not in units_of(offer) for offer in offers):
        why = f"the offer is billed by {' and '.join(units_of(offers[0])) or 'nothing known'}, not by {price.unit}"
    elif not price.usd.is_finite() or price.usd < 0:
        why = "this is no price"
    elif price.as_of is not None and price.as_of > today:
        why = f"it is dated {price.as_of}, which is still to come"
    if why is not None:
        return Verdict(one.source, price, "refused", rate, None, why)
    return _Claim(one.source, price, next(offer for offer in offers if price.unit in units_of(offer)), rate)


# -------------------------------------------------------------------------------------------------- what becomes of it


def _decided(table: PriceTable, claims: Sequence[_Claim], today: date, accept: Collection[str]) -> Iterator[Verdict]:
    """One price, as all sources together have it."""
    best = max(claim.trust for claim in claims)
    first = next(claim for claim in claims if claim.trust == best)
    rivals = {claim.price.usd for claim in claims if claim.trust == best}
    for claim in claims:
        row, split = _row(table, claim, today)
        if row is not None and row.usd == claim.price.usd:
            yield claim.verdict("same", row)
        elif len(rivals) > 1 and claim.trust == best:
            each = ", ".join(f"{other.source} {other.price.usd}" for other in claims if other.trust == best)
            yield claim.verdict("disagrees", row, f"sources of equal standing differ, and neither is taken: {each}")
        elif claim.trust < best and claim.price.usd != first.price.usd:
            said = f"{first.source}, which is trusted more, says {first.price.usd}"
            yield claim.verdict("held" if _jump(claim.price.usd, first.price.usd) else "disagrees", row, said)
        elif claim is first:
            yield _against(claim, row, split=split, accepted=claim.offer.id in accept)
        else:
            yield claim.verdict("same", row, f"as {first.source} says")


def _row(table: PriceTable, claim: _Claim, today: date) -> tuple[Rate | None, bool]:
    """The row of the table that a claim is about, and whether the table has more conditions than the claim."""
    rows = effective(table, claim.offer, claim.rate.unit, today)
    if (row := rows.get(same_when(claim.rate))) is not None or not rows:
        return row, False
    listed = list(rows.values())
    alike = next((row for row in listed if row.usd == claim.price.usd), None)
    return alike or listed[0], True


def _against(claim: _Claim, row: Rate | None, *, split: bool, accepted: bool) -> Verdict:
    """The most trusted claim against the row of the table."""
    usd, trust = claim.price.usd, claim.trust
    if row is None:
        if trust > Trust.CATALOGUE or accepted:
            return claim.verdict("new", None, "no price was known")
        return claim.verdict("held", None, "no price was known, and only a public file names one")
    own = trust_of(row)
    whose = f"the table has {row.usd} from {row.starts}" + (f" for {said_when(row)}" if row.when else "")
    if (jump := _jump(usd, row.usd)) and not accepted:
        less = f"; {claim.source} is trusted less than that row" if trust < own else ""
        return claim.verdict("held", row, f"{jump}: {whose}{less}")
    if split:
        return claim.verdict("disagrees", row, f"it names no conditions, and {whose}")
    if trust < own and not accepted:
        return claim.verdict("disagrees", row, f"{whose}, by a source that is trusted more")
    if claim.price.as_of is not None and claim.price.as_of < (row.checked or row.starts):
        return claim.verdict("disagrees", row, f"it is of {claim.price.as_of}, and {whose}, checked {row.checked}")
    if row.scope == "endpoint":  # the same place, so that it takes over from that row
        return replace(claim.verdict("changed", row), rate=replace(claim.rate, task=row.task))
    return claim.verdict("changed", row)


def _jump(usd: Decimal, before: Decimal) -> str:
    """In words, a move too far to be taken on a source's word; empty: it is not."""
    if not usd or not before:
        return "" if usd == before else "free, all of a sudden" if before else "no longer free"
    times = usd / before
    if 1 / FACTOR <= times <= FACTOR:
        return ""
    if times in _SLIPS or 1 / times in _SLIPS:
        return f"exactly {times:f} times as much, as if a decimal point had slipped"
    return f"{times:.3g} times as much"
