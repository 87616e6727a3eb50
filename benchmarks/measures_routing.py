"""Routing and pricing: ours beside litellm's router, the best known one."""

from collections.abc import Mapping

import environments
from tables import Table, medians

PEERS = ("aggregator", "litellm")
PLAN = "a plan, words and seeds never the same: µs"
QUOTE = "a quote: µs"
MOST_PLAN_US, MOST_QUOTE_US, MOST_READ_MS, LEAST_RATIO = 100.0, 20.0, 60.0, 70.0


def plan(*, quick: bool) -> list[Table]:
    """Choosing among 1,000 offers, and pricing one; the rounds of the two take turns."""
    environments.make(PEERS)
    ours, theirs = [], []
    for _ in range(1 if quick else 3):
        ours.append(environments.run("aggregator", "200" if quick else "2000", program="plan.py"))
        theirs.append(environments.run("litellm", "10" if quick else "50"))
    return [_own(medians(ours)), _beside(medians(ours), medians(theirs))]


def _own(found: Mapping[str, float]) -> Table:
    table = Table("Planning over 1,000 offers of one task that all fit", ("", "median"))
    table.rows = [[name, figure] for name, figure in found.items()]
    table.judge("a plan over 1,000 offers, warm, µs", found[PLAN], MOST_PLAN_US)
    table.judge("a quote, µs", found[QUOTE], MOST_QUOTE_US)
    table.judge("ready to plan, ms", found["the package's own registry and prices read: ms"], MOST_READ_MS)
    table.notes = [
        "Every request has words and a seed of its own; clips of two lengths; every offer is fitted, priced, ranked.",
        "A shape is all requests that the offers cannot tell apart; it is ranked once, and kept for the day.",
    ]
    return table


def _beside(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Table:
    table = Table("Picking one of 1,000, beside litellm's router", ("", "median µs", "times ours"))
    table.rows = [["aggregator: fits, prices and ranks, 8 alternatives", ours[PLAN], 1.0]]
    for name in ("simple-shuffle", "latency-based-routing", "cost-based-routing"):
        table.rows.append([f"litellm: {name}", theirs[name], theirs[name] / ours[PLAN]])
        table.goals.append(
            (
                f"{name} over ours: {theirs[name] / ours[PLAN]:,.0f} times (goal: at least {LEAST_RATIO:.0f})",
                theirs[name] >= LEAST_RATIO * ours[PLAN],
            )
        )
    table.rows += [
        ["aggregator: a quote with its rates", ours[QUOTE], 1.0],
        ["litellm: completion_cost of a picture", theirs["cost"], theirs["cost"] / ours[QUOTE]],
    ]
    table.notes = ["litellm's deployments are all of one model, up, and without limits; nothing is sent by either."]
    return table
