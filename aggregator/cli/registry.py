"""`registry`: what is done with cards, offers, readings and rates; each command has a file of its own."""

import typer

__all__ = ["app"]

app = typer.Typer(help="Cards, offers, readings and rates: look after them, build, import, compare.")
