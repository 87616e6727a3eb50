"""What must be true when killed processes have been run again: the guarantees, read from the store and the invoice."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from aggregator import ledger
from aggregator.job import AttemptState as S
from aggregator.store import journal
from aggregator.store.schema import FINAL_STATES, account, artifact, attempt, earmark, job, output, transfer
from tests.faults.nursery import Cell
from tests.faults.shop import MADE
from tests.faults.workflows import WORKFLOWS

__all__ = ["BrokenPromiseError", "Verdict", "judge", "look"]

PROJECT = "project:film"


class BrokenPromiseError(AssertionError):
    """What must never be."""


@dataclass(frozen=True)
class Verdict:
    """What was seen."""

    purchases: int
    """Jobs that the servers took."""
    duplicates: int
    """Those of them that a job had one of already."""
    unknown: int
    """Attempts of which nobody knows what became."""
    unknown_bought: int
    """Those of them that were bought."""


def _expect(holds: bool, why: str) -> None:
    if not holds:
        raise BrokenPromiseError(why)


def look(c: Connection, book: dict[str, Any]) -> Verdict:
    """What there is to be counted in a store and in the servers' book."""
    attempts = {row.id: row for row in c.execute(select(attempt))}
    orders = _by_attempt(book)
    unknown = [name for name, row in attempts.items() if row.state == S.UNKNOWN]
    return Verdict(
        purchases=len(book["orders"]),
        duplicates=sum(len(bought) - 1 for bought in orders.values()) + _paid_again(attempts, orders),
        unknown=len(unknown),
        unknown_bought=sum(name in orders for name in unknown),
    )


def judge(c: Connection, cell: Cell, book: dict[str, Any], said: dict[str, Any], directory: Path) -> None:
    """Hold the store, the servers' book and what the last process said against each other.

    Raises:
        BrokenPromiseError: They differ, or something was paid for twice.

    """
    ledger.verify(c)
    journal.verify_log(c)
    attempts = {row.id: row for row in c.execute(select(attempt))}
    orders = _by_attempt(book)
    unknown = {name for name, row in attempts.items() if row.state == S.UNKNOWN}
    _expect(not look(c, book).duplicates, f"bought twice: {dict(orders)}")
    _expect(set(orders) <= set(attempts), "something was bought for nobody")
    left = [f"{row.id} {row.state}" for row in attempts.values() if row.state not in {*FINAL_STATES, S.UNKNOWN}]
    _expect(not left, f"left in flight: {left}")
    if cell.keys == "none":
        often = [name for name, posts in book["posts"].items() if posts > 1]
        _expect(not often, f"sent twice where nobody can tell what that buys: {often}")
    else:
        _expect(not unknown, f"left unknown, although the provider can be asked: {unknown}")
    _check_money(c, attempts, orders)
    _check_budget(c, cell, book, unknown)
    _check_steps(c, attempts)
    _check_files(c, attempts, orders, directory)
    _check_said(cell, said, attempts, unknown)


def _by_attempt(book: dict[str, Any]) -> dict[str, list[Any]]:
    orders: dict[str, list[Any]] = defaultdict(list)
    for order in book["orders"]:
        orders[order["attempt"]].append(order)
    return orders


def _paid_again(attempts: dict[str, Any], orders: dict[str, list[Any]]) -> int:
    """How many jobs were delivered or charged for by more than one of their attempts."""
    good = Counter(attempts[name].job for name, bought in orders.items() if name in attempts and bought[0]["good"])
    return sum(count - 1 for count in good.values())


def _check_money(c: Connection, attempts: dict[str, Any], orders: dict[str, list[Any]]) -> None:
    """Attempt by attempt, what is booked is what is charged; what is unknown is held, and covers it."""
    moved = {row.id: row.amount for row in c.execute(select(transfer))}
    for name, row in attempts.items():
        charged = sum(order["micro_usd"] for order in orders.get(name, ()))
        hold, post, void = (moved.get(f"{name}:{kind}") for kind in ("hold", "post", "void"))
        if row.state == S.UNKNOWN:
            _expect(post is None and void is None, f"{name} is unknown, and its money resolved")
            _expect(hold is not None and charged <= hold, f"{name}: {charged} charged, {hold} held")
        else:
            _expect((post is None) != (void is None), f"{name} is {row.state}: {post} settled, {void} released")
            _expect((post or 0) == charged, f"{name} is {row.state}: {charged} charged, {post} settled")
        _expect(
            (row.state == S.STORED) == any(order["good"] for order in orders.get(name, ())) or row.state == S.UNKNOWN,
            f"{name} is {row.state}, bought: {orders.get(name)}",
        )


