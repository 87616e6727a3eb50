"""What the demo looks like: the acts while they are played, and the table, the books and the files at the end."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.board import Board
from aggregator.cli.show import console, heading, quoted, say, seconds, shown_path, sized, table, usd
from aggregator.pricing.quote import Quote
from aggregator.promotion import PromotionPlan

if TYPE_CHECKING:
    from aggregator.cli.demo import Demo

__all__ = ["Stage", "draw_demo"]


class Stage:
    """Shows the acts on a console; without one, shows nothing."""

    def __init__(self, on: Console | None) -> None:
        self._on = on

    def opens(self, prompt: str, line: str) -> None:
        if self._on is None:
            return
        self._on.print(heading("A short film moment", dim="project demo, budget $5.00"))
        say(self._on, Text(f"“{prompt}”", "italic"), indent=2)
        say(self._on, Text(f"“{line}”", "italic"), indent=2)

    def act(self, title: str, steps: dict[str, str]) -> Board:
        """The board of one act."""
        if self._on is None:
            return Board(console(err=True), steps={})
        self._on.print()
        self._on.print(heading(title))
        return Board(self._on, steps=steps)

    def promotion(self, plan: PromotionPlan) -> None:
        """What the promotion would make again, before it is paid."""
        if self._on is None:
            return
        self._on.print()
        self._on.print(heading("Promote the draft to the final stage", dim="the plan, before any money"))
        for step in plan.steps:
            was, now = step.draft, step.plan
            change = Text.assemble(
                f"{was.key}: ",
                (was.model, "cyan"),
                " → ",
                (now.offer.model, "bold cyan"),
                f", {quoted(now.quote)} where the draft was {usd(was.cost.amount_usd)}",
            )
            say(self._on, change, indent=2)
            for note in step.notes:
                say(self._on, Text(note, "dim"), indent=2)
        say(self._on, Text(f"kept as approved: {', '.join(plan.kept) or 'nothing'}", "dim"), indent=2)


def draw_demo(on: Console, played: "Demo") -> None:
    """The end of the show."""
    on.print()
    on.print(heading("What ran where"))
    rows = table(
        on, "step", "task", "stage", "model", "took", "quoted", "charged", "run 2", right=("took", "quoted", "charged")
    )
    for step in played.steps:
        result = step.result
        rows.add_row(
            step.name,
            result.lineage.request.task,
            result.lineage.stage,
            result.model,
            seconds(step.took_s),
            _bound(result.quote),
            usd(result.cost.amount_usd),
            Text("reused", "green") if step.again.reused else Text("made", "red"),
        )
    on.print(rows)
    _money(on, played)
    _files(on, played)


def _bound(quote: Quote) -> str:
    """What may be charged at most, in the room of a cell."""
    return usd(quote.high_usd) if quote.basis == "exact" else f"≤{usd(quote.high_usd)}"


def _money(on: Console, played: "Demo") -> None:
    from aggregator.cli.demo import STAND_INS

    spend = played.spend
    on.print()
    on.print(
        Text.assemble(
            ("Spent  ", "bold"), (usd(spend.settled_usd), "bold green"), f" of {usd(spend.budget_usd)}; ",
            f"{usd(spend.held_usd)} reserved, {usd(spend.left_usd)} left",
        )
    )  # fmt: skip
    say(on, f"run 1: {usd(played.charged_usd)} new in {seconds(played.took_s)}", indent=2)
    say(on, f"run 2: {usd(played.charged_again_usd)} new in {seconds(played.took_again_s)}", indent=2)
    say(on, Text("prices are made up, so that a budget has something to count: nobody is paid", "dim"), indent=2)
    on.print()
    say(on, Text(STAND_INS, "yellow"))


def _files(on: Console, played: "Demo") -> None:
    on.print()
    on.print(heading("Files", dim=f"in {shown_path(played.directory)}/"), soft_wrap=True)
    rows = table(on, "file", "size", "what is in it", right=("size",), fold=("what is in it",))
    for step in played.steps:
        artifact = step.result.artifact
        rows.add_row(step.file.name, sized(artifact.size_bytes), str(artifact.facts or "not probed"))
    rows.add_row("demo.json", sized((played.directory / "demo.json").stat().st_size), "all of this, with the lineage")
    on.print(rows)
