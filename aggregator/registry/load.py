"""The registry: every card and every offer, by model and by task. Nothing changes it; another one replaces it.

The package's own files are compiled to one index (`build`, `packing`), so that opening it parses JSON only, and the
offers of a task are built when that task is first asked for. Users' directories are read as they are and win over the
package's.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from aggregator.config import nearest
from aggregator.contract import Endpoint, Meter
from aggregator.errors import UnknownModelError
from aggregator.registry.boards import board_of, joined
from aggregator.registry.cards import Board, Card, Compute, Host, Limit, Offer, Rule, Weights
from aggregator.registry.mapping import Mappings, merge
from aggregator.registry.packing import index_text, unpacked
from aggregator.registry.weights import frames_of, inherited, work_of

if TYPE_CHECKING:
    from aggregator.registry.rows import Rows

__all__ = ["Registry", "bundled_rows", "laid_over"]


def _not_known(_values: Mapping[str, Any]) -> None:
    """How many GPU-seconds a server of one's own takes: what was measured or reckoned says it, no request does."""


def _no_mapping(_provider: str, _task: str, _dialect: str) -> Endpoint | None:
    return None


class Registry:
    """All cards and offers. Build it with `bundled` or `load`.

    `mappings` answers with a provider's own mapping of a task; an offer's mapping is its row laid over that.
    """

    def __init__(
        self,
        cards: Mapping[str, Mapping[str, Any]],
        offers: Mapping[str, Sequence[Mapping[str, Any]]],
        boards: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        *,
        mappings: Mappings = _no_mapping,
        version: str = "",
        replaced: Sequence[str] = (),
    ) -> None:
        self._card_rows = cards
        self._offer_rows = offers
        self._board_rows = boards
        self._mappings = mappings
        self._offers: dict[str, tuple[Offer, ...]] = {}
        self._shared: dict[int, tuple[Mapping[str, Limit], Mapping[str, Any]]] = {}
        self.version = version
        """A digest of the content."""
        self.replaced = tuple(replaced)
        """What of the package's own a user's file took the place of, each with the file."""

    @classmethod
    def bundled(cls, *, mappings: Mappings = _no_mapping) -> Self:
        """The package's own cards and offers."""
        text = files("aggregator.registry").joinpath("index.json").read_bytes()
        index = unpacked(text)
        version = hashlib.sha256(text).hexdigest()[:12]
        return cls(index["cards"], index["offers"], index["boards"], mappings=mappings, version=version)

    @classmethod
    def load(cls, paths: Sequence[Path], *, mappings: Mappings = _no_mapping, base: "Rows | None" = None) -> Self:
        """The package's own, or `base`, with users' directories laid over them: a later one wins, and `replaced` says
        over what.

        Raises:
            ConfigurationError: A file is malformed or names what does not exist. Nothing is loaded by halves.

        """
        if not paths and base is None:
            return cls.bundled(mappings=mappings)
        rows, replaced = laid_over(paths, mappings, base)
        text = index_text(rows)
        merged = json.loads(text)
        version = hashlib.sha256(text.encode()).hexdigest()[:12]
        return cls(
            merged["cards"], merged["offers"], merged["boards"], mappings=mappings, version=version, replaced=replaced
        )

    def offers(self, task: str) -> tuple[Offer, ...]:
        """Every offer of a task, whatever its stage of life; empty for a task nobody serves."""
        if task not in self._offers:
            self._offers[task] = tuple(self._offer(row) for row in self._offer_rows.get(task, ()))
        return self._offers[task]

    def all_offers(self) -> tuple[Offer, ...]:
        """Every offer of every task."""
        return tuple(offer for task in self.tasks for offer in self.offers(task))

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that somebody serves."""
        return tuple(self._offer_rows)

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        """Every card by model id."""
        return MappingProxyType({model: _card(model, row) for model, row in self._card_rows.items()})

    def card(self, model: str) -> Card:
        """The card of a model.

        Raises:
            UnknownModelError: There is none; `nearest` lists the closest ids.

        """
        try:
            return self.cards[model]
        except KeyError:
            close = nearest(model, self.cards)
            hint = f"did you mean {', '.join(close)}?" if close else "`aggregator models` lists what there is"
            raise UnknownModelError(f"no card for the model {model!r}; {hint}", nearest=close) from None

    @cached_property
    def boards(self) -> Mapping[str, Board]:
        """Every board by its id, with all that it ever said."""
        return MappingProxyType({name: board_of(name, row) for name, row in self._board_rows.items()})

    @cached_property
    def gone(self) -> Mapping[str, Card]:
        """The cards of models that are retired or were never to be had, by id and by every other name."""
        found = [card for card in self.cards.values() if card.status != "active"]
        return MappingProxyType({name: card for card in found for name in (*card.aliases, card.id)})

    def row(self, offer: Offer) -> Mapping[str, Any]:
        """What an offer's file says, as the index holds it."""
        rows = self._offer_rows[offer.task]
        return next(row for row in rows if (row["provider"], row["endpoint"]) == (offer.provider, offer.endpoint))

    def _mapping(self, row: Mapping[str, Any]) -> Endpoint:
        mapping = merge(None if row.get("unmapped") else self._base(row), row)  # unmapped: what is billed, at most
        own = row.get("weights") and not mapping.meters
        return replace(mapping, meters=(Meter("gpu_second", _not_known),)) if own else mapping

    def _base(self, row: Mapping[str, Any]) -> Endpoint | None:
        return self._mappings(row["provider"], row["task"], row.get("dialect", ""))

    def _offer(self, row: Mapping[str, Any]) -> Offer:
        mapping = self._mapping(row)
        full = inherited(row, self._card_rows)
        values = _formed(full, _OFFER)
        if not ("frames" in row or "fps" in mapping.fields):
            values.pop("frames", None)  # nobody could tell the server how many
        return Offer(mapping=mapping, limits=self._limits(full.get("limits", _NONE)), **values)

    def _limits(self, rows: Mapping[str, Any]) -> Mapping[str, Limit]:
        """Of offers whose rows share them, the very same."""
        kept = self._shared.get(id(rows))
        if kept is None:
            kept = self._shared[id(rows)] = (_limits(rows), rows)  # together, so that the id stays theirs
        return kept[0]


