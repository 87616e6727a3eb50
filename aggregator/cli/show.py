"""How things look: consoles, tables and amounts. Gathering what is shown is the commands'."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggregator.artifact import Artifact
from aggregator.errors import AggregatorError
from aggregator.pricing.money import dollars
from aggregator.pricing.quote import Quote

__all__ = [
    "NOT_USABLE",
    "ROOMY_COLUMNS",
    "USABLE",
    "as_plain",
    "console",
    "emit",
    "emit_line",
    "entries",
    "facts_of",
    "heading",
    "quoted",
    "say",
    "seconds",
    "shown_path",
    "sized",
    "table",
    "usd",
]

KILO = 1000
ROOMY_COLUMNS = 90
USABLE, NOT_USABLE = "✓", "–"
SHORTEST_S = 0.1


def console(*, err: bool = False) -> Console:
    """A console that takes words as they are: prompts and messages may hold brackets."""
    return Console(stderr=err, markup=False, highlight=False, emoji=False)


def emit(document: Any) -> None:
    """Write the one JSON document of a command."""
    typer.echo(json.dumps(as_plain(document), indent=2, ensure_ascii=False))


def emit_line(document: Any) -> None:
    """Write one JSON object of many, each on a line of its own."""
    typer.echo(json.dumps(as_plain(document), ensure_ascii=False))


def as_plain(value: Any) -> Any:
    """A value as JSON; amounts stay exact, as strings."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): as_plain(item) for name, item in value.items()}
    if isinstance(value, AggregatorError):
        return {"type": type(value).__name__, "message": str(value)}
    if isinstance(value, Sequence | set | frozenset):
        return [as_plain(item) for item in value]
    return value.as_json() if hasattr(value, "as_json") else str(value)


def table(on: Console, *columns: str, right: Sequence[str] = (), fold: Sequence[str] = ()) -> Table:
    """An empty table: `right` are figures, `fold` may be broken over lines. A narrow screen gets narrow gaps."""
    gap = 2 if on.width >= ROOMY_COLUMNS else 1
    found = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for name in columns:
        found.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in fold,
            overflow="fold" if name in fold else "ellipsis",
        )
    return found


def entries(
    on: Console, header: Sequence[str], rows: Sequence[tuple[Sequence[str], str]], *, last: str = "offer"
) -> None:
    """Rows with a long name each: at their end where there is room for all, else each on a line below."""
    widths = [max(len(row[at]) for row in (header, *(cells for cells, _ in rows))) for at in range(len(header))]
    gap = "  "
    beside = sum(widths) + len(gap) * len(widths) + max((len(name) for _, name in rows), default=0) <= on.width
    on.print(Text(_aligned(header, widths, gap) + (f"{gap}{last}" if beside else ""), "dim"), soft_wrap=True)
    for cells, name in rows:
        line = Text(_aligned(cells, widths, gap))
        line.stylize("green", 0, 1 if cells[0] == USABLE else 0)
        below = "\n" + " " * (widths[0] + len(gap))
        if not beside:
            line.rstrip()
        on.print(line.append(gap if beside else below).append(name, "dim"), soft_wrap=True)


def _aligned(cells: Sequence[str], widths: Sequence[int], gap: str) -> str:
    return gap.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def heading(words: str, *, dim: str = "") -> Text:
    """A line that begins a part."""
    return Text.assemble((words, "bold"), (f"  {dim}" if dim else "", "dim"))


def say(on: Console, *parts: str | Text, indent: int = 0) -> None:
    """Words, aligned with their beginning where a terminal is too narrow for them; elsewhere a line stays a line."""
    words = Text.assemble(*parts)
    lines = words.wrap(on, max(20, on.width - indent)) if on.is_terminal else words.split("\n")
    for line in lines:
        on.print(Text(" " * indent).append_text(line), soft_wrap=True)


def usd(amount: Decimal | None) -> str:
    """An amount for people; what nobody knows is never zero."""
    return "unknown" if amount is None else dollars(amount)


def quoted(quote: Quote | None) -> str:
    """A quote in the room of a table's cell."""
    if quote is None or quote.high_usd is None:
        return "unknown"
    if quote.low_usd == quote.high_usd:
        return dollars(quote.high_usd)
    return f"{usd(quote.low_usd)}–{dollars(quote.high_usd)}"


def seconds(amount_s: float | None) -> str:
    """A duration for people; `None` is one that nobody measured."""
    if amount_s is None:
        return "–"
    return f"{amount_s:.1f} s" if amount_s >= SHORTEST_S else f"<{SHORTEST_S} s"


def sized(size_bytes: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < KILO:
            break
        amount, unit = amount / KILO, larger
    return f"{amount:.0f} {unit}" if unit in ("B", "kB") else f"{amount:.1f} {unit}"


def facts_of(artifact: Artifact) -> str:
    """What probing found, or why it found nothing."""
    said = str(artifact.facts) if artifact.facts else "not probed"
    return f"{artifact.mime_type}  {said}  {sized(artifact.size_bytes)}"


def shown_path(path: Path) -> str:
    """A path as a person here would type it."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
