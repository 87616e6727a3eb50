"""Runs workflows durably on DBOS (extra `dbos`): what a process that died had begun, another one goes on with, on any
host. Over PostgreSQL for several processes, over SQLite for one.

DBOS remembers how far a run is; what is bought and paid for stays in our own store, with its budgets and limits. DBOS
may run a step twice, so each is safe to repeat: an order is found again by its key, which was written down before. And
none of them waits: between two looks at a job the run sleeps, and DBOS remembers for how long.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from sqlalchemy import make_url

from aggregator.errors import ConfigurationError, StoreError, WorkflowError
from aggregator.identity import digest
from aggregator.options import Usd, amount_usd
from aggregator.workflow.durable_steps import Json, Steps, written
from aggregator.workflow.planning import plan_run
from aggregator.workflow.reading import read_back
from aggregator.workflow.run import check_money
from aggregator.workflow.runs import open_desk

try:
    from dbos import DBOS, SetWorkflowID, StepOptions, WorkflowSerializationFormat
except ImportError:
    raise ConfigurationError('durable runs need DBOS: pip install "aggregator[dbos]"') from None

if TYPE_CHECKING:
    from types import TracebackType

    from dbos import DBOSConfig

    from aggregator.client import Aggregator
    from aggregator.project import Project
    from aggregator.workflow.model import Workflow
    from aggregator.workflow.runs import Run, RunOptions
    from aggregator.workflow.steps import Score

__all__ = ["Durable", "register"]

T = TypeVar("T")

ORDER_OF_STEPS = 1
"""Counts up when the steps of DBOS come in another order: what was begun under another one is not gone on with."""
RUN, STEP = f"aggregator.run.{ORDER_OF_STEPS}", f"aggregator.step.{ORDER_OF_STEPS}"
FIRST_SLEEP_S, LONGEST_SLEEP_S = 1.0, 15.0
"""Between two looks at a job; each is twice the one before."""
MAX_LOOKS = 10_000
MAX_STEPS_AT_ONCE = 512
WAIT_S = 0.5
"""How often DBOS is asked whether one of the steps of a run has ended."""
PLAIN = WorkflowSerializationFormat.PORTABLE
"""JSON: what others write into the database of DBOS is never run here."""
PAID: StepOptions = {"retries_allowed": False}
FREE: StepOptions = {
    "retries_allowed": True,
    "max_attempts": 6,
    "interval_seconds": 1.0,
    "should_retry": lambda error: isinstance(error, StoreError),
}
"""A database that is away for half a minute is waited for, where nothing is ordered."""
LOCAL = "local"
OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


def register(client: "Aggregator", config: "DBOSConfig", *, scorers: Mapping[str, "Score"] | None = None) -> "Durable":
    """Make DBOS know our workflows; before it is launched, in every process, and with an open client.

    Args:
        config: What DBOS is made with, or was. Give it an `executor_id` of this process's own, the same whenever it is
            started again: what it had begun it then goes on with. And an `application_version` of yours: processes of
            different versions do not go on with each other's runs.
        scorers: Functions that say how good a take is, by the names that `pick = "score:<name>"` uses.

    Raises:
        ConfigurationError: Two processes could go on with the same run without seeing each other.

    """
    url = make_url(config.get("system_database_url") or f"sqlite:///{config['name']}.sqlite")
    own = client.opened.store.database
    lock = None
    if url.get_backend_name() == "sqlite":
        lock = _alone(Path(url.database or ""))
    elif own is None or not own.is_shared:
        raise ConfigurationError(
            "DBOS on PostgreSQL needs our store there too, or each host has budgets and keys of its own: [store] "
            'url_env = "…"'
        )
    elif _named(config) == LOCAL:
        raise ConfigurationError(
            f"DBOS calls every process {LOCAL!r} that does not say otherwise, and takes them for one and the same: "
            "give its configuration an executor_id, such as the name of the host, or set DBOS__VMID"
        )
    DBOS(config=config)
    return Durable(Steps(client, scorers), lock)


def _named(config: "DBOSConfig") -> str:
    """What DBOS will call this process."""
    if config.get("conductor_key"):
        return "as its conductor says"
    return config.get("executor_id") or os.environ.get("DBOS__VMID") or LOCAL


def _alone(database: Path) -> int:
    """Keep others from the same SQLite file, as long as what is returned is open."""
    lock = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigurationError(
            f"another process runs DBOS on {database}: SQLite is for one; several need PostgreSQL (system_database_url)"
        ) from None
    return lock


class Durable:
    """The runs of one client. Used with `async with`, it launches DBOS and ends it; a product with workflows of its own
    launches DBOS itself, in the event loop of the client, and ends it before that is closed.
    """

    def __init__(self, steps: Steps, lock: int | None) -> None:
        self._steps = steps
        self._lock = lock
        self._under_way: set[asyncio.Task[Any]] = set()

        @DBOS.workflow(name=STEP, serialization_type=PLAIN)
        async def step(run: Json, of: Json, given: Json) -> Json:
            with self._noted():
                return await self._step(run, of, given)

        @DBOS.workflow(name=RUN, serialization_type=PLAIN)
        async def run(run: Json) -> str:
            with self._noted():
                return await self._run(run)

        self._step_workflow, self._run_workflow = step, run

    async def __aenter__(self) -> Self:
        DBOS.launch()
        return self

    async def __aexit__(
        self, kind: "type[BaseException] | None", error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        stopped = list(self._under_way)
        for task in stopped:
            task.cancel()  # which DBOS does not take for their end: the next process goes on with them
        await asyncio.gather(*stopped, return_exceptions=True)
        DBOS.destroy(destroy_registry=True)
        # DBOS has put its own threads into this loop, and taken them away.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if self._lock is not None:
            os.close(self._lock)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """What runs in this loop now, so that it can be stopped."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            yield
        finally:
            self._under_way.discard(task)

    # ------------------------------------------------------------------------------------------------- for the user

    async def run(
        self,
        project: "Project",
        workflow: "Workflow",
        *,
        budget_usd: Usd | None = None,
        **given: Unpack["RunOptions"],
    ) -> "Run":
        """Run a workflow as `Project.run` does, to where it ends."""
        return await self.wait(project, await self.start(project, workflow, budget_usd=budget_usd, **given))

    async def start(
        self,
        project: "Project",
        workflow: "Workflow",
        *,
        budget_usd: Usd | None = None,
        **given: Unpack["RunOptions"],
    ) -> str:
        """Start a run, or find the one that is under way with the same words; returns the id it has in DBOS.

        Raises:
            BudgetExceededError, PriceUnknownError, RoutingError, RequestError: Before anything is sent.

        """
        budget = None if budget_usd is None else amount_usd(budget_usd, "budget_usd")
        desk = await open_desk(project, workflow, budget_usd=budget, **given)
        check_money(await plan_run(desk), budget)
        order = await written(desk)
        picks = sorted([*of, take] for of, take in desk.picks.items())
        order_alone: Json = {**order, "resuming": False}
        same = digest([order_alone, picks])[:12]
        turn = 0
        while True:  # those that are over are done again, which makes what is missing
            turn += 1
            workflow_id = f"{project.account}/{desk.name}/{same}.{turn}"
            status = await DBOS.get_workflow_status_async(workflow_id)
            if status is None:
                with SetWorkflowID(workflow_id):
                    await DBOS.start_workflow_async(self._run_workflow, order)
            if status is None or status.status not in OVER:
                return workflow_id

    async def wait(self, project: "Project", workflow_id: str) -> "Run":
        """Wait for a run that any process may be going on with."""
        handle: Any = await DBOS.retrieve_workflow_async(workflow_id)
        try:
            name = await handle.get_result(polling_interval_sec=WAIT_S)
        except Exception as error:
            raise WorkflowError(f"run {workflow_id}: {error}", step="") from error
        return await read_back(project, name)

    async def take_over(self, executor_id: str) -> list[str]:
        """Go on with the runs of a process that is gone for good; returns their ids. One that comes back with the same
        `executor_id` does this by itself.

        Should it be alive after all, nothing is paid twice: both find the same jobs by their keys.
        """
        left = await DBOS.list_workflows_async(
            status="PENDING", executor_id=executor_id, name=[RUN, STEP], load_input=False, load_output=False
        )
        for one in left:
            await DBOS.resume_workflow_async(one.workflow_id)
        return [one.workflow_id for one in left]

    # ------------------------------------------------------------------------------------------------ what is durable

    async def _run(self, run: Json) -> str:
        """Every flat step as soon as what it needs is there, each a workflow of its own; returns the run's name. The
        same calls in the same order whenever it is replayed: what ended first is asked of DBOS.
        """
        workflow_id = DBOS.workflow_id
        await _free(self._steps.begin, run)
        shared = {name: run[name] for name in ("project", "run", "id", "stage", "resuming")}
        shared["workflow"] = run["asked"]["workflow"]["name"]
        outcomes: dict[str, Json] = {}
        running: dict[str, Any] = {}
        waiting = list(run["nodes"])
        while waiting or running:
            ready = [one for one in waiting if all(name in outcomes for name in one["needs"])]
            for of in ready[: MAX_STEPS_AT_ONCE - len(running)]:
                waiting.remove(of)
                given = {name: outcomes[name] for name in of["needs"]}
                with SetWorkflowID(f"{workflow_id}/{of['name']}"):
                    running[of["name"]] = await DBOS.start_workflow_async(self._step_workflow, shared, of, given)
            first = await DBOS.wait_first_async(list(running.values()), polling_interval_sec=WAIT_S)
            name = first.workflow_id.rpartition("/")[2]
            del running[name]
            outcomes[name] = await _ended(first)
        await _free(self._steps.end, run, outcomes)
        return str(run["run"])

    async def _step(self, run: Json, of: Json, given: Json) -> Json:
        """One flat step, from what it needs to what it made."""
        found: Json = await _free(self._steps.decide, run, of, given)
        if "outcome" in found:
            known: Json = found["outcome"]
            return known
        if "edit" in found:
            return await _free(self._steps.edit, run, of, found["edit"])
        takes = await DBOS.run_step_async(PAID, self._steps.submit, run, of, found["takes"])
        sleep_s = FIRST_SLEEP_S
        for _ in range(MAX_LOOKS):
            if await _free(self._steps.look, takes):
                break
            await DBOS.sleep_async(sleep_s)
            sleep_s = min(2 * sleep_s, LONGEST_SLEEP_S)
        return await _free(self._steps.fetch, run, of, takes)


async def _free(step: Callable[..., Coroutine[Any, Any, T]], *given: Any) -> T:
    return await DBOS.run_step_async(FREE, step, *given)


async def _ended(handle: Any) -> Json:
    """What a flat step came to; one that could not be gone on with has failed."""
    try:
        outcome: Json = await handle.get_result()
    except Exception as error:  # noqa: BLE001  what DBOS raises of a workflow is whatever ended it
        return {"state": "failed", "media": [], "picked": 1, "why": str(error), "cost_usd": None, "reused": False}
    return outcome
