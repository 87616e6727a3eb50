"""Workflows: graphs of requests and local edits, priced, run, gone on with and promoted as a whole.

```python
film = read("film.toml")                            # or a function with @workflow
async with Aggregator.local() as agg, agg.project("film") as p:
    print(await p.plan_run(film, budget_usd="5"))
    run = await p.run(film, budget_usd="5")
```
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.workflow.events import RunEvent
    from aggregator.workflow.file import dumps, loads, read
    from aggregator.workflow.model import Carried, Step, Workflow
    from aggregator.workflow.plan import RunPlan, StepPlan
    from aggregator.workflow.promotion import RunComparison
    from aggregator.workflow.runs import Run
    from aggregator.workflow.tracing import Steps, workflow

__all__ = [
    "Carried",
    "Run",
    "RunComparison",
    "RunEvent",
    "RunPlan",
    "Step",
    "StepPlan",
    "Steps",
    "Workflow",
    "dumps",
    "loads",
    "read",
    "workflow",
]

_HOMES: dict[str, tuple[str, ...]] = {
    "events": ("RunEvent",),
    "file": ("dumps", "loads", "read"),
    "model": ("Carried", "Step", "Workflow"),
    "plan": ("RunPlan", "StepPlan"),
    "promotion": ("RunComparison",),
    "runs": ("Run",),
    "tracing": ("Steps", "workflow"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: a program that draws up a graph does not pay for running it."""
    if name not in _HOME:
        raise AttributeError(f"module 'aggregator.workflow' has no attribute {name!r}")
    value = getattr(import_module(f"aggregator.workflow.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
