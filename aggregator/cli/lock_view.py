"""How a lock's changes look: offer, price, parameters and quality, before and after."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import heading, say, usd
from aggregator.lock import Entry, Key
from aggregator.locking import Change
from aggregator.registry.quality import Standing

__all__ = ["draw_changes", "draw_moved", "draw_unresolved"]

SHOWN = 6


def draw_changes(on: Console, changes: Sequence[Change], path: str, count: int) -> None:
    """What is not as it was."""
    if not changes:
        on.print(heading(f"{path} holds", dim=f"{count} entries, nothing to change"), soft_wrap=True)
        return
    if all(change.before is None for change in changes) and len(changes) == count:
        on.print(heading(path, dim=f"{count} entries"), soft_wrap=True)
        for change in changes:
            assert change.after is not None
            say(on, f"{change.key}  ", Text(f"{change.after.offer}  {_price(change.after)}", "dim"), indent=2)
        return
    on.print(heading(path, dim=f"{len(changes)} of {count} entries change"), soft_wrap=True)
    for change in changes:
        on.print()
        _draw(on, change)


def _draw(on: Console, change: Change) -> None:
    before, after = change.before, change.after
    names = " → ".join(dict.fromkeys(entry.offer if entry else "nothing" for entry in (before, after)))
    say(on, Text(f"{change.key}  ", "bold"), names, indent=2)
    _what(on, change.moved)
    if before is None or after is None:
        return
    say(on, f"price    {_price(before)} → {_price(after)}", indent=4)
    say(on, f"quality  {_quality(change.quality_before)} → {_quality(change.quality_after)}", indent=4)
    for word, names_of, style in (("lost", change.lost, "red"), ("gained", change.gained, "green")):
        if names_of:
            say(on, (f"{word:<9}"), Text(", ".join(names_of), style), indent=4)
    for name, was, now in change.limits:
        say(on, f"{name}: {was} → {now}", indent=4)


def _what(on: Console, said: Sequence[str]) -> None:
    for line in said[:SHOWN]:
        say(on, Text(line, "yellow"), indent=4)
    if len(said) > SHOWN:
        say(on, Text(f"and {len(said) - SHOWN} more: --json has all of them", "dim"), indent=4)


def draw_moved(on: Console, found: Mapping[Key, Sequence[str]], missing: Sequence[str], path: str, count: int) -> None:
    """What does not hold any more."""
    if not found and not missing:
        on.print(heading(f"{path} holds", dim=f"{count} entries"), soft_wrap=True)
        return
    on.print(heading(f"{path} does not hold", dim=f"{len(found)} of {count} entries have moved"), soft_wrap=True)
    for key, said in found.items():
        say(on, Text(str(key), "bold"), indent=2)
        _what(on, said)
    for role in missing:
        say(on, Text(f"role {role}  ", "bold"), "is not locked", indent=2)
    say(on, Text("aggregator lock --upgrade shows what would change, and writes it", "dim"))


def draw_unresolved(on: Console, left: Mapping[Key, str]) -> None:
    """What resolves to nobody: with roles what the reason is, for the tasks nobody serves here a line for all."""
    roles = {key: why for key, why in left.items() if key.role}
    for key, why in roles.items():
        say(on, Text(f"{key}  ", "bold"), Text(why, "yellow"), indent=2)
    tasks = sorted({key.task for key in left if not key.role})
    if tasks:
        say(on, Text(f"not locked, because nobody here serves it: {', '.join(tasks)}", "dim"))


def _price(entry: Entry) -> str:
    low, high = (None if text is None else Decimal(text) for text in (entry.low_usd, entry.high_usd))
    return usd(high) if low == high else f"{usd(low)}–{usd(high)}"


def _quality(standing: Standing | None) -> str:
    if standing is None:
        return "unknown"
    return "{} ({}–{})".format(*(round(100 * one) for one in (standing.share, standing.low, standing.high)))
