"""A store with accounts, and attempts to hang money on, without a client."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import insert, select

from aggregator import ledger
from aggregator.store.database import Store
from aggregator.store.schema import account, attempt, job, transfer

T = TypeVar("T")


class Books:
    """The ledger's verbs, each in a transaction of its own."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path, inline=True)
        self._count = 0

    def do(self, work: Callable[[Any], T]) -> T:
        return self.store._begin(self.store._connection, work)

    def open(self, name: str, cap: int | None = None, parent: str | None = None) -> None:
        self.do(lambda c: ledger.open_account(c, name, parent=parent, cap=cap))

    def attempt(self, name: str) -> str:
        """A row for the transfers of one attempt to point to."""
        self._count += 1
        found = f"a{self._count}"

        def write(c: Any) -> None:
            row = {"id": found, "project": name, "key": found, "fingerprint": "f", "request": {}, "ask": {}}
            c.execute(insert(job).values(**row, stage="s", tags={}, created_at=0, deadline_at=0))
            texts = dict.fromkeys(
                ("provider", "endpoint", "model", "account_ref", "table_checked", "reuse_address"), "x"
            )
            given = {"plan": {"request": {"task": "t"}}, "reserved": 0, "warnings": [], "idempotency_key": found}
            c.execute(insert(attempt).values(id=found, job=found, n=1, state="submitting", **texts, **given))

        self.do(write)
        return found

    def reserve(self, name: str, amount: int, of: str | None = None) -> str:
        of = of or self.attempt(name)
        self.do(lambda c: ledger.reserve(c, name, of, amount, provider="p", basis={}, at=0))
        return of

    def settle(self, of: str, amount: int) -> int:
        return self.do(lambda c: ledger.settle(c, of, amount, source="reported", basis={}, at=0))

    def release(self, of: str, why: str = "refused") -> None:
        self.do(lambda c: ledger.release(c, of, why=why, at=0))

    def verify(self) -> None:
        self.do(ledger.verify)

    def of(self, name: str) -> tuple[int, int, int]:
        """Held, settled, overrun."""
        row = self.do(lambda c: c.execute(select(account).where(account.c.id == name)).one())
        return row.held, row.settled, row.overrun

    def transfers(self) -> list[str]:
        return self.do(lambda c: list(c.execute(select(transfer.c.id).order_by(transfer.c.id)).scalars()))
