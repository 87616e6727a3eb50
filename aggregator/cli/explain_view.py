"""Why a plan is as it is, on one screen: who won, who lost and why, with the figures that decided."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import NOT_USABLE, USABLE, entries, heading, quoted, say, seconds
from aggregator.routing.plan import Candidate, Plan

__all__ = ["draw_explained"]

RANKED, REASONS, NAMED = 12, 12, 3
COLUMNS = ("", "price", "quality", "works", "takes", "ends in", "tier")


def draw_explained(on: Console, plan: Plan) -> None:
    """Draw the decision; what would be sent is not part of it."""
    ask = plan.ask
    on.print(Text.assemble((plan.request.task, "bold"), f" · {ask.stage} → ", (plan.offer.model, "bold cyan")))
    say(on, plan.why, indent=2)
    for change in plan.chosen.adjustments:
        say(on, f"{change.kind}: {change.field} {change.asked} → {change.sent} ({change.why})", indent=2)
    on.print()
    ranked = [plan.chosen, *plan.alternatives]
    on.print(heading("In this order", dim=f"{len(ranked)} that fit"))
    entries(
        on, COLUMNS, [(_figures(item, first=not place), item.offer.id) for place, item in enumerate(ranked[:RANKED])]
    )
    _more(on, len(ranked) - RANKED)
    for item in ranked[:RANKED]:
        for note in _notes(item):
            say(on, item.offer.id, Text(f"  {note}", "dim"), indent=2)
    _out(on, plan.excluded)
    on.print()
    said = "quality: pairs won of 100 against the best of today, with its 95 % interval; works, takes: here, lately"
    say(on, Text(said, "dim"))


def _figures(item: Candidate, *, first: bool) -> Sequence[str]:
    """The cells of a row; what nobody knows is a dash."""
    standing, track = item.standing, item.track
    quality = "–"
    if standing is not None:
        quality = f"{standing.share * 100:.0f} ({standing.low * 100:.0f}–{standing.high * 100:.0f})"
    works = "–" if track is None else f"{track.success * 100:.0f} % of {track.n:.0f}"
    return (
        USABLE if first else "",
        quoted(item.quote),
        quality,
        works,
        seconds(None if track is None else track.p50_s),
        "–" if item.days_left is None else f"{item.days_left} days",
        item.tier,
    )


def _notes(item: Candidate) -> Iterator[str]:
    """What the figures do not say already."""
    if item.passed_over is not None:
        yield item.passed_over
    yield from (note for note in item.notes if not note.startswith(("a stand-in", "a hero, ", "a workhorse, ")))
    yield from (f"{change.kind}: {change.field} {change.asked} → {change.sent}" for change in item.adjustments)


def _out(on: Console, candidates: Sequence[Candidate]) -> None:
    """Those that are out, by reason: who was priced first, last who cannot be used here at all."""
    if not candidates:
        return
    on.print()
    on.print(heading("Out", dim=f"{len(candidates)} offers"))
    reasons: dict[str, list[Candidate]] = {}
    for item in candidates:
        reasons.setdefault(_reason(item), []).append(item)
    in_order = sorted(reasons.items(), key=lambda pair: (pair[1][0].quote is None, pair[1][0].kind in _APART))
    for reason, items in in_order[:REASONS]:
        say(on, NOT_USABLE, f" {_who(items)}", Text(f"  {reason}", "dim"), indent=2)
    _more(on, len(in_order) - REASONS)


def _reason(item: Candidate) -> str:
    """The reason without the offer's own name, so that offers with one reason are together."""
    if item.kind in _APART:
        return _APART[item.kind]
    return (item.excluded or "").replace(f" of {item.offer.id}", "")


_APART = {
    "provider": "their providers cannot be used here: `aggregator doctor` says why",
    "unmapped": "listed, but nobody has said yet how to ask for them",
    "model": "not what was asked for",
}


def _who(items: Sequence[Candidate]) -> str:
    if len(items) <= NAMED:
        return ", ".join(f"{item.offer.id}{_at(item)}" for item in items)
    providers = list(dict.fromkeys(item.offer.provider for item in items))
    names = ", ".join(providers) if len(providers) <= NAMED else f"{len(providers)} providers"
    return f"{len(items)} offers of {names}"


def _at(item: Candidate) -> str:
    high = None if item.quote is None else item.quote.high_usd
    return "" if high is None else f" ({quoted(item.quote)})"


def _more(on: Console, count: int) -> None:
    if count > 0:
        on.print(Text(f"  and {count} more: --json has all of them", "dim"))
