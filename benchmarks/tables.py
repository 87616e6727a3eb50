"""Tables of figures: made from rows of dicts, printed in columns, judged against a goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Table:
    """One comparison. `goals` are sentences with a verdict, each from figures of this very run."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    goals: list[tuple[str, bool]] = field(default_factory=list)

    def judge(self, what: str, value: float, most: float) -> None:
        """A goal that is met when `value` is at most `most`."""
        self.goals.append((f"{what}: {shown(value)} (goal: at most {shown(most)})", value <= most))

    def text(self) -> str:
        cells = [list(self.columns), *([shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[index]) for row in cells) for index in range(len(self.columns))]
        lines = ["", self.title, "-" * len(self.title)]
        for row in cells:
            first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join([first.strip().ljust(widths[0]), *rest]).rstrip())
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {'holds ' if holds else 'MISSED'}  {goal}" for goal, holds in self.goals]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        goals = [{"goal": goal, "holds": holds} for goal, holds in self.goals]
        return {"title": self.title, "rows": rows, "notes": self.notes, "goals": goals}


def shown(cell: Any) -> str:
    """Three figures are enough: nothing here is more exact."""
    if cell is None:
        return "–"
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.3g}"


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else None
