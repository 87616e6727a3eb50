"""What you say of outputs: the best of several takes, a thumb. It is written down, and the next choice knows of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from aggregator.errors import RequestError
from aggregator.store import verdicts
from aggregator.store.verdicts import NewVerdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.artifact import Result
    from aggregator.opening import Opened
    from aggregator.verdicts import Verdict

__all__ = ["pick", "thumb"]


async def pick(opened: "Opened", account: str, takes: "Sequence[Result]", best: "Result") -> None:
    """Write down that `best` was preferred to each of the other takes."""
    rivals = {take.job_id: take for take in takes if take.job_id != best.job_id}
    if all(take.job_id != best.job_id for take in takes) or not rivals:
        raise RequestError("pick: `best` must be one of several takes: there is nothing to prefer it to")
    for take in rivals.values():
        if _asked(take) != _asked(best):
            raise RequestError(
                f"pick: job {take.job_id} and job {best.job_id} are not takes of one request; only those compare"
            )
    said = (_verdict(account, best, "pick", against_job=rival.job_id, against=rival.model) for rival in rivals.values())
    await _write(opened, tuple(said))


async def thumb(opened: "Opened", account: str, result: "Result", verdict: Literal["up", "down"]) -> None:
    """Write down whether an output will do."""
    if verdict not in ("up", "down"):
        raise RequestError(f"thumb {verdict!r}: up or down")
    await _write(opened, (_verdict(account, result, verdict),))


def _asked(take: "Result") -> dict[str, Any]:
    """What was asked for; takes differ in their seeds."""
    return {name: value for name, value in take.lineage.request.as_json().items() if name != "seed"}


def _verdict(account: str, of: "Result", kind: Literal["pick", "up", "down"], **against: str) -> NewVerdict:
    task = of.lineage.request.task
    role = of.lineage.ask.get("role") or task
    return NewVerdict(kind, account, role, task, of.job_id, of.model, **against)


async def _write(opened: "Opened", said: Sequence[NewVerdict]) -> None:
    at = int(opened.clock.time() * 1000)
    jobs = {job for one in said for job in (one.job, one.against_job) if job is not None}

    def work(connection: "Connection") -> "tuple[Verdict, ...]":
        if missing := verdicts.unknown_jobs(connection, jobs):
            raise RequestError(f"no job {', '.join(sorted(missing))} is in this store: nothing was written down")
        verdicts.write(connection, said, at)
        return verdicts.read(connection)

    known = await opened.store.transact(work)
    opened.planner.swap(replace(opened.planner.view, verdicts=known))
