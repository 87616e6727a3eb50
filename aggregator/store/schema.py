"""The tables, as the newest version has them. A change is a new version and a step in `migrations`, never an edit.

Money is integer micro-dollars (of a credit account: millionths of a credit), time integer milliseconds since the
epoch. Three kinds of state are kept apart: an attempt's own (`state`), the provider's last word (`wire`), and money,
which is in `transfer` alone. Rows of `transfer`, `event` and `credit_rate` are never changed or deleted: triggers see
to it.
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
    "IMMUTABLE",
    "SCHEMA_VERSION",
    "account",
    "artifact",
    "attempt",
    "budget",
    "credit_rate",
    "earmark",
    "inbox",
    "job",
    "log",
    "made",
    "meta",
    "metadata",
    "output",
    "pause",
    "pick",
    "quarantine",
    "redirected",
    "run",
    "run_step",
    "service_time",
    "throttle",
    "transfer",
    "verdict",
]

SCHEMA_VERSION = 4

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

account = Table(
    # A budget node: the organisation, a project, a project within a project; a period of one of them; or the credits
    # of a provider.
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent", Text, ForeignKey("account.id")),
    Column("currency", Text, nullable=False, server_default="USD"),
    Column("cap", Int),  # NULL: no cap
    Column("held", Int, nullable=False, server_default="0"),
    Column("settled", Int, nullable=False, server_default="0"),
    Column("overrun", Int, nullable=False, server_default="0"),
    Column("warned", Int, nullable=False, server_default="0"),  # the highest threshold told already, in percent
    Column("window_of", Text, ForeignKey("account.id")),  # a period of this account: what was reserved in it
    Column("from_at", Int),
    Column("until_at", Int),
    CheckConstraint("held >= 0", name="held_not_negative"),
    CheckConstraint("settled >= 0", name="settled_not_negative"),
    CheckConstraint("cap IS NULL OR held + settled <= cap + overrun", name="within_cap"),
    sqlite_strict=True,
)

budget = Table(  # a cap for each day, week or month of an account; an account's own `cap` is for its life
    "budget",
    metadata,
    Column("account", Text, ForeignKey("account.id"), primary_key=True),
    Column("period", Text, primary_key=True),
    Column("cap", Int, nullable=False),
    CheckConstraint("period IN ('day', 'week', 'month')", name="known_period"),
    CheckConstraint("cap >= 0", name="cap_not_negative"),
    sqlite_strict=True,
)

credit_rate = Table(  # what a provider's credit costs, from a day on; appended, never changed
    "credit_rate",
    metadata,
    Column("currency", Text, primary_key=True),  # `credit:<provider>`
    Column("from_at", Int, primary_key=True),
    Column("usd", Text, nullable=False),  # a decimal
    Column("source", Text, nullable=False),
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
# On SQLite the unique one serves: it compares byte by byte.
_by_bytes = Index("job_by_key", job.c.project, job.c.key, postgresql_ops={"key": "text_pattern_ops"})
_by_bytes.ddl_if(dialect="postgresql")

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
    Column("known", Json),  # what is known of the remote job before its answer (`Paid.handle`)
    Column("first_sent_at", Int),
    Column("last_sent_at", Int),
    Column("found_by", Text),  # how an ambiguous request was found out about: replay, lookup, callback, operator
    Column("handle", Json),
    Column("delivery", Json),
    Column("error", Json),
    Column("warnings", Json, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", Int),
    Column("submitted_at", Int),
    Column("took_ms", Int),  # from the request that was taken to the word that it is done; NULL: nobody was watching
    Column("finished_at", Int),
    Column("version", Int, nullable=False, server_default="0"),
    UniqueConstraint("job", "n", name="one_attempt_per_number"),
    UniqueConstraint("provider", "account_ref", "remote_id", name="one_attempt_per_remote_job"),
    sqlite_strict=True,
)
_finals = ", ".join(f"'{state}'" for state in FINAL_STATES)
_live = text(f"state NOT IN ({_finals})")
Index("one_live", attempt.c.job, unique=True, sqlite_where=_live, postgresql_where=_live)
Index("attempt_by_state", attempt.c.state)
Index("attempt_by_end", attempt.c.finished_at)

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
    Column("currency", Text),  # of the provider's credits, where it bills in them
    Column("credits", Int),  # the same amount in millionths of a credit, at `credit_usd`
    Column("credit_usd", Text),
    Column("source", Text, nullable=False),
    Column("basis", Json, nullable=False),
    Column("at", Int, nullable=False),
    CheckConstraint("kind IN ('pending', 'post', 'void', 'adjust')", name="known_kind"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    sqlite_strict=True,
)
_resolves = text("kind IN ('post', 'void')")
Index("one_resolution", transfer.c.pending_id, unique=True, sqlite_where=_resolves, postgresql_where=_resolves)
Index("transfer_by_attempt", transfer.c.attempt)

log = Table(  # what happened, append only, each row hashed with the one before
    "event",
    metadata,
    Column("seq", Int, primary_key=True, autoincrement=True),
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

inbox = Table(  # deliveries that were believed; each is handled once, and known for as long as its sender may repeat it
    "inbox",
    metadata,
    Column("seq", Int, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),  # the provider
    Column("msg_id", Text, nullable=False),
    Column("at", Int, nullable=False),
    Column("attempt", Text),  # named by the callback address
    Column("remote_id", Text),  # named by the body
    Column("handle", Json),  # what else the body says of the remote job
    Column("handled_at", Int),
    UniqueConstraint("source", "msg_id", name="one_row_per_delivery"),
    sqlite_strict=True,
)
Index("inbox_by_attempt", inbox.c.attempt)
Index("inbox_by_remote_job", inbox.c.source, inbox.c.remote_id)
_waits = text("handled_at IS NULL")
Index("inbox_waiting", inbox.c.seq, sqlite_where=_waits, postgresql_where=_waits)

throttle = Table(  # how fast a provider takes requests and jobs of one credential, shared by all processes
    "throttle",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("account_ref", Text, primary_key=True),
    Column("next_at", Int, nullable=False, server_default="0"),  # microseconds: when the next request is due (GCRA)
    Column("at_once", Real),  # the learned limit of jobs in flight; NULL: none has shown itself
    Column("frozen_until", Int, nullable=False, server_default="0"),
    sqlite_strict=True,
)

pause = Table(  # an offer whose bill was above its quote: nothing more is bought at that price until someone looked
    "pause",
    metadata,
    Column("offer", Text, primary_key=True),
    Column("rates", Text, primary_key=True),  # which rates the quote was made from
    Column("attempt", Text, ForeignKey("attempt.id"), nullable=False),
    Column("at", Int, nullable=False),
    Column("lifted_at", Int),
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

verdict = Table(  # what people said of outputs, and what failed: evidence of one's own for the choice of a model
    "verdict",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Int, nullable=False),
    Column("project", Text, nullable=False),
    Column("role", Text, nullable=False),  # the task, where none was named
    Column("task", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("job", Text, ForeignKey("job.id"), nullable=False),
    Column("model", Text, nullable=False),
    Column("against", Text),  # the model that a pick was preferred to
    CheckConstraint("kind IN ('pick', 'up', 'down')", name="known_verdict"),
    sqlite_strict=True,
)
Index("verdict_by_time", verdict.c.at)

quarantine = Table(  # an offer that a probe found gone or changed: it is not used until someone looked
    "quarantine",
    metadata,
    Column("offer", Text, primary_key=True),
    Column("since", Int, nullable=False),
    Column("why", Text, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("lifted_at", Int),
    sqlite_strict=True,
)

redirected = Table(  # an offer whose answers name another model than the one it was asked for
    "redirected",
    metadata,
    Column("offer", Text, primary_key=True),
    Column("served_model", Text, primary_key=True),
    Column("attempt", Text, ForeignKey("attempt.id"), nullable=False),  # the last one
    Column("first_at", Int, nullable=False),
    Column("last_at", Int, nullable=False),
    Column("count", Int, nullable=False),
    sqlite_strict=True,
)

run = Table(  # a workflow that was started: the steps as they were last asked for, and how far they are
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, ForeignKey("account.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("workflow", Json, nullable=False),
    Column("inputs", Json, nullable=False),
    Column("stage", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("generation", Text, nullable=False),  # a digest of workflow, inputs and stage
    Column("settings", Json, nullable=False),
    Column("created_at", Int, nullable=False),
    Column("updated_at", Int, nullable=False),
    UniqueConstraint("project", "name", name="one_run_per_name"),
    CheckConstraint("state IN ('running', 'paused', 'finished', 'failed', 'canceled')", name="known_run_state"),
    sqlite_strict=True,
)

_STEP_STATES = "'waiting', 'running', 'reused', 'attached', 'made', 'failed', 'skipped', 'paused'"
run_step = Table(  # what became of each take of each step of a run
    "run_step",
    metadata,
    Column("run", Text, ForeignKey("run.id"), primary_key=True),
    Column("step", Text, primary_key=True),  # the name of the flat step: `shot.2`
    Column("take", Int, primary_key=True),
    Column("address", Text),  # of what it is made of; NULL: it waits for what that depends on
    Column("job", Text, ForeignKey("job.id")),  # what made it, where it was bought
    Column("output", Json),  # the media, where it was made here
    Column("state", Text, nullable=False),
    Column("why", Text),  # why it ran again, failed or was skipped
    Column("started_at", Int),
    Column("ended_at", Int),
    CheckConstraint(f"state IN ({_STEP_STATES})", name="known_step_state"),
    sqlite_strict=True,
)

pick = Table(  # which take of a step goes on; it holds for the content that the takes were made of
    "pick",
    metadata,
    Column("run", Text, ForeignKey("run.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("take", Int, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Int, nullable=False),
    CheckConstraint("by IN ('person', 'score', 'first')", name="known_picker"),
    sqlite_strict=True,
)

made = Table(  # what was made here at no cost, by content
    "made",
    metadata,
    Column("address", Text, primary_key=True),
    Column("output", Json, nullable=False),
    Column("took_ms", Int, nullable=False),
    Column("at", Int, nullable=False),
    sqlite_strict=True,
)

earmark = Table(  # money of an account that is kept for a step of a run until the step reserves it
    "earmark",
    metadata,
    Column("run", Text, ForeignKey("run.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("account", Text, ForeignKey("account.id"), nullable=False),
    Column("amount", Int, nullable=False),
    Column("at", Int, nullable=False),
    CheckConstraint("amount >= 0", name="earmark_not_negative"),
    sqlite_strict=True,
)

IMMUTABLE = (transfer, log, credit_rate)

_REFUSE = """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' rows are immutable', ERRCODE = 'integrity_constraint_violation';
END $$"""
event.listen(metadata, "before_create", DDL(_REFUSE).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]


def _refuse(table: Table, dialect: str, statement: str) -> None:
    event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


for _table in IMMUTABLE:
    _name = _table.name
    for _verb in ("UPDATE", "DELETE"):
        _refuse(
            _table,
            "sqlite",
            f"CREATE TRIGGER {_name}_no_{_verb.lower()} BEFORE {_verb} ON {_name} "
            f"BEGIN SELECT RAISE(ABORT, '{_name} rows are immutable'); END",
        )
    for _verbs, _each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        _refuse(
            _table,
            "postgresql",
            f"CREATE TRIGGER {_name}_no_{_verbs.split()[0].lower()} BEFORE {_verbs} ON {_name} "
            f"FOR EACH {_each} EXECUTE FUNCTION refuse_change()",
        )
