"""The registry: every card and every offer, by model and by task. Nothing changes it; another one replaces it.

The package's own files are compiled to one index (`build`), so that opening it parses JSON only, and the offers of a
task are built when that task is first asked for. Users' directories are read as they are and win over the package's.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
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
from aggregator.registry.weights import frames_of, inherited, work_of

if TYPE_CHECKING:
    from aggregator.registry.rows import Rows

__all__ = ["Registry", "bundled_rows", "index_text", "laid_over"]

_DATES = ("checked", "announced", "preview", "released", "deprecated", "retires", "retires_checked", "serves_from")
_PLAIN = (
    *("provider", "endpoint", "model", "task", "status", "successor", "serves", "unmapped", "version"),
    *("weights", "source", "note"),
)


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
        self.version = version
        """A digest of the content."""
        self.replaced = tuple(replaced)
        """What of the package's own a user's file took the place of, each with the file."""

    @classmethod
    def bundled(cls, *, mappings: Mappings = _no_mapping) -> Self:
        """The package's own cards and offers."""
        text = files("aggregator.registry").joinpath("index.json").read_bytes()
        index = json.loads(text)
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
        said, row = row, inherited(row, self._card_rows)
        mapping = self._mapping(row)
        counts = "frames" in said or "fps" in mapping.fields  # else nobody could tell the server how many
        values: dict[str, Any] = {name: row[name] for name in _PLAIN if name in row}
        values |= {name: date.fromisoformat(row[name]) for name in _DATES if name in row}
        return Offer(
            limits=_limits(row.get("limits", {})),
            rules=tuple(map(_rule, row.get("rules", ()))),
            regions=tuple(row.get("regions", ())),
            defaults=row.get("defaults", {}),
            required=tuple(row.get("required", ())),
            aliases=tuple(row.get("aliases", ())),
            retires_was=tuple(map(date.fromisoformat, row.get("retires_was", ()))),
            mapping=mapping,
            compute=_compute(row["compute"]) if "compute" in row else None,
            frames=frames_of(row.get("frames")) if counts else None,
            work=work_of(row.get("work")),
            **values,
        )


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

    index = json.loads(files("aggregator.registry").joinpath("index.json").read_bytes())
    offers = (row for task in index["offers"].values() for row in task)
    return Rows(
        index["cards"], {(row["provider"], row["endpoint"], row["task"]): row for row in offers}, index["boards"]
    )


def index_text(rows: "Rows") -> str:
    """The index: sorted and stable, one card, offer or board a line, so that a change is a line in a diff."""
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows.offers.values(), key=lambda row: (row["task"], row["provider"], row["endpoint"])):
        by_task.setdefault(row["task"], []).append(row)
    task_blocks = ",\n".join(
        f"{json.dumps(task)}:[\n" + ",\n".join(map(_line, of_task)) + "\n]" for task, of_task in by_task.items()
    )
    return (
        f'{{"cards":{{\n{_lines(rows.cards)}\n}},\n"offers":{{\n{task_blocks}\n}},\n'
        f'"boards":{{\n{_lines(rows.boards)}\n}}}}\n'
    )


def _lines(rows: Mapping[str, Mapping[str, Any]]) -> str:
    return ",\n".join(f"{json.dumps(name)}:{_line(rows[name])}" for name in sorted(rows))


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _compute(row: Mapping[str, Any]) -> Compute:
    low_s, high_s = map(Decimal, row["seconds"])
    return Compute(gpu=row["gpu"], per=row["per"], low_s=low_s, high_s=high_s, source=row["source"])


def _limits(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Limit]:
    return {name: Limit(**{**row, "values": tuple(row.get("values", ()))}) for name, row in rows.items()}


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule({name: tuple(values) for name, values in row["when"].items()}, _limits(row["limits"]))


def _card(model: str, row: Mapping[str, Any]) -> Card:
    names = {name: tuple(row[name]) for name in ("equivalents", "aliases") if name in row}
    hosts = tuple(Host(**{"checked": None, **_days(host, "checked", "retires")}) for host in row.get("hosts", ()))
    weights = tuple(
        Weights(**{**_days(one, "checked"), **_weighed(one), "tasks": tuple(one["tasks"])})
        for one in row.get("weights", ())
    )
    days = _days(row, "released", "retired", "checked")
    return Card(id=model, **{**days, **names, "hosts": hosts, "weights": weights})


def _weighed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "vram_gb": tuple(map(Decimal, row.get("vram_gb", ()))),
        "limits": _limits(row.get("limits", {})),
        "frames": frames_of(row.get("frames")),
        "work": work_of(row.get("work")),
    }


def _days(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**row, **{name: date.fromisoformat(row[name]) for name in names if name in row}}
