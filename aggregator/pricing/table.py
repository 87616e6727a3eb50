"""The price table: dated rates per provider, immutable. The most specific row wins, then the latest.

The package's own are `rates/<provider>.toml`, compiled to `index.json` beside this file (`aggregator.registry.build`),
so that opening parses JSON only; a provider's rates are built when they are first asked for. Below users' directories
they are TOML, checked at once (`rows`).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pydantic import JsonValue
from pydantic_core import from_json

from aggregator.pricing.estimate import reckoned
from aggregator.pricing.money import EXACT, exact
from aggregator.pricing.ranges import Range
from aggregator.registry.cards import Compute, Offer

__all__ = ["GIVEN", "LEFT_OUT", "OPTION", "PriceTable", "Rate", "RateRows", "bundled_rates", "rate_of", "rates_text"]

OPTION = "option."
"""Begins a condition on one of the provider's own options: `option.quality`; `default` is its being left out, `given`
is whatever else it may be.
"""
LEFT_OUT, GIVEN = "default", "given"


@dataclass(frozen=True, slots=True)
class Rate:
    """Dollars per unit, from a day on, for an endpoint, a model or (`*`) everything of a provider, under conditions."""

    provider: str
    scope: str
    """`endpoint`, `model` or `*`."""
    name: str
    unit: str
    usd: Decimal
    starts: date
    when: Mapping[str, tuple[JsonValue | Range, ...]] = field(default_factory=dict)
    """Field to the values (or the one range) under which the row applies; all must hold."""
    task: str | None = None
    source: str = ""
    note: str = ""
    checked: date | None = None
    free: Decimal = Decimal(0)
    """So many units cost nothing."""
    step: Decimal | None = None
    """Units are sold by so many: one that is started counts whole."""
    minimum: Decimal = Decimal(0)
    """So many units are billed at least."""
    usd_to: Decimal | None = None
    """The page gives a range, from `usd` to this, and not what it hangs on."""
    _said: str = field(default="", init=False, compare=False, repr=False)

    @property
    def id(self) -> str:
        """`provider/endpoint/unit@date`, with the conditions where there are any; made when it is first asked for."""
        if not self._said:
            words = [f"{key}={'|'.join(map(str, values))}" for key, values in sorted(self.when.items())]
            words += [f"task={self.task}"] if self.task else []
            said = f"{self.provider}/{self.name}/{self.unit}@{self.starts}" + (f"?{'&'.join(words)}" if words else "")
            object.__setattr__(self, "_said", said)
        return self._said

    @property
    def most_usd(self) -> Decimal:
        """What a unit costs at most."""
        return self.usd if self.usd_to is None else self.usd_to

    def billed(self, amount: Decimal) -> Decimal:
        """How many units are billed when `amount` were used."""
        if self.step is None and not self.free and not self.minimum:
            return amount
        if self.free:
            amount = max(Decimal(0), EXACT.subtract(amount, self.free))
        if self.step is not None:
            whole = EXACT.multiply(EXACT.divide_int(amount, self.step), self.step)
            amount = whole if whole == amount else EXACT.add(whole, self.step)
        return max(amount, self.minimum)

    @property
    def specificity(self) -> tuple[int, int]:
        """Endpoint before model before everything; then the number of conditions, the task being one."""
        return ("*", "model", "endpoint").index(self.scope), len(self.when) + (self.task is not None)

    @property
    def place(self) -> tuple[str, str, str, str | None]:
        """What a user's rows take over as a whole: rates for the same thing, unit and task."""
        return self.scope, self.name, self.unit, self.task

    def overlaps(self, other: "Rate") -> bool:
        """Whether one request can meet both rows, with nothing to say which one counts."""
        if (self.place[:3], self.starts, self.specificity) != (other.place[:3], other.starts, other.specificity):
            return False
        if self.task != other.task and self.task and other.task:
            return False
        return all(
            any(_meet(one, another) for one in self.when[key] for another in other.when[key])
            for key in self.when
            if key in other.when
        )


def _meet(one: JsonValue | Range, other: JsonValue | Range) -> bool:
    """Whether one value can fulfil both conditions."""
    if isinstance(one, Range) and isinstance(other, Range):
        return one.meets(other)
    if isinstance(one, Range) or isinstance(other, Range):
        ends, value = (one, other) if isinstance(one, Range) else (other, one)
        amount = exact(value)
        return isinstance(ends, Range) and amount is not None and ends.holds(amount)
    if GIVEN in (one, other):
        return LEFT_OUT not in (one, other)
    return repr(one) == repr(other)


def rate_of(provider: str, row: Mapping[str, Any]) -> Rate:
    """A rate from its row of the index."""
    model, endpoint = row.get("model"), row.get("endpoint")
    values = {name: form(row[name]) for name, form in _RATE.items() if row.get(name) is not None}
    return Rate(
        provider=provider,
        scope="model" if model else "*" if endpoint == "*" else "endpoint",
        name=model or endpoint or "",
        starts=date.fromisoformat(row["from"]),
        **values,
    )


def _conditions(rows: Mapping[str, Iterable[Any]]) -> dict[str, tuple[JsonValue | Range, ...]]:
    return {name: tuple(map(_condition, values)) for name, values in rows.items()}


def _condition(value: Any) -> JsonValue | Range:
    """A value, or `{"above": "24", "up_to": "48"}`."""
    if isinstance(value, dict):
        return Range(**{end: Decimal(amount) for end, amount in value.items()})
    plain: JsonValue = value
    return plain


