"""Whether one offer can carry one request, and what would have to change for that: fields, values, what it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, JsonValue

from aggregator.inputs import Media
from aggregator.registry.cards import Limit, Offer
from aggregator.routing.limits import describe, fits, limit_of, nearest_value
from aggregator.routing.plan import Adjustment
from aggregator.tasks import Request

__all__ = ["Kind", "Refusal", "fit", "serve"]

Kind = Literal[
    "model", "tried", "policy", "lifecycle", "provider", "field", "value", "required", "price", "budget", "options"
]
"""Why an offer is out. Errors are chosen by this, never by the text."""

_NEVER_DROPPED = frozenset({"prompt", "text", "image", "video", "lyrics"})
_LOSSES = {
    "references": "the picture is not guided by them",
    "mask": "the whole picture may change",
    "last_image": "the clip ends where it will",
    "loras": "the fine-tune is not applied",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an offer is out; the sentence is only written when somebody asks."""

    kind: Kind
    why: Callable[[], str]
    supported: tuple[str, ...] = ()


def serve(request: Request, adjustments: Sequence[Adjustment]) -> Request:
    """The request as an offer will get it."""
    if not adjustments:
        return request
    return request.with_(**{item.field: None if item.kind == "dropped" else item.sent for item in adjustments})


def fit(
    offer: Offer, request: Request, values: dict[str, Any], *, adjust: bool
) -> tuple[Request, tuple[Adjustment, ...]] | Refusal:
    """The request as this offer can serve it, with the changes that takes; or why it cannot."""
    adjustments = []
    for name, value in values.items():
        change = _check(offer, request, name, value, adjust=adjust)
        if isinstance(change, Refusal):
            return change
        if change is not None:
            adjustments.append(change)
    served = serve(request, adjustments)
    missing = next((name for name in offer.required if getattr(served, name) in (None, ())), None)
    if missing is not None:
        return Refusal("required", lambda: f"it needs {missing}, which is not given")
    return served, tuple(adjustments)


def _check(offer: Offer, request: Request, name: str, value: Any, *, adjust: bool) -> Adjustment | Refusal | None:
    if name not in offer.mapping.fields:
        if adjust and _may_drop(request, name, value):
            loss = _LOSSES.get(name)
            why = f"{offer.id} does not take {name}" + (f": {loss}" if loss else "")
            return Adjustment(name, "dropped", _shown(value), None, why)
        supported = tuple(sorted(offer.mapping.fields))
        return Refusal("field", lambda: f"it does not take {name}; it takes {', '.join(supported)}", supported)
    limit = limit_of(offer, name)
    if limit is None or isinstance(value, Media) or fits(limit, value):
        return None
    counted = isinstance(value, tuple) and name != "size"  # which references to leave out is the caller's to say
    sent = None if counted else nearest_value(limit, value)
    if adjust and sent is not None:
        return Adjustment(name, "clamped", _shown(value), sent, f"{offer.id} takes {describe(limit)}")
    if adjust and sent is None and _is_word(value) and _may_drop(request, name, value):
        why = f"{offer.id} takes {describe(limit)}; nothing of that is close to it, so its default applies"
        return Adjustment(name, "dropped", _shown(value), None, why)
    return Refusal("value", lambda: _outside(name, value, limit, sent), tuple(str(item) for item in limit.values))


def _may_drop(request: Request, name: str, value: Any) -> bool:
    """Inputs, words and what a request cannot be without stay; the rest may go."""
    field = type(request).model_fields[name]
    if name in _LOSSES:
        return True
    return name not in _NEVER_DROPPED and not isinstance(value, Media) and not field.is_required()


def _is_word(value: Any) -> bool:
    """One of a closed list (a voice, a format, a switch), which has no nearest one."""
    return isinstance(value, str | bool)


def _outside(name: str, value: Any, limit: Limit, sent: JsonValue) -> str:
    if limit.max_characters is not None and isinstance(value, str):
        return f"{name} has {len(value)} characters; it takes {describe(limit)}"
    close = "" if sent is None else f"; nearest is {'×'.join(map(str, sent)) if isinstance(sent, list) else sent}"
    return f"{name}={_shown(value)} is outside what it takes: {describe(limit)}{close}"


def _shown(value: Any) -> JsonValue:
    """A value for a person and for JSON; inputs are only named."""
    if isinstance(value, Media):
        return "an input"
    if isinstance(value, tuple):
        return f"{len(value)} given" if any(isinstance(part, BaseModel) for part in value) else list(value)
    return value if isinstance(value, str | int | float | bool) else str(value)
