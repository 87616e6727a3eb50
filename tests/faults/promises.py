"""What must hold at every commit, and when all is over: the guarantees, as a program reads them."""

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aggregator import ledger
from aggregator.errors import LedgerError
from aggregator.job import AttemptState as S
from aggregator.store import journal
from aggregator.testing.memory import Order
from tests.faults.life import BrokenPromiseError
from tests.faults.quick import QuickConnection
from tests.faults.servers import TwoServers

if TYPE_CHECKING:
    from tests.faults.simulation import Simulation

MICRO = 1_000_000
RECOVERY_S = 3 * 3600.0
"""How long after its deadline a job may be under way: leases, retries and downloads have to come to their ends."""
FOUND = ("replaying", "referring", "rejecting")
"""Where every request that was taken can be found, as long as it is known."""


def _expect(holds: bool, why: str) -> None:
    if not holds:
        raise BrokenPromiseError(why)


def check_error(error: Exception) -> None:
    """No error asks for a second order, and none says that the books or the state machine are broken."""
    text = str(error)
    _expect("try again" not in text.lower(), f"an error that asks for a second order: {text}")
    broken = isinstance(error, LedgerError) or "cannot go from" in text or "was changed after" in text
    _expect(not broken, f"{type(error).__name__}: {text}")


def check_time(simulation: "Simulation", seconds: float) -> None:
    """No life goes on for ever."""
    longest = simulation.program.deadline_s + simulation.recovery_s
    _expect(seconds <= longest, f"a life took {seconds:.0f} s, deadline and recovery are {longest:.0f} s")


# ------------------------------------------------------------------------------------------------------ at every commit


def check_always(simulation: "Simulation", connection: Any) -> None:
    """What is charged for an attempt is covered by what is held or settled for it; no budget is passed."""
    holds: dict[str, int] = {}
    covers: dict[str, int] = {}
    moved = connection.exec_driver_sql("SELECT kind, attempt, amount FROM transfer ORDER BY rowid")
    for kind, attempt, amount in moved.all():
        covers[attempt] = 0 if kind == "void" else amount
        holds.setdefault(attempt, amount)
    due: dict[str, int] = defaultdict(int)
    now = simulation.server.time()
    simulation.transport.arrive()
    for order in simulation.transport.book.values():
        # What a bill is above its quote is known when the provider says so.
        due[order.attempt] += min(int(order.charged_usd(now) * MICRO), holds.get(order.attempt, 1))
    for attempt, charged in due.items():
        covered = covers.get(attempt, 0)
        _expect(charged <= covered, f"{attempt}: {charged} are charged, {covered} held or settled")
    over = connection.exec_driver_sql(
        "SELECT id, held, settled, cap, overrun FROM account WHERE cap IS NOT NULL AND held + settled > cap + overrun"
    ).all()
    _expect(not over, f"above the budget: {over}")


# ----------------------------------------------------------------------------------------------------------- at the end


def check_end(simulation: "Simulation") -> None:
    """When all is resolved: the books are the provider's invoice, and every job has come to its end."""
    now = simulation.server.time()
    simulation.transport.arrive()
    orders: dict[str, list[Order]] = defaultdict(list)
    for order in simulation.transport.book.values():
        orders[order.attempt].append(order)
    transfers = {row["id"]: row for row in simulation.rows("transfer")}
    attempts = simulation.rows("attempt")
    good: dict[str, int] = defaultdict(int)
    for row in attempts:
        bought = orders.pop(row["id"], [])
        _expect(len(bought) <= 1, f"{row['id']}: {len(bought)} jobs were bought")
        order = bought[0] if bought else None
        _check_money(row, order, transfers, now)
        _check_found(simulation, row, order, now)
        good[row["job"]] += order is not None and order.state(now) == "succeeded"
    _expect(not orders, f"bought for nobody: {sorted(orders)}")
    _expect(max(good.values(), default=0) <= 1, f"paid more than once for one key: {dict(good)}")
    _check_held(simulation, attempts, transfers)
    _check_files(simulation, attempts)
    connection = QuickConnection(simulation.raw)
    ledger.verify(connection)  # type: ignore[arg-type]
    journal.verify_log(connection)  # type: ignore[arg-type]
    _check_log(simulation, attempts)


def unknown(simulation: "Simulation") -> list[str]:
    """The attempts of which nobody knows what became."""
    return [row["id"] for row in simulation.rows("attempt") if row["state"] == S.UNKNOWN]


