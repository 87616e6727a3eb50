"""What files hold, priced: for offers that are billed by their output where no answer says how much of it there is.

A meter says so: `reported = "@file.duration_s"`. What was ordered is booked with the success, as everywhere; once the
files are here the books are set right by what is in them.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aggregator import ledger
from aggregator._results import Delivery
from aggregator.artifact import Facts
from aggregator.pricing.money import exact, from_micro_usd, micro_usd
from aggregator.pricing.quote import Cost, Quote
from aggregator.pricing.settle import settled
from aggregator.store.files import StoredFile
from aggregator.store.journal import Attempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["cost_of", "counted", "set_right"]

_FILE = "@file."
_MILLION = Decimal(1_000_000)
_COUNTED: Mapping[str, Callable[[Facts], Decimal | None]] = {
    "duration_s": lambda facts: exact(facts.duration_s),
    "frames": lambda facts: exact(facts.frames),
    "megapixels": lambda facts: (
        Decimal(facts.width * facts.height) / _MILLION if facts.width and facts.height else None
    ),
}


def counted(of: Attempt, files: Sequence[StoredFile]) -> dict[str, Decimal]:
    """How much of each unit is in the files, of those that are billed by it; nothing of what cannot be read."""
    found = {}
    reported: Mapping[str, str] = of.plan["read"]["reported"]
    for unit, path in reported.items():
        if path.startswith(_FILE):
            count = _COUNTED[path.removeprefix(_FILE)]
            each = [count(file.facts or Facts()) for file in files]
            if each and all(amount is not None for amount in each):
                found[unit] = sum((amount for amount in each if amount is not None), Decimal(0))
    return found


def cost_of(of: Attempt, files: Sequence[StoredFile]) -> Cost | None:
    """What was charged by what is in the files; `None`: it goes by something else, or the provider said it."""
    assert of.delivery is not None
    delivery = Delivery.from_json(of.delivery)
    found = {unit: much for unit, much in counted(of, files).items() if unit not in delivery.reported}
    if not found or delivery.charged_usd is not None:
        return None
    both = {**delivery.reported, **found}
    return settled(Quote.from_json(of.plan["quote"]), both, reserved_usd=from_micro_usd(of.reserved))


def set_right(c: "Connection", of: Attempt, cost: Cost, *, at: int, warn_at: Sequence[int]) -> ledger.Moved:
    """Book the difference to what was ordered."""
    assert cost.amount_usd is not None
    amount, basis = micro_usd(cost.amount_usd, "settle"), dict[str, Any](cost.as_json())
    return ledger.adjust(c, of.id, amount, source="probed", basis=basis, at=at, warn_at=warn_at)