def _check_budget(c: Connection, cell: Cell, book: dict[str, Any], unknown: Collection[str]) -> None:
    """It cost what it costs where nothing is killed; where something is unknown, no more."""
    cap = int(Decimal(WORKFLOWS[cell.workflow].budget_usd) * 1_000_000)
    charged = sum(order["micro_usd"] for order in book["orders"])
    row = c.execute(select(account).where(account.c.id == PROJECT)).one()
    _expect(row.cap == cap, f"the budget is {row.cap}")
    _expect(max(row.held + row.settled, charged) <= cap, f"{row.held + row.settled} used, {charged} charged of {cap}")
    _expect(row.overrun == 0, f"{row.overrun} over the quotes")
    costs = int(Decimal(WORKFLOWS[cell.workflow].costs_usd) * 1_000_000)
    _expect(charged == costs or (charged < costs and bool(unknown)), f"{charged} charged, it costs {costs}")
    kept = [f"{one.step}: {one.amount}" for one in c.execute(select(earmark))]
    _expect(not kept, f"kept for steps of a run that is over: {kept}")


def _check_steps(c: Connection, attempts: dict[str, Any]) -> None:
    """A step of a graph has one job that made it, or may have: its content is in the job's key."""
    ended = {row.job for row in attempts.values() if row.state in ("failed", "refused", "canceled")}
    keys = [row.key for row in c.execute(select(job)) if row.key.startswith("step:") and row.id not in ended]
    often = {content: n for content, n in Counter(key.split(":")[1] for key in keys).items() if n > 1}
    _expect(not often, f"one content, several jobs: {often}")


def _check_files(c: Connection, attempts: dict[str, Any], orders: dict[str, list[Any]], directory: Path) -> None:
    """Each stored job has one file, which is what was made for it."""
    rows = c.execute(select(output, artifact.c.path).join(artifact, artifact.c.sha256 == output.c.sha256)).all()
    stored = sorted(row.job for row in attempts.values() if row.state == S.STORED)
    _expect(sorted(row.job for row in rows) == stored, "not every stored job has one file")
    for row in rows:
        file = directory / "artifacts" / row.path
        _expect(file.is_file(), f"{file.name} is not there")
        _expect(hashlib.sha256(file.read_bytes()).hexdigest() == row.sha256, f"{file.name} is something else")
        made = {hashlib.sha256(head + orders[row.attempt][0]["id"].encode()).hexdigest() for head in MADE.values()}
        _expect(row.sha256 in made, f"{file.name} is not what was made for {row.attempt}")


def _check_said(cell: Cell, said: dict[str, Any], attempts: dict[str, Any], unknown: Collection[str]) -> None:
    """The program was told what there is; and where something is unknown, that, and no more."""
    _expect("broke" not in said, f"the program broke: {said.get('broke')}")
    if not unknown:
        _expect(not said["errors"], f"it ended with {said['errors']}")
        _expect(len(said["made"]) == WORKFLOWS[cell.workflow].made, f"it made {len(said['made'])} files")
        there = sum(Path(file).is_file() for file in said["outputs"])
        _expect(there == WORKFLOWS[cell.workflow].outputs, f"of {said['outputs']}, {there} are there")
        return
    stored = sum(row.state == S.STORED for row in attempts.values())
    _expect(len(said["made"]) == stored, f"{stored} are stored, {len(said['made'])} were handed over")
    for name, accepted, text in said["errors"]:
        _expect(accepted is None and "stays reserved" in text, f"of what is unknown it says {name}: {text}")
    _expect(bool(said["errors"]), f"{len(unknown)} are unknown, and nobody was told")