def unfinished(simulation: "Simulation") -> list[str]:
    """The attempts that have not come to an end."""
    return [row["id"] for row in simulation.rows("attempt") if not S(row["state"]).is_final]


def check_resolved(simulation: "Simulation") -> None:
    """After a person has said what is not to be found out: nothing is unknown, and the books are the invoice."""
    _expect(not unknown(simulation), f"still unknown: {unknown(simulation)}")
    settled = next(row["settled"] for row in simulation.rows("account") if row["id"] == "organisation")
    charged = int(simulation.transport.charged_usd * MICRO)
    _expect(settled == charged, f"the invoice is {charged}, the books say {settled}")


def _check_money(row: dict[str, Any], order: Order | None, transfers: dict[str, Any], now: float) -> None:
    name, state = row["id"], row["state"]
    charged = int(order.charged_usd(now) * MICRO) if order else 0
    post, void = transfers.get(f"{name}:post"), transfers.get(f"{name}:void")
    if state in (S.STORED, S.LOST):
        _expect(post is not None and post["amount"] == charged, f"{name}: {charged} charged, {post}")
    elif state in (S.FAILED, S.REFUSED, S.CANCELED):
        booked = post["amount"] if post else 0 if void else charged
        _expect(booked == charged, f"{name}: {charged} charged, {booked} booked")
    else:
        _expect(state == S.UNKNOWN, f"{name} is left in {state}")
        _expect(post is None and void is None, f"{name} is unknown, and its money resolved")


def _check_found(simulation: "Simulation", row: dict[str, Any], order: Order | None, now: float) -> None:
    """Nothing is left unknown that could be known."""
    if row["state"] != S.UNKNOWN or order is None or not order.known(now):
        return
    if order.state(simulation.began) in ("queued", "running"):
        return  # it was not over when it was looked at
    error = json.loads(row["error"]) if row["error"] else {}
    if "the id of another job" in error.get("message", ""):
        return  # what the provider says of itself does not fit together
    if row["remote_id"] not in (None, order.id) and not _is_there(simulation, row["remote_id"], order):
        return  # it answered with the id of a job of its other server, and knows no such job when it is asked
    _expect(row["handle"] is None, f"{row['id']} is over, was taken as {order.id}, and is left unknown: {error}")
    _expect(row["provider"] not in FOUND, f"{row['id']} was taken as {order.id}, can be found, and was not: {error}")


def _is_there(simulation: "Simulation", remote_id: str, order: Order) -> bool:
    """Whether a job is at the server that took an order."""
    homes = simulation.transport.homes if isinstance(simulation.transport, TwoServers) else {}
    return homes.get(remote_id) == homes.get(order.id)


def _check_held(simulation: "Simulation", attempts: list[dict[str, Any]], transfers: dict[str, Any]) -> None:
    """What is still held belongs to what nobody can know."""
    states = {row["id"]: row["state"] for row in attempts}
    for row in transfers.values():
        name = row["attempt"]
        if row["kind"] != "pending" or f"{name}:post" in transfers or f"{name}:void" in transfers:
            continue
        _expect(
            states[name] in (S.UNKNOWN, S.FAILED, S.CANCELED), f"{name} is {states[name]}, and its money still held"
        )


def _check_files(simulation: "Simulation", attempts: list[dict[str, Any]]) -> None:
    stored = {row["job"] for row in attempts if row["state"] == "stored"}
    outputs = simulation.rows("output")
    _expect(stored == {row["job"] for row in outputs}, "a stored job has no file")
    paths = {row["sha256"]: row["path"] for row in simulation.rows("artifact")}
    for row in outputs:
        file = simulation.directory / "artifacts" / paths[row["sha256"]]
        _expect(file.is_file(), f"{file} is not there")
        _expect(hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"], f"{file} is something else")
        made = [hashlib.sha256(order.file).hexdigest() for order in simulation.transport.accepted(row["attempt"])]
        _expect(made == [row["sha256"]], f"{file} is not what was made for {row['attempt']}")


def _check_log(simulation: "Simulation", attempts: list[dict[str, Any]]) -> None:
    """Every state an attempt is in was written down."""
    last = {row["attempt"]: row["kind"] for row in simulation.rows("event") if row["kind"] in set(S)}
    for row in attempts:
        _expect(
            last.get(row["id"]) == row["state"], f"{row['id']} is {row['state']}, the log says {last.get(row['id'])}"
        )
