"""In which order offers are used. Deterministic: the same day, data and configuration give the same order.

The wanted tier comes first, then what is not passed over for now, then what is not deprecated. Among workhorses the
cheapest comes first; among heroes the best by one board, if one board has read all of them, else the newest.
"""

from collections.abc import Sequence, Set
from datetime import date
from decimal import Decimal

from aggregator.registry.cards import Board, Reading, Tier
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
    board = _shared_board(registry, {card.id for card in cards if not card.is_stand_in}, task)

    def key(item: Candidate) -> tuple[bool, bool, bool, float, int, bool, Decimal, str]:
        card = registry.card(item.offer.model)
        reading = _newest(board).get(card.id) if board else None
        score = float("-inf") if reading is None else reading.score
        age = -(item.offer.released or card.released or _NEVER).toordinal()
        return (*_first(item, wanted, day), -score, age, *_last(item))

    return tuple(sorted(fitting, key=key)), board.id if board else "release date"


def _first(item: Candidate, wanted: Tier, day: date) -> tuple[bool, bool, bool]:
    return item.tier != wanted, item.passed_over is not None, item.offer.stage(day) == "deprecated"


def _last(item: Candidate) -> tuple[bool, Decimal, str]:
    """By price, unknown last, then by id."""
    high = None if item.quote is None else item.quote.high_usd
    return high is None, high or Decimal(0), item.offer.id


def _shared_board(registry: Registry, models: Set[str], task: str) -> Board | None:
    """The board of this task that has read every one of them; of several the one read last. Boards are never mixed."""
    shared = [
        board for board in registry.boards.values() if board.task == task and models and models <= {*_newest(board)}
    ]
    return max(shared, key=lambda board: (max(item.as_of for item in board.readings), board.id), default=None)


def _newest(board: Board) -> dict[str, Reading]:
    """What a board said last of each model; of several on one day the best."""
    return {item.model: item for item in sorted(board.readings, key=lambda item: (item.as_of, item.score))}
