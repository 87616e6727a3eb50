"""Quality against price as a picture: every offer a point, the front a line. The only file that imports matplotlib.

The ground is transparent, and every colour reads on white as on black (4.5 to 1 for words).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.errors import ConfigurationError
from aggregator.pricing.money import dollars
from aggregator.pricing.page import PageRow, front

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["draw_plot"]

WORDS, FAINT, LINE, DOT, OWN = "#767676", "#9a9a9a", "#2f8f6b", "#4a86c5", "#c8682f"
INCHES, DPI = (9.0, 5.6), 160
STEPS = 40
FEW = 12
"""Up to so many models all are named; of more, those on the front and the user's own."""
_AROUND = [
    (across, up) for far in (7, 16, 30, 48) for across, up in ((far, far), (-far, far), (far, -far), (-far, -far))
]
"""Where a label may stand, in points from its dot: the nearest free place is taken."""


def draw_plot(rows: Sequence[PageRow], file: Path, *, task: str, day: date, named: Mapping[str, str]) -> None:
    """Draw the offers whose price and quality are known into a .png, .svg or .pdf.

    Args:
        named: Models or pins that the user's roles name, with the roles.

    Raises:
        ConfigurationError: matplotlib is missing, the file's ending is none it can write, or there is nothing to draw.

    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError('drawing prices needs matplotlib: pip install "aggregator[plot]"') from None
    if file.suffix not in (".png", ".svg", ".pdf"):
        raise ConfigurationError(f"{file}: name a .png, .svg or .pdf")
    shown = [row for row in rows if row.quote.high_usd and row.standing is not None]
    if not shown:
        raise ConfigurationError(f"no offer of {task} has both a price and a known quality: there is nothing to draw")
    figure = Figure(figsize=INCHES, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    best = front(shown)
    _points(axes, shown, best, named)
    _frame(axes, shown, task, day, left_out=len(rows) - len(shown))
    _labels(figure, axes, _to_name(shown, best, named), shown, best)
    figure.savefig(file, dpi=DPI, transparent=True)


def _price(row: PageRow) -> float:
    assert row.quote.high_usd is not None
    return float(row.quote.high_usd)


def _share(row: PageRow) -> float:
    assert row.standing is not None
    return row.standing.share * 100


def _role(row: PageRow, named: Mapping[str, str]) -> str | None:
    return named.get(row.offer.id) or named.get(row.offer.model)


def _points(axes: "Axes", shown: Sequence[PageRow], best: Sequence[PageRow], named: Mapping[str, str]) -> None:
    shows: dict[str, PageRow] = {}  # one interval a model, at the front or the cheapest: its other offers are as good
    for row in (*best, *shown):
        shows.setdefault(row.offer.model, row)
    for row in shown:
        colour = OWN if _role(row, named) else LINE if row in best else DOT
        strong = row in best or _role(row, named) is not None
        if shows[row.offer.model] is row:
            _interval(axes, row, colour, strong=strong)
        hollow = row.stale
        axes.plot(
            _price(row),
            _share(row),
            marker="o",
            markersize=7 if strong else 5,
            markerfacecolor="none" if hollow else colour,
            markeredgecolor=colour,
            alpha=1 if strong else 0.75,
            linestyle="none",
            zorder=4 if strong else 3,
        )
    if len(best) > 1:
        prices, shares = [_price(row) for row in best], [_share(row) for row in best]
        axes.plot(prices, shares, color=LINE, linewidth=1.4, drawstyle="steps-post", zorder=2)


def _interval(axes: "Axes", row: PageRow, colour: str, *, strong: bool) -> None:
    assert row.standing is not None
    low, high = row.standing.low * 100, row.standing.high * 100
    axes.vlines(_price(row), low, high, color=colour, alpha=0.6 if strong else 0.25, linewidth=1.2, zorder=1)


def _frame(axes: "Axes", shown: Sequence[PageRow], task: str, day: date, *, left_out: int) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.patch.set_alpha(0)
    axes.set_xscale("log")
    axes.margins(x=0.12, y=0.08)
    prices = [_price(row) for row in shown]
    if max(prices) < min(prices) * 3:  # less than half a decade would show no tick at all
        middle = (max(prices) * min(prices)) ** 0.5
        axes.set_xlim(middle / 3, middle * 3)
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _at: _usd(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:.0f} %"))
    axes.axhline(50, color=FAINT, linewidth=0.8, linestyle=(0, (4, 4)), zorder=0)
    axes.annotate(
        "as good as today's best",
        (0, 50),
        xycoords=("axes fraction", "data"),
        xytext=(4, 3),
        textcoords="offset points",
        color=WORDS,
        fontsize=8,
    )
    axes.set_xlabel("price of this job, at most (USD, log scale)", color=WORDS)
    axes.set_ylabel("blind pairs won against today's best", color=WORDS)
    axes.set_title(f"{task}: quality against price, {day}", color=WORDS, loc="left", fontsize=12)
    axes.tick_params(which="both", colors=WORDS)
    axes.grid(visible=True, which="major", color=FAINT, alpha=0.25, linewidth=0.6)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(FAINT)
    _legend(axes, shown, left_out)


def _usd(value: float) -> str:
    from decimal import Decimal

    return dollars(Decimal(f"{value:.10g}"))


def _legend(axes: "Axes", shown: Sequence[PageRow], left_out: int) -> None:
    from matplotlib.lines import Line2D

    def dot(colour: str, words: str, *, hollow: bool = False) -> Any:
        face = "none" if hollow else colour
        return Line2D([], [], marker="o", linestyle="none", markeredgecolor=colour, markerfacecolor=face, label=words)

    entries = [
        Line2D([], [], color=LINE, marker="o", linewidth=1.4, label="front: none is cheaper and as good"),
        dot(DOT, "an offer; bars are 95 % intervals"),
    ]
    if any(line.get_color() == OWN or line.get_markeredgecolor() == OWN for line in axes.lines):
        entries.append(dot(OWN, "your roles"))
    if any(row.stale for row in shown):
        entries.append(dot(DOT, "hollow: its price is stale", hollow=True))
    if left_out:
        entries.append(Line2D([], [], linestyle="none", label=f"not drawn: {left_out} of unknown price or quality"))
    axes.legend(
        handles=entries,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=3,
        frameon=False,
        fontsize=8,
        labelcolor=WORDS,
    )


# --------------------------------------------------------------------------------------------------------------- labels


def _to_name(
    shown: Sequence[PageRow], best: Sequence[PageRow], named: Mapping[str, str]
) -> list[tuple[PageRow, str, str]]:
    """Which points are named, how and in which colour: each model once, at its cheapest; the user's own first."""
    found: dict[str, tuple[PageRow, str, str]] = {}
    few = len({row.offer.model for row in shown}) <= FEW
    for row in sorted(shown, key=lambda row: (_role(row, named) is None, row not in best)):
        role = _role(row, named)
        if row.offer.model not in found and (role or row in best or few):
            words = f"{row.offer.model} ({role})" if role else row.offer.model
            found[row.offer.model] = row, words, OWN if role else LINE if row in best else WORDS
    return list(found.values())


