"""The tables of `registry weights`."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import entries, heading, say
from aggregator.registry.cards import Card, Weights
from aggregator.routing.frames import described
from aggregator.routing.limits import describe

__all__ = ["draw_weights"]

_USES = {"yes": "yes", "no": "no", "conditional": "on conditions", "unknown": "unknown"}


def draw_weights(on: Console, found: Sequence[tuple[Card, Weights]], *, whole: bool) -> None:
    """One line for each set of weights; `whole`: all that is known of each."""
    if whole:
        for card, one in found:
            _all_of(on, card, one)
        return
    rows = [((_uses(one), card.id, _memory(one), one.license), one.repository) for card, one in found]
    entries(on, ("commercial", "model", "VRAM", "licence"), rows, last="repository")
    on.print()
    words = (
        "What a licence allows is our reading and no advice; `unknown` was not read. The memory is its source's word."
    )
    say(on, Text(words, "dim"))


def _all_of(on: Console, card: Card, one: Weights) -> None:
    on.print(heading(f"{card.title or card.id}: {one.repository}"))
    for name, said in _lines(one):
        say(on, Text(f"{name:12}", "dim"), said, indent=2)
    on.print()


def _lines(one: Weights) -> Iterator[tuple[str, str]]:
    yield "tasks", ", ".join(one.tasks)
    yield "licence", one.license
    yield "commercial", _uses(one) + ("" if one.commercial_use != "unknown" else ": nobody has read it for this")
    yield "VRAM", _memory(one) + (f" ({one.vram_note})" if one.vram_note else "")
    if one.frames is not None:
        yield "frames", described(one.frames)
    for name, limit in one.limits.items():
        yield name, describe(limit)
    for name, value in one.defaults.items():
        yield f"usual {name}", "x".join(map(str, value)) if isinstance(value, list) else str(value)
    if one.work is not None:
        of = one.work
        yield "work", f"{of.parameters} billion parameters for every token, {of.steps} steps ({of.source})"
    if one.note:
        yield "note", one.note
    yield "source", f"{one.source}, read {one.checked}"


def _uses(one: Weights) -> str:
    return _USES[one.commercial_use]


def _memory(one: Weights) -> str:
    """The least they run in, and what they want whole."""
    return "–".join(str(amount) for amount in one.vram_gb) + " GB" if one.vram_gb else "unknown"
