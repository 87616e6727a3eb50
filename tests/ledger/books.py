"""A store with accounts, and attempts to hang money on, without a client."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import insert, select, text

from aggregator import budgets, ledger
from aggregator.secret import Secret
from aggregator.spend import Spend
from aggregator.store import reports, runs
from aggregator.store.database import Store
from aggregator.store.schema import account, attempt, earmark, job, metadata, transfer

T = TypeVar("T")


class Books:
    """The ledger's verbs, each in a transaction of its own, at the moment `at` (milliseconds)."""

    def __init__(self, at: Path | Secret | Store) -> None:
        self.store = at if isinstance(at, Store) else Store(at, inline=True)
        self.at = 0
        self._count = 0

    def empty(self) -> None:
        """Forget everything, on PostgreSQL: to make a database takes longer than most tests."""
        names = [table.name for table in metadata.sorted_tables if table.name != "meta"]
        triggers = "; ".join(f"ALTER TABLE {name} {{0}} TRIGGER USER" for name in names)
        for line in (
            triggers.format("DISABLE"),
            f"TRUNCATE {', '.join(names)} RESTART IDENTITY",
            triggers.format("ENABLE"),
        ):
            self.do(lambda c, line=line: c.exec_driver_sql(line))

    def do(self, work: Callable[[Any], T]) -> T:
        return self.store.now(work)

    def open(self, name: str, cap: int | None = None, parent: str | None = None, **periods: int) -> None:
        caps = {**({} if cap is None else {"total": cap}), **periods}
        self.do(lambda c: budgets.open_account(c, name, parent=parent, caps=caps))

    def set_cap(self, name: str, cap: int, period: str = "total") -> None:
        self.do(lambda c: budgets.set_caps(c, name, {period: cap}, at=self.at))

    def credits(self, provider: str, usd: str, cap: int | None = None, **periods: int) -> None:
        caps = {**({} if cap is None else {"total": cap}), **periods}
        self.do(lambda c: budgets.open_credits(c, provider, Decimal(usd), caps, at=self.at))

    def attempt(self, name: str, *, tags: Mapping[str, str] | None = None, task: str = "t", **texts: str) -> str:
        """A row for the transfers of one attempt to point to."""
        self._count += 1
        found = f"a{self._count}"

        def write(c: Any) -> None:
            row = {"id": found, "project": name, "key": found, "fingerprint": "f", "ask": {}}
            request, stage = {"task": task}, texts.get("stage", "s")
            c.execute(
                insert(job).values(
                    **row, request=request, stage=stage, tags=dict(tags or {}), created_at=0, deadline_at=0
                )
            )
            columns = ("provider", "endpoint", "model", "account_ref", "table_checked", "reuse_address")
            quote = {"low_usd": None, "high_usd": None, "lines": []}
            given = {
                "plan": {"request": request, "quote": quote},
                "reserved": 0,
                "warnings": [],
                "idempotency_key": found,
            }
            named = {column: texts.get(column, "x") for column in columns}
            c.execute(insert(attempt).values(id=found, job=found, n=1, state="submitting", **named, **given))

        self.do(write)
        return found

    def reserve(
        self,
        name: str,
        amount: int,
        of: str | None = None,
        *,
        provider: str = "p",
        earmark: tuple[str, str] | None = None,
    ) -> str:
        of, given = of or self.attempt(name), {"provider": provider, "basis": {}, "at": self.at, "earmark": earmark}
        self.moved = self.do(lambda c: ledger.reserve(c, name, of, amount, **given))
        return of

    def run(self, run: str, name: str) -> None:
        """A row for earmarks to point to."""
        asked = {"workflow": [], "inputs": {}, "stage": "s", "generation": "g", "settings": {}}
        self.do(lambda c: runs.open_run(c, name, run, run_id=run, at=self.at, **asked))

    def earmark(self, name: str, run: str, **steps: int) -> None:
        self.moved = self.do(lambda c: ledger.earmark(c, name, run, steps, at=self.at))

    def unmark(self, run: str, *steps: str) -> None:
        """Some steps, or all of them."""
        self.moved = self.do(lambda c: ledger.unmark(c, run, steps or None))

    def earmarks(self, run: str) -> dict[str, int]:
        rows = self.do(lambda c: c.execute(select(earmark).where(earmark.c.run == run)).all())
        return {row.step: row.amount for row in rows}

    def settle(self, of: str, amount: int, *, source: ledger.Source = "reported") -> int:
        self.moved = self.do(lambda c: ledger.settle(c, of, amount, source=source, basis={}, at=self.at))
        return self.moved.over

    def release(self, of: str, why: str = "refused") -> None:
        self.moved = self.do(lambda c: ledger.release(c, of, why=why, at=self.at))

    def adjust(self, of: str, amount: int) -> int:
        self.moved = self.do(lambda c: ledger.adjust(c, of, amount, source="invoice", basis={}, at=self.at))
        return self.moved.settled

    def verify(self) -> None:
        self.do(ledger.verify)

    def unlock(self, table: str) -> None:
        """Take away what keeps the rows of a table as they are, as someone with the database in hand could."""
        sqlite = [f"DROP TRIGGER {table}_no_{verb}" for verb in ("update", "delete")]
        postgres = [f"ALTER TABLE {table} DISABLE TRIGGER USER"]
        for line in postgres if self.store.now(lambda c: c.dialect.name) == "postgresql" else sqlite:
            self.do(lambda c, line=line: c.execute(text(line)))

    def of(self, name: str) -> tuple[int, int, int]:
        """Held, settled, overrun."""
        row = self.do(lambda c: c.execute(select(account).where(account.c.id == name)).one())
        return row.held, row.settled, row.overrun

    def accounts(self) -> dict[str, tuple[int, int, int]]:
        """Held, settled, overrun, by account and period."""
        rows = self.do(lambda c: c.execute(select(account)).all())
        return {row.id: (row.held, row.settled, row.overrun) for row in rows}

    def crossed(self) -> list[tuple[str, int]]:
        """The thresholds that the last verb passed."""
        return [(crossing.level.id, crossing.percent) for crossing in self.moved.crossed]

    def spend(self, name: str, **asked: Any) -> Spend:
        return self.do(lambda c: reports.spend(c, name, at=self.at, **asked))

    def transfers(self) -> list[str]:
        return self.do(lambda c: list(c.execute(select(transfer.c.id).order_by(transfer.c.id)).scalars()))