def _labels(
    figure: "Figure",
    axes: "Axes",
    wanted: Sequence[tuple[PageRow, str, str]],
    shown: Sequence[PageRow],
    best: Sequence[PageRow],
) -> None:
    """Put each label at the nearest place where it covers no dot, no other label and not the line of the front."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw(renderer)  # lays the axes out, so that places in it are known
    dots = [tuple(axes.transData.transform((_price(row), _share(row)))) for row in shown]
    dots += _along([tuple(axes.transData.transform((_price(row), _share(row)))) for row in best])
    frame = axes.get_window_extent(renderer)
    taken: list[Bbox] = []
    for row, words, colour in wanted:
        found: tuple[int, Annotation, Bbox] | None = None
        for across, up in _AROUND:
            label = axes.annotate(
                words,
                (_price(row), _share(row)),
                xytext=(across, up),
                textcoords="offset points",
                ha="left" if across > 0 else "right",
                va="bottom" if up > 0 else "top",
                fontsize=8.5,
                color=colour,
                arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.5, "linewidth": 0.7, "shrinkB": 4},
                zorder=5,
            )
            box = label.get_window_extent(renderer).padded(2)
            covered = sum(box.overlaps(other) for other in taken) * 10 + sum(box.contains(*dot) for dot in dots)
            covered += 100 * (box.x0 < frame.x0 or box.x1 > frame.x1 or box.y1 > frame.y1 or box.y0 < frame.y0)
            if found is None or covered < found[0]:
                if found is not None:
                    found[1].remove()
                found = covered, label, box
            else:
                label.remove()
            if not covered:
                break
        if found is not None:
            taken.append(found[2])


def _along(corners: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Places on the steps between the corners, near enough to each other that no label slips through."""
    found: list[tuple[float, float]] = []
    for (left, low), (right, high) in pairwise(corners):
        steps = range(1, STEPS)
        found += [(left + (right - left) * step / STEPS, low) for step in steps]
        found += [(right, low + (high - low) * step / STEPS) for step in steps]
    return found
