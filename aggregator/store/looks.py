"""Which model gave a project its look: the one it used last in a role and a stage."""

from sqlalchemy import Connection, select

from aggregator.job import AttemptState
from aggregator.store.schema import attempt, job

__all__ = ["last_model"]

_LOOKED_AT = 500
"""So many of the newest jobs are looked through: a role that was not used in them has no look to keep."""
_TAKEN = [
    state
    for state in AttemptState
    if state not in (AttemptState.FAILED, AttemptState.REFUSED, AttemptState.CANCELED, AttemptState.LOST)
]
"""States that came to something, or still may."""

_USED = (
    select(attempt.c.model, job.c.ask, job.c.request)
    .join_from(attempt, job, attempt.c.job == job.c.id)
    .where(attempt.c.state.in_(_TAKEN))
    .order_by(job.c.created_at.desc(), attempt.c.n.desc())
    .limit(_LOOKED_AT)
)


def last_model(connection: Connection, project: str, stage: str, task: str, role: str | None) -> str | None:
    """The model of the project's last job of this task in this role and stage; `None`: there was none."""
    rows = connection.execute(_USED.where(job.c.project == project, job.c.stage == stage))
    return next(
        (row.model for row in rows if row.ask.get("role") == role and row.request.get("task") == task),
        None,
    )
