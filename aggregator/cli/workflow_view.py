"""How a workflow looks: its steps as a tree, each below the last of those that it is made from."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import say, table
from aggregator.workflow.circles import needs
from aggregator.workflow.graph import Graph
from aggregator.workflow.model import Carried, Step
from aggregator.workflow.order import in_order

__all__ = ["draw_workflow", "workflow_as_json"]

WORDS = 40
_PICKS: Mapping[str, str] = {"first": "the first goes on", "person": "a person picks", "all": "all go on"}


def draw_workflow(on: Console, graph: Graph) -> None:
    """Inputs, what is carried, and the tree."""
    workflow = graph.workflow
    for name, value in graph.inputs.items():
        say(on, Text.assemble((f"{name} = ", "dim"), _shortly(value)), indent=2)
    for item in workflow.references:
        say(on, Text.assemble(("carried: ", "dim"), _carried(item)), indent=2)
    if workflow.seed is not None:
        say(on, Text.assemble(("seed ", "dim"), str(workflow.seed)), indent=2)
    on.print()
    rows = table(on, "step", "task", "", fold=("",))
    outputs = {graph.by_name[flat].step.name for flat in graph.outputs}
    for rail, step, others in _tree(graph):
        called = Text.assemble((rail, "dim"), (step.name, "bold"))
        if step.each is not None:
            called.append(f" ×{len(graph.fans[step.name])}", "cyan")
        rows.add_row(called, step.task, ", ".join(_said(step, others, is_output=step.name in outputs)))
    on.print(rows)


def _tree(graph: Graph) -> Iterator[tuple[str, Step, list[str]]]:
    """Each step once, with the rails before it and what else it is made from."""
    steps = {step.name: step for step in in_order(graph.workflow)}
    made_from = {name: [one for one in dict.fromkeys(needs(step)) if one != name] for name, step in steps.items()}
    below: dict[str | None, list[str]] = {}
    for name in steps:
        last = max(made_from[name], key=list(steps).index, default=None)
        below.setdefault(last, []).append(name)

    def drawn(above: str | None, rails: str) -> Iterator[tuple[str, Step, list[str]]]:
        names = below.get(above, [])
        for name in names:
            end = name == names[-1]
            rail = "" if above is None else rails + ("└ " if end else "├ ")
            yield rail, steps[name], [one for one in made_from[name] if one != above]
            yield from drawn(name, "" if above is None else rails + ("  " if end else "│ "))

    yield from drawn(None, "")


def _said(step: Step, others: list[str], *, is_output: bool) -> Iterator[str]:
    """What is not as usual."""
    if others:
        yield f"with {', '.join(others)}"
    if step.takes > 1 or step.pick != "first":
        picks = _PICKS.get(step.pick) or f"{step.pick.partition(':')[2]} picks"
        yield f"{step.takes} take{'s' * (step.takes > 1)}: {picks}"
    if step.when is not None:
        yield f"if {step.when}"
    if step.continues is not None:
        yield f"continues {step.continues}"
    if step.carry is not None:
        yield f"carries {', '.join(step.carry) or 'nothing'}"
    yield from (str(word) for word in (step.stage, step.role, step.model) if word is not None)
    if step.max_usd is not None:
        yield f"up to ${step.max_usd}"
    if step.share is not None:
        yield f"{step.share:.0%} of the budget"
    if is_output:
        yield "output"


def _carried(item: Carried) -> str:
    count = len(item.images)
    parts = [
        item.role,
        f"{count} picture{'s' * (count > 1)}" if count else "",
        "voice" if item.voice else "",
        "words" if item.prompt else "",
    ]
    return f"{item.name} ({', '.join(part for part in parts if part)})"


def _shortly(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{len(value)} items"
    text = " ".join(str(value).split())
    return text if len(text) <= WORDS else f"{text[: WORDS - 1]}…"


def workflow_as_json(graph: Graph) -> dict[str, Any]:
    """The workflow, and the flat steps that it comes to."""
    return {
        **graph.workflow.as_json(),
        "inputs": dict(graph.inputs),
        "outputs": list(graph.outputs),
        "flat_steps": [
            {
                "name": node.name,
                "step": node.step.name,
                "task": node.task,
                "takes": node.takes,
                "needs": list(node.needs),
                "carried": list(node.carried),
            }
            for node in graph.nodes
        ],
    }
