"""Whether one offer can carry one request, and what would have to change for that: fields, values, what it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, JsonValue

from aggregator.inputs import Media
from aggregator.registry.cards import Limit, Offer, Rule
from aggregator.routing.frames import framed
from aggregator.routing.limits import describe, fits, limit_of, nearest_value
from aggregator.routing.plan import Adjustment
from aggregator.tasks import Request

__all__ = ["Kind", "Refusal", "Terms", "fit", "serve", "shown"]

Kind = Literal[
    "model",
    "tried",
    "policy",
    "lifecycle",
    "unmapped",
    "provider",
    "field",
    "value",
    "required",
    "quality",
    "input",
    "price",
    "budget",
]
"""Why an offer is out. Errors are chosen by this, never by the text."""

_MISSING = Limit()
"""Stands for the limit of a field that an offer does not take."""
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
    advice: str = ""
    """What would help, where that is not another offer."""


class Terms:
    """What an offer takes, looked up once: its limits by field, the words of its mapping among them."""

    __slots__ = ("limits", "offer")

    def __init__(self, offer: Offer, known: dict[str, Limit] | None = None) -> None:
        """Look them up. Limits that are written alike become one object, if `known` is shared between offers."""
        known = {} if known is None else known
        limits = ((name, limit_of(offer, name)) for name in offer.mapping.fields)
        self.offer = offer
        self.limits: Mapping[str, Limit | None] = {
            name: None if limit is None else known.setdefault(repr(limit), limit) for name, limit in limits
        }
        """By field that it takes; `None`: any value."""


def serve(request: Request, adjustments: Sequence[Adjustment]) -> Request:
    """The request as an offer will get it. What is transcoded is still the input that was given."""
    changed = [item for item in adjustments if item.kind != "transcoded"]
    if not changed:
        return request
    return request.with_(**{item.field: None if item.kind == "dropped" else item.sent for item in changed})


def fit(
    terms: Terms,
    request: Request,
    values: Mapping[str, Any],
    *,
    adjust: bool,
    seen: dict[tuple[str, int], bool] | None = None,
    made: dict[str, Request] | None = None,
) -> tuple[Request, tuple[Adjustment, ...]] | Refusal:
    """The request as this offer can serve it, with the changes that takes; or why it cannot.

    Args:
        seen: What was found of these very values already, by field and limit: offers share their limits.
        made: The requests that were made of this one already, by what was changed: offers share their changes.

    """
    adjustments = _changes(terms, request, values, {} if seen is None else seen, adjust=adjust)
    if isinstance(adjustments, Refusal):
        return adjustments
    if (refusal := _as_a_whole(terms.offer, values, adjustments, adjust=adjust)) is not None:
        return refusal
    left = values if not adjustments else _left(values, adjustments)
    for name in terms.offer.required:
        if name not in left:
            return Refusal("required", partial("it needs {}, which is not given".format, name))
    if not adjustments:
        return request, ()
    made = {} if made is None else made
    changed = repr([(item.field, item.sent) for item in adjustments])
    if changed not in made:
        made[changed] = serve(request, adjustments)
    return made[changed], tuple(adjustments)


def _changes(
    terms: Terms, request: Request, values: Mapping[str, Any], seen: dict[tuple[str, int], bool], *, adjust: bool
) -> list[Adjustment] | Refusal:
    """What has to change, field by field."""
    adjustments: list[Adjustment] = []
    for name, value in values.items():
        limit = terms.limits.get(name, _MISSING)
        if limit is None:
            continue
        if limit is not _MISSING:
            if (key := (name, id(limit))) not in seen:
                seen[key] = isinstance(value, Media) or fits(limit, value)
            if seen[key]:
                continue
        change = _changed(terms, request, name, value, limit, adjust=adjust)
        if isinstance(change, Refusal):
            return change
        adjustments.append(change)
    return adjustments


def _as_a_whole(
    offer: Offer, values: Mapping[str, Any], adjustments: list[Adjustment], *, adjust: bool
) -> Refusal | None:
    """Check what depends on several values at once, and add what has to change."""
    refusal = _under_rules(offer, values, adjustments, adjust=adjust) if offer.rules else None
    if refusal is not None or offer.frames is None:
        return refusal
    found = framed(offer, _left(values, adjustments), adjustments, adjust=adjust)
    if isinstance(found, str):
        return Refusal("value", partial(str, found))
    adjustments[:] = found
    return None


def _left(values: Mapping[str, Any], adjustments: Sequence[Adjustment]) -> dict[str, Any]:
    """The values with the changes made."""
    changed = {item.field: item for item in adjustments}
    kept = ((name, value) for name, value in values.items() if name not in changed or changed[name].kind != "dropped")
    return {name: changed[name].sent if name in changed else value for name, value in kept}


def _changed(
    terms: Terms, request: Request, name: str, value: Any, limit: Limit | None, *, adjust: bool
) -> Adjustment | Refusal:
    """What has to change about a value that the offer does not take as it is."""
    offer = terms.offer
    if limit is _MISSING or limit is None:
        if adjust and _may_drop(request, name, value):
            loss = _LOSSES.get(name)
            why = f"{offer.id} does not take {name}" + (f": {loss}" if loss else "")
            return Adjustment(name, "dropped", shown(value), None, why)
        supported = tuple(sorted(offer.mapping.fields))
        return Refusal("field", lambda: f"it does not take {name}; it takes {', '.join(supported)}", supported)
    counted = isinstance(value, tuple) and name != "size"  # which references to leave out is the caller's to say
    sent = None if counted else nearest_value(limit, value)
    if adjust and sent is not None:
        return Adjustment(name, "clamped", shown(value), sent, f"{offer.id} takes {describe(limit)}")
    if adjust and sent is None and _is_word(value) and _may_drop(request, name, value):
        why = f"{offer.id} takes {describe(limit)}; nothing of that is close to it, so its default applies"
        return Adjustment(name, "dropped", shown(value), None, why)
    return Refusal("value", lambda: _outside(name, value, limit, sent), tuple(str(item) for item in limit.values))


# --------------------------------------------------------------------------------- limits beside certain other values


def _under_rules(
    offer: Offer, values: Mapping[str, Any], adjustments: list[Adjustment], *, adjust: bool
) -> Refusal | None:
    """Check the values, as they will be sent, against the rules that they bring about; adds what has to change."""
    for rule in offer.rules:
        left = _left(values, adjustments)
        if not _brought_about(rule, offer, left):
            continue
        for name, limit in rule.limits.items():
            if name not in left or fits(limit, left[name]):
                continue
            others = {field: left.get(field, offer.defaults.get(field)) for field in rule.when}
            beside = " with " + ", ".join(f"{field}={shown(other)}" for field, other in others.items())
            sent = _nearest_of_both(limit, limit_of(offer, name), left[name])
            if not adjust or sent is None:
                return Refusal("value", partial(_outside, name, left[name], limit, sent, beside))
            adjustments[:] = [item for item in adjustments if item.field != name]
            why = f"{offer.id} takes {describe(limit)}{beside}"
            adjustments.append(Adjustment(name, "clamped", shown(values[name]), sent, why))
    left = _left(values, adjustments)
    for rule in offer.rules:  # what one rule changed may have brought about another
        broken = _brought_about(rule, offer, left) and next(
            (name for name, limit in rule.limits.items() if name in left and not fits(limit, left[name])), None
        )
        if broken:
            return Refusal("value", partial(_outside, broken, values[broken], rule.limits[broken], None))
    return None


def _brought_about(rule: Rule, offer: Offer, values: Mapping[str, Any]) -> bool:
    """Whether a rule's conditions are met: by what is given, or by the documented default of what is not."""
    return all(
        fits(Limit(values=wanted), values.get(name, offer.defaults.get(name))) for name, wanted in rule.when.items()
    )


