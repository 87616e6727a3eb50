"""How things look: consoles, tables and amounts. Gathering what is shown is the commands'."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggregator.artifact import Artifact
from aggregator.errors import AggregatorError
from aggregator.pricing.money import dollars
from aggregator.pricing.quote import Quote

__all__ = ["as_plain", "console", "emit", "facts_of", "heading", "quoted", "say", "seconds", "sized", "table", "usd"]

KILO = 1000


def console(*, err: bool = False) -> Console:
    """A console that takes words as they are: prompts and messages may hold brackets."""
    return Console(stderr=err, markup=False, highlight=False, emoji=False)


def emit(document: Any) -> None:
    """Write the one JSON document of a command."""
    typer.echo(json.dumps(as_plain(document), indent=2, ensure_ascii=False))


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


def table(*columns: str, right: Sequence[str] = (), fold: Sequence[str] = ()) -> Table:
    """An empty table: `right` are figures, `fold` may be broken over lines."""
    found = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for name in columns:
        found.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in fold,
            overflow="fold" if name in fold else "ellipsis",
        )
    return found


def heading(words: str, *, dim: str = "") -> Text:
    """A line that begins a part."""
    return Text.assemble((words, "bold"), (f"  {dim}" if dim else "", "dim"))


def say(on: Console, *parts: str | Text, indent: int = 0) -> None:
    """A line of words that a narrow screen wraps at blanks, aligned with its beginning."""
    line = Table.grid(padding=0)
    line.add_column(width=indent)
    line.add_column(overflow="fold")
    line.add_row("", Text.assemble(*parts))
    on.print(line)


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
    return "–" if amount_s is None else f"{amount_s:.1f} s"


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
