"""Jobs as people and programs ask about them: plain data, read from the journal."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from aggregator.job import JobRecord
from aggregator.pricing.money import from_micro_usd
from aggregator.store.journal import COLUMNS, read_attempt
from aggregator.store.schema import FINAL_STATES, attempt, job, transfer

__all__ = ["job_records"]


def job_records(
    connection: Connection, *, project: str | None = None, job_id: str | None = None, open_only: bool = False
) -> list[JobRecord]:
    """Jobs as plain data, newest attempt each, oldest job first."""
    post = transfer.alias("post")
    query = (
        select(*COLUMNS, job.c.tags, post.c.kind.label("resolution"), post.c.amount.label("settled"))
        .join_from(attempt, job, attempt.c.job == job.c.id)
        .outerjoin(post, and_(post.c.attempt == attempt.c.id, or_(post.c.kind == "post", post.c.kind == "void")))
        .order_by(job.c.created_at, job.c.id, attempt.c.n)
    )
    if project is not None:
        query = query.where(or_(job.c.project == project, job.c.project.startswith(f"{project}/", autoescape=True)))
    if job_id is not None:
        query = query.where(job.c.id == job_id)
    rows = {row.job: row for row in connection.execute(query)}  # the newest attempt comes last and stays
    return [_record(row) for row in rows.values() if not open_only or row.state not in FINAL_STATES]


def _record(row: Any) -> JobRecord:
    of = read_attempt(row)
    return JobRecord(
        id=of.job,
        project=of.project.partition(":")[2],
        key=of.key,
        task=of.request["task"],
        stage=of.stage,
        state=of.state,
        offer=of.offer,
        model=of.model,
        attempt=of.n,
        created_at=datetime.fromtimestamp(of.created_at / 1000, UTC),
        deadline_at=datetime.fromtimestamp(of.deadline_at / 1000, UTC),
        reserved_usd=str(from_micro_usd(0 if row.resolution else of.reserved)),
        settled_usd=str(from_micro_usd(row.settled)) if row.resolution == "post" else None,
        remote_id=of.handle.get("id"),
        error=of.error["message"] if of.error else None,
        maybe_sent=of.maybe_sent,
        tags=row.tags,
    )
