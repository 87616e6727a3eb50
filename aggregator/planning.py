"""From a request to a plan with its exact wire body, and from a plan to what is journalled. Nothing is sent or spent.

Local inputs stand in the body as `<sha256:… image/png 12 kB>` until they are handed over; then that text is exchanged
for what the provider gave for it, or for the file itself in base64, and nothing else in the body changes. So the plan
shows what will be sent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import JsonValue

from aggregator import _build, _observe
from aggregator.backend import Backend
from aggregator.clock import Clock
from aggregator.config import Config
from aggregator.contract import Blocked, Call, Endpoint, Files, Json, Meter
from aggregator.errors import AggregatorError, PriceUnknownError
from aggregator.handing import CannotHandOver, way
from aggregator.identity import reuse_address
from aggregator.inputs import Media
from aggregator.pricing.drift import Pause, rates_of
from aggregator.pricing.money import micro_usd
from aggregator.pricing.quote import Quote
from aggregator.pricing.ratio import Ratio
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.replicas import replicas
from aggregator.routing.fitting import Refusal
from aggregator.routing.health import Health, Where
from aggregator.routing.outcomes import Outcomes
from aggregator.routing.plan import Adjustment, Ask, Plan
from aggregator.routing.router import Router
from aggregator.routing.walk import Moment
from aggregator.store.journal import NewAttempt
from aggregator.tasks import Request, request_from_json
from aggregator.transcoding import target_of
from aggregator.view import View

if TYPE_CHECKING:
    from aggregator.locking import Frozen

__all__ = ["Planner", "label", "reader", "reserved_usd", "write_inputs"]

HOUR_S = 3_600.0
"""How often the records of offers are looked at afresh where nothing was told: they fade."""


class Planner:
    """What the client knows (`view`), all of it read only; and what this process knows of how well offers do."""

    def __init__(self, view: View, clock: Clock) -> None:
        self._router = Router(view)
        self._settled: Router | None = None
        self._clock = clock
        self._former: dict[tuple[str, str], Backend] = {}
        self.health = Health()
        self.outcomes = Outcomes(clock)
        self.paused: Mapping[tuple[str, str], Pause] = {}
        """Offers and rates that are paused, as the store said at the last purchase."""
        self.drifts: Mapping[str, Ratio] = {}
        """Offers whose bills are not as quoted, as the store said at opening and the runner since."""
        self.quarantined: Mapping[str, str] = {}
        """Offers that a probe found broken, each with what it found."""
        self.frozen: Frozen | None = None
        """What the lock holds plans to."""

    def swap(self, view: View) -> None:
        """Plan with another view from now on. Jobs on their way keep what they were ordered with."""
        every = ((name, one) for name, backend in self.backends.items() for one in replicas(backend))
        self._former |= {(name, one.account): one for name, one in every}
        if (measured := self.view.prices.measured) and not view.prices.measured:
            view = replace(view, prices=view.prices.with_measured(measured))
        self._router, self._settled = Router(view), None

    @property
    def view(self) -> View:
        return self._router.view

    def backend(self, provider: str, account: str) -> Backend | None:
        """The provider with the account that something was ordered from, whatever the configuration says by now."""
        now = self.backends.get(provider)
        several = () if now is None else replicas(now)
        found = next((one for one in several if one.account == account), None)
        return found or self._former.get((provider, account), now)

    @property
    def config(self) -> Config:
        return self.view.config

    @property
    def registry(self) -> Registry:
        return self.view.registry

    @property
    def backends(self) -> Mapping[str, Backend]:
        return self.view.backends

    def where(self, provider: str, endpoint: str, model: str, account: str | None = None) -> Where:
        """What the health of an offer is kept under: of the first of its servers, unless an account is named."""
        backend = self.backends.get(provider)
        known = backend.account if backend else ""
        return Where(provider, known if account is None else account, model, endpoint)

    def resting(self, provider: str, endpoint: str, model: str) -> str | None:
        """Why all servers of an offer rest; `None`: at least one does not."""
        backend = self.backends.get(provider)
        accounts = [one.account for one in replicas(backend)] if backend else [""]
        now_s = self._clock.monotonic()
        why = [self.health.why_resting(self.where(provider, endpoint, model, one), now_s) for one in accounts]
        if None in why:
            return None
        return why[0] if len(why) == 1 else f"rests at all of its {len(why)} addresses; the first {why[0]}"

    def pass_over(self, offer: Offer, price: Quote) -> str | None:
        """Why an offer is not to be used now while there are others, in words that follow its name."""
        return self._passed_over(offer.id, offer.model, price.as_json)

    def _passed_over(self, pin: str, model: str, quote: Callable[[], Mapping[str, Any]]) -> str | None:
        pause = self.paused.get((pin, rates_of(quote()))) if self.paused else None
        if pause is not None:
            return pause.said
        if pin in self.quarantined:
            return f"is in quarantine: {self.quarantined[pin]}"
        provider, _, endpoint = pin.partition(":")
        return self.resting(provider, endpoint, model)

    def plan(self, request: Request, ask: Ask, *, explain: bool = False) -> Plan:
        """Choose an offer and write the body that would be sent.

        Raises:
            RoutingError, RequestError, PricingError, ConfigurationError: Before any byte is sent; each says what to do.

        """
        if self.frozen is not None:
            ask = self.frozen.hold(self.view, request.task, ask, self._today())
        return self._noted(self._written(self._router.route(request, ask, self.moment(request, ask), explain=explain)))

    def settled(self, request: Request, ask: Ask) -> Plan:
        """Who makes it by configuration and data alone, whatever happened lately: the same answer as long as these
        stay. Its body is not written.

        Raises:
            RoutingError, RequestError, PricingError, ConfigurationError: As of `plan`.

        """
        if self.frozen is not None:
            ask = self.frozen.hold(self.view, request.task, ask, self._today())
        if self._settled is None:
            self._settled = Router(self.view)  # rankings of its own: records of offers are left out of them
        lately = self.moment(request, ask)
        return self._settled.route(request, ask, Moment(lately.day, hand_over=lately.hand_over))

    def moment(self, request: Request, ask: Ask) -> Moment:
        """What is the case now, and may be otherwise at the next plan."""
        outcomes, hour = self.outcomes, int(self._clock.time() // HOUR_S)
        given = tuple(request.media())
        return Moment(
            self._today(),
            self.pass_over if self.paused or self.quarantined or self.health.anyone_rests else _use_all,
            partial(self._handed_over, given, set(), adjust=ask.on_unsupported == "adjust") if given else _give_all,
            partial(outcomes.track, at_s=hour * HOUR_S),
            (outcomes.told, hour),
            outcomes.told_since,
        )

    def _handed_over(
        self, given: Sequence[tuple[str, Media]], fine: set[tuple[str, str]], offer: Offer, *, adjust: bool
    ) -> Refusal | tuple[Adjustment, ...]:
        """What has to change about the inputs for this offer to take them as they are given, or why it cannot.

        Args:
            fine: Providers and dialects that take them as they are, wherever an endpoint says nothing of its own.

        """
        place = offer.provider, offer.mapping.dialect
        backend = self.backends.get(offer.provider)
        if backend is None or (place in fine and not offer.mapping.inputs):
            return ()
        changes: dict[Adjustment, None] = {}
        for name, media in given:
            try:
                self._way(backend, offer.mapping, name, media)
            except CannotHandOver as reason:
                to = target_of(media.mime_type, reason.types) if adjust else None
                if to is None:
                    return Refusal("input", partial(str, reason), advice=reason.advice)
                why = f"{offer.id} takes {', '.join(reason.types)}"
                changes[Adjustment(name, "transcoded", media.mime_type, to, why)] = None
        if not changes and not offer.mapping.inputs:
            fine.add(place)
        return tuple(changes)

    def _way(self, backend: Backend, endpoint: Endpoint, name: str, media: Media) -> str:
        provider = backend.provider.spoken(endpoint.dialect)
        return way(provider, endpoint, name, media, account=backend.account, now_s=self._clock.time())

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
            "names": {**call_names(plan), **self._on(offer.provider)},
            "inputs": {text: dict(item) for text, item in inputs.items()},
            "read": reader(plan),
        }
        if rest is not None:
            written["alternatives"] = list(rest)
        self._warn(plan)
        if len(replicas(backend)) == 1:  # else it is not known yet which of them is asked
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

    def _on(self, provider: str) -> dict[str, str]:
        """The card it runs on, where the configuration names one: what it takes is learned for that."""
        gpu = self.view.prices.gpu(provider)
        return {} if gpu is None else {"gpu": gpu}

    def _warn(self, plan: Plan) -> None:
        """Tell whoever watches that what is bought will end."""
        chosen = plan.chosen
        if chosen.ending is not None:
            successor = plan.offer.successor
            _observe.emit("offer_deprecated", offer=plan.offer.id, days_left=chosen.days_left, successor=successor)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.time(), UTC).date()

    def handed(self, plan: Plan) -> dict[str, Json]:
        """The local inputs of a plan with the way each is handed over, by their text in its body."""
        written = json.dumps(plan.body, ensure_ascii=False)
        found: dict[str, Json] = {}
        for name, media in plan.request.media():
            sent = _as_sent(plan, name, media)
            for form in ("upload", "data", "part"):
                if (text := label(sent, form)) in written:
                    other = {} if sent is media else {"as": sent.mime_type}
                    found[text] = {"media": media.as_json(), "form": form, **other}
        return found

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

    def _noted(self, plan: Plan) -> Plan:
        drift = self.drifts.get(plan.offer.id)
        if drift is None:
            return plan
        return replace(plan, chosen=replace(plan.chosen, notes=(*plan.chosen.notes, f"its {drift.said}")))

    def _written(self, plan: Plan) -> Plan:
        offer = plan.offer
        backend = self.backends[offer.provider]
        provider = backend.provider.spoken(offer.mapping.dialect)
        names = call_names(plan)

        def stands_for(name: str, media: Media) -> JsonValue:
            sent = _as_sent(plan, name, media)
            return placeholder(sent, self._way(backend, offer.mapping, name, sent))

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
        return replace(
            plan,
            body=body,
            url=_build.call_request(provider, call, {"attempt": "{attempt}", **names}, body).url,
            method=call.method,
        )


def _as_sent(plan: Plan, name: str, media: Media) -> Media:
    """An input in the format that it is handed over in."""
    asked = (name, media.mime_type)
    changes = (item for item in plan.chosen.adjustments if item.kind == "transcoded")
    to = next((str(item.sent) for item in changes if (item.field, item.asked) == asked), None)
    return media if to is None else replace(media, mime_type=to)


def _use_all(_offer: Offer, _price: Quote) -> None:
    """Nobody rests, and no price is paused."""


def _give_all(_offer: Offer) -> tuple[Adjustment, ...]:
    """There are no inputs."""
    return ()


def ask_as_json(ask: Ask) -> Json:
    """The options that routing reads, as they are journalled."""
    return {
        "stage": ask.stage,
        "role": ask.role,
        "model": ask.model,
        "max_usd": None if ask.max_usd is None else str(ask.max_usd),
        "on_unsupported": ask.on_unsupported,
        "provider_options": {name: dict(options) for name, options in ask.provider_options.items()},
        "keep": ask.keep,
        "lot": ask.lot,
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
