"""The rows of a registry: what the index holds, where each is from, and whether they name what there is."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aggregator._lines import lines_in
from aggregator.config import nearest
from aggregator.errors import ConfigurationError
from aggregator.registry.mapping import Mappings, complete

__all__ = ["Key", "Rows", "check_mappings", "check_references", "perhaps"]

Key = tuple[str, str, str]
"""Provider, endpoint, task: what makes two offers the same."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Checked rows, and for messages the file each came from."""

    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    offers: dict[Key, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str | Key, str] = field(default_factory=dict)


def check_references(rows: Rows) -> None:
    """Every model and every successor that is named must exist. Call it with all directories laid together."""
    pins = {f"{provider}:{endpoint}" for provider, endpoint, _ in rows.offers}
    for model, card in rows.cards.items():
        _check_successor(rows, model, card.get("successor"), ())
        for other in card.get("equivalents", ()):
            if other not in rows.cards:
                where = _where(rows, model, "equivalents")
                raise ConfigurationError(f"{where}: unknown equivalent {other!r}{perhaps(other, rows.cards)}")
    for name, board in rows.boards.items():
        for reading in board["readings"]:
            if reading[0] and reading[0] not in rows.cards:
                where = _where(rows, name, reading[0])
                raise ConfigurationError(f"{where}: unknown model {reading[0]!r}{perhaps(reading[0], rows.cards)}")
    for key, offer in rows.offers.items():
        _check_weights(rows, key, offer)
        for word in ("model", "serves"):
            if (named := offer.get(word, offer["model"])) not in rows.cards:
                where = _where(rows, key, word)
                raise ConfigurationError(f"{where}: {word}: unknown model {named!r}{perhaps(named, rows.cards)}")
        _check_successor(rows, key, offer.get("successor"), pins)


def check_mappings(rows: Rows, mappings: Mappings) -> None:
    """Every offer must be whole once its row lies over its provider's own mapping."""
    for key, offer in rows.offers.items():
        if offer.get("unmapped"):
            continue
        try:
            complete(offer, mappings)
        except ConfigurationError as error:
            raise ConfigurationError(f"{_where(rows, key, str(error).partition('.')[0])}: {error}") from None


def _check_weights(rows: Rows, key: Key, offer: dict[str, Any]) -> None:
    """The weights that an offer runs must be there, for its task."""
    if not (named := offer.get("weights")):
        return
    with_weights = {model: card["weights"] for model, card in rows.cards.items() if card.get("weights")}
    if named not in with_weights:
        where = _where(rows, key, "weights")
        raise ConfigurationError(f"{where}: weights: no card {named!r} with weights{perhaps(named, with_weights)}")
    tasks = [task for one in with_weights[named] for task in one["tasks"]]
    if offer["task"] not in tasks:
        where = _where(rows, key, "weights")
        raise ConfigurationError(f"{where}: weights: those of {named} are for {', '.join(tasks)}, not {offer['task']}")


def _check_successor(rows: Rows, key: str | Key, successor: str | None, pins: Container[str]) -> None:
    if successor is not None and successor not in rows.cards and successor not in pins:
        raise ConfigurationError(
            f"{_where(rows, key, 'successor')}: unknown successor {successor!r}: name a model that has a card, or an "
            "offer as provider:endpoint"
        )


def _where(rows: Rows, key: str | Key, *path: str) -> str:
    """The file and the line of what a row says; the row itself, where it is of no file."""
    name = key if isinstance(key, str) else " ".join((":".join(key[:2]), key[2]))
    file = Path(rows.files.get(key, name))
    if file.suffix == ".csv":
        lines = file.read_text(encoding="utf-8").splitlines()
        return f"{file}: line {next(n for n, line in enumerate(lines, start=1) if line.startswith(path[0]))}"
    if file.suffix == ".toml":
        return f"{file}: line {lines_in(file, under=('model',) if isinstance(key, str) else ('tasks', key[2]))(path)}"
    return name


def perhaps(word: str, known: Iterable[str]) -> str:
    """What was meant by a word that is not known: the nearest one, or all there are."""
    close = nearest(word, known, count=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
