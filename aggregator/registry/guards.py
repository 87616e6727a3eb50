"""Two guards before a feed is used: it may not lose much of the catalogue, and no price may jump unseen.

A feed that shrank is refused as a whole. A price that moved too far is held back by itself: what was known of it stays,
and that is said, until a person accepts it or writes a rate of their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from aggregator.errors import FeedError
from aggregator.pricing.table import Rate, rate_of
from aggregator.registry.bounds import Catalogue
from aggregator.registry.rows import Rows

__all__ = ["FEW_GONE", "MAX_FACTOR", "MAX_GONE", "Held", "accepted", "hold_back", "refuse_shrunken"]

MAX_GONE = Decimal("0.1")
"""Which part of the cards, usable offers, rates or readings may be gone in a newer feed."""
FEW_GONE = 10
"""So many may be gone of a catalogue of any size."""
MAX_FACTOR = 3
"""How many times dearer or cheaper a price may become by a feed alone."""
_AMOUNTS = (Decimal(1), Decimal(10), Decimal(100), Decimal(1000))
"""Where two rates are compared: free units, steps and minimums count as well."""

Rates = Mapping[str, Sequence[Mapping[str, Any]]]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """One row of a feed that is not used yet."""

    id: str
    """What `[registry] feed_accept` names it by: a rate's id, or `provider:endpoint/task/meters`."""
    was: str
    now: str
    why: str

    def __str__(self) -> str:
        return f"{self.id}: {self.why} (was {self.was}, the feed says {self.now})"


def refuse_shrunken(base: Catalogue, new: Catalogue, day: date, *, source: str) -> None:
    """Refuse a feed that lacks too much of what is known.

    Raises:
        FeedError: Says of what, how many are gone, and a few of them.

    """
    kinds = {
        "cards": (set(base.rows.cards), set(new.rows.cards)),
        "usable offers": (_usable(base.rows, day), _usable(new.rows, day)),
        "rates": (_rate_ids(base.rates), _rate_ids(new.rates)),
        "readings": (_readings(base.rows), _readings(new.rows)),
    }
    for kind, (known, said) in kinds.items():
        gone = sorted(known - said)
        if len(gone) > max(FEW_GONE, int(MAX_GONE * len(known))):
            raise FeedError(
                f"{source}: {len(gone)} of {len(known)} {kind} would be gone, such as {', '.join(gone[:3])}: more than "
                f"{MAX_GONE:.0%} at once is taken for a mistake",
                reason="shrunk",
            )


def hold_back(base: Catalogue, new: Catalogue, accept: Sequence[str] = ()) -> tuple[Catalogue, tuple[Held, ...]]:
    """The feed with every price that moved too far as it was before, and what was held back.

    Args:
        accept: Globs over the ids of rows that may change as they like.

    """
    held: list[Held] = []
    offers = {key: _offer_held(base.rows.offers.get(key), row, accept, held) for key, row in new.rows.offers.items()}
    models = _models(new.rows)
    rates = {
        provider: _rates_held(provider, base.rates.get(provider, ()), new.rates.get(provider, ()), models, accept, held)
        for provider in dict.fromkeys((*new.rates, *base.rates))
    }
    rows = Rows(new.rows.cards, offers, new.rows.boards)
    return replace(new, rows=rows, rates={name: listed for name, listed in rates.items() if listed}), tuple(held)


# --------------------------------------------------------------------------------------------------- what is counted


def _usable(rows: Rows, day: date) -> set[str]:
    return {
        f"{':'.join(key[:2])} for {key[2]}"
        for key, row in rows.offers.items()
        if row.get("status") != "retired" and row.get("retires", "9999") > day.isoformat() and not row.get("unmapped")
    }


def _rate_ids(rates: Rates) -> set[str]:
    return {rate_of(provider, row).id for provider, listed in rates.items() for row in listed}


def _readings(rows: Rows) -> set[str]:
    return {f"{row[1]} on {board}, {row[3]}" for board, said in rows.boards.items() for row in said["readings"]}


# ------------------------------------------------------------------------------------------------------- what is held


def _offer_held(was: Row | None, row: dict[str, Any], accept: Sequence[str], held: list[Held]) -> dict[str, Any]:
    """An offer with what is metered as it was: a meter that counts less is a price that falls."""
    if was is None or was.get("unmapped") or row.get("unmapped"):
        return row
    for name in ("meters", "compute"):
        if was.get(name) != row.get(name):
            pin = f"{row['provider']}:{row['endpoint']}/{row['task']}/{name}"
            if accepted(pin, accept):
                continue
            held.append(Held(pin, str(was.get(name)), str(row.get(name)), "what is billed changed"))
            row = {key: value for key, value in {**row, name: was.get(name)}.items() if value is not None}
    return row


