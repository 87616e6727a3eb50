"""`pauses`: the prices that a bill was above, and letting one be bought at again."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, heading, say
from aggregator.client import Aggregator
from aggregator.pricing.drift import Pause

__all__ = ["app"]

app = typer.Typer(help="Prices that a bill was above: nothing more is bought at them until somebody has looked.")

Offer = Annotated[str, typer.Argument(metavar="OFFER", help="Which one: provider:endpoint, as `list` shows it.")]


@app.command("list")
def list_pauses(
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List what is paused, oldest first."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found = session.run(_pauses(session))
    if as_json:
        emit(found)
        return
    on = console()
    on.print(heading("Paused" if found else "Nothing is paused."))
    for pause in found:
        since = datetime.fromtimestamp(pause.at / 1000, UTC)
        say(on, f"{pause.offer} {pause.said}, on {since:%Y-%m-%d %H:%M} UTC", indent=2)
        say(on, f"at {pause.rates}", indent=4)
        say(on, f"aggregator pauses lift {pause.offer}", indent=4)


@app.command("lift")
def lift(
    offer: Offer,
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Allow an offer to be bought again at the prices that are paused. A corrected rate needs no lifting."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    session.run(_lift(session, offer))
    if as_json:
        emit({"lifted": offer})
    else:
        say(console(), f"{offer} may be bought again; a bill above its quote pauses it again")


async def _pauses(session: Session) -> list[Pause]:
    async with Aggregator(session.config()) as agg:
        return await agg.pauses()


async def _lift(session: Session, offer: str) -> None:
    async with Aggregator(session.config()) as agg:
        await agg.lift_pause(offer)
