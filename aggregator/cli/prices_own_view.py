"""The tables of `prices drift` and `prices break-even`."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from aggregator.cli.show import heading, say, table, usd
from aggregator.pricing.append import toml_row
from aggregator.pricing.compute import DAYS_A_MONTH, Volume
from aggregator.pricing.known import Interval
from aggregator.pricing.ratio import Proposal

if TYPE_CHECKING:
    from aggregator.cli.prices_own import Compared

__all__ = ["draw_break_even", "draw_drift"]

_CENT = Decimal("0.01")
_FIGURES = 4
WINNER = {True: "yours", False: "seller", None: "open"}


def draw_drift(on: Console, found: Sequence[Proposal], *, looked_at: int) -> None:
    """Each offer whose bills are not as quoted, with the row that would make them so."""
    on.print(heading("Bills against quotes", dim=f"offers with bills that others made: {looked_at}"))
    for item in found:
        ratio = item.ratio
        on.print()
        say(on, Text(ratio.offer, "bold"), f"  bills are {ratio.median:.3f} of their quotes")
        say(on, f"eight of ten from {ratio.low:.3f} to {ratio.high:.3f}; {ratio.n} bills", indent=2)
        for row in ratio.rows:
            say(on, Text(f"quoted by {row}", "dim"), indent=2)
        if not ratio.drifts:
            say(on, Text("as quoted, or too few to say", "dim"), indent=2)
        elif item.rate is None:
            say(on, item.why, indent=2)
        else:
            say(on, f"a row for rates/{item.rate.provider}.toml in one of your [registry] paths:", indent=2)
            for line in toml_row(item.rate).splitlines():
                on.print(Text(f"    {line}", "green"), soft_wrap=True)
    if not found:
        on.print("None is off." if looked_at else "No provider has reported what a job cost yet.")


def draw_break_even(on: Console, found: "Compared") -> None:
    """What is reckoned with, the answer, and days of different volume."""
    numbers = found.numbers
    on.print(heading("Own GPUs, or by the job"))
    taken = f"{_span(numbers.seconds)} s of {found.gpu} a job ({found.source})"
    say(on, f"yours   {found.own.id}: {taken}, {usd(numbers.usd_per_gpu_hour)} an hour", indent=2)
    say(on, f"seller  {found.seller.id}: {_span(numbers.seller_usd, money=True)} a job", indent=2)
    gpus = "one GPU does" if numbers.gpus == 1 else f"{numbers.gpus} GPUs do"
    full = f"{gpus} {numbers.jobs} jobs a day, busy {numbers.utilisation * 100:.0f} % of it"
    say(on, f"{full}: {usd(_short(numbers.busy_usd))} a job then", indent=2)
    on.print()
    say(on, Text(_answer(found), "bold"))
    by_the_second = _span((_short(numbers.by_the_second_usd[0]), _short(numbers.by_the_second_usd[1])), money=True)
    say(on, Text(f"paid by the second, with nothing kept warm, a job would cost {by_the_second}", "dim"))
    on.print()
    columns = ("jobs a day", "a month", "GPUs", "yours a day", "seller a day", "cheaper")
    rows = table(on, *columns, right=columns[:5])
    for volume in numbers.volumes():
        rows.add_row(*_cells(volume))
    on.print(rows)
    say(
        on,
        Text(
            "an estimate: the slowest seconds, GPUs kept day and night; power, people and idle starts not in it", "dim"
        ),
    )


def _answer(found: "Compared") -> str:
    numbers = found.numbers
    first, always = numbers.first_win, numbers.wins_from(numbers.seller_usd[0])
    if first is None:
        return "Your own never win: a GPU as busy as that costs more a job than the seller asks."
    said = f"Your own win from {first} jobs a day ({first * DAYS_A_MONTH} a month)"
    if always is None:
        return f"{said} at the seller's highest price, and never at its lowest."
    if always == first:
        return f"{said}."
    return f"{said}, and at every volume from {always} a day on: until then a further GPU, half idle, may turn it."


def _cells(volume: Volume) -> tuple[str, ...]:
    low, high = volume.seller_usd
    return (
        str(volume.jobs_a_day),
        str(volume.jobs_a_day * DAYS_A_MONTH),
        str(volume.gpus),
        usd(volume.own_usd.quantize(_CENT)),
        _span((low.quantize(_CENT), high.quantize(_CENT)), money=True),
        WINNER[volume.wins],
    )


def _short(amount: Decimal) -> Decimal:
    """To four figures."""
    return amount if not amount else amount.quantize(Decimal(10) ** (amount.adjusted() - _FIGURES + 1))


def _span(ends: Interval, *, money: bool = False) -> str:
    low, high = (usd(end) if money else f"{end.normalize():f}" for end in ends)
    return low if low == high else f"{low}–{high}"
