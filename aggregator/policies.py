"""`[policy]`: how the offers of a stage are chosen: which tier, in which order, within which bounds."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, model_validator

from aggregator._toml import Table, money, nearest

__all__ = ["ORDERS", "CanarySettings", "Factor", "Globs", "PolicySettings", "Tier", "long_form"]

Tier = Literal["workhorse", "hero"]
Factor = Literal["price", "quality", "speed", "reliability"]
ORDERS = ("price", "quality", "speed", "self-hosted", "weighted")
"""What offers may be ordered by, beside a function of your own."""
_OWN = re.compile(r"[\w.]+:\w+")


def _glob(value: str) -> str:
    if not value.strip():
        raise ValueError("an empty pattern matches nothing: write an offer, a model or a provider, with * for any part")
    return value


Globs = tuple[Annotated[str, AfterValidator(_glob)], ...]
"""Patterns over offer ids, model ids and provider names."""


def _order(value: object) -> object:
    if value in ORDERS or (isinstance(value, str) and _OWN.fullmatch(value)):
        return value
    close = nearest(str(value), ORDERS, count=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f'{hint}there are {", ".join(ORDERS)}, or a function of your own as "module:name"')


class CanarySettings(Table):
    """A new model on trial: it gets a share of the jobs, drawn from their keys, and else stands behind the others."""

    model: str
    """A model, or a pinned offer."""
    share: Annotated[float, Field(gt=0, lt=1)]


class PolicySettings(Table):
    """One stage."""

    tier: Tier | None = None
    order: Annotated[str, BeforeValidator(_order)] | None = None
    """`None`: by `price` among workhorses, by `quality` among heroes."""
    weights: dict[Factor, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """How much each factor counts where `order` is `weighted`: twice as much of one with weight 2 counts as four
    times as much of one with weight 1.
    """
    quality_floor: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The least share of blind pairs that a model must be expected to win against the best of its task: 0.5 is as good
    as that. A model nobody has read does not reach it.
    """
    max_usd: Annotated[Decimal, BeforeValidator(money)] | None = None
    """The most that a call may cost; an unknown price is above it."""
    self_hosted: StrictBool = False
    """Only servers of your own."""
    overflow_jobs: Annotated[StrictInt, Field(ge=1)] | None = None
    """Once so many jobs of ours are at each server of your own (or wait for it), the next one goes to a seller: the
    first that fits, at its price, within `max_usd` and every budget. Where none fits it waits.
    """
    overflow_wait_s: Annotated[float, Field(gt=0)] | None = None
    """The same once a job would wait longer than this, going by how long half of them took here."""
    regions: tuple[str, ...] = ()
    """Only where the offer says that it is computed in one of these; `eu` holds `eu-west`."""
    allow: Globs = ()
    deny: Globs = ()
    sticky: StrictBool = False
    """Stay with the model that the project used last in this role and stage: a film keeps its look."""
    canary: CanarySettings | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.weights and self.order not in (None, "weighted"):
            raise ValueError(f'weights are for order = "weighted", not {self.order!r}')
        if self.order == "weighted" and not self.weights:
            raise ValueError("weights: say how much each counts, such as { price = 1.0, quality = 2.0 }")
        if self.self_hosted and self.overflows:
            raise ValueError("self_hosted allows servers of your own only: nothing can overflow to a seller")
        return self

    @property
    def overflows(self) -> bool:
        """Whether servers of your own may be passed over while they are busy."""
        return self.overflow_jobs is not None or self.overflow_wait_s is not None

    def of_tier(self, tier: Tier) -> Self:
        """The same, with a tier where it names none."""
        return self if self.tier is not None else self.model_copy(update={"tier": tier})

    @property
    def ordered(self) -> str:
        """What decides among the offers of the tier."""
        if self.order is not None:
            return self.order
        return "weighted" if self.weights else "quality" if self.tier == "hero" else "price"


def long_form(value: Any) -> Any:
    """A tier alone is the short form."""
    if isinstance(value, str):
        return {"tier": value}
    if not isinstance(value, Mapping | PolicySettings):
        raise ValueError('write a tier, "workhorse" or "hero", or a table')  # noqa: TRY004 - pydantic collects these
    return value
