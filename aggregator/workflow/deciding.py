"""What is to be done about each take of a step: found again, under way already, or to be made; and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from aggregator.errors import AggregatorError, NoRouteError, PriceUnknownError, RequestError
from aggregator.identity import content
from aggregator.routing.plan import Ask, Plan
from aggregator.store.runs import KnownJob
from aggregator.tasks import Request
from aggregator.workflow.content import address, key_of, mark_of
from aggregator.workflow.graph import Node

if TYPE_CHECKING:
    from aggregator.options import Options
    from aggregator.planning import Planner
    from aggregator.project import Project

__all__ = ["Decision", "Earlier", "ask_of", "decide", "differences", "fitted", "options_of"]

State = Literal["reused", "attached", "run"]
ENDED_WITH_NOTHING = frozenset({"failed", "refused", "canceled"})
ANY_PRICE = Decimal(10**9)
_SHOWN, _BEFORE = 60, 16


@dataclass(frozen=True, slots=True)
class Earlier:
    """How this very run was last started, where that was as it is now."""

    run: str
    """Its name: its jobs bear it, and its generation."""
    generation: str
    mark: str | None
    """Who would have made it then; `None`: nobody looked."""
    cut_off: bool
    """It had not come to its end: what it made counts, whoever would make it now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one take."""

    node: Node
    take: int
    """From 1."""
    request: Request
    """As it is ordered: what its model cannot carry is left out."""
    state: State
    why: str
    address: str
    key: str = ""
    job: str | None = None
    """The job that has made it, or is about to."""
    plan: Plan | None = None
    """Who would make it; `None` where nobody does any more."""
    mark: str | None = None
    """Which model in which version that is."""
    notes: tuple[str, ...] = ()


def options_of(node: Node, stage: str, *, max_usd: Decimal | None) -> "Options":
    """The options that a step is ordered with."""
    step = node.step
    given = {
        "stage": node.stage or stage,
        "role": step.role,
        "model": node.model,
        "on_unsupported": step.on_unsupported,
        "provider_options": dict(step.provider_options) or None,
        "max_usd": max_usd,
        "deadline_s": step.deadline_s,
    }
    return {name: value for name, value in given.items() if value is not None}  # type: ignore[return-value]


def ask_of(project: "Project", node: Node, stage: str, where: str, max_usd: Decimal | None) -> Ask:
    """What routing reads of a step. What a share of the jobs is drawn by is the step's content."""
    return replace(project.ask(options_of(node, stage, max_usd=max_usd)), lot=f"{project.account}/{where}")


def fitted(planner: "Planner", node: Node, full: Request, ask: Ask) -> tuple[Request, Plan, tuple[str, ...]]:
    """The request with as much of what goes along as its model takes, who makes it, and what is left out. References
    and a voice have a say in who makes it; a seed has none.

    Raises:
        RoutingError, RequestError, PricingError: Nobody makes it.

    """
    seeded, request = full, full.with_(seed=None) if "seed" in node.wanted else full
    request, plan, left_out = _carrying(planner, node, request, ask)
    if "seed" in node.wanted:
        if "seed" in plan.offer.mapping.fields:
            request = request.with_(seed=seeded.values()["seed"])
            plan = planner.settled(request, replace(ask, model=plan.offer.id))
        else:
            left_out = [*left_out, "seed"]
    notes = tuple(f"{_named(node, name)} left out: {plan.offer.id} takes no {name}" for name in left_out)
    return request, plan, notes


def _carrying(planner: "Planner", node: Node, request: Request, ask: Ask) -> tuple[Request, Plan, list[str]]:
    """Who makes it with all references and the voice; else with the voice alone, with the references alone, plain."""
    wanted = [name for name in ("references", "voice") if name in node.wanted]
    for left_out in ([], *([name] for name in wanted), *([wanted] if len(wanted) > 1 else [])):
        less = request.with_(**dict.fromkeys(left_out))
        try:
            return less, planner.settled(less, ask), left_out
        except (NoRouteError, RequestError):
            if left_out == wanted:
                raise
    raise AssertionError


