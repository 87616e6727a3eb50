"""What sources found, held against the registry: what is new, gone, renamed, dated otherwise or read anew. Pure.

Proposals for a person or a policy; nothing here changes anything. Prices are held against the table by
`aggregator.pricing.refresh`, which knows whose word counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from aggregator.discovery.found import Found, FoundOffer, FoundReading
from aggregator.registry.cards import Board, Offer
from aggregator.registry.load import Registry

__all__ = ["KINDS", "Kind", "Proposal", "Proposals", "propose"]

Kind = Literal["new", "gone", "renamed", "deprecated", "back", "date", "reading"]
KINDS: tuple[Kind, ...] = ("gone", "renamed", "deprecated", "date", "back", "new", "reading")
"""The most urgent first."""
GONE_SHARE = 0.5
"""A list that names fewer than this share of the live offers it named before is not believed about ends."""
FEW = 4
"""Of so few offers nothing is said about shares."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change that a source suggests."""

    kind: Kind
    source: str
    subject: str
    """The offer (`provider:endpoint`), or the board."""
    said: str
    offers: tuple[Offer, ...] = ()
    """What it would change; empty where it is something new."""
    change: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the offer with the values they would have."""
    reading: FoundReading | None = None
    model: str = ""
    """Whose reading it is; empty: no card of ours is known under that name."""

    def as_json(self) -> dict[str, Any]:
        change = {name: str(value) for name, value in self.change.items()}
        return {"kind": self.kind, "source": self.source, "subject": self.subject, "said": self.said, "change": change}


@dataclass(frozen=True, slots=True)
class Proposals:
    """Everything that was proposed, and what was not believed."""

    proposals: tuple[Proposal, ...]
    warnings: tuple[str, ...]

    def of(self, kinds: Iterable[str]) -> tuple[Proposal, ...]:
        wanted = set(kinds)
        return tuple(one for one in self.proposals if one.kind in wanted)


Known = Mapping[tuple[str, str], tuple[Offer, ...]]


def propose(registry: Registry, found: Sequence[Found], today: date) -> Proposals:
    """Hold what was found against the registry."""
    known = _known(registry)
    names = _names(registry.boards.values())
    proposals: list[Proposal] = []
    warnings: list[str] = []
    told: set[tuple[str, str, date]] = set()
    for one in found:
        news = list(_listed(one, known, today))
        fresh = {item.subject: item for item in news if item.kind == "new"}
        for provider in one.whole:
            ends, warning = _missing(one, provider, known, fresh, today)
            news += ends
            warnings += [warning] if warning else []
        renamed = {str(item.change.get("endpoint")) for item in news if item.kind == "renamed"}
        proposals += [item for item in news if item.kind != "new" or item.subject.partition(":")[2] not in renamed]
        proposals += _readings(one, registry.boards, names, told, warnings)
        warnings += _asides(one, known)
    order = {kind: index for index, kind in enumerate(KINDS)}
    return Proposals(tuple(sorted(proposals, key=lambda item: (order[item.kind], item.subject))), tuple(warnings))


def _known(registry: Registry) -> Known:
    """Offers by provider and endpoint, and by what an endpoint was called before."""
    found: dict[tuple[str, str], list[Offer]] = {}
    for offer in registry.all_offers():
        for name in (offer.endpoint, *offer.aliases):
            found.setdefault((offer.provider, name), []).append(offer)
    return {place: tuple(offers) for place, offers in found.items()}


# ------------------------------------------------------------------------------------------------------- what is there


def _listed(one: Found, known: Known, today: date) -> Iterator[Proposal]:
    """What the source says of each endpoint it names."""
    for offer in one.offers:
        mine = known.get((offer.provider, offer.endpoint))
        subject = f"{offer.provider}:{offer.endpoint}"
        if mine is None:
            if one.source == offer.provider and offer.tasks and offer.status in ("active", "preview"):
                title = f"{offer.title}, " if offer.title else ""
                yield Proposal("new", one.source, subject, f"{title}for {', '.join(offer.tasks)}")
        else:
            yield from _changed(one, offer, mine, subject, today)


def _changed(one: Found, offer: FoundOffer, mine: tuple[Offer, ...], subject: str, today: date) -> Iterator[Proposal]:
    stage = mine[0].stage(today)
    note = f" ({offer.note})" if offer.note else ""
    if offer.status == "retired" and stage != "retired":
        yield Proposal("gone", one.source, subject, f"is not there any more{note}", mine, _ended(today))
    elif offer.status == "deprecated" and stage not in ("deprecated", "retired"):
        change = {"status": "deprecated", "deprecated": today}
        yield Proposal("deprecated", one.source, subject, "is listed as deprecated", mine, change)
    elif offer.status in ("active", "preview") and stage == "retired":
        yield Proposal("back", one.source, subject, f"is listed as {offer.status}, and was taken for retired", mine)
    was = mine[0].retires
    if offer.retires is not None and offer.retires != was:
        moved = (
            ""
            if was is None
            else f", not on {was}: {abs((offer.retires - was).days)} days "
            + ("earlier" if offer.retires < was else "later")
        )
        earlier = tuple(dict.fromkeys([*mine[0].retires_was, *([was] if was else [])]))
        change = {"retires": offer.retires, "retires_checked": today, "retires_was": earlier}
        yield Proposal("date", one.source, subject, f"ends on {offer.retires}{moved}", mine, change)


def _ended(today: date) -> dict[str, Any]:
    return {"status": "retired", "retires": today, "retires_checked": today}


# ---------------------------------------------------------------------------------------------------- what is missing


def _missing(
    one: Found, provider: str, known: Known, fresh: Mapping[str, Proposal], today: date
) -> tuple[list[Proposal], str]:
    """Offers that a whole list does not name: gone, or renamed. A list that shrank by half says nothing of ends."""
    named = {offer.endpoint for offer in one.offers if offer.provider == provider}
    live: dict[str, tuple[Offer, ...]] = {}
    for (seller, endpoint), offers in known.items():
        if (
            seller == provider
            and endpoint == offers[0].endpoint
            and offers[0].stage(today) not in ("retired", "announced")
        ):
            live[endpoint] = offers
    gone = {
        endpoint: offers
        for endpoint, offers in live.items()
        if not {endpoint, *offers[0].aliases} & named
    }  # fmt: skip
    if len(live) >= FEW and len(gone) > GONE_SHARE * len(live):
        return [], (
            f"{one.source} names {len(live) - len(gone)} of {len(live)} live offers of {provider}: more than half are "
            "missing, so nothing is taken for gone. Ask again, or look"
        )
    tails: dict[str, list[str]] = {}
    for subject in fresh:
        tails.setdefault(_tail(subject.partition(":")[2]), []).append(subject.partition(":")[2])
    found = []
    for endpoint, offers in gone.items():
        subject, others = f"{provider}:{endpoint}", tails.get(_tail(endpoint), []) if "/" in endpoint else []
        if len(others) == 1:
            said = f"is listed as {others[0]} now"
            found.append(Proposal("renamed", one.source, subject, said, offers, {"endpoint": others[0]}))
        else:
            found.append(Proposal("gone", one.source, subject, "is not listed any more", offers, _ended(today)))
    return found, ""


def _tail(endpoint: str) -> str:
    """What stays of an endpoint when its owner's name changes."""
    return endpoint.partition("/")[2]


