"""What people and programs ask the books: jobs and spend as plain data. Sums are the database's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    type_coerce,
)

from aggregator.budgets import report
from aggregator.job import JobRecord
from aggregator.periods import DAY_MS, day_of, start_of
from aggregator.pricing.money import from_micro_usd
from aggregator.spend import BY, OUR_OWN, Credits, Dimension, Spend, SpendLine
from aggregator.store.balances import DAY, RESOLVED, Figures, earmarks, end, kept, pending, subtree, sums, totals
from aggregator.store.journal import COLUMNS, read_attempt
from aggregator.store.schema import FINAL_STATES, account, attempt, earmark, job, transfer

__all__ = ["job_records", "project_names", "spend"]

_more = func.sum(case((transfer.c.credit.startswith("provider:"), transfer.c.amount), else_=-transfer.c.amount))
"""What was found out later: more where the account is debited, less where it is credited."""
_adjusting = (
    select(transfer.c.attempt, _more.label("amount"))
    .where(transfer.c.kind == "adjust")
    .group_by(transfer.c.attempt)
    .subquery("adjusting")
)


# -------------------------------------------------------------------------------------------------------------- jobs


_post = transfer.alias("post")
# Put together once: that takes longer than running it.
_RECORDS = (
    select(
        *COLUMNS,
        job.c.tags,
        attempt.c.finished_at,
        _post.c.kind.label("resolution"),
        _post.c.amount.label("settled"),
        select(_more)
        .where(transfer.c.attempt == attempt.c.id, transfer.c.kind == "adjust")
        .correlate(attempt)
        .scalar_subquery()
        .label("later"),
    )
    .join_from(attempt, job, attempt.c.job == job.c.id)
    .outerjoin(_post, and_(_post.c.attempt == attempt.c.id, _post.c.kind.in_(("post", "void"))))
    .order_by(job.c.created_at, job.c.id, attempt.c.n)
)
_RECORDS_OF = _RECORDS.where(job.c.id == bindparam("of"))


def job_records(
    connection: Connection, *, project: str | None = None, job_id: str | None = None, open_only: bool = False
) -> list[JobRecord]:
    """Jobs as plain data, newest attempt each, oldest job first."""
    query = _RECORDS if job_id is None else _RECORDS_OF
    if project is not None:
        query = query.where(or_(job.c.project == project, job.c.project.startswith(f"{project}/", autoescape=True)))
    found = connection.execute(query, {"of": job_id} if job_id is not None else {})
    rows = {row.job: row for row in found}  # the newest attempt comes last and stays
    return [_record(row) for row in rows.values() if not open_only or row.state not in FINAL_STATES]


def _record(row: Any) -> JobRecord:
    of = read_attempt(row)
    settled = row.settled if row.resolution == "post" else None if row.later is None else 0
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
        settled_usd=None if settled is None else str(from_micro_usd(settled + int(row.later or 0))),
        remote_id=of.handle.get("id"),
        error=of.error["message"] if of.error else None,
        maybe_sent=of.maybe_sent,
        tags=row.tags,
        sends=of.sends,
        first_sent_at=_moment(of.first_sent_at),
        finished_at=_moment(row.finished_at),
        found_by=of.found_by,
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


# ------------------------------------------------------------------------------------------------------------- spend


def project_names(connection: Connection) -> list[str]:
    """The projects that have books."""
    query = select(account.c.id).where(account.c.id.startswith("project:"), account.c.window_of.is_(None))
    return [name.removeprefix("project:") for name in connection.execute(query.order_by(account.c.id)).scalars()]


def spend(
    connection: Connection,
    name: str,
    *,
    at: int,
    by: Sequence[Dimension] = BY,
    since: date | None = None,
    until: date | None = None,
    tags: Mapping[str, str] | None = None,
) -> Spend:
    """The books of an account and everything below it.

    Args:
        since: Only what was reserved on this day (UTC) or later.
        until: Only what was reserved on this day or earlier.
        tags: Only jobs that have all of these.

    """
    selected = since is not None or until is not None or bool(tags)
    where = [
        pending.c.debit.in_(subtree(name)),
        *_between(pending.c.at, since, until),
        *_tagged(connection, tags or {}),
    ]
    lines = _lines(connection, where, by)
    once = _lines(connection, where, ()) if "tag" in by else lines
    row = connection.execute(select(account).where(account.c.id == name)).one()
    earmarked = _earmarked(connection, name, since, until, tags or {})
    of = Figures(row.held, row.settled, row.overrun)
    if selected:
        of = _overall(connection, where) + Figures(earmarked)
    return Spend(
        project=name.partition(":")[2] or name,
        budget_usd=None if row.cap is None or selected else from_micro_usd(row.cap),
        settled_usd=from_micro_usd(of.settled),
        held_usd=from_micro_usd(of.held),
        earmarked_usd=from_micro_usd(earmarked),
        overrun_usd=from_micro_usd(of.overrun),
        unpriced_jobs=sum(line.unpriced_jobs for line in once),
        by=tuple(by),
        lines=lines,
        credits=_credits(connection, where),
        budgets=() if selected else tuple(report(connection, at=at, name=name)),
        selected=selected,
    )


def _between(at: ColumnElement[int], since: date | None, until: date | None) -> Iterable[ColumnElement[bool]]:
    if since is not None:
        yield at >= start_of(since)
    if until is not None:
        yield at < start_of(until + timedelta(1))


def _earmarked(
    connection: Connection, name: str, since: date | None, until: date | None, tags: Mapping[str, str]
) -> int:
    """What is kept for steps that have not begun; where tags are asked for, nothing: only jobs have them."""
    if tags:
        return 0
    where = (earmark.c.account.in_(subtree(name)), *_between(earmark.c.at, since, until))
    return sum(total.usd.held for total in earmarks(connection, kept(*where)))


def _each_tag(connection: Connection) -> Any:
    """The tags of a job as rows of `key` and `value`."""
    if connection.dialect.name == "postgresql":
        return func.json_each_text(cast(type_coerce(job.c.tags, Text), JSON)).table_valued("key", "value", name="tag")
    return func.json_each(job.c.tags).table_valued("key", "value", name="tag")


def _tagged(connection: Connection, tags: Mapping[str, str]) -> Iterable[ColumnElement[bool]]:
    for key, value in tags.items():
        tag = _each_tag(connection)
        found = select(tag.c.key).where(tag.c.key == key, tag.c.value == value)
        of = select(attempt.c.id).join(job, job.c.id == attempt.c.job).where(found.correlate(job).exists())
        yield pending.c.attempt.in_(of)


def _task(connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        return cast(type_coerce(job.c.request, Text), JSON)["task"].as_string()
    return type_coerce(func.json_extract(job.c.request, "$.task"), Text)


def _lines(
    connection: Connection, where: Iterable[ColumnElement[bool]], by: Sequence[Dimension]
) -> tuple[SpendLine, ...]:
    """Sums by the dimensions; without any, the sum of all."""
    rows = pending.join(attempt, attempt.c.id == pending.c.attempt).join(job, job.c.id == attempt.c.job)
    rows = rows.outerjoin(end, RESOLVED).outerjoin(_adjusting, _adjusting.c.attempt == pending.c.attempt)
    tag = _each_tag(connection)
    if "tag" in by:
        rows = rows.outerjoin(tag, ~tag.c.key.startswith(OUR_OWN, autoescape=True))
    columns: dict[Dimension, Any] = {
        "project": pending.c.debit,
        "provider": attempt.c.provider,
        "model": attempt.c.model,
        "offer": attempt.c.provider + ":" + attempt.c.endpoint,
        "task": _task(connection),
        "stage": job.c.stage,
        "tag": tag.c.key + "=" + tag.c.value,
        "day": DAY,
    }
    chosen = [columns[name].label(f"by_{name}") for name in by]
    booked = case((end.c.kind == "post", end.c.amount), else_=0) + func.coalesce(_adjusting.c.amount, 0)
    unpriced = and_(end.c.source == "reserved", _adjusting.c.amount.is_(None))
    sums = (
        func.count(),
        func.sum(booked),
        func.sum(case((end.c.kind.is_(None), pending.c.amount), else_=0)),
        func.sum(case((unpriced, 1), else_=0)),
    )
    counts = or_(end.c.kind.is_(None), end.c.kind == "post", _adjusting.c.amount.is_not(None))
    query = select(*chosen, *sums).select_from(rows).where(pending.c.kind == "pending", counts, *where)
    if chosen:
        query = query.group_by(*chosen).order_by(*chosen)
    return tuple(_line(row, by) for row in connection.execute(query))


def _line(row: Any, by: Sequence[Dimension]) -> SpendLine:
    jobs, settled, held, unpriced = (int(one or 0) for one in row[len(by) :])
    group: dict[str, str | None] = {name: _named(name, value) for name, value in zip(by, row, strict=False)}
    return SpendLine(group, jobs, from_micro_usd(settled), from_micro_usd(held), unpriced)


def _named(name: Dimension, value: Any) -> str | None:
    if name == "day":
        return day_of(int(value) * DAY_MS).isoformat()
    return None if value is None else str(value).removeprefix("project:" if name == "project" else "")


def _overall(connection: Connection, where: Iterable[ColumnElement[bool]]) -> Figures:
    of = Figures()
    for total in totals(connection, sums(*where)):
        of += total.usd
    return of


def _credits(connection: Connection, where: Iterable[ColumnElement[bool]]) -> tuple[Credits, ...]:
    found: dict[str, Figures] = {}
    for total in totals(connection, sums(pending.c.currency.is_not(None), *where)):
        assert total.currency is not None
        found[total.currency] = found.get(total.currency, Figures()) + total.credits
    return tuple(
        Credits(currency.partition(":")[2], from_micro_usd(of.settled), from_micro_usd(of.held))
        for currency, of in sorted(found.items())
    )