def _rates_held(
    provider: str,
    base: Sequence[Row],
    new: Sequence[Row],
    models: Mapping[str, set[str]],
    accept: Sequence[str],
    held: list[Held],
) -> list[dict[str, Any]]:
    known = {rate.id: (rate, row) for rate, row in ((rate_of(provider, row), row) for row in base)}
    by_unit: defaultdict[str, list[Rate]] = defaultdict(list)
    for rate, _ in known.values():
        by_unit[rate.unit].append(rate)
    kept: list[Row] = []
    said: list[Rate] = []
    for row in new:
        rate = rate_of(provider, row)
        said.append(rate)
        before = known.get(rate.id)
        if (before and before[1] == row) or accepted(rate.id, accept):
            kept.append(row)
            continue
        beside = [before[0]] if before else _beside(rate, by_unit[rate.unit], models)
        if why := _jump(rate, beside):
            held.append(Held(rate.id, ", ".join(sorted({_figure(one) for one in beside})), _figure(rate), why))
            kept += [before[1]] if before else []
        else:
            kept.append(row)
    ids, mended = {rate.id for rate in said}, {rate.place for rate in said if rate.id not in known}
    for rate, row in known.values():
        gone = rate.id not in ids and rate.place not in mended
        if gone and not accepted(rate.id, accept) and _still_offered(rate, models):
            held.append(Held(rate.id, _figure(rate), "nothing", "gone, with no other in its place"))
            kept.append(row)
    return [dict(row) for row in kept]


def _beside(rate: Rate, known: Iterable[Rate], models: Mapping[str, set[str]]) -> list[Rate]:
    """The known rates that a new one would be used instead of: for the same conditions, else for the same thing."""
    covering = [one for one in known if _same_thing(rate, one, models)]
    same = [one for one in covering if (one.place, one.when) == (rate.place, rate.when)]
    earlier = [one for one in same if one.starts <= rate.starts]
    if earlier:
        return [max(earlier, key=lambda one: one.starts)]
    return same or covering


def _same_thing(rate: Rate, other: Rate, models: Mapping[str, set[str]]) -> bool:
    if rate.task and other.task and rate.task != other.task:
        return False
    if "*" in (rate.scope, other.scope) or (rate.scope, rate.name) == (other.scope, other.name):
        return True
    if rate.scope == other.scope:
        return False
    endpoint, model = (rate, other) if rate.scope == "endpoint" else (other, rate)
    return model.name in models.get(f"{rate.provider}:{endpoint.name}", ())


def _jump(rate: Rate, beside: Sequence[Rate]) -> str:
    """Why a rate is too far from those it stands beside; empty where it is not, or where there is none."""
    for amount in _AMOUNTS if beside else ():
        bill = _bill(rate, amount)
        bills = [_bill(one, amount) for one in beside]
        if bill > MAX_FACTOR * max(bills):
            return f"more than {MAX_FACTOR} times dearer"
        if bill * MAX_FACTOR < min(bills):
            return f"more than {MAX_FACTOR} times cheaper"
    return ""


def _bill(rate: Rate, amount: Decimal) -> Decimal:
    return rate.billed(amount) * rate.usd


def _figure(rate: Rate) -> str:
    words = {"free": rate.free or "", "in steps of": rate.step or "", "at least": rate.minimum or ""}
    return " ".join([f"{rate.usd} USD", *(f"{word} {value}" for word, value in words.items() if value)])


def _still_offered(rate: Rate, models: Mapping[str, set[str]]) -> bool:
    """Whether the feed still offers what a rate is for."""
    pins = {pin: served for pin, served in models.items() if pin.startswith(f"{rate.provider}:")}
    if rate.scope == "*":
        return bool(pins)
    if rate.scope == "endpoint":
        return f"{rate.provider}:{rate.name}" in pins
    return any(rate.name in served for served in pins.values())


def _models(rows: Rows) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for (provider, endpoint, _), row in rows.offers.items():
        found[f"{provider}:{endpoint}"].add(row["model"])
    return dict(found)


def accepted(name: str, accept: Sequence[str]) -> bool:
    """Whether `[registry] feed_accept` lets a row change as it likes."""
    return any(fnmatchcase(name, pattern) for pattern in accept)
