"""What a run would do, on one screen: a line a step, like items of a fan-out together; and the sum."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggregator.cli.run_news import families
from aggregator.cli.show import heading, say, table, usd
from aggregator.pricing.money import EXACT
from aggregator.routing.chain_quote import ChainQuote, spoken

if TYPE_CHECKING:
    from aggregator.routing.chain_fit import Fit
    from aggregator.workflow.plan import RunPlan, StepPlan

__all__ = ["draw_fit", "draw_run_plan", "planned_cost"]

STATES = {
    "run": ("make", "bold"),
    "edit": ("edit", ""),
    "attached": ("under way", "cyan"),
    "reused": ("there", "green"),
    "skipped": ("skipped", "dim"),
}
_NUMBER = re.compile(r".*[.-](?=\d+$)")
LEAST_NAME, LEAST_WHO = 16, 14
GAPS = 10
"""Between the columns of a wide table."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step, or steps of one family of which the same is to be said."""

    steps: "tuple[StepPlan, ...]"
    family: Mapping[str, str]

    @property
    def first(self) -> "StepPlan":
        return self.steps[0]

    @property
    def name(self) -> str:
        first, last = self.steps[0].name, self.steps[-1].name
        items = "" if first == last else f"–{_NUMBER.sub('', last)}"
        return first + items + (f" ×{self.first.takes}" if self.first.takes > 1 else "")

    @property
    def high_usd(self) -> Decimal | None:
        total = Decimal(0)
        for step in self.steps:
            if step.high_usd is None:
                return None
            total = EXACT.add(total, step.high_usd)
        return total

    @property
    def why(self) -> str:
        """Of all items together: `follows from shot`, not from which."""
        why = self.first.why
        if len(self.steps) == 1:
            return why
        for need in sorted(self.first.needs, key=len, reverse=True):
            why = why.replace(need, self.family[need])
        said, follows, names = why.partition("follows from ")
        return said + follows + ", ".join(dict.fromkeys(names.split(", ")))

    def who(self, *, roomy: bool) -> str:
        quote = self.first.quote
        if quote is None:
            return self.first.task
        return f"{quote.way.model} by {quote.way.offer}" if roomy else quote.way.model


def draw_run_plan(on: Console, plan: "RunPlan", *, explain: bool = False) -> None:
    """Draw it all; with `explain` also why each step runs again, and where it is written."""
    on.print(heading(plan.run, dim=f"{plan.workflow} · {plan.stage}" if plan.run != plan.workflow else plan.stage))
    lines = _lines(plan.steps)
    if explain:
        _explained(on, lines)
    else:
        on.print(_table(on, lines))
    on.print()
    _sum(on, plan, lines)
    _notes(on, lines)


def _table(on: Console, lines: Sequence[Line]) -> Table:
    header = ("step", "", "who", "at most", "time", "why")
    rows = table(on, *header, right=("at most", "time"))
    cells = [_cells(line, roomy=True) for line in lines]
    if sum(_widths(header, cells)) + GAPS > on.width:  # who it is made by is said by --explain
        cells = [_cells(line, roomy=False) for line in lines]
    for at, least in enumerate((LEAST_NAME, None, LEAST_WHO, None, None)):  # amounts are never cut
        widest = _widths(header, cells)[at]
        rows.columns[at].min_width = widest if least is None else min(widest, least)
    for row in cells:
        rows.add_row(*row)
    return rows


def _widths(header: Sequence[str], cells: Sequence[Sequence[Text]]) -> list[int]:
    return [max(len(words), *(len(row[at]) for row in cells)) for at, words in enumerate(header)]


def _cells(line: Line, *, roomy: bool) -> tuple[Text, ...]:
    step = line.first
    words, style = STATES[step.state]
    cost, time = "", ""
    if step.quote is not None:
        cost = usd(line.high_usd)
        time = "–" if step.quote.time is None else spoken(step.quote.time.p50_s)
    who = Text(line.who(roomy=roomy), "cyan" if step.quote else "dim")
    why = Text(line.why, "dim", overflow="ellipsis")
    return Text(line.name), Text(words, style), who, Text(cost), Text(time), why


def _lines(steps: "Sequence[StepPlan]") -> list[Line]:
    family = families({step.name: step.task for step in steps})
    found: dict[object, list[StepPlan]] = {}
    for step in steps:
        who = None if step.quote is None else step.quote.way.offer
        why = Line((step, step), family).why
        said = (family[step.name], step.task, step.state, who, why, step.takes, step.notes)
        found.setdefault(said, []).append(step)
    return [Line(tuple(of), family) for of in found.values()]


def _explained(on: Console, lines: Sequence[Line]) -> None:
    for line in lines:
        step = line.first
        words, style = STATES[step.state]
        say(on, Text(line.name, "bold"), Text(f"  {step.place}", "dim"))
        say(on, Text(words, style), f": {line.why}", indent=2)
        if step.quote is not None:
            say(on, f"{line.who(roomy=True)}, at most {usd(line.high_usd)}", indent=2)


def _sum(on: Console, plan: "RunPlan", lines: Sequence[Line]) -> None:
    counts = [(words, len(plan.of(state))) for state, (words, _) in STATES.items()]  # type: ignore[arg-type]
    said = ", ".join(f"{count} {words}" for words, count in counts if count)
    chain = plan.chain
    if chain is None:
        say(on, Text("Nothing is bought", "bold"), f"  {said}")
    else:
        say(on, Text.assemble((planned_cost(chain), "bold green"), f"  {said}"))
        if chain.time is not None:
            say(on, f"done in {chain.time}", indent=2)
        else:
            names = dict.fromkeys(lines[0].family[name.partition("#")[0]] for name in chain.untimed)
            say(on, f"how long nobody knows: there is no record yet of {', '.join(names)}", indent=2)
        if plan.unpriced:
            say(on, f"nobody knows what {', '.join(plan.unpriced)} may cost: give --budget, or max_usd", indent=2)
        else:
            say(on, f"{usd(plan.high_usd)} is reserved before anything is sent", indent=2)
    if plan.kept_usd is None:
        say(on, "what is there was paid for; how much nobody knows of a part of it", indent=2)
    elif plan.kept_usd:
        say(on, f"{usd(plan.kept_usd)} was paid for what is there", indent=2)


def planned_cost(chain: ChainQuote) -> str:
    """What is bought, as far as it is known."""
    names = dict.fromkeys(re.split(r"[.#]", name)[0] for name in chain.unpriced)
    later = f" and {', '.join(names)}, of which nobody knows the price yet" if names else ""
    return f"{chain.priced}{later}"


def _notes(on: Console, lines: Sequence[Line]) -> None:
    """What a model cannot carry, and other things to know; the steps of one note together."""
    of: dict[str, list[str]] = {}
    for line in lines:
        for note in line.first.notes:
            of.setdefault(note, []).append(line.name.partition(" ")[0])
    for note, names in of.items():
        say(on, Text(f"{', '.join(names)}: ", "bold"), Text(note, "yellow"), indent=2)


def draw_fit(on: Console, fit: "Fit") -> None:
    """What the money was not enough for, and what is not known of what it went to."""
    say(on, Text("Fitted", "bold"), f" into {usd(fit.budget_usd)}: {usd(fit.left_usd)} stays in the worst case")
    for one in fit.gave_up:
        say(on, str(one), indent=2)
    if fit.gave_up:
        say(on, f"the best of each would be {usd(fit.best_usd)} at most", indent=2)
    for note in fit.notes:
        say(on, Text(note, "yellow"), indent=2)
