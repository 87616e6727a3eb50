"""What people said of outputs, written and read. Every function runs inside the caller's transaction.

Of a pair of takes, and of one output, the last word counts: an earlier one is replaced. Failures are not written here:
the attempts say them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from aggregator.job import AttemptState
from aggregator.periods import day_of
from aggregator.store.schema import attempt, job, verdict
from aggregator.verdicts import Verdict

__all__ = ["NewVerdict", "read", "write"]

MOST = 20_000
"""How many of the newest are read; what is older counts for little."""

_SAID = select(verdict).order_by(verdict.c.at.desc()).limit(MOST)
_FAILED = (
    select(attempt.c.finished_at, attempt.c.error, attempt.c.model, job.c.ask, job.c.request)
    .join_from(attempt, job, attempt.c.job == job.c.id)
    .where(attempt.c.state == AttemptState.FAILED, attempt.c.error.is_not(None))
    .order_by(attempt.c.finished_at.desc())
    .limit(MOST)
)
_OF_THE_MODEL = "JobFailedError"
"""A job that was taken and failed; all other errors say something of the request, the host or the network."""


@dataclass(frozen=True, slots=True)
class NewVerdict:
    """What somebody says of the output of a job, or against that of another one."""

    kind: Literal["pick", "up", "down"]
    project: str
    role: str
    task: str
    job: str
    model: str
    against_job: str | None = None
    against: str | None = None

    @property
    def id(self) -> str:
        """The same for whatever is said later of the same output, or of the same pair."""
        return (
            "thumb:" + self.job
            if self.against_job is None
            else "pick:" + ":".join(sorted((self.job, self.against_job)))
        )


def unknown_jobs(connection: Connection, jobs: Iterable[str]) -> set[str]:
    """Those of `jobs` that this store does not know."""
    wanted = set(jobs)
    return wanted - set(connection.execute(select(job.c.id).where(job.c.id.in_(wanted))).scalars())


def write(connection: Connection, said: Iterable[NewVerdict], at: int) -> None:
    """Write verdicts down, in place of what was said of the same before."""
    for one in said:
        connection.execute(delete(verdict).where(verdict.c.id == one.id))
        connection.execute(
            insert(verdict).values(
                id=one.id,
                at=at,
                project=one.project,
                role=one.role,
                task=one.task,
                kind=one.kind,
                job=one.job,
                model=one.model,
                against=one.against,
            )
        )


def read(connection: Connection) -> tuple[Verdict, ...]:
    """Everything that was said, and every job that was taken and failed, newest first."""
    said = [
        Verdict(day_of(row.at), row.role, row.task, row.kind, row.model, row.against)
        for row in connection.execute(_SAID)
    ]
    failed = [
        Verdict(
            day_of(row.finished_at),
            row.ask["role"] or row.request["task"],
            row.request["task"],
            "failure",
            row.model,
        )
        for row in connection.execute(_FAILED)
        if row.error["type"] == _OF_THE_MODEL
    ]
    return (*said, *failed)
