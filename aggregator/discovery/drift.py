"""Whether what an endpoint publishes today is still what its offer was written from. Pure."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from aggregator.contract import BUILD, To
from aggregator.discovery.slots import Slot
from aggregator.registry.cards import Offer

__all__ = ["breaks", "narrower"]


def breaks(offer: Offer, inputs: Mapping[str, Slot]) -> Iterator[str]:
    """What makes an order fail: a place we write to is gone, or one that must be filled is new."""
    written = set(_places(offer))
    for path in sorted(written):
        name, _, inner = path.partition(".")
        slot = inputs.get(name)
        if slot is None or (inner and slot.parts and inner.partition(".")[0] not in slot.parts):
            yield f"{path} is not taken any more"
    tops = {path.partition(".")[0] for path in written}
    for name, slot in inputs.items():
        if slot.required and slot.default is None and name not in tops and not name.startswith("@"):
            yield f"{name} must be given now"


def narrower(offer: Offer, inputs: Mapping[str, Slot]) -> Iterator[str]:
    """Values that we offer and the endpoint does not list any more: those orders alone would fail."""
    for name, target in offer.mapping.fields.items():
        to = target if isinstance(target, To) else To(target)
        slot = inputs.get(to.path)
        limit = offer.limits.get(name)
        if slot is None or slot.is_open or not slot.enum:
            continue
        ours = list(to.values.values()) if to.values is not None else list(limit.values) if limit is not None else []
        sent = (_sent(to, value) for value in ours)  # an object is measured by its parts, not by a list
        gone = [value for value in sent if value not in slot.enum and not isinstance(value, dict | list)]
        if gone:
            yield f"{name}: {', '.join(map(str, gone))} not listed any more"


def _places(offer: Offer) -> Iterator[str]:
    for target in offer.mapping.fields.values():
        path = target.path if isinstance(target, To) else target
        if path != BUILD:
            yield from (place for place in path.split() if not place.startswith("@"))
    yield from (path for path in offer.mapping.fixed if not path.startswith("@"))


def _sent(to: To, value: JsonValue) -> JsonValue:
    if to.values is not None or not to.form:
        return value
    return to.form.format(*value) if isinstance(value, list) else to.form.format(value)
