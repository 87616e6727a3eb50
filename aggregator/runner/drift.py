"""What a bill says of the rates behind its quote: noticed after it is booked, told, and shown by the next plan."""

from decimal import Decimal

from aggregator import _observe
from aggregator.pricing.quote import Quote
from aggregator.runner.context import Context
from aggregator.store import bills
from aggregator.store.journal import Attempt

__all__ = ["noticed"]


async def noticed(context: Context, of: Attempt, billed_usd: Decimal) -> None:
    """Look at the last bills of an offer where this one is not as quoted, or where those before it were not."""
    quote, known = Quote.from_json(of.plan["quote"]), context.planner.drifts
    if quote.low_usd is None or quote.high_usd is None:
        return
    if quote.low_usd <= billed_usd <= quote.high_usd and of.offer not in known:
        return
    now = context.now()
    found = (await context.store.read(lambda c: bills.drifts(c, now, offer=of.offer))).get(of.offer)
    others = {offer: ratio for offer, ratio in context.planner.drifts.items() if offer != of.offer}
    context.planner.drifts = others if found is None else {**others, of.offer: found}
    if found is not None:
        _observe.emit("price_drift", offer=of.offer, bills=found.n, ratio=float(found.median))
