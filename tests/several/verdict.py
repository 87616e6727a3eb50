"""What must be true of a run whose processes were killed: of the books, of the invoice, and of what was said."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from aggregator import ledger
from aggregator.job import AttemptState as S
from aggregator.store import journal
from aggregator.store.schema import FINAL_STATES, account, attempt, earmark, job
from tests.faults.verdict import Verdict, _by_attempt, _check_money, _expect, look
from tests.several.rig import CLEAN_MICRO_USD, IN_TAKES, Cell

__all__ = ["judge", "look"]

FILES = 9
"""That are bought."""


def judge(c: Connection, cell: Cell, book: dict[str, Any], said: dict[str, Any]) -> Verdict:
    """Hold the store, the shop's book and what the last process said against each other.

    Raises:
        BrokenPromiseError: Something was paid for twice, was lost, or was not said.

    """
    seen = look(c, book)
    _expect("broke" not in said, f"a process broke: {said.get('broke')}")
    ledger.verify(c)
    journal.verify_log(c)
    attempts = {row.id: row for row in c.execute(select(attempt))}
    orders = _by_attempt(book)
    _expect(set(orders) <= set(attempts), "something was bought for nobody")
    _expect(not seen.duplicates, f"bought twice: {dict(orders)}")
    keys = {row.id: row.key for row in c.execute(select(job))}
    takes = Counter(keys[attempts[of].job].split(":")[1] for of, bought in orders.items() if bought[0]["good"])
    _expect(max(takes.values(), default=1) == 1, f"a take was bought twice: {takes}")
    left = [f"{row.id} {row.state}" for row in attempts.values() if row.state not in {*FINAL_STATES, S.UNKNOWN}]
    _expect(not left, f"left in flight: {left}")
    if cell.keys == "none":
        often = [name for name, posts in book["posts"].items() if posts > 1]
        _expect(not often, f"sent twice where nobody can tell what that buys: {often}")
    else:
        _expect(not seen.unknown, "left unknown, although the provider can be asked")
    _check_money(c, attempts, orders)
    _check_whole(c, book, said, seen)
    _check_files(said)
    return seen


def _check_whole(c: Connection, book: dict[str, Any], said: dict[str, Any], seen: Verdict) -> None:
    charged = sum(order["micro_usd"] for order in book["orders"])
    row = c.execute(select(account).where(account.c.id == "project:film")).one()
    _expect(row.overrun == 0, f"{row.overrun} over the quotes")
    if seen.unknown:
        other_take_goes_on = seen.unknown == 1 and list(said["errors"]) == [IN_TAKES]
        ended = "finished" if other_take_goes_on else "failed"
        _expect(said["state"] == ended, f"{seen.unknown} are unknown, and the run is {said['state']}: {said['errors']}")
        told = [why for why in said["errors"].values() if "stays reserved" in why]
        _expect(bool(told), f"{seen.unknown} are unknown, and it says {said['errors']}")
        _expect(charged <= CLEAN_MICRO_USD, f"{charged} was charged")
        return
    _expect(said["state"] == "finished", f"it is {said['state']}: {said['errors']}")
    _expect(charged == CLEAN_MICRO_USD == row.settled, f"{charged} was charged, {row.settled} booked")
    _expect(row.held == 0, f"{row.held} is still held")
    _expect(not c.execute(select(earmark)).all(), "money is still kept for the run")
    _expect(len(said["made"]) == FILES, f"it made {len(said['made'])} files")
    files = Counter(sha256 for _, sha256, _ in said["made"])
    _expect(len(files) == FILES, f"of those {len(files)} are different")
    outputs = [Path(path).stat().st_size > 0 for path in said["outputs"].values()]
    _expect(sorted(said["outputs"]) == ["cover", "poster"] and all(outputs), f"the piece is {said['outputs']}")


def _check_files(said: dict[str, Any]) -> None:
    """What was handed over lies on the host that handed it over, whoever made it."""
    for name, sha256, path in said["made"]:
        _expect(Path(path).is_file(), f"{name}: {path} is not there")
        _expect(hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256, f"{name}: {path} is something else")
