"""Runs workflows durably on DBOS (extra `dbos`): what a process that died had begun, another one goes on with, on any
host. Over PostgreSQL for several processes, over SQLite for one.

DBOS remembers which runs are under way, who is at work on each, and which are over. How far each one is stands in our
own store alone, with budgets, limits and all that was bought: whoever goes on with a run runs it again as `Project.run`
does, and finds what was ordered by its key. So DBOS repeats no order, and no step of it waits: a step looks whether the
run is over, and until the next look the run sleeps, which DBOS remembers too.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from sqlalchemy import make_url

from aggregator.errors import ConfigurationError, StoreError, WorkflowError
from aggregator.identity import digest
from aggregator.options import Usd, amount_usd
from aggregator.store import runs as rows
from aggregator.workflow.durable_data import Json, desk_of, read_since, written
from aggregator.workflow.planning import plan_run
from aggregator.workflow.promotion import asked_of
from aggregator.workflow.reading import read_back
from aggregator.workflow.run import check_money, execute
from aggregator.workflow.runs import check_scorers, open_desk

try:
    from dbos import DBOS, SetWorkflowID, StepOptions, WorkflowSerializationFormat
except ImportError:
    raise ConfigurationError('durable runs need DBOS: pip install "aggregator[dbos]"') from None

if TYPE_CHECKING:
    from types import TracebackType

    from dbos import DBOSConfig

    from aggregator.client import Aggregator
    from aggregator.project import Project
    from aggregator.workflow.events import OnEvent, RunEvent
    from aggregator.workflow.model import Workflow
    from aggregator.workflow.runs import Run, RunOptions
    from aggregator.workflow.steps import Desk, Score

__all__ = ["Durable", "register"]

NAME = "aggregator.run.2"
"""Counts up when what DBOS knows of a run is something else: what was begun under another one is not gone on with."""
LOOK_S = 0.5
"""How long a look at a run takes at most."""
FIRST_SLEEP_S, LONGEST_SLEEP_S = 1.0, 15.0
"""Between two looks; each is twice the one before."""
MAX_LOOKS = 100_000
MAX_AWAY = 6
"""So often a run is begun again whose store was away: half a minute and more."""
WAIT_S = 0.5
"""How often DBOS is asked whether a run has ended."""
PLAIN = WorkflowSerializationFormat.PORTABLE
"""JSON: what others write into the database of DBOS is never run here."""
LOOK: StepOptions = {"name": "aggregator.look", "retries_allowed": False}
LOCAL = "local"
OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


def register(client: "Aggregator", config: "DBOSConfig", *, scorers: Mapping[str, "Score"] | None = None) -> "Durable":
    """Make DBOS know our workflows; before it is launched, in every process, and with an open client.

    Args:
        config: What DBOS is made with, or was. Give it an `executor_id` of this process's own, the same whenever it is
            started again: what it had begun it then goes on with. And an `application_version` of yours: processes of
            different versions do not go on with each other's runs.
        scorers: Functions that say how good a take is, by the names that `pick = "score:<name>"` uses; the same in
            every process.

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
    return Durable(client, scorers or {}, lock)


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

    Events reach the process that is at work on a run, and `on_event` there: all of them, where it is the one that
    started the run and lives; from the plan on again, where one goes on with what another one had begun. Whoever looks
    from another host sees in `Project.open_run` what is written down: each take with its job once it is ordered, and
    what became of it; not who is at work on it.
    """

    def __init__(self, client: "Aggregator", scorers: "Mapping[str, Score]", lock: int | None) -> None:
        self._client = client
        self._scorers = dict(scorers)
        self._lock = lock
        self._on_event: dict[str, OnEvent] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._outside = copy_context()

        @DBOS.workflow(name=NAME, serialization_type=PLAIN)
        async def run(given: Json) -> Json:
            return await self._run(given)

        self._workflow = run

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

    # ------------------------------------------------------------------------------------------------- for the user

    async def run(
        self,
        project: "Project",
        workflow: "Workflow",
        *,
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
        **given: Unpack["RunOptions"],
    ) -> "Run":
        """Run a workflow as `Project.run` does, to where it ends."""
        workflow_id = await self.start(project, workflow, budget_usd=budget_usd, on_event=on_event, **given)
        return await self.wait(project, workflow_id)

    async def promote_run(
        self,
        project: "Project",
        name: str,
        *,
        stage: str = "final",
        keep: Sequence[str] = (),
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
    ) -> "Run":
        """Promote a run, durable or not, as `Project.promote_run` does; that says too what it would cost."""
        draft = await read_back(project, name)
        given = asked_of(draft, stage, keep)
        workflow_id = await self._start(project, draft.graph.workflow, budget_usd, on_event, given)
        return await self.wait(project, workflow_id)

    async def start(
        self,
        project: "Project",
        workflow: "Workflow",
        *,
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
        **given: Unpack["RunOptions"],
    ) -> str:
        """Start a run, or find the one that is under way with the same words; returns the id it has in DBOS.

        Raises:
            BudgetExceededError, PriceUnknownError, RoutingError, RequestError: Before anything is sent.

        """
        if given.get("scorers"):
            raise ConfigurationError(
                "functions that pick are given to register, in every process: any of them may go on with the run"
            )
        return await self._start(project, workflow, budget_usd, on_event, dict(given))

    async def _start(
        self,
        project: "Project",
        workflow: "Workflow",
        budget_usd: Usd | None,
        on_event: "OnEvent | None",
        options: Mapping[str, Any],
    ) -> str:
        budget = None if budget_usd is None else amount_usd(budget_usd, "budget_usd")
        desk = await open_desk(project, workflow, budget_usd=budget, **{**options, "scorers": self._scorers})
        check_scorers(desk)
        check_money(await plan_run(desk), budget)
        known = await project.opened.store.read(lambda c: rows.read_run(c, project.account, desk.name))
        given = await written(desk)
        same = digest([given, sorted([*of, take] for of, take in desk.picks.items())])[:12]
        given |= {"began_at": desk.now(), "changed_at": known and known.updated_at}
        turn = 0
        while True:  # those that are over are done again, which makes what is missing
            turn += 1
            workflow_id = f"{project.account}/{desk.name}/{same}.{turn}"
            status = await DBOS.get_workflow_status_async(workflow_id)
            if status is not None and status.status in OVER:
                continue
            if on_event is not None:
                self._on_event[workflow_id] = on_event
            if status is None:
                with SetWorkflowID(workflow_id):
                    await DBOS.start_workflow_async(self._workflow, given)
            return workflow_id

    async def wait(self, project: "Project", workflow_id: str, *, on_event: "OnEvent | None" = None) -> "Run":
        """Wait for a run that any process may be at work on; `on_event` hears of it as far as this one is."""
        if on_event is not None:
            self._on_event[workflow_id] = on_event
        handle: Any = await DBOS.retrieve_workflow_async(workflow_id)
        try:
            ended = await handle.get_result(polling_interval_sec=WAIT_S)
        except Exception as error:
            raise WorkflowError(f"run {workflow_id}: {error}", step="") from error
        finally:
            self._on_event.pop(workflow_id, None)
        return await read_since(project, ended["run"], began_at=ended["began_at"])

    async def take_over(self, executor_id: str) -> list[str]:
        """Go on with the runs of a process that is gone for good; returns their ids. One that comes back with the same
        `executor_id` does this by itself.

        Should it be alive after all, nothing is paid twice: both find the same jobs by their keys.
        """
        left = await DBOS.list_workflows_async(
            status="PENDING", executor_id=executor_id, name=NAME, load_input=False, load_output=False
        )
        for one in left:
            await DBOS.resume_workflow_async(one.workflow_id)
        return [one.workflow_id for one in left]

    # ------------------------------------------------------------------------------------------------ what is durable

    async def _run(self, given: Json) -> Json:
        """The workflow of DBOS: looks and sleeps, the same in the same order whenever it is replayed."""
        task, workflow_id = asyncio.current_task(), DBOS.workflow_id
        assert task is not None
        assert workflow_id is not None
        self._under_way.add(task)
        work = _Work(lambda: asyncio.create_task(self._execute(workflow_id, given), context=self._outside.copy()))
        try:
            sleep_s = FIRST_SLEEP_S
            for _ in range(MAX_LOOKS):
                if await DBOS.run_step_async(LOOK, work.is_over):
                    return {name: given[name] for name in ("run", "began_at")}
                await DBOS.sleep_async(sleep_s)
                sleep_s = min(2 * sleep_s, LONGEST_SLEEP_S)
            raise WorkflowError(f"it is not over after {MAX_LOOKS} looks: start it again to go on with it", step="")
        finally:
            self._under_way.discard(task)
            self._on_event.pop(workflow_id, None)
            await work.stop()

    async def _execute(self, workflow_id: str, given: Json) -> None:
        """Run it here, from where it is."""
        desk = await desk_of(self._client, given, self._scorers)
        if await self._has_ended(desk, given["changed_at"]):
            return

        def tell(event: "RunEvent") -> None:
            if (on_event := self._on_event.get(workflow_id)) is not None:
                on_event(event)

        done = await execute(desk, on_event=tell)
        for outcome in done.outcomes.values():
            if isinstance(outcome.error, StoreError):
                raise outcome.error

    @staticmethod
    async def _has_ended(desk: "Desk", changed_at: int | None) -> bool:
        """Whether this start has come to an end of which DBOS was not told any more.

        Args:
            changed_at: When the run had last changed, as this was started.

        """
        known = await desk.project.opened.store.read(lambda c: rows.read_run(c, desk.project.account, desk.name))
        if known is None or known.state == "running" or known.updated_at == changed_at:
            return False
        generation: str = desk.asked["generation"]
        return known.generation == generation


class _Work:
    """What this process does for a run, beside the steps of DBOS that look at it."""

    def __init__(self, begin: Callable[[], asyncio.Task[None]]) -> None:
        self._begin = begin
        self._task: asyncio.Task[None] | None = None
        self._away = 0

    async def is_over(self) -> bool:
        """A step of DBOS: begins, where nothing is begun in this process; begins again where the store was away."""
        self._task = self._task or self._begin()
        await asyncio.wait({self._task}, timeout=LOOK_S)
        if not self._task.done():
            return False
        try:
            self._task.result()
        except StoreError:
            self._task, self._away = None, self._away + 1
            if self._away > MAX_AWAY:
                raise
            return False
        return True

    async def stop(self) -> None:
        """Whoever goes on with the run finds what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
