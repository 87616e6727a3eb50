"""From what is known to a lock, and from a lock to what has moved since.

An entry holds while the offer is there and alive, takes what it took at the rates it had, and the configuration says
of it what it said. That something better or cheaper came is no drift: `aggregator lock --upgrade` shows it. Checking
looks up the locked offers alone, plans nothing and needs no key.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self

from aggregator._version import __version__
from aggregator.clock import Clock
from aggregator.config import Config
from aggregator.errors import AggregatorError, LockError
from aggregator.lock import Entry, Key, Lock
from aggregator.planning import Planner
from aggregator.pricing.table import Rate
from aggregator.registry.cards import Limit, Offer
from aggregator.registry.diff import typical
from aggregator.registry.quality import Standing
from aggregator.routing.plan import Ask, Plan
from aggregator.view import View

__all__ = ["Change", "Frozen", "keys", "moved", "resolve"]

SHOWN = 8
"""Lines of what has moved that an error shows; its `moved` has all."""
ANY_PRICE = Decimal(10**9)
"""Bounds nothing: an offer without a known price can be locked."""


# ------------------------------------------------------------------------------------------------------------ resolving


def keys(view: View) -> Iterator[Key]:
    """Everything a call can ask for: each task at each stage, and each role with the tasks its models serve."""
    tasks = view.registry.tasks
    stages = tuple(view.config.policy)
    yield from (Key(task, stage) for task in tasks for stage in stages)
    for role, target in view.config.roles.items():
        if role in tasks:
            continue  # a task's own role: it counts where none is named
        named = set(target.values()) if isinstance(target, Mapping) else {target}
        for task in tasks:
            if any(named.intersection(_names(offer)) for offer in view.registry.offers(task)):
                yield from (Key(task, stage, role) for stage in stages)


def _names(offer: Offer) -> tuple[str, ...]:
    return offer.id, offer.model, *(f"{offer.provider}:{alias}" for alias in offer.aliases)


def resolve(view: View, clock: Clock, day: date) -> tuple[Lock, dict[Key, str]]:
    """What everything resolves to now, for a typical request; and what resolves to nothing, each with the reason."""
    planner = Planner(view, clock)  # that nothing rests in, and nothing is paused
    found: dict[Key, Entry] = {}
    left: dict[Key, str] = {}
    for key in keys(view):
        try:
            plan = _plan(planner, key)
        except AggregatorError as error:
            left[key] = " ".join(str(error).split())
            continue
        low, high = plan.quote.low_usd, plan.quote.high_usd
        found[key] = _entry(view, key, plan.offer, day, (low, high))
    return Lock(found, __version__, view.registry.version, view.prices.version), left


def _plan(planner: Planner, key: Key) -> Plan:
    """The plan for a typical request; for one like it, where nobody serves exactly that."""
    ask = Ask(stage=key.stage, role=key.role or None)
    try:
        return planner.plan(typical(key.task), ask)
    except AggregatorError:
        return planner.plan(typical(key.task), replace(ask, on_unsupported="adjust", max_usd=ANY_PRICE))


def _entry(view: View, key: Key, offer: Offer, day: date, ends: tuple[Decimal | None, Decimal | None]) -> Entry:
    low, high = (None if usd is None else str(usd) for usd in ends)
    return Entry(
        offer=offer.id,
        model=offer.model,
        mapping=_digest([offer.mapping, offer.required, offer.rules, offer.defaults, offer.version]),
        takes=_takes(offer),
        rates=_rates(view, offer, day),
        low_usd=low,
        high_usd=high,
        configured=_configured(view.config, key),
    )


def _takes(offer: Offer) -> dict[str, str]:
    return {name: _limit(offer.limits.get(name)) for name in sorted(offer.mapping.fields)}


def _limit(limit: Limit | None) -> str:
    """In words that stay the same for as long as the format does."""
    if limit is None:
        return "any"
    if limit.values:
        return ", ".join("x".join(map(str, one)) if isinstance(one, list | tuple) else str(one) for one in limit.values)
    given = ((one.name, getattr(limit, one.name)) for one in fields(limit) if one.name != "values")
    return ", ".join(f"{name} {value:g}" for name, value in given if value is not None)


def _rates(view: View, offer: Offer, day: date) -> dict[str, str]:
    """For each thing that is metered, the rows of the day: of rows for the same, those that began last."""
    found: dict[str, str] = {}
    for meter in offer.mapping.meters:
        newest: dict[tuple[object, ...], Rate] = {}
        for rate in view.prices.rows_for(offer, meter.unit, day):
            place = (*rate.place, json.dumps(_plain(rate.when)))
            if place not in newest or rate.starts > newest[place].starts:
                newest[place] = rate
        found |= {rate.id: _counted(rate) for rate in newest.values()}
    return dict(sorted(found.items()))


def _counted(rate: Rate) -> str:
    """Its dollars, and what of the amount they are for."""
    words = [str(rate.usd)]
    words += [f"first {rate.free} free"] if rate.free else []
    words += [f"in steps of {rate.step}"] if rate.step is not None else []
    words += [f"at least {rate.minimum}"] if rate.minimum else []
    return ", ".join(words)


def _configured(config: Config, key: Key) -> str:
    """What the configuration says that decides who makes it."""
    role = config.roles.get(key.role or key.task)
    return _digest(
        [
            role.get(key.stage) if isinstance(role, Mapping) else role,
            config.policy[key.stage].model_dump(mode="json") if key.stage in config.policy else None,
            sorted(config.tiers.items()),
            config.routing.allow,
            config.routing.deny,
        ]
    )


def _digest(value: object) -> str:
    written = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:12]


def _plain(value: object) -> Any:
    """Anything of a table as JSON: a function is its name, so that the text is the same in every process."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, partial):
        return [_plain(value.func), _plain(value.args), _plain(value.keywords)]
    name = getattr(value, "__qualname__", None)
    return str(value) if name is None else f"{value.__module__}.{name}"


