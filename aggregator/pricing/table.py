"""The price table: dated rates per provider, immutable. The most specific row wins, then the latest.

Rates are `rates/<provider>.toml` beside this file, and the same below each of the users' directories. A provider's
rates are parsed when they are first asked for; users' are checked at once.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from aggregator.config import Table, nearest, read_toml
from aggregator.errors import ConfigurationError
from aggregator.registry.cards import Offer
from aggregator.registry.units import units
from aggregator.tasks import TASKS

__all__ = ["PriceTable", "Rate"]

_BUNDLED = Path(__file__).parent / "rates"


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
    when: Mapping[str, tuple[JsonValue, ...]]
    """Field to the values under which the row applies; all must hold."""
    task: str | None = None
    source: str = ""
    note: str = ""
    checked: date | None = None

    @property
    def specificity(self) -> tuple[int, int]:
        """Endpoint before model before everything; then the number of conditions, the task being one."""
        return ("*", "model", "endpoint").index(self.scope), len(self.when) + (self.task is not None)

    @property
    def id(self) -> str:
        """`provider/endpoint/unit@date`, with the conditions where there are any."""
        words = [f"{key}={'|'.join(str(value) for value in values)}" for key, values in sorted(self.when.items())]
        words += [f"task={self.task}"] if self.task else []
        return f"{self.provider}/{self.name}/{self.unit}@{self.starts}" + (f"?{'&'.join(words)}" if words else "")

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
            set(map(repr, self.when[key])) & set(map(repr, other.when[key])) for key in self.when if key in other.when
        )


def _usd(value: object) -> Decimal:
    if not isinstance(value, str):
        raise ValueError('write dollars as a string, such as "0.40": a float is not an exact price')  # noqa: TRY004
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError("not a price: write dollars as a string") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError('a price is from zero up; free is "0", unknown is no row')
    return amount


def _condition(value: object) -> tuple[object, ...]:
    values = tuple(value) if isinstance(value, list) else (value,)
    if not values or not all(isinstance(item, str | bool | int | float) for item in values):
        raise ValueError("write a value or a list of values")
    return values


class _Row(Table):
    endpoint: str | None = None
    model: str | None = None
    task: str | None = None
    unit: str
    usd: Annotated[Decimal, BeforeValidator(_usd)]
    starts: Annotated[date, Field(strict=True, alias="from")]
    when: dict[str, Annotated[tuple[JsonValue, ...], BeforeValidator(_condition)]] = Field(default_factory=dict)
    source: str = ""
    note: str = ""
    checked: Annotated[date, Field(strict=True)] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.endpoint is None) == (self.model is None):
            raise ValueError('write one of endpoint = "…" or model = "…"; endpoint = "*" is everything')
        if self.unit not in units():
            raise ValueError(f"unknown unit {self.unit!r}; known: {', '.join(units())}")
        if self.task is not None and self.task not in TASKS:
            raise ValueError(f"unknown task {self.task!r}; nearest: {', '.join(nearest(self.task, TASKS))}")
        return self


class _File(Table):
    rate: tuple[_Row, ...] = ()


def _parse(file: Path) -> tuple[Rate, ...]:
    rates = tuple(_rate(file.stem, row) for row in _File.read(read_toml(file), source=str(file)).rate)
    for index, rate in enumerate(rates):
        for other in rates[:index]:
            if rate.overlaps(other):
                raise ConfigurationError(f"{file}: two equally specific rates on one date: {other.id} and {rate.id}")
    return rates


def _rate(provider: str, row: _Row) -> Rate:
    scope = "model" if row.model is not None else "*" if row.endpoint == "*" else "endpoint"
    return Rate(
        provider=provider,
        scope=scope,
        name=row.model or row.endpoint or "*",
        unit=row.unit,
        usd=row.usd,
        starts=row.starts,
        when=row.when,
        task=row.task,
        source=row.source,
        note=row.note,
        checked=row.checked,
    )


class PriceTable:
    """All rates. Build it with `bundled` or `load`; another one replaces it, nothing changes it."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = tuple(directories)
        self._rates: dict[str, tuple[Rate, ...]] = {}
        self._rows: dict[tuple[str, str, str, str, str], tuple[Rate, ...]] = {}

    @classmethod
    def bundled(cls) -> Self:
        """The package's own rates."""
        return cls((_BUNDLED,))

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Self:
        """The package's own with `rates/` of users' directories laid over them.

        A user's rows for an endpoint (a model, `*`), unit and task replace all earlier rows for the same.

        Raises:
            ConfigurationError: A user's file is malformed.
        """
        table = cls((_BUNDLED, *(path / "rates" for path in paths)))
        for directory in table._directories[1:]:  # a mistake of the user's is said now, not at the first order
            for file in sorted(directory.glob("*.toml")):
                table.rates(file.stem)
        return table

    @cached_property
    def version(self) -> str:
        """A digest of every rate file."""
        digest = hashlib.sha256()
        for directory in self._directories:
            for file in sorted(directory.glob("*.toml")):
                digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()[:12]

    def rates(self, provider: str) -> tuple[Rate, ...]:
        """Every rate of a provider, of any date."""
        if provider not in self._rates:
            merged: tuple[Rate, ...] = ()
            for directory in self._directories:
                if (file := directory / f"{provider}.toml").is_file():
                    layer = _parse(file)
                    taken = {rate.place for rate in layer}
                    merged = (*(rate for rate in merged if rate.place not in taken), *layer)
            self._rates[provider] = merged
        return self._rates[provider]

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