_RATE: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("usd", "usd_to", "free", "step", "minimum"), Decimal),
    **dict.fromkeys(("unit", "task", "source", "note"), str),
    "checked": date.fromisoformat,
    "when": _conditions,
}
"""What a rate takes from its row as it stands there, each with how it is made."""


@dataclass(frozen=True, slots=True)
class RateRows:
    """Checked rows by provider: a compiled index, what a feed brought, or a directory of a user's (`rows`)."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    version: str
    """A digest of the content."""
    gpus: Mapping[str, str] = field(default_factory=dict)
    """By provider, the card that runs there."""


class PriceTable:
    """All rates. Build it with `bundled` or `load`; another one replaces it, nothing changes it.

    A later layer's rows for an endpoint (a model, `*`), unit and task replace all earlier rows for the same.
    """

    KEPT = 5_000
    """So many offers' sheets are remembered at most."""

    def __init__(self, layers: Sequence[RateRows], measured: Mapping[str, Compute] | None = None) -> None:
        self._layers = tuple(layers)
        self.measured = measured or {}
        """By offer, the GPU-seconds that own jobs took: they count before what its row states."""
        self._rates: dict[str, tuple[Rate, ...]] = {}
        self._rows: dict[tuple[str, str, str, str, str], tuple[Rate, ...]] = {}
        self.version = hashlib.sha256(" ".join(layer.version for layer in layers).encode()).hexdigest()[:12]
        """A digest of every rate."""
        self.sheets: dict[tuple[int, date], tuple[Offer, Any]] = {}
        """What `sheet` remembers, by an offer's identity and day."""

    @classmethod
    def bundled(cls) -> Self:
        """The package's own rates."""
        return cls((bundled_rates(),))

    @classmethod
    def load(cls, paths: Sequence[Path], *, base: RateRows | None = None, more: Sequence[RateRows] = ()) -> Self:
        """The package's own, or `base`, with `rates/` of users' directories laid over them, and `more` over those.

        Raises:
            ConfigurationError: A user's file is malformed: a mistake is said now, not at the first order.

        """
        layers = [base or bundled_rates()]
        if paths:
            from aggregator.pricing.rows import read_rates

            layers += [read_rates(path / "rates") for path in paths]
        return cls((*layers, *more))

    def compute(self, offer: Offer) -> Compute | None:
        """The GPU-seconds of a job: as own jobs took, else as its row states, else as its model's shape lets expect."""
        found = self.measured.get(offer.id, offer.compute)
        return found or reckoned(offer, self.gpu(offer.provider))

    def gpu(self, provider: str) -> str | None:
        """The card that runs at a provider, where the configuration names one."""
        return next((layer.gpus[provider] for layer in reversed(self._layers) if provider in layer.gpus), None)

    def with_measured(self, measured: Mapping[str, Compute]) -> Self:
        """The same rates beside other measurements."""
        return type(self)(self._layers, measured)

    @property
    def providers(self) -> tuple[str, ...]:
        """Everyone there are rates of."""
        return tuple(sorted({provider for layer in self._layers for provider in layer.rows}))

    def rows(self, provider: str) -> list[Mapping[str, Any]]:
        """A provider's rates as an index holds them."""
        return [row for _, row in self._laid_over(provider)]

    def rates(self, provider: str) -> tuple[Rate, ...]:
        """Every rate of a provider, of any date."""
        if provider not in self._rates:
            self._rates[provider] = tuple(rate for rate, _ in self._laid_over(provider))
        return self._rates[provider]

    def _laid_over(self, provider: str) -> list[tuple[Rate, Mapping[str, Any]]]:
        merged: list[tuple[Rate, Mapping[str, Any]]] = []
        for layer in self._layers:
            rows = [(rate_of(provider, row), row) for row in layer.rows.get(provider, ())]
            taken = {rate.place for rate, _ in rows} if merged else set()
            merged = [item for item in merged if item[0].place not in taken] + rows
        return merged

    def rows_for(self, offer: Offer, unit: str, day: date) -> tuple[Rate, ...]:
        """The rows that can apply to an offer on a day, the one that wins first; conditions are still to be read."""
        key = (offer.provider, offer.endpoint, offer.model, offer.task, unit)
        if key not in self._rows:
            self._rows[key] = _ranked(self.rates(offer.provider), offer, unit)
        rows = self._rows[key]
        return rows if all(row.starts <= day for row in rows) else tuple(row for row in rows if row.starts <= day)


def _ranked(rates: Iterable[Rate], offer: Offer, unit: str) -> tuple[Rate, ...]:
    names = {"endpoint": offer.endpoint, "model": offer.model, "*": "*"}
    fitting = [
        rate
        for rate in rates
        if rate.unit == unit and rate.name == names[rate.scope] and rate.task in (None, offer.task)
    ]
    return tuple(sorted(fitting, key=lambda rate: (rate.specificity, rate.starts), reverse=True))


def bundled_rates() -> RateRows:
    """The package's own rates, as they were compiled."""
    text = files("aggregator.pricing").joinpath("index.json").read_bytes()
    return RateRows(from_json(text), hashlib.sha256(text).hexdigest())


def rates_text(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The index: providers sorted, one rate a line in the order of its file."""
    blocks = (
        f"{json.dumps(provider)}:[\n"
        + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows[provider])
        + "\n]"
        for provider in sorted(rows)
    )
    return "{\n" + ",\n".join(blocks) + "\n}\n"
