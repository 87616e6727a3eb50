"""What to say when nothing can serve a request: whom to configure, which field is in the way, who came closest."""

from collections.abc import Iterator, Mapping, Sequence

from aggregator.config import NoKey
from aggregator.errors import (
    ConfigurationError,
    MissingCredentialError,
    NoRouteError,
    PriceUnknownError,
    UnsupportedFieldError,
)
from aggregator.routing.candidates import Excluded
from aggregator.routing.target import Target
from aggregator.tasks import Request

__all__ = ["nothing"]

_SHOWN = 6
_ASIDE = frozenset({"model", "tried", "policy", "lifecycle", "provider", "unmapped"})
"""Reasons that have nothing to do with what the request says."""


def nothing(target: Target, out: Sequence[Excluded], usable: Mapping[str, str | None], request: Request) -> Exception:
    """The error for a request that every offer of its task is out for."""
    if all(reason is not None for reason in usable.values()):
        said = "; ".join(f"{name}: {reason}" for name, reason in sorted(usable.items()))
        return ConfigurationError(
            f"no provider is configured ({said or 'none is known'}): set a key, add a [providers.<name>] table, "
            "or use Aggregator.local() for stand-ins that need no key"
        )
    asked = [item.offer for item in out if item.refusal.kind != "model"]
    keyless = {offer.provider: usable.get(offer.provider) for offer in asked}
    if keyless and all(isinstance(reason, NoKey) for reason in keyless.values()):
        said = "; ".join(f"{name}: {reason}" for name, reason in sorted(keyless.items()))
        return MissingCredentialError(f"{request.task} ({target}): {said}")
    reasons = {item.offer.id: item.refusal.why() for item in out}
    relevant = [item for item in out if item.refusal.kind not in _ASIDE]
    inputs = [item for item in relevant if item.refusal.kind == "input"]
    if inputs:  # how the input is given is asked last but for the price: everything else about these fits
        pin, refusal = inputs[0].offer.id, inputs[0].refusal
        return NoRouteError(f"{pin}: {refusal.why()}: {refusal.advice}", reasons=reasons)
    unpriced = [item for item in relevant if item.refusal.kind == "price"]
    if unpriced:  # the price is asked last
        return PriceUnknownError(
            f"{request.task}: the price is unknown for {', '.join(item.offer.id for item in unpriced[:_SHOWN])} "
            f"({unpriced[0].refusal.why()}); give max_usd to bound what may be spent"
        )
    only = relevant[0] if len(relevant) == 1 else None
    if only is not None and only.refusal.kind in ("field", "value", "required"):
        return UnsupportedFieldError(f"{only.offer.id}: {only.refusal.why()}", supported=only.refusal.supported)
    return NoRouteError(_no_route(target, out, request, reasons), reasons=reasons)


def _no_route(target: Target, out: Sequence[Excluded], request: Request, reasons: Mapping[str, str]) -> str:
    """The message: who came closest first, and not more than fits on a screen."""
    if not reasons:
        return f"nobody offers {request.task}: the registry has no row for it"
    asked = [item for item in out if item.refusal.kind != "model"]
    if not asked:
        return f"nobody offers {request.task} with {target}"
    closed = [item for item in asked if item.refusal.kind == "provider"]
    shown = [
        item.offer.id for item in sorted(asked, key=lambda item: item.refusal.kind in _ASIDE) if item not in closed
    ]
    lines = [f"nothing serves this {request.task} ({target}):"]
    lines += [f"  {pin}: {reasons[pin]}" for pin in shown[:_SHOWN]]
    if len(shown) > _SHOWN:
        lines.append(f"  and {len(shown) - _SHOWN} more: `reasons` has all of them")
    return "\n".join([*lines, *_closed(closed, few=not shown)])


def _closed(items: Sequence[Excluded], *, few: bool) -> Iterator[str]:
    """Offers of providers that cannot be used here: a line each where there is nothing else to say, else one line."""
    by_provider = {item.offer.provider: item.refusal.why() for item in items}
    if few or len(by_provider) == 1:
        yield from (f"  {name}: {why}" for name, why in sorted(by_provider.items())[:_SHOWN])
        by_provider = dict(sorted(by_provider.items())[_SHOWN:])
    if by_provider:
        many = f"{len(by_provider)} more providers" if few else f"{len(by_provider)} providers"
        yield f"  and the offers of {many} that cannot be used here: `aggregator doctor` says why"
