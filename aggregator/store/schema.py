"""The tables, as written in the first released schema. A change is a new version and a migration, never an edit.

Money is integer micro-dollars, time integer milliseconds since the epoch. Three kinds of state are kept apart: an
attempt's own (`state`), the provider's last word (`wire`), and money, which is in `transfer` alone. Rows of
`transfer` and `event` are never changed or deleted: triggers see to it.
"""

import json
from typing import Any

from sqlalchemy import (
    DDL,
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)

__all__ = [
    "FINAL_STATES",
    "SCHEMA_VERSION",
    "account",
    "artifact",
    "attempt",
    "job",
    "log",
    "meta",
    "metadata",
    "output",
    "service_time",
    "transfer",
]

SCHEMA_VERSION = 1

FINAL_STATES = ("stored", "failed", "refused", "canceled", "lost")
"""Attempt states that nothing leaves. `unknown` is not one: late evidence may still come."""

metadata = MetaData()
Int = BigInteger().with_variant(Integer(), "sqlite")
Real = Float().with_variant(REAL(), "sqlite")


class Json(TypeDecorator[Any]):
    """JSON in a text column, written the same way every time, so that it can be hashed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Any) -> str | None:
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, _dialect: Any) -> Any:
        return None if value is None else json.loads(value)


meta = Table(
    "meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False), sqlite_strict=True
)

account = Table(  # a budget node: the organisation, a project, a project within a project
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent", Text, ForeignKey("account.id")),
    Column("currency", Text, nullable=False, server_default="USD"),
    Column("cap", Int),  # NULL: no cap
    Column("held", Int, nullable=False, server_default="0"),
    Column("settled", Int, nullable=False, server_default="0"),
    Column("overrun", Int, nullable=False, server_default="0"),
    CheckConstraint("held >= 0", name="held_not_negative"),
    CheckConstraint("settled >= 0", name="settled_not_negative"),
    CheckConstraint("cap IS NULL OR held + settled <= cap + overrun", name="within_cap"),
    sqlite_strict=True,
)

job = Table(  # what the user asked for
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, ForeignKey("account.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("request", Json, nullable=False),
    Column("ask", Json, nullable=False),
    Column("stage", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("created_at", Int, nullable=False),
    Column("deadline_at", Int, nullable=False),
    UniqueConstraint("project", "key", name="one_job_per_key"),
    sqlite_strict=True,
)

attempt = Table(  # one purchase
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job", Text, ForeignKey("job.id"), nullable=False),
    Column("n", Int, nullable=False),
    Column("provider", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("account_ref", Text, nullable=False),  # a fingerprint of the credential, never the credential
    Column("table_checked", Text, nullable=False),  # which edition of the provider's table submitted it
    Column("plan", Json, nullable=False),
    Column("reuse_address", Text, nullable=False),
    Column("reserved", Int, nullable=False),
    Column("body", Json),  # the bytes of the paid request, for a provider that replays keys
    Column("state", Text, nullable=False),
    Column("wire", Text),
    Column("idempotency_key", Text, nullable=False),
    Column("maybe_sent", Int, nullable=False, server_default="0"),
    Column("sends", Int, nullable=False, server_default="0"),
    Column("remote_id", Text),
    Column("handle", Json),
    Column("delivery", Json),
    Column("error", Json),
    Column("warnings", Json, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", Int),
    Column("submitted_at", Int),
    Column("finished_at", Int),
    Column("version", Int, nullable=False, server_default="0"),
    UniqueConstraint("job", "n", name="one_attempt_per_number"),
    UniqueConstraint("provider", "account_ref", "remote_id", name="one_attempt_per_remote_job"),
    sqlite_strict=True,
)
_finals = ", ".join(f"'{state}'" for state in FINAL_STATES)
Index("one_live", attempt.c.job, unique=True, sqlite_where=text(f"state NOT IN ({_finals})"))
Index("attempt_by_state", attempt.c.state)

transfer = Table(  # money, double entry, immutable; the id is deterministic, so that a repeated transaction is a no-op
    "transfer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("pending_id", Text, ForeignKey("transfer.id")),
    Column("debit", Text, ForeignKey("account.id"), nullable=False),
    Column("credit", Text, nullable=False),
    Column("attempt", Text, ForeignKey("attempt.id"), nullable=False),
    Column("amount", Int, nullable=False),
    Column("source", Text, nullable=False),
    Column("basis", Json, nullable=False),
    Column("at", Int, nullable=False),
    CheckConstraint("kind IN ('pending', 'post', 'void', 'adjust')", name="known_kind"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    sqlite_strict=True,
)
Index("one_resolution", transfer.c.pending_id, unique=True, sqlite_where=text("kind IN ('post', 'void')"))
Index("transfer_by_attempt", transfer.c.attempt)

log = Table(  # what happened, append only, each row hashed with the one before
    "event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("attempt", Text),
    Column("at", Int, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("hash", Text, nullable=False),
    sqlite_strict=True,
)

artifact = Table(
    "artifact",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", Int, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("path", Text, nullable=False),  # below the artifact directory
    Column("facts", Json),
    sqlite_strict=True,
)

output = Table(  # which artifacts a job delivered
    "output",
    metadata,
    Column("job", Text, ForeignKey("job.id"), primary_key=True),
    Column("n", Int, primary_key=True),
    Column("attempt", Text, ForeignKey("attempt.id"), nullable=False),
    Column("sha256", Text, ForeignKey("artifact.sha256"), nullable=False),
    sqlite_strict=True,
)

service_time = Table(  # how long an offer takes: the log-normal fit that polling follows
    "service_time",
    metadata,
    Column("offer", Text, primary_key=True),
    Column("weight", Real, nullable=False),
    Column("mean_log_s", Real, nullable=False),
    Column("square_log_s", Real, nullable=False),
    sqlite_strict=True,
)

for _table in (transfer, log):
    for _verb in ("UPDATE", "DELETE"):
        event.listen(
            _table,
            "after_create",
            DDL(  # type: ignore[no-untyped-call]
                f"CREATE TRIGGER {_table.name}_no_{_verb.lower()} BEFORE {_verb} ON {_table.name} "
                f"BEGIN SELECT RAISE(ABORT, '{_table.name} rows are immutable'); END"
            ).execute_if(dialect="sqlite"),
        )
