"""A plan on one screen: who and why, what is sent, what it costs, who else could, and who could not."""

import json
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import entries, heading, quoted, say, usd
from aggregator.pricing.quote import Quote
from aggregator.routing.plan import Candidate, Plan

__all__ = ["draw_plan", "draw_quote"]

SHOWN = 6
_HASH = re.compile(r"sha256:([0-9a-f]{8})[0-9a-f]{56}")


def draw_plan(on: Console, plan: Plan, *, method: str) -> None:
    """Draw it all."""
    offer = plan.offer
    on.print(Text.assemble((plan.request.task, "bold"), f" · {plan.ask.stage} → ", (offer.model, "bold cyan")))
    say(on, f"{offer.id}, a {plan.chosen.tier}: {plan.why}", indent=2)
    for note in plan.chosen.notes:
        say(on, f"note: {note}", indent=2)
    for change in plan.chosen.adjustments:
        asked = "left out" if change.asked is None else change.asked
        say(on, f"{change.kind}: {change.field} {asked} → {change.sent} ({change.why})", indent=2)
    on.print()
    here = "  (in this process)" if (urlsplit(plan.url).hostname or "").endswith(".invalid") else ""
    on.print(heading("Would send", dim=f"{method} {plan.url}{here}"), soft_wrap=True)
    body = json.dumps(dict(plan.body), indent=2, ensure_ascii=False)
    say(on, _HASH.sub(r"sha256:\1…", body), indent=2)
    on.print()
    draw_quote(on, plan.quote, max_usd=None if plan.ask.max_usd is None else usd(plan.ask.max_usd))
    _candidates(on, "Next in line", plan.alternatives)
    _excluded(on, plan.excluded)
    on.print()
    on.print(Text("Nothing was sent, nothing was reserved.", "dim"))


def draw_quote(on: Console, quote: Quote, *, max_usd: str | None = None) -> None:
    """A price with what it is made of."""
    of = f", prices as of {quote.as_of}" if quote.as_of else ""
    on.print(Text.assemble(("Price  ", "bold"), (quoted(quote), "bold green"), (f"  {quote.basis}{of}", "dim")))
    if quote.why:
        say(on, quote.why, indent=2)
    if quote.high_usd is None and max_usd:
        say(on, f"{max_usd} would be reserved: what --max-usd allows", indent=2)
    for line in quote.lines:
        much = "an unknown number of" if line.high is None else line.high
        much = much if line.low == line.high else f"{line.low} to {line.high}"
        say(on, f"{much} {line.unit} × {usd(line.rate_usd)}", indent=2)
        say(on, Text(line.row, "dim"), indent=4)


def _candidates(on: Console, title: str, candidates: Sequence[Candidate]) -> None:
    if not candidates:
        return
    on.print()
    on.print(heading(title))
    shown = [((quoted(item.quote), item.tier), item.offer.id) for item in candidates[:SHOWN]]
    entries(on, ("price", "tier"), shown)
    _more(on, len(candidates))


def _excluded(on: Console, candidates: Sequence[Candidate]) -> None:
    """Those that are out, the ones with one reason together."""
    if not candidates:
        return
    on.print()
    on.print(heading("Out"))
    reasons: dict[str, list[Candidate]] = {}
    for item in candidates:
        reasons.setdefault(item.excluded or "", []).append(item)
    for reason, items in list(reasons.items())[:SHOWN]:
        who = items[0].offer.id if len(items) == 1 else f"{len(items)} offers of {_providers(items)}"
        say(on, who, Text(f"  {reason}", "dim"), indent=2)
    _more(on, len(reasons))


def _providers(items: Sequence[Candidate]) -> str:
    return ", ".join(dict.fromkeys(item.offer.provider for item in items))


def _more(on: Console, count: int) -> None:
    if count > SHOWN:
        on.print(Text(f"  and {count - SHOWN} more: --json has all of them", "dim"))
