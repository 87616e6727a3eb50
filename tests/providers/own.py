"""The cards that a user would write, for providers that have no address and no offers until somebody gives them some."""

from pathlib import Path

from aggregator.backends import provider_table
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from tests.facts.validate import offers_of

HERE = Path(__file__).parent


def cards_of(name: str) -> tuple[Path, ...]:
    """The directory with a provider's cards, offers and rates, where its tests bring one."""
    at = HERE / name / "cards"
    return (at,) if at.is_dir() else ()


def own_offers(name: str) -> list[Offer]:
    """What is offered of a provider: by the package, or else by the cards of its tests."""
    paths = cards_of(name)
    if not paths:
        return offers_of(name)
    registry = Registry.load(paths, mappings=mappings_of({name: provider_table(name)}))
    return [offer for offer in registry.all_offers() if offer.provider == name]
