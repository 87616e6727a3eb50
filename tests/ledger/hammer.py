"""Many processes, one budget, half of them killed: nothing is passed, nothing is lost.

Each process buys as the runner does (job, attempt and reservation in one transaction of a store with group commit),
settles some of it and gives some of it back, and says in a file of its own what was committed. Some of it is earmarked
as a run first: what is earmarked cannot be refused. Half of them are killed on the way. Another one reads the balances
all the while.

```sh
python -m tests.ledger.hammer                                     # 16 processes, 10,000 each, on both databases
python -m tests.ledger.hammer --processes 4 --reservations 200
python -m tests.ledger.hammer --naive --processes 4 --reservations 50      # look, then act: passes the budget
```
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from aggregator import budgets, ledger
from aggregator.errors import BudgetExceededError
from aggregator.job import AttemptState
from aggregator.secret import Secret
from aggregator.store import journal, runs
from aggregator.store.database import Store
from aggregator.store.journal import NewAttempt, NewJob
from aggregator.store.schema import account, earmark, transfer
from aggregator.store.schema import attempt as attempt_table
from tests import postgres

ORGANISATION, FILM, SONG = "organisation", "project:film", "project:song"
PRICES = (1_000, 40_000, 70_000, 250_000, 1_000_000)
"""Micro-dollars."""
MEAN = sum(PRICES) // len(PRICES)
RUNS = 0.1
"""Which part of what is bought are runs of up to three steps."""
AT_ONCE = 16
"""Purchases under way in one process."""
LOOK_S, VERIFY_S = 0.02, 5.0
"""How often the balances are read, and rebuilt from the transfers."""


@dataclass(frozen=True)
class Load:
    """How hard it is hit."""

    processes: int
    reservations: int
    naive: bool = False

    @property
    def caps(self) -> dict[str, int]:
        """Less than what is asked for: for life above, for a month below."""
        asked = self.processes * self.reservations * MEAN
        return {ORGANISATION: asked * 35 // 100, FILM: asked * 15 // 100}


@dataclass
class Seen:
    """What was found, and how long it took."""

    decisions: int = 0
    reserved: int = 0
    refused: int = 0
    killed: int = 0
    looks: int = 0
    verified: int = 0
    over: int = -sys.maxsize
    """The most by which any budget was passed, in micro-dollars; below zero: none was."""
    lost: list[str] = field(default_factory=list)
    """What a process was told is committed, and is not."""
    unreported: int = 0
    """What was committed, and its process killed before it could say so."""
    seconds: float = 0.0


# ------------------------------------------------------------------------------------------------------- one process


def _write_job(c: Connection, job_id: str, project: str, amount: int) -> str:
    at = int(time.time() * 1000)
    names = {"fingerprint": "f", "request": {"task": "text-to-image"}, "ask": {}, "stage": "prototype", "tags": {}}
    journal.add_job(c, NewJob(id=job_id, project=project, key=job_id, created_at=at, deadline_at=at, **names))  # type: ignore[arg-type]
    texts = dict.fromkeys(("endpoint", "model", "account_ref", "table_checked", "reuse_address"), "x")
    purchase = NewAttempt(provider="p", plan={}, body={}, reserved=amount, **texts)
    return journal.add_attempt(
        c, job_id, purchase, state=AttemptState.SUBMITTING, lease_owner="o", lease_until=at, at=at
    )


async def buy(store: Store, job_id: str, project: str, amount: int, step: tuple[str, str] | None = None) -> str:
    """As the runner does: one transaction."""

    def begin(c: Connection) -> str:
        attempt = _write_job(c, job_id, project, amount)
        given = {"provider": "p", "basis": {}, "at": int(time.time() * 1000), "earmark": step}
        ledger.reserve(c, project, attempt, amount, **given)  # type: ignore[arg-type]
        return attempt

    return await store.transact(begin)


async def buy_naively(store: Store, job_id: str, project: str, amount: int) -> str:
    """Look whether there is room, then act."""
    if await store.read(drawn) + amount > await store.read(_cap):
        nothing = dict.fromkeys(("quote_usd", "limit_usd", "spent_usd", "held_usd"), Decimal(0))
        raise BudgetExceededError("no room", account=ORGANISATION, **nothing)

    def begin(c: Connection) -> str:
        attempt = _write_job(c, job_id, project, amount)
        row = {"id": f"{attempt}:hold", "kind": "pending", "debit": project, "credit": "p", "attempt": attempt}
        c.execute(insert(transfer).values(**row, amount=amount, source="quote", basis={}, at=0))
        return attempt

    return await store.transact(begin)


async def _resolve(store: Store, attempt: str, amount: int, rng: random.Random) -> str:
    """Settle half of them, give a fifth back, keep the others reserved."""
    fate, at = rng.random(), int(time.time() * 1000)
    if fate < 0.5:
        bill = rng.randint(amount // 2, amount)
        await store.transact(lambda c: ledger.settle(c, attempt, bill, source="reported", basis={}, at=at))
        return f"post {bill}"
    if fate < 0.7:
        await store.transact(lambda c: ledger.release(c, attempt, why="refused", at=at))
        return f"void {amount}"
    return ""


async def plan(store: Store, run: str, project: str, steps: Mapping[str, int]) -> None:
    """Write a run down with money for all of its steps."""

    def begin(c: Connection) -> None:
        asked = {"workflow": [], "inputs": {}, "stage": "s", "generation": "g", "settings": {}}
        at = int(time.time() * 1000)
        runs.open_run(c, project, run, run_id=run, at=at, **asked)  # type: ignore[arg-type]
        ledger.earmark(c, project, run, steps, at=at)

    await store.transact(begin)


def hammer(at: Path | Secret, n: int, load: Load, report: Path) -> None:
    """One process: buys, and writes down what it was told."""
    rng = random.Random(n)
    store = Store(at)
    said = os.open(report, os.O_WRONLY | os.O_APPEND)
    turns = iter(range(load.reservations))
    decide = buy_naively if load.naive else buy

    async def bought(attempt: str, amount: int) -> None:
        os.write(said, f"{attempt} hold {amount}\n".encode())
        if not load.naive and (kind := await _resolve(store, attempt, amount, rng)):
            os.write(said, f"{attempt} {kind}\n".encode())

    async def run_of(name: str, project: str) -> None:
        steps = {step: rng.choice(PRICES) for step in ("still", "shot", "sound")}
        await plan(store, name, project, steps)
        for step, amount in list(steps.items())[: rng.randint(1, 3)]:
            try:
                attempt = await buy(store, f"{name}-{step}", project, amount, (name, step))
            except BudgetExceededError:
                os.write(
                    said, f"{name}/{step} earmarked {amount}\n".encode()
                )  # there is no such row: it counts as lost
                continue
            await bought(attempt, amount)
        await store.transact(lambda c: ledger.unmark(c, name))

    async def one_after_the_other() -> None:
        for turn in turns:
            project, amount = rng.choice((FILM, SONG)), rng.choice(PRICES)
            try:
                if not load.naive and rng.random() < RUNS:
                    await run_of(f"{n}-{turn}", project)
                else:
                    await bought(await decide(store, f"{n}-{turn}", project, amount), amount)
            except BudgetExceededError:
                os.write(said, b"refused\n")

    async def main() -> None:
        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    asyncio.run(main())
    store.close()


# ------------------------------------------------------------------------------------------------------- who watches


def drawn(c: Connection) -> int:
    """What is held or settled, by the transfers and earmarks alone."""
    resolved = select(transfer.c.pending_id).where(transfer.c.pending_id.is_not(None))
    counts = (transfer.c.kind == "post") | ((transfer.c.kind == "pending") & transfer.c.id.not_in(resolved))
    bought, kept = (select(func.coalesce(func.sum(of.c.amount), 0)) for of in (transfer, earmark))
    return int(c.execute(bought.where(counts)).scalar_one()) + int(c.execute(kept).scalar_one())


def _cap(c: Connection) -> int:
    return int(c.execute(select(account.c.cap).where(account.c.id == ORGANISATION)).scalar_one())


def above(c: Connection) -> int:
    """By how much the worst of all levels is passed, as it is written; below zero where none is."""
    used = account.c.held + account.c.settled - account.c.cap
    return int(c.execute(select(func.max(used)).where(account.c.cap.is_not(None))).scalar_one())


def watch(store: Store, running: list[Any], reports: list[Path], load: Load, seen: Seen) -> None:
    """Read the balances until all have ended, and kill every other process somewhere on its way."""
    rng = random.Random(load.processes)
    fuses = {n: rng.uniform(0.05, 0.8) * load.reservations for n in range(1, load.processes, 2)}
    lines = [report.open("rb") for report in reports]
    written = [0] * load.processes
    checked_s = time.monotonic()
    while any(process.is_alive() for process in running):
        seen.over = max(seen.over, store.now(above, write=False))
        seen.looks += 1
        if time.monotonic() > checked_s + VERIFY_S and not load.naive:
            store.now(ledger.verify, write=False)
            seen.verified += 1
            checked_s = time.monotonic()
        for n, fuse in list(fuses.items()):
            written[n] += lines[n].read().count(b"\n")
            if written[n] > fuse:
                running[n].kill()
                seen.killed += 1
                del fuses[n]
        time.sleep(LOOK_S)
    for process, file in zip(running, lines, strict=True):
        process.join()
        file.close()


def check(c: Connection, reports: list[Path], seen: Seen, load: Load) -> None:
    """What every process was told is in the books; what is in the books adds up."""
    rows = {row.id: row.amount for row in c.execute(select(transfer.c.id, transfer.c.amount))}
    told = 0
    for line in _told(reports):
        if line == ["refused"]:
            seen.refused += 1
            continue
        attempt, kind, amount = line
        if rows.get(f"{attempt}:{kind}") != int(amount):
            seen.lost.append(" ".join(line))
        told += kind == "hold"
    seen.reserved = sum(name.endswith(":hold") for name in rows)
    attempts = c.execute(select(func.count()).select_from(attempt_table)).scalar_one()
    if attempts != seen.reserved:
        seen.lost.append(f"{attempts} attempts have {seen.reserved} reservations")
    seen.unreported = seen.reserved - told
    seen.decisions = seen.reserved + seen.refused
    seen.over = max(seen.over, above(c), drawn(c) - _cap(c))
    if not load.naive:
        ledger.verify(c)
        journal.verify_log(c)


def _told(reports: list[Path]) -> Iterator[list[str]]:
    for report in reports:
        for line in report.read_text().splitlines():
            yield line.split()


# --------------------------------------------------------------------------------------------------------- all of it


def run(at: Path | Secret, load: Load, directory: Path) -> Seen:
    """Hit one database."""
    store = Store(at, inline=True)
    caps = load.caps
    store.now(lambda c: budgets.open_account(c, ORGANISATION, parent=None, caps={"total": caps[ORGANISATION]}))
    store.now(lambda c: budgets.open_account(c, FILM, parent=ORGANISATION, caps={"month": caps[FILM]}))
    store.now(lambda c: budgets.open_account(c, SONG, parent=ORGANISATION, caps={}))
    store.close()
    context = multiprocessing.get_context("fork")
    reports = [directory / f"{n}.txt" for n in range(load.processes)]
    running = [context.Process(target=hammer, args=(at, n, load, reports[n])) for n in range(load.processes)]
    for report in reports:
        report.touch()
    seen, began_s = Seen(), time.monotonic()
    for process in running:
        process.start()
    store = Store(at, inline=True)
    watch(store, running, reports, load, seen)
    seen.seconds = time.monotonic() - began_s
    broken = [process.exitcode for process in running if process.exitcode not in (0, -signal.SIGKILL)]
    store.now(lambda c: check(c, reports, seen, load), write=False)
    store.close()
    if broken:
        raise RuntimeError(f"processes that nobody killed ended with {broken}")
    return seen


def said(name: str, load: Load, seen: Seen) -> str:
    """What was found, in a line or two."""
    return (
        f"{name}: {load.processes} processes x {load.reservations:,} reservations{', look then act' * load.naive}, "
        f"{seen.killed} killed\n"
        f"  {seen.decisions:,} decisions in {seen.seconds:.1f} s: {seen.decisions / seen.seconds:,.0f} a second "
        f"({seen.reserved:,} reserved, {seen.refused:,} refused)\n"
        f"  ${max(seen.over, 0) / 1_000_000:.2f} over any budget in {seen.looks:,} looks, the books rebuilt "
        f"{seen.verified} times meanwhile; {len(seen.lost)} reservations lost, {seen.unreported} committed by "
        "processes that were killed before they said so"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.hammer", description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--reservations", type=int, default=10_000, help="for each process")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append", help="both unless given")
    parser.add_argument("--naive", action="store_true", help="look whether there is room, then act: it must be seen")
    given = parser.parse_args()
    load = Load(given.processes, given.reservations, given.naive)
    failed = False
    for name in given.database or ("sqlite", "postgresql"):
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aggregator-hammer-")))
            shared = name == "postgresql"
            at = Secret(stack.enter_context(postgres.database())) if shared else directory / "store.sqlite"
            seen = run(at, load, directory)
        print(said(name, load, seen), flush=True)  # noqa: T201
        failed |= bool(seen.over > 0 or seen.lost or not seen.refused)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
