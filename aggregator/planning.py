"""From a request to a plan with its exact wire body, and from a plan to what is journalled. Nothing is sent or spent.

Local inputs stand in the body as `<sha256:… image/png 12 kB>` until they are handed over; then that text is exchanged
for what the provider gave for it, or for the file itself in base64, and nothing else in the body changes. So the plan
shows what will be sent.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, cast

from pydantic import JsonValue

from aggregator import _build
from aggregator.clock import Clock
from aggregator.config import Config
from aggregator.contract import Blocked, Call, Endpoint, Files, Json, Meter
from aggregator.engine import Backend
from aggregator.errors import AggregatorError, NoRouteError, PriceUnknownError
from aggregator.handing import CannotHandOver, way
from aggregator.inputs import Media
from aggregator.pricing.drift import Pause, rates_of
from aggregator.pricing.money import micro_usd
from aggregator.pricing.quote import Quote
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.routing.health import Health, Where
from aggregator.routing.plan import Ask, Plan
from aggregator.routing.router import route
from aggregator.store.journal import NewAttempt
from aggregator.tasks import Request, request_from_json
from aggregator.view import View

__all__ = ["Planner", "fingerprint", "label", "reader", "reserved_usd", "reuse_address", "write_inputs"]

FINGERPRINT_VERSION = "f1"
REUSE_VERSION = "r1"


class Planner:
    """What the client knows (`view`), all of it read only; and what this process knows of how well offers do."""

    def __init__(self, view: View, clock: Clock) -> None:
        self.view = view
        self._clock = clock
        self.health = Health()
        self.paused: Mapping[tuple[str, str], Pause] = {}
        """Offers and rates that are paused, as the store said at the last purchase."""

    def swap(self, view: View) -> None:
        """Plan with another view from now on. Jobs on their way keep what they were ordered with."""
        self.view = view

    @property
    def config(self) -> Config:
        return self.view.config

    @property
    def registry(self) -> Registry:
        return self.view.registry

    @property
    def backends(self) -> Mapping[str, Backend]:
        return self.view.backends

    def where(self, provider: str, endpoint: str, model: str) -> Where:
        """What the health of an offer is kept under."""
        backend = self.backends.get(provider)
        return Where(provider, backend.account if backend else "", model, endpoint)

    def pass_over(self, offer: Offer, price: Quote) -> str | None:
        """Why an offer is not to be used now while there are others, in words that follow its name."""
        return self._passed_over(offer.id, offer.model, price.as_json)

    def _passed_over(self, pin: str, model: str, quote: Callable[[], Mapping[str, Any]]) -> str | None:
        pause = self.paused.get((pin, rates_of(quote()))) if self.paused else None
        if pause is not None:
            return pause.said
        provider, _, endpoint = pin.partition(":")
        return self.health.why_resting(self.where(provider, endpoint, model), self._clock.monotonic())

    def plan(self, request: Request, ask: Ask, *, explain: bool = False) -> Plan:
        """Choose an offer and write the body that would be sent.

        Raises:
            RoutingError, RequestError, PricingError, ConfigurationError: Before any byte is sent; each says what to do.

        """
        day = datetime.fromtimestamp(self._clock.time(), UTC).date()
        view = self.view
        closed = self._closed_to(request)

        def routed(asked: Ask) -> Plan:
            return route(
                view.registry,
                view.prices,
                view.config,
                view.usable,
                request,
                asked,
                day,
                explain=explain,
                pass_over=self.pass_over,
            )

        try:
            plan = routed(replace(ask, exclude=ask.exclude | closed.keys()) if closed else ask)
        except AggregatorError:
            if closed:
                self._advise(routed, ask, closed)
            raise
        excluded = (
            replace(item, excluded=str(closed.get(item.offer.id, item.excluded))) if item.offer.id in closed else item
            for item in plan.excluded
        )
        return self._written(replace(plan, ask=ask, excluded=tuple(excluded)))

    def _closed_to(self, request: Request) -> dict[str, CannotHandOver]:
        """The offers that an input cannot be handed over to, each with the reason."""
        given = tuple(request.media())
        closed: dict[str, CannotHandOver] = {}
        for offer in self.registry.offers(request.task) if given else ():
            backend = self.backends.get(offer.provider)
            if backend is None:
                continue
            try:
                for name, media in given:
                    self._way(backend, offer.mapping, name, media)
            except CannotHandOver as reason:
                closed[offer.id] = reason
        return closed

    def _way(self, backend: Backend, endpoint: Endpoint, name: str, media: Media) -> str:
        provider = backend.provider.spoken(endpoint.dialect)
        return way(provider, endpoint, name, media, account=backend.account, now_s=self._clock.time())

    @staticmethod
    def _advise(routed: Callable[[Ask], Plan], ask: Ask, closed: Mapping[str, CannotHandOver]) -> None:
        """Say so if how an input is given is all that stands in the way; its price may be unknown for the same
        reason.
        """
        try:
            named = routed(ask).offer.id
        except PriceUnknownError:
            named = next(iter(sorted(closed)))
        except AggregatorError:
            return
        if named in closed:
            raise NoRouteError(
                f"{named}: {closed[named]}: {closed[named].advice}",
                reasons={offer: str(reason) for offer, reason in closed.items()},
            ) from None

    def purchase(self, plan: Plan, *, rest: Sequence[JsonValue] | None = None) -> NewAttempt:
        """What is journalled of a plan before anything is paid.

        Args:
            rest: The alternatives that are left, where they are not the plan's own.

        """
        offer = plan.offer
        backend = self.backends[offer.provider]
        inputs = self.handed(plan)
        written: Json = {
            **plan.as_json(),
            "names": dict(call_names(plan)),
            "inputs": {text: dict(item) for text, item in inputs.items()},
            "read": reader(plan),
        }
        if rest is not None:
            written["alternatives"] = list(rest)
        self.health.asked(self.where(offer.provider, offer.endpoint, offer.model), self._clock.monotonic())
        return NewAttempt(
            provider=offer.provider,
            endpoint=offer.endpoint,
            model=offer.model,
            account_ref=backend.account,
            table_checked=backend.provider.checked,
            plan=written,
            reuse_address=reuse_address(plan),
            reserved=micro_usd(reserved_usd(plan), "reserve"),
            body=None if inputs else dict(plan.body),
        )

    def handed(self, plan: Plan) -> dict[str, Json]:
        """The local inputs of a plan with the way each is handed over, by their text in its body."""
        written = json.dumps(plan.body, ensure_ascii=False)
        return {
            text: {"media": media.as_json(), "form": form}
            for _, media in plan.request.media()
            for form in ("upload", "data", "part")
            if (text := label(media, form)) in written
        }

    def next_purchase(self, written: Mapping[str, Any], ask: Mapping[str, Any]) -> NewAttempt | None:
        """The purchase at the next offer of a journalled plan that is of the same tier, can still serve it and is not
        passed over.
        """
        rest = list(written["alternatives"])
        while rest:
            other = rest.pop(0)
            if other["tier"] != written["chosen"]["tier"]:
                continue
            try:
                plan = self.plan(
                    request_from_json(written["request"]), replace(ask_from_json(ask), model=other["offer"])
                )
            except AggregatorError:
                continue  # it could serve when the plan was made, and cannot now
            if plan.chosen.passed_over is None:
                return self.purchase(plan, rest=rest)
        return None

    def aside(self, written: Mapping[str, Any]) -> list[str]:
        """The alternatives of a journalled plan that are passed over now, each with the reason."""
        looked = {
            other["offer"]: self._passed_over(other["offer"], other["model"], partial(dict, other["quote"]))
            for other in written["alternatives"]
            if other["tier"] == written["chosen"]["tier"]
        }
        return [f"{pin} {why}" for pin, why in looked.items() if why is not None]

    def _written(self, plan: Plan) -> Plan:
        offer = plan.offer
        backend = self.backends[offer.provider]
        provider = backend.provider.spoken(offer.mapping.dialect)
        names = call_names(plan)

        def stands_for(name: str, media: Media) -> JsonValue:
            return placeholder(media, self._way(backend, offer.mapping, name, media))

        body = _build.build_body(
            provider,
            offer.mapping,
            plan.request,
            names=names,
            media=stands_for,
            options=plan.ask.provider_options.get(offer.provider),
        )
        call = offer.mapping.submit or provider.submit
        if not isinstance(call, Call):
            return replace(plan, body=body, url=provider.base_url)
        return replace(plan, body=body, url=_build.call_request(provider, call, names, body).url, method=call.method)


def ask_as_json(ask: Ask) -> Json:
    """The options that routing reads, as they are journalled."""
    return {
        "stage": ask.stage,
        "role": ask.role,
        "model": ask.model,
        "max_usd": None if ask.max_usd is None else str(ask.max_usd),
        "on_unsupported": ask.on_unsupported,
        "provider_options": {name: dict(options) for name, options in ask.provider_options.items()},
    }


def ask_from_json(value: Mapping[str, Any]) -> Ask:
    """Read back what `ask_as_json` wrote."""
    return Ask(**{**value, "max_usd": None if value["max_usd"] is None else Decimal(value["max_usd"])})


def call_names(plan: Plan) -> dict[str, str]:
    """What templates may use before anything was captured."""
    offer = plan.offer
    return {
        "model": offer.model,
        "endpoint": offer.endpoint,
        "version": offer.version or "",
        "task": offer.task,
        "dialect": offer.mapping.dialect,
    }


def label(media: Media, form: str) -> str:
    """What stands for a local input until it is handed over: its hash, for a person with type and size. One file may
    be handed over in two ways.
    """
    inside = "" if form == "upload" else f" {form}"
    return f"<sha256:{media.sha256} {media.mime_type} {(media.size_bytes or 0) / 1000:.0f} kB{inside}>"


def placeholder(media: Media, form: str) -> JsonValue:
    """What stands for an input in a plan: its address, the provider's own name for it, or its hash."""
    if form == "url":
        return media.url
    if form.startswith("ref:"):
        return (media.refs or {})[form[4:]]
    return f"data:{media.mime_type};base64,{label(media, form)}" if form == "data" else label(media, form)