# ------------------------------------------------------------------------------------------------------------- checking


def moved(view: View, key: Key, entry: Entry, day: date) -> list[str]:
    """What is not as the entry says any more; empty: it holds."""
    offer = next((one for one in view.registry.offers(key.task) if one.id == entry.offer), None)
    if offer is None:
        return [f"{entry.offer} is not in the registry any more"]
    if offer.stage(day) in ("retired", "announced"):
        since = f" since {offer.retires}" if offer.retires else ""
        return [f"{entry.offer} is {offer.stage(day)}{since}"]
    now = _entry(view, key, offer, day, (None, None))
    found = []
    if now.configured != entry.configured:
        found.append(f"the configuration says something else of it ({_tables(key)})")
    if offer.model != entry.model:
        found.append(f"{entry.offer} is {offer.model}, was {entry.model}")
    said = list(_differences("parameter", entry.takes, now.takes))
    if now.mapping != entry.mapping and not said:
        said = [f"how {entry.offer} is asked has changed (mapping {entry.mapping} → {now.mapping})"]
    return [*found, *said, *_differences("rate", entry.rates, now.rates)]


def _tables(key: Key) -> str:
    return f"[roles] {key.role or key.task}, [policy] {key.stage}, [tiers], [routing]"


def _differences(kind: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name), now.get(name)
        if before != after:
            yield f"{kind} {name}: {before or 'none'} → {after or 'gone'}"


