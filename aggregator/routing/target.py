"""Which model or offer a call means: its own `model`, else what the configuration says for its role, else any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from aggregator.config import Config, nearest
from aggregator.errors import NoRouteError, RequestError, RetiredModelError, UnknownModelError
from aggregator.registry.cards import Card, Offer, Tier
from aggregator.registry.load import Registry
from aggregator.routing.plan import Ask
from aggregator.tasks import Request

__all__ = ["Target", "target_of", "wanted_tier"]

_SHOWN = 5


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
        RetiredModelError: It is gone; the day, the successor and what else serves the task are named.
        NoRouteError: It never had an official API; what else serves the task is named.
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
        successor = gone.successor if isinstance(gone, RetiredModelError) else None
        if successor is None or successor in seen or not config.follow_successor:
            raise gone
        notes.append(f"{name} is retired: its successor {successor} serves")
        seen.add(successor)
        name = successor
    return Target(pin=name, notes=tuple(notes)) if ":" in name else Target(model=name, notes=tuple(notes))


def _gone(registry: Registry, task: str, name: str, day: date) -> RetiredModelError | NoRouteError | None:
    """The error for a name behind which nothing lives; `None` while one offer of the task does.

    A card may say that its model is gone; a user's own offer of it counts all the same.
    """
    offers = _pinned(registry, task, name) if ":" in name else _of_model(registry, task, name)
    if any(offer.stage(day) != "retired" for offer in offers):
        return None
    card = _gone_card(registry, name) or (registry.card(offers[0].model) if offers else None)
    if card is None:
        return None
    stage = card.stage(day)
    if stage == "unavailable":
        return NoRouteError(f"{name}: {card.why}; {_instead(registry, task, card, day)}")
    return _retired(registry, task, name, card, offers, day) if offers or stage == "retired" else None


def _retired(
    registry: Registry, task: str, name: str, card: Card, offers: Sequence[Offer], day: date
) -> RetiredModelError:
    """When, why, and what to use. A pinned offer's own day and successor come first, a model's before its offers'."""
    end = next((offer.retires for offer in offers if offer.retires), None)
    successor = next((offer.successor for offer in offers if offer.successor), None)
    if ":" in name:
        end, successor = end or card.retired, successor or card.successor
    else:
        end, successor = card.retired or end, card.successor or successor
    words = f"{name} is retired" + (f" since {end}" if end else "") + (f" ({card.why})" if card.why else "")
    if successor is None:
        words += f": no successor is named; {_instead(registry, task, card, day)}"
    else:
        words += f": use its successor {successor!r}, or set follow_successor = true"
        others = [model for model in _alive(registry, task, card.equivalents, day) if model != successor]
        words += f"; for {task} there is also {', '.join(others)}" if others else ""
    return RetiredModelError(words, successor=successor)


def _instead(registry: Registry, task: str, card: Card, day: date) -> str:
    """What can be asked for: what the card names, else whatever serves the task."""
    if found := _alive(registry, task, card.equivalents, day):
        return f"for {task} there is {', '.join(found)}"
    anyone = _alive(registry, task, sorted({offer.model for offer in registry.offers(task)}), day)
    return f"{task} is served by {', '.join(anyone[:_SHOWN]) or 'nobody'}"


def _alive(registry: Registry, task: str, models: Sequence[str], day: date) -> list[str]:
    """Those that somebody offers for the task today, in the given order."""
    alive = {offer.model for offer in registry.offers(task) if offer.stage(day) not in ("retired", "announced")}
    return [model for model in models if model in alive]


def _gone_card(registry: Registry, name: str) -> Card | None:
    """The card of a model that is retired or unavailable, by any of its names, pinned or not."""
    return registry.gone.get(name) or registry.gone.get(name.partition(":")[2])


def _of_model(registry: Registry, task: str, name: str) -> tuple[Offer, ...]:
    model = (_gone_card(registry, name) or registry.card(name)).id
    return tuple(offer for offer in registry.offers(task) if offer.model == model)


def _pinned(registry: Registry, task: str, pin: str) -> tuple[Offer, ...]:
    found = tuple(offer for offer in registry.offers(task) if offer.id == pin)
    if found or _gone_card(registry, pin) is not None:
        return found
    others = [offer.task for offer in registry.all_offers() if offer.id == pin]
    if others:
        raise RequestError(f"{pin} serves {', '.join(others)}, not {task}")
    close = nearest(pin, (offer.id for offer in registry.all_offers()))
    hint = f"did you mean {', '.join(close)}?" if close else "`aggregator models` lists what there is"
    raise UnknownModelError(f"no offer {pin!r}; {hint}", nearest=close)
