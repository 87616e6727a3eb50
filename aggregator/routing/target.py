"""Which model or offer a call means: its own `model`, else what the configuration says for its role, else any."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from aggregator.config import Config, nearest
from aggregator.errors import NoRouteError, RequestError, RetiredModelError, UnknownModelError
from aggregator.registry.cards import Card, Offer
from aggregator.registry.load import Registry
from aggregator.routing.plan import Ask
from aggregator.tasks import Request

__all__ = ["Target", "target_of"]

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


def target_of(
    registry: Registry,
    config: Config,
    request: Request,
    ask: Ask,
    day: date,
    here: Callable[[Offer], bool] = lambda _offer: True,
) -> Target:
    """Read the call's `model`, else its role.

    Args:
        here: Whether an offer's provider can be used here: where one that can has ended, a model counts as retired,
            though it lives elsewhere.

    Raises:
        UnknownModelError: Nothing has this id; the nearest ids are named.
        RetiredModelError: It is gone; the day, the successor and what else serves the task are named.
        NoRouteError: It never had an official API; what else serves the task is named.
        RequestError: The pinned offer is for another task.
    """
    known = _Known(registry, config, request.task, day, here)
    if ask.model is not None:
        return known.resolve(ask.model)
    name = ask.role or request.task
    role = config.roles.get(name)
    model = role.get(ask.stage) if isinstance(role, dict) else role
    if model is None:
        unset = f"role {ask.role!r} is not set in [roles] for {ask.stage}: any model"
        return Target(notes=() if ask.role is None else (unset,))
    try:
        found = known.resolve(model)
    except UnknownModelError as error:
        raise UnknownModelError(f"[roles] {name}: {error}", nearest=error.nearest) from None
    return Target(found.model, found.pin, (f"role {name!r} is {model} in [roles]", *found.notes))


@dataclass(frozen=True, slots=True)
class _Known:
    """Who lives, for one task on one day."""

    registry: Registry
    config: Config
    task: str
    day: date
    here: Callable[[Offer], bool]

    def resolve(self, name: str) -> Target:
        """Follow renames and successors, and replace what has none, where the configuration allows it; each once."""
        notes: list[str] = []
        seen = {name}
        while (gone := self._gone(name)) is not None:
            successor = gone.successor if isinstance(gone, RetiredModelError) else None
            if isinstance(gone, RetiredModelError) and successor is None and self.config.replace_retired:
                return self._replaced(name, notes)
            if successor is None or successor in seen or not self.config.follow_successor:
                raise gone
            notes.append(f"{name} is retired: its successor {successor} serves")
            seen.add(successor)
            name = successor
        if ":" not in name:
            return Target(model=name, notes=tuple(notes))
        pin = self._pinned(name)[0].id
        notes += [f"{name} is served as {pin} now"] if pin != name else []
        return Target(pin=pin, notes=tuple(notes))

    def _replaced(self, name: str, notes: Sequence[str]) -> Target:
        """What serves in place of a model without a successor: its closest equivalent, else any of the task."""
        card = self._gone_card(name) or self.registry.card(self._offers(name)[0].model)
        instead = next(iter(self._alive(card.equivalents)), None)
        words = f"its equivalent {instead} serves" if instead else "any other may serve"
        return Target(model=instead, notes=(*notes, f"{name} is retired and has no successor: {words}"))

    def _gone(self, name: str) -> RetiredModelError | NoRouteError | None:
        """The error for a name behind which nothing lives; `None` while one offer of the task does.

        A card may say that its model is gone; a user's own offer of it counts all the same.
        """
        every = self._offers(name)
        offers = tuple(offer for offer in every if self.here(offer)) or every
        if any(offer.stage(self.day) != "retired" for offer in offers):
            return None
        card = self._gone_card(name) or (self.registry.card(offers[0].model) if offers else None)
        if card is None:
            return None
        stage = card.stage(self.day)
        if stage == "unavailable":
            return NoRouteError(f"{name}: {card.why}; {self._instead(card)}")
        if not offers and stage != "retired":
            return None
        elsewhere = [offer.id for offer in every if offer.stage(self.day) != "retired"]
        return self._retired(name, card, offers, elsewhere)

    def _retired(self, name: str, card: Card, offers: Sequence[Offer], elsewhere: Sequence[str]) -> RetiredModelError:
        """When, why, and what to use. A pin's own day and successor come first, a model's before its offers' ones."""
        end = next((offer.retires for offer in offers if offer.retires), None)
        successor = next((offer.successor for offer in offers if offer.successor), None)
        if ":" in name or elsewhere:
            end, successor = end or card.retired, successor or card.successor
        else:
            end, successor = card.retired or end, card.successor or successor
        words = f"{name} is retired" + (f" since {end}" if end else "") + (f" ({card.why})" if card.why else "")
        words += f" here, and lives on at {', '.join(elsewhere[:_SHOWN])}" if elsewhere else ""
        if successor is None:
            words += f": no successor is named; {self._instead(card)}"
        else:
            words += f": use its successor {successor!r}, or set follow_successor = true"
            others = [model for model in self._alive(card.equivalents) if model != successor]
            words += f"; for {self.task} there is also {', '.join(others)}" if others else ""
        return RetiredModelError(words, successor=successor)

    def _instead(self, card: Card) -> str:
        """What can be asked for: what the card names, else whatever serves the task."""
        if found := self._alive(card.equivalents):
            return f"for {self.task} there is {', '.join(found)}"
        anyone = self._alive(sorted({offer.model for offer in self.registry.offers(self.task)}))
        return f"{self.task} is served by {', '.join(anyone[:_SHOWN]) or 'nobody'}"

    def _alive(self, models: Sequence[str]) -> list[str]:
        """Those that somebody offers for the task today, in the given order: here, if anybody does."""
        living = [
            offer
            for offer in self.registry.offers(self.task)
            if offer.stage(self.day) not in ("retired", "announced") and not offer.unmapped
        ]
        near = {offer.model for offer in living if self.here(offer)}
        alive = near if any(model in near for model in models) else {offer.model for offer in living}
        return [model for model in models if model in alive]

    def _gone_card(self, name: str) -> Card | None:
        """The card of a model that is retired or unavailable, by any of its names, pinned or not."""
        return self.registry.gone.get(name) or self.registry.gone.get(name.partition(":")[2])

    def _offers(self, name: str) -> tuple[Offer, ...]:
        """Everybody who serves it, or served it."""
        if ":" in name:
            return self._pinned(name)
        model = (self._gone_card(name) or self.registry.card(name)).id
        return tuple(offer for offer in self.registry.offers(self.task) if offer.model == model)

    def _pinned(self, pin: str) -> tuple[Offer, ...]:
        offers = self.registry.offers(self.task)
        found = tuple(offer for offer in offers if offer.id == pin) or tuple(
            offer for offer in offers if pin in (f"{offer.provider}:{alias}" for alias in offer.aliases)
        )
        if found or self._gone_card(pin) is not None:
            return found
        others = [offer.task for offer in self.registry.all_offers() if offer.id == pin]
        if others:
            raise RequestError(f"{pin} serves {', '.join(others)}, not {self.task}")
        close = nearest(pin, (offer.id for offer in self.registry.all_offers()))
        hint = f"did you mean {', '.join(close)}?" if close else "`aggregator models` lists what there is"
        raise UnknownModelError(f"no offer {pin!r}; {hint}", nearest=close)