# ----------------------------------------------------------------------------------------------------------- readings


def _names(boards: Iterable[Board]) -> dict[tuple[str, str], str]:
    """Which card of ours a board means by a name, as far as it was written down before: that board's own word first."""
    found: dict[tuple[str, str], str] = {}
    for board in boards:
        for reading in board.readings:
            if reading.model:
                found[board.id, reading.name] = reading.model
                found.setdefault(("", reading.name), reading.model)
    return found


def _readings(
    one: Found,
    boards: Mapping[str, Board],
    names: Mapping[tuple[str, str], str],
    told: set[tuple[str, str, date]],
    warnings: list[str],
) -> Iterator[Proposal]:
    """Readings that are younger than those we have of the same name; what two sources say of one day is said once."""
    latest = {
        (board.id, reading.name): reading.as_of for board in boards.values() for reading in board.readings
    }  # in the order of the days
    strange: dict[str, int] = {}
    for reading in one.readings:
        if reading.board not in boards:
            strange[reading.board] = strange.get(reading.board, 0) + 1
            continue
        before = latest.get((reading.board, reading.name))
        place = (reading.board, reading.name, reading.as_of)
        if place in told or (before is not None and reading.as_of <= before):
            continue
        told.add(place)
        model = names.get((reading.board, reading.name)) or names.get(("", reading.name), "")
        said = f"{reading.name}: {reading.score:g} on {reading.as_of}" + (
            f" ({model})" if model else ", no card of ours"
        )
        yield Proposal("reading", one.source, reading.board, said, reading=reading, model=model)
    warnings += [
        f"{one.source}: {count} readings of {board}, which is no board of ours" for board, count in strange.items()
    ]


def _asides(one: Found, known: Known) -> Iterator[str]:
    """What of the answers could not be used."""
    if one.left_out:
        more = f" and {len(one.left_out) - 1} more" if len(one.left_out) > 1 else ""
        yield f"{one.source}: left out {one.left_out[0]}{more}"
    sellers = {provider for provider, _ in known}
    others = sorted({offer.provider for offer in one.offers} - sellers)
    for provider in others:
        count = sum(offer.provider == provider for offer in one.offers)
        yield f"{one.source} lists {count} models of {provider}, of whom there is no offer here: a sign of life only"
