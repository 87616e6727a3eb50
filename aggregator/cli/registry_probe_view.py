"""How probes and the quarantine look."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Console

from aggregator.cli.show import heading, say
from aggregator.discovery.probe import Probed
from aggregator.store.quarantine import Quarantine

__all__ = ["draw_probed", "draw_quarantine"]

FEW = 5
TITLES: Mapping[str, str] = {
    "gone": "✗ Gone",
    "changed": "✗ Changed",
    "narrower": "! Takes less",
    "failed": "! Could not be asked",
    "unlisted": "· Not on its provider's list",
    "alive": "✓ Alive",
    "unknown": "· Not probed",
}


def draw_probed(on: Console, found: Sequence[Probed], put: Sequence[str], lifted: Sequence[str]) -> None:
    """By verdict, the worst first; what is well is counted, and those who say the same are told together."""
    for verdict, title in TITLES.items():
        these = [one for one in found if one.verdict == verdict]
        if not these:
            continue
        on.print(heading(title, dim=str(len(these))))
        for said, pins in _alike(these).items():
            more = f" and {len(pins) - FEW} more" if len(pins) > FEW else ""
            say(on, f"{', '.join(pins[:FEW])}{more}: {said}", indent=2)
    for pin in put:
        say(on, f"quarantined: {pin}")
    for pin in lifted:
        say(on, f"out of quarantine: {pin}")
    if put:
        say(
            on,
            "plans pass over what is in quarantine; `aggregator registry quarantine lift OFFER` lets it be used again",
        )
    if not found:
        on.print(heading("No offer to probe: no provider is configured, or none has a live one."))


def _alike(found: Sequence[Probed]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for one in found:
        pins = groups.setdefault(one.said, [])
        if one.offer.id not in pins:
            pins.append(one.offer.id)
    return groups


def draw_quarantine(on: Console, found: Sequence[Quarantine]) -> None:
    """What is passed over, since when and why, with the way out."""
    on.print(heading("In quarantine" if found else "Nothing is in quarantine."))
    for one in found:
        since = datetime.fromtimestamp(one.since / 1000, UTC)
        say(on, f"{one.offer} since {since:%Y-%m-%d %H:%M} UTC: {one.why}", indent=2)
        say(on, f"aggregator registry quarantine lift {one.offer}", indent=4)