def laid_over(paths: Sequence[Path], mappings: Mappings, base: "Rows | None" = None) -> "tuple[Rows, list[str]]":
    """The rows of `Registry.load`, and what of the base was replaced."""
    from aggregator.registry.rows import Rows, check_mappings, check_references
    from aggregator.registry.schema import read_directory

    under = base or bundled_rows()
    rows = Rows(dict(under.cards), dict(under.offers), dict(under.boards))
    replaced: list[str] = []
    for path in paths:
        layer = read_directory(path)
        check_mappings(layer, mappings)
        replaced += [f"{model}: {layer.files[model]}" for model in layer.cards if model in rows.cards]
        replaced += [
            f"{key[0]}:{key[1]} for {key[2]}: {layer.files[key]}" for key in layer.offers if key in rows.offers
        ]
        rows.cards.update(layer.cards)
        rows.offers.update(layer.offers)
        rows.boards.update({name: joined(rows.boards.get(name), board) for name, board in layer.boards.items()})
        rows.files.update(layer.files)
    check_references(rows)
    return rows, replaced


def bundled_rows() -> "Rows":
    """The package's own cards, offers and boards, as they were compiled."""
    from aggregator.registry.rows import Rows

    index = unpacked(files("aggregator.registry").joinpath("index.json").read_bytes())
    offers = (row for task in index["offers"].values() for row in task)
    return Rows(
        index["cards"], {(row["provider"], row["endpoint"], row["task"]): row for row in offers}, index["boards"]
    )


def _formed(row: Mapping[str, Any], forms: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """What a row says of these, each in its form; under our own names, since a call finds its arguments by those much
    faster than by names that were read.
    """
    return {name: form(row[name]) for name, form in forms.items() if name in row}


def _same(value: Any) -> Any:
    return value


def _compute(row: Mapping[str, Any]) -> Compute:
    low_s, high_s = map(Decimal, row["seconds"])
    return Compute(gpu=row["gpu"], per=row["per"], low_s=low_s, high_s=high_s, source=row["source"])


def _limits(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Limit]:
    return {name: Limit(**_formed(row, _LIMIT)) for name, row in rows.items()}


def _rules(rows: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(Rule(_tuples(row["when"]), _limits(row["limits"])) for row in rows)


def _tuples(rows: Mapping[str, Sequence[Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values) for name, values in rows.items()}


def _days(days: Sequence[str]) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, days))


def _card(model: str, row: Mapping[str, Any]) -> Card:
    return Card(id=model, **_formed(row, _CARD))


def _hosts(rows: Sequence[Mapping[str, Any]]) -> tuple[Host, ...]:
    return tuple(Host(**{"checked": None, **_formed(row, _HOST)}) for row in rows)


def _weights(rows: Sequence[Mapping[str, Any]]) -> tuple[Weights, ...]:
    return tuple(Weights(**_formed(row, _WEIGHTS)) for row in rows)


_Forms = Mapping[str, Callable[[Any], Any]]
_LIMIT: _Forms = {
    "values": tuple,
    **dict.fromkeys(("min", "max", "multiple_of", "max_characters", "min_pixels", "max_pixels"), _same),
}
_OFFER: _Forms = {
    **dict.fromkeys(("provider", "endpoint", "model", "task", "source", "note", "status", "unmapped"), _same),
    **dict.fromkeys(("successor", "serves", "version", "weights", "defaults"), _same),
    **dict.fromkeys(("checked", "announced", "preview", "released"), date.fromisoformat),
    **dict.fromkeys(("deprecated", "retires", "retires_checked", "serves_from"), date.fromisoformat),
    **dict.fromkeys(("regions", "required", "aliases"), tuple),
    "retires_was": _days,
    "rules": _rules,
    "compute": _compute,
    "frames": frames_of,
    "work": work_of,
}
"""Beside its limits and its mapping."""
_HOST: _Forms = {
    **dict.fromkeys(("provider", "endpoint", "task", "source", "status", "note"), _same),
    **dict.fromkeys(("checked", "retires"), date.fromisoformat),
}
_WEIGHTS: _Forms = {
    **dict.fromkeys(("repository", "source", "license", "commercial_use", "vram_note", "defaults", "note"), _same),
    "checked": date.fromisoformat,
    "tasks": tuple,
    "vram_gb": lambda sizes: tuple(map(Decimal, sizes)),
    "limits": _limits,
    "frames": frames_of,
    "work": work_of,
}
_CARD: _Forms = {
    **dict.fromkeys(("maker", "tier", "title", "family", "status", "successor", "why", "seeds", "license"), _same),
    **dict.fromkeys(("is_stand_in", "source", "note"), _same),
    **dict.fromkeys(("released", "retired", "checked"), date.fromisoformat),
    **dict.fromkeys(("equivalents", "aliases"), tuple),
    "hosts": _hosts,
    "weights": _weights,
}
_NONE: Mapping[str, Any] = {}