def _nearest_of_both(limit: Limit, own: Limit | None, value: Any) -> JsonValue:
    """The nearest value within a rule's limit that the offer takes at all."""
    if limit.values and own is not None:
        limit = Limit(values=tuple(item for item in limit.values if fits(own, item)))
        if not limit.values:
            return None
    sent = nearest_value(limit, value)
    return sent if sent is None or own is None or fits(own, sent) else None


def _may_drop(request: Request, name: str, value: Any) -> bool:
    """Inputs, words and what a request cannot be without stay; the rest may go."""
    field = type(request).model_fields[name]
    if name in _LOSSES:
        return True
    return name not in _NEVER_DROPPED and not isinstance(value, Media) and not field.is_required()


def _is_word(value: Any) -> bool:
    """One of a closed list (a voice, a format, a switch), which has no nearest one."""
    return isinstance(value, str | bool)


def _outside(name: str, value: Any, limit: Limit, sent: JsonValue, beside: str = "") -> str:
    if limit.max_characters is not None and isinstance(value, str):
        return f"{name} has {len(value)} characters; it takes {describe(limit)}"
    close = "" if sent is None else f"; nearest is {'×'.join(map(str, sent)) if isinstance(sent, list) else sent}"
    return f"{name}={shown(value)} is outside what it takes{beside}: {describe(limit)}{close}"


def shown(value: Any) -> JsonValue:
    """A value for a person and for JSON; inputs are only named."""
    if isinstance(value, Media):
        return "an input"
    if isinstance(value, tuple):
        return f"{len(value)} given" if any(isinstance(part, BaseModel) for part in value) else list(value)
    return value if isinstance(value, str | int | float | bool) else str(value)
