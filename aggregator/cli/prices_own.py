"""`prices drift` and `prices break-even`: what own bills say of the rates, and when own GPUs beat a seller."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from aggregator.cli import asked
from aggregator.cli.catalogue import Catalogue
from aggregator.cli.evidence import Evidence
from aggregator.cli.prices import asked_for, informed
from aggregator.cli.prices_own_view import draw_break_even, draw_drift
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.config import nearest
from aggregator.errors import PricingError, RequestError
from aggregator.pricing.append import toml_row
from aggregator.pricing.compute import BreakEven, gpu_time
from aggregator.pricing.known import Interval, known_values
from aggregator.pricing.price import quote
from aggregator.pricing.ratio import Proposal, proposal
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Offer
from aggregator.tasks import Request

__all__ = ["Compared", "break_even", "drift"]

Everything = Annotated[bool, typer.Option("--all", help="Also offers whose bills are as quoted.")]
SelfHosted = Annotated[
    str, typer.Option("--self-hosted", metavar="OFFER", help="Yours: provider:endpoint, with its GPU-seconds.")
]
Against = Annotated[str, typer.Option("--against", metavar="OFFER", help="The seller's: provider:endpoint.")]
Utilisation = Annotated[
    str, typer.Option("--utilisation", metavar="SHARE", help="How much of its time a full GPU is busy, up to 1.")
]
GpuHour = Annotated[
    str | None,
    typer.Option("--usd-per-gpu-hour", metavar="USD", help="Instead of what [providers.…] usd_per_gpu_hour says."),
]


# ---------------------------------------------------------------------------------------------------------------- drift


def drift(
    *,
    everything: Everything = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Hold the bills that providers reported against their quotes, and propose the rates that would have been right."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        settings = session.config()
        catalogue = Catalogue.open(settings)
        ratios = Evidence.of(settings).ratios.values()
        today = datetime.now(UTC).date()
        found = [proposal(catalogue.prices, ratio, today) for ratio in ratios if everything or ratio.drifts]
        found.sort(key=lambda item: -abs(item.ratio.median - 1))
    if as_json:
        emit([_proposal_as_json(item) for item in found])
    else:
        draw_drift(console(), found, looked_at=len(ratios))


def _proposal_as_json(of: Proposal) -> dict[str, Any]:
    row = None if of.rate is None or not of.ratio.drifts else toml_row(of.rate)
    return {**of.ratio.as_json(), "proposed": row, "why": of.why or None}


# ----------------------------------------------------------------------------------------------------------- break-even


class Compared:
    """A job on own GPUs beside the same at a seller's."""

    def __init__(self, own: Offer, seller: Offer, gpu: str, source: str, numbers: BreakEven) -> None:
        self.own = own
        self.seller = seller
        self.gpu = gpu
        self.source = source
        """Who says how long it takes."""
        self.numbers = numbers

    def as_json(self) -> dict[str, Any]:
        return {
            "self_hosted": self.own.id,
            "against": self.seller.id,
            "gpu": self.gpu,
            "source": self.source,
            "basis": "estimate",
            **self.numbers.as_json(),
        }


def break_even(
    task: asked.Task,
    words: asked.Words = None,
    *,
    self_hosted: SelfHosted,
    against: Against,
    utilisation: Utilisation = "0.5",
    usd_per_gpu_hour: GpuHour = None,
    inputs: asked.Inputs = None,
    sets: asked.Sets = None,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Say from how many jobs a day GPUs of your own, kept day and night, cost less than a seller by the job."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    share = _decimal(utilisation, "--utilisation")
    if not 0 < share <= 1:
        raise typer.BadParameter("a share: above 0, at most 1", param_hint="--utilisation")
    with session.told():
        catalogue = Catalogue.open(session.config())
        request = asked_for(task, words, inputs=inputs, sets=sets)
        _, prices = informed(catalogue, request.task)
        own, seller = (_offer(catalogue, request, pin) for pin in (self_hosted, against))
        compute = prices.compute(own)
        if compute is None:
            raise PricingError(
                f"{own.id} does not say how many GPU-seconds a job takes: write compute = {{ gpu = …, per = …, "
                "seconds = [fewest, most], source = … } into its file, or choose an offer that has it"
            )
        seconds = gpu_time(compute, own, known_values(own, request))
        if seconds is None:
            raise PricingError(
                f"{own.id} is counted by {compute.per}, which is neither given nor documented: use --set"
            )
        hour = _hour(catalogue, own, usd_per_gpu_hour)
        numbers = BreakEven(seconds, hour, share, _price(catalogue, prices, seller, request))
        found = Compared(own, seller, compute.gpu, compute.source, numbers)
    if as_json:
        emit(found)
    else:
        draw_break_even(console(), found)


def _offer(catalogue: Catalogue, request: Request, pin: str) -> Offer:
    offers = {offer.id: offer for offer in catalogue.registry.offers(request.task)}
    if pin not in offers:
        close = nearest(pin, offers)
        hint = f"did you mean {', '.join(close)}?" if close else f"`aggregator models --task {request.task}` lists them"
        raise RequestError(f"no offer {pin!r} of {request.task}; {hint}")
    return offers[pin]


def _hour(catalogue: Catalogue, own: Offer, given: str | None) -> Decimal:
    if given is not None:
        return _decimal(given, "--usd-per-gpu-hour")
    settings = catalogue.config.providers.get(own.provider)
    if settings is None or settings.usd_per_gpu_hour is None:
        raise PricingError(
            f'what a GPU costs there is not known: write usd_per_gpu_hour = "1.99" under [providers.{own.provider}], '
            "or give --usd-per-gpu-hour"
        )
    return settings.usd_per_gpu_hour


def _price(catalogue: Catalogue, prices: PriceTable, seller: Offer, request: Request) -> Interval:
    price = quote(seller, request, prices, catalogue.today)
    if price.low_usd is None or price.high_usd is None:
        raise PricingError(f"what {seller.id} costs is unknown: {price.why}")
    return price.low_usd, price.high_usd


def _decimal(text: str, option: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not a number", param_hint=option) from None
    if not amount.is_finite() or amount <= 0:
        raise typer.BadParameter("a number above zero", param_hint=option)
    return amount
