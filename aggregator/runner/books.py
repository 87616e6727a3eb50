"""What follows a movement of money: thresholds go into the log with it, events and metrics out after the commit."""

from typing import TYPE_CHECKING

from aggregator import _observe
from aggregator.pricing.money import from_micro_usd
from aggregator.store import journal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.budgets import Level
    from aggregator.ledger import Moved

__all__ = ["tell", "tell_crossed", "write"]


def write(c: "Connection", moved: "Moved | None", attempt_id: str | None, at: int) -> None:
    """Write down which thresholds were passed, in the transaction that passed them. An earmark has no attempt."""
    for crossing in moved.crossed if moved else ():
        journal.write_event(c, attempt_id, "budget_threshold", crossing.as_json(), at)


def tell(moved: "Moved | None", *, project: str, provider: str, model: str, task: str) -> None:
    """Tell the host what is durable now."""
    if moved is None or not (moved.held or moved.settled):
        return
    given = _observe.attributes(task=task, provider=provider, model=model, project=project.partition(":")[2])
    if moved.settled:
        _observe.add("aggregator.spend", from_micro_usd(moved.settled), "USD", given)
    if moved.held:
        _observe.add("aggregator.reserved", from_micro_usd(moved.held), "USD", given)
    tell_crossed(moved)


def tell_crossed(moved: "Moved") -> None:
    """Tell the host how full the budgets are, and which thresholds were passed."""
    for level in moved.levels:
        if level.cap is not None:
            _gauge(level)
    for crossing in moved.crossed:
        told = {**crossing.as_json(), "currency": crossing.level.currency}
        _observe.emit("budget_threshold", **told)


def _gauge(level: "Level") -> None:
    """How full a budget is: dollars, or credits of a provider. One series for each kind of period."""
    name, unit = ("budget", "USD") if level.currency == "USD" else ("credits", "{credit}")
    given: dict[str, _observe.Value] = {"aggregator.account": level.account}
    given["aggregator.period"] = (level.period or "total").partition(" ")[0]
    for figure, amount in (("limit", level.cap or 0), ("spent", level.settled), ("reserved", level.held)):
        _observe.gauge(f"aggregator.{name}.{figure}", from_micro_usd(amount), unit, given)
