"""Whether offers are alive and still take what they took, found out without ordering anything.

Where a provider publishes its list or its schemas, they are asked for (`sources`). Where its table has a body that
every endpoint refuses (`Provider.refused`), that is sent. Where neither is known nothing is, and that is what is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from aggregator.backend import Backend
from aggregator.contract import Call, Provider
from aggregator.discovery.drift import breaks, narrower
from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.propose import FEW, GONE_SHARE
from aggregator.discovery.slots import slots
from aggregator.discovery.source import Source, ask, backend_of
from aggregator.engine import Engine
from aggregator.errors import AggregatorError, ConfigurationError
from aggregator.registry.cards import Offer

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Probed", "Probing", "probe", "settle"]

Verdict = Literal["alive", "gone", "changed", "narrower", "unlisted", "failed", "unknown"]
_GONE = (404, 410)
_DIRECT = frozenset({"fal", "replicate"})
"""Sources that are asked for each endpoint by name."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found of one offer."""

    offer: Offer
    verdict: Verdict
    """`gone` and `changed` put it in quarantine, `alive` and `narrower` let it out; the rest say nothing of it."""
    said: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_well(self) -> bool | None:
        """`None`: nobody knows."""
        return {"gone": False, "changed": False, "alive": True, "narrower": True}.get(self.verdict)

    def as_json(self) -> dict[str, Any]:
        about = {"offer": self.offer.id, "task": self.offer.task, "verdict": self.verdict, "said": self.said}
        return {**about, "evidence": dict(self.evidence)}


@dataclass(frozen=True, slots=True)
class Probing:
    """What a probe works with."""

    engine: Engine
    tables: Mapping[str, Provider]
    backends: Mapping[str, Backend]
    sources: Mapping[str, Source]
    environ: Mapping[str, str]
    today: date


async def probe(offers: Sequence[Offer], by: Probing) -> list[Probed]:
    """Probe offers, provider by provider. No answer makes an order, and no failure stops the others."""
    found: list[Probed] = []
    for name in sorted({offer.provider for offer in offers}):
        own = [offer for offer in offers if offer.provider == name]
        source = next((one for one in by.sources.values() if one.provider == name and one.by_endpoint), None)
        looked = await _listed(own, source, by) if source is not None else {}
        found += [looked.get(offer.endpoint + offer.task) or await _refused(offer, by) for offer in own]
    return found


def settle(connection: "Connection", found: Sequence[Probed], at: int) -> tuple[list[str], list[str]]:
    """Put offers that are not well into quarantine and let out those that are; runs inside the caller's transaction.

    Returns:
        The offers that were put in, and those that were let out.

    """
    from aggregator.store import quarantine

    put, lifted = [], []
    for pin in dict.fromkeys(one.offer.id for one in found):
        own = [one for one in found if one.offer.id == pin]
        bad = next((one for one in own if one.is_well is False), None)
        if bad is not None:
            if quarantine.put(connection, pin, bad.said, bad.as_json(), at):
                put.append(pin)
        elif all(one.is_well for one in own) and quarantine.lift(connection, pin, at):
            lifted.append(pin)
    return put, lifted


# -------------------------------------------------------------------------------------------------- what is published


