"""What a run would do now, as data: step by step what is found again, what is made and why, and what that costs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from aggregator.pricing.money import EXACT, dollars
from aggregator.routing.chain_quote import ChainQuote, Plain, Spread, StepQuote, Times

__all__ = ["RunPlan", "StepPlan", "StepState"]

StepState = Literal["reused", "attached", "run", "edit", "skipped"]
"""`attached`: a job that is under way already. `edit`: made here, at no cost."""


@dataclass(frozen=True, slots=True)
class StepPlan(Plain):
    """What would be done about one flat step."""

    name: str
    task: str
    state: StepState
    why: str
    takes: int = 1
    place: str = ""
    needs: tuple[str, ...] = ()
    quote: StepQuote | None = None
    """Who makes one take, and what that costs; `None` where nothing is bought."""
    high_usd: Decimal | None = Decimal(0)
    """What is reserved for all takes; `None`: the price is unknown, and nothing bounds it."""
    was_usd: Decimal | None = None
    """What it cost when it was made, where it is found again and that is known."""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        takes = f" ×{self.takes}" if self.takes > 1 else ""
        who = f"{self.quote.way.model} by {self.quote.way.offer}" if self.quote else self.task
        cost = ""
        if self.quote is not None:
            cost = f"; at most {'unknown' if self.high_usd is None else dollars(self.high_usd)}"
        notes = "".join(f"; {note}" for note in self.notes)
        return f"{self.name}{takes}: {self.state}, {who}{cost}; {self.why}{notes}"


@dataclass(frozen=True, slots=True)
class RunPlan(Plain):
    """What a run would do now."""

    workflow: str
    run: str
    stage: str
    steps: tuple[StepPlan, ...]
    chain: ChainQuote | None
    """Everything that would be bought, and how long it takes; `None`: nothing is."""
    kept_usd: Decimal | None
    """What it cost to make what is found again; `None`: nobody knows of a part of it."""

    @property
    def cost(self) -> Spread | None:
        """What would be bought; `None`: the price of a step is unknown (`unpriced`)."""
        return Spread(*[Decimal(0)] * 4) if self.chain is None else self.chain.cost

    @property
    def high_usd(self) -> Decimal | None:
        """What is reserved before anything is sent; `None`: the price of a step is unknown, and nothing bounds it."""
        total = Decimal(0)
        for step in self.steps:
            if step.high_usd is None:
                return None
            total = EXACT.add(total, step.high_usd)
        return total

    @property
    def time(self) -> Times | None:
        return Times(0.0, 0.0) if self.chain is None else self.chain.time

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The steps of which nobody knows the price and that nothing bounds."""
        return tuple(step.name for step in self.steps if step.high_usd is None)

    def of(self, *states: StepState) -> tuple[StepPlan, ...]:
        """The steps in these states."""
        return tuple(step for step in self.steps if step.state in states)

    def as_json(self) -> dict[str, JsonValue]:
        high = self.high_usd
        return {**Plain.as_json(self), "high_usd": None if high is None else str(high), "unpriced": list(self.unpriced)}

    def __str__(self) -> str:
        lines = [str(step) for step in self.steps]
        counts = {state: len(self.of(state)) for state in ("run", "edit", "attached", "reused", "skipped")}
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        high, kept = ("unknown" if usd is None else dollars(usd) for usd in (self.high_usd, self.kept_usd))
        cost = f"in all {self.chain.priced}" if self.chain is not None else "nothing is bought"
        lines.append(f"{said}; {cost}; at most {high} is reserved; {kept} was paid for what is kept")
        if self.time is not None and self.chain is not None:
            lines.append(f"done in {self.time}")
        return "\n".join(lines)
