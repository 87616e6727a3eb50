"""What tells two requests apart, as far as a group of offers can see: requests that look alike are ranked alike.

Most fields count as they are: they take few values. What is different in every request (words, seeds, inputs) counts
only by what a limit or a price makes of it: whether it is within each limit, what was probed of an input. A price that
reads the words themselves is found out by watching what it reads.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from aggregator.inputs import Media
from aggregator.pricing.known import DERIVED, known_values
from aggregator.pricing.sheet import sheet_of
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Limit
from aggregator.routing.candidates import Row
from aggregator.routing.limits import fits
from aggregator.tasks import Lora, Reference, Request

__all__ = ["WORDS", "Reading", "Sight", "read_by", "reading_of"]

WORDS = frozenset({"prompt", "text", "negative_prompt", "lyrics", "seed"})
"""Fields that are different in every request."""
_LISTS = frozenset({"references", "loras"})
_APART = WORDS | _LISTS | {"image", "last_image", "mask", "video", "audio"}


class Sight:
    """The eyes of a group of offers."""

    def __init__(self, rows: Iterable[Row], priced: frozenset[str]) -> None:
        """Look through the offers of a group once; `priced` are the inputs and lists that their prices read."""
        limits: dict[str, dict[str, Limit]] = {}
        self._exact = set(priced)
        for row in rows:
            rules = row.offer.rules
            self._exact.update(name for rule in rules for name in rule.when)
            for name, limit in (*row.terms.limits.items(), *(item for rule in rules for item in rule.limits.items())):
                if limit is not None and (name in WORDS or name in _LISTS):
                    limits.setdefault(name, {})[repr(limit)] = limit
        self._eyes = {name: _Eye(tuple(of.values())) for name, of in limits.items()}

    def key(self, values: Mapping[str, Any], *, adjust: bool) -> tuple[Hashable, ...]:
        """What the group sees of a request: equal keys are equal answers."""
        return (adjust, *((name, self._seen(name, value, adjust=adjust)) for name, value in values.items()))

    def _seen(self, name: str, value: Any, *, adjust: bool) -> Hashable:
        if isinstance(value, Media):
            return _facts(value) if name in self._exact else None
        if name not in WORDS and name not in _LISTS:
            return value  # type: ignore[no-any-return]  # a word, a number, a size
        if name in self._exact:
            return _parts(value)
        eye = self._eyes.get(name)
        if eye is None:
            return None
        within, place = eye.look(value)
        return place if within or not adjust else _parts(value)  # what is moved into a limit is moved by its value


class _Eye:
    """All limits of a field at once."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        plain = [limit for limit in limits if not limit.values and limit.multiple_of is None]
        self._others = [limit for limit in limits if limit.values or limit.multiple_of is not None]
        self._characters = sorted(limit.max_characters for limit in plain if limit.max_characters is not None)
        self._least = sorted(limit.min for limit in plain if limit.min is not None)
        self._most = sorted(limit.max for limit in plain if limit.max is not None)

    def look(self, value: Any) -> tuple[bool, Hashable]:
        """Whether the value is within every limit, and its place among them: the same place is within the same."""
        others = tuple(fits(limit, value) for limit in self._others)
        if isinstance(value, str):
            above = bisect_left(self._characters, len(value))
            return above == 0 and all(others), (above, others)
        much = len(value) if isinstance(value, tuple) else value
        reached, above = bisect_right(self._least, much), bisect_left(self._most, much)
        return reached == len(self._least) and above == 0 and all(others), (reached, above, others)


def _facts(media: Media) -> Hashable:
    """All that a price may go by: whatever was probed, and not which file it is."""
    return media.mime_type, media.size_bytes, media.width, media.height, media.duration_s, media.fps


def _parts(value: Any) -> Hashable:
    if not isinstance(value, tuple):
        return value  # type: ignore[no-any-return]  # words, or a number
    return tuple(
        (item.role, _facts(item.image)) if isinstance(item, Reference) and isinstance(item.image, Media)
        else (item.weights, item.scale) if isinstance(item, Lora) else item
        for item in value
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- what a price reads


@dataclass(frozen=True, slots=True)
class Reading:
    """What an offer's price goes by, of that which is different in every request."""

    names: frozenset[str]
    """Fields that its rates or meters name."""
    functions: tuple[Callable[[Mapping[str, Any]], object], ...]
    """Quantities that are worked out from the values: what they read shows when they are."""


_NOTHING = Reading(frozenset(), ())


def reading_of(row: Row, prices: PriceTable, day: date) -> Reading:
    """What an offer's price goes by, as far as it is written down."""
    sheet = sheet_of(row.offer, prices, day)
    if isinstance(sheet, str):
        return _NOTHING
    names = {name for priced in sheet for name in priced.names}
    functions: list[Callable[[Mapping[str, Any]], object]] = []
    computed = prices.compute(row.offer)
    for quantity in (*(priced.meter.quantity for priced in sheet), *([computed.per] if computed else ())):
        if callable(quantity):
            functions.append(quantity)
        else:
            names.add(quantity.removeprefix("request."))
    functions += [DERIVED[name] for name in names if name in DERIVED]
    return Reading(frozenset(names) & _APART, tuple(functions))


def read_by(reading: Reading, row: Row, request: Request) -> frozenset[str]:
    """Which words, lists and inputs of a request are read to price it."""
    if not reading.functions:
        return reading.names
    spied = _Spied(known_values(row.offer, request))
    for function in reading.functions:
        with suppress(Exception):  # what is missing makes the price unknown, which the quote says
            function(spied)
    return reading.names | (spied.read & _APART)


class _Spied(Mapping[str, Any]):
    """Values that remember which of them were looked at."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values  # whether it is given is seen by everybody

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