def _named(node: Node, name: str) -> str:
    return f"{', '.join(node.carried)} ({name})" if name in ("references", "voice") else name


def decide(
    project: "Project",
    node: Node,
    full: Request,
    *,
    stage: str,
    take: int,
    known: Mapping[str, Sequence[KnownJob]],
    earlier: Earlier | None,
    max_usd: Decimal | None = None,
    any_price: bool = False,
) -> Decision:
    """Look for what there is already of a take whose inputs are known.

    Args:
        full: With all that goes along, its inputs stored.
        known: The jobs at its address, newest first.
        earlier: What this very run did about it before: that counts as long as nobody else would make it now.
        max_usd: What this take may cost.
        any_price: Also look at offers whose price nobody knows: nothing is ordered.

    """
    where = address(node, full, take)
    jobs = known.get(where, ())
    ask = ask_of(project, node, stage, where, max_usd)
    own = None
    if earlier is not None:
        born = (earlier.run, earlier.generation)
        mine = (job for job in jobs if (job.tags.get("run"), job.tags.get("_generation")) == born)
        own = next((job for job in mine if job.state not in ENDED_WITH_NOTHING), None)
    try:
        request, plan, notes = _fitted_at(project, node, full, ask, any_price=any_price)
    except AggregatorError:
        if own is None or earlier is None or not earlier.cut_off:
            raise
        return _found(node, take, full, where, own, "this run made it")
    mark = mark_of(plan.offer)
    if own is not None and earlier is not None and (earlier.cut_off or earlier.mark == mark):
        found = _found(node, take, request, where, own, "this run made it")
        return replace(found, notes=notes, plan=plan, mark=mark)
    key = key_of(where, mark)
    same = [job for job in jobs if job.key == key]
    alive = next((job for job in same if job.state not in ENDED_WITH_NOTHING), None)
    if alive is not None:
        found = _found(node, take, request, where, alive, "the same was made before")
        return replace(found, notes=notes, plan=plan, mark=mark)
    if same:
        why = f"it ended with nothing ({same[0].state})"
    elif jobs:
        why = f"model: {jobs[0].key.split(':')[2]} → {mark}"
    else:
        why = ""
    return Decision(node, take, request, "run", why, where, key, plan=plan, mark=mark, notes=notes)


def _fitted_at(
    project: "Project", node: Node, full: Request, ask: Ask, *, any_price: bool
) -> tuple[Request, Plan, tuple[str, ...]]:
    try:
        return fitted(project.planner, node, full, ask)
    except PriceUnknownError:
        if not any_price:
            raise
        return fitted(project.planner, node, full, replace(ask, max_usd=ANY_PRICE))


def _found(node: Node, take: int, request: Request, where: str, job: KnownJob, why: str) -> Decision:
    state: State = "reused" if job.state == "stored" else "attached"
    return Decision(node, take, request, state, why if state == "reused" else "it is under way", where, job.key, job.id)


def differences(before: Request, after: Request) -> Iterator[str]:
    """In which fields a request is another one, for people: `prompt: 'a' → 'b'`."""
    was, now = content(before), content(after)
    for name in dict.fromkeys([*was, *now]):
        old, new = was.get(name), now.get(name)
        if old != new:
            since = _alike(old, new)
            yield f"{name}: {_shown(old, since)} → {_shown(new, since)}"


def _alike(old: JsonValue, new: JsonValue) -> int:
    """How many characters two long texts begin with alike that need not be shown."""
    if not (isinstance(old, str) and isinstance(new, str)) or max(len(old), len(new)) < _SHOWN:
        return 0
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    return max(0, same - _BEFORE)


def _shown(value: JsonValue, since: int) -> str:
    if isinstance(value, str) and value.startswith("sha256:"):
        return f"{value[:15]}…"
    text = "–" if value is None else repr(f"…{str(value)[since:]}" if since else value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
