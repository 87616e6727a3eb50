"""How proposals and imports look."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from aggregator.cli.show import heading, say, shown_path
from aggregator.discovery.found import Found
from aggregator.discovery.importing import Imported
from aggregator.discovery.propose import KINDS, Kind, Proposals

__all__ = ["draw_import", "draw_proposals"]

SHOWN = 12
TITLES: Mapping[Kind, str] = {
    "gone": "Gone",
    "renamed": "Renamed",
    "deprecated": "Deprecated",
    "date": "Ends on another day",
    "back": "Back",
    "new": "New",
    "reading": "New readings",
}


def draw_proposals(
    on: Console,
    found: Sequence[Found],
    proposals: Proposals,
    prices: int,
    unasked: Mapping[str, str],
    files: Sequence[Path],
    todo: Sequence[str],
) -> None:
    """What was asked, what it suggests, and what was not believed."""
    for one in found:
        counts = (("offers", len(one.offers)), ("prices", len(one.prices)), ("readings", len(one.readings)))
        say(on, f"{one.source}: {', '.join(f'{count} {name}' for name, count in counts if count) or 'nothing'}")
    _draw_kinds(on, proposals)
    if prices:
        say(on, f"prices: {prices} differ or are new; `aggregator prices refresh` shows and appends them")
    for warning in proposals.warnings:
        say(on, f"! {warning}")
    for reasons, names in _alike(unasked).items():
        say(on, f"· not asked: {', '.join(names)}: {reasons}")
    for file in files:
        say(on, f"written: {shown_path(file)}")
    for line in todo:
        say(on, f"to do: {line}")


def _draw_kinds(on: Console, proposals: Proposals) -> None:
    for kind in KINDS:
        these = proposals.of([kind])
        if not these:
            continue
        on.print(heading(TITLES[kind], dim=f"{len(these)}, --accept {kind}"))
        for item in these[:SHOWN]:
            say(on, f"{item.subject}: {item.said}", indent=2)
        if len(these) > SHOWN:
            say(on, f"and {len(these) - SHOWN} more; --json lists all", indent=2)
    if not proposals.proposals:
        on.print(heading("Nothing to propose."))


def _alike(unasked: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in unasked.items():
        found.setdefault(reason, []).append(name)
    return found


def draw_import(on: Console, made: Imported) -> None:
    """What can be ordered now, what was left to the provider, and what is not known."""
    tasks = Counter(offer.task for offer in made.offers)
    for offer in made.offers:
        on.print(heading(offer.id, dim=f"{offer.model}, {offer.task}"))
        say(on, f"takes {', '.join(offer.mapping.fields)}", indent=2)
        left = made.left_out.get(offer.task, ())
        if left:
            say(on, "left to the provider:", indent=2)
            for one in left:
                say(on, str(one), indent=4)
    for line in made.said:
        say(on, f"· {line}")
    for file in made.files:
        say(on, f"written: {shown_path(file)}")
    first = next(iter(tasks), "")
    if first:
        say(on, f"aggregator plan {first} … --model {made.offers[0].id}")
