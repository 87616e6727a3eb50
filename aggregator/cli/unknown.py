"""`unknown` and `correct`: what a person has found out about a purchase that nobody else could, or that was billed
otherwise.
"""

from datetime import UTC
from decimal import Decimal
from typing import Annotated

import typer

from aggregator.cli.session import EXIT_UNFINISHED, AsJson, ConfigFile, Directory, LocalOnly, Session, error_as_json
from aggregator.cli.show import console, emit, heading, say, usd
from aggregator.client import Aggregator
from aggregator.errors import AggregatorError, RequestError
from aggregator.job import JobRecord, UnknownAttempt

__all__ = ["app", "correct"]

app = typer.Typer(
    help="Purchases of which nobody knows what became of them: where to look, and saying what you found. Final, and "
    "written to the event log."
)

Attempt = Annotated[str, typer.Argument(metavar="ATTEMPT", help="Which one, as `list` shows it.")]
Also = Annotated[
    list[str] | None,
    typer.Option(
        "--also", metavar="NAME=VALUE", help="What else the provider's calls are addressed by; may be repeated."
    ),
]


@app.command("list")
def list_unknown(
    *,
    project: Annotated[str | None, typer.Option("--project", metavar="NAME", help="This project only.")] = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """List them, the longest ordered first, with where to look. Asks nobody: `aggregator resume` does."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    found = session.run(_unknown(session, project))
    if as_json:
        emit([attempt.as_json() for attempt in found])
        return
    on = console()
    held = usd(sum((Decimal(attempt.reserved_usd) for attempt in found), Decimal(0)))
    on.print(heading(f"{len(found)} unknown, {held} stay reserved" if found else "Nothing is unknown."))
    for attempt in found:
        sent = f", sent {attempt.sent_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if attempt.sent_at else ""
        key = "" if attempt.key.startswith("job:") else f" / {attempt.key}"
        say(on, f"{attempt.id}  {attempt.project}{key}  {attempt.offer}{sent}", indent=2)
        say(on, f"{usd(Decimal(attempt.reserved_usd))} reserved; {attempt.where}", indent=4)
        say(on, f"then: aggregator unknown adopt {attempt.id} REMOTE_ID | charged {attempt.id} USD", indent=4)
        say(on, f"| not-charged {attempt.id}", indent=6)


@app.command("adopt")
def adopt(
    attempt: Attempt,
    remote_id: Annotated[str, typer.Argument(metavar="REMOTE_ID", help="The provider's own name for the job.")],
    *,
    also: Also = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a job that you found at the provider, and wait for its end. Ends with 0 if it is stored, else 3."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    record, error = session.run(_adopt(session, attempt, remote_id, also or []))
    if as_json:
        emit({"job": record.as_json(), "error": None if error is None else error_as_json(error)["error"]})
    else:
        say(console(), f"attempt {attempt} is job {remote_id}: {record.state}" + (f" ({error})" if error else ""))
    if error is not None:
        raise typer.Exit(EXIT_UNFINISHED)


@app.command("charged")
def charged(
    attempt: Attempt,
    amount: Annotated[str, typer.Argument(metavar="USD", help='What was charged, in dollars: "0.40".')],
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Book what the provider charged for it. There is no result, and its key is not bought again."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    _told(session, session.run(_settle(session, attempt, amount)))


@app.command("not-charged")
def not_charged(
    attempt: Attempt,
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Give its reservation back: the provider has charged nothing. Its key may be bought again."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    _told(session, session.run(_settle(session, attempt, "0")))


def correct(
    attempt: Annotated[
        str, typer.Argument(metavar="ATTEMPT", help="Which one, as errors and the job's events name it.")
    ],
    amount: Annotated[str, typer.Argument(metavar="USD", help='What it was charged, in dollars: "0.40", or "0".')],
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Book what an attempt that has ended was charged after all, as the provider's invoice shows it."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    _told(session, session.run(_correct(session, attempt, amount)))


def _told(session: Session, record: JobRecord) -> None:
    if session.as_json:
        emit(record.as_json())
        return
    booked = (
        "the reservation is given back" if record.settled_usd is None else f"{usd(Decimal(record.settled_usd))} booked"
    )
    say(console(), f"job {record.id} is {record.state}: {booked}")


async def _unknown(session: Session, project: str | None) -> list[UnknownAttempt]:
    async with Aggregator(session.config()) as agg:
        return await agg.unknown(project=project)


async def _adopt(
    session: Session, attempt: str, remote_id: str, also: list[str]
) -> tuple[JobRecord, AggregatorError | None]:
    async with Aggregator(session.config()) as agg:
        job = await agg.adopt_unknown(attempt, remote_id, also=dict(map(_pair, also)))
        try:
            await job.result()
        except AggregatorError as error:
            return await job.record(), error
        return await job.record(), None


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise RequestError(f"--also {text!r}: write NAME=VALUE")
    return name, value


async def _settle(session: Session, attempt: str, amount: str) -> JobRecord:
    async with Aggregator(session.config()) as agg:
        return await agg.settle_unknown(attempt, charged_usd=amount)


async def _correct(session: Session, attempt: str, amount: str) -> JobRecord:
    async with Aggregator(session.config()) as agg:
        return await agg.correct_charge(attempt, charged_usd=amount)