async def _listed(offers: Sequence[Offer], source: Source, by: Probing) -> dict[str, Probed]:
    """What the provider's own list says of each, as far as it can say anything."""
    names = list(dict.fromkeys(offer.endpoint for offer in offers))
    direct = source.name in _DIRECT
    try:
        backend = backend_of(source, by.tables, by.backends, by.environ)
        found = await ask(by.engine, backend, source, today=by.today, wanted=names, everything=not direct)
    except ConfigurationError as error:
        return {offer.endpoint + offer.task: Probed(offer, "unknown", str(error)) for offer in offers}
    except AggregatorError as error:
        evidence = {"source": source.name, "error": str(error)[:300]}
        return {offer.endpoint + offer.task: Probed(offer, "failed", str(error), evidence) for offer in offers}
    named = {one.endpoint: one for one in found.offers}
    absent = [name for name in names if name not in named]
    sure = direct or source.provider in found.whole
    shrank = len(names) >= FEW and len(absent) > GONE_SHARE * len(names)
    looked = {}
    for offer in offers:
        one = named.get(offer.endpoint) or next((named[name] for name in offer.aliases if name in named), None)
        if one is not None:
            looked[offer.endpoint + offer.task] = _read(offer, one, found)
        elif sure and not shrank:
            counted = {"source": source.name, "listed": len(named)}
            looked[offer.endpoint + offer.task] = Probed(offer, "gone", f"{source.title} does not have it", counted)
        elif offer.mapping.dialect or by.tables[offer.provider].refused is None:
            why = (
                "more than half of what was asked for is missing there, which is not believed"
                if shrank
                else ("the list does not hold everything")
            )
            looked[offer.endpoint + offer.task] = Probed(offer, "unlisted", f"{source.title} does not name it: {why}")
    return looked


def _read(offer: Offer, one: FoundOffer, found: Found) -> Probed:
    """What its entry says: its life, and if it holds a schema, whether that is still ours."""
    evidence: dict[str, Any] = {"source": found.source, "status": one.status}
    if one.status == "retired":
        return Probed(
            offer, "gone", f"{found.source} answers that it is gone{f' ({one.note})' * bool(one.note)}", evidence
        )
    inputs = slots(*schema) if (schema := _input_schema(one)) is not None and not offer.unmapped else {}
    if inputs:
        broken = list(breaks(offer, inputs))
        if broken:
            return Probed(offer, "changed", f"its schema changed: {'; '.join(broken)}", {**evidence, "breaks": broken})
        fewer = list(narrower(offer, inputs))
        if fewer:
            return Probed(offer, "narrower", f"it takes less: {'; '.join(fewer)}", {**evidence, "narrower": fewer})
    life = ", deprecated" if one.status == "deprecated" else ""
    return Probed(offer, "alive", f"listed{life}{', its schema unchanged' if inputs else ''}", evidence)


def _input_schema(one: FoundOffer) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The schema of the body and the document around it, where the entry holds one."""
    schema: Any = one.schema or {}
    try:
        if one.provider == "fal":
            body = schema["paths"][f"/{one.endpoint}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
            return body, schema
        if one.provider == "replicate":
            return schema["openapi_schema"]["components"]["schemas"]["Input"], schema["openapi_schema"]
    except (LookupError, TypeError):
        return None
    return None


# ------------------------------------------------------------------------------------------- an order that is refused


async def _refused(offer: Offer, by: Probing) -> Probed:
    """Send what every endpoint of the provider refuses, where that is documented."""
    table, backend = by.tables.get(offer.provider), by.backends.get(offer.provider)
    if table is None or table.refused is None:
        return Probed(offer, "unknown", "no call of its provider is known to tell and to cost nothing: not probed")
    if backend is None:
        return Probed(offer, "unknown", f"{offer.provider} is not configured: no key")
    names = {name: str(getattr(offer, name) or "") for name in ("model", "endpoint", "version", "task")}
    names["dialect"] = offer.mapping.dialect
    if not isinstance(backend.ordering(names), Call):
        return Probed(offer, "unknown", "it is ordered in several steps: not probed")
    try:
        answer = await by.engine.refusal(backend, names)
    except AggregatorError as error:
        return Probed(offer, "failed", str(error), {"error": str(error)[:300]})
    evidence = {"status": answer.status, "answer": answer.body[:300].decode(errors="replace")}
    if answer.status in _GONE:
        return Probed(offer, "gone", f"HTTP {answer.status} to an order that cannot be taken", evidence)
    if answer.status // 100 == 2:  # noqa: PLR2004
        said = "took what every endpoint refuses: look at the account's bill; its table must not declare `refused`"
        return Probed(offer, "failed", said, evidence)
    return Probed(offer, "alive", f"HTTP {answer.status}: there, and refusing what it should", evidence)
