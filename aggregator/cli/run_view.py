"""What a run came to: what was made and what it cost against the plan, the files, what waits and what failed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.run_news import families
from aggregator.cli.run_plan_view import planned_cost
from aggregator.cli.run_tree import MARKS, state_of
from aggregator.cli.show import heading, say, seconds, shown_path, table, usd

if TYPE_CHECKING:
    from aggregator.workflow.outcome import Outcome
    from aggregator.workflow.plan import RunPlan
    from aggregator.workflow.promotion import RunComparison
    from aggregator.workflow.runs import Run

__all__ = ["DEFAULT_PROJECT", "draw_comparison", "draw_run"]

DEFAULT_PROJECT = "default"
MOST_ITEMS = 12
"""Of a fan-out, that are shown one by one."""


def draw_run(
    on: Console,
    run: "Run",
    *,
    plan: "RunPlan | None",
    took_s: Mapping[str, float | None],
    saved: Mapping[str, Path],
    again: str,
) -> None:
    """Draw it all.

    Args:
        again: The command that goes on with it.

    """
    on.print(heading(f"{run.name}: {run.state}", dim=f"project {run.project.name} · {run.stage}"))
    _steps(on, run, took_s)
    on.print()
    words = "in all" if plan is None else "for what was new" if run.state == "finished" else "so far"
    planned = f"; planned: {planned_cost(plan.chain)}" if plan is not None and plan.chain is not None else ""
    say(on, Text.assemble((usd(run.cost_usd), "bold green"), f" {words}{planned}"))
    _files(on, run, saved)
    _waiting(on, run, again)
    _missing(on, run)
    _failed(on, run, again)


def _steps(on: Console, run: "Run", took_s: Mapping[str, float | None]) -> None:
    rows = table(on, "", "step", "", "made by", "cost", "took", right=("cost", "took"))
    family = families({name: one.node.task for name, one in run.outcomes.items()})
    sizes = Counter(family.values())
    folded: dict[str, list[Outcome]] = {}
    for name, one in run.outcomes.items():
        if sizes[family[name]] <= MOST_ITEMS or one.state in ("failed", "paused"):
            rows.add_row(*_cells(one, took_s.get(name)))
        else:
            folded.setdefault(family[name], []).append(one)
    for name, of in folded.items():
        rows.add_row(*_folded(name, of))
    on.print(rows)


def _cells(one: "Outcome", took_s: float | None) -> "tuple[Text | str, ...]":
    state = "reused" if one.reused and one.state == "done" else one.state
    takes = f" ×{one.node.takes}" if one.node.takes > 1 else ""
    words = f"take {one.picked} of {one.node.takes}" if takes and one.state == "done" else state_of(state)
    return (
        Text(*MARKS.get(state, ("·", "dim"))),
        Text(f"{one.name}{takes}"),
        Text("" if state == "done" and not takes else words, MARKS.get(state, ("", ""))[1]),
        Text(_maker(one), "cyan" if one.results else "dim"),
        usd(one.cost_usd) if one.cost_usd != 0 else "",
        "" if took_s is None else seconds(took_s),
    )


def _maker(one: "Outcome") -> str:
    return next((result.model for result in one.results if result is not None), one.node.task)


def _folded(name: str, of: "Sequence[Outcome]") -> "tuple[Text | str, ...]":
    states = Counter("reused" if one.reused and one.state == "done" else one.state for one in of)
    costs = [one.cost_usd for one in of]
    cost = None if None in costs else sum(one for one in costs if one is not None)
    said = ", ".join(f"{count} {state_of(state)}" for state, count in states.items())
    mark = MARKS["done"] if set(states) <= {"done", "reused", "skipped"} else MARKS["blocked"]
    makers = ", ".join(dict.fromkeys(map(_maker, of)))
    return Text(*mark), Text(name), Text(said), Text(makers, "cyan"), usd(cost) if cost != 0 else "", ""


def _files(on: Console, run: "Run", saved: Mapping[str, Path]) -> None:
    files = saved or run.outputs
    if not files:
        return
    on.print()
    on.print(heading("Files", dim="" if saved else "in the store: --out DIRECTORY copies them"))
    for name, path in list(files.items())[:MOST_ITEMS]:
        _whole(on, f"{name}: {shown_path(path)}")
    if len(files) > MOST_ITEMS:
        say(on, f"and {len(files) - MOST_ITEMS} more: --json has all of them", indent=2)


def _whole(on: Console, words: str) -> None:
    """A path or a command stays in one piece, however narrow the terminal is."""
    on.print(f"  {words}", soft_wrap=True)


def _waiting(on: Console, run: "Run", again: str) -> None:
    where = "" if run.project.name == DEFAULT_PROJECT else f" --project {run.project.name}"
    for name in run.waiting:
        on.print()
        on.print(heading(f"{name} waits for a pick"))
        for take, media in enumerate(run.outcomes[name].media, 1):
            path = None if media is None else run.path(media)
            if path is not None:
                _whole(on, f"take {take}: {shown_path(path)}")
        _whole(on, f"aggregator pick {run.name} {name} TAKE{where}")
    if run.waiting:
        _whole(on, f"or on a page, where they play: aggregator sheet {run.name} --serve{where}")
        _whole(on, f"then {again}")
        say(
            on,
            f"The money for the rest stays reserved; `aggregator runs cancel {run.name}{where}` gives it back.",
            indent=2,
        )


def _missing(on: Console, run: "Run") -> None:
    """Takes that failed, or are unknown and keep their money, of steps that went on with another one."""
    missing = [one for one in run.outcomes.values() if one.state == "done" and one.why]
    if missing:
        on.print()
        on.print(heading("Missing takes", dim="another one went on"))
    for one in missing:
        say(on, Text(one.name, "bold yellow"), f": {one.why}", indent=2)


def _failed(on: Console, run: "Run", again: str) -> None:
    if not run.failed:
        return
    on.print()
    on.print(heading("Failed", dim="what was made beside it is kept"))
    for name in run.failed:
        say(on, Text(name, "bold red"), f": {run.outcomes[name].why}", indent=2)
    held_up = [one.name for one in run.outcomes.values() if one.state == "blocked"]
    if held_up:
        say(on, f"held up: {', '.join(held_up)}", indent=2)
    say(on, f"To make these alone: {again}", indent=2)


# ------------------------------------------------------------------------------------------------------------ promoted


def draw_comparison(on: Console, of: "RunComparison", *, planned: bool) -> None:
    """A draft beside its promotion: cost, time and model of each step."""
    on.print(heading(f"{of.draft} → {of.final}", dim="the plan, before any money" if planned else ""))
    most = "at most" if planned else "cost"
    rows = table(on, "step", "draft", "cost", "took", "final", most, "time", right=("cost", "took", most, "time"))
    for one in of.steps:
        kept = one.state in ("reused", "attached", "skipped", "edit") or one.final_model is None
        words = {"reused": "kept", "edit": "made here"}.get(one.state, one.state)
        rows.add_row(
            Text(one.name),
            Text(one.draft_model or one.task, "cyan" if one.draft_model else "dim"),
            usd(one.draft_usd) if one.draft_model else "",
            "" if one.draft_s is None else seconds(one.draft_s),
            Text(words, "dim") if kept else Text(one.final_model or "", "bold cyan"),
            "" if kept else usd(one.final_usd),
            "" if kept else seconds(one.final_s),
        )
    rows.add_row(
        Text("in all", "bold"), "", usd(of.draft_usd), "", "", Text(usd(of.final_usd), "bold green"),
        "" if of.time is None else str(of.time),
    )  # fmt: skip
    on.print(rows)
