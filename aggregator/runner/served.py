"""Which model an answer says it is from, where it says so, and whether that is the one that was asked for.

Some hosts keep answering under the old name with another model. A dated name of the same model is none (`-2026-05-30`,
`-001`), nor is what a moving name (`-latest`, `-preview`) stands for.
"""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from aggregator import _observe
from aggregator._results import Delivery
from aggregator.artifact import Shortfall
from aggregator.runner.context import Context
from aggregator.store import journal, redirections
from aggregator.store.journal import Attempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["is_same", "redirected", "tell", "warning", "write"]

_MOVING = re.compile(r"-(latest|preview)$")
_DATED = re.compile(r"-(\d{3}|\d{4}|\d{6}|\d{8}|\d{4}-\d{2}-\d{2})$")


def redirected(context: Context, of: Attempt) -> tuple[str, str] | None:
    """What was asked for and what served, where the answer names another model."""
    assert of.delivery is not None
    served = Delivery.from_json(of.delivery).facts.get("served_model")
    if not isinstance(served, str) or not served:
        return None
    asked = _asked(of.plan["names"], of.body)
    known = next((offer for offer in context.planner.registry.offers(of.request["task"]) if offer.id == of.offer), None)
    names = {*asked, *(known.aliases if known else ())}
    return None if is_same(served, names) else (asked[0], served)


def _asked(names: Mapping[str, str], body: Any) -> list[str]:
    """What the order called the model: in its body, as its endpoint, and by our own id."""
    written = body.get("model") if isinstance(body, Mapping) else None
    said = (written, names.get("endpoint"), names.get("model"))
    return [name for name in said if isinstance(name, str) and name]


def is_same(served: str, asked: Collection[str]) -> bool:
    """Whether a name that was answered is one that was asked for."""
    one = _bare(served)
    others = [_bare(name) for name in asked]
    return any(one == other or _DATED.sub("", one) == other or one == _DATED.sub("", other) for other in others)


def _bare(name: str) -> str:
    """Without the path before it, a version's hash behind it, and what moves."""
    return _MOVING.sub("", name.rpartition("/")[2].partition(":")[0].casefold())


def warning(names: tuple[str, str]) -> Shortfall:
    """What the result says of it."""
    return Shortfall("redirected", *names)


def write(connection: "Connection", of: Attempt, names: tuple[str, str], at: int) -> None:
    """Keep it for the audit, and in the log."""
    asked, served = names
    redirections.remember(connection, of.offer, served, of.id, at)
    journal.write_event(connection, of.id, "redirected", {"offer": of.offer, "asked": asked, "served": served}, at)


def tell(of: Attempt, names: tuple[str, str]) -> None:
    """Say so to whoever watches."""
    _observe.emit("redirected", job=of.job, offer=of.offer, asked=names[0], served=names[1])
