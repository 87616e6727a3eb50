"""Which model or offer a call means: its own `model`, else what the configuration says for its role, else any."""

from dataclasses import dataclass
from datetime import date

from aggregator.config import Config, nearest
from aggregator.errors import RequestError, RetiredModelError, UnknownModelError
from aggregator.registry.cards import Offer, Tier
from aggregator.registry.load import Registry
from aggregator.routing.plan import Ask
from aggregator.tasks import Request

__all__ = ["Target", "target_of", "wanted_tier"]


@dataclass(frozen=True, slots=True)
class Target:
    """The offers a call may use: one pinned offer, all of one model, or (neither given) any."""

    model: str | None = None
    pin: str | None = None
    notes: tuple[str, ...] = ()
    """How it came to this where that is not obvious: a role, a successor."""

    def admits(self, offer: Offer) -> bool:
        return (self.pin is None or offer.id == self.pin) and (self.model is None or offer.model == self.model)

    @property
    def is_open(self) -> bool:
        return self.pin is None and self.model is None

    def __str__(self) -> str:
        return self.pin or self.model or "any model"


def wanted_tier(config: Config, stage: str) -> Tier:
    """The tier that a stage asks for.

    Raises:
        RequestError: No such stage.
    """
    try:
        return config.policy[stage]
    except KeyError:
        raise RequestError(f"unknown stage {stage!r}: [policy] has {', '.join(config.policy)}") from None


def target_of(registry: Registry, config: Config, request: Request, ask: Ask, day: date) -> Target:
    """Read the call's `model`, else its role.

    Raises:
        UnknownModelError: Nothing has this id; the nearest ids are named.
        RetiredModelError: It is gone; the successor is named.
        RequestError: The pinned offer is for another task.
    """
    if ask.model is not None:
        return _resolve(registry, config, request.task, ask.model, day)
    name = ask.role or request.task
    role = config.roles.get(name)
    model = role.get(ask.stage) if isinstance(role, dict) else role
    if model is None:
        unset = f"role {ask.role!r} is not set in [roles] for {ask.stage}: any model"
        return Target(notes=() if ask.role is None else (unset,))
    try:
        found = _resolve(registry, config, request.task, model, day)
    except UnknownModelError as error:
        raise UnknownModelError(f"[roles] {name}: {error}", nearest=error.nearest) from None
    return Target(found.model, found.pin, (f"role {name!r} is {model} in [roles]", *found.notes))


def _resolve(registry: Registry, config: Config, task: str, name: str, day: date) -> Target:
    """Follow successors where the configuration allows it, each at most once."""
    notes: list[str] = []
    seen = {name}
    while (gone := _gone(registry, task, name, day)) is not None:
        successor = gone.successor
        if successor is None or successor in seen or not config.follow_successor:
            raise gone
        notes.append(f"{name} is retired: its successor {successor} serves")
        seen.add(successor)
        name = successor
    return Target(pin=name, notes=tuple(notes)) if ":" in name else Target(model=name, notes=tuple(notes))


def _gone(registry: Registry, task: str, name: str, day: date) -> RetiredModelError | None:
    """The error for a name that only stands for retired offers of the task; `None` while one of them lives."""
    offers = _pinned(registry, task, name) if ":" in name else _of_model(registry, task, name)
    if not offers or any(offer.stage(day) != "retired" for offer in offers):
        return None
    successor = next((offer.successor for offer in offers if offer.successor), None)
    successor = successor or registry.card(offers[0].model).successor
    since = next((f" since {offer.retires}" for offer in offers if offer.retires), "")
    if successor is not None:
        hint = f"use its successor {successor!r}, or set follow_successor = true"
    else:
        alive = sorted(
            {offer.model for offer in registry.offers(task) if offer.stage(day) not in ("retired", "announced")}
        )
        hint = f"no successor is named; {task} is served by {', '.join(alive[:5]) or 'nobody'}"
    return RetiredModelError(f"{name} is retired{since}: {hint}", successor=successor)


def _of_model(registry: Registry, task: str, model: str) -> tuple[Offer, ...]:
    registry.card(model)
    return tuple(offer for offer in registry.offers(task) if offer.model == model)


def _pinned(registry: Registry, task: str, pin: str) -> tuple[Offer, ...]:
    found = tuple(offer for offer in registry.offers(task) if offer.id == pin)
    if found:
        return found
    others = [offer.task for offer in registry.all_offers() if offer.id == pin]
    if others:
        raise RequestError(f"{pin} serves {', '.join(others)}, not {task}")
    close = nearest(pin, (offer.id for offer in registry.all_offers()))
    hint = f"did you mean {', '.join(close)}?" if close else "`aggregator models` lists what there is"
    raise UnknownModelError(f"no offer {pin!r}; {hint}", nearest=close)