def write_inputs(body: JsonValue, given: Mapping[str, str]) -> JsonValue:
    """The body with every label exchanged for what stands for that input now."""
    if isinstance(body, str):
        head, mark, text = body.rpartition(";base64,")
        return head + mark + given.get(text, text)
    if isinstance(body, list):
        return [write_inputs(item, given) for item in body]
    if isinstance(body, dict):
        return {name: write_inputs(value, given) for name, value in body.items()}
    return body


def reserved_usd(plan: Plan) -> Decimal:
    """What is reserved: the quote's high end, or `max_usd` where no rate says what it costs."""
    high = plan.quote.high_usd
    if high is None:
        if plan.ask.max_usd is None:
            raise PriceUnknownError(f"the price of {plan.offer.id} is unknown: give max_usd to bound what it may cost")
        return plan.ask.max_usd
    return high


def reader(plan: Plan) -> dict[str, JsonValue]:
    """What is needed to read the answer, whatever the registry says by then."""
    mapping = plan.offer.mapping
    assert mapping.files is not None
    return {
        "files": cast("JsonValue", asdict(mapping.files)),
        "facts": dict(mapping.facts),
        "refs": dict(mapping.refs),
        "reported": {meter.unit: meter.reported for meter in mapping.meters if meter.reported},
    }


