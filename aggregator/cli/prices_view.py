"""The tables of `prices`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.catalogue_view import mark, missing
from aggregator.cli.show import NOT_USABLE, entries, heading, say, seconds, usd
from aggregator.pricing.history import Change, said_when
from aggregator.pricing.page import PageRow
from aggregator.pricing.quote import Quote

if TYPE_CHECKING:
    from aggregator.cli.prices import Page

__all__ = ["draw_changes", "draw_prices", "standing_cell"]

OUT_SHOWN = 6
NEW_SHOWN = 10
FEW = 3
FIGURES = 4
NO_KEY = "no key: set "
UNKNOWN = "–"
AGE_MARKS: Mapping[str, str] = {"warn": "!", "stale": " stale", "dead": " stale"}
HEADER = ("", "price", "quality", "time", "checked", "ends in", "tier")


def draw_prices(on: Console, page: "Page") -> None:
    """The offers that can do the job, then what is to be said of them, then those of unknown price and the others."""
    when = "" if page.day == page.today else f", as of {page.day}"
    priced = [row for row in page.rows if row.quote.high_usd is not None]
    on.print(heading(f"This {page.request.task}{when}", dim="cheapest first"))
    if priced:
        entries(on, HEADER, [(_cells(row), row.offer.id) for row in priced])
    else:
        on.print("No offer can do it at a price that is known.")
    if any(row.standing is not None for row in priced):
        words = (
            "quality: of 100 blind pairs against today's best, how many it wins (50: as good), and its 95 % interval"
        )
        say(on, Text(words, "dim"))
    for row in priced:
        for words in _remarks(row):
            say(on, Text(words, "dim"))
    _keys(on, page.rows)
    unknown = {row.offer.id: _unknown(row) for row in page.rows if row.quote.high_usd is None}
    later = {row.offer.id: row.first_known for row in page.rows if row.first_known and row.first_known > page.day}
    _grouped(on, "Can do it, at a price that is not known", unknown, later)
    _grouped(on, "Cannot do it", page.out, {})


def _cells(row: PageRow) -> tuple[str, ...]:
    speed = row.speed
    ends = "?" if row.life == "deprecated" else UNKNOWN
    return (
        mark(row.not_usable),
        _price(row.quote),
        standing_cell(row),
        UNKNOWN if speed is None else seconds(speed.p50_s),
        UNKNOWN if row.age_days is None else f"{row.age_days} d{AGE_MARKS.get(row.price_state or '', '')}",
        ends if row.days_left is None else f"{row.days_left} d",
        row.tier,
    )


def _price(quote: Quote) -> str:
    """To four figures: what is less is rounded down, what is more up."""
    assert quote.low_usd is not None
    assert quote.high_usd is not None
    low, high = _short(quote.low_usd, ROUND_FLOOR), _short(quote.high_usd, ROUND_CEILING)
    return usd(high) if quote.low_usd == quote.high_usd else f"{usd(low)}–{usd(high)}"


def _short(amount: Decimal, rounding: str) -> Decimal:
    last = amount.adjusted() - FIGURES + 1
    return amount if not amount or last >= 0 else amount.quantize(Decimal(1).scaleb(last), rounding)


def standing_cell(row: PageRow) -> str:
    """The share of pairs won with its interval, in percent; a star where your own verdicts count in it."""
    if (of := row.standing) is None:
        return UNKNOWN
    own = "" if of.basis == "board" else "*"
    return f"{of.share * 100:.0f} ({of.low * 100:.0f}–{of.high * 100:.0f}){own}"


def _remarks(row: PageRow) -> list[str]:
    said = []
    if row.ratio is not None and row.ratio.drifts:
        said.append(f"! {row.offer.id}: {row.ratio.said}: `aggregator prices drift`")
    if row.life == "deprecated":
        successor = f"; successor {row.offer.successor}" if row.offer.successor else ""
        said.append(f"! {row.offer.id} is deprecated{successor}")
    return said


def _unknown(row: PageRow) -> str:
    """Why the price is unknown, in words that others of the kind share."""
    return row.quote.why.replace(f" of {row.offer.id}", "").replace(row.offer.id, "it")


def _keys(on: Console, rows: Sequence[PageRow]) -> None:
    """Why offers cannot be used here; keys that are not set take one line together."""
    reasons = {row.offer.provider: row.not_usable for row in rows if row.not_usable is not None}
    keys = {provider: why.removeprefix(NO_KEY) for provider, why in reasons.items() if why.startswith(NO_KEY)}
    if len(keys) > FEW:
        named = ", ".join(f"{provider} ({name})" for provider, name in sorted(keys.items()))
        say(on, Text(f"{NOT_USABLE} no key is set for {named}", "dim"))
        reasons = {provider: why for provider, why in reasons.items() if provider not in keys}
    missing(on, reasons)


def _grouped(on: Console, title: str, reasons: Mapping[str, str], later: Mapping[str, date]) -> None:
    """Offers by what is said of them, those that most share first; `later` says from which day on a price is known."""
    groups: dict[str, list[str]] = {}
    for offer, why in reasons.items():
        groups.setdefault(why, []).append(offer)
    if not groups:
        return
    on.print()
    on.print(heading(title, dim=f"offers: {len(reasons)}"))
    in_order = sorted(groups.items(), key=lambda item: -len(item[1]))
    for why, offers in in_order[:OUT_SHOWN]:
        counts = Counter(offer.partition(":")[0] for offer in offers)
        who = offers[0] if len(offers) == 1 else ", ".join(f"{name} {n}" for name, n in counts.most_common())
        days = sorted(later[offer] for offer in offers if offer in later)
        known = f"; known later for {len(days)} of {len(offers)}, from {days[0]} on" if days else ""
        say(on, who, Text(f"  {why}{known}", "dim"), indent=2)
    if len(in_order) > OUT_SHOWN:
        rest = sum(len(offers) for _, offers in in_order[OUT_SHOWN:])
        on.print(Text(f"  and {rest} more: --json has all of them", "dim"))


def draw_changes(on: Console, found: Sequence[Change], *, since: date, until: date) -> None:
    """What rose, what fell, and what was not known before."""
    moved = [change for change in found if change.before is not None]
    new = [change for change in found if change.before is None]
    on.print(heading(f"Prices from {since} to {until}", dim="rises first"))
    if moved:
        entries(on, ("", "change", "from", "to", "per", "since"), [(_moved(item), _named(item)) for item in moved])
    else:
        on.print("None that was known on the first day is another one on the last.")
    if new:
        on.print()
        on.print(heading("Not known before", dim=f"{len(new)} prices of {len({item.offer.id for item in new})} offers"))
        by_provider = Counter(item.offer.provider for item in new)
        words = ", ".join(f"{provider} {count}" for provider, count in by_provider.most_common(NEW_SHOWN))
        say(on, Text(words + ("; --json has all of them" if len(new) > NEW_SHOWN else ""), "dim"), indent=2)


def _moved(change: Change) -> tuple[str, ...]:
    assert change.before is not None
    rose = change.after.usd > change.before.usd
    percent = change.percent
    by = "was free" if percent is None else f"{percent:+.0f} %"
    rate = change.after
    return ("▲" if rose else "▼", by, usd(change.before.usd), usd(rate.usd), rate.unit, str(rate.starts))


def _named(change: Change) -> str:
    case = said_when(change.after)
    return f"{change.offer.id}{f' ({case})' if case else ''}  {change.offer.model}"