class Frozen:
    """Holds a client to its lock."""

    def __init__(self, lock: Lock, path: Path) -> None:
        self._lock = lock
        self._path = path
        self._known: dict[Key, tuple[View, date, list[str]]] = {}

    def check(self, view: View, day: date) -> None:
        """See that everything is as it was locked.

        Raises:
            LockError: Something has moved; `moved` says what, a line each.

        """
        found = [f"{key}: {what}" for key in self._lock.entries for what in self._moved(view, key, day)]
        if found:
            raise self._refusal(found)

    def hold(self, view: View, task: str, ask: Ask, day: date) -> Ask:
        """The same, pinned to the locked offer; a call that names its own model is left as it is.

        Raises:
            LockError: What it asks for is not locked, or has moved.

        """
        if ask.model is not None:
            return ask
        role = ask.role if ask.role in view.config.roles and ask.role != task else None
        key = Key(task, ask.stage, role or "")
        entry = self._lock.entries.get(key)
        if entry is None:
            raise LockError(
                f"{self._path} says nothing of {key}, and the configuration is frozen: `aggregator lock` adds it, "
                "where somebody can serve it"
            )
        if found := self._moved(view, key, day):
            raise self._refusal([f"{key}: {what}" for what in found])
        return replace(ask, model=entry.offer)

    def _moved(self, view: View, key: Key, day: date) -> list[str]:
        """Looked up once for a view and a day."""
        known = self._known.get(key)
        if known is None or known[0] is not view or known[1] != day:
            known = self._known[key] = (view, day, moved(view, key, self._lock.entries[key], day))
        return known[2]

    def _refusal(self, found: list[str]) -> LockError:
        lines = [f"  {line}" for line in found[:SHOWN]]
        lines += [f"  and {len(found) - SHOWN} more: `aggregator lock --check` says all"] if len(found) > SHOWN else []
        said = "\n".join(lines)
        return LockError(
            f"the configuration is frozen, and {self._path} does not hold any more:\n{said}\n"
            "`aggregator lock --upgrade` shows what would change and writes it; frozen = false goes on without it",
            moved=found,
        )


# -------------------------------------------------------------------------------------------------------------- changes


@dataclass(frozen=True, slots=True)
class Change:
    """One entry before and after; `None`: there was none, or there is none any more."""

    key: Key
    before: Entry | None
    after: Entry | None
    moved: tuple[str, ...]
    """What did not hold of the entry before."""
    quality_before: Standing | None
    quality_after: Standing | None

    @classmethod
    def of(cls, view: View, key: Key, before: Entry | None, after: Entry | None, day: date) -> Self:
        """Look at both on a day."""
        said = () if before is None else tuple(moved(view, key, before, day))
        was, now = (
            None if entry is None else view.quality.standing(entry.model, key.task, day) for entry in (before, after)
        )
        return cls(key, before, after, said, was, now)

    @property
    def lost(self) -> tuple[str, ...]:
        """Parameters that are not taken any more."""
        return self._only(self.before, self.after)

    @property
    def gained(self) -> tuple[str, ...]:
        """Parameters that were not taken before."""
        return self._only(self.after, self.before)

    @staticmethod
    def _only(one: Entry | None, other: Entry | None) -> tuple[str, ...]:
        return () if one is None or other is None else tuple(sorted(one.takes.keys() - other.takes.keys()))

    @property
    def limits(self) -> tuple[tuple[str, str, str], ...]:
        """Of parameters that are taken before and after: what is taken of each, where that is not the same."""
        if self.before is None or self.after is None:
            return ()
        was, now = self.before.takes, self.after.takes
        return tuple((name, was[name], now[name]) for name in sorted(was.keys() & now.keys()) if was[name] != now[name])

    def as_json(self) -> dict[str, Any]:
        """The change as plain data."""
        return {
            "key": str(self.key),
            "before": self.before and self.before.model_dump(),
            "after": self.after and self.after.model_dump(),
            "moved": list(self.moved),
            "quality": {"before": _share(self.quality_before), "after": _share(self.quality_after)},
            "lost": list(self.lost),
            "gained": list(self.gained),
            "limits": {name: {"before": was, "after": now} for name, was, now in self.limits},
        }


def _share(standing: Standing | None) -> dict[str, float] | None:
    if standing is None:
        return None
    return {"share": standing.share, "low": standing.low, "high": standing.high}
