"""`registry weights`: the weights there are to run on machines of one's own, their licences, and what they want."""

from typing import Annotated, Any

import typer

from aggregator.cli.catalogue import Catalogue, TaskFilter, known_task
from aggregator.cli.registry_weights_view import draw_weights
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import as_plain, console, emit
from aggregator.errors import UnknownModelError
from aggregator.registry.cards import Card, Weights
from aggregator.registry.rows import perhaps

__all__ = ["weights"]

FIELDS = ("repository", "tasks", "license", "commercial_use", "vram_gb", "vram_note", "note", "source", "checked")

ModelArgument = Annotated[str | None, typer.Argument(metavar="MODEL", help="Everything that is known of this one's.")]


def weights(
    model: ModelArgument = None,
    *,
    task: TaskFilter = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List open weights: licence, whether they may be used commercially, and the GPU memory they want."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        known_task(task)
        found = _found(Catalogue.open(session.config()), model, task)
    if as_json:
        emit([_as_json(card, one) for card, one in found])
    else:
        draw_weights(console(), found, whole=model is not None)


def _found(catalogue: Catalogue, model: str | None, task: str | None) -> list[tuple[Card, Weights]]:
    """Every set of weights with its card, in the order of their names.

    Raises:
        UnknownModelError: There are no weights of that model.

    """
    cards = {name: card for name, card in sorted(catalogue.registry.cards.items()) if card.weights}
    if model is not None and model not in cards:
        raise UnknownModelError(f"there are no weights of {model!r} here{perhaps(model, cards)}")
    kept = cards.values() if model is None else [cards[model]]
    return [(card, one) for card in kept for one in card.weights if task is None or task in one.tasks]


def _as_json(card: Card, one: Weights) -> dict[str, Any]:
    return {"model": card.id, **{name: as_plain(getattr(one, name)) for name in FIELDS}}
