"""`prices`: what is asked about prices; each command has a file of its own."""

from aggregator.cli import prices_own, prices_refresh
from aggregator.cli.prices import app

__all__ = ["app"]

app.command("refresh")(prices_refresh.refreshed)
app.command("drift")(prices_own.drift)
app.command("break-even")(prices_own.break_even)
