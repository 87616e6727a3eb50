"""Who can serve a request, by everything that does not change from one moment to the next: each offer of the task, with
its price and its place in the order, or the reason why it is out. What changes is asked after, in `walk`.

The cheap questions come first, the price last, and a reason's text is only written when somebody reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any

from aggregator.pricing.price import Spans, high_usd, quote_of, spans_of
from aggregator.pricing.quote import Quote
from aggregator.registry.cards import Card, Limit, Offer, Tier
from aggregator.registry.quality import Standing
from aggregator.routing.fitting import Refusal, Terms, fit
from aggregator.routing.outcomes import Track
from aggregator.routing.plan import Adjustment, Ask, Candidate
from aggregator.routing.policy import Key, Policy
from aggregator.routing.target import Target
from aggregator.tasks import Request
from aggregator.view import View

__all__ = ["Entry", "Excluded", "Row", "Scan", "rows_of"]

_OLD_PRICE = timedelta(days=180)
Tracks = Callable[[str], Track | None]


@dataclass(frozen=True, slots=True)
class Excluded:
    """An offer that is out, and why."""

    offer: Offer
    tier: Tier
    refusal: Refusal
    quote: Quote | None = None
    standing: Standing | None = None

    def candidate(self) -> Candidate:
        """The same as data, with the reason written out."""
        refusal = self.refusal
        return Candidate(
            self.offer, self.tier, self.quote, excluded=refusal.why(), kind=refusal.kind, standing=self.standing
        )


class Entry:
    """An offer that fits, in its place. What is shown of it is only put together when it is its turn."""

    __slots__ = ("_candidate", "_scan", "_spans", "adjustments", "high_usd", "key", "row", "standing", "track")

    key: Key

    def __init__(
        self, row: "Row", spans: Spans, adjustments: tuple[Adjustment, ...], scan: "Scan", track: Track | None
    ) -> None:
        self.row = row
        self.adjustments = adjustments
        self.high_usd = high_usd(spans)
        self.standing = scan.standings.get(row.answers)
        self.track = track
        self._spans = spans
        self._scan = scan
        self._candidate: Candidate | None = None

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def tier(self) -> Tier:
        return self.row.tier

    @property
    def deprecated(self) -> bool:
        return self.row.ending is not None

    @property
    def self_hosted(self) -> bool:
        backend = self._scan.view.backends.get(self.row.offer.provider)
        return backend is not None and backend.self_hosted

    @property
    def released(self) -> date | None:
        return self.row.offer.released or self.row.card.released

    @property
    def candidate(self) -> Candidate:
        """All that is known of it."""
        if self._candidate is None:
            row, price = self.row, quote_of(self._spans, self._scan.view.prices)
            self._candidate = Candidate(
                row.offer,
                row.tier,
                price,
                self.adjustments,
                notes=self._scan.notes(row, price),
                standing=self.standing,
                track=self.track,
                days_left=row.days_left,
                ending=row.ending,
            )
        return self._candidate

    def with_track(self, track: Track | None) -> "Entry":
        """The same with another record; its place is still to be found."""
        return Entry(self.row, self._spans, self.adjustments, self._scan, track)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of an offer on one day, whatever is asked."""

    offer: Offer
    id: str
    card: Card
    answers: str
    """The model that answers: its quality counts."""
    tier: Tier
    terms: Terms
    ending: str | None
    """That it is deprecated, in words."""
    days_left: int | None
    refusal: Refusal | None
    """Why it is out for everybody: its life is over or has not begun, its provider cannot be used, it is denied."""
    notes: tuple[str, ...] = ()


def rows_of(view: View, task: str, day: date, usable: Mapping[str, str | None]) -> tuple[Row, ...]:
    """Every offer of a task; `usable` says of a provider why it cannot be used, or `None`."""
    limits = dict[str, Limit]()
    return tuple(_row(view, offer, day, usable, limits) for offer in view.registry.offers(task))


def _row(view: View, offer: Offer, day: date, usable: Mapping[str, str | None], limits: dict[str, Limit]) -> Row:
    card = view.registry.card(offer.model)
    stage = offer.stage(day)
    left = None if offer.retires is None else (offer.retires - day).days
    notes = ["a stand-in for previews and tests, no trained model"] if card.is_stand_in else []
    if (answers := offer.answers(day)) != offer.model:
        notes.append(f"{answers} answers under this id")
    ending = _ending(offer, left) if stage == "deprecated" else None
    notes += [ending] if ending is not None else []
    return Row(
        offer,
        offer.id,
        card,
        answers,
        view.config.tiers.get(card.id, card.tier),
        Terms(offer, limits),
        ending,
        left,
        _closed_to_all(view, offer, stage, usable),
        tuple(notes),
    )


def _ending(offer: Offer, days_left: int | None) -> str:
    words = "no end is announced" if days_left is None else f"{days_left} days left"
    return f"deprecated: {words}" + (f"; successor {offer.successor}" if offer.successor else "")


def _closed_to_all(view: View, offer: Offer, stage: str, usable: Mapping[str, str | None]) -> Refusal | None:
    rules = view.config.routing
    if (denied := _denied(offer, "[routing]", rules.allow, rules.deny)) is not None:
        return denied
    if stage in ("retired", "announced"):
        return Refusal("lifecycle", lambda: _lifecycle(offer, stage))
    if offer.unmapped:
        return Refusal("unmapped", lambda: f"it cannot be ordered from here: {offer.unmapped}")
    reason = usable.get(offer.provider, f"no provider is named {offer.provider!r} here")
    return None if reason is None else Refusal("provider", lambda: reason)


