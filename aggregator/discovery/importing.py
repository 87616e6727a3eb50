"""A model's first day: from what its endpoint publishes to an offer (and a card) in a directory of the user's.

Nothing is written before the registry has read it: an import that would not load leaves no file behind.
"""

import re
import shutil
import tempfile
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from aggregator.discovery.documents import Document, document_of
from aggregator.discovery.found import Found, FoundOffer, FoundPrice
from aggregator.discovery.mapper import LeftOut, Mapped
from aggregator.errors import ConfigurationError, RequestError
from aggregator.pricing.append import append
from aggregator.pricing.refresh import refresh
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import Mappings
from aggregator.registry.writing import toml_text

__all__ = ["Draft", "Imported", "Wish", "card_text", "draft", "importing", "keep"]

_METERS: Mapping[str, str] = {
    "image": "1",
    "video": "1",
    "request": "1",
    "megapixel": "request.megapixels_rounded",
    "kilo_character": "request.kilo_characters",
    "character": "request.characters",
    "video_second": "request.duration_s",
    "audio_second": "request.duration_s",
}
"""What a request uses of a unit; what is not here (seconds of a machine) is known when it is over."""
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SOUND = frozenset({"text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says of an import, because no schema does."""

    model: str
    tasks: tuple[str, ...] = ()
    """Empty: the one that alone fits."""
    maker: str | None = None
    tier: Literal["workhorse", "hero"] | None = None
    title: str = ""
    by_version: bool = False
    """Replicate: order the newest version, not the model's name."""
    fixed: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made."""

    offers: tuple[Offer, ...]
    left_out: Mapping[str, tuple[LeftOut, ...]]
    """By task."""
    said: tuple[str, ...]
    """What a person should know: what was assumed, and what is not known."""
    files: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "offers": [{"id": one.id, "task": one.task, "model": one.model} for one in self.offers],
            "left_out": {task: [str(one) for one in left] for task, left in self.left_out.items()},
            "said": list(self.said),
            "files": [str(file) for file in self.files],
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """What an import would write."""

    texts: Mapping[str, str]
    left_out: Mapping[str, tuple[LeftOut, ...]]
    said: tuple[str, ...]


def importing(
    found: Found,
    endpoint: str,
    wish: Wish,
    into: Path,
    *,
    paths: Sequence[Path],
    mappings: Mappings,
    today: date,
    overwrite: bool = False,
) -> Imported:
    """Write the offer of an endpoint, its card if the model has none, and its price if the source said one.

    Raises:
        RequestError: The endpoint is not there, cannot be used, or something must be said that nobody said.
        ConfigurationError: What is in `into` does not load.

    """
    others = [path for path in paths if path.absolute() != into.absolute()]
    before = [*others, into] if _holds_files(into) else others
    made = draft(found, endpoint, wish, Registry.load(before, mappings=mappings).cards, today)
    kept = keep(made, f"{found.source}:{endpoint}", into, others, mappings, overwrite=overwrite)
    said = list(made.said)
    files = [*kept.files, *_priced(found, kept.offers, into, before, today, said)]
    return replace(kept, said=tuple(said), files=tuple(files))


def keep(
    made: Draft, pin: str, into: Path, others: Sequence[Path], mappings: Mappings, *, overwrite: bool = False
) -> Imported:
    """Write what was drafted, after the registry has read it.

    Args:
        others: The other directories of the user's.

    Raises:
        RequestError: A file is there already. ConfigurationError: It does not load.

    """
    registry = _written(made.texts, into, others, mappings, overwrite=overwrite)
    offers = tuple(one for task in made.left_out for one in registry.offers(task) if one.id == pin)
    return Imported(offers, made.left_out, made.said, tuple(into / name for name in made.texts))


def draft(found: Found, endpoint: str, wish: Wish, cards: Container[str], today: date) -> Draft:
    """The files of an import, by their names below a directory. Pure.

    Raises:
        RequestError: As `importing`.

    """
    offer = next((one for one in found.offers if one.endpoint == endpoint), None)
    if offer is None or offer.status == "retired":
        raise RequestError(f"{found.source} has no {endpoint!r}{f' ({offer.note})' if offer and offer.note else ''}")
    try:
        document = document_of(offer)
    except ValueError as error:
        raise RequestError(str(error)) from None
    rows = [_usable(document.map(task, wish.fixed), offer) for task in _tasks(document, wish, offer)]
    said = [f"{offer.provider} lists it as deprecated"] if offer.status == "deprecated" else []
    meters = {mapped.task: _meter(found.prices, offer, mapped, said) for mapped in rows}
    texts = {f"offers/{offer.provider}/{_slug(endpoint)}.toml": _offer_text(offer, document, wish, rows, meters, today)}
    if wish.model not in cards:
        texts[f"models/{wish.model}.toml"] = card_text(wish, said, title=offer.title, released=offer.released)
    return Draft(texts, {mapped.task: mapped.left_out for mapped in rows}, tuple(dict.fromkeys(said)))


def _tasks(document: Document, wish: Wish, offer: FoundOffer) -> tuple[str, ...]:
    if wish.tasks:
        return wish.tasks
    if len(document.tasks) == 1 or offer.provider == "openrouter":
        return document.tasks
    could = f"it could be {', '.join(document.tasks)}" if document.tasks else "none of ours fits what it takes"
    raise RequestError(f"say what {offer.provider}:{offer.endpoint} is for with --task: {could}")


def _usable(mapped: Mapped, offer: FoundOffer) -> Mapped:
    if mapped.refused:
        why = "; ".join(mapped.refused)
        raise RequestError(
            f"{offer.provider}:{offer.endpoint} cannot be used for {mapped.task}: {why}. Another --task may fit; "
            "a value that is always the same is given with --fix NAME=VALUE"
        )
    return mapped


# ------------------------------------------------------------------------------------------------------------- prices


def _meter(prices: Sequence[FoundPrice], offer: FoundOffer, mapped: Mapped, said: list[str]) -> dict[str, str] | None:
    """What is billed, where the source's unit says it and the request knows how much of it there is."""
    own = [price for price in prices if price.endpoint == offer.endpoint]
    if not own:
        said.append("its price is unknown: it can be ordered with max_usd only, until a rate says what it costs")
        return None
    unit = _unit(own[0], mapped.task)
    quantity = _METERS.get(unit or "")
    needs = (quantity or "").removeprefix("request.")
    known = {*mapped.row.get("fields", {}), *mapped.row.get("defaults", {})}
    if unit is None or quantity is None or (needs == "duration_s" and needs not in known):
        said.append(f"its price is {own[0].said}: how much of that {mapped.task} uses is not known beforehand")
        return None
    return {"unit": unit, "quantity": quantity}


def _unit(price: FoundPrice, task: str) -> str | None:
    """Seconds are of sound where sound is made."""
    return "audio_second" if price.unit == "video_second" and task in _SOUND else price.unit


def _priced(
    found: Found, offers: Sequence[Offer], into: Path, before: Sequence[Path], today: date, said: list[str]
) -> list[Path]:
    """Append what the source says each offer costs, as far as the price guards let it pass."""
    metered = [offer for offer in offers if offer.mapping.meters]
    if not metered:
        return []
    unit = {offer.endpoint: offer.mapping.meters[0].unit for offer in metered}
    prices = tuple(
        replace(price, unit=unit.get(price.endpoint, price.unit)) for price in found.prices if price.unit is not None
    )
    table = PriceTable.load(before)
    decided = refresh(table, metered, [replace(found, prices=prices)], today)
    said += [f"price: {verdict.price.said}: {verdict.why or verdict.kind}" for verdict in decided.verdicts]
    return append(table, [verdict.rate for verdict in decided.accepted], into)


# -------------------------------------------------------------------------------------------------------------- files


def _slug(endpoint: str) -> str:
    """A file's name from an endpoint's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", endpoint.removeprefix("fal-ai/")).strip("-.") or "offer"


def _offer_text(
    offer: FoundOffer,
    document: Document,
    wish: Wish,
    rows: Sequence[Mapped],
    meters: Mapping[str, Mapping[str, str] | None],
    today: date,
) -> str:
    top: dict[str, Any] = {"model": wish.model, "endpoint": offer.endpoint, "checked": today}
    top["source"] = f"{document.source}, asked {today.isoformat()}"
    if offer.status in ("deprecated", "preview"):
        top["status"] = offer.status
    if wish.by_version:
        top |= {"dialect": "version", **document.row}
    left = sorted({one.path for mapped in rows for one in mapped.left_out})
    if left:
        top["note"] = f"Left to the provider's own defaults: {', '.join(left)}."
    bodies = {}
    for mapped in rows:
        meter = meters[mapped.task]
        bodies[mapped.task] = {**({"meters": [dict(meter)]} if meter else {}), **mapped.row}
    if len(bodies) == 1:
        (task, body), *_ = bodies.items()
        return toml_text({**top, "task": task, **body})
    return toml_text({**top, "tasks": bodies})


def card_text(wish: Wish, said: list[str], *, title: str = "", released: date | None = None) -> str:
    """The card of a model that has none, as far as somebody says what it is.

    Raises:
        RequestError: It has no name that a card can have, or nobody says who makes it.

    """
    if not _MODEL_ID.fullmatch(wish.model):
        raise RequestError(f"{wish.model!r} is no model's id: lower-case letters, digits, '.', '_', '-'")
    if wish.maker is None:
        raise RequestError(
            f"there is no card for the model {wish.model!r} yet: say who makes it with --maker, and its tier with "
            "--tier (workhorse unless said otherwise)"
        )
    if wish.tier is None:
        said.append(f"{wish.model} is taken for a workhorse: --tier hero says otherwise")
    card: dict[str, Any] = {"maker": wish.maker, "tier": wish.tier or "workhorse"}
    if named := wish.title or title:
        card["title"] = named
    if released is not None:
        card["released"] = released
    return toml_text({"model": card})


def _holds_files(directory: Path) -> bool:
    return directory.is_dir() and any(directory.iterdir())


def _written(
    texts: Mapping[str, str], into: Path, others: Sequence[Path], mappings: Mappings, *, overwrite: bool
) -> Registry:
    """Write the files where they belong, after a copy of the whole directory with them has been read."""
    there = [into / name for name in texts if (into / name).exists()]
    if there and not overwrite:
        raise RequestError(f"{there[0]} is there already: --overwrite replaces it")
    with tempfile.TemporaryDirectory() as directory:
        trial = Path(directory) / "registry"
        if into.is_dir():
            shutil.copytree(into, trial)
        _put(texts, trial)
        try:
            registry = Registry.load([*others, trial], mappings=mappings)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).replace(str(trial), str(into))) from None
    _put(texts, into)
    return registry


def _put(texts: Mapping[str, str], into: Path) -> None:
    for name, text in texts.items():
        file = into / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
