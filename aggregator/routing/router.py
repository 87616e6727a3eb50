"""From a request to a plan: the first of the candidates, why it is the first, and what to say when there is none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from pydantic import JsonValue

from aggregator.config import Config, NoKey
from aggregator.contract import Endpoint, To
from aggregator.errors import (
    ConfigurationError,
    MissingCredentialError,
    NoRouteError,
    PriceUnknownError,
    RequestError,
    UnsupportedFieldError,
)
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.routing.candidates import Candidates, Excluded, PassOver, candidates
from aggregator.routing.fitting import serve
from aggregator.routing.plan import Ask, Candidate, Plan
from aggregator.tasks import Request

__all__ = ["route"]

_SHOWN = 6
_ASIDE = frozenset({"model", "tried", "policy", "lifecycle", "provider"})
"""Reasons that have nothing to do with what the request says."""


def route(
    registry: Registry,
    prices: PriceTable,
    config: Config,
    usable: Mapping[str, str | None],
    request: Request,
    ask: Ask,
    day: date,
    *,
    explain: bool = False,
    pass_over: PassOver = lambda _offer, _price: None,
) -> Plan:
    """Choose who serves a request; `body` and `url` of the plan are still empty.

    Args:
        usable: Provider name to `None`, or to the reason it cannot be used ("no key: set FAL_KEY").
        explain: Also list the offers that are out, each with the reason.
        pass_over: Which offers come after all others of their tier, and why.

    Raises:
        ConfigurationError: No provider is configured at all.
        MissingCredentialError: What was asked for is served only by providers whose key is not set.
        RequestError: The stage, the model or an option is wrong, the model is retired, or the one offer that was
            asked for cannot carry a field.
        PriceUnknownError: Only offers without a known price are left, and no `max_usd` bounds the call.
        NoRouteError: Nothing fits; the reasons are in the message and in `reasons`.
    """
    _check_option_names(ask, usable)
    found = candidates(registry, prices, config, usable, request, ask, day, pass_over)
    if not found.ranked:
        raise _nothing(found, usable, request)
    chosen = found.ranked[0]
    if (touched := _touched(chosen, ask)) is not None:
        raise RequestError(
            f"provider_options[{chosen.offer.provider!r}] may not set {touched!r} on {chosen.offer.id}: "
            "a canonical parameter, a fixed value or the price decides it"
        )
    others = [(item, _barred(registry, chosen, item, ask)) for item in found.ranked[1:]]
    barred = (replace(item, excluded=reason) for item, reason in others if reason is not None)
    return Plan(
        request=serve(request, chosen.adjustments),
        ask=ask,
        chosen=chosen,
        alternatives=tuple(item for item, reason in others if reason is None),
        why=_why(found, chosen, ask),
        excluded=(*found.excluded(), *barred) if explain else (),
    )


def _barred(registry: Registry, chosen: Candidate, item: Candidate, ask: Ask) -> str | None:
    """Why an offer that fits may still not stand in for the chosen one."""
    if (touched := _touched(item, ask)) is not None:
        return f"provider_options may not set {touched!r} there"
    fake, instead = (registry.card(one.offer.model).is_stand_in for one in (item, chosen))
    return "a stand-in never takes over from a real model" if fake and not instead else None


def _why(found: Candidates, chosen: Candidate, ask: Ask) -> str:
    """One line: what was asked, what decided."""
    words = list(found.target.notes)
    if found.target.pin is not None:
        words.append(f"{found.target.pin} is pinned")
    elif found.target.model is not None:
        words.append(f"{found.target.model} is asked for")
    else:
        words.append(f"stage {ask.stage!r} wants a {found.wanted}")
        if chosen.tier != found.wanted:
            words.append(f"no {found.wanted} fits, so a {chosen.tier} serves")
    rivals = sum(
        item.tier == chosen.tier and (item.passed_over is None) == (chosen.passed_over is None) for item in found.ranked
    )
    if rivals > 1:
        by = {"price": "the cheapest", "release date": "the newest"}.get(found.order, f"the best on {found.order}")
        words.append(f"{by} of {rivals} that fit")
    elif found.target.pin is None:
        words.append(f"the only {chosen.tier} that fits" if found.target.is_open else "the only one that fits")
    words += _passed_over(found, chosen)
    return "; ".join(words)


def _passed_over(found: Candidates, chosen: Candidate) -> Iterator[str]:
    """Who would have been chosen, and is passed over for now; or that nobody else is left."""
    if chosen.passed_over is not None:
        yield f"it {chosen.passed_over}, and is asked all the same: no other {chosen.tier} is left"
        return
    aside = [item for item in found.ranked if item.passed_over is not None and item.tier == chosen.tier]
    yield from (f"{item.offer.id} {item.passed_over}" for item in aside[:_SHOWN])
    if len(aside) > _SHOWN:
        yield f"{len(aside) - _SHOWN} more are passed over"


# ---------------------------------------------------------------------------------------------- when none is left


def _nothing(found: Candidates, usable: Mapping[str, str | None], request: Request) -> Exception:
    if all(reason is not None for reason in usable.values()):
        said = "; ".join(f"{name}: {reason}" for name, reason in sorted(usable.items()))
        return ConfigurationError(
            f"no provider is configured ({said or 'none is known'}): set a key, add a [providers.<name>] table, "
            "or use Aggregator.local() for stand-ins that need no key"
        )
    asked = [item.offer for item in found.out if item.refusal.kind != "model"]
    keyless = {offer.provider: usable.get(offer.provider) for offer in asked}
    if keyless and all(isinstance(reason, NoKey) for reason in keyless.values()):
        said = "; ".join(f"{name}: {reason}" for name, reason in sorted(keyless.items()))
        return MissingCredentialError(f"{request.task} ({found.target}): {said}")
    reasons = {item.offer.id: item.refusal.why() for item in found.out}
    relevant = [item for item in found.out if item.refusal.kind not in _ASIDE]
    unpriced = [item for item in relevant if item.refusal.kind == "price"]
    if unpriced:  # the price is asked last: everything else about these fits
        return PriceUnknownError(
            f"{request.task}: the price is unknown for {', '.join(item.offer.id for item in unpriced[:_SHOWN])} "
            f"({unpriced[0].refusal.why()}); give max_usd to bound what may be spent"
        )
    only = relevant[0] if len(relevant) == 1 else None
    if only is not None and only.refusal.kind in ("field", "value", "required"):
        return UnsupportedFieldError(f"{only.offer.id}: {only.refusal.why()}", supported=only.refusal.supported)
    return NoRouteError(_no_route(found, request, reasons), reasons=reasons)


def _no_route(found: Candidates, request: Request, reasons: Mapping[str, str]) -> str:
    """The message: who came closest first, and not more than fits on a screen."""
    if not reasons:
        return f"nobody offers {request.task}: the registry has no row for it"
    asked = [item for item in found.out if item.refusal.kind != "model"]
    if not asked:
        return f"nobody offers {request.task} with {found.target}"
    closed = [item for item in asked if item.refusal.kind == "provider"]
    shown = [
        item.offer.id for item in sorted(asked, key=lambda item: item.refusal.kind in _ASIDE) if item not in closed
    ]
    lines = [f"nothing serves this {request.task} ({found.target}):"]
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


# ----------------------------------------------------------------------------------------------- provider_options


def _check_option_names(ask: Ask, usable: Mapping[str, str | None]) -> None:
    for name in ask.provider_options:
        if name not in usable:
            raise RequestError(f"provider_options: no provider is named {name!r}; known: {', '.join(sorted(usable))}")


def _touched(item: Candidate, ask: Ask) -> str | None:
    """The first path of the caller's options that this offer's mapping decides itself."""
    options = ask.provider_options.get(item.offer.provider)
    if not options:
        return None
    owned = _owned(item.offer.mapping)
    for path in _paths(options):
        if any(path == own or path.startswith(f"{own}.") or own.startswith(f"{path}.") for own in owned):
            return path
    return None


def _owned(mapping: Endpoint) -> set[str]:
    """Where fields and fixed values go. What a meter reads is a field, so that it is among them."""
    targets = (target.path if isinstance(target, To) else target for target in mapping.fields.values())
    return {path.replace("[]", "") for target in targets for path in target.split()} | set(mapping.fixed)


def _paths(options: Mapping[str, JsonValue], prefix: str = "") -> Iterator[str]:
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