def _denied(offer: Offer, where: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> Refusal | None:
    names = (offer.id, offer.model, offer.provider)
    if allow and not _any_match(names, allow):
        return Refusal("policy", lambda: f"{where} allow has no pattern for {offer.id}")
    if deny and _any_match(names, deny):
        return Refusal("policy", lambda: f"{where} deny has a pattern for {offer.id}")
    return None


def _any_match(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _lifecycle(offer: Offer, stage: str) -> str:
    if stage == "announced":
        return f"it is announced for {offer.released}" if offer.released else "it is announced, without a date"
    since = f" since {offer.retires}" if offer.retires else ""
    return f"it is retired{since}; " + (f"successor {offer.successor}" if offer.successor else "no successor is named")


@dataclass(frozen=True, slots=True)
class Scan:
    """One request, or all that are alike to every offer, on its way past the offers of its task."""

    view: View
    policy: Policy
    target: Target
    request: Request
    ask: Ask
    day: date
    values: Mapping[str, Any]
    track: Tracks
    standings: Mapping[str, Standing]
    watch: Callable[["Row", Request], None] = lambda _row, _served: None
    """Told before a request, as it would be served, is priced for an offer."""
    seen: dict[tuple[str, int], bool] = field(default_factory=dict)
    made: dict[str, Request] = field(default_factory=dict)

    @property
    def _adjust(self) -> bool:
        return self.ask.on_unsupported == "adjust"

    def look(self, row: Row) -> Entry | Excluded:
        """The offer in its place, or why it is out."""
        refusal = self.closed(row)
        if refusal is not None:
            return Excluded(row.offer, row.tier, refusal, standing=self.standings.get(row.answers))
        return self.weigh(row)

    def closed(self, row: Row) -> Refusal | None:
        """Why an offer is out whatever the request says."""
        if not self.target.admits(row.offer):
            return Refusal("model", lambda: f"it is {row.offer.model}; asked for is {self.target}")
        return row.refusal or self._against_the_policy(row)

    def _against_the_policy(self, row: Row) -> Refusal | None:
        rules, offer, where = self.policy.settings, row.offer, f"[policy.{self.policy.stage}]"
        standing, floor = self.standings.get(row.answers), rules.quality_floor
        if (rules.allow or rules.deny) and (denied := _denied(offer, where, rules.allow, rules.deny)) is not None:
            return denied
        backend = self.view.backends.get(offer.provider)
        if rules.self_hosted and (backend is None or not backend.self_hosted):
            why = f"{offer.provider} is no server of your own; {where} self_hosted asks for one"
            return Refusal("policy", lambda: why)
        if rules.regions and not any(_within(region, wanted) for region in offer.regions for wanted in rules.regions):
            at = ", ".join(offer.regions) or "nobody says where"
            return Refusal("policy", lambda: f"where it is computed: {at}; {where} regions: {', '.join(rules.regions)}")
        if floor is not None and (standing is None or standing.share < floor):
            return Refusal("quality", lambda: f"{_said(standing)}; {where} quality_floor is {floor}")
        return None

    def weigh(self, row: Row) -> Entry | Excluded:
        """Whether it can carry the request, at which price, and where it stands."""
        offer, ask = row.offer, self.ask
        standing = self.standings.get(row.answers)
        found = fit(row.terms, self.request, self.values, adjust=self._adjust, seen=self.seen, made=self.made)
        if isinstance(found, Refusal):
            return Excluded(offer, row.tier, found, standing=standing)
        served, adjustments = found
        self.watch(row, served)
        spans = spans_of(offer, served, self.view.prices, self.day, ask.provider_options.get(offer.provider))
        entry = Entry(row, spans, adjustments, self, self.track(row.id))
        refusal = self._above_the_policy(entry)
        if refusal is None:
            key = self.policy.key(entry)
            if key is not None:
                entry.key = key
                return entry
            why = f"{self.policy.order} does not want it ([policy.{self.policy.stage}] order)"
            refusal = Refusal("policy", lambda: why)
        return Excluded(offer, row.tier, refusal, quote_of(spans, self.view.prices), standing)

    def _above_the_policy(self, entry: Entry) -> Refusal | None:
        most, high = self.policy.settings.max_usd, entry.high_usd
        if most is None or (high is not None and high <= most):
            return None
        where = f"[policy.{self.policy.stage}] max_usd is {most}"
        if high is None:
            return Refusal("budget", lambda: f"its price is unknown; {where}")
        return Refusal("budget", lambda: f"it costs up to {high} USD; {where}")

    def notes(self, row: Row, price: Quote) -> tuple[str, ...]:
        """What is worth knowing of an offer at this price."""
        notes = row.notes
        if self.target.is_open and row.tier != self.policy.wanted:
            notes = (f"a {row.tier}, where stage {self.policy.stage!r} wants a {self.policy.wanted}", *notes)
        if price.high_usd is None:
            return (*notes, f"price unknown: booked at what is reported, else at max_usd ({price.why})")
        if price.as_of is not None and self.day - price.as_of > _OLD_PRICE:
            return (*notes, f"its price was last checked on {price.as_of}")
        return notes


def _within(region: str, wanted: str) -> bool:
    return region == wanted or region.startswith(f"{wanted}-")


def _said(standing: Standing | None) -> str:
    if standing is None:
        return "nobody knows how good it is"
    return f"it wins {standing.share:.2f} of the pairs ({standing.low:.2f} to {standing.high:.2f})"
