"""What a rates file may say, and how a directory of them becomes plain rows.

A row is JSON: what the compiled index holds and what `table` makes a `Rate` from. The first file that is wrong ends it
with a `ConfigurationError` that names the file, the line and the reason.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from aggregator._lines import lines_in
from aggregator._toml import Day, Table, nearest, read_toml
from aggregator.errors import ConfigurationError
from aggregator.pricing.table import GIVEN, OPTION, Rate, RateRows, rate_of
from aggregator.registry.mapping import QUANTITIES
from aggregator.registry.units import units
from aggregator.tasks import TASKS

__all__ = ["check_rates", "read_rates"]

_MOST_USD, _MOST_DIGITS = 1_000_000, 30


def _usd(value: object) -> Decimal:
    if not isinstance(value, str):
        raise ValueError('write dollars as a string, such as "0.40": a float is not an exact price')  # noqa: TRY004
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError("not a price: write dollars as a string") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError('a price is from zero up; free is "0", unknown is no row')
    if amount > _MOST_USD or _digits(amount) > _MOST_DIGITS:
        raise ValueError(f"a slip: above {_MOST_USD} dollars a unit, or more than {_MOST_DIGITS} digits of a dollar")
    return amount


def _digits(amount: Decimal) -> int:
    """How many there are after the point."""
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _units(value: object) -> Decimal:
    amount = _number(value)
    if not isinstance(value, str) or amount is None or amount <= 0:
        raise ValueError('write a number of units above zero as a string, such as "5"')
    return amount


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _condition(value: object) -> tuple[object, ...]:
    """A value, a list of values or a range, as a row has them: a range's ends are exact, so written as strings."""
    values = tuple(value) if isinstance(value, list) else (value,)
    if not values or not all(isinstance(item, str | bool | int | float | dict) for item in values):
        raise ValueError("write a value, a list of values, or a range: { above = 24, up_to = 48 }")
    return tuple(_range(item) if isinstance(item, dict) else item for item in values)


def _range(words: Mapping[str, object]) -> dict[str, str]:
    ends = {end: _number(amount) for end, amount in words.items()}
    if not ends or ends.keys() - {"above", "up_to"} or None in ends.values():
        raise ValueError("a range has above, up_to or both, each a number")
    found = {end: amount for end, amount in ends.items() if amount is not None}
    if len(found) == 2 and found["above"] >= found["up_to"]:  # noqa: PLR2004 - both ends
        raise ValueError("a range's above must be below its up_to")
    return {end: f"{amount:f}" for end, amount in found.items()}


@cache
def _conditions(task: str | None) -> frozenset[str]:
    """What conditions of a task's rates (without one: of any task's) may ask about, beside options."""
    tasks = TASKS.values() if task is None else (TASKS[task],)
    return QUANTITIES.union(*(request.model_fields for request in tasks))


class _Row(Table):
    endpoint: str | None = None
    model: str | None = None
    task: str | None = None
    unit: str
    usd: Annotated[Decimal, BeforeValidator(_usd)]
    usd_to: Annotated[Decimal, BeforeValidator(_usd)] | None = None
    starts: Annotated[Day, Field(alias="from")]
    when: dict[str, Annotated[tuple[JsonValue, ...], BeforeValidator(_condition)]] = Field(default_factory=dict)
    free: Annotated[Decimal, BeforeValidator(_units)] | None = None
    step: Annotated[Decimal, BeforeValidator(_units)] | None = None
    minimum: Annotated[Decimal, BeforeValidator(_units)] | None = None
    source: str = ""
    note: str = ""
    checked: Day | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.endpoint is None) == (self.model is None):
            raise ValueError('write one of endpoint = "…" or model = "…"; endpoint = "*" is everything')
        if self.usd_to is not None and self.usd_to <= self.usd:
            raise ValueError("usd_to must be above usd")
        if self.unit not in units():
            raise ValueError(f"unknown unit {self.unit!r}; known: {', '.join(units())}")
        if self.task is not None and self.task not in TASKS:
            raise ValueError(f"unknown task {self.task!r}; nearest: {', '.join(nearest(self.task, TASKS))}")
        known = _conditions(self.task)
        for name, values in self.when.items():
            if GIVEN in values and not name.startswith(OPTION):
                raise ValueError(f"when: {name} = {GIVEN!r} is for the provider's own options, written {OPTION}<path>")
            if name not in known and not name.startswith(OPTION):
                raise ValueError(f"when: nothing is called {name!r}; nearest: {', '.join(nearest(name, known))}")
        return self


class _File(Table):
    rate: tuple[_Row, ...] = ()


def read_rates(directory: Path) -> RateRows:
    """Read `<provider>.toml` in a directory; there may be none.

    Raises:
        ConfigurationError: A file is malformed, or two of its rows cannot be told apart.

    """
    digest, found = hashlib.sha256(), {}
    for file in sorted(directory.glob("*.toml")):
        found[file.stem] = _rows(file)
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return RateRows(found, digest.hexdigest())


def _rows(file: Path) -> list[dict[str, Any]]:
    lines = lines_in(file)
    said = _File.read(read_toml(file), source=str(file), lines=lines)
    return _apart(file.stem, said, lambda index: f"{file}: line {lines(('rate', index))}")


def check_rates(provider: str, rows: Any, source: str) -> list[dict[str, Any]]:
    """A provider's rows as an index holds them, checked as a file's are.

    Raises:
        ConfigurationError: Begins with `source`, names the row and the reason.

    """
    said = _File.read({"rate": rows}, source=source, json=True)
    return _apart(provider, said, lambda index: f"{source}: rate.{index}")


def _apart(provider: str, said: _File, where: Callable[[int], str]) -> list[dict[str, Any]]:
    """The rows as JSON, if one request cannot meet two with nothing to say which one counts."""
    rows = [row.model_dump(mode="json", by_alias=True, exclude_defaults=True) for row in said.rate]
    alike: defaultdict[Any, list[Rate]] = defaultdict(list)
    for index, row in enumerate(rows):
        rate = rate_of(provider, row)
        others = alike[rate.scope, rate.name, rate.unit, rate.starts, rate.specificity]
        for other in others:
            if rate.overlaps(other):
                raise ConfigurationError(
                    f"{where(index)}: two equally specific rates on one date: {other.id} and {rate.id}"
                )
        others.append(rate)
    return rows
