"""`models`: what there is; and what every command that looks at the catalogue reads. Opens no store, sends nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

import typer

from aggregator.backends import backends_of, provider_tables
from aggregator.cli.catalogue_view import draw_models
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.config import Config, nearest
from aggregator.contract import Provider
from aggregator.errors import RequestError
from aggregator.feeding import last_known
from aggregator.pricing.table import PriceTable, Rate
from aggregator.registry.cards import Card, Offer
from aggregator.registry.load import Registry
from aggregator.tasks import TASKS

__all__ = ["Catalogue", "GoneRow", "OfferRow", "TaskFilter", "known_task", "models"]

TaskFilter = Annotated[str | None, typer.Option("--task", metavar="TASK", help="This kind of work only.")]
All = Annotated[bool, typer.Option("--all", help="Also what is retired, announced or not to be had.")]


def models(
    *,
    task: TaskFilter = None,
    everything: All = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List the models on offer: tier, life, price, and whether they can be used here."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        catalogue = Catalogue.open(session.config())
        rows = offer_rows(catalogue, task=task, everything=everything)
        gone = gone_rows(catalogue) if everything and task is None else []
    if as_json:
        emit([*(row.as_json() for row in rows), *(row.as_json() for row in gone)])
    else:
        draw_models(console(), rows, gone)


# ------------------------------------------------------------------------------------------------------------ gathering


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Registry, prices and configuration, without a store."""

    config: Config
    registry: Registry
    prices: PriceTable
    tables: Mapping[str, Provider]
    usable: Mapping[str, str | None]
    """Provider to `None`, or to why it cannot be used here."""
    today: date

    @classmethod
    def open(cls, config: Config, environ: Mapping[str, str] = os.environ) -> Self:
        """Read what the package and the user's directories say."""
        tables = provider_tables(config)
        backends, not_usable = backends_of(config, tables, environ)
        today = datetime.now(UTC).date()
        registry, prices = last_known(config, tables, today)
        return cls(
            config=config,
            registry=registry,
            prices=prices,
            tables=tables,
            usable={**not_usable, **dict.fromkeys(backends)},
            today=today,
        )

    def tier(self, offer: Offer) -> str:
        return self.config.tiers.get(offer.model, self.registry.card(offer.model).tier)

    def reason(self, offer: Offer) -> str | None:
        """Why an offer's provider cannot be used; `None`: it can."""
        return self.usable.get(offer.provider, f"no provider is named {offer.provider!r} here")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """One offer at a glance."""

    offer: Offer
    tier: str
    life: str
    days_left: int | None
    rates: Mapping[str, tuple[Rate, ...]]
    """By unit, the rates that may apply today; none: unknown."""
    not_usable: str | None

    def as_json(self) -> dict[str, Any]:
        offer = self.offer
        return {
            "task": offer.task,
            "model": offer.model,
            "tier": self.tier,
            "offer": offer.id,
            "lifecycle": self.life,
            "days_left": self.days_left,
            "successor": offer.successor,
            "checked": offer.checked.isoformat(),
            "rates": [
                {"unit": unit, "usd": str(rate.usd), "row": rate.id}
                for unit, found in self.rates.items()
                for rate in found
            ],
            "configured": self.not_usable is None,
            "not_usable": self.not_usable,
        }


def known_task(task: str | None) -> None:
    """Raises:
    RequestError: It is no task.
    """
    if task is not None and task not in TASKS:
        close = nearest(task, TASKS)
        raise RequestError(f"unknown task {task!r}; did you mean {', '.join(close) or ', '.join(TASKS)}?")


def offer_rows(catalogue: Catalogue, *, task: str | None, everything: bool) -> list[OfferRow]:
    """Every offer, by task, workhorses first."""
    known = catalogue.registry.tasks
    known_task(task)
    offers = [offer for name in known if task in (None, name) for offer in catalogue.registry.offers(name)]
    rows = [_offer_row(catalogue, offer) for offer in offers]
    shown = [row for row in rows if everything or row.life not in ("retired", "announced")]
    return sorted(shown, key=lambda row: (row.offer.task, row.tier != "workhorse", row.offer.model, row.offer.id))


def _offer_row(catalogue: Catalogue, offer: Offer) -> OfferRow:
    today = catalogue.today
    units = dict.fromkeys(meter.unit for meter in offer.mapping.meters)
    life = offer.stage(today)
    return OfferRow(
        offer=offer,
        tier=catalogue.tier(offer),
        life=life,
        days_left=(offer.retires - today).days if offer.retires and life != "retired" else None,
        rates={unit: catalogue.prices.rows_for(offer, unit, today) for unit in units},
        not_usable=catalogue.reason(offer),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneRow:
    """A model that is retired, or that its maker offers no official way to."""

    card: Card
    life: str

    def as_json(self) -> dict[str, Any]:
        card = self.card
        return {
            "task": None,
            "model": card.id,
            "tier": card.tier,
            "offer": None,
            "lifecycle": self.life,
            "retired": None if card.retired is None else card.retired.isoformat(),
            "successor": card.successor,
            "equivalents": list(card.equivalents),
            "why": card.why,
        }


def gone_rows(catalogue: Catalogue) -> list[GoneRow]:
    """The cards of models that nobody serves any more, or ever did."""
    cards = sorted(catalogue.registry.cards.values(), key=lambda card: card.id)
    lives = ((card, card.stage(catalogue.today)) for card in cards)
    return [GoneRow(card=card, life=life) for card, life in lives if life != "active"]