def read_by(written: Mapping[str, Any]) -> Endpoint:
    """The endpoint as far as reading needs it, from what `reader` wrote."""
    files = dict(written["files"])
    blocked = files.pop("blocked", None)
    return Endpoint(
        files=Files(**files, blocked=blocked and Blocked(blocked["path"], tuple(blocked["values"]))),
        facts=written["facts"],
        refs=written.get("refs", {}),
        meters=tuple(Meter(unit, "0", reported=path) for unit, path in written["reported"].items()),
    )


def fingerprint(request: Request, ask: Ask, *, take: int = 0) -> str:
    """What makes two calls the same call: the caller's own words, inputs by content, before any routing."""
    words = {
        "request": _identified(request),
        "stage": ask.stage,
        "role": ask.role,
        "model": ask.model,
        "provider_options": ask.provider_options,
        "take": take,
    }
    return f"{FINGERPRINT_VERSION}:{_digest(words)}"


def reuse_address(plan: Plan) -> str:
    """What makes two plans make the same thing: offer, model version and wire body, inputs by content."""
    return f"{REUSE_VERSION}:{_digest([plan.offer.id, plan.offer.version, plan.url, plan.body])}"


def _identified(request: Request) -> Json:
    """The request as JSON, with each input reduced to its identity."""

    def reduce(value: Any) -> JsonValue:
        if isinstance(value, dict):
            if "sha256" in value or "url" in value:
                return Media.from_json(value).identity
            return {name: reduce(item) for name, item in value.items()}
        if isinstance(value, list):
            return [reduce(item) for item in value]
        return cast("JsonValue", value)

    return cast("Json", reduce(request.as_json()))


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
