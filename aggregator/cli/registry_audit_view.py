"""How an audit and a difference look."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import heading, quoted, say, table
from aggregator.registry.audit import KINDS, Finding, Kind
from aggregator.registry.diff import Difference, Side
from aggregator.registry.quality import Standing

__all__ = ["draw_audit", "draw_differences"]

SHOWN = 8
MEANING: Mapping[Kind, str] = {
    "stale": "not looked at for so long that it is not to be relied on",
    "due": "to be looked at again",
    "dying": "ends soon, or nobody knows when",
    "superseded": "another one follows it",
    "unpriced": "what it costs is unknown",
    "unproved": "no board has read it that can be compared, and nobody here has judged it",
    "redirected": "another model answers",
    "unmapped": "listed, and nobody knows how to ask for it",
}


def draw_audit(on: Console, found: Sequence[Finding], day: date, *, everything: bool, over: Mapping[Kind, int]) -> None:
    """The findings, a group for each kind; what is said of one thing for several tasks is said once."""
    counts = Counter(finding.kind for finding in found)
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    say(on, heading(f"On {day}: {summary or 'nothing to look after'}"))
    for kind in KINDS:
        merged: dict[tuple[str, str], list[Finding]] = {}
        for finding in found:
            if finding.kind == kind:
                merged.setdefault((finding.subject, finding.said), []).append(finding)
        groups = list(merged.values())
        if not groups:
            continue
        on.print()
        say(on, heading(f"{kind} {counts[kind]}", dim=MEANING[kind]))
        shown = groups if everything else groups[:SHOWN]
        room = max(len(_days(group[0])) for group in shown)
        for group in shown:
            _draw(on, group, room)
        if rest := [finding for group in groups[len(shown) :] for finding in group]:
            whose = Counter(finding.provider or finding.task for finding in rest).most_common(4)
            more = ", ".join(f"{name} {n}" for name, n in whose)
            say(on, Text(f"and {len(rest)} more, most of {more}: --only {kind}", "dim"), indent=2)
    if over:
        on.print()
        said = ", ".join(f"{n} {kind}" for kind, n in over.items())
        say(on, Text(f"More than --fail-on bears: {said}", "red"))


def _days(finding: Finding) -> str:
    return "" if finding.days is None else f"{finding.days} d"


def _draw(on: Console, group: Sequence[Finding], room: int) -> None:
    """One line where there is room for it; else what is the matter is on further ones."""
    first = group[0]
    subject = f"  {_days(first):>{room}}{'  ' if room else ''}{first.subject}"
    tasks = ", ".join(dict.fromkeys(one.task for one in group if one.task and one.task not in one.said))
    said = f"{tasks}: {first.said}" if tasks else first.said
    if len(subject) + 2 + len(said) <= on.width:
        on.print(Text.assemble(subject, "  ", (said, "dim")), soft_wrap=True)
    else:
        on.print(Text(subject), soft_wrap=True)
        say(on, Text(said, "dim"), indent=room + 6)


# ---------------------------------------------------------------------------------------------------------- differences


def draw_differences(on: Console, found: Sequence[Difference], day: date) -> None:
    """What changes, a part for each task."""
    for one in found:
        say(on, heading(one.task, dim=f"on {day}"))
        grid = table(on, "", "A", "B", fold=("A", "B"))
        grid.add_row("model", one.a.offer.model, one.b.offer.model)
        grid.add_row("offer", one.a.offer.id, one.b.offer.id)
        grid.add_row("life", _life(one.a), _life(one.b))
        times = "" if one.times is None else f"  ×{one.times:.2f}"
        grid.add_row("price", quoted(one.a.quote), quoted(one.b.quote) + times)
        grid.add_row("quality", _quality(one.a.standing), _quality(one.b.standing))
        for name, a, b in one.limits:
            grid.add_row(name, a, b)
        if any(one.rules):
            grid.add_row("only", *("; ".join(rules) for rules in one.rules))
        on.print(grid)
        for word, names, style in (("lost", one.lost, "red"), ("gained", one.gained, "green")):
            say(on, Text(f"{word:<8}", style), ", ".join(names) or "nothing")
        given = {name: value for name, value in one.job.values().items() if isinstance(value, float)}
        job = ", ".join(f"{name}={value:g}" for name, value in given.items())
        say(on, Text(f"The price is of one job{f' with {job}' if job else ''}; quality is pairs won of 100", "dim"))
        on.print()


def _life(side: Side) -> str:
    words = [side.life]
    if side.days_left is not None:
        words.append(f"{side.days_left} days left")
    if side.offer.successor:
        words.append(f"then {side.offer.successor}")
    return ", ".join(words)


def _quality(standing: Standing | None) -> str:
    if standing is None:
        return "unknown"
    share, low, high = (round(100 * one) for one in (standing.share, standing.low, standing.high))
    whose = {"board": standing.board, "own": "your own", "both": f"{standing.board} and your own"}[standing.basis]
    return f"{share} ({low}–{high}), {whose}, {standing.as_of}"
