"""In which order offers are used. Deterministic: the same day, data and configuration give the same order.

The wanted tier comes first, then what is not passed over for now, then what is not deprecated. Among workhorses the
cheapest comes first; among heroes the best by one board, if one board has read all of them, else the newest.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from aggregator.registry.cards import Card, Evidence, Tier
from aggregator.registry.load import Registry
from aggregator.routing.plan import Candidate

__all__ = ["ranked"]

_NEVER = date.min


def ranked(
    registry: Registry, task: str, fitting: Sequence[Candidate], wanted: Tier, day: date
) -> tuple[tuple[Candidate, ...], str]:
    """Put candidates in order, and say what decided: `price`, `release date`, or the name of a board."""
    if wanted == "workhorse":
        return tuple(sorted(fitting, key=lambda item: (*_first(item, wanted, day), *_last(item)))), "price"
    cards = [registry.card(item.offer.model) for item in fitting if item.tier == wanted]
    board = _shared_board([card for card in cards if not card.is_stand_in], task)

    def key(item: Candidate) -> tuple[bool, bool, bool, float, int, bool, Decimal, str]:
        card = registry.card(item.offer.model)
        reading = _reading(card, board) if board else None
        score = float("-inf") if reading is None else reading.score
        age = -(item.offer.released or card.released or _NEVER).toordinal()
        return (*_first(item, wanted, day), -score, age, *_last(item))

    return tuple(sorted(fitting, key=key)), board or "release date"


def _first(item: Candidate, wanted: Tier, day: date) -> tuple[bool, bool, bool]:
    return item.tier != wanted, item.passed_over is not None, item.offer.stage(day) == "deprecated"


def _last(item: Candidate) -> tuple[bool, Decimal, str]:
    """By price, unknown last, then by id."""
    high = None if item.quote is None else item.quote.high_usd
    return high is None, high or Decimal(0), item.offer.id


def _shared_board(cards: Sequence[Card], task: str) -> str | None:
    """The board of this task that has read every one of them; of several the one read last. Boards are never mixed."""
    shared: dict[str, date] = {}
    for board in {reading.board for card in cards for reading in card.evidence if reading.board.endswith(f"/{task}")}:
        readings = [_reading(card, board) for card in cards]
        known = [reading for reading in readings if reading is not None]
        if len(known) == len(readings):
            shared[board] = max(reading.as_of for reading in known)
    return max(shared, key=lambda board: (shared[board], board), default=None)


def _reading(card: Card, board: str) -> Evidence | None:
    """A card's newest reading of a board; of several on one day the best."""
    readings = [reading for reading in card.evidence if reading.board == board]
    return max(readings, key=lambda reading: (reading.as_of, reading.score), default=None)
