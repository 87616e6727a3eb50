"""`models` and `prices`: what there is, and what one job costs on each. Opens no store and sends nothing."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from aggregator.backends import backends_of, provider_tables
from aggregator.cli import asked
from aggregator.cli.asked import request_of
from aggregator.cli.catalogue_view import draw_models, draw_prices
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.config import Config, nearest
from aggregator.contract import Provider
from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.pricing.quote import Quote
from aggregator.pricing.table import PriceTable, Rate
from aggregator.probing import Prober
from aggregator.registry.cards import Card, Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.candidates import candidates
from aggregator.routing.plan import Ask
from aggregator.tasks import TASKS, Request

__all__ = ["Catalogue", "GoneRow", "OfferRow", "PriceRow", "models", "prices"]

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


def prices(
    task: asked.Task,
    words: asked.Words = None,
    *,
    inputs: asked.Inputs = None,
    sets: asked.Sets = None,
    on_unsupported: asked.OnUnsupported = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Say what one job costs on every offer that can do it, the cheapest first."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        catalogue = Catalogue.open(session.config())
        request = asyncio.run(_probed(request_of(task, words or _any_words(task), inputs=inputs, sets=sets)))
        rows, out = price_rows(catalogue, request, adjust=on_unsupported == "adjust")
    if as_json:
        emit({"task": request.task, "offers": [row.as_json() for row in rows], "out": out})
    else:
        draw_prices(console(), request.task, rows, out, today=catalogue.today)


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
        paths = [path.expanduser() for path in config.registry.paths]
        return cls(
            config=config,
            registry=Registry.load(paths, mappings=mappings_of(tables)),
            prices=PriceTable.load(paths),
            tables=tables,
            usable={**not_usable, **dict.fromkeys(backends)},
            today=datetime.now(UTC).date(),
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


def offer_rows(catalogue: Catalogue, *, task: str | None, everything: bool) -> list[OfferRow]:
    """Every offer, by task, workhorses first."""
    known = catalogue.registry.tasks
    if task is not None and task not in TASKS:
        close = nearest(task, TASKS)
        raise RequestError(f"unknown task {task!r}; did you mean {', '.join(close) or ', '.join(TASKS)}?")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What the job costs on one offer."""

    offer: Offer
    tier: str
    quote: Quote
    not_usable: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "offer": self.offer.id,
            "model": self.offer.model,
            "tier": self.tier,
            "quote": self.quote.as_json(),
            "configured": self.not_usable is None,
            "not_usable": self.not_usable,
        }


def price_rows(
    catalogue: Catalogue, request: Request, *, adjust: bool = False
) -> tuple[list[PriceRow], dict[str, str]]:
    """The offers that can do it, key or no key, cheapest first and unknown prices last; and why the others cannot."""
    found = candidates(
        catalogue.registry,
        catalogue.prices,
        catalogue.config,
        dict.fromkeys(catalogue.usable),
        request,
        Ask(on_unsupported="adjust" if adjust else "error"),
        catalogue.today,
    )
    can = [(item.offer, item.tier, item.quote) for item in found.ranked]
    can += [(item.offer, item.tier, item.quote) for item in found.out if item.refusal.kind == "price"]
    rows = [
        PriceRow(offer=offer, tier=tier, quote=quote, not_usable=catalogue.reason(offer))
        for offer, tier, quote in can
        if quote is not None
    ]
    rows.sort(key=lambda row: (row.quote.high_usd is None, row.quote.high_usd or 0, row.offer.id))
    out = {item.offer.id: item.refusal.why() for item in found.out if item.refusal.kind != "price"}
    return rows, out


def _any_words(task: str) -> str | None:
    """A price by the second or the picture needs no prompt: stand-in words, where the task wants some."""
    kind = TASKS.get(task)
    field = None if kind is None else kind.model_fields.get("prompt")
    return "…" if field is not None and field.is_required() else None


async def _probed(request: Request) -> Request:
    """The request with its files looked at where they lie: prices go by size and length."""
    from aggregator.store.files import sniff

    prober = Prober()
    known: dict[int, Media] = {}
    try:
        for _, media in request.media():
            if isinstance(media.source, Path):
                facts = await prober.probe(media.source)
                with media.source.open("rb") as file:
                    mime_type = sniff(file.read(64))
                size = {name: getattr(facts, name) for name in ("width", "height", "duration_s")} if facts else {}
                known[id(media)] = replace(media, mime_type=mime_type, size_bytes=media.source.stat().st_size, **size)
    finally:
        await prober.aclose()
    return request.replace_media(known) if known else request
