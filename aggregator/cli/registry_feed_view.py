"""How a bundle is shown."""

from collections.abc import Mapping, Sequence

from aggregator.cli.show import console, sized, table
from aggregator.registry.bundle import Head

__all__ = ["draw_bundle"]

SHOWN = 20


def draw_bundle(
    where: str, head: Head, counts: Mapping[str, int], remarks: Sequence[str], *, key: str | None = None
) -> None:
    """A few lines: what it is, for how long, how much it says, and what a client here would say to it."""
    on = console()
    rows = table(on, "", "", fold=("",))
    rows.show_header = False
    rows.add_row("bundle", f"{where} ({sized(head.size_bytes)})")
    rows.add_row("serial", str(head.serial))
    rows.add_row("issued", f"{head.issued_at:%Y-%m-%d %H:%M} UTC")
    rows.add_row("expires", f"{head.expires_at:%Y-%m-%d %H:%M} UTC")
    rows.add_row("says", ", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
    if key is not None:
        rows.add_row("feed_key", key)
    on.print(rows)
    for remark in remarks[:SHOWN]:
        on.print(f"! {remark}")
    if len(remarks) > SHOWN:
        on.print(f"! and {len(remarks) - SHOWN} more: --json has all")
